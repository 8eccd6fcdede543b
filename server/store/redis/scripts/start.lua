-- Starts a verification: one atomic step of idempotency, intent, lock, limits and the write.
--
-- KEYS  1 the verification (hash)      2 the number's failed guesses (hash)
--       3 the intent (hash)            4 the idempotency key (string), each optional
--       5… one per charge (string: theoretical arrival times)
-- ARGV  1 now                          2 milliseconds until everything may be forgotten
--       3 network  4 limit and 5 window per network, 6 limit and 7 window in a row
--       8 fingerprint  9 milliseconds the idempotency key lives  10 what to answer a repeat (JSON)
--       11… the charges (see take)
--       then field, value, field, value … of the verification
-- Answer {'started', {remaining, reset_at}…} {'replayed', JSON} {'reused'} {'intent-missing'}
--        {'intent-used'} {'newer'} {'locked', until} {'limited', charge, rate, retry_at}
-- Invariant: either all of it is written or nothing.

local now = tonumber(ARGV[1])

if KEYS[4] ~= KEYS[1] then
  local before = recall(KEYS[4], ARGV[8], now)
  if before then
    return before
  end
end

if KEYS[3] ~= KEYS[1] then
  local expires_at, verification_key = unpack(redis.call('HMGET', KEYS[3], 'expires_at', 'verification'))
  if not expires_at or tonumber(expires_at) <= now then
    return { 'intent-missing' }
  end
  if verification_key then
    -- Its key lies in this slot, because an intent and its verification carry the tag of the same number.
    local earlier = read_verification(verification_key)
    if earlier.status and is_newer(earlier) then
      return { 'newer' }
    end
    local status = earlier.status and status_at(earlier, now)
    if status ~= 'expired' and status ~= 'canceled' then
      return { 'intent-used' }
    end
  end
end

local limits = guess_limits(3)
local until_when = locked_until(read_counts(KEYS[2], limits, now), limits)
if until_when then
  return { 'locked', text(until_when) }
end

local states, after = take(5, 11, now)
if not states then
  return after
end

redis.call('HSET', KEYS[1], 'guesses', KEYS[2], unpack(ARGV, after))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if KEYS[3] ~= KEYS[1] then
  redis.call('HSET', KEYS[3], 'verification', KEYS[1])
end
if KEYS[4] ~= KEYS[1] then
  remember(KEYS[4], ARGV[8], ARGV[10], ARGV[9], now)
end
return { 'started', states }
