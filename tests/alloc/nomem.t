#!/bin/sh
# SPDX-License-Identifier: MIT
# No allocation that fails does harm: whatever asked for it says so, keeps
# what it had, and frees the rest.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
build=${FR_BUILD:-$ROOT/build}

for file in "$ROOT"/tests/alloc/*.c; do
	name=${file##*/} name=${name%.c}
	ok "$name" "$build/tests/alloc/$name"
	[ "$STATUS" = 0 ] || diag "$(grep '^#' "$T/err")"
done
done_testing
