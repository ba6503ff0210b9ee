#!/bin/sh
# SPDX-License-Identifier: MIT
# Every fuzz target passes its corpus, whole and cut off behind every byte.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
build=${FR_BUILD:-$ROOT/build}

for file in "$ROOT"/tests/fuzz/*.c; do
	name=${file##*/} name=${name%.c}
	ok "$name" "$build/tests/fuzz/$name" "$ROOT/tests/fuzz/corpus/$name"
done
done_testing
