#!/bin/sh
# SPDX-License-Identifier: MIT
# Types, pausing, workers, purging, and why a job waits.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager --retry-base 1h
work() { post /v1/work "$1"; }
waiting() { api GET "/v1/jobs/$1" | json waiting; }

is 'no types yet' "$(api GET /v1/types)" '{}'
is 'no workers yet' "$(api GET /v1/workers)" '[]'
a=$(submit '{"type":"a"}')
b=$(submit '{"type":"a"}')
c=$(submit '{"type":"a"}')
is 'counts by state' "$(api GET /v1/types | json a)" \
	'{"scheduled":0,"queued":3,"running":0,"complete":0,"failed":0,"cancelled":0,"paused":false,"workers":0}'
is 'why it waits: nobody could do it' "$(waiting "$a")" 'no worker for type a'
api POST /v1/types/a/pause >/dev/null
work '{"worker":"w 1","host":"ä","pid":77,"types":["z","a"],"slots":1}' >/dev/null
api POST /v1/types/a/resume >/dev/null
is 'why it waits: it is the next' "$(waiting "$a")" 'queued: next of its type'
is 'why it waits: one is ahead' "$(waiting "$b")" 'queued: about 1 job ahead'
is 'why it waits: two are ahead' "$(waiting "$c")" 'queued: about 2 jobs ahead'
is 'a type is paused' "$(api POST /v1/types/a/pause | json paused) $(http)" \
	'true 200'
is 'it can be seen' "$(api GET /v1/types | json a.paused)" true
is 'why it waits: paused' "$(waiting "$a")" 'type a is paused'
is 'nothing goes out' "$(work '{"worker":"w 1","types":["a"],"slots":1}' |
	json jobs)" '[]'
restart
work '{"worker":"w 1","host":"ä","pid":77,"types":["z","a"],"slots":0}' >/dev/null
is 'it is still paused after a restart' "$(api GET /v1/types | json a.paused)" true
is 'pausing again is no error' "$(api POST /v1/types/a/pause >/dev/null
	http)" 200
is 'it goes on' "$(api POST /v1/types/a/resume | json paused)" false
is 'a type that nobody has seen can be paused' \
	"$(api POST /v1/types/new/pause >/dev/null; http)" 200
is 'what is no type cannot' "$(api POST '/v1/types/a%20b/pause' >/dev/null
	http)" 404

work '{"worker":"w 1","host":"ä","pid":77,"types":["z","a"],"slots":1,
	"concurrency":4}' >"$T/jobs"
l=$(json jobs.0.lease <"$T/jobs")
is 'a worker and what it does' "$(api GET /v1/workers | sed 's/"last_seen.*//')" \
	"[{\"id\":\"w 1\",\"host\":\"ä\",\"pid\":77,\"types\":[\"z\",\"a\"],\"slots\":1,\"concurrency\":4,\"current_jobs\":[{\"id\":\"$a\",\"type\":\"a\",\"attempt\":1}],"
is 'workers are counted' "$(api GET /v1/types | json a.workers)" 1
is 'also where there are no jobs' "$(api GET /v1/types | json z.workers)" 1
is 'a running job waits for nothing' "$(waiting "$a")" null
work "{\"worker\":\"w 1\",\"slots\":0,\"finished\":[{\"id\":\"$a\",
	\"lease\":\"$l\",\"state\":\"failed\",\"error\":\"oh\"}]}" >/dev/null
like 'why it waits: it has failed' "$(waiting "$a")" \
	'^retry after failure 1 of 3 at 20.*Z$'
is 'the error is kept' "$(field "$a" error)" oh
is 'the state is scheduled' "$(field "$a" state)" scheduled
work '{"worker":"w 1","slots":0,"leaving":true}' >/dev/null
is 'a worker that leaves is gone' "$(api GET /v1/workers)" '[]'

# Purging.
api POST "/v1/jobs/$b/cancel" >/dev/null
is 'nothing is that old' "$(api POST '/v1/purge?state=cancelled&older=1h')" \
	'{"purged":0}'
is 'of another state' "$(api POST '/v1/purge?state=failed&older=0')" \
	'{"purged":0}'
sleep 0.01
is 'what is old enough goes' \
	"$(api POST '/v1/purge?state=cancelled&older=0')" '{"purged":1}'
is 'for good' "$(api GET "/v1/jobs/$b" >/dev/null; http)" 404
for _ in 1 2 3; do
	b=$(submit '{"type":"gone"}')
	api POST "/v1/jobs/$b/cancel" >/dev/null
done
sleep 0.01
is 'no more than the limit' \
	"$(api POST '/v1/purge?state=cancelled&older=0&limit=2')" '{"purged":2}'
is 'and then the rest' \
	"$(api POST '/v1/purge?state=cancelled&older=0&limit=2')" '{"purged":1}'
for q in '' '?state=queued&older=0' '?state=x&older=0' '?state=failed' \
	'?older=1' '?state=failed&older=x' '?state=failed&older=-1' \
	'?state=failed&older=1&x=1' '?state=failed&older=1&limit=0'; do
	is "purge$q is refused" "$(api POST "/v1/purge$q" >/dev/null; http)" 422
done
done_testing
