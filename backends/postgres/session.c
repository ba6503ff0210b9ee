/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"

#define SETUP_MS 10000
#define MIGRATE_MS (6 * 3600 * 1000) /* a minute for ten million jobs */
#define VERSION 2

/*
 * What a session begins with: our schema, limits on every wait, plans that
 * do not depend on statistics (see stmt.c), and a look at what the server
 * promises. synchronous_commit is ours to set, fsync is not.
 */
static const char setup[] =
    "SELECT set_config('search_path', '%s, pg_catalog, pg_temp', false), "
    "set_config('statement_timeout', '20s', false), "
    "set_config('lock_timeout', '5s', false), "
    "set_config('idle_in_transaction_session_timeout', '5s', false), "
    /* Nor does a manager that is cut off keep its locks when the server waits
     * for the rest of a pipeline, which it does not call idle. */
    "set_config('tcp_keepalives_idle', '3', false), "
    "set_config('tcp_keepalives_interval', '1', false), "
    "set_config('tcp_keepalives_count', '3', false), "
    "set_config('tcp_user_timeout', '6000', false), "
    "set_config('plan_cache_mode', 'force_generic_plan', false), "
    "set_config('enable_seqscan', 'off', false), "
    "set_config('enable_hashjoin', 'off', false), "
    "set_config('enable_mergejoin', 'off', false), "
    "set_config('enable_bitmapscan', 'off', false), "
    "set_config('jit', 'off', false), "
    "set_config('bytea_output', 'hex', false), "
    "set_config('default_transaction_isolation', 'read committed', false), "
    "set_config('default_transaction_read_only', '%s', false), "
    "set_config('synchronous_commit', CASE "
    "current_setting('synchronous_commit') WHEN 'off' THEN 'on' "
    "ELSE current_setting('synchronous_commit') END, false)";

static const char look[] =
    "SELECT pg_is_in_recovery(), current_setting('fsync'), "
    "current_setting('full_page_writes'), "
    "current_setting('synchronous_commit'), "
    "current_setting('synchronous_standby_names') <> '', "
    "current_setting('server_version'), "
    "current_setting('transaction_read_only')";

static bool
is(const PGresult *res, int col, const char *z)
{
	return strcmp(PQgetvalue(res, 0, col), z) == 0;
}

static enum fr_rc
check(struct fr_pg *s, const PGresult *res, struct fr_err *err)
{
	const bool safe = is(res, 1, "on") && is(res, 2, "on");

	if (!s->readonly && (is(res, 0, "t") || is(res, 6, "on")))
		return fr_fail(err, FR_AGAIN,
		    "postgres: the server is read-only (a standby?)");
	s->sync_rep = is(res, 4, "t") && !is(res, 3, "local");
	if (!safe && !s->undurable)
		return fr_fail(err, FR_INVALID,
		    "postgres: %s is off on this server, so that an accepted "
		    "job may be lost in a power cut; durable=no in the URL "
		    "accepts that",
		    is(res, 1, "on") ? "full_page_writes" : "fsync");
	if (!fr_str_format(s->about, sizeof(s->about),
		"PostgreSQL %.40s, schema %s, fsync=%s, "
		"synchronous_commit=%s%s: %s",
		PQgetvalue(res, 0, 5), s->schema, PQgetvalue(res, 0, 1),
		PQgetvalue(res, 0, 3),
		s->sync_rep ? ", synchronous standby" : "",
		safe ? "an accepted job survives a power cut"
		     : "an accepted job may be lost in a power cut"))
		s->about[sizeof(s->about) - 1] = '\0';
	return FR_OK;
}

/* The number of the server's process behind db, or 0. */
static int64_t
server_pid(PGconn *db)
{
	PGresult *res = PQexec(db, "SELECT pg_backend_pid()");
	int64_t pid = 0;

	if (PQresultStatus(res) != PGRES_TUPLES_OK ||
	    fr_str_i64(fr_span_of(PQgetvalue(res, 0, 0)), 1, INT32_MAX, &pid) !=
		FR_OK)
		pid = 0;
	PQclear(res);
	return pid;
}

/*
 * Our settings, prepared statements and LISTEN belong to a session, and would
 * get into other clients' hands. Who stands in between shows in the process's
 * number, which is not the one that we were told when we connected. With a
 * session of our own no other connection gets to the same process.
 */
enum fr_rc
fr_pg_unshared(struct fr_pg *s, struct fr_err *err)
{
	const int64_t pid = server_pid(s->db);
	bool shared = false;
	PGconn *other;
	int tries;

	if (pid == 0 || pid == PQbackendPID(s->db))
		return FR_OK;
	other = PQconnectdbParams(
	    (const char *const *)s->keys, (const char *const *)s->values, 0);
	for (tries = 0; tries < 5 && !shared; tries++)
		shared = PQstatus(other) == CONNECTION_OK &&
			 server_pid(other) == server_pid(s->db);
	PQfinish(other);
	if (!shared)
		return FR_OK;
	return fr_fail(err, FR_INVALID,
	    "postgres: a pooler stands before the server that shares sessions "
	    "between clients (pool_mode transaction or statement): it must be "
	    "session, or the URL that of the server itself");
}

