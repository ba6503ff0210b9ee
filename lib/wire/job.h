/* SPDX-License-Identifier: MIT */
#ifndef FR_WIRE_JOB_H
#define FR_WIRE_JOB_H

#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/arena.h"
#include "base/buf.h"

/* A job in the JSON of the HTTP API (DESIGN section 4), both directions. */

struct fr_wire_limits {
	size_t max_value_bytes; /* data, result, error; 1 MiB by default */
	unsigned max_depth;     /* 64 by default */
};

/*
 * Reads one job as a client submits it. Everything in *job is set: defaults,
 * state (scheduled if it has a time that has not come), created_ms = now_ms,
 * run_at_ms; id is all zero if the client chose none. Spans are in the arena
 * or in json; data is compacted. Errors: FR_SYNTAX not JSON; FR_INVALID a
 * wrong or unknown field, which the message names ("field `priority`: ...");
 * FR_TOOBIG; FR_NOMEM.
 */
FR_MUSTCHECK enum fr_rc fr_wire_job_parse(struct fr_span json,
    const struct fr_wire_limits *limits, int64_t now_ms, struct fr_arena *arena,
    struct fr_job *job, struct fr_err *err);

/* Adds the request object of a job (fields at their defaults are left out;
 * id all zero: none). run_at_ms 0: now. */
void fr_wire_job_request(struct fr_buf *b, const struct fr_job *job);

/*
 * Adds a job as the API answers it, all fields of DESIGN section 4, absent
 * ones as null. waiting: why it is not running, or NULL for null.
 */
void fr_wire_job_write(
    struct fr_buf *b, const struct fr_job *job, const char *waiting);

/*
 * Reads a job as the API answers it (for clients). Spans point into json;
 * key, type and worker are decoded into the arena. *waiting (may be NULL)
 * points into the arena. Unknown fields are skipped.
 */
FR_MUSTCHECK enum fr_rc fr_wire_job_read(struct fr_span json,
    struct fr_arena *arena, struct fr_job *job, struct fr_span *waiting,
    struct fr_err *err);

#endif
