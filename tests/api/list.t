#!/bin/sh
# SPDX-License-Identifier: MIT
# GET /v1/jobs: filters, pages, and the two forms of the answer.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager
is 'no jobs are an empty array' "$(api GET /v1/jobs)" '[]'
is 'or no line' "$(api GET /v1/jobs -H 'Accept: application/x-ndjson')" ''
seq 25 | sed 's/.*/{"type":"a","data":&}/' >"$T/in"
echo '{"type":"b","delay":1000}' >>"$T/in"
api POST /v1/jobs -H 'Content-Type: application/x-ndjson' \
	--data-binary "@$T/in" >/dev/null
data() { grep -o '"data":[^,]*' | cut -d: -f2 | tr '\n' ' '; }
is 'newest first' "$(api GET '/v1/jobs?limit=4' | data)" 'null 25 24 23 '
is 'of one type' "$(api GET '/v1/jobs?limit=2&type=a' | data)" '25 24 '
is 'of one state' "$(api GET '/v1/jobs?state=scheduled' | data)" 'null '
is 'of several' "$(api GET '/v1/jobs?state=scheduled,queued&limit=2' | data)" \
	'null 25 '
is 'of a type that is not there' "$(api GET '/v1/jobs?type=zz')" '[]'
is 'as lines' "$(api GET '/v1/jobs?limit=3' -H 'Accept: application/x-ndjson' |
	grep -c '^{.*}$')" 3
like 'what it is is told' "$(curl -sS -D - -o "$T/body" -H \
	'Accept: application/x-ndjson' "$FR_MANAGER/v1/jobs?limit=3")" \
	'^Content-Type: application/x-ndjson'
ok 'the array is JSON' "$FR_PYTHON" -c 'import json,sys
assert len(json.loads(sys.argv[1])) == 26' "$(api GET /v1/jobs)"

# All pages, each by the link of the one before.
next='/v1/jobs?limit=10&type=a'
: >"$T/all"
pages=0
while [ -n "$next" ] && [ $pages -lt 9 ]; do
	curl -sS -D "$T/head" "$FR_MANAGER$next" >>"$T/all"
	next=$(tr -d '\r' <"$T/head" | sed -n 's/^Link: <\(.*\)>; rel="next"$/\1/p')
	pages=$((pages + 1))
done
is 'all pages together are all jobs' "$(data <"$T/all" | tr ' ' '\n' |
	sort -nu | grep -c .) in $pages" '25 in 3'
is 'a page that is just full is the last' "$(curl -sS -D - -o "$T/body" \
	"$FR_MANAGER/v1/jobs?limit=25&type=a" | grep -c '^Link')" 0
last=$(api GET '/v1/jobs?limit=3' | grep -o '"id":"[^"]*"' | tail -n 1 |
	cut -d'"' -f4)
api POST "/v1/jobs/$last/cancel" >/dev/null
api DELETE "/v1/jobs/$last" >/dev/null
is 'a page goes on behind a job that is gone' \
	"$(api GET "/v1/jobs?limit=2&after=$last" | data)" '23 22 '

for q in state=x state= type=a/b type= limit=0 limit=1001 limit=x limit= after=x \
	after= colour=1 'type=%zz' 'state=queued,' state=QUEUED; do
	case $(api GET "/v1/jobs?$q" >/dev/null; http) in
	422 | 400) pass "?$q is refused" ;;
	*) fail "?$q is refused" "$(http)" ;;
	esac
done
is 'a thousand may be asked for' "$(api GET '/v1/jobs?limit=1000' >/dev/null
	http)" 200

# A page does not grow without bound, whatever was asked for.
head -c 1000000 /dev/zero | tr '\0' x >"$T/large"
{ printf '{"type":"c","data":"'; cat "$T/large"; printf '"}'; } >"$T/job"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
	api POST /v1/jobs -H 'Content-Type: application/json' \
		--data-binary "@$T/job" >/dev/null
done
curl -sS -D "$T/head" -o "$T/page" "$FR_MANAGER/v1/jobs?type=c&limit=1000"
ok 'a page ends early when it gets large' test \
	"$(wc -c <"$T/page")" -lt 12000000 -a "$(wc -c <"$T/page")" -gt 8000000
is 'and links to the next' "$(grep -c '^Link' "$T/head")" 1
done_testing
