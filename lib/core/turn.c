/* SPDX-License-Identifier: MIT */
#include "core/turn.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/str.h"
#include "base/uuid.h"

void
fr_count(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

bool
fr_turn_busy(const struct fr_turn *t)
{
	return t->creates.first != NULL || t->works.n > 0 || t->edits.n > 0;
}

bool
fr_turn_awaited(struct fr_engine *e)
{
	return fr_turn_busy(&e->turn) || fr_inbox_pending(&e->inbox) > 0;
}

bool
fr_turn_ticket(struct fr_vec *v, const struct fr_uuid *id,
    const struct fr_type *type, int32_t priority, struct fr_span data)
{
	struct fr_ticket *t = fr_vec_add(v);

	if (t == NULL)
		return false;
	t->id = *id;
	t->type = type->name;
	t->priority = priority;
	t->data = data;
	return true;
}

bool
fr_turn_back(struct fr_engine *e, struct fr_vec *v, const struct fr_uuid *id,
    const struct fr_type *type, int32_t priority)
{
	if (e->wants_data) {
		e->loading = true;
		e->cursor = 0;
		return true;
	}
	return fr_turn_ticket(v, id, type, priority, (struct fr_span){ 0 });
}

bool
fr_turn_id(struct fr_vec *v, const struct fr_uuid *id)
{
	struct fr_uuid *u = fr_vec_add(v);

	if (u == NULL)
		return false;
	*u = *id;
	return true;
}

bool
fr_event_wanted(
    struct fr_engine *e, enum fr_event_kind kind, struct fr_span type)
{
	if (e->c.ring != NULL && fr_event_ring_wanted(e->c.ring))
		return true;
	if (e->c.hook_wanted == NULL)
		return false;
	return type.len == 0 || e->c.hook_wanted(e->c.hook_arg, kind, type);
}

static bool
write_down(struct fr_engine *e, enum fr_event_kind kind, struct fr_type *type,
    const struct fr_job *job, bool hook)
{
	struct fr_turn *t = &e->turn;
	struct fr_told *told = fr_vec_add(&t->told);

	if (told == NULL)
		return false;
	told->kind = kind;
	told->type = type;
	told->id = job->id;
	told->at = t->text.len;
	fr_event_write(&t->text, kind, job, t->now_ms);
	told->len = t->text.len - told->at;
	told->hook = hook;
	t->hooks = t->hooks || hook;
	return fr_buf_ok(&t->text);
}

bool
fr_turn_tell(struct fr_engine *e, enum fr_event_kind kind, struct fr_type *type,
    const struct fr_job *job)
{
	fr_count(&e->counters.events[kind], 1);
	if (!fr_event_wanted(e, kind, job->type))
		return true;
	return write_down(e, kind, type, job,
	    e->c.hook_wanted != NULL &&
		e->c.hook_wanted(e->c.hook_arg, kind, job->type));
}

bool
fr_turn_retell(struct fr_engine *e, enum fr_event_kind kind,
    struct fr_type *type, const struct fr_job *job)
{
	return write_down(e, kind, type, job, false);
}

void
fr_turn_reset(struct fr_turn *t)
{
	t->creates.first = NULL;
	t->works.n = t->edits.n = t->others.n = 0;
	t->news.n = t->rows.n = t->ids.n = t->popped.n = 0;
	t->push.n = t->front.n = t->removed.n = 0;
	t->told.n = t->ended.n = t->cancelled.n = 0;
	if (t->text.cap > 1U << 20)
		fr_buf_fini(&t->text);
	fr_buf_reset(&t->text);
	t->text.failed = false;
	fr_arena_free(t->arena);
	t->arena = NULL;
	t->hooks = t->wrote = t->freeing = false;
	t->purging = false;
	t->purge_most = t->purged = 0;
}

void
fr_turn_fini(struct fr_turn *t)
{
	struct fr_vec *v[] = { &t->works, &t->edits, &t->others, &t->rows,
		&t->ids, &t->popped, &t->push, &t->front, &t->removed, &t->told,
		&t->news, &t->ended, &t->cancelled };
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		fr_vec_fini(v[i]);
	fr_buf_fini(&t->text);
	fr_arena_free(t->arena);
	t->arena = NULL;
}

static int
row_cmp(const void *a, const void *b)
{
	const struct fr_row *x = a, *y = b;

	return fr_uuid_cmp(&x->id, &y->id);
}

static enum fr_rc
add_row(void *arg, const struct fr_job *job)
{
	struct fr_engine *e = arg;
	struct fr_row *r = fr_vec_add(&e->turn.rows);

	if (r == NULL)
		return FR_NOMEM;
	r->id = job->id;
	r->type = fr_types_get(&e->types, job->type);
	r->priority = job->priority;
	r->attempt = job->attempt;
	r->fail_count = job->fail_count;
	r->max_attempts = job->max_attempts;
	return r->type == NULL ? FR_NOMEM : FR_OK;
}

enum fr_rc
fr_turn_rows(struct fr_engine *e, struct fr_err *err)
{
	struct fr_turn *t = &e->turn;
	enum fr_rc rc;

	t->rows.n = 0;
	if (t->ids.n == 0)
		return FR_OK;
	rc = e->c.store->ops->get(
	    e->c.store, t->ids.p, t->ids.n, add_row, e, err);
	if (rc == FR_OK && t->rows.n > 1)
		qsort(t->rows.p, t->rows.n, t->rows.each, row_cmp);
	return rc;
}

struct fr_row *
fr_turn_row(const struct fr_turn *t, const struct fr_uuid *id)
{
	const struct fr_row key = { .id = *id };

	if (t->rows.n == 0)
		return NULL;
	return bsearch(&key, t->rows.p, t->rows.n, t->rows.each, row_cmp);
}
