#!/bin/sh
# SPDX-License-Identifier: MIT
# fr-ctl asks for what it was told, does all of it, and exits with the worst.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"
plan 42

id=01a20ccc-af22-72c0-a42e-e6e1580ed242
# asks NAME METHOD PATH ARG...
asks() {
	name=$1 want="0 $2 $3"
	shift 3
	standin 'json:{}'
	run fr-ctl "$@"
	is "$name" "$STATUS $(request 1 method) $(request 1 path)" "$want"
}
asks 'cancel' POST "/v1/jobs/$id/cancel" cancel $id
asks 'retry' POST "/v1/jobs/$id/retry" retry $id
asks 'delete' DELETE "/v1/jobs/$id" delete $id
asks 'an id may be shortened' POST /v1/jobs/01a20ccc/cancel cancel 01a20ccc
asks 'pause' POST /v1/types/word_count/pause pause word_count
asks 'resume' POST /v1/types/word_count/resume resume word_count
types() { # what there is of the type seen: PAUSED QUEUED WORKERS
	printf 'json:{"seen":{"scheduled":0,"queued":%d,"complete":0,' "$2"
	printf '"paused":%s,"workers":%d}}' "$1" "$3"
}
standin 'json:{}' "$(types true 1 0)"
run fr-ctl pause seen
is 'it says nothing if all went well' "$(cat "$T/out" "$T/err")" ''
standin 'json:{}' "$(types true 0 1)"
run fr-ctl pause seen
is 'a worker is enough' "$(cat "$T/out" "$T/err")" ''
standin 'json:{}' "$(types true 1 1)"
exits 'a type that nobody has seen is paused' 0 fr-ctl pause sene
is 'but it is said' "$(cat "$T/out" "$T/err")" \
    'fr-ctl: pause sene: done, but there is no job and no worker of this type'
standin 'json:{}' "$(types true 0 0)"
run fr-ctl pause seen
like 'also the second time' "$(cat "$T/err")" '^fr-ctl: pause seen: done, but'
standin 'json:{}' "$(types false 1 1)"
run fr-ctl resume sene
like 'resume says it as well' "$(cat "$T/err")" '^fr-ctl: resume sene: done, but'
for what in 403 'json:[]'; do
	standin 'json:{}' "$what"
	run fr-ctl pause seen
	is "nothing is said of what is not known: $what" \
	    "$STATUS $(cat "$T/out" "$T/err")" '0 '
done

standin 'json:{"purged":5}'
run fr-ctl purge --state complete --state failed --older 1.5h
is 'purge asks for each state' "$(request 1 method) $(request 1 path)" \
    'POST /v1/purge?state=complete&older=5400.000&limit=20000'
is 'and prints how many went in all' "$STATUS $(requests) $(cat "$T/out")" \
    '0 2 10'
standin 'json:{"purged":20000}' 'json:{"purged":20000}' 'json:{"purged":7}'
run fr-ctl purge --state complete --older 0
is 'it asks again until nothing is left' \
    "$STATUS $(requests) $(cat "$T/out" "$T/err")" '0 3 40007'
standin 'json:{"purged":20000}' 507
run fr-ctl purge --state complete --older 0
is 'what went before a failure is told' "$STATUS $(cat "$T/out")" '74 20000'
standin 'json:{"n":5}'
exits 'an answer without a number is not believed' 74 \
    fr-ctl purge --state failed --older 0

standin '409:{"detail":"it is complete"}' 'json:{}' 404
exits 'one that fails does not stop the rest' 1 \
    fr-ctl cancel $id 01a20ccd 01a20cce
is 'all were asked for' "$(requests)" 3
is 'each failure names its id and the reason' "$(cat "$T/err")" \
    "fr-ctl: cancel $id: it is complete
fr-ctl: cancel 01a20cce: $FR_MANAGER: POST /v1/jobs/01a20cce/cancel: HTTP 404"
standin 'json:{}' 403 409
exits 'the exit status is that of the worst' 77 \
    fr-ctl cancel $id 01a20ccd 01a20cce
standin 'json:{}'
exits 'what is no id is bad data' 65 fr-ctl cancel ../x $id
is 'and never sent' "$(requests)" 1
exits 'what is no type is bad data' 65 fr-ctl pause a/b
printf '%s\n\n 01a20ccd \r\n' $id >"$T/in"
sed -i 's/^ //' "$T/in"
standin 'json:{}'
exits 'ids on stdin' 0 fr-ctl cancel - <"$T/in"
is 'one a line' "$(requests) $(request 2 path)" \
    '2 /v1/jobs/01a20ccd/cancel'
standin 'json:{"id":"x"}'
run fr-ctl --json cancel $id
is '--json prints the answer' "$(cat "$T/out")" '{"id":"x"}'
standin 503 ok
exits 'cancel may be sent twice' 0 fr-ctl cancel $id
standin close ok
exits 'delete may not: the second answer would be another' 69 \
    fr-ctl delete $id
stop "$STANDIN"
STANDIN=
exits 'no manager' 69 fr-ctl cancel $id 01a20ccd
is 'is said once' "$(wc -l <"$T/err" | tr -d ' ')" 1

exits 'no command is wrong usage' 64 fr-ctl
exits 'an unknown one, too' 64 fr-ctl stop $id
exits 'cancel needs an id' 64 fr-ctl cancel
exits 'purge needs an age' 64 fr-ctl purge --state failed
exits 'purge needs a state' 64 fr-ctl purge --older 7d
exits 'purge of what has not ended is wrong usage' 64 \
    fr-ctl purge --state running --older 7d
exits 'purge takes nothing else' 64 fr-ctl purge --state failed --older 7d x
exits '--state without purge' 64 fr-ctl cancel --state failed $id
exits 'a bad URL is wrong usage' 64 fr-ctl -m ftp://x cancel $id
