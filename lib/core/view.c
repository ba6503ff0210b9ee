/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/uuid.h"
#include "base/vec.h"
#include "core/turn.h"

/* Who is there: the answer of FR_OP_WORKERS, copied into the op's arena. */

static bool
copy_types(
    struct fr_arena *a, const struct fr_worker *w, struct fr_worker_view *v)
{
	size_t i;

	v->types = fr_arena_calloc(a, w->ntypes, sizeof(*v->types));
	if (v->types == NULL)
		return false;
	for (i = 0; i < w->ntypes; i++) {
		v->types[i] = fr_arena_dupz(a, fr_span_of(w->types[i]));
		if (v->types[i] == NULL)
			return false;
	}
	v->ntypes = w->ntypes;
	return true;
}

static bool
copy_jobs(
    struct fr_arena *a, const struct fr_worker *w, struct fr_worker_view *v)
{
	const struct fr_lease *l;
	size_t n = 0;

	v->jobs = fr_arena_calloc(a, w->nleases, sizeof(*v->jobs));
	if (v->jobs == NULL)
		return false;
	for (l = w->leases; l != NULL; l = l->next) {
		if (l->gone)
			continue;
		v->jobs[n].id = l->id;
		v->jobs[n].attempt = l->attempt;
		v->jobs[n].type = fr_arena_dupz(a, fr_span_of(l->type->name));
		if (v->jobs[n].type == NULL)
			return false;
		n++;
	}
	v->njobs = n;
	return true;
}

bool
fr_worker_is_there(const struct fr_engine *e, const struct fr_worker *w)
{
	/* One that is only known by its leases has not come yet; one that
	 * neither waits nor renews is gone. */
	if (w->pid == 0 && w->ntypes == 0)
		return false;
	return w->open != NULL || e->turn.mono_ms - w->seen_ms <= e->c.lease_ms;
}

bool
fr_worker_view(const struct fr_engine *e, const struct fr_worker *w,
    struct fr_arena *a, struct fr_worker_view *v)
{
	memset(v, 0, sizeof(*v));
	v->id = fr_arena_dup(a, fr_span_of(w->id));
	v->host = fr_arena_dup(a, fr_span_of(w->host));
	v->pid = w->pid;
	v->slots = w->slots;
	v->concurrency = w->concurrency;
	v->last_seen_ms = w->open != NULL ? e->turn.now_ms : w->seen_wall_ms;
	return v->id.p != NULL && v->host.p != NULL && copy_types(a, w, v) &&
	       copy_jobs(a, w, v);
}

void
fr_worker_view_write(struct fr_buf *b, const struct fr_worker_view *v)
{
	char id[FR_UUID_TEXT];
	size_t i;

	if (v->json.len > 0) {
		fr_jsonw_raw(b, v->json);
		return;
	}
	fr_jsonw_open(b, '{');
	fr_jsonw_key(b, "id");
	fr_jsonw_str(b, v->id);
	fr_jsonw_key(b, "host");
	fr_jsonw_str(b, v->host);
	fr_jsonw_key(b, "pid");
	fr_jsonw_i64(b, v->pid);
	fr_jsonw_key(b, "types");
	fr_jsonw_open(b, '[');
	for (i = 0; i < v->ntypes; i++)
		fr_jsonw_strz(b, v->types[i]);
	fr_jsonw_close(b, ']');
	fr_jsonw_key(b, "slots");
	fr_jsonw_i64(b, v->slots);
	fr_jsonw_key(b, "concurrency");
	if (v->concurrency > 0)
		fr_jsonw_i64(b, v->concurrency);
	else
		fr_jsonw_null(b);
	fr_jsonw_key(b, "current_jobs");
	fr_jsonw_open(b, '[');
	for (i = 0; i < v->njobs; i++) {
		fr_uuid_format(id, &v->jobs[i].id);
		fr_jsonw_open(b, '{');
		fr_jsonw_key(b, "id");
		fr_jsonw_strz(b, id);
		fr_jsonw_key(b, "type");
		fr_jsonw_strz(b, v->jobs[i].type);
		fr_jsonw_key(b, "attempt");
		fr_jsonw_i64(b, v->jobs[i].attempt);
		fr_jsonw_close(b, '}');
	}
	fr_jsonw_close(b, ']');
	fr_jsonw_key(b, "last_seen");
	fr_jsonw_time(b, v->last_seen_ms);
	fr_jsonw_close(b, '}');
}

