/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <sys/statvfs.h>

/*
 * Room on the disk, taken before it is needed, so that jobs can be purged when
 * there is none left.
 *
 * What is committed stands in the log, and the log can be written from its
 * beginning again once all of it has been copied into the database. If the
 * database could not grow by what the log holds, the log would have to grow
 * for ever, even for a purge. So each transaction takes from the disk what the
 * database will need, before it is committed: then the log can be copied,
 * however full the disk is. And behind what is in the log there is always some
 * room that is the log's already, enough for a purge; where there is no more
 * of it, the log is copied and begins anew.
 *
 * A purge makes free pages in the database, and later jobs use them.
 */
#define GROW_BYTES (256 * 1024) /* the database, in steps of this */
/* New jobs leave so much of it for the reports about those that are there. */
#define KEPT_BYTES (128 * 1024)
/* The log, in all; with the most it will begin anew before it is full. */
#define LEAST_BYTES ((sqlite3_int64)1024 * 1024)
#define MOST_BYTES ((sqlite3_int64)16 * 1024 * 1024)
#define SPARE_BYTES ((sqlite3_int64)512 * 1024) /* behind what is in it */
#define FRAME_BYTES 24 /* in front of each page in the log */
#define PLENTY_BYTES ((uint64_t)64 * 1024 * 1024)

static enum fr_rc
number(struct fr_sq *q, enum fr_sq_stmt n, int64_t *v, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, n, &st, err);
	if (rc == FR_OK)
		rc = fr_sq_step(q, st, err);
	if (rc != FR_OK)
		return rc;
	*v = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return FR_OK;
}

enum fr_rc
fr_sq_room_open(struct fr_sq *q, struct fr_err *err)
{
	enum fr_rc rc;

	rc = number(q, FR_SQ_PAGE_BYTES, &q->page_bytes, err);
	if (rc == FR_OK)
		rc = number(q, FR_SQ_PAGES, &q->pages, err);
	/* Where there is no room for this now, there may be some later. */
	if (rc == FR_OK)
		(void)fr_sq_room_behind(q);
	return rc;
}

/* FCNTL_FILE_POINTER the database, FCNTL_JOURNAL_POINTER the log. */
static sqlite3_file *
file_of(struct fr_sq *q, int which)
{
	sqlite3_file *f = NULL;

	if (sqlite3_file_control(q->db, "main", which, &f) != SQLITE_OK ||
	    f == NULL || f->pMethods == NULL)
		return NULL;
	return f;
}

/*
 * Where it is shorter than least, it becomes as long as most, if there is room
 * for it; *size: how long it is now. By zeros: in the log they are no frames,
 * so to SQLite it ends before them; and how many pages the database has, its
 * first one says.
 */
static int
lengthen(sqlite3_file *f, int64_t least, int64_t most, int64_t *size)
{
	static char zeros[64 * 1024];
	sqlite3_int64 at, n, now;
	int rc;

	*size = 0;
	rc = f->pMethods->xFileSize(f, &now);
	if (rc != SQLITE_OK)
		return rc;
	for (at = now; now < least && at < most && rc == SQLITE_OK; at += n) {
		n = most - at;
		if (n > (sqlite3_int64)sizeof(zeros))
			n = (sqlite3_int64)sizeof(zeros);
		rc = f->pMethods->xWrite(f, zeros, (int)n, at);
	}
	/* What was gathered has to be there, too. */
	if (f->pMethods->xFileSize(f, &now) == SQLITE_OK)
		*size = now;
	if (*size >= least)
		return SQLITE_OK;
	return rc == SQLITE_OK ? SQLITE_FULL : rc;
}

enum fr_rc
fr_sq_room_take(struct fr_sq *q, struct fr_err *err)
{
	sqlite3_file *f;
	int64_t pages = 0, least, most;
	enum fr_rc rc;

	rc = number(q, FR_SQ_PAGES, &pages, err);
	if (rc != FR_OK)
		return rc;
	least = pages * q->page_bytes;
	most = least + GROW_BYTES;
	if (q->creates && pages > q->pages)
		least += KEPT_BYTES;
	f = least > q->db_bytes ? file_of(q, SQLITE_FCNTL_FILE_POINTER) : NULL;
	/* Any other error will come again where it matters. */
	if (f != NULL &&
	    (lengthen(f, least, most, &q->db_bytes) & 0xff) == SQLITE_FULL) {
		q->full = true;
		return fr_fail(
		    err, FR_NOSPACE, "write %s: the disk is full", q->path);
	}
	q->pages = pages;
	return FR_OK;
}

/* Where the disk is small or nearly full the jobs should have it. */
static bool
is_plenty(const struct fr_sq *q)
{
	struct statvfs v;

	return statvfs(q->path, &v) == 0 &&
	       (uint64_t)v.f_bavail * v.f_frsize >= PLENTY_BYTES;
}

bool
fr_sq_room_behind(struct fr_sq *q)
{
	const int64_t used = q->wal_pages * (q->page_bytes + FRAME_BYTES);
	int64_t least = used + SPARE_BYTES, most = LEAST_BYTES;
	sqlite3_file *f;

	if (least > MOST_BYTES)
		least = MOST_BYTES;
	if (least <= q->log_bytes)
		return true;
	f = file_of(q, SQLITE_FCNTL_JOURNAL_POINTER);
	if (f == NULL)
		return true;
	if (is_plenty(q))
		most = least < MOST_BYTES - SPARE_BYTES ? least + SPARE_BYTES
							: MOST_BYTES;
	return lengthen(f, least, most, &q->log_bytes) == SQLITE_OK;
}
