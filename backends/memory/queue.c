/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/registry.h"
#include "backends/weigh.h"
#include "base/assert.h"
#include "base/str.h"
#include "base/url.h"
#include "mq.h"

/*
 * The queue of one process: entries in a pool, an index by id, and one of
 * two orders (mq_fifo.c, mq_draw.c). About 41 bytes a waiting job.
 */
#define IDLE_MAX 256        /* names without jobs that are kept */
#define PLACE_MOST 10000    /* further back is not counted */
#define BATCH_SCRATCH 1024U /* first size of the scratch */

static fr_queue_open_fn fr_mq_open;
static fr_queue_close_fn fr_mq_close;
static fr_queue_caps_fn fr_mq_caps;
static fr_queue_describe_fn fr_mq_describe;
static fr_queue_push_fn fr_mq_push;
static fr_queue_pop_fn fr_mq_pop;
static fr_queue_requeue_fn fr_mq_requeue;
static fr_queue_remove_fn fr_mq_remove;
static fr_queue_length_fn fr_mq_length;
static fr_queue_empty_fn fr_mq_empty;
static fr_queue_place_fn fr_mq_place;

const struct fr_queue_ops fr_queue_memory = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_queue_ops),
	.scheme = "memory",
	.open = fr_mq_open,
	.close = fr_mq_close,
	.caps = fr_mq_caps,
	.describe = fr_mq_describe,
	.push = fr_mq_push,
	.pop = fr_mq_pop,
	.requeue = fr_mq_requeue,
	.remove = fr_mq_remove,
	.length = fr_mq_length,
	.empty = fr_mq_empty,
	.place = fr_mq_place,
};

static struct mq *
self(struct fr_queue *q)
{
	fr_assert(q != NULL && q->ops == &fr_queue_memory);
	return (struct mq *)q;
}

static enum fr_rc
no_memory(struct fr_err *err)
{
	return fr_fail(err, FR_NOMEM, "memory queue: out of memory");
}

/* The order and its options, from "fifo", "random", "weighted?weigh=..." */
static enum fr_rc
read_args(struct mq *q, const char *args, struct fr_err *err)
{
	struct fr_span order = { args, strcspn(args, "?") };
	struct fr_span query = { args + order.len, strlen(args + order.len) };
	struct fr_span name, value;
	char command[4096];

	q->fifo = order.len == 0 || fr_span_is(order, "fifo");
	q->weighted = fr_span_is(order, "weighted");
	if (!q->fifo && !q->weighted && !fr_span_is(order, "random"))
		return fr_fail(err, FR_USAGE,
		    "memory:%s: the order is fifo, random or weighted", args);
	if (query.len == 0)
		return FR_OK;
	query = (struct fr_span){ query.p + 1, query.len - 1 };
	value = query;
	while (fr_url_next_param(&value, &name, &(struct fr_span){ 0 }))
		if (!q->weighted || !fr_span_is(name, "weigh"))
			return fr_fail(err, FR_USAGE,
			    "memory:%s: the only option is weigh=COMMAND, "
			    "of weighted",
			    args);
	if (fr_url_param(query, "weigh", command, sizeof(command)) != FR_OK ||
	    command[0] == '\0')
		return fr_fail(err, FR_USAGE,
		    "memory:%s: weigh wants a command, with %% written as "
		    "%%25 and & as %%26",
		    args);
	q->command = strdup(command);
	if (q->command != NULL)
		q->weigh = fr_weigh_new(q->command);
	return q->weigh != NULL ? FR_OK : no_memory(err);
}

