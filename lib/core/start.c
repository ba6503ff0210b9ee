/* SPDX-License-Identifier: MIT */
#include "core/engine.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/str.h"
#include "core/turn.h"

/* The engine's beginning and end, and its clock. */

#define RECOVER_TRIES 5
#define JUMP_MS 1000 /* a clock that was set, not one that drifts */

static void
init_vecs(struct fr_turn *t)
{
	t->works.each = t->edits.each = t->others.each = sizeof(struct fr_op *);
	t->rows.each = sizeof(struct fr_row);
	t->popped.each = sizeof(struct fr_popped);
	t->push.each = t->front.each = t->removed.each =
	    sizeof(struct fr_ticket);
	t->told.each = sizeof(struct fr_told);
	t->news.each = sizeof(struct fr_news);
	t->ids.each = t->ended.each = t->cancelled.each =
	    sizeof(struct fr_uuid);
	fr_buf_init(&t->text, 0);
}

static void
set_defaults(struct fr_engine_conf *c)
{
	if (c->lease_ms <= 0)
		c->lease_ms = 15000;
	if (c->sweep_ms <= 0)
		c->sweep_ms = 2000;
	if (c->retry_base_ms <= 0)
		c->retry_base_ms = 1000;
	if (c->retry_max_ms <= 0)
		c->retry_max_ms = 600000;
	if (c->max_pending == 0)
		c->max_pending = 100000;
	if (c->max_pending_bytes == 0)
		c->max_pending_bytes = (size_t)512 << 20;
}

enum fr_rc
fr_engine_clock(struct fr_engine *e, bool ask_store, struct fr_err *err)
{
	const struct fr_clock *k = e->c.clock;
	int64_t offset_ms, now_ms;
	enum fr_rc rc;

	e->turn.mono_ms = k->mono_ms(k->arg);
	if (e->c.store->ops->now == NULL) {
		offset_ms = k->wall_ms(k->arg) - e->turn.mono_ms;
	} else if (ask_store) {
		rc = e->c.store->ops->now(e->c.store, &now_ms, err);
		if (rc != FR_OK)
			return rc;
		offset_ms = now_ms - e->turn.mono_ms;
	} else {
		offset_ms = e->offset_ms;
	}
	/*
	 * A clock set forward must not end every lease at once, one set back
	 * must not keep the job of a lost worker until it is there again; and
	 * while this process stood still, workers could not renew theirs.
	 */
	if (offset_ms < e->offset_ms - JUMP_MS)
		e->shorten = true;
	if (llabs(offset_ms - e->offset_ms) > JUMP_MS ||
	    e->turn.mono_ms - e->last_turn_ms >
		e->c.lease_ms / 3 + e->c.sweep_ms)
		e->fresh = true;
	e->offset_ms = offset_ms;
	e->last_turn_ms = e->turn.mono_ms;
	e->turn.now_ms = e->turn.mono_ms + offset_ms;
	return FR_OK;
}

static enum fr_rc
first_type(void *arg, const struct fr_type_stats *s)
{
	struct fr_engine *e = arg;
	struct fr_type *type;

	if (s->n[FR_STATE_QUEUED] == 0 && !s->paused)
		return FR_OK;
	type = fr_types_get(&e->types, fr_span_of(s->type));
	if (type == NULL)
		return FR_NOMEM;
	fr_type_set_paused(&e->types, type, s->paused);
	return FR_OK;
}

static enum fr_rc
first_lease(void *arg, const struct fr_job *job)
{
	struct fr_engine *e = arg;
	const struct fr_exchange x = { .worker = job->worker };
	struct fr_worker *w;
	struct fr_type *type;

	w = fr_workers_note(
	    &e->workers, &x, false, e->turn.mono_ms, e->turn.now_ms);
	type = fr_types_get(&e->types, job->type);
	if (w == NULL || type == NULL)
		return FR_NOMEM;
	return fr_lease_add(&e->workers, w, type, job) ? FR_OK : FR_NOMEM;
}

/*
 * What the store knows at the start. Leases get a fresh term, since their
 * workers could not renew them while no manager was there.
 */
