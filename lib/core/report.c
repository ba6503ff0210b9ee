/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/retry.h"
#include "core/turn.h"

/*
 * What workers say of their attempts. Everything counts only with the exact
 * lease: the store compares, and says FR_STALE where it is another one.
 */

/* One report, where it came from, and what is known of its job. */
struct item {
	struct fr_report r;       /* first: batches are made of these */
	struct fr_finished *from; /* NULL: the engine's own */
	const struct fr_row *row; /* NULL: not read */
};

struct batch {
	struct fr_vec reports; /* struct fr_report */
	struct fr_vec items;   /* struct item, side by side */
};

static bool
batch_add(struct batch *b, const struct fr_report *r, struct fr_finished *from,
    const struct fr_row *row)
{
	struct fr_report *to = fr_vec_add(&b->reports);
	struct item *it = fr_vec_add(&b->items);

	if (to == NULL || it == NULL)
		return false;
	*to = *r;
	it->from = from;
	it->row = row;
	return true;
}

static void
batch_fini(struct batch *b)
{
	fr_vec_fini(&b->reports);
	fr_vec_fini(&b->items);
}

#define BATCH_INIT                                                             \
	{                                                                      \
		FR_VEC_OF(struct fr_report), FR_VEC_OF(struct item)            \
	}

/* What one report that counts brings about. */
static bool
note(struct fr_engine *e, enum fr_event_kind kind, const struct fr_report *r,
    const struct fr_row *row)
{
	struct fr_job job = { .id = r->id };

	if (kind != FR_EVENT_COUNT_FAILED &&
	    !fr_turn_id(&e->turn.ended, &r->id))
		return false;
	if (row == NULL) { /* nobody wanted to know more */
		fr_count(&e->counters.events[kind], 1);
		return true;
	}
	job.type = fr_span_of(row->type->name);
	job.attempt = row->attempt;
	job.fail_count = row->fail_count + (kind != FR_EVENT_COMPLETE);
	job.run_at_ms = r->run_at_ms;
	if (kind == FR_EVENT_COMPLETE)
		job.result = r->value;
	else
		job.error = r->value;
	if (kind == FR_EVENT_COUNT_FAILED) {
		if (r->run_at_ms > e->turn.now_ms) {
			if (r->run_at_ms < e->next_run_ms)
				e->next_run_ms = r->run_at_ms;
		} else if (!fr_turn_back(e, &e->turn.front, &r->id, row->type,
			       row->priority)) {
			return false;
		}
	}
	return fr_turn_tell(e, kind, row->type, &job);
}

typedef bool note_fn(
    struct fr_engine *e, const struct fr_report *r, const struct fr_row *row);

static bool
note_complete(
    struct fr_engine *e, const struct fr_report *r, const struct fr_row *row)
{
	return note(e, FR_EVENT_COMPLETE, r, row);
}

static bool
note_failed(
    struct fr_engine *e, const struct fr_report *r, const struct fr_row *row)
{
	return note(e, FR_EVENT_FAILED, r, row);
}

static bool
note_count_failed(
    struct fr_engine *e, const struct fr_report *r, const struct fr_row *row)
{
	return note(e, FR_EVENT_COUNT_FAILED, r, row);
}

static bool
note_released(
    struct fr_engine *e, const struct fr_report *r, const struct fr_row *row)
{
	if (row == NULL)
		return true; /* the next sweep finds it */
	return fr_turn_back(
	    e, &e->turn.front, &r->id, row->type, row->priority);
}

