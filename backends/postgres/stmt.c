/* SPDX-License-Identifier: MIT */
#include "stmt.h"

/*
 * Batches come in as arrays and are joined with unnest. The session turns
 * hash and merge joins off, so that a batch is always a loop over the index
 * in the order of the batch, whatever the statistics say: no plan goes bad
 * while the table grows, and all managers lock rows in the same order. The
 * arrays of those that every job has are unnested in a SELECT, one by one: in
 * FROM the server would write them all down first. Nothing but arrays, for
 * the planner believes that those are short. For
 * the same reason conditions on the place are written in two ways, and each
 * statement has just one index that fits: see postgres-002.sql.
 *
 * A statement that waited for another manager's transaction looks at the row
 * as that one left it (READ COMMITTED): all conditions on the state and the
 * lease of a job stand in the statement that changes it, so that of several
 * who would change a job one does, and the others find it changed.
 */

/* What fr_pg_job reads. */
#define JOB                                                                    \
	"j.id, j.type, j.data, j.key, j.progress, j.result, j.error, j.log, "  \
	"j.worker, j.state, j.priority, j.attempt, j.max_attempts, "           \
	"j.fail_count, j.timeout_ms, j.created_ms, j.run_at_ms, "              \
	"j.started_ms, j.finished_ms, j.lease, j.until_ms"

/*
 * The running jobs j, by what is known of leases l: see leases.c. The OFFSET
 * keeps the planner from beginning at the other end: with all jobs.
 */
#define HELD(and_lock)                                                         \
	"CROSS JOIN LATERAL unnest(l.ids) AS i(id) CROSS JOIN LATERAL ("       \
	"SELECT x.* FROM jobs x WHERE x.id = i.id AND x.batch = l.number "     \
	"AND x.state = 2 " and_lock ") AS j "

/* The ended jobs, by what is known of rows e of ends: see purge.c. */
#define ENDED(and_lock)                                                        \
	"CROSS JOIN LATERAL unnest(e.ids) AS i(id) CROSS JOIN LATERAL ("       \
	"SELECT x.* FROM jobs x WHERE x.id = i.id AND x.state = "              \
	"e.state " and_lock ") AS j "

#define EXPIRED(lock)                                                          \
	"SELECT " JOB " FROM (SELECT j.* FROM (SELECT * FROM leases "          \
	"WHERE until_ms <= $1::int8 ORDER BY until_ms) AS l " HELD(            \
	    "AND x.until_ms <= $1::int8 OFFSET 0 " lock) "LIMIT $2::int8) AS " \
							 "j ORDER BY "         \
							 "j.until_ms"

/* A report's parameters, and which row they are for. */
#define REPORT                                                                 \
	" FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[], "      \
	"$5::int8[], $6::int8[], $7::int8[]) WITH ORDINALITY AS "              \
	"r(id, token, value, log, now_ms, run_at_ms, unsaid, ord) "            \
	"WHERE j.id = r.id AND j.state = 2 AND j.lease = r.token "             \
	"RETURNING r.ord, j.type, j.batch, j.state"

/* A lease that ended unsaid is not remembered. */
#define REPORTED                                                               \
	"reported = CASE r.unsaid WHEN 0 THEN r.token ELSE j.reported END"

#define QUEUED "SELECT j.id, j.type, j.priority, j.seq"

