/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/turn.h"

/* What a turn brings about once its transaction is committed. */

static void
touch(struct fr_engine *e, const struct fr_vec *tickets)
{
	const struct fr_ticket *t;
	const char *last = NULL;
	struct fr_type *type;
	size_t i;

	for (i = 0; i < tickets->n; i++) {
		t = fr_vec_at(tickets, i);
		if (t->type == last) /* names are interned */
			continue;
		last = t->type;
		type = fr_types_find(&e->types, fr_span_of(last));
		if (type != NULL && !type->maybe)
			fr_type_set_maybe(&e->types, type, true);
	}
}

static int
by_id(const void *a, const void *b)
{
	const struct fr_ticket *x = a, *y = b;

	return fr_uuid_cmp(&x->id, &y->id);
}

static void
update_queue(struct fr_engine *e)
{
	struct fr_queue *q = e->c.queue;
	struct fr_turn *t = &e->turn;
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc = FR_OK;

	touch(e, &t->push);
	touch(e, &t->front);
	/* What several reports give back stands in the order of the reports;
	 * our ids are in the order of time, which is that of the queue. */
	if (t->front.n > 1)
		qsort(t->front.p, t->front.n, t->front.each, by_id);
	if (e->degraded)
		return; /* the sweep brings it when the queue is back */
	if (t->removed.n > 0)
		rc = q->ops->remove(q, t->removed.p, t->removed.n, &err);
	if (rc == FR_OK && t->front.n > 0)
		rc = q->ops->requeue(q, t->front.p, t->front.n, &err);
	if (rc == FR_OK && t->push.n > 0)
		rc = q->ops->push(q, t->push.p, t->push.n, &err);
	if (rc == FR_OK)
		return;
	fr_log(
	    FR_LOG_WARN, "queue fails, jobs come from the store: %s", err.msg);
	e->degraded = true;
	__atomic_store_n(&e->counters.degraded, 1, __ATOMIC_RELAXED);
}

static void
tell_events(struct fr_engine *e)
{
	struct fr_turn *t = &e->turn;
	const struct fr_told *told;
	size_t i;

	if (e->c.ring != NULL && fr_event_ring_wanted(e->c.ring)) {
		for (i = 0; i < t->told.n; i++) {
			told = fr_vec_at(&t->told, i);
			fr_event_ring_add(e->c.ring, told->kind,
			    fr_span_of(told->type->name), &told->id,
			    (struct fr_span){
				t->text.p + told->at, told->len });
		}
		/* Events that answer no request have readers, too. */
		if (t->told.n > 0 && e->c.wake != NULL)
			e->c.wake(e->c.wake_arg);
	}
	if (t->hooks && e->c.outbox_ready != NULL)
		e->c.outbox_ready(e->c.outbox_arg);
}

/* Whether this turn has put something into the queue that k could take. */
static bool
has_prospects(const struct fr_taker *k)
{
	size_t i;

	for (i = 0; k != NULL && k->linked && i < k->op->u.work.ntypes; i++)
		if (k->links[i].type->in_ready)
			return true;
	return false;
}

/* It leaves with nothing left, so what it still has open, to hear of its jobs,
 * waits for nothing. */
static void
say_goodbye(struct fr_engine *e, struct fr_worker *w)
{
	if (w->open != NULL)
		fr_dispatch_answer(e, w->open, FR_OK);
	fr_workers_forget(&e->workers, w);
}

/* Exchanges that got nothing go on waiting, or are answered all the same. */
static void
settle_works(struct fr_engine *e)
{
	struct fr_worker *w;
	struct fr_op *op;
	int64_t wait_ms;
	size_t i;

	for (i = 0; i < e->turn.works.n; i++) {
		op = *(struct fr_op **)fr_vec_at(&e->turn.works, i);
		if (op->answered)
			continue;
		w = fr_workers_find(&e->workers, op->u.work.worker);
		wait_ms = op->now ? 1 : op->u.work.wait_ms;
		if (op->u.work.nstop > 0 ||
		    (op->now && !has_prospects(op->taker)) ||
		    !fr_wait_begin(e, op, wait_ms))
			fr_dispatch_answer(e, op, FR_OK);
		if (op->u.work.leaving && w != NULL && w->leases == NULL)
			say_goodbye(e, w);
	}
}

static void
tell_cancelled(struct fr_engine *e)
{
	const struct fr_uuid *id;
	struct fr_lease *l;
	size_t i;

	for (i = 0; i < e->turn.cancelled.n; i++) {
		id = fr_vec_at(&e->turn.cancelled, i);
		l = fr_lease_find(&e->workers, id);
		if (l == NULL)
			continue;
		l->gone = true;
		if (l->worker->open != NULL)
			fr_dispatch_answer(e, l->worker->open, FR_OK);
	}
}

static void
settle_pauses(struct fr_engine *e)
{
	struct fr_type *type;
	struct fr_op *op;
	size_t i;

	for (i = 0; i < e->turn.others.n; i++) {
		op = *(struct fr_op **)fr_vec_at(&e->turn.others, i);
		if (op->kind != FR_OP_PAUSE && op->kind != FR_OP_RESUME)
			continue;
		type = fr_types_get(&e->types, fr_span_of(op->u.pause.type));
		if (type != NULL)
			fr_type_set_paused(
			    &e->types, type, op->kind == FR_OP_PAUSE);
	}
}

void
fr_turn_committed(struct fr_engine *e)
{
	struct fr_turn *t = &e->turn;
	struct fr_op *op, *next;
	size_t i;

	if (t->wrote)
		e->full = false;
	fr_count(&e->counters.purged, t->purged);
	if (!t->freeing)
		e->fresh = e->shorten = false;
	e->doubtful.n = 0;
	if (e->away_since_ms != 0)
		fr_log(FR_LOG_WARN, "the store is back");
	e->away_since_ms = 0;
	update_queue(e);
	tell_events(e);
	settle_pauses(e);
	for (op = t->creates.first; op != NULL; op = next) {
		next = op->next;
		fr_answer(e, op, op->rc);
	}
	fr_dispatch_done(e);
	settle_works(e);
	tell_cancelled(e);
	for (i = 0; i < t->ended.n; i++)
		fr_wait_job_ended(e, fr_vec_at(&t->ended, i));
}
