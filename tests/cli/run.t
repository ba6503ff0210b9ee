#!/bin/sh
# SPDX-License-Identifier: MIT
# fr-run: jobs from stdin, each printed when it has ended; no manager.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 46
export FR_MANAGER=http://127.0.0.1:1 # nobody is there, and nobody is asked

# jobs TEXT ARG...: what fr-run makes of the lines
jobs() {
	printf '%s\n' "$1" >"$T/in"
	shift
	run fr-run "$@" <"$T/in"
}
# of N PATH: of the N-th line of what was printed
of() { sed -n "$1p" "$T/out" | json "$2"; }
lines() { wc -l <"$T/out" | tr -d ' '; }

jobs '{"type":"echo","data":{"a":1e400,"a":0.10}}' echo=cat
is 'a job is run' "$STATUS $(lines)" '0 1'
is 'and printed as the API answers it' \
    "$(of 1 type) $(of 1 state) $(of 1 data) $(of 1 result)" \
    'echo complete {"a":1e400,"a":0.10} {"a":1e400,"a":0.10}'
is 'with its attempt' "$(of 1 attempt) $(of 1 max_attempts)" '1 3'
like 'and its times' "$(of 1 finished_at)" '^2[0-9]{3}-.*Z$'
is 'nothing else is said' "$(cat "$T/err")" ''

jobs '{"type":"ping"}' ping
is 'a built-in handler' "$STATUS $(of 1 result)" '0 {"ack":"PONG"}'
mkdir "$T/handlers"
printf '#!/bin/sh\nwc -c\n' >"$T/handlers/count"
printf 'count\n' >"$T/handlers/twice.chain"
chmod +x "$T/handlers/count"
jobs '{"type":"count","data":"abc"}' -H "$T/handlers"
is 'a directory of handlers' "$STATUS $(of 1 result)" '0 6'
jobs '{"type":"twice","data":1}' -H "$T/handlers"
is 'a chain' "$STATUS $(of 1 result)" '0 2'

jobs '{"type":"bad","max_attempts":1}
{"type":"echo","data":2}' echo=cat 'bad=echo broken >&2; exit 1'
is 'a job that fails makes it exit 1' "$STATUS $(lines)" '1 2'
is 'with its error' "$(grep bad "$T/out" | json error)" broken
is 'the others are run' "$(grep echo "$T/out" | json result)" 2
jobs '{"type":"final"}' 'final=exit 65'
is 'one that failed for good is not tried again' "$STATUS $(of 1 attempt)" \
    '1 1'
jobs '{"type":"once"}' "once=[ -e $T/tried ] || { : >$T/tried; exit 1; }"
is 'one that failed is tried again' \
    "$STATUS $(of 1 attempt) $(of 1 fail_count)" '0 2 1'
jobs '{"type":"gone"}
{"type":"gone"}' "gone=exec $T/no-such-program"
is 'one whose handler cannot be run fails' \
    "$STATUS $(lines) $(of 2 state)" '1 2 failed'
like 'and says why' "$(of 2 error)" 'cannot be run here'
jobs '{"type":"slow","timeout":0.2,"max_attempts":1}' slow='sleep 60'
like 'a timeout' "$STATUS $(of 1 error)" '^1 .*0.2 s'
jobs '{"type":"say"}' 'say=echo half >&3; echo 1'
is 'progress' "$(of 1 progress)" half

# Order and number.
seq 100 | sed 's/.*/{"type":"echo","data":&}/' >"$T/in"
run fr-run echo=cat <"$T/in"
is 'one at a time: first in, first out' \
    "$(sed 's/.*"data":\([0-9]*\).*/\1/' "$T/out" | cksum)" \
    "$(seq 100 | cksum)"
