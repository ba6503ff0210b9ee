#!/bin/sh
# SPDX-License-Identifier: MIT
# Handlers that write files leave whole ones or none: when killed, when the
# disk is full.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 8

"$FR_PYTHON" -I "$ROOT/tests/handlers/server.py" >"$T/asked" 2>>"$T/log" &
PIDS="$PIDS $!"
url=$(await head -n 1 "$T/asked")

printf '{"origin":"%s/slow","destination":"%s"}' "$url" "$T/killed" >"$T/data"
"$HANDLERS/fetch" --allow-private <"$T/data" >>"$T/log" 2>&1 &
PID=$!
await grep -q /slow "$T/asked"
ok 'the download has begun' test -d "$T/killed"
kill -KILL "$PID"
wait "$PID" 2>/dev/null
is 'a killed fetch leaves nothing' "$(ls -A "$T/killed")" ''

if ! unshare -m true 2>/dev/null; then
	for what in fetch targz; do
		for i in 1 2 3; do
			skip "$what $i on a full disk" 'needs mounts of its own'
		done
	done
	exit 0
fi
mkdir "$T/small" "$T/tree"
head -c 200000 /dev/urandom >"$T/tree/random"
for what in fetch targz; do
	case $what in
	fetch) printf '{"origin":"%s/big","destination":"%s"}' "$url" \
	    "$T/small" ;;
	targz) printf '{"origin":"%s","destination":"%s"}' "$T/tree" \
	    "$T/small/x.tar.gz" ;;
	esac >"$T/data"
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m sh -c '
		mount -t tmpfs -o size=64k none "$T/small" || exit 99
		case $1 in fetch) set -- "$1" --allow-private ;; esac
		p=$1; shift; "$HANDLERS/$p" "$@" <"$T/data" >"$T/answer"
		echo $? >"$T/status"
		ls -A "$T/small" >"$T/left"' sh "$what" 2>"$T/err"
	is "$what: a full disk is to be tried again" "$(cat "$T/status")" 75
	like "$what: the error says so" "$(cat "$T/err")" 'No space left'
	is "$what: nothing is left" "$(cat "$T/left" "$T/answer")" ''
done
