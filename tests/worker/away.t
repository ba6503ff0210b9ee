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
is 'the worker takes jobs again' "$(fr-submit --wait=10 h 2)" '"ended"'

rm -f "$T/go" "$T/began"
id=$(fr-submit h 3)
await cat "$T/began" >/dev/null
restart
renewed() { grep -q 'again connected' "$T/log"; }
until_ok renewed
sleep 2.5 # longer than the lease
is 'a running one is renewed when the manager is back' "$(field "$id" state)" running
touch "$T/go"
fr-status --wait "$id" >/dev/null
is 'and counts' "$(field "$id" result) $(field "$id" attempt)" 'ended 1'
stop "$WORKER"

# Of several managers the one that answers is used.
worker -m "http://127.0.0.1:9,$FR_MANAGER" "$H"
is 'the next of the list is tried' "$(fr-submit --wait=10 h 4)" '"ended"'
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
is '--exclusive does not hinder' "$(fr-submit --wait=10 h 4)" '"ended"'
sleep 2.5 # longer than the lease
is 'also after a while' "$(fr-submit --wait=10 h 4)" '"ended"'
stop "$WORKER"
rm -f "$T/go" "$T/began"
worker --exclusive "h=echo \$\$ >>$T/began; exec sleep 60"
id=$(fr-submit h 5)
await cat "$T/began" >/dev/null
pid=$(cat "$T/began")
kill -STOP "$MANAGER"
t0=$(date +%s%3N)
fr_gone $((3 * FR_TEST_SLOW)) "$pid"
t1=$(date +%s%3N)
is '--exclusive ends a handler whose lease is not renewed' "$(alive "$pid")" no
ok "before the lease has ended ($((t1 - t0)) ms)" test $((t1 - t0)) -lt 2000
kill -CONT "$MANAGER"
done_testing
