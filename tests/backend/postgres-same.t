#!/bin/sh
# SPDX-License-Identifier: MIT
# Postgres says of random calls what the memory store does: tests/sim/stores.c.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"
[ -x "$(pg_bin)/postgres" ] || plan skip 'no postgres'

plan 1
postgres
ok 'Postgres and memory say the same' "$FR_BUILD/tests/sim/stores" \
	memory:%llu "$PG_URL&schema=s%llu" "${STORES_FIRST:-1}" \
	"${STORES_DAYS:-$((30 / FR_TEST_SLOW))}"
