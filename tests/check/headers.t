#!/bin/sh
# SPDX-License-Identifier: MIT
# Each header compiles alone, and says what each of its functions does.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
cd "$ROOT" || exit 99
build=${FR_BUILD:-$ROOT/build}
flags="-std=c17 -D_GNU_SOURCE -Ilib -I. -I$build/gen
$(pkg-config --cflags libpq 2>/dev/null)"

for h in $(find lib backends cmd -name '*.h' | sort); do
	# shellcheck disable=SC2086 # several flags
	printf '#include "%s"\nextern int unused;\n' "$h" |
		cc $flags -Wall -Werror -fsyntax-only -x c - 2>"$T/err" ||
		echo "$h: $(grep -m 1 error "$T/err")"
done >"$T/alone"
is 'each header compiles alone' "$(cat "$T/alone")" ''

for h in $(find lib backends cmd -name '*.h' | sort); do
	grep -q '^#ifndef FR_[A-Z0-9_]*_H$' "$h" || echo "$h"
done >"$T/guard"
is 'each header is guarded' "$(cat "$T/guard")" ''

# By paragraphs: one with prototypes has a comment in it or just before it. What
# fini and its like do is the same everywhere.
# shellcheck disable=SC2016 # awk's
find lib backends -name '*.h' | sort | xargs awk -v RS= '
	FNR == 1 { said = 0 }
	/(^|\n)[a-zA-Z][^{};=#]*\([^{};]*\)[^{};]*;/ && !/\/\*/ && !said &&
	    !/typedef|_(init|fini|free|close)\(/ { sub(/\n.*/, ""); print FILENAME ": " $0 }
	{ said = /\*\/[ \t]*$/ }' >"$T/mute"
is 'each prototype of a library has a comment' "$(cat "$T/mute")" ''
done_testing
