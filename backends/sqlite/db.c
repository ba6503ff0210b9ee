/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <errno.h>

#include "base/assert.h"

/* Statements, errors, transactions and the write-ahead log. */

/*
 * After so many pages in the log they are copied to the database, at the end
 * of a commit. The more, the oftener a page is changed before it is copied;
 * but the longer that one commit takes. A commit of few jobs writes five
 * pages and more: with 1,000 every hundredth would copy, and be the slowest
 * percent of all that wait for them.
 */
#define WAL_PAGES 4000
/* With so many a slow reader has kept us from starting the log anew. */
#define WAL_HUGE 32000
#define WAL_WAIT_MS 100

static enum fr_rc
rc_of(int code, int os_error)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return FR_NOSPACE;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return FR_AGAIN;
	case SQLITE_NOMEM:
		return FR_NOMEM;
	case SQLITE_TOOBIG:
		return FR_TOOBIG;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return FR_DENIED;
	default:
		break;
	}
	if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
		return FR_UNKNOWN;
	if (code == SQLITE_IOERR_NOMEM)
		return FR_NOMEM;
	if (code == SQLITE_IOERR_SHMSIZE || os_error == ENOSPC ||
	    os_error == EDQUOT)
		return FR_NOSPACE;
	return FR_IO;
}

enum fr_rc
fr_sq_fail(struct fr_sq *q, const char *what, struct fr_err *err)
{
	const int code = sqlite3_extended_errcode(q->db);
	const enum fr_rc rc = rc_of(code, sqlite3_system_errno(q->db));

	if (rc == FR_IO || rc == FR_UNKNOWN)
		q->stopped = true;
	if (rc == FR_NOSPACE)
		q->full = true;
	if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
		return fr_fail(err, rc,
		    "%s %s: %s; keep a copy of it and of %s-wal, then try "
		    "sqlite3 %s .recover",
		    what, q->path, sqlite3_errmsg(q->db), q->path, q->path);
	return fr_fail(err, rc, "%s %s: %s (%d)", what, q->path,
	    sqlite3_errmsg(q->db), code);
}

static enum fr_rc
prepare(struct fr_sq *q, enum fr_sq_stmt n, struct fr_err *err)
{
	if (q->stmt[n] != NULL ||
	    sqlite3_prepare_v3(q->db, fr_sq_text[n], -1,
		SQLITE_PREPARE_PERSISTENT, &q->stmt[n], NULL) == SQLITE_OK)
		return FR_OK;
	q->spoiled = true;
	return fr_sq_fail(q, "use", err);
}

/* Rolls back what could not be rolled back when it was time, for want of
 * memory. Until then nothing else is done. */
static enum fr_rc
pay(struct fr_sq *q, struct fr_err *err)
{
	enum fr_rc rc;

	rc = prepare(q, FR_SQ_ROLLBACK, err);
	if (rc == FR_OK)
		rc = fr_sq_run(q, q->stmt[FR_SQ_ROLLBACK], err);
	q->owed = sqlite3_get_autocommit(q->db) == 0;
	return q->owed ? rc : FR_OK;
}

void
fr_sq_undo(struct fr_sq *q)
{
	/* After some errors SQLite has rolled back by itself. */
	q->owed = sqlite3_get_autocommit(q->db) == 0;
	if (q->owed)
		(void)pay(q, NULL);
}

enum fr_rc
fr_sq_get(
    struct fr_sq *q, enum fr_sq_stmt n, sqlite3_stmt **st, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;

	if (q->owed)
		rc = pay(q, err);
	if (rc == FR_OK)
		rc = prepare(q, n, err);
	if (rc == FR_OK)
		*st = q->stmt[n];
	return rc;
}

enum fr_rc
fr_sq_step(struct fr_sq *q, sqlite3_stmt *st, struct fr_err *err)
{
	enum fr_rc rc;

	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		return FR_OK;
	case SQLITE_DONE:
		return FR_NOTFOUND;
	default:
		break;
	}
	rc = fr_sq_fail(q, q->writing ? "write" : "read", err);
	q->spoiled = true;
	sqlite3_reset(st);
	return rc;
}

enum fr_rc
fr_sq_run(struct fr_sq *q, sqlite3_stmt *st, struct fr_err *err)
{
	enum fr_rc rc;

	do
		rc = fr_sq_step(q, st, err);
	while (rc == FR_OK);
	sqlite3_reset(st);
	return rc == FR_NOTFOUND ? FR_OK : rc;
}

void
fr_sq_text_at(sqlite3_stmt *st, int i, struct fr_span s)
{
	int rc;

	if (s.len == 0)
		rc = sqlite3_bind_null(st, i);
	else
		rc = sqlite3_bind_text64(
		    st, i, s.p, s.len, SQLITE_STATIC, SQLITE_UTF8);
	fr_assert(rc == SQLITE_OK);
}

