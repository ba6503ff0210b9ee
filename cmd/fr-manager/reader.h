/* SPDX-License-Identifier: MIT */
#ifndef FR_MANAGER_READER_H
#define FR_MANAGER_READER_H

#include "manager.h"

/*
 * Reads never stand in the engine's way: a thread of their own, with a
 * read-only handle of its own on the store.
 */
struct fr_reader;

/* s becomes the reader's. wake is called, on its thread, when requests are
 * there to be taken. */
struct fr_reader *fr_reader_new(
    struct fr_store *s, void (*wake)(void *arg), void *arg, struct fr_err *err);
/* Waits for the read under way. What has not begun can be taken at once, and
 * has failed; nothing new is accepted. NULL is fine. */
void fr_reader_stop(struct fr_reader *r);
/* It must have been stopped, and all must have been taken. NULL is fine. */
void fr_reader_free(struct fr_reader *r);
/* slow: it may take long, and waits for those that do not. false: too many
 * of these wait already, or it has been stopped; q stays the caller's. */
FR_MUSTCHECK bool fr_reader_ask(
    struct fr_reader *r, struct fr_request *q, bool slow);
/* A list by ->read_next, in order, or NULL. */
struct fr_request *fr_reader_take(struct fr_reader *r);

#endif
