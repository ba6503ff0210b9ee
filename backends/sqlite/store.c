/* SPDX-License-Identifier: MIT */
#include "backends/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/io.h"
#include "base/str.h"

#include "sq.h"

#define MAGIC 0x73716c69U

struct fr_sq *
fr_sq_of(struct fr_store *s)
{
	struct fr_sq *q = (struct fr_sq *)s;

	fr_assert(q != NULL && q->magic == MAGIC);
	return q;
}

struct fr_sq *
fr_sq_writer(struct fr_store *s)
{
	struct fr_sq *q = fr_sq_of(s);

	fr_assert(q->writing);
	return q;
}

/*
 * What we never change while running. secure_delete, which Debian builds in,
 * writes zeros over all that is deleted: a fifth of the time of a lease.
 * cell_size_check finds damage before it is walked into.
 */
static const char pragmas[] = "PRAGMA secure_delete = OFF;"
			      "PRAGMA synchronous = FULL;"
			      "PRAGMA temp_store = MEMORY;"
			      "PRAGMA trusted_schema = OFF;"
			      "PRAGMA cell_size_check = ON;"
			      "PRAGMA foreign_keys = OFF;"
			      "PRAGMA mmap_size = 0;";
/*
 * The writer's; a reader gets by with less. What a batch touches lies at the
 * ends of the tables and indexes, so 3 MiB of cache are as fast as 6 with any
 * number of jobs, and an idle manager stays small. Nor did pages of 8 KiB
 * help: a single job's commit would write twice as much. No mmap: an I/O
 * error would be a signal, not an error. The log's file is cut to 32 MiB when
 * a slow reader had made it longer.
 */
static const char pragmas_write[] = "PRAGMA cache_size = -3072;"
				    "PRAGMA journal_size_limit = 33554432;";
static const char pragmas_read[] = "PRAGMA cache_size = -2048;"
				   "PRAGMA query_only = ON;";

/* Directory names reach the disk with the directory they stand in. */
static void
sync_dirs(const char *path)
{
	char dir[PATH_MAX];
	char *slash;
	int fd;

	if (!fr_str_copy(dir, sizeof(dir), fr_span_of(path)))
		return;
	while ((slash = strrchr(dir, '/')) != NULL) {
		slash[slash == dir ? 1 : 0] = '\0';
		/* Those above may be closed to us; then they are not new. */
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd != -1) {
			(void)fsync(fd);
			close(fd);
		}
		if (slash == dir)
			break;
	}
}

/* What is there already: SQLite would say less, and later. */
static enum fr_rc
use_file(
    struct fr_sq *q, const char *path, const char *real, struct fr_err *err)
{
	struct stat st;

	if (stat(real, &st) == -1)
		return fr_failsys(err, FR_IO, "open %s", path);
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return fr_failsys(err, FR_IO, "open %s", path);
	}
	if (!S_ISREG(st.st_mode))
		return fr_fail(err, FR_IO, "open %s: not a regular file", path);
	if (!fr_str_copy(q->path, sizeof(q->path), fr_span_of(real)))
		return fr_fail(err, FR_INVALID, "open %s: name too long", path);
	return FR_OK;
}

/* The one true name of the file, so that all lock the same PATH.lock. */
static enum fr_rc
resolve(struct fr_sq *q, const char *path, struct fr_err *err)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	char dir[PATH_MAX], real[PATH_MAX];

	if (*base == '\0')
		return fr_fail(err, FR_USAGE,
		    "open sqlite:%s: not the name of a file", path);
	if (realpath(path, real) != NULL)
		return use_file(q, path, real, err);
	if (errno != ENOENT || q->readonly)
		return fr_failsys(err, FR_IO, "open %s", path);
	if (!fr_str_copy(dir, sizeof(dir),
		slash == NULL
		    ? FR_SPAN(".")
		    : (struct fr_span){
			  path, slash == path ? 1 : (size_t)(slash - path) }))
		return fr_fail(err, FR_INVALID, "open %s: name too long", path);
	/* Not made: a slip in a path would be an empty store elsewhere. */
	if (realpath(dir, real) == NULL)
		return errno == ENOENT
			   ? fr_fail(err, FR_NOTFOUND,
				 "open %s: there is no directory %s", path, dir)
			   : fr_failsys(err, FR_IO, "open %s", dir);
	if (!fr_str_format(q->path, sizeof(q->path), "%s/%s",
		strcmp(real, "/") == 0 ? "" : real, base))
		return fr_fail(err, FR_INVALID, "open %s: name too long", path);
	return FR_OK;
}

/* An empty file of our own mode, which SQLite's other files take over. */
static enum fr_rc
create_file(struct fr_sq *q, struct fr_err *err)
{
	const int fd =
	    open(q->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd == -1)
		return errno == EEXIST
			   ? FR_OK
			   : fr_failsys(err, FR_IO, "create %s", q->path);
	close(fd);
	return FR_OK;
}