struct elsewhere {
	struct fr_engine *e;
	struct fr_arena *arena;
	struct fr_vec views;
};

static struct fr_worker_view *
find_view(struct elsewhere *x, struct fr_span id)
{
	struct fr_worker_view *v;
	size_t i;

	for (i = 0; i < x->views.n; i++) {
		v = fr_vec_at(&x->views, i);
		if (fr_span_eq(v->id, id))
			return v;
	}
	return NULL;
}

/* A worker that comes to another manager; ours are known better, unless they
 * went there. */
static enum fr_rc
add_elsewhere(void *arg, const struct fr_seen *s)
{
	struct elsewhere *x = arg;
	const struct fr_worker *w = fr_workers_find(&x->e->workers, s->id);
	struct fr_worker_view *v = NULL;

	if (w != NULL && fr_worker_is_there(x->e, w)) {
		if (w->open != NULL || s->seen_ms <= w->seen_wall_ms)
			return FR_OK;
		v = find_view(x, s->id);
	}
	if (v == NULL)
		v = fr_vec_add(&x->views);
	if (v == NULL)
		return FR_NOMEM;
	v->id = fr_arena_dup(x->arena, s->id);
	v->json = fr_arena_dup(x->arena, s->json);
	v->last_seen_ms = s->seen_ms;
	return v->id.p != NULL && v->json.p != NULL ? FR_OK : FR_NOMEM;
}

/* A shared queue would be a way there and back, or a long search. */
static int64_t
place(struct fr_engine *e, const char *type, const struct fr_uuid *id)
{
	const struct fr_ticket t = { .id = *id, .type = type };
	int64_t ahead = 0;
	enum fr_rc rc;

	if (type == NULL || e->degraded || e->shared_queue ||
	    e->c.queue->ops->place == NULL)
		return -1;
	rc = e->c.queue->ops->place(e->c.queue, &t, &ahead, NULL);
	return rc == FR_OK ? ahead : rc == FR_TOOBIG ? FR_AHEAD_MANY : -1;
}

enum fr_rc
fr_workers_view(struct fr_engine *e, struct fr_op *op, struct fr_err *err)
{
	struct elsewhere x = { e, op->arena, FR_VEC_OF(struct fr_worker_view) };
	const struct fr_worker *w;
	struct fr_worker_view *v;
	enum fr_rc rc = FR_OK;
	size_t pos = 0;
	void *p;

	op->u.workers.n = 0;
	op->u.workers.ahead = place(e, op->u.workers.type, &op->u.workers.id);
	while (fr_map_next(e->workers.by_id, &pos, NULL, &p)) {
		w = p;
		if (!fr_worker_is_there(e, w))
			continue;
		v = fr_vec_add(&x.views);
		if (v == NULL || !fr_worker_view(e, w, op->arena, v)) {
			rc = FR_NOMEM;
			goto out;
		}
	}
	if (e->shared && e->c.store->ops->workers != NULL)
		rc = e->c.store->ops->workers(e->c.store,
		    e->turn.now_ms - e->c.lease_ms, add_elsewhere, &x, err);
	op->u.workers.v = fr_arena_calloc(op->arena, x.views.n, sizeof(*v));
	if (rc == FR_OK && op->u.workers.v == NULL)
		rc = FR_NOMEM;
	if (rc == FR_OK && x.views.n > 0) {
		memcpy(op->u.workers.v, x.views.p, x.views.n * sizeof(*v));
		op->u.workers.n = x.views.n;
	}
out:
	fr_vec_fini(&x.views);
	return rc;
}