static enum fr_rc
batch_send(struct fr_engine *e, fr_store_report_fn *call, struct batch *b,
    note_fn *counts, struct fr_err *err)
{
	struct fr_report *r;
	struct item *it;
	enum fr_rc rc;
	size_t i;

	if (b->reports.n == 0)
		return FR_OK;
	rc = call(e->c.store, b->reports.p, b->reports.n, err);
	if (rc != FR_OK)
		return rc;
	for (i = 0; i < b->reports.n; i++) {
		r = fr_vec_at(&b->reports, i);
		it = fr_vec_at(&b->items, i);
		if (it->from != NULL)
			it->from->rc = r->rc == FR_EXISTS ? FR_OK : r->rc;
		if (r->rc == FR_STALE)
			fr_count(&e->counters.stale, 1);
		if (r->rc != FR_OK)
			continue;
		e->turn.wrote = true;
		if (!counts(e, r, it->row))
			return FR_NOMEM;
	}
	return FR_OK;
}

/* An attempt that failed: is it the last one? */
static bool
add_failed(struct fr_engine *e, struct batch *again, struct batch *final,
    struct fr_report *r, enum fr_finish how, struct fr_finished *from)
{
	const struct fr_row *row = fr_turn_row(&e->turn, &r->id);

	if (row == NULL) { /* there is no such job (any more) */
		if (from != NULL)
			from->rc = FR_STALE;
		fr_count(&e->counters.stale, 1);
		return true;
	}
	if (how == FR_FINISH_FINAL || row->fail_count + 1 >= row->max_attempts)
		return batch_add(final, r, from, row);
	r->run_at_ms = r->now_ms;
	if (how == FR_FINISH_FAILED)
		r->run_at_ms += fr_retry_delay_ms(row->fail_count + 1,
		    e->c.retry_base_ms, e->c.retry_max_ms, e->c.rand);
	return batch_add(again, r, from, row);
}

enum fr_rc
fr_report_lost(
    struct fr_engine *e, struct fr_report *r, size_t n, struct fr_err *err)
{
	struct batch again = BATCH_INIT, final = BATCH_INIT;
	enum fr_rc rc;
	size_t i;

	e->turn.ids.n = 0;
	for (i = 0; i < n; i++)
		if (!fr_turn_id(&e->turn.ids, &r[i].id))
			return FR_NOMEM;
	rc = fr_turn_rows(e, err);
	for (i = 0; rc == FR_OK && i < n; i++)
		if (!add_failed(e, &again, &final, &r[i], FR_FINISH_LOST, NULL))
			rc = FR_NOMEM;
	if (rc == FR_OK)
		rc = batch_send(e, e->c.store->ops->count_failed, &again,
		    note_count_failed, err);
	if (rc == FR_OK)
		rc = batch_send(
		    e, e->c.store->ops->failed, &final, note_failed, err);
	batch_fini(&again);
	batch_fini(&final);
	return rc;
}

enum fr_rc
fr_report_released(
    struct fr_engine *e, struct fr_report *r, size_t n, struct fr_err *err)
{
	struct batch b = BATCH_INIT;
	enum fr_rc rc;
	size_t i;

	if (n == 0)
		return FR_OK;
	e->turn.ids.n = 0;
	for (i = 0; i < n; i++)
		if (!fr_turn_id(&e->turn.ids, &r[i].id))
			return FR_NOMEM;
	rc = fr_turn_rows(e, err);
	for (i = 0; rc == FR_OK && i < n; i++)
		if (!batch_add(
			&b, &r[i], NULL, fr_turn_row(&e->turn, &r[i].id)))
			rc = FR_NOMEM;
	if (rc == FR_OK)
		rc = batch_send(
		    e, e->c.store->ops->release, &b, note_released, err);
	batch_fini(&b);
	return rc;
}

/* ------------------------------------------------------------------ */

static struct fr_exchange *
exchange_at(struct fr_engine *e, size_t i)
{
	return &(*(struct fr_op **)fr_vec_at(&e->turn.works, i))->u.work;
}

static bool
owns(const struct fr_lease *l, struct fr_span worker,
    const struct fr_token *token)
{
	return l != NULL && fr_span_is(worker, l->worker->id) &&
	       fr_token_eq(&l->token, token);
}

