/* SPDX-License-Identifier: MIT */
#ifndef FR_EXEC_ROWS_H
#define FR_EXEC_ROWS_H

#include <fr/queue.h>
#include <fr/store.h>

#include "peer.h"

/* Jobs and tickets in the JSON of fr-backend(7), both ways. */

/* A member with an id or a token. */
void fr_exec_put_id(
    struct fr_buf *b, const char *key, const struct fr_uuid *id);
void fr_exec_put_token(
    struct fr_buf *b, const char *key, const struct fr_token *t);
/* A member with a text; none if it is empty. */
void fr_exec_put_text(struct fr_buf *b, const char *key, struct fr_span v);
void fr_exec_put_i64(struct fr_buf *b, const char *key, int64_t v);

/* An element: what create takes. */
void fr_exec_put_job(struct fr_buf *b, const struct fr_job *job);
void fr_exec_put_ticket(
    struct fr_buf *b, const struct fr_ticket *t, bool with_data);

/* Emits the jobs of the answer's member "jobs". */
enum fr_rc fr_exec_jobs(struct fr_exec_peer *p, struct fr_span answer,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err);

/*
 * The tickets of the answer's member "tickets", at most *n; *n becomes how
 * many. with_data: the data too.
 */
enum fr_rc fr_exec_tickets(struct fr_exec_peer *p, struct fr_span answer,
    bool with_data, size_t *n, fr_ticket_emit_fn *emit, void *arg,
    struct fr_err *err);

#endif
