-- Moves a delivery forward, never back.
--
-- KEYS  1 the verification (hash)
-- ARGV  1 the delivery's id  2 its status  3 at  4 the provider's reference or ''  5 reason or ''
--       6 the earliest next resend or ''
-- Answer 1 when it moved
-- Invariant: queued < sent < failed < delivered.

local rank = { queued = 0, sent = 1, failed = 2, delivered = 3 }
local before = redis.call('HGET', KEYS[1], 'delivery:' .. ARGV[1] .. ':status')
-- A status of a newer release is further than any that this one knows.
if not rank[before] or rank[ARGV[2]] <= rank[before] then
  return 0
end
local prefix = 'delivery:' .. ARGV[1]
redis.call('HSET', KEYS[1], prefix .. ':status', ARGV[2], prefix .. ':at', ARGV[3], prefix .. ':reason', ARGV[5])
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], prefix .. ':reference', ARGV[4])
end
if ARGV[6] ~= '' and tonumber(ARGV[6]) < tonumber(redis.call('HGET', KEYS[1], 'resend_at')) then
  redis.call('HSET', KEYS[1], 'resend_at', ARGV[6])
end
return 1
