#!/bin/sh
# SPDX-License-Identifier: MIT
# Too much at a time is refused before anything grows, and it passes.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

JOB='POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
hold() { # PIECE...: a connection that stays
	start "$FR_PYTHON" -I -S "$ROOT/tests/api/raw.py" "$FR_MANAGER" "$@" @600
}
metric() { sed -n "s/^forerunner_$1 //p"; }
# occupy N PIECE...: until the manager works on N requests that stay, and on
# this question. It may have one of them refused, or a connection make way
# that has not said anything yet: then there is another.
occupy() {
	want=$(($1 + 1)) n=0 i=0
	HELD=
	shift
	while [ "${n:-0}" -lt "$want" ] && [ $i -lt $((300 * FR_TEST_SLOW)) ]; do
		if [ $((i % 10)) -lt 2 ]; then
			hold "$@"
			HELD="$HELD $PID"
		fi
		sleep 0.1
		n=$(api GET /metrics | metric http_requests) i=$((i + 1))
	done
}

manager --max-requests 2 --body-timeout 600
occupy 2 "${JOB}Content-Length: 9\r\n\r\n{"
full() { [ "$(api GET /v1/types >/dev/null; http)" = 503 ] && echo yes; }
is 'one request too many is refused' "$(await full)" yes
like 'with the time to come again' "$(curl -sS -D - -o /dev/null \
	"$FR_MANAGER/v1/types")" '^Retry-After: [1-9]'
is 'as a problem' "$(api GET /v1/types | json status)" 503
raw -n 2 'GET /v1/types HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/types HTTP/1.1\r\nHost: x\r\n\r\n' >/dev/null
is 'the connection may stay' "$(grep -c ' 503 ' "$T/raw")" 2
raw "${JOB}Content-Length: 9\r\n\r\n{" >/dev/null
is 'unless its body is not read' "$(status) $(tail -n 1 "$T/raw")" '503 [closed]'
is 'signs of life are never refused' \
	"$(for p in healthz readyz metrics; do api GET "/$p" >/dev/null; http; echo; done |
	tr '\n' ' ')" '200 200 200 '
is 'nor are workers, who have a share of their own' "$(post /v1/work \
	'{"worker":"w","types":["a"],"slots":1}' >/dev/null; http)" 200
# shellcheck disable=SC2086 # a list of numbers
stop $HELD
empty() { [ "$(api GET /v1/types >/dev/null; http)" = 200 ] && echo yes; }
is 'when the others are gone it is served' "$(await empty)" yes
like 'what was refused is counted' "$(api GET /metrics | metric \
	http_shed_requests_total)" '^[1-9]'
stop "$MANAGER"

# Those that only wait are no load.
manager --max-requests 2 --max-connections 50
for i in 1 2 3 4 5 6; do
	start curl -sS -o /dev/null -H 'Content-Type: application/json' \
		"$FR_MANAGER/v1/work" \
		-d "{\"worker\":\"w$i\",\"types\":[\"c\"],\"slots\":1,\"wait\":300}"
done
waits() { api GET /metrics | grep -q '^forerunner_engine_waiting 6$' && echo yes; }
is 'six workers wait, and others are served' "$(await waits)" yes
for i in 1 2 3; do
	start curl -sSN -o "$T/events$i" "$FR_MANAGER/v1/events"
done
begun() { [ "$(cat "$T"/events? 2>/dev/null | grep -c forerunner)" = 3 ] && echo yes; }
is 'nor are those who listen to events' "$(await begun)" yes
is 'so that there is still room' "$(api GET /healthz >/dev/null; http)" 200
stop

# Bytes.
manager --max-memory 100k --max-body 90k
B=$(printf '%80000s' '' | tr ' ' x)
hold "${JOB}Content-Length: 80000\r\n\r\n{"
h1=$PID
used() { [ "$(api GET /metrics | metric http_memory_bytes)" -gt 80000 ] && echo yes; }
await used >/dev/null
is 'a second large body is refused' "$(post /v1/jobs \
	"{\"type\":\"a\",\"data\":\"$B\"}" >/dev/null; http)" 503
is 'in chunks, too' "$(post /v1/jobs "{\"type\":\"a\",\"data\":\"$B\"}" \
	-H 'Transfer-Encoding: chunked' >/dev/null; http)" 503
