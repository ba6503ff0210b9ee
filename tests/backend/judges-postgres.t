#!/bin/sh
# SPDX-License-Identifier: MIT
# The store judge on a real Postgres.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"
[ -x "$(pg_bin)/postgres" ] || plan skip 'no postgres'
plan 2

postgres
exits 'the judge passes the Postgres store' 0 fr-store-test "$PG_URL"
unlike 'nothing is left out for want of a capability' \
	"$(cat "$T/out")" 'SKIP the store is'
