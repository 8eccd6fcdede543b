-- Says who hands a delivery to its provider: the first who says so, while it is queued.
--
-- KEYS  1 the verification (hash)
-- ARGV  1 the delivery's id  2 by whom  3 at
-- Answer 1 when it is the caller's
-- Invariant: a delivery is taken by one.

local field = 'delivery:' .. ARGV[1]
local before = redis.call('HMGET', KEYS[1], field .. ':status', field .. ':reason')
if before[1] ~= 'queued' or ((before[2] or '') ~= '' and before[2] ~= ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], field .. ':reason', ARGV[2], field .. ':at', ARGV[3])
return 1
