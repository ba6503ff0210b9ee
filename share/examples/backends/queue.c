/* SPDX-License-Identifier: MIT */
/*
 * A queue for fr-manager in C, loaded from a shared object: see fr-backend(7).
 *
 *     cc -std=c17 -O2 -fPIC -shared -fvisibility=hidden \
 *         -I/usr/local/include -o queue.so queue.c
 *     fr-manager --queue ./queue.so:fifo
 *
 * Higher priority first, then first in, first out. Each type has a row for
 * each priority, highest first; a hash table finds a ticket by its id. Only
 * the C library and the public headers <fr/...> are used.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <fr/backend.h>

#define BUCKETS 65536

struct kind;

struct entry {
	TAILQ_ENTRY(entry) row;
	LIST_ENTRY(entry) bucket;
	struct fr_uuid id;
	struct kind *kind;
	struct level *level;
	int64_t order;
};

struct level { /* the tickets of one type and priority */
	TAILQ_ENTRY(level) next;
	TAILQ_HEAD(, entry) row;
	int32_t priority;
};

struct kind {
	LIST_ENTRY(kind) next;
	TAILQ_HEAD(, level) levels;
	int64_t count;
	char name[FR_TYPE_MAX + 1];
};

struct queue {
	struct fr_queue q; /* must be first */
	LIST_HEAD(, kind) kinds;
	LIST_HEAD(bucket, entry) buckets[BUCKETS];
	int64_t head, tail; /* orders given so far, at the front and the end */
};

static const struct fr_queue_ops ops;

/* What a module returns goes into *err; there is no library to help it. */
static enum fr_rc
fail(struct fr_err *err, enum fr_rc rc, const char *text)
{
	if (err != NULL) {
		err->rc = rc;
		(void)snprintf(
		    err->msg, sizeof(err->msg), "example queue: %s", text);
	}
	return rc;
}

static struct queue *
self(struct fr_queue *q)
{
	return (struct queue *)q;
}

static struct bucket *
bucket_of(struct queue *q, const struct fr_uuid *id)
{
	uint32_t h;

	memcpy(&h, id->b + 12, sizeof(h)); /* random in every UUID we meet */
	return &q->buckets[h % BUCKETS];
}

static struct kind *
kind_get(struct queue *q, const char *name, bool make)
{
	struct kind *k;

	LIST_FOREACH(k, &q->kinds, next)
	if (strcmp(k->name, name) == 0)
		return k;
	if (!make || (k = calloc(1, sizeof(*k))) == NULL)
		return NULL;
	(void)snprintf(k->name, sizeof(k->name), "%s", name);
	TAILQ_INIT(&k->levels);
	LIST_INSERT_HEAD(&q->kinds, k, next);
	return k;
}

static struct level *
level_get(struct kind *k, int32_t priority)
{
	struct level *l, *below;

	TAILQ_FOREACH(below, &k->levels, next)
	if (below->priority <= priority)
		break;
	if (below != NULL && below->priority == priority)
		return below;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	l->priority = priority;
	TAILQ_INIT(&l->row);
	if (below != NULL)
		TAILQ_INSERT_BEFORE(below, l, next);
	else
		TAILQ_INSERT_TAIL(&k->levels, l, next);
	return l;
}

static struct entry *
find(struct queue *q, const struct fr_ticket *t)
{
	struct entry *e;

	LIST_FOREACH(e, bucket_of(q, &t->id), bucket)
	if (memcmp(&e->id, &t->id, sizeof(e->id)) == 0 &&
	    strcmp(e->kind->name, t->type) == 0)
		return e;
	return NULL;
}

/* Out of its row; levels stay, since their priority will come again. */
static void
take_out(struct entry *e)
{
	TAILQ_REMOVE(&e->level->row, e, row);
	LIST_REMOVE(e, bucket);
	e->kind->count--;
	free(e);
}

/* A ticket made ready to go into its row: nothing can fail after that. */
static struct entry *
prepare(struct queue *q, const struct fr_ticket *t)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->id = t->id;
	e->kind = kind_get(q, t->type, true);
	e->level = e->kind != NULL ? level_get(e->kind, t->priority) : NULL;
	if (e->level == NULL) {
		free(e);
		return NULL;
	}
	return e;
}

static void
put(struct queue *q, struct entry *e, bool front)
{
	if (front) {
		e->order = --q->head;
		TAILQ_INSERT_HEAD(&e->level->row, e, row);
	} else {
		e->order = ++q->tail;
		TAILQ_INSERT_TAIL(&e->level->row, e, row);
	}
	LIST_INSERT_HEAD(bucket_of(q, &e->id), e, bucket);
	e->kind->count++;
}

/* All or none: first everything that may fail, then everything else. */
static enum fr_rc
add(struct queue *q, const struct fr_ticket *t, size_t n, bool front,
    struct fr_err *err)
{
	struct entry **fresh, *old;
	size_t i, k;

