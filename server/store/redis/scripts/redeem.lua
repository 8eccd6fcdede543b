-- Marks a proof's id as redeemed, once.
--
-- KEYS  1 the mark (string: when)  2 the idempotency key (string), optional
-- ARGV  1 now  2 milliseconds the mark lives  3 fingerprint  4 milliseconds the idempotency key lives
--       5 when the proof expires
-- Answer {'redeemed' | 'already-redeemed', at} {'expired'} {'replayed', JSON} {'reused'}
-- Invariant: a mark is never overwritten.

local now = tonumber(ARGV[1])
if KEYS[2] ~= KEYS[1] then
  local before = recall(KEYS[2], ARGV[3], now)
  if before then
    return before
  end
end
local earlier = redis.call('GET', KEYS[1])
if earlier then
  return { 'already-redeemed', earlier }
end
if now >= tonumber(ARGV[5]) then
  return { 'expired' }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if KEYS[2] ~= KEYS[1] then
  remember(KEYS[2], ARGV[3], '{"redeemedAt":' .. ARGV[1] .. '}', ARGV[4], now)
end
return { 'redeemed', ARGV[1] }
