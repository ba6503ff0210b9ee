#!/bin/sh
# SPDX-License-Identifier: MIT
# fr-submit --wait and fr-status --wait, with a real manager and worker.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 31

manager
worker echo=cat 'say=printf "two\nlines"' 'boom=echo it broke >&2; exit 65' \
    'slow=exec sleep 60' "gate=until [ -e $T/open ]; do sleep 0.02; done; echo 7"

run fr-submit --wait=60 echo '{"n":1e400,"n":0.10}'
is '--wait prints the result, token for token' \
    "$STATUS $(cat "$T/out")" '0 {"n":1e400,"n":0.10}'
run fr-submit --wait=60 say
is 'a text is a JSON string' "$(cat "$T/out")" '"two\nlines"'
run fr-submit --wait=60 --raw say
is '--raw prints it as it was' "$(cat "$T/out")" 'two
lines'
run fr-submit --wait=60 --raw echo a:=1
is '--raw leaves other JSON alone' "$(cat "$T/out")" '{"a":1}'
run fr-submit --wait=60 boom
is 'a failed job is exit 1' "$STATUS" 1
is 'and prints no result' "$(cat "$T/out")" ''
like 'but its error' "$(cat "$T/err")" '^fr-submit: job [0-9a-f-]{36} failed: it broke$'
run fr-submit --wait=0.2 slow
is 'a job that takes too long is exit 75' "$STATUS $(cat "$T/out")" '75 '
id=$(sed -n 's/.*fr-status --wait //p' "$T/err")
like 'and its id is told' "$id" '^[0-9a-f]{8}-[0-9a-f-]{27}$'
is 'it goes on' "$(field "$id" state)" running
ok 'it can be cancelled' fr-ctl cancel "${id%-*}"
exits 'a cancelled job is exit 1' 1 fr-status --wait=60 "$id"
is 'and said to be' "$(field "$id" state)" cancelled

# It waits through a manager's death.
fr-submit --wait=60 gate >"$T/gate" 2>>"$T/log" &
P=$!
PIDS="$PIDS $P"
fr_running() { fr-status --list --type gate --state running --json | json id; }
gate=$(await fr_running)
kill -KILL "$MANAGER"
: >"$T/open"
restart
wait "$P"
is 'a restarted manager still has the answer' "$? $(cat "$T/gate")" '0 7'
is 'fr-status has it, too' "$(fr-status --result "$gate")" 7

# Whoever stops to wait is told the id.
rm -f "$T/open"
fr-submit --wait gate >"$T/out" 2>"$T/err" &
P=$!
PIDS="$PIDS $P"
await fr_running >/dev/null
sig() { kill -TERM "$P" 2>/dev/null && grep 'fr-status --wait' "$T/err"; }
like 'a signal while it waits tells how to go on' "$(await sig)" \
    'job [0-9a-f-]{36} goes on; see fr-status --wait'
wait "$P"
is 'and ends it by that signal' $? 143
: >"$T/open"
id=$(sed -n 's/.*fr-status --wait //p' "$T/err")
exits 'which works' 0 fr-status --wait=60 "$id"
like 'and shows the job' "$(cat "$T/out")" '^result +7$'

# The same id, the same key.
id=01a20ccc-af22-72c0-a42e-e6e1580ed242
is 'an id that was chosen' "$(fr-submit --id $id nobody 1)" $id
is 'again is the same job' "$(fr-submit --id $id nobody 1)" $id
exits 'with other data it is refused' 1 fr-submit --id $id nobody 2
first=$(fr-submit --key k nobody)
is 'a key that is taken prints the id of the job that has it' \
    "$(fr-submit --key k nobody 2)" "$first"

# Why it waits.
like 'no worker' "$(fr-status $id)" '^waiting +.*no worker'
fr-ctl pause echo
id=$(fr-submit echo 1)
like 'a paused type' "$(fr-status "$id")" '^waiting +.*paused'
fr-ctl resume echo
exits 'goes on' 0 fr-status --wait=60 "$id"
id=$(fr-submit --delay 1h echo)
like 'its time' "$(fr-status "$id")" '^waiting +.*until 2'
is 'and it is scheduled' "$(field "$id" state)" scheduled

exits 'a job that is not there' 1 fr-status 01a20ccc-ffff-72c0-a42e-e6e1580ed242
exits 'a beginning that is not there' 1 fr-status ffff
exits 'one that fits several' 1 fr-status 0"$(echo "$id" | cut -c 2-4)"
