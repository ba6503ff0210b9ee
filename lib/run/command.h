/* SPDX-License-Identifier: MIT */
#ifndef FR_COMMAND_H
#define FR_COMMAND_H

#include <stdbool.h>

#include <fr/err.h>

/* What fr_spawn needs to run a command; both arrays end with NULL. */
struct fr_command {
	char **paths;
	char **argv;
};

/*
 * For `sh -c text`. A command that is only plain words, and no built-in one
 * of the shell, is executed without a shell between; a relative path as the
 * first word is taken from the current directory. path: PATH.
 */
FR_MUSTCHECK enum fr_rc fr_command_parse(struct fr_command *c, const char *text,
    const char *path, struct fr_err *err);

/* For one executable file, with an absolute path. */
FR_MUSTCHECK enum fr_rc fr_command_file(
    struct fr_command *c, const char *file, struct fr_err *err);

void fr_command_free(char **list); /* paths or argv; NULL is fine */

#endif
