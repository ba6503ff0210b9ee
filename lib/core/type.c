/* SPDX-License-Identifier: MIT */
#include "core/type.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/str.h"

bool
fr_types_init(struct fr_types *ts)
{
	memset(ts, 0, sizeof(*ts));
	ts->map = fr_map_new();
	return ts->map != NULL;
}

void
fr_types_fini(struct fr_types *ts)
{
	void *t;
	size_t pos = 0;

	if (ts->map == NULL)
		return;
	while (fr_map_next(ts->map, &pos, NULL, &t))
		free(t);
	fr_map_free(ts->map);
}

struct fr_type *
fr_types_find(const struct fr_types *ts, struct fr_span name)
{
	return fr_map_get(ts->map, name);
}

struct fr_type *
fr_types_get(struct fr_types *ts, struct fr_span name)
{
	struct fr_type *t;

	t = fr_map_get(ts->map, name);
	if (t != NULL)
		return t;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	if (!fr_str_copy(t->name, sizeof(t->name), name))
		fr_assert(!"the name of a type is too long");
	t->maybe = true;
	if (!fr_map_put(ts->map, name, t)) {
		free(t);
		return NULL;
	}
	return t;
}

static void
leave_ready(struct fr_types *ts, struct fr_type *t)
{
	fr_assert(t->in_ready);
	t->in_ready = false;
	if (t->ready_next == t) {
		ts->ready = NULL;
		return;
	}
	t->ready_prev->ready_next = t->ready_next;
	t->ready_next->ready_prev = t->ready_prev;
	if (ts->ready == t)
		ts->ready = t->ready_next;
}

static void
enter_ready(struct fr_types *ts, struct fr_type *t)
{
	fr_assert(!t->in_ready);
	t->in_ready = true;
	if (ts->ready == NULL) {
		t->ready_prev = t->ready_next = t;
		ts->ready = t;
		return;
	}
	t->ready_next = ts->ready;
	t->ready_prev = ts->ready->ready_prev;
	t->ready_prev->ready_next = t;
	ts->ready->ready_prev = t;
}

static void
update_ready(struct fr_types *ts, struct fr_type *t)
{
	const bool is = t->maybe && !t->paused && t->first != NULL;

	if (is && !t->in_ready)
		enter_ready(ts, t);
	else if (!is && t->in_ready)
		leave_ready(ts, t);
}

void
fr_type_set_maybe(struct fr_types *ts, struct fr_type *t, bool maybe)
{
	t->maybe = maybe;
	update_ready(ts, t);
}

void
fr_type_set_paused(struct fr_types *ts, struct fr_type *t, bool paused)
{
	t->paused = paused;
	update_ready(ts, t);
}

struct fr_taker *
fr_taker_new(struct fr_types *ts, struct fr_op *op, struct fr_worker *worker)
{
	const struct fr_exchange *x = &op->u.work;
	struct fr_taker *k;
	size_t i;

	k = fr_arena_alloc(op->arena, sizeof(*k));
	if (k == NULL)
		return NULL;
	k->op = op;
	k->worker = worker;
	k->links = fr_arena_calloc(op->arena, x->ntypes, sizeof(*k->links));
	k->names = fr_arena_calloc(op->arena, x->ntypes, sizeof(*k->names));
	if (k->links == NULL || k->names == NULL)
		return NULL;
	for (i = 0; i < x->ntypes; i++) {
		k->links[i].taker = k;
		k->links[i].type = fr_types_get(ts, fr_span_of(x->types[i]));
		if (k->links[i].type == NULL)
			return NULL;
	}
	return k;
}

void
fr_taker_link(struct fr_types *ts, struct fr_taker *k)
{
	struct fr_taker_link *l;
	size_t i;

	fr_assert(!k->linked);
	k->linked = true;
	ts->nwaiting++;
	for (i = 0; i < k->op->u.work.ntypes; i++) {
		l = &k->links[i];
		l->next = NULL;
		l->prev = l->type->last;
		if (l->prev == NULL)
			l->type->first = l;
		else
			l->prev->next = l;
		l->type->last = l;
		l->type->nwaiting++;
		update_ready(ts, l->type);
	}
}

void
fr_taker_unlink(struct fr_types *ts, struct fr_taker *k)
{
	struct fr_taker_link *l;
	size_t i;

	if (!k->linked)
		return;
	k->linked = false;
	fr_assert(ts->nwaiting > 0);
	ts->nwaiting--;
	for (i = 0; i < k->op->u.work.ntypes; i++) {
		l = &k->links[i];
		if (l->prev == NULL)
			l->type->first = l->next;
		else
			l->prev->next = l->next;
		if (l->next == NULL)
			l->type->last = l->prev;
		else
			l->next->prev = l->prev;
		l->type->nwaiting--;
		update_ready(ts, l->type);
	}
}

struct fr_type *
fr_types_ready(struct fr_types *ts)
{
	struct fr_type *t = ts->ready;

	/* The next call begins with the next one, so that none starves. */
	if (t != NULL)
		ts->ready = t->ready_next;
	return t;
}

void
fr_types_tidy(struct fr_types *ts)
{
	struct fr_type *t;
	struct fr_span name;
	void *v;
	size_t pos = 0;

	while (fr_map_next(ts->map, &pos, &name, &v)) {
		t = v;
		if (t->first != NULL || t->held > 0 || t->paused || t->maybe)
			continue;
		fr_assert(!t->in_ready);
		(void)fr_map_del(ts->map, name);
		free(t);
	}
}
