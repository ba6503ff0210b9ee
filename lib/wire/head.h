/* SPDX-License-Identifier: MIT */
#ifndef FR_WIRE_HEAD_H
#define FR_WIRE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/buf.h"

/*
 * The head of an HTTP/1.x request (RFC 9112), read strictly: wherever two
 * readers could disagree on where a message ends, it is refused. Lines end in
 * CR LF only, no field is folded or has white space before its colon, there
 * is at most one length, in digits, and never beside a transfer coding; a
 * Host is there exactly once.
 */
struct fr_head {
	struct fr_span method;
	struct fr_span path; /* begins with '/'; escapes checked, not decoded */
	struct fr_span query; /* without '?' */
	int minor;            /* HTTP/1.0 or 1.1 */
	bool keep;            /* another request may follow */
	bool expects;         /* 100-continue */
	bool chunked;
	bool has_length;
	uint64_t length; /* of the body; 0 without one */
	struct fr_span host;
	struct fr_span content_type;
	struct fr_span accept;
	struct fr_span authorization;
	struct fr_span last_event_id;
};

/*
 * Looks for the end of a head at the front of in, from *scan on (0 to begin;
 * becomes where to go on). FR_OK: *len is its length. FR_AGAIN: not all of
 * it is there. FR_SYNTAX: it can be no head. FR_TOOBIG: longer than max.
 */
FR_MUSTCHECK enum fr_rc fr_head_find(struct fr_span in, size_t max,
    size_t *scan, size_t *len, struct fr_err *err);

/*
 * Reads a head that fr_head_find has found. All spans point into it. On
 * failure *status is what to answer (400, 417, 501, 505), and nothing that
 * comes behind it may be read as a request.
 */
FR_MUSTCHECK enum fr_rc fr_head_parse(
    struct fr_span head, struct fr_head *h, int *status, struct fr_err *err);

/*
 * A chunked body, piece by piece. Zeroed to begin. Feeds in, whose first
 * *used bytes were taken, and adds what they hold to body. FR_OK: the body
 * has ended; FR_AGAIN: give more; FR_SYNTAX; FR_TOOBIG: more than body may
 * hold; FR_NOMEM.
 */
struct fr_chunked {
	int state;
	uint64_t left; /* of this chunk */
	size_t digits;
	size_t extra; /* bytes that are no data, since the last data */
	bool blank;   /* this line of the trailer has nothing yet */
};
FR_MUSTCHECK enum fr_rc fr_chunked_feed(struct fr_chunked *c, struct fr_span in,
    size_t *used, struct fr_buf *body, struct fr_err *err);

#endif
