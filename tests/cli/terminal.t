#!/bin/sh
# SPDX-License-Identifier: MIT
# What is different for whoever sits at a terminal.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"
plan 9

# at COLUMNS COMMAND: runs it on a terminal; sets seen, without what steers it.
unset NO_COLOR
at() {
	script -qec "stty cols $1; exec $2" /dev/null </dev/null >"$T/tty" \
	    2>>"$T/log"
	seen=$(tr '\r' '\n' <"$T/tty" | sed 's/\x1b\[[0-9;]*[A-Za-z]//g')
}
TERM=xterm
export TERM

standin 'json:{"purged":20000}' 'json:{"purged":7}'
at 80 'fr-ctl purge --state complete --older 0'
like 'a purge is seen to go on' "$seen" '^20000 jobs, [0-9]+/s$'
like 'and the sum is left' "$seen" '^20007$'
run fr-ctl purge --state complete --older 0
is 'elsewhere nothing is said of it' "$(cat "$T/err")" ''

printf '1\n2\n{\n' >"$T/in"
standin ok
at 80 "fr-submit --bulk echo <$T/in >$T/out"
like 'a bad line is told on a line of its own' "$seen" \
    '^fr-submit: line 3: byte 2: '

id=01a20ccc-af22-72c0-a42e-e6e1580ed242
long=$(printf '%200s' '' | tr ' ' x)
standin "json:{\"id\":\"$id\",\"type\":\"t\",\"state\":\"failed\",\"attempt\":1,\"max_attempts\":1,\"fail_count\":1,\"error\":\"$long\"}"
at 40 "fr-status $id"
like 'a long error is not cut' "$seen" "^error +$long\$"

manager
at 80 'fr-submit --wait=3 nobody'
like 'who waits is told why' "$seen" \
    '^fr-submit: job [0-9a-f-]{36} waits: no worker for type nobody$'
like 'until the time is over' "$seen" \
    '^fr-submit: job [0-9a-f-]{36}: queued when the time was over$'
run fr-submit --wait=0.1 nobody
unlike 'but no script is' "$(cat "$T/err")" ' waits: '
at 80 'fr-submit --wait=1 nobody'
unlike 'nor who waits for less' "$seen" ' waits: '
