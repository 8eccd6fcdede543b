-- What every script of the store shares; it stands before each of them.
--
-- Numbers cross the border as decimal strings: Lua's own tostring() would write a time in
-- milliseconds as 1.79e+12. A key that a call does without is given as the first key again, because an
-- empty one would lie in another slot of a cluster.

local function text(number)
  return string.format('%.0f', number)
end

-- A hash as a table, and as HGETALL gave it, for the answer.
local function read_hash(key)
  local flat = redis.call('HGETALL', key)
  local hash = {}
  for i = 1, #flat, 2 do
    hash[flat[i]] = flat[i + 1]
  end
  return hash, flat
end

-- 'expired' is never written: it is 'pending' past its time.
local function status_at(verification, now)
  if verification.status == 'pending' and now >= tonumber(verification.expires_at) then
    return 'expired'
  end
  return verification.status
end

-- Takes every charge or none (store/gcra.ts, to the letter). Charges stand in KEYS[first_key] and
-- following, each with three arguments from ARGV[first_arg]: its limit, its window in milliseconds.
-- Answers a list of {remaining, reset_at}, or nil with the index and retry_at of the charge that keeps
-- the caller waiting longest.
local function take(first_key, first_arg, count, now)
  local taken, refused, retry_at = {}, nil, 0
  local now_micros = now * 1000
  for i = 0, count - 1 do
    local limit, window = tonumber(ARGV[first_arg + i * 2]), tonumber(ARGV[first_arg + i * 2 + 1])
    local interval = math.ceil(window * 1000 / limit)
    local tolerance = interval * limit
    local tat = tonumber(redis.call('GET', KEYS[first_key + i]) or now_micros)
    local next_tat = math.max(tat, now_micros) + interval
    if next_tat - now_micros > tolerance then
      local at = math.ceil((next_tat - tolerance) / 1000)
      if at > retry_at then
        refused, retry_at = i, at
      end
    else
      local remaining = math.floor((tolerance - (next_tat - now_micros)) / interval)
      taken[i + 1] = { remaining = remaining, tat = next_tat, reset_at = math.ceil(next_tat / 1000) }
    end
  end
  if refused then
    return nil, refused, retry_at
  end
  local states = {}
  for i = 0, count - 1 do
    local state = taken[i + 1]
    redis.call('SET', KEYS[first_key + i], text(state.tat), 'PX', text(state.reset_at - now))
    states[i + 1] = { text(state.remaining), text(state.reset_at) }
  end
  return states
end

-- Failed guesses of a number: a hash of network → 'count expires_at', with '' for those in a row.
-- guess_limits reads network, limit and window per network, limit and window in a row from ARGV[at].
local function guess_limits(at)
  return {
    { field = ARGV[at], limit = tonumber(ARGV[at + 1]), window = tonumber(ARGV[at + 2]) },
    { field = '', limit = tonumber(ARGV[at + 3]), window = tonumber(ARGV[at + 4]) },
  }
end

local function read_count(key, field, now)
  local value = redis.call('HGET', key, field)
  if value then
    local count, expires_at = string.match(value, '^(%d+) (%d+)$')
    if tonumber(expires_at) > now then
      return tonumber(count), tonumber(expires_at)
    end
  end
  return 0, 0
end

local function locked_until(key, limits, now)
  local latest = nil
  for _, limit in ipairs(limits) do
    local count, expires_at = read_count(key, limit.field, now)
    if count >= limit.limit and expires_at > (latest or 0) then
      latest = expires_at
    end
  end
  return latest
end

local function count_failed_guess(key, limits, now)
  local longest = redis.call('PTTL', key)
  for _, limit in ipairs(limits) do
    local count = read_count(key, limit.field, now) + 1
    redis.call('HSET', key, limit.field, text(count) .. ' ' .. text(now + limit.window))
    longest = math.max(longest, limit.window)
  end
  redis.call('PEXPIRE', key, text(longest))
end

-- What was answered before under an idempotency key: {'replayed', JSON}, {'reused'} or nil.
local function recall(key, fingerprint, now)
  local before = redis.call('HMGET', key, 'fingerprint', 'facts', 'expires_at')
  if not before[1] or tonumber(before[3]) <= now then
    return nil
  end
  if before[1] ~= fingerprint then
    return { 'reused' }
  end
  return { 'replayed', before[2] }
end

local function remember(key, fingerprint, facts, lives_ms, now)
  redis.call('HSET', key, 'fingerprint', fingerprint, 'facts', facts, 'expires_at', text(now + tonumber(lives_ms)))
  redis.call('PEXPIRE', key, lives_ms)
end

-- The verification of a step, KEYS[1], and what HGETALL gave; or, third, what the step answers at once:
-- there is none, or KEYS[2] is an idempotency key that was used before.
local function read_step(fingerprint, now)
  local verification, flat = read_hash(KEYS[1])
  if not verification.status then
    return nil, nil, { 'missing' }
  end
  local before = KEYS[2] ~= KEYS[1] and recall(KEYS[2], fingerprint, now)
  if before and before[1] == 'replayed' then
    return nil, nil, { 'replayed', flat, before[2] }
  end
  return verification, flat, before or nil
end
