/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/assert.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/turn.h"

/*
 * With other managers on the same store: what they did, and who is there.
 * News wake those who wait here; the store decides, so that news that are
 * lost, late or doubled do no harm.
 *
 * A manager tells of a job when it commits it, and pushes its ticket behind
 * that: whoever looks into a shared queue at once may find nothing yet. So
 * types that are in the news are looked at again a little later.
 */

#define ECHO_MS 25
#define DUE_MS 100

static void
maybe_all(struct fr_engine *e)
{
	size_t pos = 0;
	void *t;

	while (fr_map_next(e->types.map, &pos, NULL, &t))
		fr_type_set_maybe(&e->types, t, true);
}

static enum fr_rc
runnable(struct fr_engine *e, const char *name)
{
	struct fr_type *t = fr_types_get(&e->types, fr_span_of(name));

	if (t == NULL)
		return FR_NOMEM;
	fr_type_set_maybe(&e->types, t, true);
	t->echo = true;
	e->echo_ms = e->turn.mono_ms + ECHO_MS;
	/* A queue of our own knows nothing of it: walk on from where the walk
	 * before has ended. */
	if (!e->shared_queue)
		e->loading = true;
	/* It may have to wait for its time, which is asked for soon. */
	if (e->next_run_ms > e->turn.now_ms + DUE_MS)
		e->next_run_ms = e->turn.now_ms + DUE_MS;
	return FR_OK;
}

static enum fr_rc
hear(void *arg, const struct fr_news *n)
{
	const struct fr_uuid zero = { { 0 } };
	struct fr_engine *e = arg;

	if (n->type[0] == '\0') { /* some were lost */
		e->next_sweep_ms = e->turn.mono_ms;
		e->recheck = true;
		maybe_all(e);
		return FR_OK;
	}
	if (n->kind == FR_NEWS_PAUSE) { /* the comparison reads it */
		e->next_sweep_ms = e->turn.mono_ms;
		return FR_OK;
	}
	if (fr_uuid_eq(&n->id, &zero))
		e->recheck = true;
	if (n->kind == FR_EVENT_CREATED || n->kind == FR_EVENT_COUNT_FAILED)
		return runnable(e, n->type);
	if (fr_uuid_eq(&n->id, &zero))
		return FR_OK;
	if (n->kind == FR_EVENT_CANCELLED &&
	    !fr_turn_id(&e->turn.cancelled, &n->id))
		return FR_NOMEM;
	if (n->kind == FR_EVENT_COMPLETE || n->kind == FR_EVENT_FAILED ||
	    n->kind == FR_EVENT_CANCELLED)
		return fr_turn_id(&e->turn.ended, &n->id) ? FR_OK : FR_NOMEM;
	return FR_OK;
}

struct retell {
	struct fr_engine *e;
	const struct fr_vec *news; /* struct fr_news */
};

static enum fr_rc
keep_news(void *arg, const struct fr_news *n)
{
	struct retell *r = arg;
	struct fr_news *to;
	enum fr_rc rc;

	rc = hear(r->e, n);
	if (rc != FR_OK || n->type[0] == '\0' || n->kind == FR_NEWS_PAUSE)
		return rc;
	to = fr_vec_add(&r->e->turn.news);
	if (to == NULL)
		return FR_NOMEM;
	*to = *n;
	to->type = NULL; /* borrowed; the row has it, too */
	return fr_turn_id(&r->e->turn.ids, &n->id) ? FR_OK : FR_NOMEM;
}

static enum fr_rc
retell_row(void *arg, const struct fr_job *job)
{
	struct fr_engine *e = arg;
	const struct fr_news *n;
	struct fr_type *type = fr_types_get(&e->types, job->type);
	size_t i;

	if (type == NULL)
		return FR_NOMEM;
	for (i = 0; i < e->turn.news.n; i++) {
		n = fr_vec_at(&e->turn.news, i);
		if (fr_uuid_eq(&n->id, &job->id) &&
		    !fr_turn_retell(e, n->kind, type, job))
			return FR_NOMEM;
	}
	return FR_OK;
}

