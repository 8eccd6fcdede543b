-- Raises the schema version to the one that the caller knows, unless a newer release has raised it further.
--
-- KEYS  1 the version (string)
-- ARGV  1 the version that the caller knows
-- Answer the version that stands there now
-- Invariant: it never falls.

local known = tonumber(ARGV[1])
local version = tonumber(redis.call('GET', KEYS[1]) or '0')
if version < known then
  redis.call('SET', KEYS[1], text(known))
  return known
end
return version
