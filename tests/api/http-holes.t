#!/bin/sh
# SPDX-License-Identifier: MIT
# Wherever two readers could disagree on where a request ends, it is refused,
# the connection is closed, and nothing behind it is read as a request.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager
H='Host: x\r\n'
NEXT='GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
CL='Content-Length'
JOB='POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'

refused() { # NAME STATUS PIECE
	raw "$3" "$NEXT" >/dev/null
	is "$1: the answer" "$(status)" "$2"
	is "$1: no second answer" "$(grep -c '^HTTP/' "$T/raw")" 1
	is "$1: the connection is closed" "$(tail -n 1 "$T/raw")" '[closed]'
}

refused 'two lengths' 400 \
	"$JOB$CL: 12\r\n$CL: 13\r\n\r\n{\"type\":\"a\"}"
refused 'twice the same length' 400 \
	"$JOB$CL: 12\r\n$CL: 12\r\n\r\n{\"type\":\"a\"}"
refused 'a length with a plus' 400 "$JOB$CL: +12\r\n\r\n{\"type\":\"a\"}"
refused 'a length with a minus' 400 "$JOB$CL: -1\r\n\r\n"
refused 'a list of lengths' 400 "$JOB$CL: 12, 12\r\n\r\n{\"type\":\"a\"}"
refused 'an empty length' 400 "$JOB$CL:\r\n\r\n"
refused 'a hexadecimal length' 400 "$JOB$CL: 0xc\r\n\r\n{\"type\":\"a\"}"
refused 'a length that overflows' 400 \
	"$JOB$CL: 18446744073709551628\r\n\r\n{\"type\":\"a\"}"
refused 'a length beside a transfer coding' 400 \
	"$JOB$CL: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
refused 'an unknown transfer coding' 501 \
	"${JOB}Transfer-Encoding: gzip\r\n\r\n"
refused 'two transfer codings' 400 \
	"${JOB}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
refused 'a list of transfer codings' 501 \
	"${JOB}Transfer-Encoding: chunked, identity\r\n\r\n"
refused 'a transfer coding with HTTP/1.0' 400 \
	"POST /v1/jobs HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
refused 'white space before a colon' 400 "$JOB$CL : 12\r\n\r\n{\"type\":\"a\"}"
refused 'a folded line' 400 "GET /healthz HTTP/1.1\r\n${H}X: a\r\n b\r\n\r\n"
refused 'a line without CR' 400 "GET /healthz HTTP/1.1\nHost: x\r\n\r\n"
refused 'a bare CR in a value' 400 \
	"GET /healthz HTTP/1.1\r\n${H}X: a\rb\r\n\r\n"
refused 'a NUL in a value' 400 "GET /healthz HTTP/1.1\r\n${H}X: a\0b\r\n\r\n"
refused 'a line without a colon' 400 "GET /healthz HTTP/1.1\r\n${H}X\r\n\r\n"
refused 'a field without a name' 400 "GET /healthz HTTP/1.1\r\n$H: x\r\n\r\n"
refused 'no Host' 400 'GET /healthz HTTP/1.1\r\n\r\n'
refused 'several Hosts' 400 'GET /healthz HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n'
refused 'a Host that is none' 400 'GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n'
refused '%00 in the path' 400 "GET /v1/jobs/%00 HTTP/1.1\r\n$H\r\n"
refused '%00 in the query' 400 "GET /v1/jobs?type=%00 HTTP/1.1\r\n$H\r\n"
refused 'half an escape in the path' 400 "GET /v1/jobs/%4 HTTP/1.1\r\n$H\r\n"
refused 'two spaces in the first line' 400 "GET  /healthz HTTP/1.1\r\n$H\r\n"
refused 'a control character in the path' 400 \
	"GET /a\x01b HTTP/1.1\r\n$H\r\n"
refused 'an unknown version' 505 "GET /healthz HTTP/2.0\r\n$H\r\n"
refused 'no version' 400 'GET /healthz\r\n\r\n'
refused 'an expectation that is unknown' 417 \
	"${JOB}Expect: tea\r\n$CL: 12\r\n\r\n{\"type\":\"a\"}"
refused 'what is no HTTP' 400 '\x16\x03\x01\x02\x00'
refused 'two authorizations' 400 \
	"GET /healthz HTTP/1.1\r\n${H}Authorization: a\r\nAuthorization: b\r\n\r\n"
refused 'a chunk without a size' 400 \
	"${JOB}Transfer-Encoding: chunked\r\n\r\n\r\n"
refused 'a chunk with a sign' 400 \
	"${JOB}Transfer-Encoding: chunked\r\n\r\n+c\r\n{\"type\":\"a\"}\r\n0\r\n\r\n"
refused 'a chunk that is longer than it says' 400 \
	"${JOB}Transfer-Encoding: chunked\r\n\r\nb\r\n{\"type\":\"a\"}\r\n0\r\n\r\n"

raw -n 2 "GET /healthz HTTP/1.1\r\n$H$CL: 5\r\n\r\nHELLO" "$NEXT" >/dev/null
is 'the body of a GET is not read as a request' \
	"$(grep -c '^HTTP/1.1 200' "$T/raw")" 2
is 'no job came in by any of these' "$(api GET /v1/jobs)" '[]'
is 'a problem is told as a problem' \
	"$(raw 'GET / HTTP/1.1\r\n\r\n' | grep -c 'application/problem+json')" 1
done_testing
