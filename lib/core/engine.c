/* SPDX-License-Identifier: MIT */
#include "core/engine.h"

#include <stdlib.h>

#include "base/assert.h"
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

static enum fr_rc
put(struct fr_engine *e, struct fr_op *op, bool *first)
{
	op->rc = FR_OK;
	op->err.msg[0] = '\0';
	op->taker = NULL;
	op->waiting = op->now = op->answered = op->listed = false;
	op->timer.pos = 0;
	op->list_prev = op->list_next = NULL;
	return fr_inbox_put(&e->inbox, op, first);
}

enum fr_rc
fr_engine_submit(struct fr_engine *e, struct fr_op *op)
{
	bool first = false;
	const enum fr_rc rc = put(e, op, &first);

	if (first)
		fr_inbox_wake(&e->inbox);
	return rc;
}

enum fr_rc
fr_engine_put(struct fr_engine *e, struct fr_op *op)
{
	const bool slow = op->kind != FR_OP_WORK && !fr_op_prompt(op);
	bool first = false;
	const enum fr_rc rc = put(e, op, &first);

	if (rc != FR_OK)
		return rc;
	/* What was slow may still be there, unless there was nothing. */
	e->put.slow = slow || (e->put.slow && !first);
	e->put.first = e->put.first || first;
	return FR_OK;
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
	fr_line_add(&e->done, op);
}

static void
release_answers(struct fr_engine *e)
{
	if (e->done.first == NULL)
		return;
	if (fr_inbox_answer(&e->inbox, e->done.first, e->done.last) &&
	    !e->here && e->c.wake != NULL)
		e->c.wake(e->c.wake_arg);
	e->done.first = NULL;
}

/* ------------------------------------------------------------------ */

/*
 * What was answered while this turn was gathered depends on no commit. But an
 * exchange that is itself of this turn, replaced by the worker's next one, is
 * in its lists, and must live until they have been gone through.
 */
static void
release_early(struct fr_engine *e)
{
	struct fr_line kept = { NULL, NULL };
	struct fr_op *op, *next;

	op = e->done.first;
	e->done.first = NULL;
	for (; op != NULL; op = next) {
		next = op->next;
		fr_line_add(op->listed ? &kept : &e->done, op);
	}
	release_answers(e);
	e->done = kept;
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

/* The disk is full, and this needs no room. */
static enum fr_rc
apply_freeing(struct fr_engine *e, struct fr_err *err)
{
	struct fr_store *s = e->c.store;
	enum fr_rc rc;

	rc = s->ops->begin(s, err);
	if (rc != FR_OK)
		return rc;
	rc = fr_apply_edits(e, err);
	if (rc == FR_OK)
		rc = fr_apply_others(e, err);
	if (rc == FR_OK)
		rc = fr_apply_retain(e, err);
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
	n = fr_gather(e);
	release_early(e);
	e->turn.loading = e->loading;
	e->turn.cursor = e->cursor;
	if (rc == FR_OK && !e->turn.freeing)
		rc = fr_news_hear(e, &why);
	if (rc == FR_OK && (n > 0 || due(e))) {
		rc = e->turn.freeing ? apply_freeing(e, &why) : apply(e, &why);
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
	e->freed = e->turn.freeing;
	fr_gather_rest(e);
	*next_ms = next_turn(e);
	if (e->fatal) {
		*err = e->fatal_err;
		return err->rc;
	}
	return FR_OK;
}

static bool
stopping(const struct fr_engine *e)
{
	return __atomic_load_n(&e->stopping, __ATOMIC_ACQUIRE);
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
	e->full = false; /* all are gathered */
	(void)fr_gather(e);
	abandon_late(e);
	for (op = e->turn.creates.first; op != NULL; op = next) {
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
	int64_t end_ms;
	enum fr_rc rc;
	int fd = -1;

	if (e->c.store->ops->watch_fd != NULL)
		fd = e->c.store->ops->watch_fd(e->c.store);
	for (;;) {
		pthread_mutex_lock(&e->turning);
		rc = fr_engine_step(e, &end_ms, err);
		e->sleep_end_ms = end_ms;
		pthread_mutex_unlock(&e->turning);
		if (rc != FR_OK || stopping(e))
			break;
		fr_inbox_wait(&e->inbox, end_ms - k->mono_ms(k->arg), fd);
	}
	pthread_mutex_lock(&e->turning);
	answer_rest(e);
	pthread_mutex_unlock(&e->turning);
	return rc;
}

/* ------------------------------------------------------------------ */

/*
 * With so many at once a thread that is woken would have to be waited for; with
 * fewer the disk would be, while nobody reads what else arrives.
 */
#define HERE_LEAST 12
/* After two turns that took so long the next ones are not run here; one may
 * have copied the log of the store. */
#define HERE_SLOW_MS 5
#define HERE_REST_MS 1000

/* Nothing else is due, and nothing is amiss: it is only what was put. */
static bool
may_turn_here(const struct fr_engine *e)
{
	const struct fr_clock *k = e->c.clock;
	const int64_t now_ms = k->mono_ms(k->arg);

	return e->local && now_ms >= e->here_ms && now_ms < e->next_sweep_ms &&
	       !e->fatal && !stopping(e) && !e->loading && !e->degraded &&
	       !e->fresh && !e->full && e->away_since_ms == 0 &&
	       e->redo == NULL && e->purges == NULL && !e->more_to_purge &&
	       e->prompt.first == NULL && e->bulk.first == NULL;
}

static void
turn_here(struct fr_engine *e)
{
	const struct fr_clock *k = e->c.clock;
	struct fr_err err = FR_ERR_INIT;
	int64_t next_ms, now_ms;
	enum fr_rc rc;

	e->here = true;
	rc = fr_engine_step(e, &next_ms, &err);
	e->here = false;
	now_ms = k->mono_ms(k->arg);
	if (now_ms - e->turn.mono_ms < HERE_SLOW_MS)
		e->here_slow = false;
	else if (!e->here_slow)
		e->here_slow = true;
	else
		e->here_ms = now_ms + HERE_REST_MS;
	/* It has to stop, or sleeps for too long now. */
	if (rc != FR_OK || next_ms < e->sleep_end_ms)
		fr_inbox_poke(&e->inbox);
}

bool
fr_engine_go(struct fr_engine *e)
{
	const bool first = e->put.first, slow = e->put.slow;
	bool here;

	e->put.first = false;
	if (!slow && fr_inbox_pending(&e->inbox) >= HERE_LEAST &&
	    pthread_mutex_trylock(&e->turning) == 0) {
		here = may_turn_here(e);
		if (here)
			turn_here(e);
		pthread_mutex_unlock(&e->turning);
		if (here)
			return true;
	}
	if (first)
		fr_inbox_wake(&e->inbox);
	return false;
}
