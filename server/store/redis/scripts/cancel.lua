-- Ends a pending verification.
--
-- KEYS  1 the verification (hash)
-- ARGV  1 now
-- Answer 1, 0 when there is none of this id, or -1 when a newer release wrote it
-- Invariant: only 'pending' is left.

local verification = read_verification(KEYS[1])
if not verification.status then
  return 0
end
if is_newer(verification) then
  return -1
end
if status_at(verification, tonumber(ARGV[1])) == 'pending' then
  redis.call('HSET', KEYS[1], 'status', 'canceled')
end
return 1
