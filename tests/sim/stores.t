#!/bin/sh
# SPDX-License-Identifier: MIT
# Two stores get the same random calls on seeds, and say the same: those of
# fr/store.h in batches that name jobs more than once, some rolled back.
# STORES_FIRST, STORES_DAYS: which seeds, and how many.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

plan 1
ok 'SQLite and memory say the same' "$FR_BUILD/tests/sim/stores" memory:%llu \
	"sqlite:$T/%llu.db" "${STORES_FIRST:-1}" \
	"${STORES_DAYS:-$((60 / FR_TEST_SLOW))}"
