/* SPDX-License-Identifier: MIT */
#include "base/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

enum fr_rc
fr_root_open(struct fr_root *r, const char *dir, struct fr_err *err)
{
	*r = (struct fr_root){ .fd = AT_FDCWD };
	if (dir == NULL)
		return FR_OK;
	r->confined = true;
	r->fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->fd == -1)
		return fr_failsys(err, FR_IO, "open %s", dir);
	if (realpath(dir, r->real) == NULL)
		return fr_failsys(err, FR_IO, "open %s", dir);
	if (!fr_str_copy(r->given, sizeof(r->given), fr_span_of(dir)))
		return fr_fail(err, FR_INVALID, "%s: name too long", dir);
	return FR_OK;
}

void
fr_root_close(struct fr_root *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = AT_FDCWD;
}

/* What of an absolute path lies behind the directory; NULL: not in it. */
static const char *
behind(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	while (len > 0 && dir[len - 1] == '/')
		len--;
	if (dir[0] != '/' || strncmp(path, dir, len) != 0 ||
	    (path[len] != '/' && path[len] != '\0'))
		return NULL;
	path += len;
	return path + strspn(path, "/");
}

static bool
has_dotdot(const char *path)
{
	size_t n;

	for (; *path != '\0'; path += n + strspn(path + n, "/")) {
		n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.')
			return true;
	}
	return false;
}

/* The path from r->fd, or NULL and *err. Borrowed from path. */
static const char *
from_root(const struct fr_root *r, const char *path, struct fr_err *err)
{
	const char *rel = path;

	if (path[0] == '\0') {
		(void)fr_fail(err, FR_INVALID, "empty path");
		return NULL;
	}
	if (!r->confined)
		return path;
	if (path[0] == '/') {
		rel = behind(path, r->given);
		if (rel == NULL)
			rel = behind(path, r->real);
	}
	if (rel == NULL || has_dotdot(rel)) {
		(void)fr_fail(
		    err, FR_DENIED, "open %s: outside of the root", path);
		return NULL;
	}
	return rel[0] == '\0' ? "." : rel;
}

/* openat(2), beneath the root if there is one; -1 and errno. */
static int
open_at(const struct fr_root *r, const char *rel, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC | O_RDONLY),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	if (!r->confined)
		return openat(r->fd, rel, flags | O_CLOEXEC | O_RDONLY);
	return (int)syscall(SYS_openat2, r->fd, rel, &how, sizeof(how));
}

static enum fr_rc
open_failed(const char *path, struct fr_err *err)
{
	if (errno == EXDEV)
		return fr_fail(
		    err, FR_DENIED, "open %s: outside of the root", path);
	/* The path is at fault, not the machine. */
	if (errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG)
		return fr_failsys(err, FR_INVALID, "open %s", path);
	return fr_failsys(err, FR_IO, "open %s", path);
}

enum fr_rc
fr_root_read(const struct fr_root *r, const char *path, int flags, int *fd,
    struct fr_err *err)
{
	const char *rel = from_root(r, path, err);

	if (rel == NULL)
		return err == NULL ? FR_INVALID : err->rc;
	*fd = open_at(r, rel, flags);
	return *fd == -1 ? open_failed(path, err) : FR_OK;
}

/*
 * One step below the directory dir, which stays open: makes name if it is
 * missing. rel is the path of the step from the root.
 */
static enum fr_rc
make_step(const struct fr_root *r, int dir, const char *rel, const char *name,
    int *fd, struct fr_err *err)
{
	*fd = open_at(r, rel, O_DIRECTORY);
	if (*fd != -1)
		return FR_OK;
	if (errno != ENOENT)
		return open_failed(rel, err);
	if (mkdirat(dir, name, 0777) == -1 && errno != EEXIST)
		return fr_failsys(err, FR_IO, "make %s", rel);
	*fd = open_at(r, rel, O_DIRECTORY);
	return *fd == -1 ? open_failed(rel, err) : FR_OK;
}

enum fr_rc
fr_root_dir(
    const struct fr_root *r, const char *path, int *fd, struct fr_err *err)
{
	const char *rel = from_root(r, path, err);
	char part[PATH_MAX];
	enum fr_rc rc = FR_OK;
	size_t at = 0;
	int dir = -1, next = -1;

	if (rel == NULL)
		return err == NULL ? FR_INVALID : err->rc;
	if (!fr_str_copy(part, sizeof(part), fr_span_of(rel)))
		return fr_fail(err, FR_INVALID, "%s: name too long", path);
	dir = open_at(r, rel, O_DIRECTORY);
	if (dir == -1 && errno != ENOENT)
		return open_failed(path, err);
	if (dir != -1) {
		*fd = dir;
		return FR_OK;
	}
	/* Something is missing: step by step from the top. */
	dir = open_at(r, part[0] == '/' ? "/" : ".", O_DIRECTORY);
	if (dir == -1)
		return open_failed(path, err);
	at = strspn(part, "/");
	while (rc == FR_OK && part[at] != '\0') {
		const size_t end = at + strcspn(part + at, "/");
		const char mark = part[end];

		part[end] = '\0';
		rc = make_step(r, dir, part, part + at, &next, err);
		part[end] = mark;
		if (rc == FR_OK) {
			(void)close(dir);
			dir = next;
			at = end + strspn(part + end, "/");
		}
	}
	if (rc != FR_OK)
		(void)close(dir);
	else
		*fd = dir;
	return rc;
}
