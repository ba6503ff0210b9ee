/* SPDX-License-Identifier: MIT */
#ifndef FR_WIRE_READ_H
#define FR_WIRE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/arena.h"
#include "wire/job.h"

/*
 * What the parsers of this folder share: one member of an object at a time,
 * checked, with an error that names the field. All values were passed by
 * fr_json_check before.
 */
struct fr_read {
	struct fr_arena *arena;
	const struct fr_wire_limits *limits;
	struct fr_err *err;
	const char *list; /* "finished" in field `finished[3].id`, or NULL */
	size_t index;
};

/* The longest that any time may be: ten thousand days. */
#define FR_READ_MAX_MS ((int64_t)10000 * 86400 * 1000)

/* Which of the n names the key is, or -1. */
int fr_read_find(struct fr_span key, const char *const *names, int n);

/*
 * Which of the n names (n <= 32) the key is. FR_INVALID for an unknown one,
 * and for one that *seen already has; *seen gets its bit.
 */
FR_MUSTCHECK enum fr_rc fr_read_field(const struct fr_read *r,
    struct fr_span key, const char *const *names, int n, uint32_t *seen,
    int *which);

/* Writes "field `list[3].field`: ..." into r->err; returns rc. */
enum fr_rc fr_read_bad(const struct fr_read *r, enum fr_rc rc,
    const char *field, const char *fmt, ...) FR_PRINTF(4, 5);

/* A UUID, not the one of all zeros. */
FR_MUSTCHECK enum fr_rc fr_read_id(const struct fr_read *r, const char *field,
    struct fr_span v, struct fr_uuid *id);
/* Text of min..max bytes without NUL, decoded: into v or into the arena. */
FR_MUSTCHECK enum fr_rc fr_read_text(const struct fr_read *r, const char *field,
    struct fr_span v, size_t min, size_t max, struct fr_span *out);
/* The name of a type. */
FR_MUSTCHECK enum fr_rc fr_read_type(const struct fr_read *r, const char *field,
    struct fr_span v, struct fr_span *out);
FR_MUSTCHECK enum fr_rc fr_read_i64(const struct fr_read *r, const char *field,
    struct fr_span v, int64_t min, int64_t max, int64_t *out);
/* Seconds, as milliseconds from min_ms to ten thousand days. */
FR_MUSTCHECK enum fr_rc fr_read_seconds(const struct fr_read *r,
    const char *field, struct fr_span v, int64_t min_ms, int64_t *ms);
FR_MUSTCHECK enum fr_rc fr_read_bool(
    const struct fr_read *r, const char *field, struct fr_span v, bool *out);
/* An array; *n becomes the number of its elements. */
FR_MUSTCHECK enum fr_rc fr_read_array(const struct fr_read *r,
    const char *field, struct fr_span v, size_t max, size_t *n);

/* v without white space between its tokens: v itself if there is none, else
 * in the arena. FR_NOMEM. */
FR_MUSTCHECK enum fr_rc fr_read_compact(
    const struct fr_read *r, struct fr_span v, struct fr_span *out);
/* The same; FR_TOOBIG over the limit of a value. */
FR_MUSTCHECK enum fr_rc fr_read_value(const struct fr_read *r,
    const char *field, struct fr_span v, struct fr_span *out);

/*
 * Checks a whole text that must be an object of objects: extra levels are
 * allowed beyond what a value may have.
 */
FR_MUSTCHECK enum fr_rc fr_read_object(struct fr_span json,
    const struct fr_wire_limits *limits, unsigned extra, struct fr_span *object,
    struct fr_err *err);

/* FR_NOMEM, with its message in the reader's err. */
FR_MUSTCHECK enum fr_rc fr_read_nomem(const struct fr_read *r);

#endif