static enum fr_rc
apply_progress(struct fr_engine *e, struct fr_err *err)
{
	struct batch b = BATCH_INIT;
	const struct fr_exchange *x;
	struct fr_report r, *done;
	struct fr_lease *l;
	struct fr_job job;
	enum fr_rc rc = FR_OK;
	size_t i, j;

	for (i = 0; i < e->turn.works.n; i++) {
		x = exchange_at(e, i);
		for (j = 0; j < x->nprogress; j++) {
			r = (struct fr_report){ .id = x->progress[j].id,
				.token = x->progress[j].token,
				.value = x->progress[j].value,
				.now_ms = e->turn.now_ms };
			if (!batch_add(&b, &r, NULL, NULL)) {
				rc = FR_NOMEM;
				goto out;
			}
		}
	}
	if (b.reports.n == 0)
		goto out;
	rc = e->c.store->ops->progress(
	    e->c.store, b.reports.p, b.reports.n, err);
	for (i = 0; rc == FR_OK && i < b.reports.n; i++) {
		done = fr_vec_at(&b.reports, i);
		l = fr_lease_find(&e->workers, &done->id);
		if (done->rc == FR_STALE) {
			fr_count(&e->counters.stale, 1);
			if (l != NULL && fr_token_eq(&l->token, &done->token))
				l->gone = true;
		}
		if (done->rc != FR_OK)
			continue;
		e->turn.wrote = true;
		if (l == NULL) {
			fr_count(&e->counters.events[FR_EVENT_PROGRESS], 1);
			continue;
		}
		job = (struct fr_job){ .id = done->id,
			.type = fr_span_of(l->type->name),
			.attempt = l->attempt,
			.worker = fr_span_of(l->worker->id),
			.progress = done->value };
		if (!fr_turn_tell(e, FR_EVENT_PROGRESS, l->type, &job))
			rc = FR_NOMEM;
	}
out:
	batch_fini(&b);
	return rc;
}

/* The rows of all jobs whose end somebody reports, if they are needed. */
static enum fr_rc
read_finished(struct fr_engine *e, struct fr_err *err)
{
	const bool all =
	    fr_event_wanted(e, FR_EVENT_COMPLETE, (struct fr_span){ 0 });
	const struct fr_exchange *x;
	size_t i, j;

	e->turn.ids.n = 0;
	for (i = 0; i < e->turn.works.n; i++) {
		x = exchange_at(e, i);
		for (j = 0; j < x->nfinished; j++) {
			if (!all && x->finished[j].how == FR_FINISH_COMPLETE)
				continue;
			if (!fr_turn_id(&e->turn.ids, &x->finished[j].id))
				return FR_NOMEM;
		}
	}
	return fr_turn_rows(e, err);
}

struct batches {
	struct batch complete, released, again, final;
};

static bool
sort_finished(struct fr_engine *e, struct batches *b, struct fr_finished *f)
{
	struct fr_report r = { .id = f->id,
		.token = f->token,
		.value = f->value,
		.log = f->log,
		.now_ms = e->turn.now_ms };

	f->rc = FR_OK;
	switch (f->how) {
	case FR_FINISH_COMPLETE:
		if (r.value.len == 0)
			r.value = FR_SPAN("null");
		return batch_add(
		    &b->complete, &r, f, fr_turn_row(&e->turn, &f->id));
	case FR_FINISH_RELEASED:
		return batch_add(
		    &b->released, &r, f, fr_turn_row(&e->turn, &f->id));
	case FR_FINISH_LOST:
		if (r.value.len == 0)
			r.value = FR_SPAN("\"the worker was lost\"");
		return add_failed(e, &b->again, &b->final, &r, f->how, f);
	case FR_FINISH_FAILED:
	case FR_FINISH_FINAL:
		if (r.value.len == 0)
			r.value = FR_SPAN("\"failed\"");
		return add_failed(e, &b->again, &b->final, &r, f->how, f);
	}
	fr_assert(!"no such end");
	return false;
}

