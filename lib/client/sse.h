/* SPDX-License-Identifier: MIT */
#ifndef FR_SSE_H
#define FR_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/buf.h"

/*
 * Takes a stream of server-sent events apart (WHATWG HTML, 9.2.6), piece by
 * piece as it comes. All fields are the parser's own.
 */
struct fr_sse {
	struct fr_buf line; /* the unfinished one */
	struct fr_buf data; /* of the unfinished event */
	struct fr_buf event;
	struct fr_buf id;      /* as read; it outlives events */
	struct fr_buf last_id; /* of the last event that was complete */
	int64_t retry_ms;      /* what the stream asked for; 0: nothing */
	bool after_cr;         /* a line feed now belongs to the line before */
	bool begun;            /* a byte order mark is past */
};

/* event is "message" if the stream names none; id and data may be empty.
 * Borrowed until the call returns. false ends the feeding. */
typedef bool fr_sse_emit_fn(
    void *arg, struct fr_span event, struct fr_span id, struct fr_span data);

/* max_bytes: of one event or line. */
void fr_sse_init(struct fr_sse *s, size_t max_bytes);
void fr_sse_fini(struct fr_sse *s);

/* A new connection: forgets what is unfinished, keeps the last id. */
void fr_sse_restart(struct fr_sse *s);

/* FR_OK; FR_TOOBIG over max_bytes or no memory; FR_TIMEOUT emit said so. */
FR_MUSTCHECK enum fr_rc fr_sse_feed(struct fr_sse *s, struct fr_span piece,
    fr_sse_emit_fn *emit, void *arg, struct fr_err *err);

#endif
