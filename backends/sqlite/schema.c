/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <string.h>

#include "base/str.h"

/* One file for each version; the first makes an empty database. */
static const char *const version_sql[] = {
#include "sql/sqlite-001.sql.h"
};
#define VERSION ((int)(sizeof(version_sql) / sizeof(*version_sql)))
#define APPLICATION 0x466f7265 /* "Fore", so that file(1) can know it */

static enum fr_rc
exec(struct fr_sq *q, const char *sql, const char *what, struct fr_err *err)
{
	if (sqlite3_exec(q->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fr_sq_fail(q, what, err);
	return FR_OK;
}

/* The first column of the first row, as a number. */
static enum fr_rc
number(struct fr_sq *q, const char *sql, int *v, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc = FR_OK;

	*v = 0;
	if (sqlite3_prepare_v2(q->db, sql, -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		rc = fr_sq_fail(q, "read schema of", err);
	else
		*v = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return rc;
}

/* Is it ours, and which version? 0: empty. */
static enum fr_rc
version(struct fr_sq *q, int *v, struct fr_err *err)
{
	int app = 0, tables = 0;
	enum fr_rc rc;

	rc = number(q, "PRAGMA user_version", v, err);
	if (rc == FR_OK)
		rc = number(q, "PRAGMA application_id", &app, err);
	if (rc == FR_OK)
		rc = number(
		    q, "SELECT count(*) FROM sqlite_schema", &tables, err);
	if (rc != FR_OK)
		return rc;
	if (tables > 0 && app != APPLICATION)
		return fr_fail(err, FR_INVALID,
		    "open %s: a database, but not one of Forerunner", q->path);
	if (*v < 0 || (*v > 0 && tables == 0))
		return fr_fail(err, FR_INVALID,
		    "open %s: says that its schema is of version %d, and has "
		    "%d tables and indexes: not made by Forerunner, or damaged",
		    q->path, *v, tables);
	if (*v > VERSION)
		return fr_fail(err, FR_INVALID,
		    "open %s: made by a newer Forerunner (schema %d, this one "
		    "knows %d)",
		    q->path, *v, VERSION);
	return FR_OK;
}

static enum fr_rc
migrate(struct fr_sq *q, int from, struct fr_err *err)
{
	char set[100];
	enum fr_rc rc;

	rc = exec(q, "BEGIN IMMEDIATE", "change schema of", err);
	if (rc != FR_OK)
		return rc;
	for (; from < VERSION && rc == FR_OK; from++)
		rc = exec(q, version_sql[from], "change schema of", err);
	if (rc == FR_OK &&
	    fr_str_format(set, sizeof(set),
		"PRAGMA user_version = %d; PRAGMA application_id = %d", VERSION,
		APPLICATION))
		rc = exec(q, set, "change schema of", err);
	if (rc == FR_OK)
		rc = exec(q, "COMMIT", "change schema of", err);
	if (rc != FR_OK && sqlite3_get_autocommit(q->db) == 0)
		(void)sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

enum fr_rc
fr_sq_schema(struct fr_sq *q, struct fr_err *err)
{
	enum fr_rc rc;
	int v = 0;

	rc = version(q, &v, err);
	if (rc != FR_OK || v == VERSION)
		return rc;
	if (q->readonly)
		return fr_fail(err, FR_INVALID,
		    "open %s: its schema is of version %d, not %d; start a "
		    "manager on it first",
		    q->path, v, VERSION);
	return migrate(q, v, err);
}
