#!/bin/sh
# SPDX-License-Identifier: MIT
# POST /v1/work: what workers may say, and workers that go away.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager --lease 60
work() { post /v1/work "$1"; }
refused() { # NAME STATUS DETAIL JSON
	work "$4" >/dev/null
	is "$1: $2" "$(http)" "$2"
	like "$1: it says so" "$(detail)" "$3"
}
refused 'no worker' 422 '^field .worker.: is missing' '{"slots":0}'
refused 'slots without types' 422 '^field .types.' '{"worker":"w","slots":1}'
refused 'an unknown field' 422 '^field .x.' '{"worker":"w","x":1}'
refused 'a type that is none' 422 '^field .types\[1\].' \
	'{"worker":"w","types":["a","b/c"],"slots":1}'
refused 'a worker with a long name' 422 '^field .worker.' \
	"{\"worker\":\"$(printf '%65s' '' | tr ' ' w)\"}"
refused 'concurrency below zero' 422 '^field .concurrency.' \
	'{"worker":"w","concurrency":-1}'
refused 'slots below zero' 422 '^field .slots.' '{"worker":"w","slots":-1}'
refused 'an id that is none' 422 '^field .running\[0\].id.' \
	'{"worker":"w","running":[{"id":"x","lease":"y"}]}'
refused 'no lease' 422 '^field .running\[0\].lease.: is missing' \
	'{"worker":"w","running":[{"id":"0190aaaa-0000-7000-8000-000000000001"}]}'
refused 'an unknown state' 422 '^field .finished\[0\].state.' \
	'{"worker":"w","finished":[{"id":"0190aaaa-0000-7000-8000-000000000001",
	"lease":"y","state":"done"}]}'
refused 'a result of a failure' 422 '^field .finished\[0\].result.' \
	'{"worker":"w","finished":[{"id":"0190aaaa-0000-7000-8000-000000000001",
	"lease":"y","state":"failed","result":1}]}'
refused 'an element that is none' 422 '^field .progress\[0\].' \
	'{"worker":"w","progress":[1]}'
refused 'no object' 422 object '[]'
refused 'no JSON' 400 byte '{'
is 'a lease that is none is stale' "$(work '{"worker":"w","finished":[
	{"id":"0190aaaa-0000-7000-8000-000000000001","lease":"y",
	"state":"complete"}]}' | json refused.0)" \
	0190aaaa-0000-7000-8000-000000000001
is 'another media type is refused' "$(api POST /v1/work -d '{}' \
	-H 'Content-Type: text/plain' >/dev/null; http)" 415

D='{"x":1.0,"a":"\u00e4","x":2}'
a=$(submit "{\"type\":\"a\",\"data\":$D,\"timeout\":7,\"max_attempts\":9}")
work '{"worker":"w","types":["a"],"slots":5}' >"$T/jobs"
is 'a job comes as it was sent' \
	"$(sed 's/"lease":"[0-9a-f]\{32\}"/LEASE/' "$T/jobs")" \
	"{\"jobs\":[{\"id\":\"$a\",\"type\":\"a\",\"attempt\":1,\"max_attempts\":9,LEASE,\"lease_seconds\":60,\"data\":$D,\"timeout\":7}],\"stop\":[],\"refused\":[]}"
