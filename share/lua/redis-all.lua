-- SPDX-License-Identifier: MIT
-- All types at once. KEYS: counters, types. ARGV: "length" or "empty", and the
-- beginnings of the names of queues and indexes.
local n = 0
for _, t in ipairs(redis.call('SMEMBERS', KEYS[2])) do
	if ARGV[1] == 'empty' then
		redis.call('UNLINK', ARGV[2] .. t, ARGV[3] .. t)
	else
		n = n + redis.call('ZCARD', ARGV[2] .. t)
	end
end
if ARGV[1] == 'empty' then
	redis.call('UNLINK', KEYS[1], KEYS[2])
end
return n
