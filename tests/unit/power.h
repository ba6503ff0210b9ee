/* SPDX-License-Identifier: MIT */
#ifndef FR_POWER_H
#define FR_POWER_H

#include "unit.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A power cut, simulated. A layer over SQLite's unix files takes down every
 * write, truncation, sync and removal while it passes them on. Afterwards the
 * disk can be built as it might be found if the power had gone after any of
 * them: what was synced is there; of what was written since, each write, or
 * each sector of it, may be there or not.
 */
enum power_op {
	POWER_WRITE,
	POWER_TRUNCATE,
	POWER_SYNC,
	POWER_DELETE,
	POWER_ACK /* the store said that a commit is durable */
};

#define POWER_FILES 2 /* the database and its log */
static const char *const power_suffix[POWER_FILES] = { "", "-wal" };

struct power_entry {
	enum power_op op;
	int file;
	sqlite3_int64 at; /* where; for TRUNCATE how long, for ACK which */
	size_t len;
	unsigned char *bytes;
};

/* A file as the disk has it. */
struct power_image {
	bool there;
	size_t len, cap;
	unsigned char *p;
};

static struct {
	sqlite3_vfs vfs, *real;
	char path[200]; /* of the database that is watched; "": none */
	struct power_entry *v;
	size_t n, cap;
	/* The n-th write or sync from now on fails so; 0: none does. */
	unsigned fail_in;
	int fail_with;
} power;

struct power_file {
	sqlite3_file base;
	int n; /* which; -1: not watched */
	sqlite3_file *real;
};

static inline void
power_note(
    enum power_op op, int file, sqlite3_int64 at, const void *p, size_t n)
{
	struct power_entry *e;

	if (file < 0)
		return;
	if (power.n == power.cap) {
		power.cap = power.cap == 0 ? 1024 : power.cap * 2;
		power.v = realloc(power.v, power.cap * sizeof(*power.v));
		assert_non_null(power.v);
	}
	e = &power.v[power.n++];
	*e = (struct power_entry){ op, file, at, n, NULL };
	if (n > 0) {
		e->bytes = malloc(n);
		assert_non_null(e->bytes);
		memcpy(e->bytes, p, n);
	}
}

/* Is this the call that fails? Those of unwatched files do not count. */
static inline bool
power_fails(int file)
{
	return file >= 0 && power.fail_in > 0 && --power.fail_in == 0;
}

static inline sqlite3_file *
power_real(sqlite3_file *f)
{
	return ((struct power_file *)f)->real;
}

static inline int
power_close(sqlite3_file *f)
{
	return power_real(f)->pMethods->xClose(power_real(f));
}

static inline int
power_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return power_real(f)->pMethods->xRead(power_real(f), p, n, at);
}

static inline int
power_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (power_fails(((struct power_file *)f)->n))
		return power.fail_with == SQLITE_FULL ? SQLITE_FULL
						      : SQLITE_IOERR_WRITE;
	power_note(POWER_WRITE, ((struct power_file *)f)->n, at, p, (size_t)n);
	return power_real(f)->pMethods->xWrite(power_real(f), p, n, at);
}

static inline int
power_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	power_note(POWER_TRUNCATE, ((struct power_file *)f)->n, size, NULL, 0);
	return power_real(f)->pMethods->xTruncate(power_real(f), size);
}

static inline int
power_sync(sqlite3_file *f, int flags)
{
	int rc;

	if (power_fails(((struct power_file *)f)->n))
		return power.fail_with == SQLITE_FULL ? SQLITE_FULL
						      : SQLITE_IOERR_FSYNC;
	rc = power_real(f)->pMethods->xSync(power_real(f), flags);
	power_note(POWER_SYNC, ((struct power_file *)f)->n, 0, NULL, 0);
	return rc;
}

static inline int
power_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return power_real(f)->pMethods->xFileSize(power_real(f), size);
}

static inline int
power_lock(sqlite3_file *f, int level)
{
	return power_real(f)->pMethods->xLock(power_real(f), level);
}

static inline int
power_unlock(sqlite3_file *f, int level)
{
	return power_real(f)->pMethods->xUnlock(power_real(f), level);
}

static inline int
power_reserved(sqlite3_file *f, int *out)
{
	return power_real(f)->pMethods->xCheckReservedLock(power_real(f), out);
}

static inline int
power_control(sqlite3_file *f, int op, void *arg)
{
	return power_real(f)->pMethods->xFileControl(power_real(f), op, arg);
}

static inline int
power_sector(sqlite3_file *f)
{
	return power_real(f)->pMethods->xSectorSize(power_real(f));
}

static inline int
power_device(sqlite3_file *f)
{
	return power_real(f)->pMethods->xDeviceCharacteristics(power_real(f));
}

static inline int
power_shm_map(sqlite3_file *f, int n, int size, int more, void volatile **p)
{
	return power_real(f)->pMethods->xShmMap(
	    power_real(f), n, size, more, p);
}

static inline int
power_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return power_real(f)->pMethods->xShmLock(power_real(f), at, n, flags);
}

static inline void
power_shm_barrier(sqlite3_file *f)
{
	power_real(f)->pMethods->xShmBarrier(power_real(f));
}

static inline int
power_shm_unmap(sqlite3_file *f, int del)
{
	return power_real(f)->pMethods->xShmUnmap(power_real(f), del);
}

