/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/turn.h"

/*
 * What becomes due by itself: scheduled jobs whose time has come, leases that
 * are over, ended jobs to be forgotten; and the queue against the store.
 */

/* Jobs in one turn, and in one that others wait for: a millisecond or so. */
#define PROMOTE_MOST 2000
#define PROMOTE_FEW 200
#define EXPIRE_MOST 1000
#define EXPIRE_FEW 100
#define WORKERS_MOST 32768   /* remembered, without those that have a job */
#define WALK_STEP 2000       /* tickets in a turn that has other work */
#define WALK_STEP_IDLE 10000 /* and in one that has none */

static enum fr_rc
push_ticket(void *arg, const struct fr_ticket *in)
{
	struct fr_engine *e = arg;
	struct fr_turn *t = &e->turn;
	struct fr_type *type;
	struct fr_span data = { NULL, 0 };

	type = fr_types_get(&e->types, fr_span_of(in->type));
	if (type == NULL)
		return FR_NOMEM;
	if (e->wants_data) {
		if (t->arena == NULL)
			t->arena = fr_arena_new(0);
		if (t->arena == NULL)
			return FR_NOMEM;
		data = fr_arena_dup(t->arena, in->data);
		if (data.p == NULL)
			return FR_NOMEM;
	}
	return fr_turn_ticket(&t->push, &in->id, type, in->priority, data)
		   ? FR_OK
		   : FR_NOMEM;
}

static enum fr_rc
promote(struct fr_engine *e, struct fr_err *err)
{
	const size_t before = e->turn.push.n;
	const size_t few = e->shared ? PROMOTE_MOST : PROMOTE_FEW;
	size_t n = before, was;
	enum fr_rc rc;

	do {
		was = n;
		rc = e->c.store->ops->promote(
		    e->c.store, e->turn.now_ms, few, push_ticket, e, err);
		n = e->turn.push.n;
	} while (rc == FR_OK && n - was == few && n - before < PROMOTE_MOST &&
		 !fr_turn_awaited(e));
	if (rc != FR_OK || n == before)
		return rc;
	e->turn.wrote = true;
	if (e->wants_data) {
		/* Promoted tickets carry no data: the walk brings it. */
		e->turn.push.n = before;
		e->loading = true;
		e->cursor = 0;
	}
	return FR_OK;
}

struct expiring {
	struct fr_engine *e;
	struct fr_vec reports; /* struct fr_report */
};

/* The error as JSON: a worker may call itself anything. */
static bool
say_expired(struct fr_arena *a, struct fr_span worker, struct fr_span *json)
{
	struct fr_buf text, b;

	fr_buf_init(&text, 0);
	fr_buf_init(&b, 0);
	fr_buf_adds(&text, "lease expired: worker ");
	fr_buf_addspan(&text, worker);
	fr_buf_adds(&text, " did not renew it");
	fr_jsonw_str(&b, fr_buf_span(&text));
	json->p = NULL;
	if (fr_buf_ok(&text) && fr_buf_ok(&b))
		*json = fr_arena_dup(a, fr_buf_span(&b));
	fr_buf_fini(&text);
	fr_buf_fini(&b);
	return json->p != NULL;
}

static enum fr_rc
note_expired(void *arg, const struct fr_job *job)
{
	struct expiring *x = arg;
	struct fr_turn *t = &x->e->turn;
	struct fr_report *r = fr_vec_add(&x->reports);
	struct fr_lease *l;

	if (t->arena == NULL)
		t->arena = fr_arena_new(0);
	if (r == NULL || t->arena == NULL)
		return FR_NOMEM;
	r->id = job->id;
	r->token = job->lease;
	r->now_ms = t->now_ms;
	r->unsaid = true;
	if (!say_expired(t->arena, job->worker, &r->value))
		return FR_NOMEM;
	l = fr_lease_find(&x->e->workers, &job->id);
	if (l != NULL)
		l->gone = true;
	return FR_OK;
}