static enum fr_rc
recover(struct fr_engine *e, struct fr_err *err)
{
	struct fr_store *s = e->c.store;
	enum fr_rc rc;

	*err = (struct fr_err)FR_ERR_INIT;
	rc = s->ops->begin(s, err);
	if (rc != FR_OK)
		return rc;
	rc = s->ops->stats(s, first_type, e, err);
	if (rc == FR_OK)
		rc = s->ops->renew_all(s, e->turn.now_ms + e->c.lease_ms, err);
	/* Nobody else gives leases: then this is all of them, for good. */
	if (rc == FR_OK && !e->shared)
		rc = s->ops->running(
		    s, (struct fr_span){ NULL, 0 }, first_lease, e, err);
	if (rc != FR_OK) {
		s->ops->rollback(s);
		return rc;
	}
	return s->ops->commit(s, err);
}

/* Other managers are at work meanwhile: what collides with them, or comes
 * upon a connection that was just cut, is tried again. */
static enum fr_rc
recover_among_others(struct fr_engine *e, struct fr_err *err)
{
	enum fr_rc rc = recover(e, err);
	int i;

	for (i = 0; i < RECOVER_TRIES && e->shared &&
		    (rc == FR_AGAIN || rc == FR_UNKNOWN);
	     i++)
		rc = recover(e, err);
	return rc;
}

struct fr_engine *
fr_engine_new(const struct fr_engine_conf *conf, struct fr_err *err)
{
	struct fr_engine *e;

	fr_assert(conf->store != NULL && conf->queue != NULL);
	fr_assert(conf->clock != NULL && conf->rand != NULL);
	e = calloc(1, sizeof(*e));
	if (e == NULL) {
		(void)fr_fail(err, FR_NOMEM, "start the engine: no memory");
		return NULL;
	}
	if (pthread_mutex_init(&e->turning, NULL) != 0) {
		free(e);
		(void)fr_fail(err, FR_NOMEM, "start the engine: no memory");
		return NULL;
	}
	e->c = *conf;
	set_defaults(&e->c);
	init_vecs(&e->turn);
	e->doubtful.each = sizeof(struct fr_report);
	fr_heap_init(&e->timers);
	e->shared = (conf->store->ops->caps & FR_STORE_SHARED) != 0;
	e->local = (conf->store->ops->caps & FR_STORE_LOCAL) != 0 &&
		   (conf->queue->ops->caps(conf->queue) & FR_QUEUE_LOCAL) != 0;
	e->shared_queue =
	    (conf->queue->ops->caps(conf->queue) & FR_QUEUE_SHARED) != 0;
	e->wants_data =
	    (conf->queue->ops->caps(conf->queue) & FR_QUEUE_WANTS_DATA) != 0;
	e->waits = fr_map_new();
	e->by_serial = fr_map_new();
	e->loading = true;
	e->counters.loading = 1;
	e->next_run_ms = e->next_lease_ms = INT64_MAX;
	if (fr_inbox_init(
		&e->inbox, e->c.max_pending, e->c.max_pending_bytes) != FR_OK) {
		fr_map_free(e->waits);
		fr_map_free(e->by_serial);
		pthread_mutex_destroy(&e->turning);
		free(e);
		(void)fr_fail(err, FR_NOMEM, "start the engine: no memory");
		return NULL;
	}
	if (!fr_types_init(&e->types) || !fr_workers_init(&e->workers) ||
	    e->waits == NULL || e->by_serial == NULL) {
		(void)fr_fail(err, FR_NOMEM, "start the engine: no memory");
		fr_engine_free(e);
		return NULL;
	}
	if (fr_engine_clock(e, true, err) != FR_OK ||
	    recover_among_others(e, err) != FR_OK) {
		fr_engine_free(e);
		return NULL;
	}
	e->fresh = false;
	/* Nobody else gives leases, perhaps longer ones. */
	e->shorten = !e->shared;
	e->next_sweep_ms = e->turn.mono_ms;
	return e;
}

void
fr_engine_free(struct fr_engine *e)
{
	if (e == NULL)
		return;
	fr_turn_fini(&e->turn);
	fr_vec_fini(&e->doubtful);
	fr_heap_fini(&e->timers);
	fr_workers_fini(&e->workers);
	fr_types_fini(&e->types);
	fr_map_free(e->waits);
	fr_map_free(e->by_serial);
	fr_inbox_fini(&e->inbox);
	pthread_mutex_destroy(&e->turning);
	free(e);
}
