#!/bin/sh
# SPDX-License-Identifier: MIT
# What fr-status shows of what a manager says, whatever stands in it.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"
plan 51

id=01a20ccc-af22-72c0-a42e-e6e1580ed242
# job STATE [RESULT [ERROR]]
job() {
	printf '{"id":"%s","type":"echo","state":"%s","data":{"n":1e400},' \
	    $id "$1"
	printf '"priority":3,"attempt":2,"max_attempts":3,"progress":"half",'
	printf '"fail_count":1,"result":%s,"error":%s,' "${2:-null}" "${3:-null}"
	printf '"log":"first\\nlast \\u001b[31m\\n","worker":"w1","key":"k",'
	[ "$1" != queued ] || printf '"waiting":"no worker for its type",'
	printf '"timeout":1.5,'
	printf '"created_at":"2026-01-01T00:00:00.000Z","run_at":null,'
	printf '"started_at":"2026-01-01T00:00:01.000Z",'
	printf '"finished_at":"2026-01-01T00:00:02.250Z"}'
}

standin "json:$(job queued)"
ok 'a job' fr-status $id
is 'is asked for by its id' "$(request 1 method) $(request 1 path)" \
    "GET /v1/jobs/$id"
out=$(cat "$T/out")
for want in "job +$id" 'type +echo' 'state +queued' \
    'waiting +no worker for its type' 'attempts +2, 1 of 3 failed' \
    'priority +3' 'key +k' 'timeout +1.500 s' \
    'created +2026-01-01T00:00:00.000Z  [0-9]+d ago' 'took +1.250 s' \
    'worker +w1' 'progress +"half"' 'data +\{"n":1e400\}' 'log +first'; do
	like "it has: $want" "$out" "^$want\$"
done
like 'its text cannot steer the terminal' "$out" '^ +last \\x1b\[31m$'
run fr-status --json $id
is '--json is what the manager said' "$(cat "$T/out")" "$(job queued)"
run fr-status --log $id
is '--log is the log as it was' "$(od -An -c "$T/out" | tr -d ' \n')" \
    'first\nlast033[31m\n'

big=$("$FR_PYTHON" -c 'print("\"" + "x" * 5000 + "\"")')
standin "json:$(job complete "$big")"
run fr-status $id
like 'a long result is cut, and its length told' "$(cat "$T/out")" \
    '^result +"x+ \.\.\. \(5002 bytes; --json shows all\)$'
run fr-status --result $id
is '--result is all of it' "$(cat "$T/out")" "$big"
run fr-status --result --raw $id
is '--raw without its quotes' "$(wc -c <"$T/out" | tr -d ' ')" 5001
standin "json:$(job failed null '"it broke\nbadly"')"
exits '--result of a failed job is exit 1' 1 fr-status --result $id
is 'and says its error' "$(cat "$T/out" "$T/err")" "fr-status: job $id failed: it broke
badly"

standin "json:$(job running)" "json:$(job complete 7)"
exits '--wait waits for its end' 0 fr-status --wait $id
is 'by asking to be told' "$(request 1 path)" "/v1/jobs/$id?wait=30.000"
standin "json:$(job failed)"
exits '--wait for a failed job is exit 1' 1 fr-status --wait $id
standin "json:$(job cancelled)"
exits '--wait for a cancelled one, too' 1 fr-status --wait $id
standin "json:$(job running)"
exits '--wait gives up when its time is over' 75 fr-status --wait=0.1 $id
like 'and says how it stands' "$(cat "$T/err")" "^fr-status: $id: running when"
standin 404 "json:$(job complete)"
exits 'a job that is not there is exit 1' 1 fr-status 01a20ccd $id
is 'the others are shown' "$(requests) $(grep -c '^job' "$T/out")" '2 1'
standin "json:$(job complete)"
exits 'what is no id is never sent' 65 fr-status /metrics
is 'never' "$(requests)" 0
standin 'json:{"id":7}'
exits 'what is no job is not believed' 74 fr-status $id

standin "json:[$(job queued),$(job failed null '"one\ntwo"')]"
run fr-status --list --state failed --type echo --limit 2 --after $id
is 'a list asks for what was told' "$(request 1 path)" \
    "/v1/jobs?limit=2&state=failed&type=echo&after=$id"
is 'and has one line for each' "$(tail -n +2 "$T/out" | sed 's/  */ /g; s/ [0-9]*d / AGE /')" \
    "$id queued 1/3 AGE echo no worker for its type
$id failed 1/3 AGE echo one"
run fr-status --list --json --limit 2
is '--json is one job a line' "$(cat "$T/out")" "$(job queued)
$(job failed null '"one\ntwo"')"

standin 'json:{"echo":{"queued":12,"complete":7,"paused":true}}' \
    'json:{"store":"SQLite"}' \
    'json:[{"id":"w1","host":"h","pid":12,"types":["a","b"],"slots":9,
	"concurrency":3,"current_jobs":[{},{},{},{},{}]},
	{"id":"w2","slots":9,"concurrency":3,"current_jobs":[{}]},
	{"id":"w3","slots":9,"current_jobs":[{},{}]}]'
run fr-status
like 'the overview has the backends' "$(cat "$T/out")" '^store: SQLite$'
like 'the types' "$(cat "$T/out")" '^echo +0 +12 +0 +7 .*paused$'
like 'and the workers: those jobs run that they have slots for' \
    "$(cat "$T/out")" '^w1 +h +12 +3 +2 +0 +a,b$'
like 'what is free is what does not run' "$(cat "$T/out")" '^w2 +0 +1 +0 +2$'
like 'or not known' "$(cat "$T/out")" '^w3 +0 +2 +0 +-$'

standin ok
exits 'a time behind --wait is no id' 64 fr-status --wait 5 $id
like 'but goes behind an equals sign' "$(cat "$T/err")" 'is written --wait=5$'
is 'nothing is asked for' "$(requests)" 0
exits '--raw without --result' 64 fr-status --raw $id
exits '--limit without a list' 64 fr-status --limit 5
standin "json:$(job queued)"
run fr-status --result $id
is 'a result that is not there is told' "$(cat "$T/err")" \
    "fr-status: job $id is queued"
exits '--watch needs a terminal' 64 fr-status --watch
exits '--list and --workers at once' 64 fr-status --list --workers
