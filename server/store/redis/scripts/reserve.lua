-- On a cluster: takes the charges of a step that lie in another slot than its verification.
--
-- KEYS  one per charge
-- ARGV  1 now  2… the charges (see take)
-- Answer {'taken', {remaining, reset_at}…} {'limited', charge, rate, retry_at}
-- Invariant: all of this slot's charges are taken or none; release.lua gives them back.

local states, refusal = take(1, 2, tonumber(ARGV[1]))
return states and { 'taken', states } or refusal