enum fr_rc
fr_apply_reports(struct fr_engine *e, struct fr_err *err)
{
	const struct fr_store_ops *ops = e->c.store->ops;
	struct batches b = { BATCH_INIT, BATCH_INIT, BATCH_INIT, BATCH_INIT };
	struct fr_exchange *x;
	enum fr_rc rc;
	size_t i, j;

	rc = apply_progress(e, err);
	if (rc == FR_OK)
		rc = read_finished(e, err);
	for (i = 0; rc == FR_OK && i < e->turn.works.n; i++) {
		x = exchange_at(e, i);
		for (j = 0; rc == FR_OK && j < x->nfinished; j++)
			if (!sort_finished(e, &b, &x->finished[j]))
				rc = FR_NOMEM;
	}
	if (rc == FR_OK)
		rc = batch_send(
		    e, ops->complete, &b.complete, note_complete, err);
	if (rc == FR_OK)
		rc = batch_send(
		    e, ops->count_failed, &b.again, note_count_failed, err);
	if (rc == FR_OK)
		rc = batch_send(e, ops->failed, &b.final, note_failed, err);
	if (rc == FR_OK)
		rc = batch_send(
		    e, ops->release, &b.released, note_released, err);
	batch_fini(&b.complete);
	batch_fini(&b.released);
	batch_fini(&b.again);
	batch_fini(&b.final);
	return rc;
}

/* ------------------------------------------------------------------ */

struct load {
	struct fr_engine *e;
	struct fr_worker *w; /* NULL: whoever has it */
};

static enum fr_rc
load_lease(void *arg, const struct fr_job *job)
{
	struct load *l = arg;
	struct fr_type *type = fr_types_get(&l->e->types, job->type);

	if (type == NULL || !fr_lease_add(&l->e->workers, l->w, type, job))
		return FR_NOMEM;
	return FR_OK;
}

/* What the worker has by the store's word, if it was elsewhere before. */
static enum fr_rc
load_worker(struct fr_engine *e, struct fr_worker *w, struct fr_err *err)
{
	struct load l = { e, w };
	enum fr_rc rc;

	rc = e->c.store->ops->running(
	    e->c.store, fr_span_of(w->id), load_lease, &l, err);
	if (rc == FR_OK) {
		w->unsure = false;
		w->read_ms = e->turn.mono_ms;
	}
	return rc;
}

/* The leases that x names, and those of them that it is time to renew. */
static enum fr_rc
name_running(struct fr_engine *e, const struct fr_worker *w,
    struct fr_exchange *x, struct fr_vec *due)
{
	const int64_t fresh_ms = e->turn.now_ms + e->c.lease_ms / 3 * 2;
	struct fr_renewal *r;
	struct fr_lease *l;
	size_t i;

	for (i = 0; i < x->nrunning; i++) {
		l = fr_lease_find(&e->workers, &x->running[i].id);
		if (owns(l, x->worker, &x->running[i].token)) {
			l->round = l->worker->round;
			if (l->gone || l->until_ms > fresh_ms)
				continue;
		} else if (fr_lease_has_ended(&e->workers, w, &x->running[i].id,
			       &x->running[i].token)) {
			continue;
		}
		r = fr_vec_add(due);
		if (r == NULL)
			return FR_NOMEM;
		r->id = x->running[i].id;
		r->token = x->running[i].token;
		r->until_ms = e->turn.now_ms + e->c.lease_ms;
	}
	return FR_OK;
}

static enum fr_rc
renew(struct fr_engine *e, struct fr_worker *w, struct fr_exchange *x,
    struct fr_vec *due, struct fr_err *err)
{
	const struct fr_renewal *r;
	struct fr_lease *l;
	enum fr_rc rc;
	size_t i;