is 'a small one is not' "$(post /v1/jobs '{"type":"a"}' >/dev/null; http)" 201
stop "$h1"
fits() {
	post /v1/jobs "{\"type\":\"a\",\"data\":\"$B\"}" >/dev/null
	[ "$(http)" = 201 ] && echo yes
}
is 'afterwards it is taken' "$(await fits)" yes
is 'and nothing is kept' \
	"$(test "$(api GET /metrics | metric http_memory_bytes)" -lt 8000 && echo so)" so
stop "$MANAGER"

# Heads without an end.
manager --max-memory 100k --header-timeout 600
HEAD="GET / HTTP/1.1\r\nX: $(printf '%10000s' '' | tr ' ' x)"
ASK='POST /v1/jobs HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"type":"a"}'
"$FR_PYTHON" -I -S "$ROOT/tests/api/held.py" "$FR_MANAGER" 60 \
	"$HEAD" "$HEAD" "$ASK" >"$T/heads" 2>>"$T/log"
like 'one head too many that has no end is refused' "$(cat "$T/heads")" \
	'^HTTP/1.1 503'
like 'with the time to come again' "$(cat "$T/heads")" '^Retry-After: 1'
like 'so that others are served' "$(cat "$T/heads")" '^HTTP/1.1 201'
stop "$MANAGER"

# Answers that nobody takes: large ones are refused before memory grows.
manager --max-memory 4M
printf '{"type":"a","data":"%s"}' "$(printf '%900000s' '' | tr ' ' x)" >"$T/one"
for i in 1 2 3 4 5 6 7 8 9 10; do
	api POST /v1/jobs -H 'Content-Type: application/json' \
		--data-binary "@$T/one" >/dev/null
done
for i in 1 2 3 4 5 6; do
	hold 'GET /v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n' @600
done
held() { [ "$(api GET /metrics | metric http_answer_bytes)" -gt 1000000 ] && echo yes; }
is 'answers that wait for their readers are counted' "$(await held)" yes
is 'a list is refused while others hold the memory' \
	"$(await sh -c '[ "$(curl -sS -o /dev/null -w "%{http_code}" \
	"$0/v1/jobs")" = 503 ] && echo yes' "$FR_MANAGER")" yes
is 'a small answer is not' "$(api GET /v1/types >/dev/null; http)" 200
stop

# Connections: the one that has been idle longest makes way.
manager --max-connections 3
hold 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
hold 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
hold 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
three() { [ "$(api GET /metrics | metric http_accepted_connections_total)" -ge 4 ] && echo yes; }
is 'a new connection is served' "$(await three)" yes
is 'and there are never more' "$(api GET /metrics | metric http_connections)" 3
stop
manager --max-connections 2 --body-timeout 600
occupy 2 "${JOB}Content-Length: 9\r\n\r\n{"
busy() { raw -n 1 'GET /v1/types HTTP/1.1\r\nHost: x\r\n\r\n' >/dev/null
	[ "$(status)" = 503 ] && echo yes; }
is 'if none is idle it is refused' "$(await busy)" yes
like 'with the time to come again' "$(curl -sS -D - -o "$T/body" \
	"$FR_MANAGER/v1/types")" '^Retry-After: [1-9]'
is 'and why' "$(detail)" 'too many connections'
is 'but hears that the manager lives' "$(api GET /healthz >/dev/null; http)" 200
for i in $(seq 40); do
	hold @600
done
is 'also behind many that say nothing' \
	"$(await sh -c 'curl -sS "$0/healthz" | grep alive' "$FR_MANAGER")" \
	'{"alive":true}'
stop

# Descriptors: when they are used up, whoever comes hears it.
mkdir "$T/few"
cat >"$T/few/fr-manager" <<END
#!/bin/sh
ulimit -n 48
exec "$BIN/fr-manager" "\$@"
END
chmod +x "$T/few/fr-manager"
PATH=$T/few:$PATH manager --body-timeout 600
like 'without a descriptor left an answer still comes' "$("$FR_PYTHON" -I -S \
	"$ROOT/tests/api/held.py" "$FR_MANAGER" 200 \
	"${JOB}Content-Length: 9\r\n\r\n{" \
	'GET /healthz HTTP/1.0\r\n\r\n' 2>>"$T/log")" '^HTTP/1.1 (200|503)'
is 'when they have gone all is well' "$(await fits)" yes
is 'and the log says it once or twice' "$(test "$(grep -c \
	'warn.* accept: ' "$T/log")" -le 2 && echo so)" so
done_testing
