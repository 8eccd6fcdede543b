-- Adds a signing key only if the newest one is still the expected: of several processes one wins.
--
-- KEYS  1 the keys (hash: kid → JSON)  2 their order (list of kids, oldest first)
-- ARGV  1 the newest kid or ''  2 the new kid  3 its JSON
-- Answer 1 when it was added
-- Invariant: the list and the hash name the same keys.

local newest = redis.call('LINDEX', KEYS[2], -1) or ''
if newest ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('RPUSH', KEYS[2], ARGV[2])
return 1
