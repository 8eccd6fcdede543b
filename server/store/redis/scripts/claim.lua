-- On a cluster: binds an idempotency key to the request that it first came with. What was answered lies
-- in the slot of the verification or the proof, and only the right request finds its way there.
--
-- KEYS  1 the idempotency key (string)
-- ARGV  1 now  2 fingerprint  3 milliseconds the key lives
-- Answer {'fresh', what the key held before, which has expired} {'seen'} {'reused'}
-- Invariant: a living key never changes its fingerprint.

local now = tonumber(ARGV[1])
local before = recall(KEYS[1], ARGV[2], now)
if before then
  return { before[1] == 'replayed' and 'seen' or 'reused' }
end
local expired = redis.call('GET', KEYS[1]) or ''
remember(KEYS[1], ARGV[2], '', ARGV[3], now)
return { 'fresh', expired }
