/* SPDX-License-Identifier: MIT */
#ifndef FR_INBOX_H
#define FR_INBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>

#include "core/op.h"

/*
 * The hand-over from request threads to the engine's thread, and back: the
 * only lock in the engine's way.
 */
struct fr_inbox {
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct fr_op *first, *last; /* arrived */
	size_t n;
	size_t bytes; /* of the arenas of what has arrived */
	size_t max_n;
	size_t max_bytes;
	uint64_t *abandoned; /* serial numbers */
	size_t nabandoned, abandoned_cap;
	struct fr_op *done, *done_last; /* answered, not taken yet */
	uint64_t serial;
	bool poked;
	bool closed;
	int pipe[2]; /* wakes a wait for a descriptor, too; -1: not made */
};

/* FR_NOMEM, FR_IO. */
FR_MUSTCHECK enum fr_rc fr_inbox_init(
    struct fr_inbox *in, size_t max_n, size_t max_bytes);
void fr_inbox_fini(struct fr_inbox *in);

/*
 * Adds op and gives it a serial number; *first becomes true if there was none
 * before, so that fr_inbox_wake must follow. FR_AGAIN: full; FR_IO: closed.
 */
FR_MUSTCHECK enum fr_rc fr_inbox_put(
    struct fr_inbox *in, struct fr_op *op, bool *first);

/* Whoever waits in fr_inbox_wait looks at what has arrived. */
void fr_inbox_wake(struct fr_inbox *in);

/* Notes that nobody waits for op any more. */
void fr_inbox_abandon(struct fr_inbox *in, const struct fr_op *op);

/* Ends the wait of fr_inbox_wait, or the next one, whatever has arrived. */
void fr_inbox_poke(struct fr_inbox *in);

/* Waits for news, at most ms milliseconds, or until fd (-1: none) can be
 * read. One thread waits, and always with the same fd. */
void fr_inbox_wait(struct fr_inbox *in, int64_t ms, int fd);

/*
 * Everything that has arrived, in order, or NULL. *serials (yours to free,
 * may be NULL) are those of the abandoned ops, *nserials how many.
 */
struct fr_op *fr_inbox_take(
    struct fr_inbox *in, uint64_t **serials, size_t *nserials);

/* Hands answered ops (a list by next) back; true if there were none before,
 * so that somebody must be woken. */
bool fr_inbox_answer(
    struct fr_inbox *in, struct fr_op *first, struct fr_op *last);

/* The answered ops, in order, or NULL. */
struct fr_op *fr_inbox_answers(struct fr_inbox *in);

/* From now on nothing is taken in. */
void fr_inbox_close(struct fr_inbox *in);

/* How many ops have arrived and were not taken yet. */
size_t fr_inbox_pending(struct fr_inbox *in);

#endif
