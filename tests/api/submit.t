#!/bin/sh
# SPDX-License-Identifier: MIT
# POST /v1/jobs: what a job may say, what comes back, and what is refused.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager
refused() { # NAME STATUS DETAIL JSON
	post /v1/jobs "$4" >/dev/null
	is "$1: $2" "$(http)" "$2"
	like "$1: it says so" "$(detail)" "$3"
}
accepted() { # NAME JSON; the job stands in $T/job
	post /v1/jobs "$2" >"$T/answer"
	is "$1" "$(http)" 201
	api GET "/v1/jobs/$(json id <"$T/answer")" >"$T/job"
}
of() { json "$1" <"$T/job"; }

accepted 'a type is enough' '{"type":"a"}'
is 'data is null then' "$(of data)" null
is 'it is queued' "$(of state)" queued
is 'there may be three attempts' "$(of max_attempts)" 3
is 'none was made' "$(of attempt)$(of fail_count)" 00
is 'no priority' "$(of priority)" 0
is 'nothing else is there yet' \
	"$(for f in progress result error log worker key timeout started_at \
		finished_at; do of $f; done | sort -u)" null
like 'times are in UTC with milliseconds' "$(of created_at)" \
	'^20[0-9-]*T[0-9:]*\.[0-9]{3}Z$'
accepted 'all fields' '{"id":"0190aaaa-0000-7000-8000-00000000000A","type":"b.C_-9",
	"data":{"x":1},"priority":-7,"delay":3600,"max_attempts":1,
	"timeout":1.5,"key":"k \u00e4"}'
is 'the id is the one that was chosen' "$(json id <"$T/answer")" \
	0190aaaa-0000-7000-8000-00000000000a
is 'the priority' "$(of priority)" -7
is 'the state' "$(of state)" scheduled
is 'the attempts' "$(of max_attempts)" 1
is 'the timeout' "$(of timeout)" 1.5
is 'the key' "$(of key)" 'k ä'
accepted 'null is as good as nothing' '{"type":"a","data":null,"id":null,
	"priority":null,"delay":null,"run_at":null,"max_attempts":null,
	"timeout":null,"key":null}'
is 'so it is queued' "$(of state)" queued
accepted 'a time with an offset' \
	'{"type":"a","run_at":"2099-01-02T03:04:05.678+01:00"}'
is 'the time in UTC' "$(of run_at)" 2099-01-02T02:04:05.678Z
is 'why it waits' "$(of waiting)" 'until 2099-01-02T02:04:05.678Z'
accepted 'a time that has passed' '{"type":"a","run_at":"1999-01-01T00:00:00Z"}'
is 'is now' "$(of state)" queued
accepted 'no delay' '{"type":"a","delay":0}'
is 'is now, too' "$(of state)" queued
accepted 'the smallest priority' '{"type":"a","priority":-2147483648}'
accepted 'the greatest priority' '{"type":"a","priority":2147483647}'
accepted 'a number that is whole' '{"type":"a","priority":5.0e0}'
accepted 'an escaped name' '{"\u0074ype":"\u0061"}'
is 'is the name' "$(of type)" a

# Token for token.
D='{"b":1,"a":1e400,"b":0.10,"c":"\u00e4\/","n":123456789012345678901234567890,"":[ ],"e":{ }}'
accepted 'odd data' "{\"type\":\"a\",\"data\":  $D  }"
is 'comes back token for token' \
	"$(sed 's/.*"data"://; s/,"priority".*//' "$T/job")" \
	'{"b":1,"a":1e400,"b":0.10,"c":"\u00e4\/","n":123456789012345678901234567890,"":[],"e":{}}'
for v in '""' '0' '-0' '1E+2' 'true' 'false' '[]' '{}' '"\u0000"' '"\ud800"' \
	'"a b"' '[1,[2,[3]]]'; do
	post /v1/jobs "{\"type\":\"a\",\"data\":$v}" >"$T/answer"
	is "data $v comes back" "$(api GET "/v1/jobs/$(json id <"$T/answer")" |
		sed 's/.*"data"://; s/,"priority".*//')" "$v"
done