static enum fr_rc
expire_some(struct fr_engine *e, size_t *n, struct fr_err *err)
{
	struct expiring x = { e, FR_VEC_OF(struct fr_report) };
	enum fr_rc rc;

	rc = e->c.store->ops->expired(
	    e->c.store, e->turn.now_ms, *n, note_expired, &x, err);
	*n = x.reports.n;
	if (rc == FR_OK && *n > 0) {
		fr_count(&e->counters.expired, *n);
		rc = fr_report_lost(e, x.reports.p, *n, err);
	}
	fr_vec_fini(&x.reports);
	return rc;
}

static enum fr_rc
expire(struct fr_engine *e, struct fr_err *err)
{
	const size_t few = e->shared ? EXPIRE_MOST : EXPIRE_FEW;
	size_t all = 0, n;
	enum fr_rc rc;

	do {
		n = few;
		rc = expire_some(e, &n, err);
		all += n;
	} while (rc == FR_OK && n == few && all < EXPIRE_MOST &&
		 !fr_turn_awaited(e));
	return rc;
}

/* ------------------------------------------------------------------ */

struct census {
	struct fr_engine *e;
	int64_t queued;  /* by the store */
	int64_t missing; /* of those, not in the queue */
	bool failed;     /* the queue does not answer */
};

static enum fr_rc
count_type(void *arg, const struct fr_type_stats *s)
{
	struct census *c = arg;
	struct fr_queue *q = c->e->c.queue;
	struct fr_type *type;
	int64_t n = 0, queued = s->n[FR_STATE_QUEUED];

	type = fr_types_find(&c->e->types, fr_span_of(s->type));
	if (type == NULL && !s->paused && queued == 0)
		return FR_OK; /* nothing to remember */
	if (type == NULL)
		type = fr_types_get(&c->e->types, fr_span_of(s->type));
	if (type == NULL)
		return FR_NOMEM;
	if (type->paused != s->paused)
		fr_type_set_paused(&c->e->types, type, s->paused);
	if (queued == 0)
		return FR_OK;
	c->queued += queued;
	if (!c->failed && q->ops->length(q, s->type, &n, NULL) != FR_OK)
		c->failed = true;
	if (c->failed)
		n = 0;
	/* Another manager may have put it there. */
	if (n > 0 || c->failed)
		fr_type_set_maybe(&c->e->types, type, true);
	if (n < queued)
		c->missing += queued - n;
	return FR_OK;
}

/*
 * Is all that the store calls queued in the queue? With several managers
 * tickets are on their way at any moment; only what is missing twice in a row
 * is fetched again.
 */
enum fr_rc
fr_apply_compare(struct fr_engine *e, struct fr_err *err)
{
	struct census c = { e, 0, 0, false };
	enum fr_rc rc;

	if (e->turn.mono_ms < e->next_sweep_ms)
		return FR_OK;

	rc = e->c.store->ops->stats(e->c.store, count_type, &c, err);
	if (rc != FR_OK)
		return rc;
	if (e->degraded && !c.failed) {
		int64_t n;

		/* With nothing queued the loop above has asked nothing. */
		if (e->c.queue->ops->length(e->c.queue, NULL, &n, NULL) !=
		    FR_OK)
			return FR_OK;
		e->degraded = false;
		__atomic_store_n(&e->counters.degraded, 0, __ATOMIC_RELAXED);
		c.missing += c.queued > n ? c.queued - n : 0;
		e->missing = 1;
	}
	e->missing = c.missing > 0 ? e->missing + 1 : 0;
	if (e->missing >= (e->shared ? 2 : 1) && !e->loading) {
		e->loading = true;
		e->cursor = 0;
		e->missing = 0;
	}
	return FR_OK;
}

enum fr_rc
fr_apply_retain(struct fr_engine *e, struct fr_err *err)
{
	size_t n = SIZE_MAX;
	enum fr_rc rc;
	bool all;

	if (e->c.retain_ms <= 0)
		return FR_OK;
	rc = fr_purge_some(
	    e, FR_STATE_ENDED, e->turn.now_ms - e->c.retain_ms, &n, &all, err);
	if (rc != FR_OK)
		return rc;
	e->more_to_purge = !all;
	return FR_OK;
}

