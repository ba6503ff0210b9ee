/* SPDX-License-Identifier: MIT */
#ifndef FR_WORKER_H
#define FR_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/map.h"
#include "core/type.h"

/*
 * The workers that come to this manager, and the leases that it gave them:
 * what GET /v1/workers shows, and what tells jobs that were lost on the way.
 * The store decides; this is only what this manager remembers.
 */
struct fr_lease {
	struct fr_uuid id;
	struct fr_token token;
	int64_t until_ms;
	struct fr_worker *worker;
	struct fr_type *type;
	uint32_t attempt;
	uint32_t round; /* of its worker, in which it was last named */
	bool gone;      /* no longer the worker's own: tell it to stop */
	bool ended;     /* a report has ended it; its worker may not know yet */
	struct fr_lease *prev, *next; /* of the same worker */
};

struct fr_worker {
	TAILQ_ENTRY(fr_worker) link;
	char id[FR_WORKER_MAX + 1];
	char host[FR_TYPE_MAX * 4];
	int64_t pid;
	char **types;
	size_t ntypes;
	uint32_t slots, concurrency;
	int64_t seen_ms; /* monotonic */
	int64_t seen_wall_ms;
	int64_t told_ms; /* monotonic: when other managers were told of it */
	bool leaving;    /* it said that it will not come again */
	uint32_t round;
	bool unsure;        /* its leases must be read from the store */
	int64_t read_ms;    /* monotonic: when they were */
	struct fr_op *open; /* its exchange that waits, or NULL */
	struct fr_lease *leases;
	size_t nleases;
	struct fr_lease *ended; /* that it may still name */
};

/* By the time at which they were last seen. */
TAILQ_HEAD(fr_workers_seen, fr_worker);

struct fr_workers {
	struct fr_map *by_id;
	struct fr_workers_seen seen; /* who was silent for long first */
	size_t n;
	struct fr_map *leases; /* job id -> the newest lease */
	struct fr_lease *spare;
	size_t nspare;
};

FR_MUSTCHECK bool fr_workers_init(struct fr_workers *ws);
void fr_workers_fini(struct fr_workers *ws);

/* NULL: not known here. */
struct fr_worker *fr_workers_find(
    const struct fr_workers *ws, struct fr_span id);

/* What x says of its worker is noted; a new one is made. NULL without
 * memory. */
struct fr_worker *fr_workers_note(struct fr_workers *ws,
    const struct fr_exchange *x, bool unsure_if_new, int64_t mono_ms,
    int64_t wall_ms);

/*
 * Whoever makes up worker after worker must not fill the memory: of more than
 * most, those are forgotten who were silent for longest, have no job, and
 * wait for none. Nothing may point to a worker meanwhile.
 */
void fr_workers_trim(struct fr_workers *ws, size_t most);

/* Forgets w with its leases; it must have no open exchange. */
void fr_workers_forget(struct fr_workers *ws, struct fr_worker *w);

/* The newest lease of a job given by this manager, or NULL. One that has
 * ended is none. */
struct fr_lease *fr_lease_find(
    const struct fr_workers *ws, const struct fr_uuid *id);

/*
 * Remembers that w has job under its lease. One that was remembered for
 * another lease is marked as gone. false without memory: then it is only not
 * remembered, and w is unsure.
 */
bool fr_lease_add(struct fr_workers *ws, struct fr_worker *w,
    struct fr_type *type, const struct fr_job *job);

/* Takes the lease from its worker and its type, and frees it. */
void fr_lease_drop(struct fr_workers *ws, struct fr_lease *l);

/*
 * A report has ended l, whose type is done with. Its worker may name it until
 * it has seen the answer, which is no reason to ask the store what became of
 * it; so it is remembered until fr_leases_named() finds it not named.
 */
void fr_lease_end(struct fr_lease *l);

/* w names this lease: true if it is one that has ended, as w will know soon. */
bool fr_lease_has_ended(const struct fr_workers *ws, const struct fr_worker *w,
    const struct fr_uuid *id, const struct fr_token *token);

/* w has named all that it has: what has ended and was not named in its round
 * is forgotten. */
void fr_leases_named(struct fr_workers *ws, struct fr_worker *w);

#endif
