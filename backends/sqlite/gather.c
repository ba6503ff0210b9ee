/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/*
 * SQLite writes a page to its log in two calls, the head of a frame and the
 * page, and the log is a file that is only appended to, until it is synced.
 * So what is written to a log is gathered and written at once: a commit of
 * one job costs one call instead of ten.
 *
 * And a log that grows does so in larger steps, by zeros behind its end, which
 * SQLite takes for nothing: to sync what lies within a file takes half as
 * long as to sync a file that has grown.
 *
 * It is a file system of SQLite's ("VFS") in front of the default one, and
 * every other kind of file goes there directly. Nothing is gathered beyond a
 * sync, so what is durable, and when, stays as it was; and other handles read
 * only what a commit has synced.
 */

#define GATHER ((size_t)64 * 1024)
/* A step is as long as the log is, and at most this; and a log of this size
 * has its full length, and will be started anew. */
#define STEP ((sqlite3_int64)128 * 1024)
#define GROWN ((sqlite3_int64)16 * 1024 * 1024)

struct gather_vfs {
	sqlite3_vfs vfs; /* first */
	sqlite3_vfs *below;
	char name[64];
};

struct gather_file {
	sqlite3_file base; /* first */
	sqlite3_file *real;
	char *p; /* what is to be written, at this place */
	sqlite3_int64 at;
	size_t len;
	sqlite3_int64 size; /* of the file; -1: not known */
};

static struct gather_file *
gather_of(sqlite3_file *f)
{
	return (struct gather_file *)(void *)f;
}

/* What was written ends there. If there is no room for more, there is none
 * for what comes next either, and that will say so. */
static void
grow(struct gather_file *g, sqlite3_int64 end)
{
	static const char zeros[GATHER];
	sqlite3_int64 to;
	int n;

	if (g->size == -1 &&
	    g->real->pMethods->xFileSize(g->real, &g->size) != SQLITE_OK)
		g->size = -1;
	if (g->size == -1 || end < g->size)
		return;
	to = end + (end < STEP ? end : STEP);
	if (to > GROWN)
		to = GROWN;
	for (g->size = end; g->size < to; g->size += n) {
		n = to - g->size < (sqlite3_int64)GATHER ? (int)(to - g->size)
							 : (int)GATHER;
		if (g->real->pMethods->xWrite(g->real, zeros, n, g->size) !=
		    SQLITE_OK)
			return;
	}
}

static int
write_at(struct gather_file *g, const void *p, int n, sqlite3_int64 at)
{
	const int rc = g->real->pMethods->xWrite(g->real, p, n, at);

	if (rc == SQLITE_OK)
		grow(g, at + n);
	return rc;
}

/* If this fails the transaction does, so nobody will miss what is dropped. */
static int
flush(struct gather_file *g)
{
	const int len = (int)g->len;

	g->len = 0;
	return len == 0 ? SQLITE_OK : write_at(g, g->p, len, g->at);
}

static int
gather_close(sqlite3_file *f)
{
	struct gather_file *g = gather_of(f);
	const int rc = flush(g), closed = g->real->pMethods->xClose(g->real);

	free(g->p);
	g->p = NULL;
	return rc != SQLITE_OK ? rc : closed;
}

static int
gather_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	struct gather_file *g = gather_of(f);
	const int rc = flush(g);

	return rc != SQLITE_OK ? rc
			       : g->real->pMethods->xRead(g->real, p, n, at);
}

static int
gather_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct gather_file *g = gather_of(f);
	const size_t len = (size_t)n;
	int rc = SQLITE_OK;

	if (at != g->at + (sqlite3_int64)g->len || g->len + len > GATHER)
		rc = flush(g);
	if (rc == SQLITE_OK && g->p == NULL)
		g->p = malloc(GATHER);
	if (rc != SQLITE_OK || g->p == NULL || len > GATHER)
		return rc != SQLITE_OK ? rc : write_at(g, p, n, at);
	if (g->len == 0)
		g->at = at;
	memcpy(g->p + g->len, p, len);
	g->len += len;
	return SQLITE_OK;
}

