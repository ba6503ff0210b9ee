/* SPDX-License-Identifier: MIT */
#ifndef FR_WORKDIR_H
#define FR_WORKDIR_H

#include <limits.h>
#include <stdbool.h>

#include <fr/err.h>

/* The directory of a worker, in which each attempt has one of its own. */
struct fr_workdir {
	int fd; /* -1: closed */
	char path[PATH_MAX - 32];
	unsigned aside; /* names of what cannot be removed */
};

/* Makes a new one, only for the user, under parent. FR_IO, FR_DENIED ... */
FR_MUSTCHECK enum fr_rc fr_workdir_open(
    struct fr_workdir *w, const char *parent, struct fr_err *err);
/* Removes it with everything in it; a closed one is fine. */
void fr_workdir_close(struct fr_workdir *w);

/*
 * An empty directory, made or kept, and its path into path. It stays until
 * fr_workdir_drop. What has the name and cannot be removed is moved out of the
 * way; a worker's directory that somebody has removed is made again.
 */
FR_MUSTCHECK enum fr_rc fr_workdir_make(struct fr_workdir *w, const char *name,
    char path[PATH_MAX], struct fr_err *err);
/*
 * Nobody uses it any more. With keep it stays if it is as it was made, for
 * the next fr_workdir_make of that name; else it is removed. true: it stayed.
 */
bool fr_workdir_drop(const struct fr_workdir *w, const char *name, bool keep);

/* Removes a directory and what is in it, never following a symbolic link. */
void fr_workdir_remove(const char *path);

#endif
