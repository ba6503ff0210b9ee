/* SPDX-License-Identifier: MIT */
#include "base/assert.h"
#include "core/turn.h"

/*
 * Ended jobs are forgotten beside all other work, and nobody is to notice.
 * While others wait for turns, one turn now and then forgets one job for each
 * two that were made or ended since, and at least a few: each job is both
 * once, so that a purge always ends and always keeps up. More would fill the
 * store's log so fast that copying it is what the slowest percent waits for.
 * When nobody waits it goes on, a few at a time, until somebody arrives.
 */
#define FEW 20     /* in one call: about 0.1 ms with SQLite */
#define LEAST 40   /* in a turn for which others wait */
#define MOST 500   /* in one turn */
#define PAUSE_MS 3 /* between two such turns */
/* Each call is a way to the server and back. */
#define FEW_SHARED 300

/* Jobs that this turn makes or ends. */
static size_t
others(const struct fr_turn *t)
{
	const struct fr_op *op;
	size_t n = t->edits.n, i;

	for (op = t->creates.first; op != NULL; op = op->next)
		n += op->u.create.n;
	for (i = 0; i < t->works.n; i++) {
		op = *(struct fr_op *const *)fr_vec_at(&t->works, i);
		n += op->u.work.nfinished;
	}
	return n;
}

/* How many jobs this turn may forget in all; said once a turn. */
static void
allow(struct fr_engine *e)
{
	struct fr_turn *t = &e->turn;
	size_t n;

	t->purging = true;
	t->purge_most = MOST;
	if (!fr_turn_busy(t))
		return;
	e->purge_owed += others(t);
	n = e->purge_owed / 2;
	if (n < MOST)
		t->purge_most = n > LEAST ? n : LEAST;
	if (t->mono_ms - e->purged_ms < PAUSE_MS) {
		t->purge_most = 0;
		return;
	}
	e->purged_ms = t->mono_ms;
	e->purge_owed = 0;
}

enum fr_rc
fr_purge_some(struct fr_engine *e, unsigned states, int64_t before_ms,
    size_t *n, bool *all, struct fr_err *err)
{
	const size_t few = e->shared ? FEW_SHARED : FEW, limit = *n;
	struct fr_turn *t = &e->turn;
	size_t ask, got;
	enum fr_rc rc;

	if (!t->purging)
		allow(e);
	*n = 0;
	*all = false;
	while (t->purged < t->purge_most && *n < limit && !*all) {
		got = ask = limit - *n < few ? limit - *n : few;
		rc = e->c.store->ops->purge(
		    e->c.store, states, before_ms, &got, err);
		if (rc != FR_OK)
			return rc;
		*all = got < ask;
		*n += got;
		t->purged += got;
		if (!fr_turn_busy(t) && fr_turn_awaited(e))
			break;
	}
	t->wrote = t->wrote || *n > 0;
	return FR_OK;
}

int64_t
fr_purge_next(const struct fr_engine *e)
{
	/* Whoever was just answered may ask again at once. */
	return e->turn.mono_ms + (fr_turn_busy(&e->turn) ? PAUSE_MS : 0);
}
