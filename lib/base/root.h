/* SPDX-License-Identifier: MIT */
#ifndef FR_ROOT_H
#define FR_ROOT_H

#include <limits.h>
#include <stdbool.h>

#include <fr/err.h>

/*
 * A directory that paths may not leave: no "..", no symbolic link out of it
 * (the kernel resolves beneath it, openat2), not even while somebody moves
 * things about. Relative paths begin there; absolute ones must lie in it.
 * Without a directory any path is taken as it is, from the working directory.
 */
struct fr_root {
	int fd;
	bool confined;
	char given[PATH_MAX]; /* as it was named */
	char real[PATH_MAX];  /* and without symbolic links */
};

/* dir NULL: not confined. */
FR_MUSTCHECK enum fr_rc fr_root_open(
    struct fr_root *r, const char *dir, struct fr_err *err);
void fr_root_close(struct fr_root *r);

/*
 * Opens a file or directory for reading; it is never created. FR_DENIED out
 * of the root, or not allowed; FR_NOTFOUND; FR_INVALID no directory where the
 * path needs one; FR_IO. flags: O_DIRECTORY,
 * O_NOFOLLOW, O_PATH ...; O_CLOEXEC is added.
 */
FR_MUSTCHECK enum fr_rc fr_root_read(const struct fr_root *r, const char *path,
    int flags, int *fd, struct fr_err *err);

/* Opens a directory, and makes it and those above it that are missing. */
FR_MUSTCHECK enum fr_rc fr_root_dir(
    const struct fr_root *r, const char *path, int *fd, struct fr_err *err);

#endif
