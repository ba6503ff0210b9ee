#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch refuses addresses that are not public, however they are written.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 17

"$FR_PYTHON" -I "$ROOT/tests/handlers/server.py" >"$T/asked" 2>>"$T/log" &
PIDS="$PIDS $!"
url=$(await head -n 1 "$T/asked")
port=${url##*:}

fetch() {
	printf '{"origin":"%s","destination":"%s/d"}' "$1" "$T" |
		"$HANDLERS/fetch"
}
for host in 127.0.0.1 localhost 127.1 2130706433 0x7f000001 0177.0.0.1 \
	0.0.0.0 '[::1]' '[::]' '[::ffff:127.0.0.1]' '[::ffff:7f00:1]' \
	10.0.0.1 169.254.169.254 '[fe80::1]' '[fd00::1]'; do
	exits "$host is refused for good" 65 fetch "http://$host:$port/a.txt"
done
is 'the server was never asked' "$(sed 1d "$T/asked")" ''

# A public address that is really this machine, in a network of its own.
if ! unshare -n true 2>/dev/null || ! command -v ip >/dev/null; then
	skip 'a redirect to a private address is refused' 'needs a network of its own'
	exit 0
fi
# shellcheck disable=SC2016 # for the inner shell
redirect='
	ip link set lo up && ip addr add 8.8.8.8/32 dev lo || exit 1
	"$1" -I "$ROOT/tests/handlers/server.py" 8.8.8.8 >"$T/public" &
	server=$!
	"$1" -I "$ROOT/tests/handlers/server.py" >"$T/private" &
	private=$!
	trap "kill $server $private" EXIT
	until [ -s "$T/public" ] && [ -s "$T/private" ]; do sleep 0.05; done
	public=$(head -n 1 "$T/public") private=$(head -n 1 "$T/private")
	printf "{\"origin\":\"%s/a.txt\",\"destination\":\"%s/r\"}" \
	    "$public" "$T" | "$HANDLERS/fetch" || exit 2
	printf "{\"origin\":\"%s/to/%s/b.txt\",\"destination\":\"%s/r\"}" \
	    "$public" "$private" "$T" | "$HANDLERS/fetch"
	echo "exit $?"
	sed 1d "$T/private"'
export ROOT
is 'a redirect to a private address is refused' \
    "$(unshare -n sh -c "$redirect" sh "$FR_PYTHON" 2>>"$T/log")" \
    "{\"location\":[\"$T/r/a.txt\"]}
exit 65"
