-- On a cluster: frees an idempotency key whose request was refused without any effect.
--
-- KEYS  1 the idempotency key (string)
-- ARGV  1 fingerprint
-- Answer 1
-- Invariant: another request's key stays.

if string.match(redis.call('GET', KEYS[1]) or '', '^%S+') == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 1