jobs '{"type":"echo","data":1}
{"type":"echo","data":2,"priority":1}' echo=cat
is 'a higher priority goes first' "$(of 1 data)" 2
jobs '{"type":"echo","data":1,"delay":0.3}
{"type":"echo","data":2}' echo=cat
is 'a delayed one later' "$(of 1 data) $(of 2 data)" '2 1'
jobs '{"type":"meet"}
{"type":"meet"}' -c 2 "meet=echo >>$T/met; until [ \$(wc -l <$T/met) = 2 ]; do sleep 0.01; done"
is 'two at a time' "$STATUS $(lines)" '0 2'
id=01a20ccc-af22-72c0-a42e-e6e1580ed242
jobs "{\"id\":\"$id\",\"type\":\"echo\",\"data\":1}
{\"type\":\"echo\",\"data\":2}
{\"id\":\"$id\",\"type\":\"echo\",\"data\":1}" echo=cat
is 'the same id again is the same job' \
    "$STATUS $(lines) $(grep -c "$id" "$T/out")" '0 2 1'
jobs "{\"id\":\"$id\",\"type\":\"echo\",\"data\":1}
{\"id\":\"$id\",\"type\":\"echo\",\"data\":2}
{\"type\":\"echo\",\"data\":3}" echo=cat
is 'with other data it is bad data' "$STATUS $(lines)" '65 1'
like 'and the line is told' "$(cat "$T/err")" '^fr-run: line 2: '

# A line at a time: what has ended is printed while more may come.
mkfifo "$T/slow"
fr-run echo=cat <"$T/slow" >"$T/live" 2>>"$T/log" &
P=$!
PIDS="$PIDS $P"
exec 9>"$T/slow"
echo '{"type":"echo","data":1}' >&9
await test -s "$T/live" >/dev/null
is 'an ended job is printed at once' "$(wc -l <"$T/live" | tr -d ' ')" 1
exec 9>&-
wait "$P"
is 'the end of the input is the end' $? 0

jobs '{"type":"echo"}
{"type":}
{"type":"echo"}' echo=cat
is 'a bad line ends it, after the jobs before it' "$STATUS $(lines)" '65 1'
like 'its number is told' "$(cat "$T/err")" '^fr-run: line 2: byte 9'
jobs '{"type":"other"}' echo=cat
is 'a type without a handler is bad data' "$STATUS" 65
like 'and named' "$(cat "$T/err")" 'line 1: type .other.'
jobs '' echo=cat
is 'no jobs are no failure' "$STATUS $(lines)" '0 0'

# What it started ends with it.
# begin: a job that has a child of its own; PID is fr-run
begin() {
	rm -f "$T/pids"
	echo '{"type":"nest"}' >"$T/in"
	fr-run "nest=sleep 61 & echo \$! \$\$ >$T/pids; sleep 62" \
	    <"$T/in" >"$T/live" 2>>"$T/log" &
	PID=$!
	PIDS="$PIDS $PID"
	pids=$(await cat "$T/pids")
}
none_alive() {
	for p in $pids; do
		[ "$(alive "$p")" = no ] || return 1
	done
}
begin
kill -TERM "$PID"
wait "$PID"
is 'SIGTERM ends it by that signal' $? 143
ok 'and its handlers with it' none_alive
like 'it says what has not ended' "$(cat "$T/log")" \
    'stopped: 1 jobs have not ended'
begin
kill -KILL "$PID"
wait "$PID" 2>/dev/null
ok 'killed with -9, too' until_ok none_alive
begin
child=$(pgrep -P "$PID" | head -n 1)
kill -KILL "$child"
wait "$PID" 2>/dev/null
ok 'also if only the half that works is' until_ok none_alive
is 'and no directory stays' "$(find "${TMPDIR:-/tmp}" -maxdepth 1 \
    -newer "$T/pids" -name 'fr-w*' -user "$(id -u)" -empty 2>/dev/null |
    grep -c "$child")" 0

# Nobody reads what it prints, much more than the pipe takes.
mkfifo "$T/unread"
exec 8<>"$T/unread"
{
	seq 1000 | sed 's/.*/{"type":"echo","data":"&"}/'
	echo '{"type":"slow","timeout":0.2,"max_attempts":1}'
} >"$T/in"
fr-run echo=: "slow=echo \$\$ >$T/slowpid; exec sleep 60" \
    <"$T/in" >"$T/unread" 2>"$T/err" &
PID=$!
PIDS="$PIDS $PID"
await cat "$T/slowpid" >"$T/out"
gone() { [ "$(alive "$(cat "$T/slowpid")")" = no ]; }
ok 'a reader that stalls holds up no timeout' until_ok gone
kill -TERM "$PID"
ok 'nor the end that SIGTERM asks for' fr_gone 5 "$PID"
wait "$PID"
is 'which is by that signal' $? 143
like 'and it says that not all was printed' "$(cat "$T/err")" 'not all jobs'
exec 8>&-

exits 'no handlers is wrong usage' 64 fr-run
exits 'a handler that is not there, too' 64 fr-run no-such-handler
exits 'and a variable that is not to be passed' 64 fr-run --env PATH echo=cat
exits 'a directory that cannot be made is an error' 74 \
    fr-run --workdir /proc/none echo=cat </dev/null
echo '{"type":"echo"}' >"$T/in"
fr-run echo=cat <"$T/in" >/dev/full 2>>"$T/log"
is 'a full disk is an I/O error' $? 74
