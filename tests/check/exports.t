#!/bin/sh
# SPDX-License-Identifier: MIT
# What libraries show to the linker, and what they never use.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
build=${FR_BUILD:-$ROOT/build}
cd "$build" || exit 99

# Names of the sanitizers begin with two underscores.
is 'every symbol begins with fr_' \
    "$(nm -g --defined-only libfr.a libbackends.a |
	awk 'NF == 3 && $3 !~ /^(fr_|__)/ { print $3 }')" ''

find lib -name '*.o' ! -path 'lib/cli/*' | sort | while read -r o; do
	nm -u "$o" | awk -v o="$o" '$2 ~ /^(exit|getenv|secure_getenv|stdin|\
stdout|stderr|printf|__printf_chk|puts|putchar|perror|err|errx|warn|warnx)$/ {
		print o ": " $2 }'
done >"$T/used"
is 'only lib/cli prints, exits or reads the environment' "$(cat "$T/used")" ''

for p in fr-submit fr-status fr-ctl fr-worker; do
	[ -x "bin/$p" ] && nm "bin/$p" 2>/dev/null |
		grep -E ' [TDR] fr_(store|queue)_(sqlite|redis|postgres|memory)'
done >"$T/linked"
is 'programs without a store link no backend' "$(cat "$T/linked")" ''
done_testing
