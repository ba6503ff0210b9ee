#!/bin/sh
# SPDX-License-Identifier: MIT
# A queue for fr-manager in awk: see fr-backend(7).
#
#     fr-manager --queue exec:share/examples/backends/queue.sh
#
# Higher priority first, then first in, first out. Ids and types never need
# escapes in JSON, so plain patterns are enough to read a request. All tickets
# of a type and priority are numbered, backwards for those put in front; next
# and last hold the range, job[type, priority, number] the id.

awk="awk"
command -v gawk >/dev/null && awk=gawk
# mawk reads ahead, and would wait for more than one line.
case $($awk -W version 2>&1 </dev/null) in mawk*) awk="$awk -W interactive" ;; esac

# shellcheck disable=SC2016,SC2086
exec $awk '
function text(s, key) { # the value of a string member
	if (!match(s, "\"" key "\":\"[^\"]*\""))
		return ""
	return substr(s, RSTART + length(key) + 4, RLENGTH - length(key) - 5)
}
function number(s, key) { # its digits: awk would print large ones rounded
	if (!match(s, "\"" key "\":-?[0-9]+"))
		return 0
	return substr(s, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
}
function add(t, p, i, front,    k) {
	k = t SUBSEP p
	if (!(k in last)) {
		next_[k] = 1
		last[k] = 0
		# Priorities in order, highest first.
		if (!(t in levels))
			levels[t] = " "
		insert(t, p)
	}
	if (front)
		at = --next_[k]
	else
		at = ++last[k]
	job[k, at] = i
	where[t, i] = at
	level[t, i] = p
	if (!front)
		stamp[k, at] = ++clock
	else
		stamp[k, at] = --back
	count[t]++
}
function insert(t, p,    n, v, i, s, done) {
	n = split(levels[t], v, " ")
	s = " "
	for (i = 1; i <= n; i++) {
		if (!done && p + 0 > v[i] + 0) {
			s = s p " "
			done = 1
		}
		s = s v[i] " "
	}
	levels[t] = s (done ? "" : p " ")
}
function drop(t, i,    k) {
	if (!((t, i) in where))
		return
	k = t SUBSEP level[t, i]
	delete job[k, where[t, i]]
	delete stamp[k, where[t, i]]
	delete where[t, i]
	delete level[t, i]
	count[t]--
}
function find(t,    n, v, i, k) { # sets best_*; false: none waits
	if (count[t] == 0)
		return 0
	n = split(levels[t], v, " ")
	for (i = 1; i <= n; i++) {
		k = t SUBSEP v[i]
		while (next_[k] <= last[k] && !((k, next_[k]) in job))
			next_[k]++
		if (next_[k] <= last[k]) {
			found_p = v[i]
			found_at = next_[k]
			found_stamp = stamp[k, found_at]
			return 1
		}
	}
	return 0
}
function pop(s, limit,    n, v, i, out, t, p, at, st, id) {
	sub(/^.*"types":\[/, "", s)
	sub(/\].*$/, "", s)
	gsub(/"/, "", s)
	n = split(s, v, ",")
	for (out = ""; limit + 0 > 0; limit--) {
		t = ""
		for (i = 1; i <= n; i++)
			if (find(v[i]) && (t == "" || found_p + 0 > p + 0 ||
			    (found_p == p && found_stamp < st))) {
				t = v[i]
				p = found_p
				at = found_at
				st = found_stamp
			}
		if (t == "")
			break
		id = job[t, p, at]
		out = out (out == "" ? "" : ",") "{\"id\":\"" id "\",\"type\":\"" \
		    t "\",\"priority\":" p "}"
		drop(t, id)
	}
	return "{\"tickets\":[" out "]}"
}
function tickets(s, v) { # the tickets of a request, one a string
	sub(/^.*"tickets":\[/, "", s)
	return split(s, v, "},")
}
function forget_all() {
	split("", next_)
	split("", last)
	split("", levels)
	split("", job)
	split("", where)
	split("", level)
	split("", stamp)
	split("", count)
}
function length_of(t,    n) {
	if (t != "")
		return count[t] + 0
	for (t in count)
		n += count[t]
	return n + 0
}
function place(t, id,    n, v, i, k, at, ahead) {
	if (!((t, id) in where))
		return "{\"error\":\"no such job\",\"rc\":\"not-found\"}"
	n = split(levels[t], v, " ")
	for (i = 1; i <= n && v[i] + 0 >= level[t, id] + 0; i++) {
		k = t SUBSEP v[i]
		for (at = next_[k]; at <= last[k]; at++) {
			if (v[i] == level[t, id] && at == where[t, id])
				return "{\"ahead\":" ahead + 0 "}"
			if ((k, at) in job)
				ahead++
		}
	}
}
{
	call = text($0, "call")
	reply = "{}"
	if (call == "hello") {
		reply = "{\"version\":1,\"kind\":\"queue\",\"name\":\"fifo in awk\"}"
	} else if (call == "push") {
		n = tickets($0, v)
		for (x = 1; x <= n; x++)
			if (!((text(v[x], "type"), text(v[x], "id")) in where))
				add(text(v[x], "type"), number(v[x], "priority"),
				    text(v[x], "id"), 0)
	} else if (call == "requeue") {
		for (x = tickets($0, v); x >= 1; x--) {
			drop(text(v[x], "type"), text(v[x], "id"))
			add(text(v[x], "type"), number(v[x], "priority"),
			    text(v[x], "id"), 1)
		}
	} else if (call == "remove") {
		n = tickets($0, v)
		for (x = 1; x <= n; x++)
			drop(text(v[x], "type"), text(v[x], "id"))
	} else if (call == "pop") {
		reply = pop($0, number($0, "limit"))
	} else if (call == "length") {
		reply = "{\"length\":" length_of(text($0, "type")) "}"
	} else if (call == "empty") {
		forget_all()
	} else if (call == "place") {
		reply = place(text($0, "type"), text($0, "id"))
	} else {
		reply = "{\"error\":\"no such call\",\"rc\":\"invalid\"}"
	}
	print reply
	fflush()
}'
