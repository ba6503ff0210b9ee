/* SPDX-License-Identifier: MIT */
#ifndef FR_ON_STORE_H
#define FR_ON_STORE_H

#include "check.h"

/* Short ways to do things to the store under test, each in a transaction of
 * its own unless it says otherwise. What is created is removed at the end. */

/* What a walk handed out, copied; only jobs of this run's own types. */
struct fr_seen_jobs {
	struct fr_check *c;
	struct fr_job *v;
	size_t n;
	size_t cap;
};
fr_job_emit_fn fr_see_job;
/* Tickets, likewise; data and type are copied. */
struct fr_seen_tickets {
	struct fr_check *c;
	struct fr_ticket *v;
	size_t n;
	size_t cap;
};
fr_ticket_emit_fn fr_see_ticket;

/* The transaction; s is any handle. begin goes on while it says FR_AGAIN. */
void fr_st_begin(struct fr_check *c, struct fr_store *s);
void fr_st_commit(struct fr_check *c, struct fr_store *s);

/* Another handle on the same store, closed at the end of the check. Where the
 * store has one writer at a time and flags is 0 the check is skipped. */
struct fr_store *fr_st_open(struct fr_check *c, unsigned flags);
/* Closes all handles and opens the first again. */
void fr_st_reopen(struct fr_check *c);
void fr_st_close_all(struct fr_check *c);

/* A job of c->type as it could be created now: queued, data null. */
struct fr_job fr_st_job(struct fr_check *c);
/* Notes that it must be removed. */
void fr_st_note(struct fr_check *c, const struct fr_uuid *id);
/* Creates; each must be new. Within a transaction of the caller. */
void fr_st_put(struct fr_check *c, const struct fr_job *jobs, size_t n);
void fr_st_create(struct fr_check *c, const struct fr_job *jobs, size_t n);
/* One; id becomes that of the job that is there. */
enum fr_rc fr_st_try(
    struct fr_check *c, const struct fr_job *job, struct fr_uuid *id);
/* A queued one with nothing special. */
struct fr_uuid fr_st_new(struct fr_check *c);

/* A copy, or NULL: not there. */
const struct fr_job *fr_st_find(struct fr_check *c, struct fr_uuid id);
const struct fr_job *fr_st_find_by(
    struct fr_check *c, struct fr_store *s, struct fr_uuid id);
/* A copy; it must be there. */
const struct fr_job *fr_st_get(struct fr_check *c, struct fr_uuid id);
const struct fr_job *fr_st_get_by(
    struct fr_check *c, struct fr_store *s, struct fr_uuid id);
/* The same; it must be in this state. */
const struct fr_job *fr_st_in(
    struct fr_check *c, struct fr_uuid id, enum fr_state state);
/* All fields are the same. */
void fr_st_same(
    struct fr_check *c, const struct fr_job *got, const struct fr_job *want);

/* Leases a queued job: from c->t0, for 1,000 ms. */
struct fr_token fr_st_lease(struct fr_check *c, struct fr_uuid id);
struct fr_token fr_st_lease_until(
    struct fr_check *c, struct fr_uuid id, int64_t until_ms);
/* How many of these are granted. */
size_t fr_st_try_lease(struct fr_check *c, const struct fr_grant *g, size_t n);

/* The report's answer. */
enum fr_rc fr_st_report(struct fr_check *c, fr_store_report_fn *fn,
    struct fr_uuid id, struct fr_token token);
enum fr_rc fr_st_report_with(
    struct fr_check *c, fr_store_report_fn *fn, struct fr_report r);
/* The same within a transaction of the caller. */
enum fr_rc fr_st_say(
    struct fr_check *c, fr_store_report_fn *fn, struct fr_report r);
/* The edit's answer; e is filled. */
enum fr_rc fr_st_edit(struct fr_check *c, fr_store_edit_fn *fn,
    struct fr_uuid id, struct fr_edit *e);
/* A fresh job in this state; *token (may be NULL) its last lease. */
struct fr_uuid fr_st_make(
    struct fr_check *c, enum fr_state state, struct fr_token *token);

/* The counts of a type; all zero if it is not there. */
struct fr_counts {
	int64_t n[FR_STATES];
	bool paused;
};
struct fr_counts fr_st_stats(struct fr_check *c, const char *type);

#endif
