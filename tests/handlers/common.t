#!/bin/sh
# SPDX-License-Identifier: MIT
# What all built-in handlers have in common, and ping.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 18

is 'ping answers' "$(echo '{"any":"data"}' | "$HANDLERS/ping")" \
    '{"ack":"PONG"}'
is 'ping needs no data' "$("$HANDLERS/ping" </dev/null)" '{"ack":"PONG"}'
for h in ping fetch targz key_map word_count; do
	like "$h --help says what it is for" "$("$HANDLERS/$h" --help)" \
	    "^usage: $h"
	like "$h --version" "$("$HANDLERS/$h" --version)" '[0-9]+\.[0-9]+'
	exits "$h: an unknown option is a mistake in use" 64 \
	    "$HANDLERS/$h" --nonsense
done
full() { echo '{"a":1}' | "$HANDLERS/key_map" a=b >/dev/full; }
exits 'a result that cannot be written is no success' 75 full
