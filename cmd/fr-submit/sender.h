/* SPDX-License-Identifier: MIT */
#ifndef FR_SUBMIT_SENDER_H
#define FR_SUBMIT_SENDER_H

#include <stdbool.h>

#include <fr/err.h>

#include "batch.h"

/*
 * A thread that sends one batch while the next one is being filled. There is
 * one, not more: two requests on two connections could overtake each other,
 * and jobs are to be queued in the order of their lines.
 */
struct sender;

/* cl is the sender's from now on, until it is stopped. */
FR_MUSTCHECK enum fr_rc sender_start(
    struct sender **out, struct fr_client *cl, struct fr_err *err);
/* Waits for the batch that is under way, and frees. NULL is fine. */
void sender_stop(struct sender *s);

/* Hands b over; only when sender_busy is false. */
void sender_send(struct sender *s, struct batch *b);
bool sender_busy(const struct sender *s);
/* Readable when the batch has come back. */
int sender_fd(const struct sender *s);
/* Waits for it and takes it back; NULL if there is none. */
struct batch *sender_take(struct sender *s);

#endif
