#!/bin/sh
# SPDX-License-Identifier: MIT
# GET /v1/events: what happens, as it happens, and again for who was away.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager --heartbeat 200ms --max-events 256k --write-timeout 1
work() { post /v1/work "$1"; }
follow() { # FILE [curl option...] QUERY: begins to listen; PID
	fr_f=$1
	shift
	: >"$fr_f"
	start curl -sSN -m $((120 * FR_TEST_SLOW)) -D "$fr_f.head" -o "$fr_f" "$@"
	until_ok grep -q '^:' "$fr_f" >/dev/null
}
events() { sed -n 's/^event: //p' "$1" | tr '\n' ' '; }

follow "$T/all" "$FR_MANAGER/v1/events"
all=$PID
follow "$T/b" "$FR_MANAGER/v1/events?type=b"
tb=$PID
like 'it is an event stream' "$(cat "$T/all.head")" \
	'^Content-Type: text/event-stream'
a=$(submit '{"type":"a"}')
b=$(submit '{"type":"b","max_attempts":2}')
work '{"worker":"w","types":["a","b"],"slots":2}' >"$T/jobs"
lease() { json "jobs.$1.lease" <"$T/jobs"; }
work "{\"worker\":\"w\",\"slots\":0,\"progress\":[{\"id\":\"$a\",
	\"lease\":\"$(lease 0)\",\"progress\":\"half\"}]}" >/dev/null
work "{\"worker\":\"w\",\"slots\":0,\"finished\":[{\"id\":\"$a\",
	\"lease\":\"$(lease 0)\",\"state\":\"complete\",\"result\":{\"r\":1.0}},
	{\"id\":\"$b\",\"lease\":\"$(lease 1)\",\"state\":\"failed\",
	\"error\":\"no\"}]}" >/dev/null
api POST "/v1/jobs/$b/cancel" >/dev/null
has() { grep -q "^event: $2" "$1"; }
until_ok has "$T/all" cancelled
until_ok has "$T/b" cancelled
is 'all that happens, in order' "$(events "$T/all")" \
	'created created staged staged progress complete count_failed cancelled '
is 'of one type' "$(events "$T/b")" 'created staged count_failed cancelled '
sed -n 's/^data: //p' "$T/all" >"$T/data"
is 'each is one line of JSON' "$(while read -r l; do
	printf %s "$l" | json event
done <"$T/data" | tr '\n' ' ')" "$(events "$T/all")"
is 'with the job' "$(head -n 1 "$T/data" | json id) $(head -n 1 "$T/data" |
	json type)" "$a a"
is 'progress is in it' "$(grep '"progress"' "$T/data" | json progress)" half
is 'a result is in it, token for token' \
	"$(grep '"event":"complete"' "$T/data" | grep -c '"result":{"r":1.0}')" 1
is 'an error is in it' "$(grep count_failed "$T/data" | json error)" no
is 'numbers grow' "$(sed -n 's/^id: //p' "$T/all" | sort -nu | tr '\n' ' ')" \
	"$(sed -n 's/^id: //p' "$T/all" | tr '\n' ' ')"
beats() { [ "$(grep -c '^:$' "$T/all")" -ge 2 ] && echo yes; }
is 'signs of life come when nothing happens' "$(await beats)" yes

# Away, and back again.
third=$(sed -n 's/^id: //p' "$T/all" | sed -n 4p)
follow "$T/resumed" -H "Last-Event-ID: $third" "$FR_MANAGER/v1/events"
until_ok has "$T/resumed" cancelled
is 'who comes back gets what was missed' "$(events "$T/resumed")" \
	'staged progress complete count_failed cancelled '
stop "$PID"
follow "$T/job" -H "Last-Event-ID: $third" "$FR_MANAGER/v1/events?job=${b%????}"
until_ok has "$T/job" cancelled
is 'of one job, by the beginning of its id' "$(events "$T/job")" \
	'staged count_failed cancelled '
stop "$PID"
# A number stands before the first event, so that nothing is missed behind it.
follow "$T/before" "$FR_MANAGER/v1/events?type=never"
stop "$PID"
began=$(sed -n 's/^id: //p' "$T/before")
submit '{"type":"between"}' >/dev/null
follow "$T/after" -H "Last-Event-ID: $began" "$FR_MANAGER/v1/events"
until_ok has "$T/after" created
is 'also who has seen no event yet' "$(head -n 1 "$T/after") $(grep '^data: ' \
	"$T/after" | sed 's/data: //' | json type)" ': forerunner between'
