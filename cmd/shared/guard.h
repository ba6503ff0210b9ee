/* SPDX-License-Identifier: MIT */
#ifndef FR_GUARD_H
#define FR_GUARD_H

#include <stddef.h>

/*
 * Two processes that watch over each other: the guard, which the user started,
 * and its child, which does the work and has the handlers. Whichever of them
 * is killed, the other one ends all handlers and what they started.
 */

/* What the guard tells the child: a byte for each signal. */
#define ORDER_END 'T'    /* SIGTERM, SIGINT, SIGQUIT */
#define ORDER_RELOAD 'H' /* SIGHUP */

/* In the guard, when the child has ended: its status as of wait(2), and the
 * last signal that was passed on, or 0. Does not return. */
typedef void guard_ended_fn(void *arg, int status, int last);

/*
 * Divides the process. The guard never comes back; the child does, with a
 * descriptor that orders are read from, at its end when the guard is gone.
 * What goes wrong is said, and exits.
 */
int guard_start(guard_ended_fn *ended, void *arg);

/* In the guard: ends all that the child left, for 5 s at most; not children
 * that were there before. */
void guard_reap(void);

/* Memory that both see, zeroed; never freed. */
void *guard_memory(size_t bytes);

#endif
