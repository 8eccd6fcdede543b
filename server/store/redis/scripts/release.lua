-- On a cluster: gives back what reserve.lua took, after another slot refused.
--
-- KEYS  one per charge
-- ARGV  1 now  2 number of charges, then limit and window of each
-- Answer 1
-- Invariant: a charge gives back one use and no more.

local now = tonumber(ARGV[1])
for i = 1, tonumber(ARGV[2]) do
  local interval = math.ceil(tonumber(ARGV[2 + i * 2]) * 1000 / tonumber(ARGV[1 + i * 2]))
  local tat = tonumber(redis.call('GET', KEYS[i]) or 0) - interval
  if tat > now * 1000 then
    redis.call('SET', KEYS[i], text(tat), 'PX', text(math.ceil(tat / 1000) - now))
  else
    redis.call('DEL', KEYS[i])
  end
end
return 1
