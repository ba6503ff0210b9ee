/* SPDX-License-Identifier: MIT */
#ifndef FR_RUN_HANDLERS_H
#define FR_RUN_HANDLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

/* What does the jobs of one type. */
enum fr_handler_kind {
	FR_HANDLER_BUILTIN, /* an executable of ours */
	FR_HANDLER_COMMAND, /* NAME=COMMAND, for sh -c */
	FR_HANDLER_FILE,    /* an executable in the directory */
	FR_HANDLER_CHAIN,   /* a file that names others; see run/chain.h */
	FR_HANDLER_LINES    /* a file or command that is kept running */
};

struct fr_handler {
	char type[FR_TYPE_MAX + 1];
	enum fr_handler_kind kind;
	bool from_dir;    /* found in the directory, not named */
	bool gone;        /* was there, and is not any more */
	bool hidden;      /* only for chains that name it */
	bool withdrawn;   /* it cannot be run on this machine */
	char reason[200]; /* why it was withdrawn */
	char *text;       /* the command or path */
	char **paths;     /* for fr_spawn; NULL for a chain */
	char **argv;
	struct fr_chain *chain; /* as it was last read; NULL */
	size_t number;          /* its place in the table */
	void *user;             /* the runner's own */
};

struct fr_handlers {
	struct fr_handler **v; /* never taken away before fini */
	size_t n;
	uint64_t generation; /* grows when the table changes */
	char *dir;           /* -H; NULL: none */
	char *ignored;       /* an executable in it with an impossible name */
	char *libexec;       /* where the built-in ones are */
	char *path;          /* PATH of all handlers */
};

/*
 * path: PATH for handlers, behind the built-in ones' directory; NULL: a
 * usual one. libexec: the directory with handlers/ in it. Copies both.
 */
FR_MUSTCHECK enum fr_rc fr_handlers_init(struct fr_handlers *hs,
    const char *libexec, const char *path, struct fr_err *err);
void fr_handlers_fini(struct fr_handlers *hs);

/*
 * NAME, or NAME=COMMAND; with .lines behind NAME the command is kept
 * running, with .chain it is the path of a chain file. FR_USAGE: a bad name
 * or one that is there already; FR_NOTFOUND: no such built-in handler.
 */
FR_MUSTCHECK enum fr_rc fr_handlers_add(
    struct fr_handlers *hs, const char *arg, struct fr_err *err);

/*
 * Reads the directory, again if it was read before: what is gone is marked
 * so, what was withdrawn gets another chance. Names given to
 * fr_handlers_add win over files. FR_CONFLICT: two files for one type.
 */
FR_MUSTCHECK enum fr_rc fr_handlers_scan(
    struct fr_handlers *hs, const char *dir, struct fr_err *err);

/* The usable handler of a type; NULL: none. */
struct fr_handler *fr_handlers_find(
    const struct fr_handlers *hs, struct fr_span type);

/*
 * As a chain names one: a type of the table, or else a built-in handler,
 * which is then added to the table, hidden. NULL: none.
 */
struct fr_handler *fr_handlers_named(
    struct fr_handlers *hs, struct fr_span name);

/* One for `sh -c command`, which the caller frees with fr_handler_free. */
struct fr_handler *fr_handler_command(
    const struct fr_handlers *hs, const char *type, const char *command);
void fr_handler_free(struct fr_handler *h); /* NULL is fine */

#endif
