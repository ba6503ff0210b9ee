#!/bin/sh
# SPDX-License-Identifier: MIT
# A Postgres store that an older program has made is migrated with all that is
# in it, and is then as good as a new one.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"

share=${0%/*}/../../share/sql
# jobs UNTIL: all of them, by what both versions say.
jobs() {
	sql "SELECT md5(string_agg(ROW(id, seq, lease, reported, created_ms,
		run_at_ms, started_ms, finished_ms, $1, timeout_ms, priority,
		attempt, max_attempts, fail_count, state, type, data, key,
		worker, progress, result, error, log)::text, ';' ORDER BY seq))
		FROM forerunner.jobs"
}

postgres
sql 'CREATE SCHEMA forerunner; CREATE TABLE forerunner.version
	(version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
	INSERT INTO forerunner.version VALUES (1)' >/dev/null
sql "SET search_path = forerunner; $(cat "$share/postgres-001.sql")" >/dev/null
# Some in each state: 600 of each, a third with a key, the running ones of two
# workers, half of whose leases are over.
sql "SET search_path = forerunner;
	INSERT INTO jobs (id, lease, reported, created_ms, run_at_ms,
	started_ms, finished_ms, lease_until_ms, timeout_ms, priority, attempt,
	max_attempts, fail_count, state, type, data, key, worker, progress,
	result, error, log) SELECT md5(i::text)::uuid,
	CASE WHEN s BETWEEN 2 AND 4 THEN md5('l' || i)::uuid END,
	CASE WHEN s IN (3, 4) THEN md5('l' || i)::uuid END,
	i, 10 + i, CASE WHEN s >= 2 THEN 20 + i ELSE 0 END,
	CASE WHEN s >= 3 THEN 30 + i ELSE 0 END,
	CASE WHEN s < 2 THEN 0 WHEN i % 2 = 0 THEN 40 + i
	ELSE 4000000000000 END, i % 7 * 600000, i % 5, CASE WHEN s >= 2 THEN 1 ELSE 0 END,
	3, CASE s WHEN 4 THEN 1 ELSE 0 END, s, 't' || i % 3, '[1e400]',
	CASE i % 3 WHEN 0 THEN convert_to('k' || i, 'UTF8') END,
	CASE WHEN s >= 2 THEN convert_to('w' || i % 2, 'UTF8') END,
	CASE s WHEN 2 THEN '50'::bytea END, CASE s WHEN 3 THEN '1'::bytea END,
	CASE s WHEN 4 THEN '\"e\"'::bytea END, CASE s WHEN 4 THEN '\"l\"'::bytea
	END FROM (SELECT i, i % 6 AS s FROM generate_series(1, 3600) AS i) AS x;
	INSERT INTO counts SELECT type, 1, count(*) FILTER (WHERE state = 0),
	count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2),
	count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 4),
	count(*) FILTER (WHERE state = 5) FROM jobs GROUP BY type" >/dev/null
before=$(jobs lease_until_ms)
like 'there are jobs' "$before" '^[0-9a-f]{32}$'

driver a
driver b
tell a store "$PG_URL"
tell b store "$PG_URL"
is 'two managers open it at once, and one migrates it' "$(hear a) $(hear b)" \
	'ok ok'
is 'and says so, since it may take a while' \
	"$(grep -c 'schema forerunner goes from version 1 to 2' "$T/log")" 1
is 'it has the new version' \
	"$(sql 'SELECT max(version) FROM forerunner.version')" 2
is 'every job is as it was' "$(jobs until_ms)" "$before"
is 'the queued ones are found' "$(drive a queued)" 'ok 600'
is 'new jobs come after them' "$(drive a put 10)" 'ok 10 new'
is 'in the order of creation' \
	"$(sql "SELECT count(*) FROM forerunner.jobs WHERE seq > 3600")" 10

# What the indexes and the two other tables say agrees with the jobs.
agrees() {
	is "$1" "$(sql 'SELECT count(*) FROM forerunner.jobs WHERE place <>
		CASE state WHEN 3 THEN 2 ELSE state END OR
		keyed <> (key IS NOT NULL AND state <= 2)') $(sql 'SELECT count(*)
		FROM forerunner.jobs j WHERE state = 2 AND NOT EXISTS (
		SELECT FROM forerunner.leases l WHERE l.number = j.batch
		AND j.id = ANY (l.ids) AND l.until_ms <= j.until_ms
		AND l.worker IS NOT DISTINCT FROM j.worker)') $(sql 'SELECT count(*)
		FROM forerunner.jobs j LEFT JOIN (SELECT e.state, e.finished_ms,
		i.id FROM forerunner.ends e, unnest(ids) AS i(id)) AS x
		ON x.id = j.id AND x.state = j.state AND
		x.finished_ms <= j.finished_ms WHERE j.state >= 3 AND x.id IS NULL')" \
		'0 0 0'
}
agrees 'each has its place, and is found where it is looked for'

# A manager on it: what is over ends, what is too old goes.
manager --store "$PG_URL" --retain 1d
all_gone() {
	[ "$(sql 'SELECT count(*) FROM forerunner.jobs WHERE state >= 3')" = 0 ]
}
until_ok all_gone
ok 'the old ended jobs were purged' all_gone
is 'and the rows that told of them' \
	"$(sql 'SELECT count(*) FROM forerunner.ends')" 0
answer='while read -r line; do echo "{\"result\":1}"; done'
is 'what ran still has its lease, with a fresh term' "$(sql 'SELECT count(*)
	FROM forerunner.jobs WHERE state = 2 AND until_ms > 1000000000000')" 600
fr-worker -c 4 t0.lines="$answer" t1.lines="$answer" t2.lines="$answer" \
	--drain >>"$T/log" 2>&1
is 'the queued and the due ones were run' "$(sql "SELECT count(*)
	FROM forerunner.jobs WHERE state = 3 AND type LIKE 't_'")" 1200
agrees 'and all is in its place again'

kill "$MANAGER"
wait "$MANAGER" 2>/dev/null
is 'the judge passes it' "$(fr-store-test "$PG_URL" >"$T/judged" 2>&1; echo $?)" 0
agrees 'and has left nothing out of place'
done_testing
