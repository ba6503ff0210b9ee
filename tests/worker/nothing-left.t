#!/bin/sh
# SPDX-License-Identifier: MIT
# Whatever a handler started is gone when its attempt is over.
# shellcheck disable=SC2016 # much of this is for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

left() { # left NAME COMMAND: it writes pids to $T/pids
	rm -f "$T/pids"
	echo 1 | fr-worker --run h "h=$2" >"$T/out" 2>>"$T/log"
	is "$1: the result counts" "$(cat "$T/out")" '"done"'
	n=0
	# shellcheck disable=SC2013 # one a line
	for p in $(cat "$T/pids"); do
		[ "$(alive "$p")" = no ] || n=$((n + 1))
	done
	is "$1: gone" "$n" 0
}
P=$T/pids
left 'a child in the background' "sleep 60 & echo \$! >$P; echo done"
left 'one that holds the pipes' "sleep 60 3>&1 & echo \$! >$P; echo done"
left 'one that ignores SIGTERM' \
    "sh -c 'trap \"\" TERM HUP INT; sleep 60; sleep 60' & echo \$! >$P; echo done"
left 'one in a session of its own' \
    "setsid sh -c 'echo \$\$ >>$P; exec sleep 60' & while [ ! -s $P ]; do sleep 0.01; done; echo done"
left 'a daemon: forked twice, everything closed' \
    "(setsid sh -c 'echo \$\$ >>$P; exec sleep 60' </dev/null >/dev/null 2>&1 3>&- &); while [ ! -s $P ]; do sleep 0.01; done; echo done"
left 'one with a cleared environment as well' \
    "(setsid env -i PATH=/usr/bin:/bin sh -c 'cd /; echo \$\$ >>$P; exec sleep 60' </dev/null >/dev/null 2>&1 3>&- &); while [ ! -s $P ]; do sleep 0.01; done; echo done"
left 'a whole tree' \
    "setsid sh -c 'for i in 1 2 3; do setsid sh -c \"echo \\\$\\\$ >>$P; sleep 60 & echo \\\$! >>$P; wait\" & done; echo \$\$ >>$P; wait' & while [ ! -s $P ] || [ \$(wc -l <$P) -lt 7 ]; do sleep 0.01; done; echo done"
cat >"$T/forker" <<'EOF'
import os, sys, time
# A chain of forks, each ending its parent, that goes on while we look.
for i in range(200):
    if os.fork():
        os._exit(0)
    os.setsid()
    time.sleep(0.001)
time.sleep(60)
EOF
echo 1 | fr-worker --run h "h=$FR_PYTHON $T/forker & sleep 0.1; echo done" >"$T/out" 2>>"$T/log"
is 'a process that flees by forking is caught' \
    "$(pgrep -f "$T/forker" | wc -l)" 0

# A worker's handlers are its own: another's end in the same way at the same
# time, and a worker inside a handler has its own ones, too.
for i in 1 2; do
	echo 1 | fr-worker --run h "h=echo \$\$ >$T/both$i; sleep 0.5; echo done" \
	    >"$T/out$i" 2>>"$T/log" &
	eval "w$i=\$!"
done
until_ok test -s "$T/both1" -a -s "$T/both2"
# shellcheck disable=SC2154 # set by eval
kill -TERM "$w1"
wait "$w1"
is 'a worker that is told to stop does' "$(alive "$(cat "$T/both1")")" no
# shellcheck disable=SC2154
wait "$w2"
is 'another one is not touched' "$(cat "$T/out2")" '"done"'
is 'a worker in a handler works' \
    "$(echo 1 | fr-worker --run h "h=fr-worker --run h 'h=sleep 60 & echo inner' </dev/null" 2>>"$T/log")" \
    '"inner"'

# Nor are those its own that the shell had which became the worker.
guest() { # guest COMMAND...: in the place of a shell with a child
	rm -f "$T/guest"
	sh -c 'sleep 74 & echo $! >"$1"; shift; exec "$@"' sh "$T/guest" "$@" \
	    </dev/null >"$T/out" 2>>"$T/log"
	p=$(cat "$T/guest")
	PIDS="$PIDS $p"
}
guest fr-worker --run h 'h=sleep 75 & echo done'
is 'a child from before the worker is not touched' "$(alive "$p")" yes
guest fr-run h=cat
is 'nor by fr-run' "$(alive "$p")" yes
stop

# With others at work, each loses only its own.
manager
worker -c 3 "quick=(setsid env -i sleep 71.$$ </dev/null >/dev/null 2>&1 3>&- &); sleep 0.05; echo quick" \
    "slow=(setsid env -i /bin/sh -c 'echo \$\$ >$T/slow; exec sleep 72' </dev/null >/dev/null 2>&1 3>&- &); while [ ! -e $T/go ]; do sleep 0.02; done"
slow=$(fr-submit slow 1)
await cat "$T/slow" >"$T/slowpid"
for i in 1 2 3 4 5; do fr-submit --wait=60 quick "$i" >/dev/null; done
is 'those of attempts that ended are gone' "$(pgrep -fx "sleep 71.$$" | wc -l)" 0
is 'those of one that runs are not' "$(alive "$(cat "$T/slowpid")")" yes
touch "$T/go"
fr-submit --wait=60 quick 6 >/dev/null
fr-status --wait "$slow" >/dev/null
is 'until it ends' "$(alive "$(cat "$T/slowpid")")" no
done_testing
