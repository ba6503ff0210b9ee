#!/bin/sh
# SPDX-License-Identifier: MIT
# A manager that goes away: handlers go on, and what they finished is
# delivered when it is back, or to another one.
# shellcheck disable=SC2016 # much of this is for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

manager --lease 2
H="h=echo \$\$ >>$T/began; while [ ! -e $T/go ]; do sleep 0.02; done; echo ended"
worker "$H"
id=$(fr-submit h 1)
await cat "$T/began" >/dev/null
kill -KILL "$MANAGER"
wait "$MANAGER" 2>/dev/null
touch "$T/go"
# It must have ended while nobody was there.
fr_gone 10 "$(cat "$T/began")"
restart
fr-status --wait "$id" >/dev/null
is 'what was finished meanwhile is delivered' "$(field "$id" result)" ended
is 'and ran once' "$(wc -l <"$T/began")" 1
is 'in its first attempt' "$(field "$id" attempt)" 1
is 'the worker takes jobs again' "$(fr-submit --wait=60 h 2)" '"ended"'

rm -f "$T/go" "$T/began"
id=$(fr-submit h 3)
await cat "$T/began" >/dev/null
restart
renewed() { grep -q 'again connected' "$T/log"; }
until_ok renewed
# renewed_to MS: its lease in the store ends behind that.
lease_end() {
	sqlite3 -cmd '.timeout 5000' "$T/db" 'SELECT max(until_ms) FROM ran WHERE state = 2'
}
renewed_to() { [ "$(lease_end)" -gt "$1" ]; }
ok 'its lease is longer than when it was given' \
    until_ok renewed_to $(($(lease_end) + 2000))
is 'a running one is renewed when the manager is back' "$(field "$id" state)" running
touch "$T/go"
fr-status --wait "$id" >/dev/null
is 'and counts' "$(field "$id" result) $(field "$id" attempt)" 'ended 1'
stop "$WORKER"

# Of several managers the one that answers is used.
worker -m "http://127.0.0.1:9,$FR_MANAGER" "$H"
is 'the next of the list is tried' "$(fr-submit --wait=60 h 4)" '"ended"'
stop "$WORKER"

# However long it would wait for a job.
connections() { grep -c 'fr-worker: connected to' "$T/log"; }
before=$(connections)
worker --wait 5m nobody=cat
one_more() { [ "$(connections)" -gt "$before" ]; }
until_ok one_more
ok 'an idle worker says at once that it is connected' one_more
stop "$WORKER"

# --exclusive: it ends before the lease does.
worker --exclusive 'h=sleep 1; echo ended'
is '--exclusive does not hinder' "$(fr-submit --wait=60 h 4)" '"ended"'
sleep 2.5 # longer than the lease
is 'also after a while' "$(fr-submit --wait=60 h 4)" '"ended"'
stop "$WORKER"
worker --exclusive "h=echo \$\$ >>$T/began; exec sleep 600"
unrenewed() { # TOOK: until the handler is gone
	rm -f "$T/began"
	id=$(fr-submit h 5)
	pid=$(await cat "$T/began")
	kill -STOP "$MANAGER"
	fr_t0=$(date +%s%3N)
	fr_gone 30 "$pid"
	TOOK=$(($(date +%s%3N) - fr_t0))
	kill -CONT "$MANAGER"
	fr-ctl cancel "$id" >/dev/null
}
soon '--exclusive ends a handler whose lease is not renewed before it ends' \
    2000 unrenewed
is 'it is gone' "$(alive "$pid")" no
done_testing