static enum fr_rc
fr_mq_open(struct fr_queue **out, const char *args, struct fr_err *err)
{
	struct mq *q = calloc(1, sizeof(*q));
	enum fr_rc rc;

	if (q == NULL)
		return no_memory(err);
	q->base.ops = &fr_queue_memory;
	rc = read_args(q, args, err);
	fr_rand_init(&q->rand);
	q->lot = (uint32_t)fr_rand_u64(&q->rand);
	fr_mq_pool_init(
	    &q->entry, q->fifo ? fr_mq_fifo_entry_size : fr_mq_draw_entry_size);
	fr_mq_pool_init(&q->bundle,
	    q->fifo ? fr_mq_fifo_bundle_size : fr_mq_draw_bundle_size);
	q->types = fr_map_new();
	if (!fr_mq_index_init(&q->index, &q->entry) || q->types == NULL)
		rc = no_memory(err);
	if (rc != FR_OK)
		fr_mq_close(&q->base);
	else
		*out = &q->base;
	return rc;
}

static void
free_types(struct mq *q)
{
	struct fr_span name;
	size_t pos = 0;
	void *t;

	while (q->types != NULL && fr_map_next(q->types, &pos, &name, &t)) {
		if (!q->fifo)
			fr_mq_draw_forget(q, t);
		free(t);
	}
	fr_map_free(q->types);
}

static void
fr_mq_close(struct fr_queue *base)
{
	struct mq *q;

	if (base == NULL)
		return;
	q = self(base);
	free_types(q);
	fr_mq_index_fini(&q->index);
	fr_mq_pool_fini(&q->entry);
	fr_mq_pool_fini(&q->bundle);
	fr_weigh_free(q->weigh);
	free(q->command);
	free(q->asked);
	free(q->added);
	free(q->weight);
	free(q);
}

static uint32_t
fr_mq_caps(struct fr_queue *q)
{
	/* Whoever weighs is another program. */
	return self(q)->weigh != NULL ? FR_QUEUE_WANTS_DATA : FR_QUEUE_LOCAL;
}

static const char *
fr_mq_describe(struct fr_queue *base)
{
	struct mq *q = self(base);
	bool all;

	all = fr_str_format(q->line, sizeof(q->line), "memory, %s%s",
	    q->fifo       ? "higher priority first, then first in, first out"
	    : q->weighted ? "drawn by weight: "
			  : "drawn by chance",
	    !q->weighted       ? ""
	    : q->weigh != NULL ? "what a command says"
			       : "the priority");
	fr_assert(all);
	return q->line;
}

static struct fr_mq_type *
type_find(const struct mq *q, const char *name)
{
	return fr_map_get(q->types, fr_span_of(name));
}

/*
 * Names come from whoever submits jobs, so those for which none wait do not
 * stay for ever.
 */
static void
sweep_types(struct mq *q)
{
	struct fr_span name;
	struct fr_mq_type *t;
	size_t pos = 0;
	void *v;

	while (fr_map_next(q->types, &pos, &name, &v)) {
		t = v;
		if (t->count > 0)
			continue;
		(void)fr_map_del(q->types, fr_span_of(t->name));
		if (!q->fifo)
			fr_mq_draw_forget(q, t);
		free(t);
	}
	q->idle = 0;
}

/* NULL without memory. */
static struct fr_mq_type *
type_get(struct mq *q, const char *name)
{
	struct fr_mq_type *t = type_find(q, name);
	int i;

	if (t != NULL)
		return t;
	if (q->idle > IDLE_MAX && q->idle > fr_map_count(q->types) / 2)
		sweep_types(q);
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->root = t->top = MQ_NONE;
	for (i = 0; i < MQ_GROUPS; i++)
		t->group[i] = MQ_NONE;
	if (!fr_str_copy(t->name, sizeof(t->name), fr_span_of(name)) ||
	    !fr_map_put(q->types, fr_span_of(t->name), t)) {
		free(t);
		return NULL;
	}
	q->idle++;
	return t;
}

static void
type_count(struct mq *q, struct fr_mq_type *t, int by)
{
	if (t->count == 0)
		q->idle--;
	t->count += by;
	fr_assert(t->count >= 0);
	if (t->count == 0)
		q->idle++;
}

void
fr_mq_forget(struct mq *q, struct fr_mq_type *t, uint32_t e)
{
	fr_mq_index_remove(&q->index, e);
	fr_mq_pool_free(&q->entry, e);
	type_count(q, t, -1);
}

