/* SPDX-License-Identifier: MIT */
#ifndef FR_ENGINE_H
#define FR_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/queue.h>
#include <fr/store.h>

#include "base/rand.h"
#include "base/time.h"
#include "core/event.h"
#include "core/op.h"

/*
 * All job logic. In turns it takes everything that has arrived, applies it as
 * one store transaction, commits, pushes to the queue, and releases the
 * answers. A thread of its own runs the turns, and owns the store and the
 * queue meanwhile; another may run one in its place, with fr_engine_go. It
 * knows nothing of HTTP; time, randomness, store and queue are handed in.
 */
struct fr_engine;

struct fr_engine_conf {
	struct fr_store *store; /* borrowed, as is all below */
	struct fr_queue *queue;
	const struct fr_clock *clock;
	struct fr_rand *rand;
	struct fr_event_ring *ring; /* may be NULL */
	int64_t lease_ms;           /* 15,000 by default */
	int64_t retain_ms;     /* ended jobs are purged after this; 0: never */
	int64_t sweep_ms;      /* between two sweeps; 2,000 by default */
	int64_t retry_base_ms; /* first backoff, 1,000 by default */
	int64_t retry_max_ms;  /* 10 minutes by default */
	size_t max_pending; /* ops in the inbox before FR_AGAIN; 0: 100,000 */
	size_t max_pending_bytes; /* of their arenas; 0: 512 MiB */
	/* Is there a hook for this? NULL: none. This and the next two are
	 * called by whoever runs the turn. */
	bool (*hook_wanted)(
	    void *arg, enum fr_event_kind kind, struct fr_span type);
	void *hook_arg;
	/* Answers are there to be taken. */
	void (*wake)(void *arg);
	void *wake_arg;
	/* Outbox events are there. */
	void (*outbox_ready)(void *arg);
	void *outbox_arg;
};

/* NULL and *err on failure. Starts no thread. */
struct fr_engine *fr_engine_new(
    const struct fr_engine_conf *conf, struct fr_err *err);
/* All ops must have come back. NULL is fine. */
void fr_engine_free(struct fr_engine *e);

/*
 * Hands op over; it comes back through fr_engine_take. Any thread.
 * FR_AGAIN: too much is waiting; the op stays the caller's. FR_IO: the engine
 * has stopped because the store failed.
 */
FR_MUSTCHECK enum fr_rc fr_engine_submit(struct fr_engine *e, struct fr_op *op);

/*
 * The same for the one thread that hands over many and then says fr_engine_go,
 * without which they may stay where they are.
 */
FR_MUSTCHECK enum fr_rc fr_engine_put(struct fr_engine *e, struct fr_op *op);

/*
 * Has done what was put. Many quick ops are done here, on the caller's thread,
 * which is sooner than to wake the engine's and to be woken by it; if that is
 * in a turn, or has other things to do, or the disk was slow of late, it does
 * them. True: there are answers to be taken, and `wake` was not called.
 */
bool fr_engine_go(struct fr_engine *e);

/* Nobody waits for op any more: it comes back soon, with FR_AGAIN if it was
 * not done yet. Any thread. */
void fr_engine_abandon(struct fr_engine *e, struct fr_op *op);

/* Answered ops as a list by ->next, in order, or NULL. Any thread. */
struct fr_op *fr_engine_take(struct fr_engine *e);

/*
 * The thread: runs until fr_engine_stop. FR_OK, or FR_IO / FR_UNKNOWN if the
 * store failed so that nothing it says can be believed: exit 74.
 */
enum fr_rc fr_engine_run(struct fr_engine *e, struct fr_err *err);
/* Answers every op that waits with FR_AGAIN and ends fr_engine_run. */
void fr_engine_stop(struct fr_engine *e);

/*
 * One turn of the loop, for tests: applies all that has arrived and is due.
 * *next_ms becomes the monotonic time at which the next turn is due without
 * new requests. Return as for fr_engine_run.
 */
enum fr_rc fr_engine_step(
    struct fr_engine *e, int64_t *next_ms, struct fr_err *err);

/* Counters for /metrics; any thread. */
struct fr_engine_counters {
	uint64_t events[FR_EVENTS];
	uint64_t commits;
	uint64_t failed_commits;
	uint64_t ops;
	uint64_t stale;   /* refused reports */
	uint64_t expired; /* leases */
	uint64_t purged;
	uint64_t pending;  /* ops in the inbox now */
	uint64_t waiting;  /* ops that wait for something */
	uint64_t loading;  /* 1 while the queue is filled from the store */
	uint64_t degraded; /* 1 while the queue fails and the store stands in */
};
void fr_engine_counters(struct fr_engine *e, struct fr_engine_counters *c);

#endif
