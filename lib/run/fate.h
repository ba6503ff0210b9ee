/* SPDX-License-Identifier: MIT */
#ifndef FR_FATE_H
#define FR_FATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/buf.h"

/* What became of an attempt. */
enum fr_fate {
	FR_FATE_COMPLETE,
	FR_FATE_FAILED,   /* try again if attempts are left */
	FR_FATE_FINAL,    /* failed for good */
	FR_FATE_RELEASED, /* not the job's fault: given back, uncounted */
	FR_FATE_STOPPED   /* fr_runner_stop was asked for */
};

struct fr_ending {
	enum fr_fate fate;
	struct fr_span value; /* JSON: the result, or the error (a string) */
	struct fr_span log;   /* a JSON string, or len 0 */
};

/*
 * What a handler wrote as a result, added to json: one JSON value without
 * white space, null for nothing, else a string of the text without its last
 * newline. out is changed. FR_SYNTAX with strict if it is not JSON, or if it
 * is not UTF-8; FR_TOOBIG if it is too deep or longer than max_bytes (0: no
 * limit); FR_NOMEM.
 */
FR_MUSTCHECK enum fr_rc fr_fate_result(struct fr_buf *out, bool strict,
    size_t max_bytes, struct fr_buf *json, struct fr_err *err);

/* One line of fd 3: JSON as it is, else a string; added to json. */
void fr_fate_progress(struct fr_span line, struct fr_buf *json);

/* What wait(2) said: "exit status 3", "killed by signal 9 (KILL)". */
void fr_fate_status(int status, char *dst, size_t size);

/*
 * The text of an error: what, then the end of the log (both, if both is
 * true and there is a log; else the log's end, or what if it is empty).
 */
void fr_fate_error(
    struct fr_buf *text, const char *what, bool both, struct fr_span log);

/* A program's exit status as a fate: 65 final, 126 and 127 released. */
enum fr_fate fr_fate_of(int status);

/* The last bytes of a stream. */
struct fr_tail {
	struct fr_buf b;
	size_t max;     /* bytes that are kept */
	uint64_t total; /* bytes that were seen */
};
void fr_tail_init(struct fr_tail *t, size_t max_bytes);
void fr_tail_fini(struct fr_tail *t);
void fr_tail_reset(struct fr_tail *t);
/* Room for some bytes, to be committed; NULL without memory. */
char *fr_tail_reserve(struct fr_tail *t, size_t n);
void fr_tail_commit(struct fr_tail *t, size_t n);
/* What came after the first `from` bytes and is still there. Borrowed. */
struct fr_span fr_tail_since(const struct fr_tail *t, uint64_t from);

#endif
