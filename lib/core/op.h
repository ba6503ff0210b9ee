/* SPDX-License-Identifier: MIT */
#ifndef FR_OP_H
#define FR_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>
#include <fr/store.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/heap.h"

/*
 * The requests that the engine understands. A request thread fills one in,
 * hands it over with fr_engine_submit, and gets the same struct back,
 * answered, from fr_engine_take. All that it points to lives in its arena or
 * longer; the engine borrows it until the answer is released.
 */
struct fr_taker;

enum fr_op_kind {
	FR_OP_CREATE,
	FR_OP_WORK,
	FR_OP_CANCEL,
	FR_OP_RETRY,
	FR_OP_REMOVE,
	FR_OP_PAUSE,
	FR_OP_RESUME,
	FR_OP_PURGE,
	FR_OP_WAIT,    /* answered when the job has ended, or at until_ms */
	FR_OP_WORKERS, /* who is there */
	FR_OP_OUTBOX,  /* take and give back events for hooks */
	FR_OP_READY    /* answered FR_OK if a commit was possible */
};

/* A worker's side of one exchange (DESIGN section 5). */
enum fr_finish {
	FR_FINISH_COMPLETE,
	FR_FINISH_FAILED,   /* try again if attempts are left */
	FR_FINISH_FINAL,    /* failed for good */
	FR_FINISH_RELEASED, /* given back, uncounted */
	FR_FINISH_LOST      /* its worker died: counts, queued again at once */
};
struct fr_held { /* a job that the worker has */
	struct fr_uuid id;
	struct fr_token token;
};
struct fr_finished {
	struct fr_uuid id;
	struct fr_token token;
	enum fr_finish how;
	struct fr_span value; /* result or error, JSON */
	struct fr_span log;   /* JSON string or len 0 */
	enum fr_rc rc;        /* out: FR_OK, FR_STALE */
};
struct fr_progressed {
	struct fr_uuid id;
	struct fr_token token;
	struct fr_span value; /* JSON */
};
struct fr_exchange {
	struct fr_span worker, host;
	int64_t pid;
	const char **types;
	size_t ntypes;
	uint32_t slots;
	uint32_t concurrency; /* jobs it runs at a time; 0: it does not say */
	int64_t wait_ms;
	int64_t received_mono_ms; /* when the request had been read */
	struct fr_held *running;
	size_t nrunning;
	struct fr_finished *finished;
	size_t nfinished;
	struct fr_progressed *progress;
	size_t nprogress;
	bool leaving; /* it will not come again: forget the worker */

	/* the answer; in the op's arena */
	struct fr_job *jobs; /* leased now; whole rows */
	size_t njobs;
	struct fr_uuid *stop; /* running ones that are no longer its own */
	size_t nstop;
	struct fr_uuid *refused; /* whose report was stale */
	size_t nrefused;
	int64_t lease_ms;
};

/* More than the queue counts. */
#define FR_AHEAD_MANY INT64_MAX

/* What the engine knows of a worker: the answer of FR_OP_WORKERS. */
struct fr_worker_view {
	struct fr_span id, host;
	int64_t pid;
	const char **types;
	size_t ntypes;
	uint32_t slots;       /* jobs it last asked for */
	uint32_t concurrency; /* 0: not known */
	struct fr_span json;  /* of a worker at another manager: the whole */
	int64_t last_seen_ms; /* wall */
	struct {
		struct fr_uuid id;
		const char *type;
		uint32_t attempt;
	} * jobs;
	size_t njobs;
};

/* Adds the object of GET /v1/workers. */
void fr_worker_view_write(struct fr_buf *b, const struct fr_worker_view *v);

struct fr_op {
	enum fr_op_kind kind;
	enum fr_rc rc; /* out */
	struct fr_err err;
	struct fr_arena *arena; /* owned by whoever made the op */
	void *owner;            /* the request thread's own */

	union {
		struct { /* all or none */
			struct fr_job *jobs;
			size_t n;
			struct fr_created *out; /* n of them, by the caller */
			size_t bad; /* out: which one, if rc is FR_CONFLICT */
		} create;
		struct fr_exchange work;
		struct fr_edit edit; /* cancel, retry, remove: id */
		struct {
			const char *type;
		} pause; /* and resume */
		struct {
			unsigned states;
			int64_t older_ms; /* age */
			int64_t limit;    /* so many at most; 0: all */
			int64_t count;    /* out */
			int64_t last;     /* of these, in this turn */
		} purge;
		struct {
			struct fr_uuid id;
			int64_t wait_ms;
			bool ended; /* out */
		} wait;
		struct {
			struct fr_worker_view *v; /* out, in the arena */
			size_t n;
			const char *type;  /* NULL, or of a queued job */
			struct fr_uuid id; /* and its id */
			int64_t ahead;     /* out: how many of its type go
					    * first; -1: the queue cannot
					    * tell; FR_AHEAD_MANY */
		} workers;
		struct {
			const int64_t *done; /* numbers that were delivered */
			size_t ndone;
			const int64_t *again;    /* numbers to be tried again */
			const int64_t *again_ms; /* in how many ms */
			size_t nagain;
			size_t limit; /* how many to take */
			int64_t claim_ms;
			struct fr_outbox_event *events; /* out */
			size_t n;
		} outbox;
	} u;

	/* the engine's own */
	struct fr_op *next;
	struct fr_heap_node timer;
	struct fr_op *list_prev, *list_next; /* that wait for one job */
	uint64_t serial;
	struct fr_taker *taker; /* FR_OP_WORK with slots */
	bool waiting;
	bool now; /* is answered in this turn whatever comes */
	bool answered;
	bool listed; /* in this turn's works: released at its end */
};

/* Ops in an order, by next; last means nothing where first is NULL. */
struct fr_line {
	struct fr_op *first, *last;
};

/* op becomes the last of it. */
void fr_line_add(struct fr_line *l, struct fr_op *op);

#endif