	fresh = calloc(n + 1, sizeof(struct entry *));
	if (fresh == NULL)
		return fail(err, FR_NOMEM, "out of memory");
	for (i = 0; i < n; i++) {
		fresh[i] = prepare(q, &t[i]);
		if (fresh[i] != NULL)
			continue;
		while (i-- > 0)
			free(fresh[i]);
		free(fresh);
		return fail(err, FR_NOMEM, "out of memory");
	}
	for (i = 0; i < n; i++) {
		/* To the front from the last, so that the first is foremost. */
		k = front ? n - 1 - i : i;
		old = find(q, &t[k]);
		if (old != NULL && !front) {
			free(fresh[k]); /* it stays where it is */
			continue;
		}
		if (old != NULL)
			take_out(old);
		put(q, fresh[k], front);
	}
	free(fresh);
	return FR_OK;
}

static enum fr_rc
queue_open(struct fr_queue **out, const char *args, struct fr_err *err)
{
	struct queue *q;

	if (args[0] != '\0' && strcmp(args, "fifo") != 0)
		return fail(err, FR_USAGE, "the only order is fifo");
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		return fail(err, FR_NOMEM, "out of memory");
	q->q.ops = &ops;
	*out = &q->q;
	return FR_OK;
}

static enum fr_rc
queue_empty(struct fr_queue *base, struct fr_err *err)
{
	struct queue *q = self(base);
	struct kind *k;
	struct level *l;

	(void)err;
	while ((k = LIST_FIRST(&q->kinds)) != NULL) {
		while ((l = TAILQ_FIRST(&k->levels)) != NULL) {
			while (!TAILQ_EMPTY(&l->row))
				take_out(TAILQ_FIRST(&l->row));
			TAILQ_REMOVE(&k->levels, l, next);
			free(l);
		}
		LIST_REMOVE(k, next);
		free(k);
	}
	return FR_OK;
}

static void
queue_close(struct fr_queue *base)
{
	if (base == NULL)
		return;
	(void)queue_empty(base, NULL);
	free(base);
}

static uint32_t
queue_caps(struct fr_queue *base)
{
	(void)base;
	return 0;
}

static const char *
queue_describe(struct fr_queue *base)
{
	(void)base;
	return "example in C, higher priority first, then first in, first out";
}

static enum fr_rc
queue_push(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	return add(self(q), t, n, false, err);
}

static enum fr_rc
queue_requeue(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	return add(self(q), t, n, true, err);
}

static enum fr_rc
queue_remove(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	struct entry *e;
	size_t i;

	(void)err;
	for (i = 0; i < n; i++)
		if ((e = find(self(q), &t[i])) != NULL)
			take_out(e);
	return FR_OK;
}

static struct entry *
first_of(struct kind *k)
{
	struct level *l;

	TAILQ_FOREACH(l, &k->levels, next)
	if (!TAILQ_EMPTY(&l->row))
		return TAILQ_FIRST(&l->row);
	return NULL;
}

static bool
goes_before(const struct entry *a, const struct entry *b)
{
	if (a->level->priority != b->level->priority)
		return a->level->priority > b->level->priority;
	return a->order < b->order;
}

static enum fr_rc
queue_pop(struct fr_queue *base, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t *n, struct fr_err *err)
{
	struct queue *q = self(base);
	struct entry *e, *best;
	const size_t most = *n;
	size_t i, from = 0;
	struct kind *k;

	(void)err;
	for (*n = 0; *n < most; (*n)++) {
		best = NULL;
		for (i = 0; i < ntypes; i++) {
			k = kind_get(q, types[i], false);
			e = k != NULL ? first_of(k) : NULL;
			if (e != NULL &&
			    (best == NULL || goes_before(e, best))) {
				best = e;
				from = i;
			}
		}
		if (best == NULL)
			break;
		t[*n] = (struct fr_ticket){
			.id = best->id,
			.type = types[from],
			.priority = best->level->priority,
		};
		take_out(best);
	}
	return FR_OK;
}

static enum fr_rc
queue_length(
    struct fr_queue *base, const char *type, int64_t *n, struct fr_err *err)
{
	struct kind *k;

	(void)err;
	*n = 0;
	LIST_FOREACH(k, &self(base)->kinds, next)
	if (type == NULL || strcmp(k->name, type) == 0)
		*n += k->count;
	return FR_OK;
}

static const struct fr_queue_ops ops = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_queue_ops),
	.scheme = "example",
	.open = queue_open,
	.close = queue_close,
	.caps = queue_caps,
	.describe = queue_describe,
	.push = queue_push,
	.pop = queue_pop,
	.requeue = queue_requeue,
	.remove = queue_remove,
	.length = queue_length,
	.empty = queue_empty,
};

/* The one symbol that the manager looks for. */
__attribute__((visibility("default"))) extern const struct fr_module fr_module;
const struct fr_module fr_module = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_module),
	.queue = &ops,
};
