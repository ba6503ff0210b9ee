#!/bin/sh
# SPDX-License-Identifier: MIT
# fr-status --follow with a real manager: what happens, as it happens.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 9

manager
worker echo=cat 'say=echo half >&3; echo 1' 'no=exit 65'
# follow FILE ARG...: begins to follow into FILE; sets PID
follow() {
	file=$1
	shift
	fr-status --follow "$@" >"$file" 2>>"$T/log" &
	PID=$!
	PIDS="$PIDS $PID"
}
# listens FILE TYPE: submits jobs; whether one was seen
listens() {
	fr-submit "$2" >/dev/null && sleep 0.05 && grep -q "\"$2\"" "$1"
}
# kinds FILE ID: the events of a job, in order
kinds() {
	grep -F "$2" "$1" | sed 's/.*"event":"\([a-z_]*\)".*/\1/' | tr '\n' ' '
}
has() { [ "$(kinds "$1" "$2")" = "$3 " ]; }

follow "$T/all"
until_ok listens "$T/all" probe
id=$(fr-submit echo 1)
ok 'a job is created, staged and complete' \
    until_ok has "$T/all" "$id" 'created staged complete'
id=$(fr-submit say)
ok 'and says how far it is' \
    until_ok has "$T/all" "$id" 'created staged progress complete'
id=$(fr-submit no)
ok 'or fails' until_ok has "$T/all" "$id" 'created staged failed'
is 'an event is one line of JSON' \
    "$(grep -F "$id" "$T/all" | tail -n 1 | json event)" failed

id=$(fr-submit --delay 1h later)
follow "$T/one" "${id%-*}"
other=$(fr-submit --delay 1h later)
fr-ctl cancel "$other"
# Nothing tells that a stream of one job has begun, so it is cancelled and run
# again until that is seen.
seen() {
	fr-ctl cancel "$id" && fr-ctl retry "$id" && sleep 0.05 &&
		grep -q '"event":"cancelled"' "$T/one"
}
ok 'one job can be followed' until_ok seen
is 'and nothing else is seen' "$(grep -vc "$id" "$T/one")" 0

restart
until_ok listens "$T/all" again
id=$(fr-submit echo 2)
ok 'after a restart it goes on' \
    until_ok has "$T/all" "$id" 'created staged complete'
is 'no event came twice' "$(grep -F "$id" "$T/all" | sort | uniq -d)" ''

# A number from another life of the manager, when nothing has happened since.
restart
curl -sN --noproxy '*' -H 'Last-Event-ID: 5' "$FR_MANAGER/v1/events" \
    >"$T/old" 2>>"$T/log" &
PIDS="$PIDS $!"
until_ok listens "$T/old" probe
is 'whoever was away too long is told' \
    "$(head -n 1 "$T/old")" ': some events are forgotten'
