/* SPDX-License-Identifier: MIT */
#ifndef FR_HANDLING_H
#define FR_HANDLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/prog.h"
#include "run/handlers.h"
#include "run/runner.h"

/* What a program that runs handlers is told of them: fr-worker and fr-run. */
struct handling {
	int64_t slots; /* jobs at a time */
	struct fr_strs env;
	const char *dir; /* -H */
	int64_t kill_ms;
	size_t max_result;
	bool strict;
	const char *workdir;

	struct fr_handlers handlers;
	const char **child_env;
	int64_t soft_files; /* open files that handlers may have; -1: as we */
};

/* Their options, for a table; at: the offset of a member of handling. */
#define HANDLING_CONCURRENCY(at)                                               \
	{                                                                      \
		'c', "concurrency", FR_OPT_INT, "N", at(slots),                \
		    "jobs at a time (1)", 1, 4096                              \
	}
#define HANDLING_ENV(at)                                                       \
	{                                                                      \
		0, "env", FR_OPT_LIST, "NAME", at(env),                        \
		    "pass this variable to handlers too", 0, 0                 \
	}
#define HANDLING_HANDLERS(at)                                                  \
	{                                                                      \
		'H', "handlers", FR_OPT_STR, "DIR", at(dir),                   \
		    "every executable in DIR is a handler", 0, 0               \
	}
#define HANDLING_KILL_AFTER(at)                                                \
	{                                                                      \
		0, "kill-after", FR_OPT_DURATION, "TIME", at(kill_ms),         \
		    "from SIGTERM to SIGKILL for a handler (5s)", 0, 3600000   \
	}
#define HANDLING_MAX_RESULT(at)                                                \
	{                                                                      \
		0, "max-result", FR_OPT_SIZE, "SIZE", at(max_result),          \
		    "largest output of a handler (1MiB)", 1, 256 << 20         \
	}
#define HANDLING_STRICT(at)                                                    \
	{                                                                      \
		0, "strict", FR_OPT_FLAG, NULL, at(strict),                    \
		    "results must be JSON", 0, 0                               \
	}
#define HANDLING_WORKDIR(at)                                                   \
	{                                                                      \
		0, "workdir", FR_OPT_STR, "DIR", at(workdir),                  \
		    "where attempts get their directories", 0, 0               \
	}

/* Of their names, for the end of --help. */
#define HANDLING_MORE                                                          \
	"NAME alone is a built-in handler; NAME=COMMAND is given to sh -c;\n"  \
	"NAME.lines=COMMAND is kept running; NAME.chain=FILE is a chain.\n"

void handling_defaults(struct handling *h);

/*
 * Finds the handlers that names and options give, checks their chains, and
 * makes their environment, with FR_MANAGER in it if manager is not NULL.
 * What is wrong is said, and exits.
 */
void handling_load(struct handling *h, const struct fr_prog *prog,
    char *const names[], int n, const char *manager);

/* Says what in the directory might have been meant as a handler. */
void handling_warn(const struct handling *h);

/* What the runner needs of it. What it says goes to standard error; the other
 * callbacks are left to the caller. */
void handling_runner(
    struct handling *h, struct fr_workdir *w, struct fr_runner_conf *r);

#endif