static struct fr_mq_type *
type_of(const struct mq *q, uint32_t e)
{
	return q->fifo ? fr_mq_fifo_type(q, e) : fr_mq_draw_type(q, e);
}

static void
drop(struct mq *q, uint32_t e)
{
	struct fr_mq_type *t = type_of(q, e);

	if (q->fifo)
		fr_mq_fifo_drop(q, e);
	else
		fr_mq_draw_drop(q, e);
	fr_mq_forget(q, t, e);
}

/* A new entry, which is not there yet; MQ_NONE without memory. */
static uint32_t
add(struct mq *q, const struct fr_ticket *t, double weight, bool front)
{
	struct fr_mq_type *type = type_get(q, t->type);
	uint32_t e;

	if (type == NULL)
		return MQ_NONE;
	e = fr_mq_pool_new(&q->entry);
	if (e == MQ_NONE)
		return MQ_NONE;
	fr_mq_entry_at(q, e)->id = t->id;
	if (!fr_mq_index_add(&q->index, e)) {
		fr_mq_pool_free(&q->entry, e);
		return MQ_NONE;
	}
	if (q->fifo ? fr_mq_fifo_add(q, type, e, t->priority, front)
		    : fr_mq_draw_add(q, type, e, t->priority, weight)) {
		type_count(q, type, 1);
		return e;
	}
	fr_mq_index_remove(&q->index, e);
	fr_mq_pool_free(&q->entry, e);
	return MQ_NONE;
}

/* Room for n in the scratch arrays. */
static bool
scratch(struct mq *q, size_t n)
{
	uint32_t *a;
	double *w;

	if (n <= q->scratch_cap)
		return true;
	n = n < BATCH_SCRATCH ? BATCH_SCRATCH : n;
	a = reallocarray(q->added, n, sizeof(*a));
	if (a == NULL)
		return false;
	q->added = a;
	w = reallocarray(q->weight, n, sizeof(*w));
	if (w == NULL)
		return false;
	q->weight = w;
	q->scratch_cap = n;
	return true;
}

static void
weigh(struct mq *q, const struct fr_ticket *t, size_t n)
{
	size_t i;

	if (q->weigh != NULL)
		fr_weigh_ask(q->weigh, t, n, q->weight);
	for (i = 0; q->weigh == NULL && i < n; i++)
		q->weight[i] = q->weighted ? fr_weigh_plain(&t[i]) : 1;
}

static enum fr_rc
fr_mq_push(struct fr_queue *base, const struct fr_ticket *t, size_t n,
    struct fr_err *err)
{
	struct mq *q = self(base);
	size_t nadded = 0, i;
	uint32_t e;

	if (!scratch(q, n))
		return no_memory(err);
	weigh(q, t, n);
	for (i = 0; i < n; i++) {
		if (fr_mq_index_find(&q->index, &t[i].id) != MQ_NONE)
			continue;
		e = add(q, &t[i], q->weight[i], false);
		if (e == MQ_NONE)
			break;
		q->added[nadded++] = e;
	}
	if (i == n)
		return FR_OK;
	while (nadded > 0)
		drop(q, q->added[--nadded]);
	return no_memory(err);
}

static enum fr_rc
fr_mq_requeue(struct fr_queue *base, const struct fr_ticket *t, size_t n,
    struct fr_err *err)
{
	struct mq *q = self(base);
	uint32_t e;
	size_t i;

	if (!scratch(q, n))
		return no_memory(err);
	weigh(q, t, n);
	/* From the last, so that the first is foremost. */
	for (i = n; i-- > 0;) {
		e = fr_mq_index_find(&q->index, &t[i].id);
		if (e != MQ_NONE)
			drop(q, e);
		if (add(q, &t[i], q->weight[i], true) == MQ_NONE)
			return no_memory(err);
	}
	return FR_OK;
}

