/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define CHUNK 65536

int
fr_io_write_all(int fd, const void *p, size_t len)
{
	const char *q = p;
	ssize_t n;

	while (len > 0) {
		n = write(fd, q, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		q += n;
		len -= (size_t)n;
	}
	return 0;
}

static ssize_t
read_some(int fd, void *p, size_t n)
{
	ssize_t got;

	do
		got = read(fd, p, n);
	while (got == -1 && errno == EINTR);
	return got;
}

enum fr_rc
fr_io_read_all(int fd, struct fr_buf *b, const char *name, struct fr_err *err)
{
	char more, *p;
	size_t room;
	ssize_t got;

	for (;;) {
		room = CHUNK;
		if (b->max_bytes != 0 && b->max_bytes - b->len < room)
			room = b->max_bytes - b->len;
		/* At the limit, one byte tells whether there would be more. */
		p = (room == 0 ? &more : fr_buf_reserve(b, room));
		if (p == NULL)
			return fr_fail(
			    err, FR_NOMEM, "read %s: out of memory", name);
		got = read_some(fd, p, room == 0 ? 1 : room);
		if (got == -1)
			return fr_failsys(err, FR_IO, "read %s", name);
		if (got == 0)
			return FR_OK;
		if (room == 0)
			return fr_fail(err, FR_TOOBIG,
			    "read %s: more than %zu bytes", name, b->max_bytes);
		fr_buf_commit(b, (size_t)got);
	}
}

enum fr_rc
fr_io_read_file(const char *path, struct fr_buf *b, struct fr_err *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum fr_rc rc;

	if (fd == -1)
		return fr_failsys(err, FR_IO, "open %s", path);
	rc = fr_io_read_all(fd, b, path, err);
	(void)close(fd);
	return rc;
}

/* Makes a rename in the directory of path durable. */
static enum fr_rc
sync_dir_of(const char *path, struct fr_err *err)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	enum fr_rc rc = FR_OK;
	int fd;

	if (slash == NULL)
		slash = path;
	if (!fr_str_copy(dir, sizeof(dir),
		slash == path
		    ? fr_span_of(*path == '/' ? "/" : ".")
		    : (struct fr_span){ path, (size_t)(slash - path) }))
		return fr_fail(err, FR_INVALID, "%s: name too long", path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return fr_failsys(err, FR_IO, "open %s", dir);
	if (fsync(fd) == -1)
		rc = fr_failsys(err, FR_IO, "sync %s", dir);
	(void)close(fd);
	return rc;
}

enum fr_rc
fr_io_replace(const char *path, const void *p, size_t len, struct fr_err *err)
{
	char tmp[PATH_MAX];
	enum fr_rc rc = FR_OK;
	int fd;

	if (!fr_str_format(tmp, sizeof(tmp), "%s.XXXXXX", path))
		return fr_fail(err, FR_INVALID, "%s: name too long", path);
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd == -1)
		return fr_failsys(err, FR_IO, "create %s", tmp);

	if (fr_io_write_all(fd, p, len) == -1) {
		rc = fr_failsys(err, FR_IO, "write %s", tmp);
		goto out;
	}
	if (fsync(fd) == -1) {
		rc = fr_failsys(err, FR_IO, "sync %s", tmp);
		goto out;
	}
	if (rename(tmp, path) == -1)
		rc = fr_failsys(err, FR_IO, "rename %s to %s", tmp, path);
out:
	(void)close(fd);
	if (rc != FR_OK) {
		(void)unlink(tmp);
		return rc;
	}
	return sync_dir_of(path, err);
}

static enum fr_rc
make_dir(const char *path, unsigned mode, struct fr_err *err)
{
	struct stat st;

	if (mkdir(path, (mode_t)mode) == 0)
		return FR_OK;
	if (errno == EEXIST && stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return FR_OK;
		errno = ENOTDIR;
	}
	return fr_failsys(err, FR_IO, "make directory %s", path);
}

enum fr_rc
fr_io_mkdirs(const char *path, unsigned mode, struct fr_err *err)
{
	char part[PATH_MAX];
	enum fr_rc rc;
	char *p;

	if (!fr_str_copy(part, sizeof(part), fr_span_of(path)) ||
	    part[0] == '\0')
		return fr_fail(
		    err, FR_INVALID, "make directory `%s`: bad name", path);
	for (p = part + 1; *p != '\0'; p++) {
		if (*p != '/' || p[-1] == '/')
			continue;
		*p = '\0';
		rc = make_dir(part, mode, err);
		if (rc != FR_OK)
			return rc;
		*p = '/';
	}
	return make_dir(part, mode, err);
}

int
fr_io_nonblock(int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	return flags == -1 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int
fr_io_cloexec(int fd)
{
	const int flags = fcntl(fd, F_GETFD);

	return flags == -1 ? -1 : fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}
