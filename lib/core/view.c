/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
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

enum fr_rc
fr_workers_view(struct fr_engine *e, struct fr_op *op, struct fr_err *err)
{
	struct fr_worker_view *v;
	const struct fr_worker *w;
	size_t pos = 0;
	void *p;

	(void)err;
	op->u.workers.n = 0;
	op->u.workers.v = v = fr_arena_calloc(
	    op->arena, fr_map_count(e->workers.by_id), sizeof(*v));
	if (v == NULL)
		return FR_NOMEM;
	while (fr_map_next(e->workers.by_id, &pos, NULL, &p)) {
		w = p;
		/* One that is only known by its leases has not come yet; one
		 * that neither waits nor renews is gone. */
		if (w->open == NULL &&
		    e->turn.mono_ms - w->seen_ms > e->c.lease_ms)
			continue;
		if (w->pid == 0 && w->ntypes == 0)
			continue;
		v->id = fr_arena_dup(op->arena, fr_span_of(w->id));
		v->host = fr_arena_dup(op->arena, fr_span_of(w->host));
		v->pid = w->pid;
		v->slots = w->slots;
		v->last_seen_ms =
		    w->open != NULL ? e->turn.now_ms : w->seen_wall_ms;
		if (v->id.p == NULL || v->host.p == NULL ||
		    !copy_types(op->arena, w, v) || !copy_jobs(op->arena, w, v))
			return FR_NOMEM;
		v++;
		op->u.workers.n++;
	}
	return FR_OK;
}
