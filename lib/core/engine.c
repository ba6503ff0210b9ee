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

static int64_t
min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

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
	if (w->told_ms == 0 || x->leaving)
		e->arrivals = e->shared;
	/* What it asked for before it went it has given up, and a job that
	 * went there now would be lost on the way. */
	if (x->leaving && w->open != NULL && w->open != op &&
	    w->open->u.work.slots > 0)
		fr_dispatch_answer(e, w->open, FR_AGAIN);
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

/*
 * What one turn takes of new jobs; a job counts as so many bytes more. The
 * rest waits, so that the reports and leases of those who work, and those who
 * submit a job with little data, are not behind large batches: where both come
 * batches have half of the time, in small shares.
 */
#define TURN_BYTES ((int64_t)16 << 20)
#define BULK_SHARE ((int64_t)1 << 20)
#define JOB_BYTES 1024
#define PROMPT_BYTES ((size_t)64 << 10)
#define REST_MOST_MS 1000
#define QUIET_MS 100 /* so long after the last of the others bulk is alone */

static void
add_last(struct fr_line *l, struct fr_op *op)
{
	op->next = NULL;
	if (l->first == NULL)
		l->first = op;
	else
		l->last->next = op;
	l->last = op;
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
		fr_refuse(e, op, FR_NOMEM, NULL);
		return;
	}
	to = fr_vec_add(v);
	if (to == NULL)
		fr_refuse(e, op, FR_NOMEM, NULL);
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

static void
line_up(struct fr_engine *e, struct fr_op *op)
{
	const bool prompt = op->u.create.n == 1 &&
			    op->u.create.jobs[0].data.len <= PROMPT_BYTES;

	add_last(prompt ? &e->prompt : &e->bulk, op);
}

static int64_t
cost(const struct fr_op *op)
{
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < op->u.create.n; i++)
		sum += (int64_t)op->u.create.jobs[i].data.len + JOB_BYTES;
	return sum;
}

static void
take_first(struct fr_engine *e, struct fr_line *l, int64_t *credit)
{
	struct fr_op *op = l->first;

	*credit -= cost(op);
	l->first = op->next;
	sort_op(e, op);
}

/* How much of the large batches this turn takes. */
static int64_t
bulk_share(struct fr_engine *e)
{
	const int64_t now = e->turn.mono_ms;

	if (e->prompt.first != NULL || e->turn.works.n > 0)
		e->others_ms = now;
	if (now - e->others_ms > QUIET_MS)
		return TURN_BYTES;
	return now < e->bulk_after_ms ? 0 : BULK_SHARE;
}

/* The others get as much time as that has taken. */
static void
rest_after_bulk(struct fr_engine *e)
{
	int64_t now;

	if (!e->had_bulk)
		return;
	e->had_bulk = false;
	now = e->c.clock->mono_ms(e->c.clock->arg);
	e->bulk_after_ms = now + min64(now - e->turn.mono_ms, REST_MOST_MS);
}

/* New jobs: in the order in which they came, as long as all of them fit. */
static size_t
gather_creates(struct fr_engine *e)
{
	struct fr_line *p = &e->prompt, *b = &e->bulk;
	int64_t prompt = TURN_BYTES, bulk = bulk_share(e);
	size_t n;

	for (n = 0;; n++) {
		const bool p_fits = p->first != NULL && prompt > 0;
		const bool b_fits = b->first != NULL && bulk > 0;

		if (p_fits &&
		    (!b_fits || p->first->serial < b->first->serial)) {
			take_first(e, p, &prompt);
		} else if (b_fits) {
			take_first(e, b, &bulk);
			e->had_bulk = true;
		} else {
			return n;
		}
	}
}

/* Everything that is to be applied in this turn. */
static size_t
gather(struct fr_engine *e)
{
	struct fr_op *op, *next, *redo = e->redo, *purges = e->purges;
	uint64_t *serials;
	size_t i, n = 0, nserials;

	op = fr_inbox_take(&e->inbox, &serials, &nserials);
	for (e->redo = NULL, next = redo; next != NULL; n++) {
		struct fr_op *one = next;

		next = one->next;
		sort_op(e, one);
	}
	for (; op != NULL; op = next) {
		next = op->next;
		if (op->kind == FR_OP_CREATE) {
			line_up(e, op);
			continue;
		}
		sort_op(e, op);
		n++;
	}
	/* What frees the disk goes first. */
	if (redo == NULL)
		n += gather_creates(e);
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

/* When something is due by itself. */
static int64_t
next_due(const struct fr_engine *e)
{
	const struct fr_heap_node *n = fr_heap_first(&e->timers);
	int64_t at = e->next_sweep_ms;

	if ((e->loading && !e->degraded) || e->types.ready != NULL ||
	    e->prompt.first != NULL || e->fresh)
		return e->turn.mono_ms;
	if (e->more_to_purge || e->purges != NULL)
		at = min64(at, fr_purge_next(e));
	if (e->bulk.first != NULL)
		at = min64(at, e->bulk_after_ms);
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

static int64_t
next_turn(const struct fr_engine *e)
{
	const int64_t soon = e->turn.mono_ms + AWAY_RETRY_MS;
	int64_t at;

	if (e->redo != NULL)
		return e->turn.mono_ms;
	if (e->away_since_ms != 0)
		return soon;
	/* What the full disk has refused is due all the time. */
	at = next_due(e);
	return e->full && at < soon ? soon : at;
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
			fr_turn_committed(e);
	}
	if (rc != FR_OK)
		fr_turn_failed(e, rc, &why);
	abandon_late(e);
	/* Last, so that whoever's time is over now had his chance. */
	fr_wait_timeouts(e, e->turn.mono_ms);
	unlist(e);
	release_answers(e);
	rest_after_bulk(e);
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
		fr_refuse(e, op, FR_AGAIN, &why);
	}
	fr_refuse_lines(e, FR_AGAIN, &why);
	fr_refuse_all(e, &e->turn.works, FR_AGAIN, &why);
	fr_refuse_all(e, &e->turn.edits, FR_AGAIN, &why);
	fr_refuse_all(e, &e->turn.others, FR_AGAIN, &why);
	while (pos = 0, fr_map_next(e->by_serial, &pos, NULL, &v))
		fr_refuse(e, v, FR_AGAIN, &why);
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
