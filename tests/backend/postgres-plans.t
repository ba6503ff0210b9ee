#!/bin/sh
# SPDX-License-Identifier: MIT
# Statements that were planned for an empty table still are good when it has
# grown: the plans are kept, and nobody analyzes the table in between.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"

# reads: how many index entries were read so far, by all sessions that ended.
reads() { sql "SELECT coalesce(sum(idx_tup_read), 0) +
	(SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables
	WHERE relname = 'jobs')
	FROM pg_stat_user_indexes WHERE relname = 'jobs'"; }

postgres
driver a
drive a store "$PG_URL" >/dev/null
sql 'ALTER TABLE forerunner.jobs SET (autovacuum_enabled = off)' >/dev/null
is 'all is planned while there is little' "$(drive a put 20) \
$(drive a repeat) $(drive a work 20)" 'ok 20 new ok 0 new ok 20 ended'
is 'then there is much' "$(drive a put 10000) $(drive a put 10000) \
$(drive a put 10000)" 'ok 10000 new ok 10000 new ok 10000 new'
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
driver b
drive b store "$PG_URL" >/dev/null
is 'and so does one that plans now, without statistics' \
	"$(drive b put 1000) $(drive b repeat) $(drive b work 1000)" \
	'ok 1000 new ok 0 new ok 1000 ended'
exec 5>&- 7>&- # a session tells what it has read when it ends
until_ok gone "$DRIVE_a"
until_ok gone "$DRIVE_b"
like 'both read that part only' "$(($(settled) - before))" '^[1-9][0-9]{3}$'
done_testing
