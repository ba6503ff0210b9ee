/* SPDX-License-Identifier: MIT */
#ifndef FR_OUTCOME_H
#define FR_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include <fr/job.h>

#include "cli/prog.h"

/* What a job came to, as every program that waited for it says it. On a
 * terminal nothing of it can steer. */

/* A result on stdout, and a newline; raw: a string without its quotes and
 * escapes. No bytes are null. */
void fr_outcome_result(struct fr_span json, bool raw);

/* "NAME: job ID failed: error" on stderr, of any length; error: JSON or no
 * bytes. */
void fr_outcome_error(
    const char *id, enum fr_state state, struct fr_span error);

/*
 * When to stop waiting, on the monotonic clock in milliseconds, by an option
 * like --wait=TIME; -1: never. A TIME that is none is wrong usage.
 */
int64_t fr_outcome_until(const struct fr_prog *prog, const char *option,
    const struct fr_maybe *time);

#endif
