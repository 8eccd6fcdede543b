-- What every script of the store shares; it stands before each of them.
--
-- Numbers cross the border as decimal strings: Lua's own tostring() would write a time in
-- milliseconds as 1.79e+12. A key that a call does without is given as the first key again, because an
-- empty one would lie in another slot of a cluster.

local function text(number)
  return string.format('%.0f', number)
end

-- What is judged by the caller's time is kept a little longer than it counts: Redis counts time by itself, and what
-- still counts for the caller must not be gone.
local MARGIN_MS = 10000

-- A verification as a table, and as a list of values in the order of verification_fields, for the answer. That
-- list stands before this file (scripts.ts).
local function read_verification(key)
  local values = redis.call('HMGET', key, unpack(verification_fields))
  local verification = {}
  for i, field in ipairs(verification_fields) do
    verification[field] = values[i]
  end
  return verification, values
end

-- Written by a newer release, in a way that this one cannot judge. known_status and known_channel stand before
-- this file (scripts.ts).
local function is_newer(verification)
  return not (known_status[verification.status] and known_channel[verification.channel])
end

-- 'expired' is never written: it is 'pending' past its time.
local function status_at(verification, now)
  if verification.status == 'pending' and now >= tonumber(verification.expires_at) then
    return 'expired'
  end
  return verification.status
end

-- Takes every charge or none (store/gcra.ts, to the letter). The record of each charge is KEYS[first_key] and
-- following: a figure for each of its rates, separated by spaces. ARGV[at] says how many charges, and those behind
-- it the rates of each: 'limit/window limit/window', windows in milliseconds.
-- Answers a list of {remaining, reset_at}, one for each rate, and where the arguments go on; or nil with what a
-- refused step answers: 'limited', charge and rate (from 0) that keep the caller waiting longest, retry_at.
local function take(first_key, at, now)
  local records, states, refusal, latest = {}, {}, nil, 0
  local now_micros = now * 1000
  local count = tonumber(ARGV[at])
  at = at + 1
  for i = 0, count - 1 do
    local key = KEYS[first_key + i]
    local kept = {}
    for tat in string.gmatch(redis.call('GET', key) or '', '%d+') do
      kept[#kept + 1] = tonumber(tat)
    end
    local tats, ends_at, nth = {}, 0, 0
    for limit, window in string.gmatch(ARGV[at + i], '(%d+)/(%d+)') do
      nth = nth + 1
      limit = tonumber(limit)
      local interval = math.ceil(tonumber(window) * 1000 / limit)
      local tolerance = interval * limit
      local next_tat = math.max(kept[nth] or now_micros, now_micros) + interval
      if next_tat - now_micros > tolerance then
        local retry_at = math.ceil((next_tat - tolerance) / 1000)
        if retry_at > latest then
          refusal, latest = { 'limited', i, nth - 1, text(retry_at) }, retry_at
        end
      else
        local reset_at = math.ceil(next_tat / 1000)
        tats[nth] = text(next_tat)
        ends_at = math.max(ends_at, reset_at)
        local remaining = math.floor((tolerance - (next_tat - now_micros)) / interval)
        states[#states + 1] = { text(remaining), text(reset_at) }
      end
    end
    records[i + 1] = { key = key, tats = tats, ends_at = ends_at }
  end
  if refusal then
    return nil, refusal
  end
  for _, record in ipairs(records) do
    redis.call('SET', record.key, table.concat(record.tats, ' '), 'PX', text(record.ends_at - now + MARGIN_MS))
  end
  return states, at + count
end

-- Failed guesses of a number: a hash of network → 'count expires_at', with '' for those in a row.
-- guess_limits reads network, limit and window per network, limit and window in a row from ARGV[at].
local function guess_limits(at)
  return {
    { field = ARGV[at], limit = tonumber(ARGV[at + 1]), window = tonumber(ARGV[at + 2]) },
    { field = '', limit = tonumber(ARGV[at + 3]), window = tonumber(ARGV[at + 4]) },
  }
end

-- How many failed guesses still count, and until when, one for each limit.
local function read_counts(key, limits, now)
  local counts = {}
  local kept = redis.call('HMGET', key, limits[1].field, limits[2].field)
  for i = 1, 2 do
    local count, expires_at = string.match(kept[i] or '', '^(%d+) (%d+)$')
    if count and tonumber(expires_at) > now then
      counts[i] = { failed = tonumber(count), expires_at = tonumber(expires_at) }
    end
  end
  return counts
end

local function locked_until(counts, limits)
  local latest = nil
  for i, limit in ipairs(limits) do
    local count = counts[i]
    if count and count.failed >= limit.limit and count.expires_at > (latest or 0) then
      latest = count.expires_at
    end
  end
  return latest
end

local function count_failed_guess(key, counts, limits, now)
  local longest = redis.call('PTTL', key) - MARGIN_MS
  for i, limit in ipairs(limits) do
    local failed = (counts[i] and counts[i].failed or 0) + 1
    redis.call('HSET', key, limit.field, text(failed) .. ' ' .. text(now + limit.window))
    longest = math.max(longest, limit.window)
  end
  redis.call('PEXPIRE', key, text(longest + MARGIN_MS))
end

-- What was answered before under an idempotency key: {'replayed', JSON}, {'reused'} or nil. Kept as the request's
-- fingerprint, when the key expires, and the JSON, separated by spaces.
local function recall(key, fingerprint, now)
  local before, expires_at, facts = string.match(redis.call('GET', key) or '', '^(%S+) (%d+) (.*)$')
  if not before or tonumber(expires_at) <= now then
    return nil
  end
  if before ~= fingerprint then
    return { 'reused' }
  end
  return { 'replayed', facts }
end

local function remember(key, fingerprint, facts, lives_ms, now)
  local expires_at = text(now + tonumber(lives_ms))
  redis.call('SET', key, fingerprint .. ' ' .. expires_at .. ' ' .. facts, 'PX', text(tonumber(lives_ms) + MARGIN_MS))
end

-- The verification of a step, KEYS[1], and its values; or, third, what the step answers at once:
-- there is none, a newer release wrote it, or KEYS[2] is an idempotency key that was used before.
local function read_step(fingerprint, now)
  local verification, values = read_verification(KEYS[1])
  if not verification.status then
    return nil, nil, { 'missing' }
  end
  if is_newer(verification) then
    return nil, nil, { 'newer' }
  end
  local before = KEYS[2] ~= KEYS[1] and recall(KEYS[2], fingerprint, now)
  if before and before[1] == 'replayed' then
    return nil, nil, { 'replayed', values, before[2] }
  end
  return verification, values, before or nil
end
