#!/bin/sh
# SPDX-License-Identifier: MIT
# A manager that starts gives every lease a fresh term. Others are at work on
# the same jobs meanwhile: that must not keep it from starting.
# shellcheck source=tests/several/lib.sh
. "${0%/*}/lib.sh"

postgres
redis
several 1 --lease 60
start env FR_MANAGER="$URL_1" fr-worker -c 2 'slow=exec sleep 60'
fr-submit slow >/dev/null
fr-submit slow >/dev/null
two() { [ "$(sql 'SELECT count(*) FROM forerunner.jobs WHERE state = 2')" = 2 ]; }
until_ok two

# Somebody who locks the jobs in the other order; Postgres ends the new
# manager's transaction, since its time to look for deadlocks is shorter.
row() { # min or max
	echo "SELECT FROM forerunner.jobs WHERE id = (SELECT $1(id::text)::uuid
		FROM forerunner.jobs) FOR UPDATE;"
}
{
	echo "SET deadlock_timeout = '30s'; BEGIN;"
	row max
	echo "\\! echo >$T/locked"
	echo "DO \$\$ BEGIN FOR i IN 1..500 LOOP
		PERFORM pg_stat_clear_snapshot();
		EXIT WHEN EXISTS (SELECT FROM pg_stat_activity
			WHERE wait_event_type = 'Lock');
		PERFORM pg_sleep(0.02); END LOOP; END \$\$;"
	row min
	echo 'COMMIT;'
} >"$T/lock.sql"
start psql -Xq -h "$PG_DIR" -p "$PG_PORT" -U fr -d postgres -f "$T/lock.sql"
until_ok test -e "$T/locked"
t0=$(ms)
several_start 2 127.0.0.1:0
quick 'a manager that collides with others starts all the same' 5000 "$t0"
like 'and it did collide' "$(cat "$T/postgres.log")" 'deadlock detected'
is 'and is ready' "$(ready 2 ready)" true
done_testing
