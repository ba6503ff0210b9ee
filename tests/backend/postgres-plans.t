#!/bin/sh
# SPDX-License-Identifier: MIT
# Statements that were planned for an empty table still are good when it has
# grown: the plans are kept, and nobody analyzes the table in between.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"

# reads: how many index entries were read so far, by all sessions that ended.
reads() { sql "SELECT coalesce(sum(idx_tup_read), 0) +
	(SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables
	WHERE relname IN ('jobs', 'leases', 'ends')) FROM pg_stat_user_indexes
	WHERE relname IN ('jobs', 'leases', 'ends')"; }
# sweep NAME: what the manager's sweeps ask for, and pages of a list by states.
sweep() {
	for fr_call in running 'expired 50' due 'purge 50' 'promote 50' 'list 1' \
		'list 2' 'list 4' 'list 8' 'list 63' 'list 2 rare' \
		'list 8 rare' 'list 63 rare' 'list 63 many' 'list 2 none'; do
		drive "$1" "$fr_call" | cut -d' ' -f2
	done | tr '\n' ' '
}

postgres
driver a
drive a store "$PG_URL" >/dev/null
sql 'ALTER TABLE forerunner.jobs SET (autovacuum_enabled = off)' >/dev/null
is 'some are of a type that will be rare' "$(drive a type 3 rare) \
$(drive a put 20) $(drive a type 1000 many) $(drive a put 20) \
$(drive a type 1 t)" 'ok ok 20 new ok ok 20 new ok'
is 'all is planned while there is little' "$(drive a put 20) \
$(drive a repeat) $(drive a work 20)" 'ok 20 new ok 0 new ok 20 ended'
is 'some are due, and some run' "$(drive a later 20) $(drive a put 20) \
$(drive a lease 20)" 'ok 20 new ok 20 new ok 20 leased'
is 'what the sweeps ask for, too' "$(sweep a)" \
	'20 20 2 20 20 0 60 20 0 80 20 0 20 20 0 '
is 'then there is much' "$(drive a put 10000) $(drive a put 10000) \
$(drive a put 10000) $(drive a type 1000 many) $(drive a put 10000) \
$(drive a type 1 t)" 'ok 10000 new ok 10000 new ok 10000 new ok ok 10000 new ok'
gone() { test "$(alive "$1")" = no; }
# settled: reads, once it has stopped to change.
settled() {
	fr_was=
	fr_now=$(reads)
	while [ "$fr_was" != "$fr_now" ]; do
		sleep 0.5
		fr_was=$fr_now fr_now=$(reads)
	done
	echo "$fr_now"
}
before=$(settled)
is 'a session that planned early works on a part of it' \
	"$(drive a put 1000) $(drive a repeat) $(drive a work 1000)" \
	'ok 1000 new ok 0 new ok 1000 ended'
# busy NAME: some more of all kinds, looked at.
busy() {
	fr_said="$(drive "$1" put 200) $(drive "$1" work 200) \
$(drive "$1" later 60) $(drive "$1" put 60) $(drive "$1" lease 60)"
	[ "$fr_said" = 'ok 200 new ok 200 ended ok 60 new ok 60 new ok 60 leased' ] &&
		sweep "$1" || echo "$fr_said"
}
is 'its sweeps, too' "$(busy a)" '80 50 2 50 50 10 100 80 100 100 20 0 20 100 0 '
driver b
drive b store "$PG_URL" >/dev/null
is 'and so does one that plans now, without statistics' \
	"$(drive b put 1000) $(drive b repeat) $(drive b work 1000)" \
	'ok 1000 new ok 0 new ok 1000 ended'
is 'sweeps, too' "$(busy b)" '140 50 2 50 50 20 100 100 100 100 20 0 20 100 0 '
exec 5>&- 7>&- # a session tells what it has read when it ends
until_ok gone "$DRIVE_a"
until_ok gone "$DRIVE_b"
read=$(($(settled) - before))
ok "both read that part only ($read)" test "$read" -gt 1000 -a "$read" -lt 25000
done_testing
