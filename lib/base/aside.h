/* SPDX-License-Identifier: MIT */
#ifndef FR_ASIDE_H
#define FR_ASIDE_H

#include <fr/err.h>

/*
 * A file that is written aside and gets its name when it is whole, so that
 * nobody ever sees half of it. Where the file system can, it has no name at
 * all until then, and nothing is left of it if the writer is killed.
 */
struct fr_aside {
	int fd;       /* write here; -1: none */
	int dir;      /* borrowed, must outlive it */
	char tmp[40]; /* its name so far; "" for none */
};

#define FR_ASIDE_INIT                                                          \
	{                                                                      \
		-1, -1, ""                                                     \
	}

/* In the directory dir. Errors: FR_IO and what fr_failsys makes of it. */
FR_MUSTCHECK enum fr_rc fr_aside_open(
    struct fr_aside *a, int dir, struct fr_err *err);

/* Syncs it, and gives it this name in dir, in place of a file that had it.
 * The directory is not synced. fini is still due. */
FR_MUSTCHECK enum fr_rc fr_aside_commit(
    struct fr_aside *a, const char *name, struct fr_err *err);

/* Closes it; what was not committed is gone. */
void fr_aside_fini(struct fr_aside *a);

#endif
