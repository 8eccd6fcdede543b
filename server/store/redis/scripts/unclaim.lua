-- On a cluster: takes back a claim whose request was refused without any effect.
--
-- KEYS  1 the idempotency key (string)
-- ARGV  1 fingerprint  2 what the key held before
-- Answer 1
-- Invariant: another request's key stays.

if string.match(redis.call('GET', KEYS[1]) or '', '^%S+') == ARGV[1] then
  if ARGV[2] == '' then
    redis.call('DEL', KEYS[1])
  else
    redis.call('SET', KEYS[1], ARGV[2], 'PX', text(MARGIN_MS))
  end
end
return 1
