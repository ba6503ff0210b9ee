-- SPDX-License-Identifier: MIT
-- How many of its type go before a ticket; nothing if it is not there.
-- KEYS: queue, index. ARGV: id.
local there = redis.call('HGET', KEYS[2], ARGV[1])
if not there then
	return false
end
return redis.call('ZRANK', KEYS[1],
    string.sub(there, 1, 8) .. ARGV[1] .. string.sub(there, 9))
