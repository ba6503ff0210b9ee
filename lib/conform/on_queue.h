/* SPDX-License-Identifier: MIT */
#ifndef FR_ON_QUEUE_H
#define FR_ON_QUEUE_H

#include "check.h"

/* Short ways to do things to the queue under test. What is pushed is removed
 * at the end. */

/* Another handle on the same queue, closed at the end of the check. */
struct fr_queue *fr_qu_open(struct fr_check *c);
/* Closes all handles, before a fork; and opens the first again. */
void fr_qu_close_all(struct fr_check *c);
void fr_qu_reopen(struct fr_check *c);

/* A fresh ticket of c->type, priority 0. */
struct fr_ticket fr_qu_ticket(struct fr_check *c);
/* n of them. */
struct fr_ticket *fr_qu_tickets(struct fr_check *c, size_t n);
/* Notes that it must be removed. */
void fr_qu_note(struct fr_check *c, const struct fr_ticket *t, size_t n);
void fr_qu_push(struct fr_check *c, const struct fr_ticket *t, size_t n);
void fr_qu_requeue(struct fr_check *c, const struct fr_ticket *t, size_t n);
void fr_qu_remove(struct fr_check *c, const struct fr_ticket *t, size_t n);
int64_t fr_qu_length(struct fr_check *c, const char *type);

/* Pops up to n of c->type, or of several types; t has room for n. */
size_t fr_qu_pop(struct fr_check *c, struct fr_ticket *t, size_t n);
size_t fr_qu_pop_of(struct fr_check *c, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t n);
/* Pops all of c->type, which must be these; in this order if the queue is
 * fifo, in any order otherwise. */
void fr_qu_drain(struct fr_check *c, const struct fr_ticket *want, size_t n);
/* got and want hold the same, in the same order if the queue is fifo. */
void fr_qu_same(struct fr_check *c, const struct fr_ticket *got, size_t ngot,
    const struct fr_ticket *want, size_t n);

#endif
