-- Spends a guess or approves; a verification is approved at most once.
--
-- KEYS  1 the verification (hash)  2 the idempotency key (string), optional
-- ARGV  1 now  2 '1' when the code is right  3 fingerprint  4 milliseconds the idempotency key lives
--       5 network  6 limit and 7 window per network, 8 limit and 9 window in a row
-- Answer {'approved' | 'expired' | 'closed', the values before} {'incorrect', the values before, attempts_remaining, status}
--        {'replayed', the values before, JSON} {'reused'} {'missing'} {'newer'} {'locked', the values before, until}
-- Invariant: attempts_remaining never grows; 'approved' and 'failed' are never left.

local now = tonumber(ARGV[1])
local verification, values, answered = read_step(ARGV[3], now)
if answered then
  return answered
end

local status = status_at(verification, now)
if status ~= 'pending' then
  return { status == 'expired' and 'expired' or 'closed', values }
end

-- A key of this slot, because a verification's id carries the tag of its number.
local guesses_key = verification.guesses
local limits = guess_limits(5)
local counts = read_counts(guesses_key, limits, now)
local until_when = locked_until(counts, limits)
if until_when then
  return { 'locked', values, text(until_when) }
end

if ARGV[2] == '1' then
  redis.call('HSET', KEYS[1], 'status', 'approved', 'approved_at', ARGV[1])
  for i, limit in ipairs(limits) do
    if counts[i] then
      redis.call('HDEL', guesses_key, limit.field)
    end
  end
  if KEYS[2] ~= KEYS[1] then
    remember(KEYS[2], ARGV[3], '{"kind":"approved"}', ARGV[4], now)
  end
  return { 'approved', values }
end

local attempts_remaining = tonumber(verification.attempts_remaining) - 1
local after = attempts_remaining > 0 and 'pending' or 'failed'
redis.call('HSET', KEYS[1], 'attempts_remaining', text(attempts_remaining), 'status', after)
count_failed_guess(guesses_key, counts, limits, now)
if KEYS[2] ~= KEYS[1] then
  local facts = string.format(
    '{"kind":"incorrect","attemptsRemaining":%.0f,"status":"%s"}', attempts_remaining, after
  )
  remember(KEYS[2], ARGV[3], facts, ARGV[4], now)
end
return { 'incorrect', values, text(attempts_remaining), after }
