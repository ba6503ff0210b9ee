/* SPDX-License-Identifier: MIT */
#ifndef FR_WORKER_HELD_H
#define FR_WORKER_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/job.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/op.h"
#include "keep.h"
#include "run/runner.h"

/*
 * What this worker has of the manager's: jobs from the moment they arrive
 * until the manager has acknowledged their end. Their number and state are
 * also in the memory that the keeper shares.
 */

/* One answer; its jobs point into it, and the last of them frees it. */
struct intake {
	struct fr_arena *arena;
	struct fr_buf body;
	size_t refs;
};

struct job {
	struct fr_task task; /* first; task.user is the job */
	struct fr_token token;
	struct intake *in;
	struct job *prev, *next; /* of all that are held */
	struct job *chain;       /* of the same hash */
	size_t index;            /* in the shared table */
	int64_t renewed_ms;      /* its lease is at least as young as that */
	uint64_t serial;         /* grows with each job taken in */
	bool with_runner;        /* done() was not called yet */
	bool stopping;           /* it is not to be reported */
	bool warned;             /* --exclusive: SIGTERM was sent */
	bool orphan; /* the job has a newer lease: not named any more */

	/* its end, once it has one */
	struct batch *batch;
	struct job *bnext;
	enum fr_finish how;
	struct fr_span value, log;

	/* its newest progress */
	char *progress;
	size_t progress_len;
	bool progress_new;
	struct job *pnext; /* of those with new progress */
};

/* Ends that are reported together. */
struct batch {
	struct batch *next;
	struct fr_arena *arena;
	struct job *first, *last;
	size_t n, bytes;
	int64_t since_ms;
	bool sent; /* in an exchange that is under way */
};

#define HELD_HASH 4096

struct held {
	struct shared *shared;
	uint32_t *spare; /* free places in the shared table */
	size_t nspare;
	struct job *first;
	size_t n;
	size_t working;  /* with the runner */
	uint64_t serial; /* of the newest */
	struct job *hash[HELD_HASH];
	struct batch *batches, *last; /* oldest first */
	size_t unsent; /* ends in batches that are not on their way */
	size_t unsent_bytes;
	size_t most_bytes; /* of a batch */
	struct job *progressed;
};

/* false without memory. */
FR_MUSTCHECK bool held_init(struct held *h, struct shared *s);
/* Frees all; what is written down stays. Zeroed is fine. */
void held_fini(struct held *h);

/* Takes one of in's jobs in, which were asked for at since_ms; NULL: no place
 * or memory for it. */
struct job *held_take(struct held *h, struct intake *in,
    const struct fr_job *from, int64_t since_ms);
struct job *held_find(struct held *h, const struct fr_uuid *id);
void held_running(struct held *h, struct job *j);
/* It has ended so: copies value and log. */
void held_finish(struct held *h, struct job *j, enum fr_finish how,
    struct fr_span value, struct fr_span log);
/* It is nobody's concern any more. */
void held_drop(struct held *h, struct job *j);
void held_progress(struct held *h, struct job *j, struct fr_span json);

/* The end of the exchange that took these batches with it. */
void held_acknowledge(struct held *h);
void held_unsend(struct held *h);

/*
 * The exchange under way was too large. If it carried but one batch, that is
 * divided, and later ones are smaller. An end that is alone in its batch
 * becomes a failure with that error (a JSON string, not copied), and is
 * returned; NULL: none did.
 */
const struct job *held_shorten(struct held *h, struct fr_span error);

/* When the oldest end that is not on its way came; 0: none. */
int64_t held_since(const struct held *h);

void intake_free(struct intake *in); /* NULL is fine */

#endif
