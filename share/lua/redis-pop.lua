-- SPDX-License-Identifier: MIT
-- Takes out the next tickets of some types.
-- KEYS: counters, then queue and index of each type.
-- ARGV: how many, "fifo" or "drawn", then the types' names.
-- Returns type number, id, priority, type number, ...
--
-- Drawn by weight without a walk: a ticket's turn comes after a time that is
-- exponentially distributed with its weight as the rate, so that the next one
-- of all is any of them with a chance in proportion to its weight. The score
-- is that time on the clock of its type. Since what is left of such a time is
-- distributed as the whole, a type's clock need only go on while it takes
-- part, and tickets of several types are compared by what is left.
local counters = KEYS[1]
local most, drawn = tonumber(ARGV[1]), ARGV[2] == 'drawn'
local ntypes = (#KEYS - 1) / 2
local head, at, taken, clock, named = {}, {}, {}, {}, {}

for t = 1, ntypes do
	-- A type named twice is no different.
	head[t] = named[KEYS[2 * t]] and {} or
	    redis.call('ZRANGE', KEYS[2 * t], 0, most - 1, 'WITHSCORES')
	named[KEYS[2 * t]] = true
	at[t] = 1
	taken[t] = {}
	clock[t] = 0
	if drawn then
		clock[t] = tonumber(
		    redis.call('HGET', counters, 'clock:' .. ARGV[2 + t]) or '0')
	end
	-- Scores as numbers, and as what is left.
	for i = 2, #head[t], 2 do
		head[t][i] = tonumber(head[t][i]) - clock[t]
	end
end

local result, passed = {}, 0
while #result < 3 * most do
	local best
	for t = 1, ntypes do
		local h, i = head[t], at[t]
		if h[i] and (not best or h[i + 1] < head[best][at[best] + 1] or
		    (h[i + 1] == head[best][at[best] + 1] and
		     h[i] < head[best][at[best]])) then
			best = t
		end
	end
	if not best then
		break
	end
	local member, left = head[best][at[best]], head[best][at[best] + 1]
	at[best] = at[best] + 2
	local id, priority = string.sub(member, 9, 24), string.sub(member, 25)
	table.insert(taken[best], id)
	if left > passed then
		passed = left
	end
	-- What is not a ticket of ours goes, and goes nowhere.
	if #id == 16 and string.match(priority, '^-?%d+$') then
		table.insert(result, tostring(best))
		table.insert(result, id)
		table.insert(result, priority)
	end
end

for t = 1, ntypes do
	local n = #taken[t]
	if n > 0 then
		redis.call('ZREMRANGEBYRANK', KEYS[2 * t], 0, n - 1)
		for i = 1, n, 1000 do
			redis.call('HDEL', KEYS[2 * t + 1],
			    unpack(taken[t], i, math.min(i + 999, n)))
		end
	end
	if drawn and #head[t] > 0 then
		local field = 'clock:' .. ARGV[2 + t]
		if redis.call('EXISTS', KEYS[2 * t]) == 1 then
			redis.call('HSET', counters, field,
			    string.format('%.17g', clock[t] + passed))
		else
			redis.call('HDEL', counters, field)
		end
	end
end
return result
