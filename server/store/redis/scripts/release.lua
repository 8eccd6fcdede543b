-- On a cluster: gives back what reserve.lua took, after another slot refused.
--
-- KEYS  1 the idempotency key (hash), or the first charge again  2… one per charge
-- ARGV  1 now  2 what this step had put there (JSON)  3 number of charges, then limit and window of each
-- Answer 1
-- Invariant: only this step's own idempotency record goes; a charge gives back one use and no more.

local now = tonumber(ARGV[1])
if KEYS[1] ~= KEYS[2] and redis.call('HGET', KEYS[1], 'facts') == ARGV[2] then
  redis.call('DEL', KEYS[1])
end
for i = 0, tonumber(ARGV[3]) - 1 do
  local key = KEYS[2 + i]
  local interval = math.ceil(tonumber(ARGV[5 + i * 2]) * 1000 / tonumber(ARGV[4 + i * 2]))
  local tat = tonumber(redis.call('GET', key) or 0) - interval
  if tat > now * 1000 then
    redis.call('SET', key, text(tat), 'PX', text(math.ceil(tat / 1000) - now))
  else
    redis.call('DEL', key)
  end
end
return 1
