/* SPDX-License-Identifier: MIT */
#include "sq.h"

/*
 * All SQL but the schema. Values are always bound, never pasted in.
 *
 * Where a sorted subquery with a LIMIT is joined to the rows, there is no
 * ORDER BY around it: the loop over it is the outer one (CROSS JOIN), so its
 * order is kept, and sorting again would hold all data in memory.
 */

/* What fr_sq_row reads. */
#define COLUMNS                                                                \
	"SELECT j.seq, j.id, j.type, j.priority, j.max_attempts,"              \
	" j.timeout_ms, j.created_ms, j.run_at_ms, j.key, j.data,"             \
	" r.seq, r.state, r.said, r.attempt, r.fail_count, r.run_at_ms,"       \
	" r.started_ms, r.finished_ms, r.until_ms, r.lease, r.worker,"         \
	" r.result, s.progress, s.result, s.error, s.log "
/* A job without long words costs no look into `said`. */
#define SAID " LEFT JOIN said s ON s.seq = CASE WHEN r.said THEN r.seq END "
#define RAN " LEFT JOIN ran r ON r.seq = j.seq" SAID
#define RAN_FIRST " CROSS JOIN job j ON j.seq = r.seq" SAID

/* List: the jobs of one state, by its index; ?1 seq, ?2 type, ?3 states. */
#define FEW(index, state)                                                      \
	"SELECT seq FROM ran INDEXED BY " index " WHERE state = " state        \
	" AND (?3 >> " state ") & 1 AND seq < ?1 AND (?2 < 0 OR type = ?2)"

#define JOB_ADD                                                                \
	"INSERT INTO job (seq, id, type, priority, max_attempts, timeout_ms,"  \
	" created_ms, run_at_ms, key, data) VALUES "
#define ROW "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define ROWS ROW ", " ROW ", " ROW ", " ROW

#define RAN_ADD                                                                \
	"INSERT INTO ran (seq, type, state, keyed, said, told, attempt,"       \
	" fail_count, run_at_ms, started_ms, finished_ms, until_ms, lease,"    \
	" worker) VALUES "
#define RAN_ROW "(?, ?, ?, ?, 0, 0, ?, 0, ?, ?, ?, ?, ?, ?)"
#define RAN_ROWS RAN_ROW ", " RAN_ROW ", " RAN_ROW ", " RAN_ROW

