/* SPDX-License-Identifier: MIT */
#ifndef FR_WEIGH_H
#define FR_WEIGH_H

#include <fr/queue.h>

/*
 * The command that says what jobs weigh, for queues that are drawn by
 * weight. It is run by sh -c and kept running; it reads one job a line,
 * {"id","type","priority","data"}, and writes one number a line, each at
 * once. If it dies, is slow or writes anything else that is logged, jobs
 * weigh their priority for a while, and then it is started again.
 */
struct fr_weigh;

/* Borrows command. Starts nothing yet; NULL without memory. */
struct fr_weigh *fr_weigh_new(const char *command);
void fr_weigh_free(struct fr_weigh *w); /* ends the command; NULL is fine */

/* The weights of n jobs into weight; takes two seconds at most. */
void fr_weigh_ask(
    struct fr_weigh *w, const struct fr_ticket *t, size_t n, double *weight);

/* The weight of a job without a command: its priority, at least 1. */
double fr_weigh_plain(const struct fr_ticket *t);

#endif