refused 'no JSON' 400 'byte' '{"type":'
refused 'nothing' 400 'byte' ''
refused 'two values' 400 'byte' '{"type":"a"} {}'
refused 'a trailing comma' 400 'byte' '{"type":"a",}'
refused 'NaN' 400 'byte' '{"type":"a","data":NaN}'
refused 'invalid UTF-8' 400 'byte' "$(printf '{"type":"a","data":"\377"}')"
refused 'an array' 422 'object' '[{"type":"a"}]'
refused 'a string' 422 'object' '"a"'
refused 'no type' 422 '^field .type.' '{}'
refused 'a type that is no string' 422 '^field .type.' '{"type":1}'
refused 'an empty type' 422 '^field .type.' '{"type":""}'
refused 'a type with a slash' 422 '^field .type.' '{"type":"a/b"}'
refused 'a type with dots only' 422 '^field .type.' '{"type":".."}'
refused 'a type with a NUL' 422 '^field .type.' '{"type":"a\u0000"}'
refused 'an unknown field' 422 '^field .colour.: is not known' \
	'{"type":"a","colour":1}'
refused 'a field twice' 422 '^field .type.: given twice' \
	'{"type":"a","type":"b"}'
refused 'an id that is none' 422 '^field .id.' '{"type":"a","id":"x"}'
refused 'the id of zeros' 422 '^field .id.' \
	'{"type":"a","id":"00000000-0000-0000-0000-000000000000"}'
refused 'a priority that is a string' 422 '^field .priority.' \
	'{"type":"a","priority":"1"}'
refused 'a priority with a fraction' 422 '^field .priority.' \
	'{"type":"a","priority":1.5}'
refused 'a priority that is too great' 422 '^field .priority.' \
	'{"type":"a","priority":2147483648}'
refused 'a priority that is too small' 422 '^field .priority.' \
	'{"type":"a","priority":-2147483649}'
refused 'no attempts' 422 '^field .max_attempts.' '{"type":"a","max_attempts":0}'
refused 'too many attempts' 422 '^field .max_attempts.' \
	'{"type":"a","max_attempts":1000001}'
refused 'a delay below zero' 422 '^field .delay.' '{"type":"a","delay":-1}'
refused 'a delay of ages' 422 '^field .delay.' '{"type":"a","delay":1e300}'
refused 'a timeout of zero' 422 '^field .timeout.' '{"type":"a","timeout":0}'
refused 'a time that is none' 422 '^field .run_at.' \
	'{"type":"a","run_at":"tomorrow"}'
refused 'a delay and a time' 422 '^field .delay.' \
	'{"type":"a","delay":1,"run_at":"2099-01-01T00:00:00Z"}'
refused 'an empty key' 422 '^field .key.' '{"type":"a","key":""}'
refused 'a key with half a character, which would be as good as any other half' \
    422 '^field .key.: must not have' '{"type":"a","key":"a\ud800"}'
refused 'a key with a NUL' 422 '^field .key.' '{"type":"a","key":"a\u0000"}'

# The same id again.
J='{"id":"0190bbbb-0000-7000-8000-000000000000","type":"c","data":[1, 2]}'
post /v1/jobs "$J" >/dev/null
is 'a new id' "$(http)" 201
post /v1/jobs "$J" >"$T/answer"
is 'the same again is the same job' "$(http) $(json id <"$T/answer")" \
	'200 0190bbbb-0000-7000-8000-000000000000'
post /v1/jobs "$(printf %s "$J" | tr -d ' ')" >/dev/null
is 'white space makes no difference' "$(http)" 200
refused 'with other data' 409 '^field .id.' \
	'{"id":"0190bbbb-0000-7000-8000-000000000000","type":"c","data":[1,3]}'
refused 'with another type' 409 '^field .id.' \
	'{"id":"0190bbbb-0000-7000-8000-000000000000","type":"d","data":[1,2]}'

# One unfinished job for each type and key.
k1=$(submit '{"type":"k","key":"x"}')
is 'the key again is the same job' "$(post /v1/jobs \
	'{"type":"k","key":"x","data":1}' | json id) $(http)" "$k1 200"
isnt 'of another type it is another' "$(submit '{"type":"l","key":"x"}')" "$k1"
post "/v1/jobs/$k1/cancel" '' >/dev/null
isnt 'once it has ended the key is free' "$(submit '{"type":"k","key":"x"}')" "$k1"

for type in text/plain application/x-www-form-urlencoded '' application/jsonx; do
	api POST /v1/jobs -H "Content-Type: $type" -d '{"type":"a"}' >/dev/null
	is "the media type '$type' is refused" "$(http)" 415
done
for type in 'application/json; charset=utf-8' 'Application/JSON'; do
	api POST /v1/jobs -H "Content-Type: $type" -d '{"type":"a"}' >/dev/null
	is "the media type '$type' is taken" "$(http)" 201
done
post '/v1/jobs?now=1' '{"type":"a"}' >/dev/null
is 'an unknown parameter is refused' "$(http)" 422
done_testing