void
fr_sweep_tidy(struct fr_engine *e)
{
	struct fr_worker *w;
	void *v;
	size_t pos = 0;

	fr_workers_trim(&e->workers, WORKERS_MOST);
	if (!e->tidy)
		return;
	e->tidy = false;
	while (fr_map_next(e->workers.by_id, &pos, NULL, &v)) {
		w = v;
		if (w->open == NULL &&
		    e->turn.mono_ms - w->seen_ms > 4 * e->c.lease_ms)
			fr_workers_forget(&e->workers, w);
	}
	fr_types_tidy(&e->types);
}

struct shortening {
	struct fr_engine *e;
	struct fr_vec due; /* struct fr_renewal */
};

static enum fr_rc
note_long(void *arg, const struct fr_job *job)
{
	struct shortening *x = arg;
	const int64_t most_ms = x->e->turn.now_ms + x->e->c.lease_ms;
	struct fr_renewal *r;

	if (job->lease_until_ms <= most_ms)
		return FR_OK;
	r = fr_vec_add(&x->due);
	if (r == NULL)
		return FR_NOMEM;
	r->id = job->id;
	r->token = job->lease;
	r->until_ms = most_ms;
	return FR_OK;
}

/* No lease ends later than one that is given now. */
static enum fr_rc
shorten(struct fr_engine *e, struct fr_err *err)
{
	struct shortening x = { e, FR_VEC_OF(struct fr_renewal) };
	const struct fr_span all = { NULL, 0 };
	const struct fr_renewal *r;
	struct fr_lease *l;
	enum fr_rc rc;
	size_t i;

	rc = e->c.store->ops->running(e->c.store, all, note_long, &x, err);
	if (rc == FR_OK && x.due.n > 0) {
		rc = e->c.store->ops->renew(e->c.store, x.due.p, x.due.n, err);
		e->turn.wrote = true;
	}
	for (i = 0; rc == FR_OK && i < x.due.n; i++) {
		r = fr_vec_at(&x.due, i);
		l = fr_lease_find(&e->workers, &r->id);
		if (l != NULL && fr_token_eq(&l->token, &r->token))
			l->until_ms = r->until_ms;
	}
	fr_vec_fini(&x.due);
	return rc;
}

enum fr_rc
fr_apply_sweep(struct fr_engine *e, struct fr_err *err)
{
	const struct fr_turn *t = &e->turn;
	const bool sweep = t->mono_ms >= e->next_sweep_ms;
	enum fr_rc rc = FR_OK;

	if (e->fresh) {
		rc = e->c.store->ops->renew_all(
		    e->c.store, t->now_ms + e->c.lease_ms, err);
		if (rc != FR_OK)
			return rc;
		e->turn.wrote = true;
	}
	if (e->shorten)
		rc = shorten(e, err);
	if (rc != FR_OK)
		return rc;
	if (sweep || t->now_ms >= e->next_run_ms ||
	    t->now_ms >= e->next_lease_ms)
		rc = e->c.store->ops->next_due(
		    e->c.store, &e->next_run_ms, &e->next_lease_ms, err);
	if (rc == FR_OK && t->now_ms >= e->next_run_ms)
		rc = promote(e, err);
	if (rc == FR_OK && t->now_ms >= e->next_lease_ms)
		rc = expire(e, err);
	if (rc == FR_OK && (sweep || e->more_to_purge))
		rc = fr_apply_retain(e, err);
	if (rc == FR_OK && sweep && e->shared)
		rc = fr_wait_recheck(e, err);
	if (rc == FR_OK && (sweep || e->arrivals))
		rc = fr_apply_seen(e, err);
	if (rc == FR_OK && sweep) {
		e->tidy = true;
		e->next_sweep_ms = t->mono_ms + e->c.sweep_ms;
	}
	return rc;
}

enum fr_rc
fr_apply_walk(struct fr_engine *e, struct fr_err *err)
{
	const bool idle = e->turn.works.n == 0 && e->turn.creates.first == NULL;
	const size_t want = idle ? WALK_STEP_IDLE : WALK_STEP;
	size_t n = want;
	enum fr_rc rc;

	if (!e->loading || e->degraded)
		return FR_OK;
	rc = e->c.store->ops->get_queue(e->c.store, NULL, e->wants_data,
	    &e->cursor, &n, push_ticket, e, err);
	if (rc == FR_OK && n < want)
		e->loading = false;
	__atomic_store_n(&e->counters.loading, e->loading, __ATOMIC_RELAXED);
	return rc;
}