static enum fr_rc
exec(struct fr_sq *q, const char *sql, struct fr_err *err)
{
	if (sqlite3_exec(q->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fr_sq_fail(q, "open", err);
	return FR_OK;
}

static enum fr_rc
use_wal(struct fr_sq *q, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc = FR_OK;

	if (sqlite3_prepare_v2(q->db, "PRAGMA journal_mode = WAL", -1, &st,
		NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		rc = fr_sq_fail(q, "open", err);
	else if (!fr_span_is(fr_sq_span(st, 0), "wal"))
		rc = fr_fail(err, FR_INVALID,
		    "open %s: this file system cannot hold a write-ahead log",
		    q->path);
	sqlite3_finalize(st);
	return rc;
}

static int
on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct fr_sq *q = arg;

	(void)db;
	(void)name;
	q->wal_pages = pages;
	return SQLITE_OK;
}

static enum fr_rc
last_seq(struct fr_sq *q, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_JOB_LAST, &st, err);
	if (rc == FR_OK)
		rc = fr_sq_step(q, st, err);
	if (rc != FR_OK)
		return rc;
	q->last_seq = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return FR_OK;
}

static enum fr_rc
open_write(struct fr_sq *q, struct fr_err *err)
{
	const bool is_new = access(q->path, F_OK) != 0;
	enum fr_rc rc;

	rc = fr_sq_lock(q->path, &q->lock_fd, err);
	if (rc == FR_OK)
		rc = create_file(q, err);
	if (rc != FR_OK)
		return rc;
	if (sqlite3_open_v2(q->path, &q->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_EXRESCODE,
		fr_sq_gather()) != SQLITE_OK)
		return fr_sq_fail(q, "open", err);
	sqlite3_busy_timeout(q->db, q->busy_ms);
	rc = exec(q, pragmas, err);
	if (rc == FR_OK)
		rc = exec(q, pragmas_write, err);
	if (rc == FR_OK)
		rc = use_wal(q, err);
	if (rc == FR_OK)
		rc = fr_sq_schema(q, err);
	if (rc == FR_OK)
		rc = last_seq(q, err);
	if (rc == FR_OK)
		rc = fr_sq_room_open(q, err);
	if (rc == FR_OK && is_new)
		sync_dirs(q->path);
	sqlite3_wal_hook(q->db, on_commit, q);
	return rc;
}

static enum fr_rc
open_read(struct fr_sq *q, struct fr_err *err)
{
	enum fr_rc rc;

	if (sqlite3_open_v2(q->path, &q->db,
		SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_EXRESCODE,
		NULL) != SQLITE_OK)
		return fr_sq_fail(q, "open", err);
	sqlite3_busy_timeout(q->db, q->busy_ms);
	rc = exec(q, pragmas, err);
	if (rc == FR_OK)
		rc = exec(q, pragmas_read, err);
	return rc == FR_OK ? fr_sq_schema(q, err) : rc;
}

static void
sq_close(struct fr_store *s)
{
	struct fr_sq *q;
	size_t i;

	if (s == NULL)
		return;
	q = fr_sq_of(s);
	fr_sq_rollback(s);
	for (i = 0; i < FR_SQ_STMTS; i++)
		sqlite3_finalize(q->stmt[i]);
	sqlite3_close(q->db);
	fr_sq_unlock(q->lock_fd);
	fr_sq_types_forget(q);
	fr_map_free(q->type_by_name);
	free(q->type_by_n);
	free(q->recall);
	q->magic = 0;
	free(q);
}

/* Counting every allocation under one lock serves nobody here. */
static void
configure(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum fr_rc
sq_open(
    struct fr_store **out, const char *args, unsigned flags, struct fr_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct fr_sq *q = calloc(1, sizeof(*q));
	enum fr_rc rc;

	pthread_once(&once, configure);
	if (q == NULL)
		return fr_fail(err, FR_NOMEM, "open %s: out of memory", args);
	q->store.ops = &fr_store_sqlite;
	q->magic = MAGIC;
	q->lock_fd = -1;
	q->busy_ms = FR_SQ_BUSY_MS;
	q->readonly = (flags & FR_STORE_READONLY) != 0;
	q->type_by_name = fr_map_new();
	rc = q->type_by_name != NULL
		 ? resolve(q, args, err)
		 : fr_fail(err, FR_NOMEM, "open %s: out of memory", args);
	if (rc == FR_OK)
		rc = q->readonly ? open_read(q, err) : open_write(q, err);
	if (rc != FR_OK) {
		sq_close(&q->store);
		return rc;
	}
	*out = &q->store;
	return FR_OK;
}

static const char *
sq_describe(struct fr_store *s)
{
	struct fr_sq *q = fr_sq_of(s);

	if (!fr_str_format(q->about, sizeof(q->about),
		"SQLite %s, WAL, synchronous=FULL: an accepted job survives a "
		"power cut",
		sqlite3_libversion()))
		q->about[0] = '\0';
	return q->about;
}

/* The folder's only symbol that others use. */
const struct fr_store_ops fr_store_sqlite = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_store_ops),
	.caps = FR_STORE_DURABLE | FR_STORE_LOCAL,
	.scheme = "sqlite",
	.open = sq_open,
	.close = sq_close,
	.describe = sq_describe,
	.begin = fr_sq_begin,
	.commit = fr_sq_commit,
	.rollback = fr_sq_rollback,
	.create = fr_sq_create,
	.lease = fr_sq_lease,
	.renew = fr_sq_renew,
	.renew_all = fr_sq_renew_all,
	.progress = fr_sq_progress,
	.complete = fr_sq_complete,
	.count_failed = fr_sq_count_failed,
	.failed = fr_sq_failed,
	.release = fr_sq_release,
	.cancel = fr_sq_cancel,
	.retry = fr_sq_retry,
	.remove = fr_sq_remove,
	.promote = fr_sq_promote,
	.expired = fr_sq_expired,
	.next_due = fr_sq_next_due,
	.get = fr_sq_get_jobs,
	.find = fr_sq_find,
	.list = fr_sq_list,
	.get_queue = fr_sq_get_queue,
	.running = fr_sq_running,
	.purge = fr_sq_purge,
	.stats = fr_sq_stats,
	.pause = fr_sq_pause,
	.outbox_put = fr_sq_outbox_put,
	.outbox_take = fr_sq_outbox_take,
	.outbox_done = fr_sq_outbox_done,
	.outbox_retry = fr_sq_outbox_retry,
};
