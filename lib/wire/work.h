/* SPDX-License-Identifier: MIT */
#ifndef FR_WIRE_WORK_H
#define FR_WIRE_WORK_H

#include <fr/err.h>
#include <fr/job.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/op.h"
#include "wire/job.h"

/* The worker's exchange, POST /v1/work (DESIGN section 5), both ways. */

/*
 * Reads a request into *x. A lease token that is not 32 hex digits becomes
 * all zero, so that it is refused as stale. Errors as fr_wire_job_parse.
 */
FR_MUSTCHECK enum fr_rc fr_wire_work_parse(struct fr_span json,
    const struct fr_wire_limits *limits, struct fr_arena *arena,
    struct fr_exchange *x, struct fr_err *err);

/* Adds the request of *x. */
void fr_wire_work_request(struct fr_buf *b, const struct fr_exchange *x);

/* Adds the answer of *x: {"jobs":[…],"stop":[…],"refused":[…]}. */
void fr_wire_work_answer(struct fr_buf *b, const struct fr_exchange *x);

/*
 * Reads an answer: jobs (id, type, attempt, max_attempts, lease, data,
 * timeout_ms), stop, refused and lease_ms (of the jobs; 0 if there are none).
 * Spans point into json.
 */
FR_MUSTCHECK enum fr_rc fr_wire_work_read(struct fr_span json,
    struct fr_arena *arena, struct fr_exchange *x, struct fr_err *err);

#endif