void
fr_sq_blob_at(sqlite3_stmt *st, int i, const void *p, size_t len)
{
	const int rc = sqlite3_bind_blob64(st, i, p, len, SQLITE_STATIC);

	fr_assert(rc == SQLITE_OK);
}

void
fr_sq_data_at(sqlite3_stmt *st, int i, struct fr_span s)
{
	if (s.len == 0)
		sqlite3_bind_text(st, i, "", 0, SQLITE_STATIC);
	else
		fr_sq_text_at(st, i, s);
}

enum fr_rc
fr_sq_by_seq(
    struct fr_sq *q, enum fr_sq_stmt n, int64_t seq, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, n, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, seq);
	return fr_sq_run(q, st, err);
}

struct fr_span
fr_sq_span(sqlite3_stmt *st, int i)
{
	const char *p = sqlite3_column_blob(st, i);

	return (struct fr_span){ p, (size_t)sqlite3_column_bytes(st, i) };
}

enum fr_rc
fr_sq_begin(struct fr_store *s, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_of(s);
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	if (q->readonly)
		return fr_fail(
		    err, FR_DENIED, "write %s: opened read-only", q->path);
	if (q->stopped)
		return fr_fail(err, FR_IO,
		    "write %s: an I/O error came before; start again", q->path);
	fr_assert(!q->writing);
	rc = fr_sq_get(q, FR_SQ_BEGIN, &st, err);
	if (rc == FR_OK)
		rc = fr_sq_run(q, st, err);
	q->spoiled = q->creates = false;
	q->writing = rc == FR_OK;
	return rc;
}

/*
 * Copies the log into the database. A reader may keep some of it from being
 * copied; then we come again later. No space: the log keeps what could not be
 * copied. An I/O error stops the store; what was committed is in the log.
 */
static void
checkpoint(struct fr_sq *q)
{
	const bool huge = q->wal_pages >= WAL_HUGE;
	int in_log = 0, copied = 0, code;

	if (huge)
		sqlite3_busy_timeout(q->db, WAL_WAIT_MS);
	code = sqlite3_wal_checkpoint_v2(q->db, NULL,
	    huge ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
	    &in_log, &copied);
	if (huge)
		sqlite3_busy_timeout(q->db, FR_SQ_BUSY_MS);
	if (code != SQLITE_OK) {
		enum fr_rc rc = rc_of(sqlite3_extended_errcode(q->db),
		    sqlite3_system_errno(q->db));
		if (rc == FR_IO || rc == FR_UNKNOWN)
			q->stopped = true;
	}
	q->db_bytes = q->log_bytes = 0; /* they may have been cut */
	q->wal_next = WAL_PAGES;
	if (code != SQLITE_OK || copied < in_log)
		q->wal_next = q->wal_pages + WAL_PAGES / 4;
}

void
fr_sq_rollback(struct fr_store *s)
{
	struct fr_sq *q = fr_sq_of(s);

	if (!q->writing)
		return;
	fr_sq_undo(q);
	q->writing = false;
	q->seq_used = true;
	fr_sq_counts_forget(q);
	if (q->types_made)
		fr_sq_types_forget(q);
	/* The next one may be smaller, and can have all of the log. */
	if (q->full && !q->stopped && !q->owed)
		checkpoint(q);
	q->full = false;
}

static enum fr_rc
commit_failed(struct fr_sq *q, enum fr_rc rc, struct fr_err *err)
{
	/* The last page may have got there. */
	if (rc == FR_IO) {
		rc = FR_UNKNOWN;
		if (err != NULL)
			err->rc = rc;
	}
	fr_sq_rollback(&q->store);
	return rc;
}

enum fr_rc
fr_sq_commit(struct fr_store *s, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	if (q->spoiled) {
		fr_sq_rollback(s);
		return fr_fail(err, FR_AGAIN,
		    "commit to %s: a call before has failed", q->path);
	}
	rc = fr_sq_counts_flush(q, err);
	if (rc == FR_OK)
		rc = fr_sq_room_take(q, err);
	if (rc == FR_OK)
		rc = fr_sq_get(q, FR_SQ_COMMIT, &st, err);
	if (rc != FR_OK) {
		fr_sq_rollback(s);
		return rc;
	}
	rc = fr_sq_run(q, st, err);
	if (rc != FR_OK)
		return commit_failed(q, rc, err);
	q->writing = false;
	q->types_made = false;
	if (q->wal_pages >= q->wal_next || !fr_sq_room_behind(q))
		checkpoint(q);
	return FR_OK;
}