const struct fr_pg_text fr_pg_text[FR_PG_STMTS] = {
	[FR_PG_BEGIN] = { "begin", "begin",
	    "BEGIN ISOLATION LEVEL READ COMMITTED" },
	[FR_PG_MARK] = { "mark", "begin",
	    "INSERT INTO handles AS h (handle, number, seen) "
	    "VALUES ($1::int8, $2::int8, clock_timestamp()) "
	    "ON CONFLICT (handle) DO UPDATE "
	    "SET number = excluded.number, seen = excluded.seen "
	    "RETURNING (extract(epoch FROM h.seen) * 1000000)::int8" },
	[FR_PG_COMMIT] = { "commit", "commit", "COMMIT" },
	[FR_PG_PATIENT] = { "patient", "commit",
	    "SELECT set_config('statement_timeout', '0', true)" },
	[FR_PG_ROLLBACK] = { "rollback", "roll back", "ROLLBACK" },
	[FR_PG_RESOLVE] = { "resolve", "look for a commit",
	    "SELECT number FROM handles WHERE handle = $1::int8 FOR UPDATE" },
	[FR_PG_TIDY] = { "tidy", "register",
	    "WITH gone AS (DELETE FROM handles WHERE "
	    "seen < clock_timestamp() - interval '1 day') "
	    "INSERT INTO handles (handle, number, seen) "
	    "VALUES ($1::int8, 0, clock_timestamp())" },
	[FR_PG_LEAVE] = { "leave", "leave",
	    "DELETE FROM handles WHERE handle = $1::int8" },
	[FR_PG_NOW] = { "now", "read clock",
	    "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8" },
	[FR_PG_COUNT] = { "count", "count jobs",
	    "INSERT INTO counts AS c "
	    "SELECT x.type, ($8::int8)::int4, x.a, x.b, x.c, x.d, x.e, x.f "
	    "FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[], "
	    "$5::int8[], $6::int8[], $7::int8[]) "
	    "AS x(type, a, b, c, d, e, f) ORDER BY x.type "
	    "ON CONFLICT (type, shard) DO UPDATE SET "
	    "scheduled = c.scheduled + excluded.scheduled, "
	    "queued = c.queued + excluded.queued, "
	    "running = c.running + excluded.running, "
	    "complete = c.complete + excluded.complete, "
	    "failed = c.failed + excluded.failed, "
	    "cancelled = c.cancelled + excluded.cancelled" },
	[FR_PG_NOTIFY] = { "notify", "notify",
	    "SELECT pg_notify($1::text, $2::text)" },

	[FR_PG_CREATE] = { "create", "create jobs",
	    "INSERT INTO jobs (id, type, data, key, keyed, state, place, "
	    "priority, max_attempts, timeout_ms, created_ms, run_at_ms) "
	    "SELECT i.id, i.type, i.data, i.key, i.key IS NOT NULL, i.state, "
	    "i.state, i.priority, i.max_attempts, i.timeout_ms, i.created_ms, "
	    "i.run_at_ms FROM (SELECT unnest($1::uuid[]) AS id, "
	    "unnest($2::text[]) AS type, unnest($3::bytea[]) AS data, "
	    "unnest($4::bytea[]) AS key, unnest($5::int2[]) AS state, "
	    "unnest($6::int4[]) AS priority, "
	    "unnest($7::int8[]) AS max_attempts, "
	    "unnest($8::int8[]) AS timeout_ms, "
	    "unnest($9::int8[]) AS created_ms, "
	    "unnest($10::int8[]) AS run_at_ms) AS i "
	    "ON CONFLICT DO NOTHING RETURNING id" },
	[FR_PG_SAME] = { "same", "create jobs",
	    "SELECT i.ord, j.type = i.type AND j.data = i.data "
	    "FROM unnest($1::uuid[], $2::text[], $3::bytea[]) "
	    "WITH ORDINALITY AS i(id, type, data, ord) "
	    "JOIN jobs j ON j.id = i.id" },
	[FR_PG_KEYED] = { "keyed", "create jobs",
	    "SELECT i.ord, j.id FROM unnest($1::text[], $2::bytea[]) "
	    "WITH ORDINALITY AS i(type, key, ord) "
	    "JOIN jobs j ON j.type = i.type AND j.key = i.key AND j.keyed" },
	/* What the grants say themselves is not asked back: see lease.c. */
	[FR_PG_LEASE] = { "lease", "lease jobs",
	    "UPDATE jobs j SET state = 2, place = 2, attempt = j.attempt + 1, "
	    "lease = g.token, worker = ($5::bytea[])[g.k], "
	    "until_ms = ($6::int8[])[g.k], started_ms = ($7::int8[])[g.k], "
	    "batch = ($8::int8[])[g.k], "
	    "progress = NULL FROM (SELECT unnest($1::uuid[]) AS id, "
	    "unnest($2::uuid[]) AS token, unnest($3::int4[]) AS k, "
	    "unnest($4::int4[]) AS ord) AS g "
	    "WHERE j.id = g.id AND j.state = 1 "
	    "RETURNING g.ord, j.type, j.data, j.key, j.error, j.log, "
	    "j.priority, j.attempt, j.max_attempts, j.fail_count, "
	    "j.timeout_ms, j.created_ms, j.run_at_ms" },
	[FR_PG_LEASES] = { "leases", "lease jobs",
	    "INSERT INTO leases (number, until_ms, worker, ids) "
	    "SELECT g.number, g.until_ms, g.worker, ($1::uuid[])[g.a : g.b] "
	    "FROM unnest($2::bytea[], $3::int8[], $4::int8[], $5::int4[], "
	    "$6::int4[]) AS g(worker, until_ms, number, a, b)" },
	[FR_PG_LEASES_END] = { "leases_end", "end leases",
	    "DELETE FROM leases WHERE number = ANY (ARRAY(SELECT number "
	    "FROM leases WHERE number = ANY ($1::int8[]) "
	    "FOR UPDATE SKIP LOCKED))" },
	[FR_PG_LEASES_TIDY] = { "leases_tidy", "tidy leases",
	    "WITH l AS MATERIALIZED (SELECT number, ids FROM leases "
	    "WHERE until_ms <= $1::int8 ORDER BY until_ms LIMIT 200 "
	    "FOR UPDATE SKIP LOCKED), "
	    "h AS MATERIALIZED (SELECT l.number, min(j.until_ms) AS until_ms "
	    "FROM l " HELD(
		"OFFSET 0") "GROUP BY l.number), "
			    "x AS (DELETE FROM leases d "
			    "WHERE d.number = ANY (ARRAY(SELECT number FROM "
			    "l)) "
			    "AND d.number <> ALL (ARRAY(SELECT number FROM "
			    "h))) "
			    "UPDATE leases u "
			    "SET until_ms = least(h.until_ms, $1::int8 + 5000) "
			    "FROM h WHERE u.number = ANY (ARRAY(SELECT number "
			    "FROM h)) "
			    "AND u.number = h.number AND h.until_ms > "
			    "$1::int8" },

	[FR_PG_RENEW] = { "renew", "renew leases",
	    "WITH u AS (UPDATE jobs j SET until_ms = r.until_ms "
	    "FROM unnest($1::uuid[], $2::uuid[], $3::int8[]) "
	    "WITH ORDINALITY AS r(id, token, until_ms, ord) "
	    "WHERE j.id = r.id AND j.state = 2 AND j.lease = r.token "
	    "RETURNING r.ord, j.batch, j.until_ms), "
	    "e AS MATERIALIZED (SELECT batch, min(until_ms) AS until_ms "
	    "FROM u GROUP BY batch), "
	    "l AS (UPDATE leases l SET until_ms = e.until_ms FROM e "
	    "WHERE l.number = ANY (ARRAY(SELECT batch FROM e)) "
	    "AND l.number = e.batch AND l.until_ms > e.until_ms) "
	    "SELECT ord FROM u" },
	[FR_PG_RENEW_ALL] = { "renew_all", "renew all leases",
	    /* In the order in which all lock them. */
	    "WITH h AS MATERIALIZED (SELECT j.id FROM leases l " HELD(
		"AND x.until_ms < $1::int8 OFFSET 0") "ORDER BY j.id) "
						      "UPDATE jobs j SET "
						      "until_ms = $1::int8 "
						      "FROM "
						      "unnest(ARRAY(SELECT id "
						      "FROM h)) AS u(id) "
						      "WHERE j.id = u.id AND "
						      "j.state = 2 AND "
						      "j.until_ms < $1::int8" },
	[FR_PG_PROGRESS] = { "progress", "keep progress",
	    "UPDATE jobs j SET progress = r.value" REPORT },
	/* All that an index knows stays as it is, unless there is a key. */
	[FR_PG_COMPLETE] = { "complete", "complete jobs",
	    "UPDATE jobs j SET state = 3, result = r.value, error = NULL, "
	    "log = r.log, finished_ms = $6::int8, keyed = false "
	    "FROM (SELECT unnest($1::uuid[]) AS id, "
	    "unnest($2::uuid[]) AS token, unnest($3::bytea[]) AS value, "
	    "unnest($4::bytea[]) AS log, unnest($5::int4[]) AS ord) AS r "
	    "WHERE j.id = r.id AND j.state = 2 AND j.lease = r.token "
	    "RETURNING r.ord, j.type, j.batch" },
	[FR_PG_COUNT_FAILED] = { "count_failed", "count failed attempts",
	    "UPDATE jobs j SET fail_count = j.fail_count + 1, "
	    "state = CASE WHEN r.run_at_ms > r.now_ms THEN 0 ELSE 1 END, "
	    "place = CASE WHEN r.run_at_ms > r.now_ms THEN 0 ELSE 1 END, "
	    "run_at_ms = r.run_at_ms, error = r.value, log = r.log, " REPORTED
		REPORT },
	[FR_PG_FAIL] = { "fail", "fail jobs",
	    "UPDATE jobs j SET state = 4, place = 4, keyed = false, "
	    "fail_count = j.fail_count + 1, error = r.value, log = r.log, "
	    "finished_ms = r.now_ms, " REPORTED REPORT },
	[FR_PG_RELEASE] = { "release", "release jobs",
	    "UPDATE jobs j SET state = 1, place = 1, "
	    "log = coalesce(r.log, j.log), " REPORTED REPORT },
	[FR_PG_REPORTED] = { "reported", "look for reports",
	    "SELECT r.ord FROM unnest($1::uuid[], $2::uuid[]) "
	    "WITH ORDINALITY AS r(id, token, ord) "
	    "JOIN jobs j ON j.id = r.id AND (j.reported = r.token "
	    "OR j.state = 3 AND j.lease = r.token)" },

	[FR_PG_EDITED] = { "edited", "look at job",
	    "SELECT j.state, j.priority, j.attempt, j.type, "
	    "j.key IS NOT NULL AND EXISTS (SELECT 1 FROM jobs k WHERE "
	    "k.type = j.type AND k.key = j.key AND k.keyed "
	    "AND k.id <> j.id) "
	    "FROM jobs j WHERE j.id = $1::uuid FOR UPDATE OF j" },
	[FR_PG_CANCEL] = { "cancel", "cancel job",
	    "UPDATE jobs SET state = 5, place = 5, keyed = false, "
	    "finished_ms = $2::int8 "
	    "WHERE id = $1::uuid" },
	[FR_PG_RETRY] = { "retry", "retry job",
	    "UPDATE jobs SET state = 1, place = 1, keyed = key IS NOT NULL, "
	    "reported = CASE state WHEN 3 THEN lease ELSE reported END, "
	    "run_at_ms = $2::int8, "
	    "fail_count = 0, finished_ms = 0, result = NULL, error = NULL, "
	    "progress = NULL WHERE id = $1::uuid" },
	[FR_PG_REMOVE] = { "remove", "remove job",
	    "DELETE FROM jobs WHERE id = $1::uuid AND $2::int8 IS NOT NULL" },
	[FR_PG_PROMOTE] = { "promote", "queue due jobs",
	    "WITH d AS MATERIALIZED (SELECT id FROM jobs "
	    "WHERE place + 0 = 0 AND run_at_ms <= $1::int8 "
	    "ORDER BY run_at_ms, seq LIMIT $2::int8 FOR UPDATE SKIP LOCKED), "
	    "u AS (UPDATE jobs j SET state = 1, place = 1 FROM d WHERE j.id = "
	    "d.id "
	    "RETURNING j.id, j.type, j.priority, j.seq, j.run_at_ms) "
	    "SELECT id, type, priority, seq FROM u ORDER BY run_at_ms, seq" },
	[FR_PG_ENDS] = { "ends", "end jobs",
	    "INSERT INTO ends (state, finished_ms, ids) "
	    "SELECT ($2::int8)::int2, e.finished_ms, "
	    "($1::uuid[])[e.a : e.b] "
	    "FROM unnest($3::int8[], $4::int4[], $5::int4[]) "
	    "AS e(finished_ms, a, b)" },
	[FR_PG_PURGEABLE] = { "purgeable", "purge jobs",
	    "SELECT number, cardinality(ids) FROM ends "
	    "WHERE state = ($1::int8)::int2 AND finished_ms < $2::int8 "
	    "ORDER BY finished_ms LIMIT $3::int8 FOR UPDATE SKIP LOCKED" },
	[FR_PG_PURGE] = { "purge", "purge jobs",
	    "WITH d AS MATERIALIZED (SELECT j.id FROM ends e " ENDED(
		"AND x.finished_ms < $2::int8 OFFSET 0 "
		"FOR UPDATE SKIP LOCKED") "WHERE e.number = ANY ($1::int8[]) "
					  "LIMIT $3::int8), "
					  "x AS (DELETE FROM jobs "
					  "WHERE id = ANY (ARRAY(SELECT id "
					  "FROM d)) RETURNING type) SELECT "
					  "type, count(*) FROM x GROUP BY "
					  "type" },
	[FR_PG_PURGED] = { "purged", "purge jobs",
	    "WITH h AS MATERIALIZED (SELECT e.number, "
	    "min(j.finished_ms) AS finished_ms FROM ends e " ENDED(
		"OFFSET 0") "WHERE e.number = ANY ($1::int8[]) GROUP BY "
			    "e.number), "
			    "x AS (DELETE FROM ends WHERE number = ANY "
			    "($1::int8[]) "
			    "AND number <> ALL (ARRAY(SELECT number FROM h))) "
			    "UPDATE ends e SET finished_ms = h.finished_ms "
			    "FROM h "
			    "WHERE e.number = ANY ($1::int8[]) AND e.number = "
			    "h.number "
			    "AND e.finished_ms < h.finished_ms" },
	[FR_PG_PAUSE] = { "pause", "pause type",
	    "INSERT INTO paused VALUES ($1::text) ON CONFLICT DO NOTHING" },
	[FR_PG_RESUME] = { "resume", "resume type",
	    "DELETE FROM paused WHERE type = $1::text" },

	[FR_PG_EXPIRED] = { "expired", "look for expired leases",
	    EXPIRED("FOR UPDATE SKIP LOCKED") },
	[FR_PG_EXPIRED_READ] = { "expired_read", "look for expired leases",
	    EXPIRED("") },
	[FR_PG_NEXT_DUE] = { "next_due", "look for the next due time",
	    "SELECT (SELECT min(run_at_ms) FROM jobs WHERE place + 0 = 0), "
	    "(SELECT l.until_ms FROM (SELECT * FROM leases "
	    "ORDER BY until_ms) AS l WHERE (SELECT j.state FROM (SELECT) AS "
	    "o " HELD("OFFSET 0") "LIMIT 1) = 2 LIMIT 1)" },
	[FR_PG_GET] = { "get", "get jobs",
	    "SELECT " JOB " FROM unnest($1::uuid[]) AS i(id) "
	    "JOIN jobs j ON j.id = i.id" },
	[FR_PG_FIND] = { "find", "find jobs",
	    "SELECT " JOB " FROM jobs j "
	    "WHERE j.id >= $1::uuid AND j.id <= $2::uuid "
	    "ORDER BY j.id LIMIT $3::int8" },
	/* Complete jobs have running ones among them, which are few; running
	 * ones are looked for by their leases ($5: whether they are). No more
	 * are looked for than the counters say there are. The queued ones of a
	 * type are the newest of each of its priorities, so that none of
	 * another type is in the way; unless it has many priorities and many
	 * jobs, of which the newest are soon found among all. */
	[FR_PG_LIST] = { "list", "list jobs",
	    "WITH RECURSIVE "
	    "a AS MATERIALIZED (SELECT CASE WHEN $3::uuid IS NULL "
	    "THEN 9223372036854775807 ELSE coalesce("
	    "(SELECT seq FROM jobs WHERE id = $3::uuid), "
	    "(SELECT seq + 1 FROM jobs WHERE id < $3::uuid "
	    "ORDER BY id DESC LIMIT 1), 0) END AS seq), "
	    "c AS MATERIALIZED (SELECT ARRAY[sum(scheduled), sum(queued), "
	    "sum(running), sum(complete), sum(failed), sum(cancelled)]::int8[] "
	    "AS n, CASE WHEN sum(queued) <= 2000 THEN 2000 ELSE 20 END AS most "
	    "FROM counts WHERE type = $2::text), "
	    "p(priority, n) AS ((SELECT y.priority, 1 FROM jobs y "
	    "WHERE y.place + 0 = 1 AND y.type = $2::text "
	    "AND 1 = ANY ($1::int2[]) ORDER BY y.priority DESC LIMIT 1) "
	    "UNION ALL SELECT z.priority, p.n + 1 FROM p, LATERAL ("
	    "SELECT y.priority FROM jobs y WHERE y.place + 0 = 1 "
	    "AND y.type = $2::text AND y.priority < p.priority "
	    "ORDER BY y.priority DESC LIMIT 1) AS z WHERE p.n <= (SELECT most "
	    "FROM c)) "
	    "SELECT " JOB " FROM (SELECT x.* FROM unnest($1::int2[]) "
	    "AS st(state), LATERAL (SELECT * FROM jobs y WHERE y.place = "
	    "CASE st.state WHEN 3 THEN 2 ELSE st.state END "
	    "AND y.state = st.state "
	    "AND ($2::text IS NULL OR y.type = $2::text) "
	    "AND y.seq < (SELECT seq FROM a) ORDER BY y.seq DESC "
	    "LIMIT CASE WHEN $2::text IS NULL THEN $4::int8 ELSE least("
	    "$4::int8, coalesce((SELECT n[st.state + 1] FROM c), 0)) END) AS x "
	    "WHERE st.state <> 1 OR $2::text IS NULL "
	    "OR (SELECT count(*) FROM p) > (SELECT most FROM c) "
	    "UNION ALL (SELECT x.* FROM p, LATERAL (SELECT * FROM jobs y "
	    "WHERE y.place + 0 = 1 AND y.type = $2::text "
	    "AND y.priority = p.priority AND y.seq < (SELECT seq FROM a) "
	    "ORDER BY y.seq DESC LIMIT $4::int8) AS x "
	    "WHERE (SELECT count(*) FROM p) <= (SELECT most FROM c)) "
	    "UNION ALL (SELECT j.* FROM leases l " HELD(
		"OFFSET 0") "WHERE $5::int8 <> 0 "
			    "AND ($2::text IS NULL OR j.type = $2::text) "
			    "AND j.seq < (SELECT seq FROM a) "
			    "ORDER BY j.seq DESC LIMIT $4::int8)) AS j "
			    "ORDER BY j.seq DESC LIMIT $4::int8" },
	[FR_PG_WALK] = { "walk", "walk queue",
	    QUEUED " FROM jobs j WHERE place = 1 AND seq > $1::int8 "
		   "ORDER BY seq LIMIT $2::int8" },
	[FR_PG_WALK_DATA] = { "walk_data", "walk queue",
	    QUEUED ", j.data FROM jobs j WHERE place = 1 AND seq > $1::int8 "
		   "ORDER BY seq LIMIT $2::int8" },
	[FR_PG_TYPED] = { "typed", "walk queue",
	    QUEUED " FROM jobs j WHERE place + 0 = 1 AND type = $1::text "
		   "ORDER BY priority DESC, seq LIMIT $2::int8" },
	[FR_PG_TYPED_DATA] = { "typed_data", "walk queue",
	    QUEUED ", j.data FROM jobs j WHERE place + 0 = 1 AND "
		   "type = $1::text ORDER BY priority DESC, seq "
		   "LIMIT $2::int8" },
	[FR_PG_RUNNING] = { "running", "look for running jobs",
	    "SELECT " JOB " FROM leases l " HELD(
		"OFFSET 0") "WHERE $1::bytea IS NULL OR l.worker = $1::bytea "
			    "ORDER BY j.seq" },
	[FR_PG_STATS] = { "stats", "count jobs",
	    "SELECT type, sum(scheduled)::int8, sum(queued)::int8, "
	    "sum(running)::int8, sum(complete)::int8, sum(failed)::int8, "
	    "sum(cancelled)::int8, sum(paused)::int8 FROM ("
	    "SELECT type, scheduled, queued, running, complete, failed, "
	    "cancelled, 0 AS paused FROM counts UNION ALL "
	    "SELECT type, 0, 0, 0, 0, 0, 0, 1 FROM paused) AS x "
	    "GROUP BY type ORDER BY type" },

	[FR_PG_OUTBOX_PUT] = { "outbox_put", "keep events",
	    "INSERT INTO outbox (kind, type, json) "
	    "SELECT * FROM unnest($1::int2[], $2::text[], $3::bytea[]) "
	    "RETURNING number" },
	[FR_PG_OUTBOX_TAKE] = { "outbox_take", "take events",
	    "WITH d AS MATERIALIZED (SELECT number FROM outbox "
	    "WHERE claimed_ms <= $1::int8 ORDER BY number "
	    "LIMIT $3::int8 FOR UPDATE SKIP LOCKED), "
	    "u AS (UPDATE outbox o SET claimed_ms = $2::int8, "
	    "tries = o.tries + 1 FROM d WHERE o.number = d.number "
	    "RETURNING o.number, o.kind, o.type, o.json, o.tries) "
	    "SELECT * FROM u ORDER BY number" },
	[FR_PG_OUTBOX_DONE] = { "outbox_done", "forget events",
	    "DELETE FROM outbox o USING unnest($1::int8[]) AS d(number) "
	    "WHERE o.number = d.number" },
	[FR_PG_OUTBOX_RETRY] = { "outbox_retry", "put off event",
	    "UPDATE outbox SET claimed_ms = $2::int8 "
	    "WHERE number = $1::int8" },
	[FR_PG_SEEN] = { "seen", "keep workers",
	    "INSERT INTO workers AS w (id, json, seen_ms) "
	    "SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::int8[]) "
	    "AS x(id, json, seen_ms) ORDER BY x.id "
	    "ON CONFLICT (id) DO UPDATE SET json = excluded.json, "
	    "seen_ms = excluded.seen_ms "
	    "WHERE w.seen_ms <= excluded.seen_ms OR excluded.seen_ms = 0" },
	[FR_PG_FORGET] = { "forget", "forget workers",
	    "DELETE FROM workers WHERE id IN (SELECT id FROM workers "
	    "WHERE seen_ms < $1::int8 FOR UPDATE SKIP LOCKED)" },
	[FR_PG_WORKERS] = { "workers", "list workers",
	    "SELECT id, json, seen_ms FROM workers "
	    "WHERE seen_ms >= $1::int8 ORDER BY id" },
};