l=$(json jobs.0.lease <"$T/jobs")
H="\"id\":\"$a\",\"lease\":\"$l\""
is 'progress' "$(work "{\"worker\":\"w\",\"slots\":0,\"progress\":[
	{$H,\"progress\":{\"p\": 0.50}}]}" | json refused) $(http)" '[] 200'
is 'is seen at once' "$(field "$a" progress)" '{"p":0.50}'
is 'a wrong lease changes nothing' "$(work "{\"worker\":\"w\",\"slots\":0,
	\"finished\":[{\"id\":\"$a\",\"lease\":\"00000000000000000000000000000001\",
	\"state\":\"complete\",\"result\":0}]}" | json refused.0; field "$a" state)" \
	"$a
running"
R="{\"worker\":\"w\",\"slots\":0,\"finished\":[{$H,\"state\":\"complete\",
	\"result\":{\"z\": 1E5},\"log\":\"some \\u0007 log\"}]}"
is 'a report counts' "$(work "$R" | json refused)" '[]'
is 'the result is as it was sent' \
	"$(api GET "/v1/jobs/$a" | sed 's/.*"result"://; s/,"error".*//')" '{"z":1E5}'
is 'a report twice is answered as before' "$(work "$R" | json refused)" '[]'
like 'times of the attempt' "$(field "$a" finished_at)" '^20.*Z$'

# Given back uncounted, and failed for good.
b=$(submit '{"type":"b"}')
l=$(work '{"worker":"w","types":["b"],"slots":1}' | json jobs.0.lease)
work "{\"worker\":\"w\",\"slots\":0,\"finished\":[{\"id\":\"$b\",
	\"lease\":\"$l\",\"state\":\"released\"}]}" >/dev/null
is 'one that is given back is queued' "$(field "$b" state) $(field "$b" fail_count)" \
	'queued 0'
l=$(work '{"worker":"w","types":["b"],"slots":1}' | json jobs.0.lease)
work "{\"worker\":\"w\",\"slots\":0,\"finished\":[{\"id\":\"$b\",\"lease\":\"$l\",
	\"state\":\"failed\",\"error\":\"never\",\"final\":true}]}" >/dev/null
is 'one that fails for good is not tried again' \
	"$(field "$b" state) $(field "$b" fail_count) $(field "$b" attempt)" \
	'failed 1 2'

# A worker waits, and a job comes in.
start curl -sS -o "$T/jobs" -H 'Content-Type: application/json' \
	"$FR_MANAGER/v1/work" -d '{"worker":"v","types":["c"],"slots":1,"wait":300}'
waits() { api GET /metrics | grep -q '^forerunner_engine_waiting 1$' && echo yes; }
await waits >/dev/null
is 'who waits is no load' "$(api GET /metrics |
	sed -n 's/^forerunner_http_waiting_requests //p')" 1
c=$(submit '{"type":"c"}')
wait "$PID"
is 'a waiting worker gets a new job' "$(json jobs.0.id <"$T/jobs")" "$c"
is 'without one it is told when its time is over' \
	"$(work '{"worker":"v","types":["d"],"slots":1,"wait":0.1,"running":[
	{"id":"'"$c"'","lease":"'"$(json jobs.0.lease <"$T/jobs")"'"}]}' | json jobs)" '[]'

# A worker goes away while it waits: the next job is not given to it.
raw_work() { # WORKER TYPE
	fr_b="{\"worker\":\"$1\",\"types\":[\"$2\"],\"slots\":1,\"wait\":300}"
	printf 'POST /v1/work HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n%s' \
		"${#fr_b}" "$fr_b"
}
raw "$(raw_work u e)" @0.1 @reset >/dev/null
raw -t 1 "$(raw_work t e)" @0.1 @shut >/dev/null
nobody() { api GET /metrics | grep -q '^forerunner_engine_waiting 0$' && echo yes; }
is 'workers that went away do not wait any more' "$(await nobody)" yes
e=$(submit '{"type":"e"}')
is 'a job that comes then is queued' "$(field "$e" state)" queued
is 'and goes to the next' "$(work '{"worker":"s","types":["e"],"slots":1}' |
	json jobs.0.id)" "$e"
is 'it is the first attempt, or those before it do not count' \
	"$(field "$e" fail_count)" 0

# What was lost on the way is given again in the next exchange.
f=$(submit '{"type":"f"}')
work '{"worker":"r","types":["f"],"slots":1}' >/dev/null
is 'what a worker does not name it has not got' \
	"$(work '{"worker":"r","types":["f"],"slots":1}' | json jobs.0.id)" "$f"
is 'that does not count as a failure' "$(field "$f" fail_count)" 0

# A client that has closed its side may be gone, but hears of its reports.
h=$(submit '{"type":"h"}')
B='{"worker":"q","types":["h"],"slots":1,"wait":0}'
raw "POST /v1/work HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${#B}\r\n\r\n$B" @shut >/dev/null
like 'a client that has closed its side gets no jobs, but an answer' \
	"$(cat "$T/raw")" '^{"jobs":\[\]'
is 'the job goes to the next' "$(work '{"worker":"q2","types":["h"],"slots":1}' |
	json jobs.0.id)" "$h"
stop

# A worker may call itself anything.
manager --lease 0.2 --sweep 0.1
i=$(submit '{"type":"i","max_attempts":1}')
work '{"worker":"a\"b\\","types":["i"],"slots":1}' >/dev/null
over() { [ "$(field "$i" state)" = failed ] && echo yes; }
await over >/dev/null
is 'whatever a worker calls itself, errors are JSON' "$(field "$i" error)" \
	'lease expired: worker a"b\ did not renew it'
done_testing
