#!/bin/sh
# SPDX-License-Identifier: MIT
# Who drips is cut off at an absolute time, and others do not notice.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager --header-timeout 300ms --body-timeout 300ms --write-timeout 500ms \
	--idle-timeout 700ms
JOB='POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
ms() { # COMMAND...: how long it takes
	fr_t=$(date +%s%N)
	"$@" >/dev/null
	fr_took=$((($(date +%s%N) - fr_t) / 1000000))
}
not_before() { # NAME MS: that it comes at all is seen in the answer
	ok "$1" test "$fr_took" -ge "$2"
}

ms raw 'GET /healthz HT'
is 'half a head is answered with 408' "$(status)" 408
is 'and the connection is closed' "$(tail -n 1 "$T/raw")" '[closed]'
not_before 'at its time' 280
ms raw '@drip:0.05:GET /healthz HTTP/1.1\r\nHost: xxxxxxxxxxxxxxxxxxxx\r\n\r\n'
like 'a head that drips is cut off' "$(status)$(tail -n 1 "$T/raw")" \
	'408.*|.*reset.*'
ms raw "${JOB}Content-Length: 12\r\n\r\n{\"ty"
is 'half a body is answered with 408' "$(status)" 408
not_before 'at its time, too' 280
ms raw "${JOB}Content-Length: 40\r\n\r\n" "@drip:0.05:{\"type\":\"aaaaaaaaaaaaaaaaaaaaaaaa"
like 'a body that drips is cut off' "$(status)$(tail -n 1 "$T/raw")" \
	'408.*|.*reset.*'
ms raw "${JOB}Transfer-Encoding: chunked\r\n\r\n" '@drip:0.05:1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n'
like 'a chunked body that drips is cut off' \
	"$(status)$(tail -n 1 "$T/raw")" '408.*|.*reset.*'
ms raw -n 2 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /hea'
is 'half a second request is cut off, the first is answered' \
	"$(sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$T/raw" | tr '\n' ,)" 200,408,
ms raw 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
is 'an idle connection is closed without a word' \
	"$(grep -c ^HTTP/ "$T/raw") $(tail -n 1 "$T/raw")" '1 [closed]'
not_before 'not before its time' 650
ms raw @0.01
is 'also one that has never said anything' "$(cat "$T/raw")" '
[closed]'

# Somebody who takes nothing of a large answer.
head -c 900000 /dev/zero | tr '\0' x >"$T/large"
{ printf '{"type":"a","data":"'; cat "$T/large"; printf '"}'; } >"$T/job"
for _ in 1 2 3 4 5 6 7 8; do
	api POST /v1/jobs -H 'Content-Type: application/json' \
		--data-binary "@$T/job" >/dev/null
done
start "$FR_PYTHON" -I -S "$ROOT/tests/api/raw.py" "$FR_MANAGER" \
	'GET /v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n' @600
connections() {
	api GET /metrics | grep -q "^forerunner_http_connections $1\$" && echo yes
}
await connections 2 >/dev/null
is 'whoever does not read is cut off' "$(await connections 1)" yes
is 'and nothing of it is kept' "$(api GET /metrics |
	sed -n 's/^forerunner_http_requests //p')" 1
stop "$PID"

# Many who drip do not keep others waiting.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	start "$FR_PYTHON" -I -S "$ROOT/tests/api/raw.py" "$FR_MANAGER" \
		'@drip:0.05:GET /healthz HTTP/1.1\r\n'
done
ms api GET /healthz
is 'others are served meanwhile' "$(http)" 200
like 'what was cut off is counted' \
	"$(api GET /metrics | grep '^forerunner_http_timeouts_total')" ' [1-9]'
done_testing