/* clang-format off */
const char *const fr_sq_text[FR_SQ_STMTS] = {
[FR_SQ_BEGIN] = "BEGIN IMMEDIATE",
[FR_SQ_BEGIN_READ] = "BEGIN",
[FR_SQ_COMMIT] = "COMMIT",
[FR_SQ_ROLLBACK] = "ROLLBACK",
[FR_SQ_PAGES] = "PRAGMA page_count",
[FR_SQ_PAGE_BYTES] = "PRAGMA page_size",

[FR_SQ_TYPE_NEW] = "SELECT n, name FROM type WHERE n > ?1",
[FR_SQ_TYPE_ADD] = "INSERT INTO type (name) VALUES (?1)",
[FR_SQ_TYPE_PAUSE] = "UPDATE type SET paused = ?2 WHERE n = ?1",
[FR_SQ_COUNT_ADD] =
    "INSERT INTO count (type, state, n) VALUES (?1, ?2, ?3)"
    " ON CONFLICT DO UPDATE SET n = n + excluded.n",
[FR_SQ_COUNT_SUM] =
    "SELECT state, sum(n) FILTER (WHERE ?1 < 0 OR type = ?1), sum(n)"
    " FROM count GROUP BY state",
[FR_SQ_STATS] =
    "SELECT t.n, t.name, t.paused, c.state, c.n FROM type t"
    " LEFT JOIN count c ON c.type = t.n ORDER BY t.n",

[FR_SQ_JOB_ADD] = JOB_ADD ROW " ON CONFLICT (id) DO NOTHING",
[FR_SQ_JOB_ADD_MANY] =
    JOB_ADD ROWS ", " ROWS ", " ROWS ", " ROWS " ON CONFLICT (id) DO NOTHING",
[FR_SQ_JOB_SAME] = "SELECT type = ?2 AND data = ?3 FROM job WHERE id = ?1",
[FR_SQ_JOB_DEL] = "DELETE FROM job WHERE seq = ?1",
[FR_SQ_JOB_LAST] = "SELECT coalesce(max(seq), 0) FROM job",

[FR_SQ_HELD_ADD] = "INSERT INTO held (type, key, seq) VALUES (?1, ?2, ?3)",
[FR_SQ_HELD_GET] =
    "SELECT j.id FROM held h JOIN job j ON j.seq = h.seq"
    " WHERE h.type = ?1 AND h.key = ?2",
[FR_SQ_HELD_AGAIN] =
    "INSERT INTO held (type, key, seq)"
    " SELECT type, key, seq FROM job WHERE seq = ?1 ON CONFLICT DO NOTHING",
[FR_SQ_HELD_DEL] =
    "DELETE FROM held WHERE (type, key) ="
    " (SELECT type, key FROM job WHERE seq = ?1)",

[FR_SQ_QUEUED_ADD] =
    "INSERT INTO queued (seq, id, type, priority) VALUES (?1, ?2, ?3, ?4)",
[FR_SQ_QUEUED_ADD_MANY] =
    "INSERT INTO queued (seq, id, type, priority)"
    " SELECT seq, id, type, priority FROM job WHERE seq BETWEEN ?1 AND ?2",
[FR_SQ_QUEUED_AGAIN] =
    "INSERT INTO queued (seq, id, type, priority)"
    " SELECT seq, id, type, priority FROM job WHERE seq = ?1",
[FR_SQ_QUEUED_DEL] = "DELETE FROM queued WHERE seq = ?1",
[FR_SQ_QUEUED_DEL_MANY] = "DELETE FROM queued WHERE seq BETWEEN ?1 AND ?2",

[FR_SQ_RAN_ADD] = RAN_ADD RAN_ROW,
[FR_SQ_RAN_ADD_MANY] =
    RAN_ADD RAN_ROWS ", " RAN_ROWS ", " RAN_ROWS ", " RAN_ROWS,
[FR_SQ_RAN_GET] =
    "SELECT j.seq, j.type, j.priority, j.key IS NOT NULL, r.state, r.said,"
    " r.attempt FROM job j LEFT JOIN ran r ON r.seq = j.seq WHERE j.id = ?1",
[FR_SQ_RAN_LEASED] =
    "SELECT r.seq, r.type, r.keyed, r.said, r.state, r.told, r.lease, r.prior"
    " FROM job j CROSS JOIN ran r ON r.seq = j.seq WHERE j.id = ?1",
[FR_SQ_RAN_LEASE] =
    "UPDATE ran SET state = 2, attempt = attempt + 1, started_ms = ?2,"
    " until_ms = ?3, worker = ?5,"
    " prior = CASE WHEN told THEN lease ELSE prior END, told = 0, lease = ?4"
    " WHERE seq = ?1",
[FR_SQ_RAN_RENEW] =
    "UPDATE ran SET until_ms = ?3"
    " WHERE seq = (SELECT seq FROM job WHERE id = ?1)"
    " AND state = 2 AND lease = ?2",
[FR_SQ_RAN_RENEW_ALL] =
    "UPDATE ran SET until_ms = ?1 WHERE state = 2 AND until_ms < ?1",
[FR_SQ_RAN_REPORT] =
    "UPDATE ran SET state = ?2, told = ?8, said = ?3,"
    " fail_count = fail_count + ?4, run_at_ms = coalesce(?5, run_at_ms),"
    " finished_ms = ?6, result = ?7 WHERE seq = ?1",
[FR_SQ_RAN_COMPLETE] =
    "UPDATE ran SET state = 3, told = ?5, finished_ms = ?3, result = ?4"
    " WHERE seq = ?1 AND state = 2 AND lease = ?2 AND NOT said",
[FR_SQ_RAN_SAID] = "UPDATE ran SET said = 1 WHERE seq = ?1",
[FR_SQ_RAN_STATE] =
    "UPDATE ran SET state = ?2, finished_ms = ?3 WHERE seq = ?1",
[FR_SQ_RAN_RETRY] =
    "UPDATE ran SET state = 1, run_at_ms = ?2, finished_ms = 0,"
    " fail_count = 0, result = NULL WHERE seq = ?1",
[FR_SQ_RAN_DEL] = "DELETE FROM ran WHERE seq = ?1",

[FR_SQ_SAID_PROGRESS] =
    "INSERT INTO said (seq, progress) VALUES (?1, ?2)"
    " ON CONFLICT DO UPDATE SET progress = excluded.progress",
[FR_SQ_SAID_RESULT] =
    "INSERT INTO said (seq, result, log) VALUES (?1, ?2, ?3)"
    " ON CONFLICT DO UPDATE SET result = excluded.result, error = NULL,"
    " log = excluded.log",
[FR_SQ_SAID_ERROR] =
    "INSERT INTO said (seq, error, log) VALUES (?1, ?2, ?3)"
    " ON CONFLICT DO UPDATE SET error = excluded.error, log = excluded.log",
[FR_SQ_SAID_LOG] =
    "INSERT INTO said (seq, log) VALUES (?1, ?2)"
    " ON CONFLICT DO UPDATE SET log = excluded.log",
[FR_SQ_SAID_RETRY] =
    "UPDATE said SET progress = NULL, result = NULL, error = NULL"
    " WHERE seq = ?1",
[FR_SQ_SAID_DEL] = "DELETE FROM said WHERE seq = ?1",

[FR_SQ_DUE_SCHEDULED] =
    "SELECT run_at_ms FROM ran INDEXED BY ran_scheduled WHERE state = 0"
    " ORDER BY run_at_ms LIMIT 1",
[FR_SQ_DUE_RUNNING] =
    "SELECT until_ms FROM ran INDEXED BY ran_running WHERE state = 2"
    " ORDER BY until_ms LIMIT 1",
[FR_SQ_PROMOTE] =
    "SELECT j.seq, j.id, j.type, j.priority"
    " FROM ran r INDEXED BY ran_scheduled CROSS JOIN job j ON j.seq = r.seq"
    " WHERE r.state = 0 AND r.run_at_ms <= ?1"
    " ORDER BY r.run_at_ms, r.seq LIMIT ?2",
[FR_SQ_PURGE_COMPLETE] =
    "SELECT seq, type, said FROM ran INDEXED BY ran_complete"
    " WHERE state = 3 AND finished_ms < ?1 ORDER BY finished_ms LIMIT ?2",
[FR_SQ_PURGE_FAILED] =
    "SELECT seq, type, said FROM ran INDEXED BY ran_failed"
    " WHERE state = 4 AND finished_ms < ?1 ORDER BY finished_ms LIMIT ?2",
[FR_SQ_PURGE_CANCELLED] =
    "SELECT seq, type, said FROM ran INDEXED BY ran_cancelled"
    " WHERE state = 5 AND finished_ms < ?1 ORDER BY finished_ms LIMIT ?2",

[FR_SQ_GET] = COLUMNS "FROM job j" RAN "WHERE j.id = ?1",
[FR_SQ_FIND] = COLUMNS
    "FROM job j" RAN "WHERE j.id >= ?1 AND j.id <= ?2 ORDER BY j.id LIMIT ?3",
[FR_SQ_EXPIRED] = COLUMNS
    "FROM ran r INDEXED BY ran_running" RAN_FIRST
    "WHERE r.state = 2 AND r.until_ms <= ?1"
    " ORDER BY r.until_ms, r.seq LIMIT ?2",
[FR_SQ_RUNNING] = COLUMNS
    "FROM ran r INDEXED BY ran_running" RAN_FIRST
    "WHERE r.state = 2 AND (?1 IS NULL OR r.worker = ?1)",
/* Two small tables are merged; `job` is read where there is a match only. */
[FR_SQ_LIST] = COLUMNS
    "FROM ("
    "SELECT seq FROM ran WHERE (?3 & ~2) <> 0 AND seq < ?1 AND state <> 1"
    " AND (?3 >> state) & 1 AND (?2 < 0 OR type = ?2) UNION ALL "
    "SELECT seq FROM queued"
    " WHERE (?3 >> 1) & 1 AND seq < ?1 AND (?2 < 0 OR type = ?2)"
    " ORDER BY 1 DESC LIMIT ?4) found"
    " CROSS JOIN job j ON j.seq = found.seq" RAN,
[FR_SQ_LIST_FEW] = COLUMNS
    "FROM ("
    FEW("ran_scheduled", "0") " UNION ALL "
    FEW("ran_running", "2") " UNION ALL "
    FEW("ran_complete", "3") " UNION ALL "
    FEW("ran_failed", "4") " UNION ALL "
    FEW("ran_cancelled", "5") " UNION ALL "
    "SELECT seq FROM queued"
    " WHERE (?3 >> 1) & 1 AND seq < ?1 AND (?2 < 0 OR type = ?2)"
    " ORDER BY 1 DESC LIMIT ?4) few"
    " CROSS JOIN job j ON j.seq = few.seq" RAN,
[FR_SQ_LIST_AT] = "SELECT seq FROM job WHERE id = ?1",
[FR_SQ_LIST_NEAR] =
    "SELECT seq + 1 FROM job WHERE id < ?1 ORDER BY id DESC LIMIT 1",

[FR_SQ_WALK] =
    "SELECT seq, id, type, priority FROM queued WHERE seq > ?1"
    " ORDER BY seq LIMIT ?2",
[FR_SQ_WALK_DATA] =
    "SELECT q.seq, q.id, q.type, q.priority, j.data"
    " FROM queued q CROSS JOIN job j ON j.seq = q.seq WHERE q.seq > ?1"
    " ORDER BY q.seq LIMIT ?2",
[FR_SQ_WALK_TYPE] =
    "SELECT seq, id, type, priority FROM queued WHERE type = ?1"
    " ORDER BY priority DESC, seq LIMIT ?2",
[FR_SQ_WALK_TYPE_DATA] =
    "SELECT q.seq, q.id, q.type, q.priority, j.data"
    " FROM (SELECT seq, id, type, priority FROM queued WHERE type = ?1"
    " ORDER BY priority DESC, seq LIMIT ?2) q"
    " CROSS JOIN job j ON j.seq = q.seq",

[FR_SQ_OUTBOX_ADD] =
    "INSERT INTO outbox (kind, tries, claimed_ms, type, json)"
    " VALUES (?1, 0, 0, ?2, ?3)",
[FR_SQ_OUTBOX_DUE] =
    "SELECT number, kind, tries + 1, type, json FROM outbox"
    " WHERE claimed_ms <= ?1 ORDER BY number LIMIT ?2",
[FR_SQ_OUTBOX_CLAIM] =
    "UPDATE outbox SET tries = tries + 1, claimed_ms = ?2"
    " WHERE claimed_ms <= ?1 AND number <= ?3",
[FR_SQ_OUTBOX_RETRY] = "UPDATE outbox SET claimed_ms = ?2 WHERE number = ?1",
[FR_SQ_OUTBOX_DONE] = "DELETE FROM outbox WHERE number = ?1",
};