static int
gather_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct gather_file *g = gather_of(f);
	const int rc = flush(g);

	g->size = -1;
	return rc != SQLITE_OK ? rc
			       : g->real->pMethods->xTruncate(g->real, size);
}

static int
gather_sync(sqlite3_file *f, int flags)
{
	struct gather_file *g = gather_of(f);
	const int rc = flush(g);

	return rc != SQLITE_OK ? rc : g->real->pMethods->xSync(g->real, flags);
}

static int
gather_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct gather_file *g = gather_of(f);
	const int rc = flush(g);

	return rc != SQLITE_OK ? rc
			       : g->real->pMethods->xFileSize(g->real, size);
}

static int
gather_lock(sqlite3_file *f, int level)
{
	sqlite3_file *real = gather_of(f)->real;

	return real->pMethods->xLock(real, level);
}

static int
gather_unlock(sqlite3_file *f, int level)
{
	sqlite3_file *real = gather_of(f)->real;

	return real->pMethods->xUnlock(real, level);
}

static int
gather_reserved(sqlite3_file *f, int *out)
{
	sqlite3_file *real = gather_of(f)->real;

	return real->pMethods->xCheckReservedLock(real, out);
}

static int
gather_control(sqlite3_file *f, int op, void *arg)
{
	sqlite3_file *real = gather_of(f)->real;

	return real->pMethods->xFileControl(real, op, arg);
}

static int
gather_sector(sqlite3_file *f)
{
	sqlite3_file *real = gather_of(f)->real;

	return real->pMethods->xSectorSize(real);
}

static int
gather_device(sqlite3_file *f)
{
	sqlite3_file *real = gather_of(f)->real;

	return real->pMethods->xDeviceCharacteristics(real);
}

static const sqlite3_io_methods gather_methods = {
	.iVersion = 1, /* no shared memory and no mapping: it is a log */
	.xClose = gather_close,
	.xRead = gather_read,
	.xWrite = gather_write,
	.xTruncate = gather_truncate,
	.xSync = gather_sync,
	.xFileSize = gather_size,
	.xLock = gather_lock,
	.xUnlock = gather_unlock,
	.xCheckReservedLock = gather_reserved,
	.xFileControl = gather_control,
	.xSectorSize = gather_sector,
	.xDeviceCharacteristics = gather_device,
};

static int
gather_open(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	sqlite3_vfs *below = ((struct gather_vfs *)(void *)vfs)->below;
	struct gather_file *g = gather_of(f);
	int rc;

	if ((flags & SQLITE_OPEN_WAL) == 0)
		return below->xOpen(below, name, f, flags, out);
	*g = (struct gather_file){ .size = -1 };
	g->real = (sqlite3_file *)(void *)(g + 1);
	memset(g->real, 0, (size_t)below->szOsFile);
	rc = below->xOpen(below, name, g->real, flags, out);
	if (rc == SQLITE_OK)
		f->pMethods = &gather_methods;
	else if (g->real->pMethods != NULL)
		(void)g->real->pMethods->xClose(g->real);
	return rc;
}

static const char *
find_or_make(sqlite3_vfs *below)
{
	struct gather_vfs *v;
	char name[sizeof(v->name)];

	if (below == NULL ||
	    !fr_str_format(name, sizeof(name), "forerunner-%s", below->zName))
		return NULL;
	if (sqlite3_vfs_find(name) != NULL)
		return sqlite3_vfs_find(name)->zName;
	v = malloc(sizeof(*v)); /* for as long as the process lives */
	if (v == NULL)
		return NULL;
	v->vfs = *below;
	v->below = below;
	memcpy(v->name, name, sizeof(name));
	v->vfs.zName = v->name;
	v->vfs.szOsFile += (int)sizeof(struct gather_file);
	v->vfs.xOpen = gather_open;
	v->vfs.pNext = NULL;
	if (sqlite3_vfs_register(&v->vfs, 0) == SQLITE_OK)
		return v->name;
	free(v);
	return NULL;
}

const char *
fr_sq_gather(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const char *name;

	pthread_mutex_lock(&lock);
	name = find_or_make(sqlite3_vfs_find(NULL));
	pthread_mutex_unlock(&lock);
	return name;
}
