#!/bin/sh
# SPDX-License-Identifier: MIT
# NDJSON: all jobs of a request or none, and ids in the same order.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager
batch() { # FILE
	api POST /v1/jobs -H 'Content-Type: application/x-ndjson' \
		--data-binary "@$1"
}
count() { api GET /v1/jobs?limit=1000 | grep -o '"state"' | grep -c .; }

printf '{"type":"a","data":1}\n{"type":"a","data":2}\n' >"$T/in"
batch "$T/in" >"$T/ids"
is 'two jobs' "$(http) $(grep -c . "$T/ids")" '201 2'
is 'ids come in the order of the jobs' "$(while read -r l; do
	field "$(printf %s "$l" | json id)" data
done <"$T/ids" | tr '\n' ,)" 1,2,
printf '\n{"type":"a","data":3}\r\n   \n{"type":"a","data":4}' >"$T/in"
is 'blank lines, CR, and no line feed at the end' \
	"$(batch "$T/in" | grep -c .) $(http)" '2 201'
is 'so there are four' "$(count)" 4
printf '{"type":"a"}\n\n{"type":"a","x":1}\n' >"$T/in"
batch "$T/in" >/dev/null
is 'one bad line' "$(http)" 422
like 'is named with its number' "$(detail)" 'line 3: field .x.: is not known'
printf '{"type":"a"}\n{"type":\n' >"$T/in"
batch "$T/in" >/dev/null
like 'a line that is no JSON' "$(http) $(detail)" '^400 line 2: byte'
is 'and none of the others came in' "$(count)" 4
: >"$T/in"
batch "$T/in" >/dev/null
is 'no job at all' "$(http)" 422
I=0190cccc-0000-7000-8000-00000000000
printf '{"type":"b","id":"%s1"}\n{"type":"b","id":"%s2"}\n' $I $I >"$T/in"
batch "$T/in" >/dev/null
is 'with ids' "$(http)" 201
is 'the same batch again is the same jobs' "$(batch "$T/in" | json id) $(http) $(count)" \
	"${I}1 201 6"
printf '{"type":"b","id":"%s3"}\n{"type":"c","id":"%s2"}\n' $I $I >"$T/in"
batch "$T/in" >/dev/null
like 'an id that is taken' "$(http) $(detail)" '^409 line 2: '
is 'makes the whole batch fail' "$(count)" 6
printf '{"type":"b","id":"%s4"}\n{"type":"b","id":"%s4"}\n' $I $I >"$T/in"
is 'the same job twice in a batch is one job' \
	"$(batch "$T/in" | sort -u | grep -c .) $(http) $(count)" '1 201 7'
printf '{"type":"k","key":"x"}\n{"type":"k","key":"x"}\n' >"$T/in"
is 'the same key twice, too' "$(batch "$T/in" | sort -u | grep -c .) $(count)" '1 8'

seq 10000 | sed 's/.*/{"type":"many","data":&}/' >"$T/in"
is 'ten thousand jobs' "$(batch "$T/in" | sort -u | grep -c .) $(http)" \
	'10000 201'
is 'are there' "$(api GET /v1/types | json many.queued)" 10000
restart
is 'also after the manager was killed' \
	"$(api GET /v1/types | json many.queued)" 10000
done_testing
