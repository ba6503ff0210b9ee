#!/bin/sh
# SPDX-License-Identifier: MIT
# The stores that need no server: the judge passes them, and one file has one
# manager.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 9

exits 'the judge passes the SQLite store' 0 fr-store-test "sqlite:$T/judged"
unlike 'it says nothing was left out but what one writer cannot show' \
	"$(grep -v -e 'one writer' -e 'not shared' -e 'own clock' "$T/out")" \
	SKIP
exits 'the judge passes the memory store' 0 fr-store-test memory:

manager
exits 'a second manager on the same file is refused' 74 \
	fr-manager --listen 127.0.0.1:0 --store "sqlite:$T/db"
like 'it is told who has the file' "$(cat "$T/err")" "in use by pid $MANAGER"
ok 'the first goes on' fr-submit ping '{}'
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$MANAGER/status")
case $FR_BUILD in
*/san-*) skip 'an idle manager takes less than 15 MiB' sanitizers ;;
*) ok 'an idle manager takes less than 15 MiB' test "$rss" -lt 15360 ;;
esac
stop "$MANAGER"
exits 'what is no database is refused' 74 fr-manager --listen 127.0.0.1:0 \
	--store "sqlite:$T/log"
like 'with advice' "$(cat "$T/err")" 'keep a copy'
