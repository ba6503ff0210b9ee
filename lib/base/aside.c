/* SPDX-License-Identifier: MIT */
#include "base/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rand.h"
#include "base/str.h"

/* A name nobody else has; hidden, so that a listing does not show it. */
static void
new_name(struct fr_aside *a)
{
	struct fr_rand r;

	fr_rand_init(&r);
	if (!fr_str_format(a->tmp, sizeof(a->tmp), ".fr-%016llx",
		(unsigned long long)fr_rand_u64(&r)))
		abort();
}

enum fr_rc
fr_aside_open(struct fr_aside *a, int dir, struct fr_err *err)
{
	*a = (struct fr_aside)FR_ASIDE_INIT;
	a->dir = dir;
	a->fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	if (a->fd != -1)
		return FR_OK;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return fr_failsys(err, FR_IO, "create a file");
	new_name(a);
	a->fd =
	    openat(dir, a->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (a->fd == -1) {
		a->tmp[0] = '\0';
		return fr_failsys(err, FR_IO, "create a file");
	}
	return FR_OK;
}

enum fr_rc
fr_aside_commit(struct fr_aside *a, const char *name, struct fr_err *err)
{
	char self[40];

	if (fsync(a->fd) == -1)
		return fr_failsys(err, FR_IO, "sync %s", name);
	if (a->tmp[0] == '\0') {
		/* A link cannot replace a file, a rename can. */
		if (!fr_str_format(
			self, sizeof(self), "/proc/self/fd/%d", a->fd))
			abort();
		new_name(a);
		if (linkat(AT_FDCWD, self, a->dir, a->tmp, AT_SYMLINK_FOLLOW) ==
		    -1) {
			a->tmp[0] = '\0';
			return fr_failsys(err, FR_IO, "name %s", name);
		}
	}
	if (renameat(a->dir, a->tmp, a->dir, name) == -1)
		return fr_failsys(err, FR_IO, "rename to %s", name);
	a->tmp[0] = '\0';
	return FR_OK;
}

void
fr_aside_fini(struct fr_aside *a)
{
	if (a->fd != -1)
		(void)close(a->fd);
	if (a->tmp[0] != '\0')
		(void)unlinkat(a->dir, a->tmp, 0);
	*a = (struct fr_aside)FR_ASIDE_INIT;
}