enum fr_rc
fr_news_hear(struct fr_engine *e, struct fr_err *err)
{
	const struct fr_store_ops *ops = e->c.store->ops;
	const bool tell = e->c.ring != NULL && fr_event_ring_wanted(e->c.ring);
	struct retell r = { e, &e->turn.news };
	size_t pos = 0;
	void *t;

	if (e->echo_ms != 0 && e->turn.mono_ms >= e->echo_ms) {
		e->echo_ms = 0;
		while (fr_map_next(e->types.map, &pos, NULL, &t)) {
			if (!((struct fr_type *)t)->echo)
				continue;
			((struct fr_type *)t)->echo = false;
			fr_type_set_maybe(&e->types, t, true);
		}
	}
	if (ops->watch == NULL)
		return FR_OK;
	e->turn.ids.n = 0;
	return ops->watch(e->c.store, tell ? keep_news : hear,
	    tell ? (void *)&r : (void *)e, err);
}

enum fr_rc
fr_apply_news(struct fr_engine *e, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;

	if (e->turn.news.n > 0 && e->turn.ids.n > 0)
		rc = e->c.store->ops->get(e->c.store, e->turn.ids.p,
		    e->turn.ids.n, retell_row, e, err);
	if (rc == FR_OK && e->recheck) {
		rc = fr_wait_recheck(e, err);
		e->recheck = rc != FR_OK;
	}
	return rc;
}

/* ------------------------------------------------------------------ */

/* It will not come again, and has nothing that it could report. */
static bool
gone(const struct fr_worker *w)
{
	return w->leaving && w->leases == NULL;
}

static bool
note_seen(struct fr_engine *e, struct fr_worker *w, struct fr_vec *seen,
    struct fr_arena *a)
{
	struct fr_seen *s = fr_vec_add(seen);
	struct fr_worker_view v;
	struct fr_buf b;

	if (s == NULL || !fr_worker_view(e, w, a, &v))
		return false;
	fr_buf_init(&b, 0);
	fr_worker_view_write(&b, &v);
	s->id = fr_span_of(w->id);
	s->json = fr_arena_dup(a, fr_buf_span(&b));
	s->seen_ms = gone(w) ? 0 : v.last_seen_ms;
	fr_buf_fini(&b);
	return s->json.p != NULL;
}

/* Tells the other managers of the workers that come here: of new ones and
 * those that leave at once, of all now and then. */
enum fr_rc
fr_apply_seen(struct fr_engine *e, struct fr_err *err)
{
	struct fr_vec seen = FR_VEC_OF(struct fr_seen);
	struct fr_arena *a = NULL;
	struct fr_worker *w;
	enum fr_rc rc = FR_OK;
	size_t pos = 0;
	void *p;

	e->arrivals = false;
	if (!e->shared || e->c.store->ops->seen == NULL)
		return FR_OK;
	while (fr_map_next(e->workers.by_id, &pos, NULL, &p)) {
		w = p;
		if (!gone(w) &&
		    (!fr_worker_is_there(e, w) ||
			(w->told_ms != 0 &&
			    e->turn.mono_ms - w->told_ms < e->c.lease_ms / 3)))
			continue;
		if (a == NULL)
			a = fr_arena_new(0);
		if (a == NULL || !note_seen(e, w, &seen, a)) {
			rc = FR_NOMEM;
			goto out;
		}
		w->told_ms = e->turn.mono_ms;
	}
	if (seen.n > 0) {
		e->turn.wrote = true;
		rc = e->c.store->ops->seen(e->c.store, seen.p, seen.n, err);
	}
out:
	fr_arena_free(a);
	fr_vec_fini(&seen);
	return rc;
}
