-- SPDX-License-Identifier: MIT
-- Adds tickets, at the end of their priority or in front of it.
-- KEYS: counters, types, then queue and index of each type named.
-- ARGV: "end" or "front", "fifo" or "drawn", number of types, their names,
-- then for each ticket: number of its type, its id, its priority, and how far
-- it is from its turn ("drawn" only; see redis-pop.lua).
--
-- A queue is a sorted set; a member is 8 bytes of order, 16 bytes of id and
-- the priority in digits. Its score is, for fifo, the priority, higher first;
-- members of one score are in the order of their bytes. The index has, by id,
-- the member without the id, so that nothing is in the queue twice.
local counters, types = KEYS[1], KEYS[2]
local front, drawn = ARGV[1] == 'front', ARGV[2] == 'drawn'
local ntypes = tonumber(ARGV[3])
local first = 4 + ntypes
local n = (#ARGV - first + 1) / 4
local middle = 4503599627370496 -- 2^52: order grows from here, both ways

local clock = {}
for i = 1, ntypes do
	redis.call('SADD', types, ARGV[3 + i])
	if drawn then
		clock[i] = tonumber(
		    redis.call('HGET', counters, 'clock:' .. ARGV[3 + i]) or '0')
	end
end

-- Numbers are taken for all at once; those that are not needed are left out.
local order
if front then
	order = redis.call('HINCRBY', counters, 'head', -n)
else
	order = redis.call('HINCRBY', counters, 'tail', n) - n
end

for i = 0, n - 1 do
	local a = first + 4 * i
	local t = tonumber(ARGV[a])
	local id, priority, far = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3]
	local queue, index = KEYS[1 + 2 * t], KEYS[2 + 2 * t]
	local number = struct.pack('>I8', middle + order + i)
	local there = redis.call('HGET', index, id)
	local member
	if there then
		member = string.sub(there, 1, 8) .. id .. string.sub(there, 9)
		if front then
			redis.call('ZREM', queue, member)
			there = false
		else
			-- An index without its queue would hide the job for ever.
			there = redis.call('ZSCORE', queue, member)
		end
	end
	if not there then
		local score = '-inf'
		if not drawn then
			score = string.format('%.17g', -tonumber(priority))
		elseif not front then
			score = string.format('%.17g', clock[t] + tonumber(far))
		end
		redis.call('HSET', index, id, number .. priority)
		redis.call('ZADD', queue, score, number .. id .. priority)
	end
end
return n
