/* SPDX-License-Identifier: MIT */
/*
 * Making and removing a directory costs more than starting a process on some
 * file systems (0.15 ms on ext4 here), so one that is still as it was made
 * can be kept for the next attempt. It is made with a modification time of 0:
 * whatever is created in it sets another one.
 */
#include "run/workdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define DEPTH_MAX 200 /* of open directories while removing a tree */

/* The lock tells systemd-tmpfiles(8) that it is in use, however old. */
static bool
hold(struct fr_workdir *w)
{
	const int fd =
	    open(w->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return false;
	(void)flock(fd, LOCK_SH | LOCK_NB);
	if (w->fd != -1)
		(void)close(w->fd);
	w->fd = fd;
	return true;
}

enum fr_rc
fr_workdir_open(struct fr_workdir *w, const char *parent, struct fr_err *err)
{
	char path[PATH_MAX];

	w->fd = -1;
	w->aside = 0;
	w->path[0] = '\0';
	/* Absolute: handlers are started from it wherever we are. */
	if (realpath(parent, path) == NULL)
		return fr_failsys(err, FR_IO, "open %s", parent);
	if (!fr_str_format(
		w->path, sizeof(w->path), "%s/fr-worker.XXXXXX", path)) {
		w->path[0] = '\0';
		return fr_fail(err, FR_INVALID, "%s: name too long", parent);
	}
	if (mkdtemp(w->path) == NULL) {
		w->path[0] = '\0';
		return fr_failsys(err, FR_IO, "make a directory in %s", parent);
	}
	if (!hold(w))
		return fr_failsys(err, FR_IO, "open %s", w->path);
	return FR_OK;
}

/* A directory whose owner took his own rights away gets them back. */
static int
open_dir(int at, const char *name)
{
	char link[64];
	int fd, path;

	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd != -1 || errno != EACCES)
		return fd;
	path = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (path == -1)
		return -1;
	if (fr_str_format(link, sizeof(link), "/proc/self/fd/%d", path))
		(void)chmod(link, 0700);
	(void)close(path);
	return openat(
	    at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * Removes what is in the open directory fd, which it closes. What lies too
 * deep is moved to the top (with a name from *moved) for another round.
 */
static void
empty(int fd, int top, unsigned depth, unsigned *moved)
{
	struct dirent *de;
	char name[32];
	DIR *d = fdopendir(fd);
	int sub;

	if (d == NULL) {
		(void)close(fd);
		return;
	}
	(void)fchmod(fd, 0700);
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, de->d_name, 0) == 0 ||
		    unlinkat(fd, de->d_name, AT_REMOVEDIR) == 0)
			continue;
		if (depth == 0) {
			if (fr_str_format(
				name, sizeof(name), ".deep-%u", (*moved)++))
				(void)renameat(fd, de->d_name, top, name);
			continue;
		}
		sub = open_dir(fd, de->d_name);
		if (sub == -1)
			continue;
		empty(sub, top, depth - 1, moved);
		(void)unlinkat(fd, de->d_name, AT_REMOVEDIR);
	}
	(void)closedir(d);
}

static void
remove_at(int at, const char *name)
{
	unsigned moved = 0, before;
	int fd, top;

	do {
		if (unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return;
		before = moved;
		fd = open_dir(at, name);
		top = open_dir(at, name);
		if (fd != -1)
			empty(fd, top, DEPTH_MAX, &moved);
		if (top != -1)
			(void)close(top);
	} while (moved != before);
	(void)unlinkat(at, name, AT_REMOVEDIR);
}

void
fr_workdir_remove(const char *path)
{
	if (path[0] != '\0')
		remove_at(AT_FDCWD, path);
}

void
fr_workdir_close(struct fr_workdir *w)
{
	if (w->fd == -1)
		return;
	(void)close(w->fd);
	w->fd = -1;
	fr_workdir_remove(w->path);
}

/* What could not be removed: in it may be things that another user made, in a
 * container say. */
static bool
move_aside(struct fr_workdir *w, const char *name)
{
	char other[32];

	return fr_str_format(other, sizeof(other), "left-%u", w->aside++) &&
	       renameat(w->fd, name, w->fd, other) == 0;
}

static bool
make(struct fr_workdir *w, const char *name)
{
	if (mkdirat(w->fd, name, 0700) == 0)
		return true;
	if (errno == EEXIST)
		return move_aside(w, name) && mkdirat(w->fd, name, 0700) == 0;
	/* Others clear old things away where temporary files are. */
	return errno == ENOENT && mkdir(w->path, 0700) == 0 && hold(w) &&
	       mkdirat(w->fd, name, 0700) == 0;
}

enum fr_rc
fr_workdir_make(struct fr_workdir *w, const char *name, char path[PATH_MAX],
    struct fr_err *err)
{
	const struct timespec never[2] = { { 0, 0 }, { 0, 0 } };

	if (!fr_str_format(path, PATH_MAX, "%s/%s", w->path, name))
		return fr_fail(err, FR_INVALID, "%s: name too long", w->path);
	if (!make(w, name))
		return fr_failsys(err, FR_IO, "make %s", path);
	(void)utimensat(w->fd, name, never, AT_SYMLINK_NOFOLLOW);
	return FR_OK;
}

bool
fr_workdir_drop(const struct fr_workdir *w, const char *name, bool keep)
{
	struct stat st;

	if (keep && fstatat(w->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mode == (S_IFDIR | 0700) && st.st_mtim.tv_sec == 0 &&
	    st.st_mtim.tv_nsec == 0)
		return true;
	remove_at(w->fd, name);
	return false;
}