/* Notes each asked type for which jobs wait once. */
static bool
note_asked(struct mq *q, const char *const *types, size_t n, size_t *nasked)
{
	struct fr_mq_type **v, *t;
	size_t i;

	if (n > q->asked_cap) {
		v = reallocarray(q->asked, n, sizeof(*v));
		if (v == NULL)
			return false;
		q->asked = v;
		q->asked_cap = n;
	}
	q->pops++;
	*nasked = 0;
	for (i = 0; i < n; i++) {
		t = type_find(q, types[i]);
		if (t == NULL || t->count == 0 || t->mark == q->pops)
			continue;
		t->mark = q->pops;
		t->asked = types[i];
		q->asked[(*nasked)++] = t;
	}
	return true;
}

static enum fr_rc
fr_mq_pop(struct fr_queue *base, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t *n, struct fr_err *err)
{
	struct mq *q = self(base);
	size_t nasked;

	if (!note_asked(q, types, ntypes, &nasked))
		return no_memory(err);
	*n = q->fifo ? fr_mq_fifo_pop(q, nasked, t, *n)
		     : fr_mq_draw_pop(q, nasked, t, *n);
	return FR_OK;
}

/* The entry of a ticket, by type and id; MQ_NONE: not there. */
static uint32_t
find(struct mq *q, const struct fr_ticket *t)
{
	const uint32_t e = fr_mq_index_find(&q->index, &t->id);

	if (e != MQ_NONE && strcmp(type_of(q, e)->name, t->type) != 0)
		return MQ_NONE;
	return e;
}

static enum fr_rc
fr_mq_remove(struct fr_queue *base, const struct fr_ticket *t, size_t n,
    struct fr_err *err)
{
	struct mq *q = self(base);
	uint32_t e;
	size_t i;

	(void)err;
	for (i = 0; i < n; i++) {
		e = find(q, &t[i]);
		if (e != MQ_NONE)
			drop(q, e);
	}
	return FR_OK;
}

static enum fr_rc
fr_mq_length(
    struct fr_queue *base, const char *type, int64_t *n, struct fr_err *err)
{
	const struct mq *q = self(base);
	const struct fr_mq_type *t;

	(void)err;
	if (type == NULL) {
		*n = (int64_t)q->index.count;
		return FR_OK;
	}
	t = type_find(q, type);
	*n = t != NULL ? t->count : 0;
	return FR_OK;
}

static enum fr_rc
fr_mq_empty(struct fr_queue *base, struct fr_err *err)
{
	struct mq *q = self(base);
	struct fr_mq_index index;
	struct fr_map *types = fr_map_new();

	if (!fr_mq_index_init(&index, &q->entry) || types == NULL) {
		fr_mq_index_fini(&index);
		fr_map_free(types);
		return no_memory(err);
	}
	free_types(q);
	fr_mq_index_fini(&q->index);
	fr_mq_pool_fini(&q->entry);
	fr_mq_pool_fini(&q->bundle);
	fr_mq_pool_init(&q->entry, q->entry.each);
	fr_mq_pool_init(&q->bundle, q->bundle.each);
	q->index = index;
	q->types = types;
	q->idle = 0;
	q->first_seq = q->last_seq = 0;
	return FR_OK;
}

static enum fr_rc
fr_mq_place(struct fr_queue *base, const struct fr_ticket *t, int64_t *ahead,
    struct fr_err *err)
{
	struct mq *q = self(base);
	const uint32_t e = find(q, t);

	if (e == MQ_NONE)
		return fr_fail(err, FR_NOTFOUND, "memory queue: no such job");
	if (!q->fifo)
		return fr_fail(err, FR_INVALID,
		    "memory queue: what is drawn by chance has no place");
	*ahead = fr_mq_fifo_place(q, e, PLACE_MOST);
	if (*ahead >= PLACE_MOST)
		return fr_fail(err, FR_TOOBIG,
		    "memory queue: more than %d are ahead", PLACE_MOST - 1);
	return FR_OK;
}
