#!/bin/sh
# SPDX-License-Identifier: MIT
# fr-status --watch: what the terminal was is put back, whatever ends it.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 14

manager
worker "bad=printf 'a\\033[31m evil' >&2; exit 65"
fr-submit nobody >/dev/null
fr-submit "$(printf '%64s' '' | tr ' ' y)" >/dev/null
run fr-submit --wait=60 bad

watch() { # watch END: sets seen
	seen=$("$FR_PYTHON" -I "$ROOT/tests/cli/watch.py" "$1" \
	    env TERM=xterm fr-status --watch 2>>"$T/log")
}
has() { like "$1" "$seen" "^$2\$"; }

watch q
has 'it has a screen of its own' alternate=1
has 'with the types on it' types=1
has 'and their counts, beside a type with a long name' counts=1
has 'and the jobs, which cannot steer it' escaped=1
has 'keys come at once and unseen' raw=1
has 'a smaller window gets shorter lines' narrow=1
has 'q leaves the screen' left=1
has 'and puts the terminal back' restored=1
has 'and is success' status=0
watch SIGTERM
is 'SIGTERM puts all back, too' "$(printf '%s\n' "$seen" | tail -n 3)" \
    'left=1
restored=1
status=-15'
watch SIGINT
is 'and SIGINT' "$(printf '%s\n' "$seen" | tail -n 3)" \
    'left=1
restored=1
status=-2'
watch SIGHUP
like 'and SIGHUP' "$seen" '^restored=1$'
kill -KILL "$MANAGER"
watch q
has 'without a manager it says so and goes on' left=1
has 'until it is ended' status=0
