#!/bin/sh
# SPDX-License-Identifier: MIT
# HTTP/1.1 as clients speak it, and the older way.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager
GET='GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
HEADS='Host: x\r\nContent-Type: application/json\r\n'
JOB="POST /v1/jobs HTTP/1.1\r\n${HEADS}Content-Length: 12\r\n\r\n{\"type\":\"a\"}"

is 'one connection takes one request after the other' \
	"$(raw -n 3 "$GET" @0.05 "$GET" @0.05 "$GET" | grep -c '^HTTP/1.1 200')" 3
raw -n 3 "$GET$JOB$GET" >/dev/null
is 'pipelined requests are answered in their order' \
	"$(sed -n 's/^HTTP[^ ]* //p' "$T/raw" | tr '\n' ,)" \
	'200 OK,201 Created,200 OK,'
is 'many pipelined jobs all come in' \
	"$(raw -n 300 "@rep:300:$JOB" | grep -c '^HTTP/1.1 201')" 300
is 'a read behind pipelined jobs sees them' \
	"$(raw -n 3 "$JOB$JOB" 'GET /v1/types HTTP/1.1\r\nHost: x\r\n\r\n' |
		sed -n 's/.*"queued":\([0-9]*\).*/\1/p')" 303
is 'a request may come byte by byte' \
	"$(raw -n 1 "@drip:0.001:$JOB" | grep -c '^HTTP/1.1 201')" 1
is 'empty lines in front of a request are skipped' \
	"$(raw -n 1 "\r\n$GET" | grep -c '^HTTP/1.1 200')" 1
raw "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n$GET" \
	>/dev/null
is 'after Connection: close there is no further answer' \
	"$(grep -c ^HTTP/ "$T/raw") $(tail -n 1 "$T/raw")" '1 [closed]'
raw 'GET /healthz HTTP/1.0\r\n\r\n' >/dev/null
is 'HTTP/1.0 is closed after the answer' \
	"$(status) $(tail -n 1 "$T/raw")" '200 [closed]'
raw -n 2 'GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n' \
	'GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n' >/dev/null
is 'HTTP/1.0 may keep the connection' \
	"$(grep -c '^Connection: keep-alive' "$T/raw")" 2
raw "$GET" @shut >/dev/null
is 'a client that closes its side still gets its answer' \
	"$(status) $(tail -n 1 "$T/raw")" '200 [closed]'
raw "$JOB$JOB$GET" @shut >/dev/null
is 'and all answers if it has sent several' "$(grep -c ^HTTP/ "$T/raw")" 3
raw -n 1 'GET http://x/healthz HTTP/1.1\r\nHost: x\r\n\r\n' >/dev/null
is 'a whole URL may stand in the first line' "$(status)" 200
raw -n 1 'GET /%68ealthz HTTP/1.1\r\nHost: x\r\n\r\n' >/dev/null
is 'an unknown path is 404' "$(status)" 404

raw -t 1 'HEAD /v1/types HTTP/1.1\r\nHost: x\r\n\r\n' >/dev/null
is 'HEAD has the length and no body' \
	"$(grep -c '^Content-Length: [1-9]' "$T/raw") $(sed '1,/^$/d' "$T/raw" |
		tr -d '\n')" '1 [open]'

CHUNKED="POST /v1/jobs HTTP/1.1\r\n${HEADS}Transfer-Encoding: chunked\r\n\r\n"
raw -n 1 "${CHUNKED}5\r\n{\"typ\r\n" @0.02 '7;ext=1\r\ne":"a"}\r\n0\r\n' @0.02 \
	'X-Trailer: 1\r\n\r\n' >/dev/null
is 'a chunked body' "$(status)" 201
raw -n 1 "@drip:0.001:${CHUNKED}c\r\n{\"type\":\"a\"}\r\n0\r\n\r\n" >/dev/null
is 'a chunked body byte by byte' "$(status)" 201
raw -n 2 "${CHUNKED}c\r\n{\"type\":\"a\"}\r\n0\r\n\r\n$GET" >/dev/null
is 'a request behind a chunked body' "$(grep -c ^HTTP/ "$T/raw")" 2

EXPECT="POST /v1/jobs HTTP/1.1\r\n${HEADS}Content-Length: 12\r\n"
EXPECT="${EXPECT}Expect: 100-continue\r\n\r\n"
raw -n 1 "$EXPECT" @read '{"type":"a"}' >/dev/null
is 'whoever expects 100 Continue gets it, then the answer' \
	"$(sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$T/raw" | tr '\n' ,)" 100,201,
raw "POST /v1/nothing HTTP/1.1\r\n${HEADS}Content-Length: 12\r\nExpect: 100-continue\r\n\r\n" >/dev/null
is 'and is refused before sending the body if it is not wanted' \
	"$(status)" 404

head -c 900000 /dev/zero | tr '\0' x >"$T/large"
{ printf '{"type":"a","data":"'; cat "$T/large"; printf '"}'; } >"$T/job"
api POST /v1/jobs -H 'Content-Type: application/json' \
	--data-binary "@$T/job" >"$T/out"
is 'a large body' "$(http)" 201
api GET "/v1/jobs/$(json id <"$T/out")" | json data | tr -d '"\n' >"$T/back"
ok 'comes back as it was' cmp "$T/large" "$T/back"
api POST /v1/jobs -H 'Content-Type: application/json' \
	-H 'Transfer-Encoding: chunked' --data-binary "@$T/job" >/dev/null
is 'a large chunked body' "$(http)" 201

for path in / /v1 /v1/ /v1/job /v1/jobs/ /v1/jobs/x/y /v1/jobs//cancel \
	/v1/types//pause /HEALTHZ /healthz/ '/v1/types/a%2fb/pause'; do
	api GET "$path" >/dev/null
	like "$path is 404 or 405" "$(http)" '^40[45]$'
done
for call in 'PUT /v1/jobs' 'DELETE /v1/jobs' 'GET /v1/work' \
	'PATCH /v1/jobs/0123' 'POST /healthz' 'GET /v1/jobs/0123/cancel' \
	'TRACE /v1/jobs' 'OPTIONS /v1/types' 'BREW /v1/jobs'; do
	curl -sS -o "$T/body" -D "$T/head" -X "${call% *}" \
		"$FR_MANAGER${call#* }" 2>>"$T/log"
	like "$call is 405" "$(head -n 1 "$T/head")" ' 405 '
	like "$call tells what is allowed" "$(cat "$T/head")" '^Allow: (GET|POST)'
done
done_testing
