/* SPDX-License-Identifier: MIT */
#include "core/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/turn.h"

/*
 * The loop. One turn takes all that has arrived, applies it as one store
 * transaction, commits, pushes to the queue, and releases the answers. Three
 * orders never change: commit before answer, commit before push, and the
 * commit of a lease before the job leaves.
 */

#define AWAY_RETRY_MS 250 /* between two tries while the store is away */

enum fr_rc
fr_engine_submit(struct fr_engine *e, struct fr_op *op)
{
	op->rc = FR_OK;
	op->err.msg[0] = '\0';
	op->taker = NULL;
	op->waiting = op->now = op->answered = op->listed = false;
	op->timer.pos = 0;
	op->list_prev = op->list_next = NULL;
	return fr_inbox_put(&e->inbox, op);
}

void
fr_engine_abandon(struct fr_engine *e, struct fr_op *op)
{
	fr_inbox_abandon(&e->inbox, op);
}

struct fr_op *
fr_engine_take(struct fr_engine *e)
{
	return fr_inbox_answers(&e->inbox);
}

void
fr_engine_stop(struct fr_engine *e)
{
	__atomic_store_n(&e->stopping, true, __ATOMIC_RELEASE);
	fr_inbox_poke(&e->inbox);
}

void
fr_engine_counters(struct fr_engine *e, struct fr_engine_counters *c)
{
	const uint64_t *from = (const uint64_t *)&e->counters;
	uint64_t *to = (uint64_t *)c;
	size_t i;

	for (i = 0; i < sizeof(*c) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	c->pending = fr_inbox_pending(&e->inbox);
}

void
fr_answer(struct fr_engine *e, struct fr_op *op, enum fr_rc rc)
{
	fr_assert(!op->answered);
	fr_wait_end(e, op);
	op->answered = true;
	op->rc = rc;
	op->next = NULL;
	if (e->done == NULL)
		e->done = op;
	else
		e->done_last->next = op;
	e->done_last = op;
}

static void
release_answers(struct fr_engine *e)
{
	if (e->done == NULL)
		return;
	if (fr_inbox_answer(&e->inbox, e->done, e->done_last) &&
	    e->c.wake != NULL)
		e->c.wake(e->c.wake_arg);
	e->done = e->done_last = NULL;
}

/* ------------------------------------------------------------------ */

/* A worker's exchange: noted, and made a taker if it can take something. */
static bool
enter_work(struct fr_engine *e, struct fr_op *op)
{
	struct fr_exchange *x = &op->u.work;
	struct fr_worker *w;

	w = fr_workers_note(
	    &e->workers, x, e->shared, e->turn.mono_ms, e->turn.now_ms);
	if (w == NULL)
		return false;
	/*
	 * A manager that it left may have given it something since, on a
	 * connection that is dead.
	 */
	if (e->shared && e->turn.mono_ms - w->read_ms > e->c.lease_ms / 3)
		w->unsure = true;
	op->now = x->wait_ms <= 0 || x->nfinished > 0 ||
		  (x->slots > 0 ? x->ntypes == 0 : w->open != NULL);
	/* One that has nothing to take waits to hear of a cancelled job. */
	if (x->slots == 0 && (w->open == op || !op->now)) {
		op->now = false;
		w->open = op;
		return true;
	}
	if (x->slots == 0 || x->ntypes == 0 || op->taker != NULL)
		return true;
	/* The one before is dead, or it would not send another; unless it only
	 * waits to hear. */
	if (w->open != NULL)
		fr_dispatch_answer(
		    e, w->open, w->open->u.work.slots > 0 ? FR_AGAIN : FR_OK);
	op->taker = fr_taker_new(&e->types, op, w);
	if (op->taker == NULL)
		return false;
	fr_taker_link(&e->types, op->taker);
	w->open = op;
	return true;
}

static void
refuse(struct fr_engine *e, struct fr_op *op, enum fr_rc rc,
    const struct fr_err *why)
{
	if (why != NULL)
		op->err = *why;
	else if (op->err.msg[0] == '\0')
		(void)fr_fail(&op->err, rc, "no memory");
	if (op->kind == FR_OP_WORK)
		fr_dispatch_answer(e, op, rc);
	else
		fr_answer(e, op, rc);
}

static void
sort_op(struct fr_engine *e, struct fr_op *op)
{
	struct fr_turn *t = &e->turn;
	struct fr_vec *v = &t->others;
	struct fr_op **to;

	op->next = NULL;
	if (op->kind == FR_OP_CREATE) {
		if (t->creates_last == NULL)
			t->creates = op;
		else
			t->creates_last->next = op;
		t->creates_last = op;
		return;
	}
	if (op->kind == FR_OP_WORK)
		v = &t->works;
	else if (op->kind == FR_OP_CANCEL || op->kind == FR_OP_RETRY ||
		 op->kind == FR_OP_REMOVE)
		v = &t->edits;
	if (op->kind == FR_OP_WORK && !enter_work(e, op)) {
		refuse(e, op, FR_NOMEM, NULL);
		return;
	}
	to = fr_vec_add(v);
	if (to == NULL)
		refuse(e, op, FR_NOMEM, NULL);
	else
		*to = op;
	op->listed = to != NULL && v == &t->works;
}

/*
 * What was answered while this turn was gathered depends on no commit. But an
 * exchange that is itself of this turn, replaced by the worker's next one, is
 * in its lists, and must live until they have been gone through.
 */
static void
release_early(struct fr_engine *e)
{
	struct fr_op *op, *next, *kept = NULL, *kept_last = NULL;
	struct fr_op *all = e->done;

	e->done = e->done_last = NULL;
	for (op = all; op != NULL; op = next) {
		struct fr_op **first = op->listed ? &kept : &e->done;
		struct fr_op **last = op->listed ? &kept_last : &e->done_last;

		next = op->next;
		op->next = NULL;
		if (*first == NULL)
			*first = op;
		else
			(*last)->next = op;
		*last = op;
	}
	release_answers(e);
	e->done = kept;
	e->done_last = kept_last;
}

/* No list of a turn has its exchanges any more. */
static void
unlist(struct fr_engine *e)
{
	size_t i;

	for (i = 0; i < e->turn.works.n; i++)
		(*(struct fr_op **)fr_vec_at(&e->turn.works, i))->listed =
		    false;
}

/* Everything that is to be applied in this turn. */
static size_t
gather(struct fr_engine *e)
{
	struct fr_op *op, *next, *purges = e->purges;
	uint64_t *serials;
	size_t i, n = 0, nserials;
	const bool redo = e->redo != NULL;

	op = fr_inbox_take(&e->inbox, &serials, &nserials);

	if (!redo && e->later != NULL) {
		struct fr_op *last = e->later;

		while (last->next != NULL)
			last = last->next;
		last->next = op;
		op = e->later;
		e->later = NULL;
	}
	for (next = e->redo, e->redo = NULL; next != NULL; n++) {
		struct fr_op *one = next;

		next = one->next;
		sort_op(e, one);
	}
	for (; op != NULL; op = next, n++) {
		next = op->next;
		if (redo && op->kind == FR_OP_CREATE) {
			/* What frees the disk goes first. */
			op->next = e->later;
			e->later = op;
			continue;
		}
		sort_op(e, op);
	}
	for (e->purges = NULL, op = purges; op != NULL; op = next, n++) {
		next = op->next;
		sort_op(e, op);
	}
	/* One that has arrived only now does not wait yet. */
	for (i = 0; i < nserials; i++)
		if (!fr_wait_abandoned(e, serials[i]))
			serials[e->nabandoned++] = serials[i];
	e->abandoned = serials;
	fr_count(&e->counters.ops, n);
	return n;
}

static enum fr_rc
apply(struct fr_engine *e, struct fr_err *err)
{
	struct fr_store *s = e->c.store;
	bool again;
	enum fr_rc rc;

	do {
		rc = s->ops->begin(s, err);
		if (rc != FR_OK)
			return rc;
		rc = fr_apply_compare(e, err);
		if (rc == FR_OK)
			rc = fr_apply_creates(e, &again, err);
		if (rc == FR_OK && again)
			s->ops->rollback(s);
	} while (rc == FR_OK && again);
	if (rc == FR_OK)
		rc = fr_apply_news(e, err);
	if (rc == FR_OK)
		rc = fr_apply_reports(e, err);
	if (rc == FR_OK)
		rc = fr_apply_edits(e, err);
	if (rc == FR_OK)
		rc = fr_apply_held(e, err);
	if (rc == FR_OK)
		rc = fr_apply_others(e, err);
	if (rc == FR_OK)
		rc = fr_apply_sweep(e, err);
	if (rc == FR_OK)
		rc = fr_apply_dispatch(e, err);
	if (rc == FR_OK)
		rc = fr_apply_walk(e, err);
	if (rc == FR_OK)
		rc = fr_apply_outbox(e, err);
	if (rc != FR_OK) {
		s->ops->rollback(s);
		return rc;
	}
	fr_count(&e->counters.commits, e->turn.wrote);
	return s->ops->commit(s, err);
}

/* ------------------------------------------------------------------ */

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
		if (op->u.work.leaving && w != NULL && w->open == NULL &&
		    w->leases == NULL)
			fr_workers_forget(&e->workers, w);
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

static void
committed(struct fr_engine *e)
{
	struct fr_turn *t = &e->turn;
	struct fr_op *op, *next;
	size_t i;

	if (t->wrote)
		e->full = false;
	e->fresh = false;
	if (e->away_since_ms != 0)
		fr_log(FR_LOG_WARN, "the store is back");
	e->away_since_ms = 0;
	update_queue(e);
	tell_events(e);
	settle_pauses(e);
	for (op = t->creates; op != NULL; op = next) {
		next = op->next;
		fr_answer(e, op, op->rc);
	}
	fr_dispatch_done(e);
	settle_works(e);
	tell_cancelled(e);
	for (i = 0; i < t->ended.n; i++)
		fr_wait_job_ended(e, fr_vec_at(&t->ended, i));
}

/* ------------------------------------------------------------------ */

static void
put_back(struct fr_engine *e, struct fr_vec *ops)
{
	struct fr_op *op;
	size_t i = ops->n;

	/* In their order, in front of those that are there. */
	while (i-- > 0) {
		op = *(struct fr_op **)fr_vec_at(ops, i);
		if (op->waiting)
			continue; /* it has nothing to change */
		op->next = e->redo;
		e->redo = op;
	}
}

/* Answers of this turn that are not true any more. */
static void
recall_answers(struct fr_engine *e, enum fr_rc rc, const struct fr_err *why)
{
	struct fr_op *op;

	for (op = e->done; op != NULL; op = op->next)
		if (op->rc == FR_OK || op->rc == FR_EXISTS) {
			op->rc = rc;
			op->err = *why;
		}
}

static void
refuse_all(struct fr_engine *e, struct fr_vec *ops, enum fr_rc rc,
    const struct fr_err *why)
{
	struct fr_op *op;
	size_t i;

	for (i = 0; i < ops->n; i++) {
		op = *(struct fr_op **)fr_vec_at(ops, i);
		if (!op->answered && !op->waiting)
			refuse(e, op, rc, why);
	}
}

static void
unsure_of_all(struct fr_engine *e)
{
	size_t pos = 0;
	void *w;

	while (fr_map_next(e->workers.by_id, &pos, NULL, &w))
		((struct fr_worker *)w)->unsure = true;
}

/*
 * The transaction is lost, or nobody knows. Nothing was pushed and nothing
 * was answered yet, so that all of it can be taken back.
 */
static void
lost(struct fr_engine *e, enum fr_rc rc, const struct fr_err *why)
{
	struct fr_turn *t = &e->turn;
	struct fr_op *op, *next, *purges = e->purges;

	fr_count(&e->counters.failed_commits, 1);
	recall_answers(e, rc, why);
	fr_dispatch_undo(e);
	for (e->purges = NULL, op = purges; op != NULL; op = next) {
		next = op->next;
		refuse(e, op, rc, why);
	}
	for (op = t->creates; op != NULL; op = next) {
		next = op->next;
		op->err = *why;
		fr_answer(e, op, rc);
	}
	refuse_all(e, &t->works, rc, why);
	refuse_all(e, &t->edits, rc, why);
	refuse_all(e, &t->others, rc, why);
	unsure_of_all(e);
	/* What the walk has read was not pushed. */
	e->loading = t->loading;
	e->cursor = t->cursor;
	e->next_sweep_ms = t->mono_ms;
}

/* Answers of this turn that will be given by the next one. */
static void
unanswer(struct fr_engine *e)
{
	struct fr_op *op = e->done, *next;

	e->done = e->done_last = NULL;
	for (; op != NULL; op = next) {
		next = op->next;
		op->answered = false;
		/* A conflict of ids stays one. */
		if (op->kind == FR_OP_CREATE)
			fr_answer(e, op, op->rc);
	}
}

/*
 * The disk is full. New jobs are what can be refused; the end of a job frees
 * nobody's disk, but it must not be lost behind them, so that the rest is
 * tried again alone.
 */
static void
disk_full(struct fr_engine *e, const struct fr_err *why)
{
	struct fr_turn *t = &e->turn;
	struct fr_op *op, *next;

	e->full = true;
	if (t->creates == NULL) {
		lost(e, FR_NOSPACE, why);
		return;
	}
	fr_count(&e->counters.failed_commits, 1);
	fr_dispatch_undo(e);
	unanswer(e);
	for (op = t->creates; op != NULL; op = next) {
		next = op->next;
		op->err = *why;
		fr_answer(e, op, FR_NOSPACE);
	}
	e->purges = NULL; /* they stand among the others */
	put_back(e, &t->others);
	put_back(e, &t->edits);
	put_back(e, &t->works);
	unsure_of_all(e);
	e->loading = t->loading;
	e->cursor = t->cursor;
}

static bool
believable(const struct fr_engine *e, enum fr_rc rc)
{
	if (rc == FR_NOSPACE || rc == FR_AGAIN || rc == FR_NOMEM)
		return true;
	/* A server that went away comes back and can be asked. */
	return e->shared && rc != FR_BROKEN;
}

static void
failed(struct fr_engine *e, enum fr_rc rc, struct fr_err *why)
{
	const struct fr_turn *t = &e->turn;

	if (why->msg[0] == '\0')
		(void)fr_fail(why, rc, "the store failed: %s", fr_rc_name(rc));
	if (!believable(e, rc)) {
		e->fatal = true;
		e->fatal_err = *why;
		lost(e, FR_UNKNOWN, why);
		return;
	}
	if (rc == FR_NOSPACE) {
		disk_full(e, why);
		return;
	}
	if (rc == FR_NOMEM)
		rc = FR_AGAIN;
	lost(e, rc == FR_UNKNOWN ? FR_UNKNOWN : FR_AGAIN, why);
	if (e->away_since_ms == 0) {
		fr_log(FR_LOG_WARN, "the store is away: %s", why->msg);
		e->away_since_ms = t->mono_ms;
	}
	e->fresh = true;
}

/* ------------------------------------------------------------------ */

static bool
due(const struct fr_engine *e)
{
	const struct fr_turn *t = &e->turn;

	return e->fresh || e->more_to_purge || e->recheck ||
	       e->turn.news.n > 0 || e->turn.ended.n > 0 ||
	       e->turn.cancelled.n > 0 || (e->loading && !e->degraded) ||
	       e->types.ready != NULL || t->mono_ms >= e->next_sweep_ms ||
	       t->now_ms >= e->next_run_ms || t->now_ms >= e->next_lease_ms;
}

static int64_t
min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
next_turn(const struct fr_engine *e)
{
	const struct fr_heap_node *n = fr_heap_first(&e->timers);
	int64_t at = e->next_sweep_ms;

	if (e->redo != NULL)
		return e->turn.mono_ms;
	if (e->away_since_ms != 0)
		return e->turn.mono_ms + AWAY_RETRY_MS;
	if (e->more_to_purge || (e->loading && !e->degraded) ||
	    e->types.ready != NULL || e->purges != NULL || e->redo != NULL ||
	    e->later != NULL || e->fresh)
		return e->turn.mono_ms;
	if (n != NULL)
		at = min64(at, n->at_ms);
	if (e->echo_ms != 0)
		at = min64(at, e->echo_ms);
	if (e->next_run_ms != INT64_MAX)
		at = min64(at, e->next_run_ms - e->offset_ms);
	if (e->next_lease_ms != INT64_MAX)
		at = min64(at, e->next_lease_ms - e->offset_ms);
	return at;
}

/* Requests that were left in the turn in which they arrived. */
static void
abandon_late(struct fr_engine *e)
{
	size_t i;

	for (i = 0; i < e->nabandoned; i++)
		(void)fr_wait_abandoned(e, e->abandoned[i]);
	free(e->abandoned);
	e->abandoned = NULL;
	e->nabandoned = 0;
}

enum fr_rc
fr_engine_step(struct fr_engine *e, int64_t *next_ms, struct fr_err *err)
{
	struct fr_err why = FR_ERR_INIT;
	enum fr_rc rc;
	size_t n;

	if (e->fatal) {
		*err = e->fatal_err;
		return err->rc;
	}
	fr_turn_reset(&e->turn);
	/* Nothing of a turn points to types or workers here. */
	fr_sweep_tidy(e);
	rc = fr_engine_clock(e, e->turn.mono_ms >= e->next_sweep_ms, &why);
	n = gather(e);
	release_early(e);
	e->turn.loading = e->loading;
	e->turn.cursor = e->cursor;
	if (rc == FR_OK)
		rc = fr_news_hear(e, &why);
	if (rc == FR_OK && (n > 0 || due(e))) {
		rc = apply(e, &why);
		if (rc == FR_OK)
			committed(e);
	}
	if (rc != FR_OK)
		failed(e, rc, &why);
	abandon_late(e);
	/* Last, so that whoever's time is over now had his chance. */
	fr_wait_timeouts(e, e->turn.mono_ms);
	unlist(e);
	release_answers(e);
	*next_ms = next_turn(e);
	if (e->fatal) {
		*err = e->fatal_err;
		return err->rc;
	}
	return FR_OK;
}

static void
answer_rest(struct fr_engine *e)
{
	struct fr_err why = FR_ERR_INIT;
	struct fr_op *op, *next;
	size_t pos = 0;
	void *v;

	(void)fr_fail(&why, FR_AGAIN, "the manager is stopping");
	fr_inbox_close(&e->inbox);
	fr_turn_reset(&e->turn);
	(void)gather(e);
	abandon_late(e);
	for (op = e->turn.creates; op != NULL; op = next) {
		next = op->next;
		refuse(e, op, FR_AGAIN, &why);
	}
	for (op = e->later, e->later = NULL; op != NULL; op = next) {
		next = op->next;
		refuse(e, op, FR_AGAIN, &why);
	}
	refuse_all(e, &e->turn.works, FR_AGAIN, &why);
	refuse_all(e, &e->turn.edits, FR_AGAIN, &why);
	refuse_all(e, &e->turn.others, FR_AGAIN, &why);
	while (pos = 0, fr_map_next(e->by_serial, &pos, NULL, &v))
		refuse(e, v, FR_AGAIN, &why);
	fr_turn_reset(&e->turn);
	release_answers(e);
}

enum fr_rc
fr_engine_run(struct fr_engine *e, struct fr_err *err)
{
	const struct fr_clock *k = e->c.clock;
	int64_t next_ms;
	enum fr_rc rc;
	int fd = -1;

	if (e->c.store->ops->watch_fd != NULL)
		fd = e->c.store->ops->watch_fd(e->c.store);
	for (;;) {
		rc = fr_engine_step(e, &next_ms, err);
		if (rc != FR_OK ||
		    __atomic_load_n(&e->stopping, __ATOMIC_ACQUIRE))
			break;
		fr_inbox_wait(&e->inbox, next_ms - k->mono_ms(k->arg), fd);
	}
	answer_rest(e);
	return rc;
}
