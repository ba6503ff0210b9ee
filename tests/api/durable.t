#!/bin/sh
# SPDX-License-Identifier: MIT
# What was answered is there after kill -9, in whatever state it was.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager
work() { post /v1/work "$1"; }
q=$(submit '{"type":"q","data":{"a":1.0},"priority":3,"key":"k","timeout":9}')
api GET "/v1/jobs/$q" >"$T/before"
s=$(submit '{"type":"s","delay":3600}')
r=$(submit '{"type":"r"}')
work '{"worker":"w","types":["r"],"slots":1}' >"$T/jobs"
l=$(json jobs.0.lease <"$T/jobs")
c=$(submit '{"type":"c"}')
work '{"worker":"v","types":["c"],"slots":1}' >"$T/jobs2"
work "{\"worker\":\"v\",\"slots\":0,\"finished\":[{\"id\":\"$c\",\"lease\":\"$(
	json jobs.0.lease <"$T/jobs2")\",\"state\":\"complete\",\"result\":[1]}]}" \
	>/dev/null
x=$(submit '{"type":"x"}')
post "/v1/jobs/$x/cancel" '' >/dev/null
restart
is 'a queued job, every field' "$(api GET "/v1/jobs/$q")" "$(cat "$T/before")"
is 'a scheduled one' "$(field "$s" state)" scheduled
is 'a running one' "$(field "$r" state)" running
is 'a complete one' "$(field "$c" state) $(field "$c" result)" 'complete [1]'
is 'a cancelled one' "$(field "$x" state)" cancelled
is 'the key is still taken' "$(submit '{"type":"q","key":"k"}')" "$q"
is 'the queue is filled again' \
	"$(work '{"worker":"u","types":["q"],"slots":1}' | json jobs.0.id)" "$q"
is 'a lease outlives the manager' "$(work "{\"worker\":\"w\",\"slots\":0,
	\"finished\":[{\"id\":\"$r\",\"lease\":\"$l\",\"state\":\"complete\"}]}" |
	json refused)" '[]'
is 'so the report counts' "$(field "$r" state)" complete

# Many at once, and killed in the middle: what was acknowledged is there.
cat >"$T/load.py" <<'END'
import http.client, sys
host = sys.argv[1].split("//")[1]
c = http.client.HTTPConnection(host, timeout=10)
try:
    for i in range(100000):
        c.request("POST", "/v1/jobs", '{"type":"load","data":%d}' % i,
                  {"Content-Type": "application/json"})
        a = c.getresponse()
        text = a.read().decode()
        if a.status == 201:
            print(text.split('"')[3], flush=True)
except OSError:
    pass
except http.client.HTTPException:
    pass
END
for i in 1 2 3 4; do
	"$FR_PYTHON" -I -S "$T/load.py" "$FR_MANAGER" >"$T/ids.$i" &
	LOAD="${LOAD:-} $!"
	PIDS="$PIDS $!"
done
enough() { [ "$(cat "$T"/ids.* | grep -c .)" -ge 400 ] && echo yes; }
await enough >/dev/null
restart
# shellcheck disable=SC2086 # a list of numbers
stop $LOAD
acked=$(cat "$T"/ids.* | grep -c .)
: >"$T/there"
next='/v1/jobs?type=load&limit=1000'
while [ -n "$next" ]; do
	api GET "$next" -H 'Accept: application/x-ndjson' -D "$T/head" |
		cut -d'"' -f4 >>"$T/there"
	next=$(tr -d '\r' <"$T/head" | sed -n 's/^Link: <\(.*\)>; rel="next"$/\1/p')
done
cat "$T"/ids.* | sort >"$T/acked"
sort "$T/there" >"$T/sorted"
is "of $acked acknowledged jobs none is lost" \
	"$(comm -23 "$T/acked" "$T/sorted" | grep -c .)" 0
ok 'and hardly any is there that was not' \
	test "$(comm -13 "$T/acked" "$T/sorted" | grep -c .)" -le 4
done_testing
