#!/bin/sh
# SPDX-License-Identifier: MIT
# What fr-backend(7), fr-queue(3), fr-store(3) and the judges' pages show works.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

page=$ROOT/man/fr-backend.7
# The session: the requests are answered as the page has it.
sed -n 's/^> //p' "$page" | sed 's/…//g' >"$T/requests"
sed -n 's/^< //p' "$page" | sed 's/…//g' >"$T/answers"
is 'the session has a greeting and more' \
    "$(grep -c '"call":' "$T/requests") $(grep -c . "$T/answers")" '3 3'
is 'it is answered as it is shown' \
    "$("$ROOT/share/examples/backends/queue.sh" <"$T/requests")" \
    "$(cat "$T/answers")"

# The commands that decide whether a backend is good; where a page has /tmp or a
# file of the reader's, ours.
cd "$ROOT" || exit 99
ok 'the example in C is compiled as the page says' sh -c \
    "cd '$T' && cp '$ROOT/share/examples/backends/queue.c' . &&
	export CPATH='$ROOT/lib' && $(grep '^cc .*queue.c' "$page")"
cp "$T/queue.so" "$T/my-queue.so"
cp "$FR_BUILD/tests/bad/bad-store.so" "$T/my-store.so"
# A page's commands, one a line.
commands() {
	sed -n -e 's/^\.Dl \(\$ \)\{0,1\}\(fr-[a-z]*-test .*\)/\2/p' -e t \
	    -e '/^fr-[a-z]*-test /p' "$1"
}
for doc in fr-backend.7 fr-queue.3 fr-store.3 fr-queue-test.1 fr-store-test.1; do
	mkdir "$T/$doc"
	commands "$ROOT/man/$doc" | sed -e "s,\([ :]\)/tmp/,\1$T/$doc/,g" \
	    -e "s, \./, $T/,g" -e 's/store.so:args/store.so:none/' \
	    -e 's/--order random \(.*queue.so:\)/\1/' >"$T/commands"
	isnt "$doc shows commands" "$(cat "$T/commands")" ''
	while read -r command; do
		ok "$doc: $command" sh -c "$command"
	done <"$T/commands"
done

# fr-api(7) is what the manager knows.
fr-manager --dump-routes | sort >"$T/routes"
sed -n 's/^\.It Li \([A-Z]* .*\) Bq \(.*\)/\1 \2/p' "$ROOT/man/fr-api.7" |
	sort >"$T/told"
is 'fr-api(7) has every call and the role for it' "$(cat "$T/told")" \
    "$(cat "$T/routes")"
done_testing