enum fr_rc
fr_pg_session(struct fr_pg *s, struct fr_err *err)
{
	char sql[2048];
	PGresult *res = NULL;
	enum fr_rc rc;

	if (PQserverVersion(s->db) < 120000)
		return fr_fail(err, FR_INVALID,
		    "postgres: the server is older than version 12");
	if (!fr_str_format(
		sql, sizeof(sql), setup, s->schema, s->readonly ? "on" : "off"))
		return fr_fail(err, FR_INVALID, "postgres: schema: too long");
	rc = fr_pg_simple(s, sql, SETUP_MS, NULL, err);
	if (rc == FR_OK)
		rc = fr_pg_simple(s, look, SETUP_MS, &res, err);
	if (rc == FR_OK)
		rc = check(s, res, err);
	PQclear(res);
	return rc;
}

static const char *const version_sql[VERSION] = {
#include "sql/postgres-001.sql.h"
	,
#include "sql/postgres-002.sql.h"
};

/* The schema's version into *v: 0 if it is not there. The catalog is asked as
 * a table: to_regclass would answer from before the wait for the lock. */
static enum fr_rc
version(struct fr_pg *s, int64_t *v, struct fr_err *err)
{
	PGresult *res = NULL;
	struct fr_span text;
	char sql[256];
	enum fr_rc rc;

	*v = 0;
	if (!fr_str_format(sql, sizeof(sql),
		"SELECT EXISTS (SELECT 1 FROM pg_class WHERE "
		"relname = 'version' AND relnamespace = (SELECT oid "
		"FROM pg_namespace WHERE nspname = '%s'))",
		s->schema))
		return fr_fail(err, FR_INVALID, "postgres: schema: too long");
	rc = fr_pg_simple(s, sql, SETUP_MS, &res, err);
	if (rc == FR_OK && is(res, 0, "t")) {
		PQclear(res);
		rc = fr_pg_simple(
		    s, "SELECT max(version) FROM version", SETUP_MS, &res, err);
		if (rc == FR_OK) {
			text = fr_span_of(PQgetvalue(res, 0, 0));
			if (fr_str_i64(text, 0, INT32_MAX, v) != FR_OK)
				*v = 0;
		}
	}
	PQclear(res);
	if (rc == FR_OK && *v > VERSION)
		return fr_fail(err, FR_INVALID,
		    "postgres: schema %s has version %d, this program knows "
		    "%d: a newer one has changed it",
		    s->schema, (int)*v, VERSION);
	return rc;
}

/* Inside the transaction, with the lock. */
static enum fr_rc
migrate_from(struct fr_pg *s, int64_t v, struct fr_err *err)
{
	char sql[512];
	enum fr_rc rc = FR_OK;

	/* A schema that is there already may be all that we may use. */
	if (!fr_str_format(sql, sizeof(sql),
		"DO $$BEGIN IF NOT EXISTS (SELECT 1 FROM pg_namespace "
		"WHERE nspname = '%s') THEN "
		"CREATE SCHEMA %s; END IF; END$$; "
		"CREATE TABLE IF NOT EXISTS %s.version ("
		"version integer PRIMARY KEY, "
		"at timestamptz NOT NULL DEFAULT now())",
		s->schema, s->schema, s->schema))
		return fr_fail(err, FR_INVALID, "postgres: schema: too long");
	if (v == 0)
		rc = fr_pg_simple(s, sql, MIGRATE_MS, NULL, err);
	for (; rc == FR_OK && v < VERSION; v++) {
		if (v > 0)
			fr_log(FR_LOG_WARN,
			    "postgres: schema %s goes from version %d to %d; "
			    "if that is interrupted, it is as it was",
			    s->schema, (int)v, (int)v + 1);
		rc = fr_pg_simple(s, version_sql[v], MIGRATE_MS, NULL, err);
		if (rc != FR_OK)
			break;
		if (!fr_str_format(sql, sizeof(sql),
			"INSERT INTO version (version) VALUES (%d)",
			(int)v + 1))
			return fr_fail(err, FR_INVALID, "postgres: version");
		rc = fr_pg_simple(s, sql, MIGRATE_MS, NULL, err);
	}
	return rc;
}

/* All managers start at once, perhaps: one does it, the others wait. */
enum fr_rc
fr_pg_migrate(struct fr_pg *s, struct fr_err *err)
{
	char sql[256];
	enum fr_rc rc;
	int64_t v;

	rc = version(s, &v, err);
	if (rc != FR_OK || v == VERSION)
		return rc;
	if (s->readonly)
		return fr_fail(err, FR_NOTFOUND,
		    "postgres: schema %s is not there, or old", s->schema);
	if (!fr_str_format(sql, sizeof(sql),
		"BEGIN; SET LOCAL statement_timeout = 0; "
		"SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock("
		"hashtext('forerunner'), hashtext('%s'))",
		s->schema))
		return fr_fail(err, FR_INVALID, "postgres: schema: too long");
	rc = fr_pg_simple(s, sql, MIGRATE_MS, NULL, err);
	if (rc == FR_OK)
		rc = version(s, &v, err);
	if (rc == FR_OK)
		rc = migrate_from(s, v, err);
	if (rc == FR_OK)
		rc = fr_pg_simple(s, "COMMIT", MIGRATE_MS, NULL, err);
	if (rc == FR_OK && v > 0 && v < VERSION)
		fr_log(FR_LOG_WARN, "postgres: schema %s has version %d",
		    s->schema, VERSION);
	return rc;
}