static const sqlite3_io_methods power_methods = {
	.iVersion = 2,
	.xClose = power_close,
	.xRead = power_read,
	.xWrite = power_write,
	.xTruncate = power_truncate,
	.xSync = power_sync,
	.xFileSize = power_size,
	.xLock = power_lock,
	.xUnlock = power_unlock,
	.xCheckReservedLock = power_reserved,
	.xFileControl = power_control,
	.xSectorSize = power_sector,
	.xDeviceCharacteristics = power_device,
	.xShmMap = power_shm_map,
	.xShmLock = power_shm_lock,
	.xShmBarrier = power_shm_barrier,
	.xShmUnmap = power_shm_unmap,
};

/* Which of the watched files has this name; -1: none. */
static inline int
power_which(const char *name)
{
	const size_t len = strlen(power.path);
	int i;

	if (name == NULL || len == 0 || strncmp(name, power.path, len) != 0)
		return -1;
	for (i = 0; i < POWER_FILES; i++)
		if (strcmp(name + len, power_suffix[i]) == 0)
			return i;
	return -1;
}

static inline int
power_open(
    sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct power_file *p = (struct power_file *)f;
	int rc;

	(void)vfs;
	memset(p, 0, sizeof(*p));
	p->real = (sqlite3_file *)(p + 1);
	p->n = power_which(name);
	rc = power.real->xOpen(power.real, name, p->real, flags, out);
	if (rc == SQLITE_OK)
		f->pMethods = &power_methods;
	return rc;
}

static inline int
power_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	power_note(POWER_DELETE, power_which(name), 0, NULL, 0);
	return power.real->xDelete(power.real, name, sync);
}

/* Watches the database at path from now on; "": nothing any more. */
static inline void
power_watch(const char *path)
{
	if (power.real == NULL) {
		power.real = sqlite3_vfs_find("unix");
		power.vfs = *power.real;
		power.vfs.zName = "power";
		power.vfs.szOsFile =
		    power.real->szOsFile + (int)sizeof(struct power_file);
		power.vfs.xOpen = power_open;
		power.vfs.xDelete = power_delete;
		assert_int_equal(
		    sqlite3_vfs_register(&power.vfs, 1), SQLITE_OK);
	}
	assert_true(strlen(path) < sizeof(power.path));
	memcpy(power.path, path, strlen(path) + 1);
}

static inline void
power_forget(void)
{
	size_t i;

	for (i = 0; i < power.n; i++)
		free(power.v[i].bytes);
	free(power.v);
	power.v = NULL;
	power.n = power.cap = 0;
}

static inline void
image_size(struct power_image *m, size_t len)
{
	m->there = true;
	if (len > m->cap) {
		m->cap = len * 2;
		m->p = realloc(m->p, m->cap);
		assert_non_null(m->p);
	}
	if (len > m->len)
		memset(m->p + m->len, 0, len - m->len);
	m->len = len;
}

static inline void
image_put(struct power_image *m, size_t at, const void *p, size_t n)
{
	if (at + n > m->len)
		image_size(m, at + n);
	memcpy(m->p + at, p, n);
}

static inline void
image_apply(struct power_image *m, const struct power_entry *e)
{
	if (e->op == POWER_WRITE)
		image_put(m, (size_t)e->at, e->bytes, e->len);
	else if (e->op == POWER_TRUNCATE && (size_t)e->at < m->len)
		image_size(m, (size_t)e->at);
	else if (e->op == POWER_DELETE)
		m->there = false, m->len = 0;
}

static inline void
image_copy(struct power_image *to, const struct power_image *from)
{
	to->len = 0;
	if (from->len > 0)
		image_put(to, 0, from->p, from->len);
	to->there = from->there;
}

/* How the disk treats what was not synced. */
enum power_luck { POWER_LOST, POWER_KEPT, POWER_SOME, POWER_TORN };
#define POWER_SECTOR 512U

static inline unsigned
power_draw(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245U + 12345U;
	return (*seed >> 16) % n;
}

/* One write that was not synced. */
static inline void
image_maybe(struct power_image *m, const struct power_entry *e,
    enum power_luck luck, unsigned *seed)
{
	size_t done = 0, n;

	if (luck == POWER_KEPT ||
	    (luck != POWER_LOST && e->op != POWER_WRITE &&
		power_draw(seed, 2) != 0) ||
	    (luck == POWER_SOME && power_draw(seed, 2) != 0)) {
		image_apply(m, e);
		return;
	}
	if (luck != POWER_TORN || e->op != POWER_WRITE)
		return;
	while (done < e->len) {
		n = POWER_SECTOR -
		    (size_t)(e->at + (sqlite3_int64)done) % POWER_SECTOR;
		if (n > e->len - done)
			n = e->len - done;
		if (power_draw(seed, 2) != 0)
			image_put(m, (size_t)e->at + done, e->bytes + done, n);
		done += n;
	}
}

static inline void
image_write(const struct power_image *m, const char *base, const char *suffix)
{
	char path[300];
	size_t done = 0;
	ssize_t n;
	int fd;

	(void)!snprintf(path, sizeof(path), "%s%s", base, suffix);
	(void)unlink(path);
	if (!m->there)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	while (done < m->len) {
		n = write(fd, m->p + done, m->len - done);
		assert_true(n > 0);
		done += (size_t)n;
	}
	close(fd);
}

#endif
