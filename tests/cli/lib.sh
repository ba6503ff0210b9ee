# SPDX-License-Identifier: MIT
# Sourced by the tests of the clients. It adds a manager that misbehaves:
#   standin BEHAVIOUR...   see standin.py; sets FR_MANAGER
#   requests               how many it has had
#   request N PATH         of the N-th, counted from 1: method, path, body ...
# shellcheck shell=sh
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

standin() {
	[ -z "${STANDIN:-}" ] || stop "$STANDIN"
	: >"$T/requests"
	rm -f "$T/url"
	"$FR_PYTHON" "$ROOT/tests/cli/standin.py" "$T/requests" "$@" \
	    >"$T/url" 2>>"$T/log" </dev/null &
	STANDIN=$!
	PIDS="$PIDS $STANDIN"
	FR_MANAGER=$(await cat "$T/url") || bail 'no stand-in'
	export FR_MANAGER
}
requests() { wc -l <"$T/requests" | tr -d ' '; }
request() { sed -n "$1p" "$T/requests" | json "$2"; }
