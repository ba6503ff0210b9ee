#!/bin/sh
# SPDX-License-Identifier: MIT
# One job: reading, waiting, cancel, retry, remove, and ids cut short.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager
work() { post /v1/work "$1"; }
act() { # CALL: the status
	api POST "/v1/jobs/$1" >/dev/null
	http
}
I=0190dddd-0000-7000-8000-000000000001
submit "{\"type\":\"a\",\"id\":\"$I\"}" >/dev/null
submit '{"type":"a","id":"0190dddd-0000-7000-8000-000000000002"}' >/dev/null
submit '{"type":"a","id":"0190eeee-0000-7000-8000-000000000003"}' >/dev/null

is 'a job by its id' "$(api GET /v1/jobs/$I | json id)" $I
is 'in capitals' "$(api GET /v1/jobs/0190DDDD-0000-7000-8000-000000000001 |
	json id)" $I
is 'without hyphens' "$(api GET /v1/jobs/0190dddd000070008000000000000001 |
	json id)" $I
is 'by its beginning' "$(api GET /v1/jobs/0190ee | json id)" \
	0190eeee-0000-7000-8000-000000000003
is 'an ambiguous beginning' "$(api GET /v1/jobs/0190dddd >/dev/null; http)" 409
like 'says so' "$(detail)" 'several jobs'
is 'an unknown beginning' "$(api GET /v1/jobs/ffff >/dev/null; http)" 404
is 'an unknown id' "$(api GET \
	/v1/jobs/0190dddd-0000-7000-8000-000000000009 >/dev/null; http)" 404
is 'too short a beginning' "$(api GET /v1/jobs/019 >/dev/null; http)" 404
is 'what is no id' "$(api GET /v1/jobs/hello >/dev/null; http)" 404
is 'cancel by the beginning' "$(act 0190ee/cancel)" 200
is 'it is cancelled' "$(field 0190eeee state)" cancelled
is 'cancelling twice is no error' "$(act 0190ee/cancel)" 200
is 'and of which kind of problem it is' \
	"$(api GET /v1/jobs/0190dddd | json type)" ambiguous-id
is 'an ambiguous one is not cancelled' "$(act 0190dddd/cancel)" 409
is 'nor an unknown one' "$(act ffff/cancel)" 404

is 'a queued job cannot be retried' "$(act $I/retry)" 409
like 'the error says why' "$(detail)" queued
is 'nor removed' "$(api DELETE /v1/jobs/$I >/dev/null; http)" 409
is 'a cancelled one can be retried' "$(act 0190ee/retry)" 200
is 'and is queued again' "$(field 0190eeee state)" queued

# Waiting.
start curl -sS -o "$T/waited" "$FR_MANAGER/v1/jobs/$I?wait=300"
waits() { api GET /metrics | grep -q '^forerunner_engine_waiting 1$' && echo yes; }
await waits >/dev/null
is 'whoever waits has no answer yet' "$(cat "$T/waited" 2>/dev/null)" ''
work '{"worker":"w","types":["a"],"slots":1}' >"$T/jobs"
is 'the oldest goes out' "$(json jobs.0.id <"$T/jobs")" $I
is 'it is running' "$(field $I state)" running
is 'on that worker' "$(field $I worker)" w
is 'a running one cannot be removed' "$(api DELETE /v1/jobs/$I >/dev/null; http)" 409
work "{\"worker\":\"w\",\"slots\":0,\"finished\":[{\"id\":\"$I\",
	\"lease\":\"$(json jobs.0.lease <"$T/jobs")\",\"state\":\"complete\",
	\"result\":{\"n\": 1.0},\"log\":\"hello\"}]}" >/dev/null
wait "$PID"
is 'whoever waits gets the job when it has ended' \
	"$(json state <"$T/waited") $(json result <"$T/waited")" 'complete {"n":1.0}'
is 'its log' "$(field $I log)" hello
is 'a job that has ended is not waited for' \
	"$(api GET "/v1/jobs/$I?wait=300" | json state)" complete
is 'when the time is over the state is told' \
	"$(api GET '/v1/jobs/0190eeee?wait=0.1' | json state)" queued
is 'waiting for an unknown job' "$(api GET \
	'/v1/jobs/0190dddd-0000-7000-8000-000000000009?wait=5' >/dev/null; http)" 404
is 'a wait that is none' "$(api GET "/v1/jobs/$I?wait=x" >/dev/null; http)" 422
start curl -sS -o "$T/waited" "$FR_MANAGER/v1/jobs/0190eeee?wait=300"
await waits >/dev/null
act 0190eeee/cancel >/dev/null
wait "$PID"
is 'cancelling ends the wait' "$(json state <"$T/waited")" cancelled
start curl -sS -o "$T/waited" \
	"$FR_MANAGER/v1/jobs/0190dddd-0000-7000-8000-000000000002?wait=300"
await waits >/dev/null
stop "$PID"
nobody() { api GET /metrics | grep -q '^forerunner_engine_waiting 0$' && echo yes; }
is 'whoever goes away waits no more' "$(await nobody)" yes

is 'an ended one can be removed' "$(api DELETE /v1/jobs/$I >/dev/null; http)" 200
is 'then it is gone' "$(api GET /v1/jobs/$I >/dev/null; http)" 404
is 'and cannot be removed again' "$(api DELETE /v1/jobs/$I >/dev/null; http)" 404

# Cancel while it runs.
work '{"worker":"w","types":["a"],"slots":1}' >"$T/jobs"
r=$(json jobs.0.id <"$T/jobs") l=$(json jobs.0.lease <"$T/jobs")
is 'cancel a running one' "$(act "$r/cancel")" 200
is 'its worker is told to stop' "$(work "{\"worker\":\"w\",\"slots\":0,
	\"running\":[{\"id\":\"$r\",\"lease\":\"$l\"}]}" | json stop.0)" "$r"
is 'what it reports is refused' "$(work "{\"worker\":\"w\",\"slots\":0,
	\"finished\":[{\"id\":\"$r\",\"lease\":\"$l\",\"state\":\"complete\"}]}" |
	json refused.0)" "$r"
is 'and changes nothing' "$(field "$r" state)" cancelled
done_testing
