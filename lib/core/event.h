/* SPDX-License-Identifier: MIT */
#ifndef FR_EVENT_H
#define FR_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/buf.h"

/*
 * The event stream: numbered events in a ring in memory. The engine writes,
 * one reader thread reads; both may call at any time (it has the only lock
 * beside the inbox's). Nothing is kept before the first reader has asked.
 */
struct fr_event_ring;

/* max_bytes: the text that is kept; older events are forgotten. */
struct fr_event_ring *fr_event_ring_new(size_t max_bytes);
void fr_event_ring_free(struct fr_event_ring *r);

/* Begins to keep events; idempotent. */
void fr_event_ring_want(struct fr_event_ring *r);
bool fr_event_ring_wanted(struct fr_event_ring *r);

/* Adds one: json is one line. The number only grows; it begins with the
 * wall-clock time of the start, so that it also grows over restarts. */
void fr_event_ring_add(struct fr_event_ring *r, enum fr_event_kind kind,
    struct fr_span type, const struct fr_uuid *id, struct fr_span json);

/*
 * Calls emit for each event with a number > after, oldest first, at most
 * limit of them, and returns the number of the last one seen (or after).
 * *gap (may be NULL) tells whether some in between are forgotten. emit must
 * not call the ring.
 */
typedef void fr_event_emit_fn(void *arg, int64_t number,
    enum fr_event_kind kind, struct fr_span type, const struct fr_uuid *id,
    struct fr_span json);
int64_t fr_event_ring_read(struct fr_event_ring *r, int64_t after, size_t limit,
    bool *gap, fr_event_emit_fn *emit, void *arg);
/* The number of the newest one. */
int64_t fr_event_ring_last(struct fr_event_ring *r);

/*
 * Adds one event to b, as hooks and the event stream see it: {"event","id",
 * "type","at","attempt","worker"} and, as the kind has it, "progress",
 * "result", or "error" with "fail_count" and "run_at".
 */
void fr_event_write(struct fr_buf *b, enum fr_event_kind kind,
    const struct fr_job *job, int64_t now_ms);

#endif
