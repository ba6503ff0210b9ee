/* SPDX-License-Identifier: MIT */
#ifndef FR_REPLY_H
#define FR_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include <fr/job.h>

/* A line that a kept handler writes. */
struct fr_reply {
	enum { FR_REPLY_RESULT, FR_REPLY_ERROR, FR_REPLY_PROGRESS } kind;
	struct fr_span value; /* JSON, borrowed from the line */
	struct fr_span id;    /* a string token; p NULL: none */
	bool final;
};

/* false: it is not one JSON object with `result`, `error` or `progress`. */
bool fr_reply_read(struct fr_span line, struct fr_reply *a);

/* The text of an error, cut to size. */
void fr_reply_error(const struct fr_reply *a, char *dst, size_t size);

#endif
