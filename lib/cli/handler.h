/* SPDX-License-Identifier: MIT */
#ifndef FR_HANDLER_H
#define FR_HANDLER_H

#include <stdbool.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/arena.h"
#include "base/buf.h"

/*
 * What the built-in handlers share: one JSON value on stdin, one on stdout,
 * and the exit status of a handler (fr-handler(7)).
 */
struct fr_input {
	struct fr_buf text;
	struct fr_span value; /* the whole value, checked */
	struct fr_arena *arena;
};

/* Reads and checks stdin. FR_SYNTAX, FR_TOOBIG, FR_IO, FR_NOMEM. */
FR_MUSTCHECK enum fr_rc fr_input_open(struct fr_input *in, struct fr_err *err);
void fr_input_close(struct fr_input *in); /* zeroed is fine */

/* FR_INVALID unless the value is an object. Members that a handler does not
 * know are none of its business: in a chain they are other steps'. */
FR_MUSTCHECK enum fr_rc fr_input_object(
    const struct fr_input *in, struct fr_err *err);

/*
 * The text of a string member, decoded, in the arena. *text is NULL if it is
 * not there and not required. FR_INVALID: missing, no string, or has a NUL.
 */
FR_MUSTCHECK enum fr_rc fr_input_text(struct fr_input *in, const char *key,
    bool required, const char **text, struct fr_err *err);

/* The same for any string token; what: its name in the message. */
FR_MUSTCHECK enum fr_rc fr_input_string(struct fr_input *in,
    struct fr_span token, const char *what, const char **text,
    struct fr_err *err);

/*
 * Ends a handler: prints the result and a newline, or the message, and
 * returns the exit status: 0; 75 if trying again may help; 65 if not. Machine
 * trouble (I/O, memory, disk full) is 75 too, since the data is not to blame.
 */
FR_MUSTCHECK int fr_handler_end(
    enum fr_rc rc, struct fr_buf *result, const struct fr_err *err);

/* A handler's work: adds the result to it. conf: as given below. */
typedef enum fr_rc fr_handler_fn(const void *conf, struct fr_input *in,
    struct fr_buf *result, struct fr_err *err);

/* All that a handler does once its options are read; returns the exit status.
 */
FR_MUSTCHECK int fr_handler_run(fr_handler_fn *work, const void *conf);

#endif