	if (due->n == 0)
		return FR_OK;
	rc = e->c.store->ops->renew(e->c.store, due->p, due->n, err);
	if (rc != FR_OK)
		return rc;
	e->turn.wrote = true;
	for (i = 0; i < due->n; i++) {
		r = fr_vec_at(due, i);
		l = fr_lease_find(&e->workers, &r->id);
		if (r->rc != FR_OK) {
			fr_assert(x->nstop < x->nrunning);
			x->stop[x->nstop++] = r->id;
			if (owns(l, x->worker, &r->token))
				fr_lease_drop(&e->workers, l);
		} else if (owns(l, x->worker, &r->token)) {
			l->until_ms = r->until_ms;
		} else {
			w->unsure = true; /* it got this one elsewhere */
		}
	}
	return FR_OK;
}

/*
 * What the worker was given before and does not name was lost on the way. It
 * has at most one exchange with slots open, so that it has seen, or will
 * never see, the answers to those before.
 */
static enum fr_rc
take_back(struct fr_engine *e, struct fr_worker *w, struct fr_vec *lost)
{
	struct fr_lease *l, *next;
	struct fr_report *r;

	for (l = w->leases; l != NULL; l = next) {
		next = l->next;
		if (l->round == w->round)
			continue;
		if (!l->gone) {
			r = fr_vec_add(lost);
			if (r == NULL)
				return FR_NOMEM;
			r->id = l->id;
			r->token = l->token;
			r->now_ms = e->turn.now_ms;
			r->unsaid = true;
		}
		fr_lease_drop(&e->workers, l);
	}
	return FR_OK;
}

static enum fr_rc
apply_exchange(struct fr_engine *e, struct fr_exchange *x, struct fr_vec *due,
    struct fr_vec *lost, struct fr_err *err)
{
	struct fr_worker *w = fr_workers_find(&e->workers, x->worker);
	struct fr_lease *l;
	enum fr_rc rc = FR_OK;
	size_t i;

	fr_assert(w != NULL);
	if (w->unsure)
		rc = load_worker(e, w, err);
	if (rc != FR_OK)
		return rc;
	if (x->slots > 0 || x->leaving)
		w->round++;
	for (i = 0; i < x->nfinished; i++) {
		l = fr_lease_find(&e->workers, &x->finished[i].id);
		if (owns(l, x->worker, &x->finished[i].token))
			fr_lease_end(l);
	}
	due->n = 0;
	rc = name_running(e, w, x, due);
	if (rc == FR_OK)
		rc = renew(e, w, x, due, err);
	if (rc == FR_OK && (x->slots > 0 || x->leaving))
		rc = take_back(e, w, lost);
	if (rc == FR_OK && (x->slots > 0 || x->leaving))
		fr_leases_named(&e->workers, w);
	return rc;
}

enum fr_rc
fr_apply_held(struct fr_engine *e, struct fr_err *err)
{
	struct fr_vec due = FR_VEC_OF(struct fr_renewal);
	struct fr_vec lost = FR_VEC_OF(struct fr_report);
	enum fr_rc rc = FR_OK;
	struct fr_op *op;
	size_t i;

	for (i = 0; rc == FR_OK && i < e->turn.works.n; i++) {
		op = *(struct fr_op **)fr_vec_at(&e->turn.works, i);
		op->u.work.nstop = 0;
		op->u.work.stop = fr_arena_calloc(
		    op->arena, op->u.work.nrunning, sizeof(struct fr_uuid));
		if (op->u.work.stop == NULL)
			rc = FR_NOMEM;
		else
			rc = apply_exchange(e, &op->u.work, &due, &lost, err);
	}
	if (rc == FR_OK)
		rc = fr_report_released(e, lost.p, lost.n, err);
	for (i = 0; i < e->doubtful.n; i++)
		((struct fr_report *)fr_vec_at(&e->doubtful, i))->now_ms =
		    e->turn.now_ms;
	if (rc == FR_OK)
		rc = fr_report_released(e, e->doubtful.p, e->doubtful.n, err);
	fr_vec_fini(&due);
	fr_vec_fini(&lost);
	return rc;
}
