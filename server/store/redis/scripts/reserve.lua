-- On a cluster: takes the charges of a step that lie in another slot than its verification.
--
-- KEYS  one per charge
-- ARGV  1 now  2 number of charges, then limit and window of each
-- Answer {'taken', {remaining, reset_at}…} {'limited', index, retry_at}
-- Invariant: all of this slot's charges are taken or none; release.lua gives them back.

local states, refused, retry_at = take(1, 3, tonumber(ARGV[2]), tonumber(ARGV[1]))
if not states then
  return { 'limited', refused, text(retry_at) }
end
return { 'taken', states }
