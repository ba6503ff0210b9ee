/* SPDX-License-Identifier: MIT */
#ifndef FR_CHAIN_H
#define FR_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/buf.h"
#include "run/handlers.h"

/*
 * A chain file (fr-chain(5)), read into a program: nested chains are put in
 * place, between an ENTER and a LEAVE.
 */
enum fr_step_kind {
	FR_STEP_RUN,     /* the handler, on the data so far */
	FR_STEP_ENTER,   /* a chain begins, with a copy of the data */
	FR_STEP_LEAVE,   /* its last result is laid over the data outside */
	FR_STEP_PROGRESS /* says where it is */
};
struct fr_step {
	enum fr_step_kind kind;
	struct fr_handler *handler; /* RUN */
	bool owned;   /* the handler is this step's own: "| command" */
	char *prefix; /* RUN: "step 2 (fetch): " */
	char *text;   /* PROGRESS: a JSON string */
};

#define FR_CHAIN_DEPTH 8 /* chains within chains */
#define FR_CHAIN_STEPS 1000

struct fr_chain_file { /* to see whether it has changed */
	char *path;
	bool there;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};
struct fr_chain {
	struct fr_step *v;
	size_t n;
	unsigned depth; /* the deepest ENTER */
	unsigned refs;
	uint64_t generation; /* of the table it was read with */
	struct fr_chain_file *files;
	size_t nfiles;
};

/*
 * The program of h, a chain: read again only if a file of it or the table
 * has changed. The caller gets a reference of its own. FR_INVALID with
 * "FILE:LINE: what is wrong"; FR_IO.
 * FR_STALE: what was read again is wrong, err says so once, and *out is the
 * program that was read before; it stays in use until a file changes again.
 */
FR_MUSTCHECK enum fr_rc fr_chain_load(struct fr_handlers *hs,
    struct fr_handler *h, struct fr_chain **out, struct fr_err *err);
void fr_chain_unref(struct fr_chain *c); /* NULL is fine */

/*
 * Lays a result over data as {...data, ...result} does, token for token; a
 * result that is no object becomes {"result": ...}; data that is none counts
 * for nothing. Added to out; false without memory.
 */
FR_MUSTCHECK bool fr_chain_merge(
    struct fr_buf *out, struct fr_span data, struct fr_span result);

#endif