stop "$PID"
follow "$T/new" "$FR_MANAGER/v1/events"
submit '{"type":"new"}' >/dev/null
until_ok has "$T/new" created
is 'without a number it begins now' "$(events "$T/new")" 'created '
stop "$PID"

# More than is kept.
seq 1000 | sed 's/.*/{"type":"many","data":&}/' >"$T/in"
api POST /v1/jobs -H 'Content-Type: application/x-ndjson' \
	--data-binary "@$T/in" >/dev/null
thousand() { [ "$(grep -c '^event: created' "$T/all")" -ge 1003 ] && echo yes; }
is 'who listens misses nothing of a thousand at once' "$(await thousand)" yes
api POST /v1/jobs -H 'Content-Type: application/x-ndjson' \
	--data-binary "@$T/in" >/dev/null
follow "$T/late" -H "Last-Event-ID: $third" "$FR_MANAGER/v1/events"
has_last() { tail -n 3 "$T/late" | grep -q '^$' && grep -q '^event' "$T/late"; }
until_ok has_last
like 'who was away too long is told that some are forgotten' \
	"$(head -n 1 "$T/late")" '^: some events are forgotten'
stop "$PID"

# Somebody who does not read.
start "$FR_PYTHON" -I -S "$ROOT/tests/api/raw.py" "$FR_MANAGER" \
	'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n' @read @600
slow=$PID
connections() { api GET /metrics | sed -n 's/^forerunner_http_connections //p'; }
four() { [ "$(connections)" = "$1" ] && echo yes; }
await four 4 >/dev/null
head -c 20000 /dev/zero | tr '\0' x >"$T/large"
i=0
while [ $i -lt 400 ] && [ "$(connections)" = 4 ]; do
	{ printf '{"type":"slow","data":1,"key":"%s"}\n' "$i"; } >"$T/in"
	for n in $(seq 100); do
		printf '{"type":"slow","data":%s}\n' "$n"
	done >>"$T/in"
	api POST /v1/jobs -H 'Content-Type: application/x-ndjson' \
		--data-binary "@$T/in" >/dev/null
	i=$((i + 1))
done
is 'who does not read is cut off' "$(await four 3)" yes
stop "$slow"

for q in job=x type=%00 colour=1 'job=ffff'; do
	api GET "/v1/events?$q" >/dev/null
	like "?$q is refused" "$(http)" '^4'
done
raw 'HEAD /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >/dev/null
is 'HEAD tells what it would be' "$(status)" 200
raw -n 1 'GET /v1/events HTTP/1.0\r\n\r\n' >/dev/null
is 'HTTP/1.0 gets it without chunks' \
	"$(status) $(grep -ci '^transfer-encoding' "$T/raw")" '200 0'
# The last request comes together with the signal.
cat >"$T/last.py" <<'END'
import os, re, signal, socket, sys, time
url, pid = sys.argv[1], int(sys.argv[2])
host, port = url.split("//", 1)[1].rsplit(":", 1)
s = socket.create_connection((host, int(port)))
def begun():
    c = socket.create_connection((host, int(port)))
    c.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
    return re.search(rb"\nforerunner_http_requests 2\n", c.makefile("rb").read())
s.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: "
          b"application/json\r\nContent-Length: 15\r\n\r\n{\"type\":")
while not begun():
    time.sleep(0.01)
os.kill(pid, signal.SIGSTOP)
s.sendall(b'"last"}')
os.kill(pid, signal.SIGTERM)
os.kill(pid, signal.SIGCONT)
sys.stdout.write(s.makefile("rb").read().decode())
END
answer=$("$FR_PYTHON" -I -S "$T/last.py" "$FR_MANAGER" "$MANAGER" 2>>"$T/log")
wait "$MANAGER"
is 'a manager that stops ends the streams' "$?" 0
wait "$all"
is 'properly' "$?" 0
id=$(printf '%s\n' "$answer" | tr -d '\r' | sed '1,/^$/d' | json id)
isnt 'it answers the last request' "$id" ''
is 'and what became of it is in the streams' \
    "$(grep "^data: .*\"$id\"" "$T/all" | sed 's/^data: //' | json event)" created
stop "$tb"
done_testing
