#!/bin/sh
# SPDX-License-Identifier: MIT
# Each limit: one below, at it, and one above.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager --max-header 1k --max-body 400 --max-data 100 --max-depth 5 \
	--max-batch 3
H='Host: x\r\n'

# The head of this request has 43 bytes beside the padding.
head_of() { # BYTES
	fr_pad=$(printf "%$(($1 - 43))s" '' | tr ' ' x)
	raw -n 1 "GET /healthz HTTP/1.1\r\n${H}X-Pad: $fr_pad\r\n\r\n" >/dev/null
	status
}
is 'a head of 1023 bytes' "$(head_of 1023)" 200
is 'a head of 1024 bytes' "$(head_of 1024)" 200
is 'a head of 1025 bytes' "$(head_of 1025)" 431
is 'a head without end' "$(raw '@rep:5000:GET ' >/dev/null; status)" 431
like 'after a head that is too large the connection is closed' \
	"$(tail -n 1 "$T/raw")" 'closed|reset'

# {"type":"a","data":"..."} has 22 bytes beside the text.
body_of() { # BYTES [curl option...]
	fr_n=$(($1 - 22))
	shift
	post /v1/jobs "{\"type\":\"a\",\"data\":\"$(printf '%90s' '' | tr ' ' y)\"}$(
		printf "%$((fr_n - 90))s" '')" "$@" >/dev/null
	http
}
is 'a body of 399 bytes' "$(body_of 399)" 201
is 'a body of 400 bytes' "$(body_of 400)" 201
is 'a body of 401 bytes' "$(body_of 401)" 413
C='Transfer-Encoding: chunked'
is 'a chunked body of 400 bytes' "$(body_of 400 -H "$C")" 201
is 'a chunked body of 401 bytes' "$(body_of 401 -H "$C")" 413

data_of() { # BYTES, quotes and all
	post /v1/jobs "{\"type\":\"a\",\"data\":\"$(
		printf "%$(($1 - 2))s" '' | tr ' ' z)\"}" >/dev/null
	http
}
is 'data of 99 bytes' "$(data_of 99)" 201
is 'data of 100 bytes' "$(data_of 100)" 201
is 'data of 101 bytes' "$(data_of 101)" 413
like 'the error names the field' "$(detail)" '^field .data.: '
post /v1/jobs "{\"type\":\"a\",\"data\":[$(printf '%100s' '')1]}" >/dev/null
is 'white space between tokens is not counted' "$(http)" 201

depth_of() {
	post /v1/jobs "{\"type\":\"a\",\"data\":$(printf "%$1s" '' | tr ' ' '[')$(
		printf "%$1s" '' | tr ' ' ']')}" >/dev/null
	http
}
is 'four levels' "$(depth_of 4)" 201
is 'five levels' "$(depth_of 5)" 201
is 'six levels' "$(depth_of 6)" 413
like 'the limit is said as it was given' "$(detail)" 'more than 5 levels'

batch_of() {
	fr_lines=
	for fr_i in $(seq "$1"); do
		fr_lines="$fr_lines{\"type\":\"b\",\"data\":$fr_i}
"
	done
	api POST /v1/jobs -H 'Content-Type: application/x-ndjson' \
		--data-binary "$fr_lines" >/dev/null
	http
}
is 'two jobs' "$(batch_of 2)" 201
is 'three jobs' "$(batch_of 3)" 201
is 'four jobs' "$(batch_of 4)" 413
is 'none of those four came in' \
	"$(api GET '/v1/jobs?type=b' | json . | grep -o '"id"' | grep -c .)" 5

is 'a type of 64 characters' "$(post /v1/jobs \
	"{\"type\":\"$(printf '%64s' '' | tr ' ' t)\"}" >/dev/null; http)" 201
is 'a type of 65 characters' "$(post /v1/jobs \
	"{\"type\":\"$(printf '%65s' '' | tr ' ' t)\"}" >/dev/null; http)" 422
is 'a key of 256 bytes' "$(post /v1/jobs \
	"{\"type\":\"a\",\"key\":\"$(printf '%256s' '' | tr ' ' k)\"}" \
	>/dev/null; http)" 201
is 'a key of 257 bytes' "$(post /v1/jobs \
	"{\"type\":\"a\",\"key\":\"$(printf '%257s' '' | tr ' ' k)\"}" \
	>/dev/null; http)" 422

# A result over the limit ends its attempt and no other.
one=$(submit '{"type":"big"}')
two=$(submit '{"type":"big"}')
work() { post /v1/work "$1"; }
work '{"worker":"w","types":["big"],"slots":2}' >"$T/jobs"
l1=$(json jobs.0.lease <"$T/jobs") l2=$(json jobs.1.lease <"$T/jobs")
is 'a result over the limit does not spoil the exchange' \
	"$(work "{\"worker\":\"w\",\"slots\":0,\"finished\":[
	{\"id\":\"$one\",\"lease\":\"$l1\",\"state\":\"complete\",\"result\":\"$(
		printf '%101s' '' | tr ' ' r)\"},
	{\"id\":\"$two\",\"lease\":\"$l2\",\"state\":\"complete\",\"result\":1}]}" |
	json refused; http)" '[]
200'
is 'the other job is complete' "$(field "$two" state)" complete
is 'its own has failed' "$(field "$one" state)" failed
like 'and says why' "$(field "$one" error)" 'more than the manager.s limit'
done_testing
