/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/*
 * One writer: an open-file-description lock on PATH.lock. The kernel drops it
 * with the process, however that ends, and a fork does not; it holds against
 * a second handle of this process as well. The file stays, since removing it
 * would let two writers lock two files of one name. Its text, the pid, is only
 * read by those who did not get the lock.
 */

static enum fr_rc
in_use(int fd, const char *path, struct fr_err *err)
{
	char text[32] = "";
	const ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	int64_t pid = 0;
	size_t len;

	len = n > 0 ? strcspn(text, "\n") : 0;
	if (fr_str_i64((struct fr_span){ text, len }, 1, INT32_MAX, &pid) !=
	    FR_OK)
		return fr_fail(
		    err, FR_CONFLICT, "lock %s: in use by a process", path);
	return fr_fail(err, FR_CONFLICT, "lock %s: in use by pid %lld%s", path,
	    (long long)pid, pid == getpid() ? " (this one)" : "");
}

static bool
write_pid(int fd)
{
	char text[32];

	if (!fr_str_format(text, sizeof(text), "%ld\n", (long)getpid()))
		return false;
	return ftruncate(fd, 0) == 0 &&
	       pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text);
}

enum fr_rc
fr_sq_lock(const char *path, int *fd, struct fr_err *err)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[4096 + 8];
	enum fr_rc rc;
	int f;

	*fd = -1;
	if (!fr_str_format(name, sizeof(name), "%s.lock", path))
		return fr_fail(err, FR_INVALID, "lock %s: name too long", path);
	f = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (f == -1)
		return fr_failsys(err, FR_IO, "open %s", name);
	if (fcntl(f, F_OFD_SETLK, &fl) == -1) {
		if (errno == EAGAIN || errno == EACCES)
			rc = in_use(f, path, err);
		else
			rc = fr_failsys(err, FR_IO, "lock %s", name);
		close(f);
		return rc;
	}
	/* On a full disk the lock is as good without its text. */
	(void)write_pid(f);
	*fd = f;
	return FR_OK;
}

void
fr_sq_unlock(int fd)
{
	if (fd != -1)
		close(fd);
}
