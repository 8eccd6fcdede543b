-- Takes one resend: charges, the doubled wait, and the new delivery's row. Guesses and expiry stay.
--
-- KEYS  1 the verification (hash)  2 the idempotency key (string), optional  3… one per charge
-- ARGV  1 now  2 fingerprint  3 milliseconds the idempotency key lives
--       4 the delivery's id  5 its channel  6… the charges (see take)
--       then field, value … of the delivery
-- Answer {'resent', the values before, {remaining, reset_at}…} {'replayed', the values before, JSON} {'reused'} {'missing'} {'newer'}
--        {'expired' | 'closed' | 'exhausted' | 'too-early', the values before} {'limited', charge, rate, retry_at}
-- Invariant: resends_remaining never grows, attempts_remaining never changes.

local now = tonumber(ARGV[1])
local verification, values, answered = read_step(ARGV[2], now)
if answered then
  return answered
end

local refusal = nil
local status = status_at(verification, now)
if status ~= 'pending' then
  refusal = status == 'expired' and 'expired' or 'closed'
elseif tonumber(verification.resends_remaining) == 0 then
  refusal = 'exhausted'
elseif now < tonumber(verification.resend_at) then
  refusal = 'too-early'
end
if refusal then
  return { refusal, values }
end

local states, after = take(3, 6, now)
if not states then
  return after
end

local wait = tonumber(verification.resend_wait_ms)
local resends_remaining = text(tonumber(verification.resends_remaining) - 1)
local resend_at = text(now + wait)
local fields = {
  'channel', ARGV[5], 'resends_remaining', resends_remaining, 'resend_at', resend_at,
  'resend_wait_ms', text(wait * 2),
}
fields[#fields + 1] = 'delivery:' .. ARGV[4] .. ':sequence'
fields[#fields + 1] = text(redis.call('HLEN', KEYS[1]))
for i = after, #ARGV do
  fields[#fields + 1] = ARGV[i]
end
redis.call('HSET', KEYS[1], unpack(fields))
if KEYS[2] ~= KEYS[1] then
  local facts = cjson.encode({
    deliveryId = ARGV[4],
    channel = ARGV[5],
    attemptsRemaining = tonumber(verification.attempts_remaining),
    resendsRemaining = tonumber(resends_remaining),
    resendAt = tonumber(resend_at),
  })
  remember(KEYS[2], ARGV[2], facts, ARGV[3], now)
end
return { 'resent', values, states }
