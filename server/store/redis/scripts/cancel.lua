-- Ends a pending verification.
--
-- KEYS  1 the verification (hash)
-- ARGV  1 now
-- Answer 1, or 0 when there is none of this id
-- Invariant: only 'pending' is left.

local verification = read_hash(KEYS[1])
if not verification.status then
  return 0
end
if status_at(verification, tonumber(ARGV[1])) == 'pending' then
  redis.call('HSET', KEYS[1], 'status', 'canceled')
end
return 1
