/* SPDX-License-Identifier: MIT */
#ifndef FR_JUDGE_H
#define FR_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/prog.h"
#include "conform/conform.h"

/* What the two judges of backends share: fr-store-test and fr-queue-test. */
struct judge {
	const char *only;
	int64_t seed;
	bool list;
};

/* Their options, for a table; at: the offset of a member of judge. */
#define JUDGE_LIST(at)                                                         \
	{                                                                      \
		0, "list", FR_OPT_FLAG, NULL, at(list),                        \
		    "print the names of the checks and exit", 0, 0             \
	}
#define JUDGE_ONLY(at)                                                         \
	{                                                                      \
		0, "only", FR_OPT_STR, "TEXT", at(only),                       \
		    "run the checks whose name contains TEXT", 0, 0            \
	}
#define JUDGE_SEED(at)                                                         \
	{                                                                      \
		0, "seed", FR_OPT_INT, "N", at(seed),                          \
		    "repeat the random choices of the run with this seed", 0,  \
		    0                                                          \
	}

/* A seed of its own for each run. */
void judge_defaults(struct judge *j);

/* --list: prints the names; returns the exit status. */
int judge_list(void (*names)(struct fr_buf *out));

/*
 * Runs the checks on what run names, with TAP on stdout, and says what came of
 * them on stderr; returns the exit status: 1 only if a check failed.
 */
int judge_run(const struct judge *j, struct fr_conform *run,
    enum fr_rc (*checks)(const struct fr_conform *, struct fr_err *));

#endif
