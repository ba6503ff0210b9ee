/* SPDX-License-Identifier: MIT */
#ifndef FR_SUBMIT_BATCH_H
#define FR_SUBMIT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/uuid.h"
#include "client/client.h"

/* What one request may hold (DESIGN section 4). */
#define BATCH_JOBS 10000
#define BATCH_BYTES ((size_t)16 << 20)
#define LINE_MOST BATCH_BYTES

/* How a line becomes a job: the same for all lines. */
struct recipe {
	const char *type;   /* lines are its data; NULL: lines are whole jobs */
	struct fr_buf head; /* of a job, behind its id */
	struct fr_uuid_gen gen;
	struct fr_rand rand;
	int64_t now_ms;
};

/* The jobs of one request, and what became of it. */
struct batch {
	struct fr_buf body; /* NDJSON */
	size_t n;
	size_t *start;          /* where job i begins in body; [BATCH_JOBS] */
	uint64_t *line;         /* its line in the input */
	struct fr_arena *arena; /* scratch for checking lines */
	int64_t begun_ms;       /* when the first line came */
	/* once it was sent */
	struct fr_call call; /* the answer has the ids */
	size_t accepted;     /* of the n, counted from the first */
	enum fr_rc rc;
	struct fr_err err;
	bool unknown; /* the rest may have been accepted, too */
};

FR_MUSTCHECK enum fr_rc batch_init(struct batch *b, struct fr_err *err);
void batch_fini(struct batch *b);
void batch_reset(struct batch *b);

/* Whether a line of this length still goes in. */
bool batch_fits(const struct batch *b, const struct recipe *r, size_t len);

/*
 * Checks a line and adds its job. FR_SYNTAX, FR_INVALID, FR_TOOBIG: the line
 * is bad, the message says why, and nothing was added.
 */
FR_MUSTCHECK enum fr_rc batch_add(struct batch *b, struct recipe *r,
    struct fr_span text, uint64_t line, struct fr_err *err);

/*
 * Sends it and waits. If the manager refuses one of the jobs, those before it
 * are sent again without it, so that always the first b->accepted were
 * accepted; b->rc and b->err say why not all of them.
 */
void batch_send(struct batch *b, struct fr_client *cl);

/* The id in {"id":...}, as the manager answers for each job; its usual form is
 * read at once. */
bool answered_id(struct fr_span line, struct fr_uuid *id);

/* Prints the ids of those accepted, in order. FR_IO: the answer is not one. */
FR_MUSTCHECK enum fr_rc batch_print(const struct batch *b, struct fr_err *err);

#endif
