-- On a cluster: gives back what reserve.lua took, after another slot refused.
--
-- KEYS  one per charge
-- ARGV  1 now  2… the charges (see take)
-- Answer 1
-- Invariant: a charge gives back one use and no more.

local now = tonumber(ARGV[1])
for i = 1, tonumber(ARGV[2]) do
  local kept = {}
  for tat in string.gmatch(redis.call('GET', KEYS[i]) or '', '%d+') do
    kept[#kept + 1] = tonumber(tat)
  end
  local tats, ends_at, nth = {}, 0, 0
  for limit, window in string.gmatch(ARGV[2 + i], '(%d+)/(%d+)') do
    nth = nth + 1
    local interval = math.ceil(tonumber(window) * 1000 / tonumber(limit))
    local tat = math.max((kept[nth] or 0) - interval, 0)
    tats[nth] = text(tat)
    ends_at = math.max(ends_at, math.ceil(tat / 1000))
  end
  if ends_at > now then
    redis.call('SET', KEYS[i], table.concat(tats, ' '), 'PX', text(ends_at - now + MARGIN_MS))
  else
    redis.call('DEL', KEYS[i])
  end
end
return 1
