/* SPDX-License-Identifier: MIT */
#include "module.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * What a module may do is all that we may do, so it is only loaded from a
 * file that nobody else could have written, by a path that no search finds.
 */
static enum fr_rc
check_file(const char *path, struct fr_err *err)
{
	struct stat st;

	if (strchr(path, '/') == NULL)
		return fr_fail(err, FR_USAGE,
		    "load %s: a module's path contains a slash; write ./%s",
		    path, path);
	if (stat(path, &st) == -1)
		return fr_failsys(err, FR_IO, "load %s", path);
	if (!S_ISREG(st.st_mode))
		return fr_fail(err, FR_INVALID, "load %s: not a file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fr_fail(err, FR_DENIED,
		    "load %s: belongs to user %ld, not to root or to us", path,
		    (long)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fr_fail(err, FR_DENIED,
		    "load %s: others may write to it (mode %03o)", path,
		    (unsigned)st.st_mode & 0777);
	return FR_OK;
}

static enum fr_rc
check_table(const struct fr_module *m, const char *path, struct fr_err *err)
{
	if (m->abi != FR_BACKEND_ABI)
		return fr_fail(err, FR_BROKEN,
		    "load %s: made for version %u of the interface, this is %u",
		    path, (unsigned)m->abi, FR_BACKEND_ABI);
	if (m->size != sizeof(*m))
		return fr_fail(err, FR_BROKEN,
		    "load %s: its fr_module has %u bytes, ours has %zu", path,
		    (unsigned)m->size, sizeof(*m));
	return FR_OK;
}

enum fr_rc
fr_module_load(const struct fr_module **m, const char *path, struct fr_err *err)
{
	enum fr_rc rc = check_file(path, err);
	void *so;

	if (rc != FR_OK)
		return rc;
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (so == NULL)
		return fr_fail(err, FR_BROKEN, "load %s", dlerror());
	*m = dlsym(so, "fr_module");
	if (*m == NULL)
		return fr_fail(
		    err, FR_BROKEN, "load %s: it has no fr_module", path);
	return check_table(*m, path, err);
}
