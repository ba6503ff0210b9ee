#!/bin/sh
# SPDX-License-Identifier: MIT
# Three managers on one Postgres and one Redis: any of them takes any request.
# Their sweeps are a minute apart, so what works within seconds works by news.
# shellcheck source=tests/several/lib.sh
. "${0%/*}/lib.sh"

# shellcheck disable=SC2016 # for the handlers' shell
progressive='step=echo half >&3; cat' \
    flaky='flaky=[ "$FR_JOB_ATTEMPT" -gt 1 ] || exit 65; cat'
slots() { [ "$(at "$1" fr-status --workers --json | json 0.slots)" = "$2" ]; }
paused() { [ "$(at "$1" api GET /v1/types | json echo.paused)" = true ]; }

postgres
redis
several 3 --sweep 60s --lease 30

# What was submitted at one runs on a worker that waits at another, and whoever
# waits at a third one hears of its end.
start env FR_MANAGER="$URL_2" fr-worker -c 2 echo=cat \
    "slow=echo \$\$ >$T/slow; exec sleep 60" \
    "$progressive" "$flaky"
worker2=$PID
until_ok slots 2 2
is 'another manager knows the worker' \
    "$(await at 1 fr-status --workers --json | json 0.pid)" "$worker2"
is 'and counts it for its types' \
    "$(at 3 api GET /v1/types | json echo.workers)" 1
t0=$(ms)
is 'a result comes from a worker at another manager' \
    "$(at 1 fr-submit --wait=60 echo '{"n":1}')" '{"n":1}'
quick 'at once' 5000 "$t0"
start env FR_MANAGER="$URL_2" fr-status --follow
follow=$PID
id=$(at 1 fr-submit --delay 1h slow)
(
	at 3 api GET "/v1/jobs/$id?wait=20" >"$T/waited"
	ms >"$T/waited.at"
) &
PIDS="$PIDS $!"
is 'one that is delayed is seen everywhere' "$(at 3 field "$id" state)" \
    scheduled
at 2 fr-ctl cancel "$id" >/dev/null
t0=$(ms)
is 'cancelled is cancelled everywhere' "$(at 1 field "$id" state)" cancelled
until_ok test -s "$T/waited.at"
quick 'who waits at a third manager hears of it at once' 5000 "$t0"
is 'with the truth' "$(json state <"$T/waited")" cancelled

# A running job, cancelled elsewhere.
id=$(at 1 fr-submit slow)
until_ok test -s "$T/slow"
pid=$(cat "$T/slow")
like 'a running one names its worker through any manager' \
    "$(at 3 fr-status --json "$id" | json state)" running
t0=$(ms)
at 3 fr-ctl cancel "$id" >/dev/null
gone() { [ "$(alive "$pid")" = no ]; }
until_ok gone
quick 'a cancel reaches the worker at another manager at once' 5000 "$t0"

# Pause and resume.
at 1 fr-ctl pause echo >/dev/null
until_ok paused 2
id=$(at 3 fr-submit echo 1)
like 'a pause is the reason for the wait everywhere' \
    "$(at 2 field "$id" waiting)" paused
is 'and it waits' "$(at 3 field "$id" state)" queued
t0=$(ms)
at 3 fr-ctl resume echo >/dev/null
is 'resumed at a third manager it runs' \
    "$(at 1 fr-status --wait=60 --json "$id" | json state)" complete
quick 'at once' 5000 "$t0"
like 'a type without a worker says so everywhere' \
    "$(at 3 field "$(at 1 fr-submit nobody)" waiting)" 'no worker'

# Retry.
id=$(at 1 fr-submit flaky 5)
at 3 fr-status --wait=60 "$id" >/dev/null 2>&1
is 'it fails for good' "$(at 1 field "$id" state)" failed
t0=$(ms)
at 3 fr-ctl retry "$id" >/dev/null
is 'retry at one runs it at the other' \
    "$(at 1 fr-status --wait=60 --json "$id" | json result)" 5
quick 'at once' 5000 "$t0"

# What the stream said at manager 2.
id=$(at 1 fr-submit step 7)
at 3 fr-status --wait=60 "$id" >/dev/null
told() { grep "$id" "$T/log" | grep -q "\"$1\""; }
for e in created staged progress complete; do
	ok "the stream elsewhere tells $e" until_ok told "$e"
done
(
	at 3 curl -sNm 20 "$URL_3/v1/events?type=echo" >"$T/sse"
) &
sse=$!
PIDS="$PIDS $sse"
id=$(at 2 fr-submit echo 1)
streamed() {
	grep -q "$id" "$T/sse" || {
		id=$(at 2 fr-submit echo 1)
		false
	}
}
ok 'the stream of a third manager tells it, too' until_ok streamed

# Workers at all of them.
for m in 1 3; do
	start env "FR_MANAGER=$(eval "echo \$URL_$m")" fr-worker -c 1 "at$m=cat"
done
all() { [ "$(at "$1" fr-status --workers --json | grep -o '"pid"' | wc -l)" = 3 ]; }
for m in 1 2 3; do
	ok "manager $m shows the workers of all" until_ok all "$m"
done
kill "$follow"

# A batch of many, across all.
at 1 api GET /v1/types >/dev/null
seq 1 600 | at 1 fr-submit --bulk --quiet echo
seq 1 600 | at 3 fr-submit --bulk --quiet echo
empty() { [ "$(at 2 api GET /v1/types | json echo.queued)" = 0 ] &&
	[ "$(at 2 api GET /v1/types | json echo.running)" = 0 ]; }
fr_slow=$FR_TEST_SLOW
FR_TEST_SLOW=$((fr_slow * 6)) # each job is a process
ok 'batches from two managers are done' until_ok empty
FR_TEST_SLOW=$fr_slow
is 'and none has failed' \
    "$(sql "SELECT count(*) FROM forerunner.jobs WHERE type = 'echo' AND (fail_count > 0 OR state <> 3)")" 0
purge() { at "$1" fr-ctl purge --state complete --older 0 >"$T/purged.$1" 2>&1; }
before=$(sql "SELECT count(*) FROM forerunner.jobs")
purge 1 & a=$!
purge 2 & b=$!
purge 3 & c=$!
wait $a; sa=$?
wait $b; sb=$?
wait $c; sc=$?
is 'three purges at a time do not collide' "$sa$sb$sc" 000
left=$(sql "SELECT count(*) FROM forerunner.jobs")
sum_of=$(awk '{ n += $1 } END { print n }' "$T"/purged.?)
is 'and count each job once' "$sum_of" $((before - left))
done_testing
