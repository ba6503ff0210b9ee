#!/bin/sh
# SPDX-License-Identifier: MIT
# Many jobs at a real manager: all of them once, in order, whatever happens.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 17

manager
seq 30000 >"$T/in"
run fr-submit --bulk nobody <"$T/in"
is 'every line gets its id' "$STATUS $(sort -u "$T/out" | wc -l | tr -d ' ')" \
    '0 30000'
count() { fr-status --json | json "types.$1.$2"; }
is 'and is a job' "$(count nobody queued)" 30000
is 'a line and an id belong together' \
    "$(field "$(sed -n 12345p "$T/out")" data)" 12345

# Killed half-way: fr-submit sends again what was not acknowledged.
mkfifo "$T/pipe"
fr-submit --bulk later <"$T/pipe" >"$T/ids" 2>>"$T/log" &
P=$!
PIDS="$PIDS $P"
exec 9>"$T/pipe"
seq 25000 >&9
await test -s "$T/ids" >/dev/null
kill -KILL "$MANAGER"
seq 25001 50000 >&9 &
Q=$!
restart 9>&-
wait "$Q"
exec 9>&-
wait "$P"
is 'a manager killed half-way is waited for' $? 0
is 'all lines have ids' "$(sort -u "$T/ids" | wc -l | tr -d ' ')" 50000
is 'and each is one job' "$(count later queued)" 50000

# Queued in order.
seq 500 | fr-submit --bulk --quiet inorder
worker -c 1 "inorder=cat >>$T/order"
done_500() { [ "$(count inorder complete)" = 500 ]; }
ok 'they are run' until_ok done_500
is 'in the order of the lines' "$(cksum <"$T/order")" "$(seq 500 | cksum)"

# What the manager refuses, and this end could not know.
stop "$MANAGER"
restart --max-data 100 >/dev/null 2>&1
is 'a manager with a smaller limit' $? 0
{
	echo '"short"'
	"$FR_PYTHON" -c 'print("\"" + "x" * 200 + "\"")'
	echo '"never sent"'
} >"$T/in"
exits 'a line that is too long for the manager is bad data' 65 \
    fr-submit --bulk tooBig <"$T/in"
like 'its number is told' "$(cat "$T/err")" '^fr-submit: line 2: '
is 'the line before it is accepted' "$(wc -l <"$T/out" | tr -d ' ')" 1
is 'and no other' "$(count tooBig queued)" 1

# Lists and purges.
is 'a list is as long as was asked for' \
    "$(fr-status --list --limit 1500 --json | wc -l | tr -d ' ')" 1500
is 'no job twice' "$(fr-status --list --limit 0 --type inorder --json |
	sed 's/^{"id":"\([^"]*\)".*/\1/' | sort -u | wc -l | tr -d ' ')" 500
is 'ended jobs can be purged' \
    "$(fr-ctl purge --state complete --older 0)" 500
is 'and are gone' "$(fr-status --list --state complete)" ''
