-- SPDX-License-Identifier: MIT
-- Takes tickets out unseen.
-- KEYS: queue and index of each type. ARGV: number of its type and id of each.
for i = 1, #ARGV, 2 do
	local t, id = tonumber(ARGV[i]), ARGV[i + 1]
	local there = redis.call('HGET', KEYS[2 * t], id)
	if there then
		redis.call('ZREM', KEYS[2 * t - 1],
		    string.sub(there, 1, 8) .. id .. string.sub(there, 9))
		redis.call('HDEL', KEYS[2 * t], id)
	end
end
return #ARGV / 2
