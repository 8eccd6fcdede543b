-- On a cluster: takes what of a step lives in another slot than its verification.
--
-- KEYS  1 the idempotency key (hash), or the first charge again  2… one per charge
-- ARGV  1 now  2 fingerprint  3 milliseconds the idempotency key lives  4 what to answer a repeat (JSON)
--       5 number of charges, then limit and window of each
-- Answer {'taken', {remaining, reset_at}…} {'replayed', JSON} {'reused'} {'limited', index, retry_at}
-- Invariant: all of this slot's part is taken or none; release.lua gives it back.

local now = tonumber(ARGV[1])
if KEYS[1] ~= KEYS[2] then
  local before = recall(KEYS[1], ARGV[2], now)
  if before then
    return before
  end
end
local states, refused, retry_at = take(2, 6, tonumber(ARGV[5]), now)
if not states then
  return { 'limited', refused, text(retry_at) }
end
if KEYS[1] ~= KEYS[2] then
  remember(KEYS[1], ARGV[2], ARGV[4], ARGV[3], now)
end
return { 'taken', states }
