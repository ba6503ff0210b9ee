/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/assert.h"
#include "mq.h"

/*
 * Higher priority first, then first in, first out. The jobs of one type and
 * priority are a level: a list through the entries. The levels of a type are
 * a treap by priority, whose highest one is remembered. Over several types
 * the order is that of the numbers given on arrival: up at the end, down at
 * the front.
 */
struct fr_mq_line {
	struct fr_mq_entry e;
	uint32_t next;
	uint32_t prev;
	uint32_t seq[2]; /* an int64_t; in halves for the sake of alignment */
};

struct level {
	struct fr_mq_type *type;
	int32_t priority;
	uint32_t heat; /* the treap's: that of the parent is not less */
	uint32_t left; /* lower priorities */
	uint32_t right;
	uint32_t head;
	uint32_t tail;
	uint32_t count;
	uint32_t pad;
};

const size_t fr_mq_fifo_entry_size = sizeof(struct fr_mq_line);
const size_t fr_mq_fifo_bundle_size = sizeof(struct level);

static struct fr_mq_line *
line_at(const struct mq *q, uint32_t e)
{
	return fr_mq_pool_at(&q->entry, e);
}

static struct level *
level_at(const struct mq *q, uint32_t l)
{
	return fr_mq_pool_at(&q->bundle, l);
}

static int64_t
seq_of(const struct fr_mq_line *w)
{
	int64_t seq;

	memcpy(&seq, w->seq, sizeof(seq));
	return seq;
}

/* Splits tree t: what is lower than priority to *low, the rest to *high. */
static void
tree_split(const struct mq *q, uint32_t t, int32_t priority, uint32_t *low,
    uint32_t *high)
{
	struct level *l;

	while (t != MQ_NONE) {
		l = level_at(q, t);
		if (l->priority < priority) {
			*low = t;
			low = &l->right;
			t = l->right;
		} else {
			*high = t;
			high = &l->left;
			t = l->left;
		}
	}
	*low = *high = MQ_NONE;
}

/* Joins two trees into *out; all of low is lower than all of high. */
static void
tree_join(const struct mq *q, uint32_t *out, uint32_t low, uint32_t high)
{
	struct level *a, *b;

	while (low != MQ_NONE && high != MQ_NONE) {
		a = level_at(q, low);
		b = level_at(q, high);
		if (a->heat >= b->heat) {
			*out = low;
			out = &a->right;
			low = a->right;
		} else {
			*out = high;
			out = &b->left;
			high = b->left;
		}
	}
	*out = low != MQ_NONE ? low : high;
}

static void
find_top(const struct mq *q, struct fr_mq_type *t)
{
	uint32_t l = t->root;

	while (l != MQ_NONE && level_at(q, l)->right != MQ_NONE)
		l = level_at(q, l)->right;
	t->top = l;
}

/* A new level of t; MQ_NONE without memory. */
static uint32_t
level_new(struct mq *q, struct fr_mq_type *t, int32_t priority)
{
	uint32_t *at = &t->root;
	uint32_t n = fr_mq_pool_new(&q->bundle);
	struct level *l;

	if (n == MQ_NONE)
		return MQ_NONE;
	q->lot = q->lot * 1664525 + 1013904223;
	l = level_at(q, n);
	*l = (struct level){ .type = t,
		.priority = priority,
		.heat = q->lot >> 1,
		.head = MQ_NONE,
		.tail = MQ_NONE };
	while (*at != MQ_NONE && level_at(q, *at)->heat >= l->heat)
		at = level_at(q, *at)->priority < priority
			 ? &level_at(q, *at)->right
			 : &level_at(q, *at)->left;
	tree_split(q, *at, priority, &l->left, &l->right);
	*at = n;
	if (t->top == MQ_NONE || level_at(q, t->top)->priority < priority)
		t->top = n;
	return n;
}

static void
level_free(struct mq *q, uint32_t n)
{
	struct level *l = level_at(q, n);
	struct fr_mq_type *t = l->type;
	uint32_t *at = &t->root;

	while (*at != n)
		at = level_at(q, *at)->priority < l->priority
			 ? &level_at(q, *at)->right
			 : &level_at(q, *at)->left;
	tree_join(q, at, l->left, l->right);
	fr_mq_pool_free(&q->bundle, n);
	if (t->top == n)
		find_top(q, t);
}

static uint32_t
level_find(const struct mq *q, const struct fr_mq_type *t, int32_t priority)
{
	uint32_t n = t->top;

	if (n != MQ_NONE && level_at(q, n)->priority == priority)
		return n;
	n = t->root;
	while (n != MQ_NONE && level_at(q, n)->priority != priority)
		n = level_at(q, n)->priority < priority ? level_at(q, n)->right
							: level_at(q, n)->left;
	return n;
}

bool
fr_mq_fifo_add(struct mq *q, struct fr_mq_type *t, uint32_t e, int32_t priority,
    bool front)
{
	struct fr_mq_line *w = line_at(q, e);
	uint32_t n = level_find(q, t, priority);
	struct level *l;
	int64_t seq;

	if (n == MQ_NONE)
		n = level_new(q, t, priority);
	if (n == MQ_NONE)
		return false;
	l = level_at(q, n);
	seq = front ? --q->first_seq : ++q->last_seq;
	memcpy(w->seq, &seq, sizeof(seq));
	w->e.owner = n;
	w->prev = front ? MQ_NONE : l->tail;
	w->next = front ? l->head : MQ_NONE;
	if (w->prev != MQ_NONE)
		line_at(q, w->prev)->next = e;
	else
		l->head = e;
	if (w->next != MQ_NONE)
		line_at(q, w->next)->prev = e;
	else
		l->tail = e;
	l->count++;
	return true;
}

struct fr_mq_type *
fr_mq_fifo_type(const struct mq *q, uint32_t e)
{
	return level_at(q, line_at(q, e)->e.owner)->type;
}

void
fr_mq_fifo_drop(struct mq *q, uint32_t e)
{
	struct fr_mq_line *w = line_at(q, e);
	struct level *l = level_at(q, w->e.owner);

	if (w->prev != MQ_NONE)
		line_at(q, w->prev)->next = w->next;
	else
		l->head = w->next;
	if (w->next != MQ_NONE)
		line_at(q, w->next)->prev = w->prev;
	else
		l->tail = w->prev;
	fr_assert(l->count > 0);
	if (--l->count == 0)
		level_free(q, w->e.owner);
}

/* Whether the next job of a goes out before that of b. */
static bool
before(
    const struct mq *q, const struct fr_mq_type *a, const struct fr_mq_type *b)
{
	const struct level *x = level_at(q, a->top);
	const struct level *y = level_at(q, b->top);

	if (x->priority != y->priority)
		return x->priority > y->priority;
	return seq_of(line_at(q, x->head)) < seq_of(line_at(q, y->head));
}

static void
sift(const struct mq *q, struct fr_mq_type **v, size_t n, size_t i)
{
	struct fr_mq_type *t = v[i];
	size_t c;

	for (; (c = 2 * i + 1) < n; i = c) {
		if (c + 1 < n && before(q, v[c + 1], v[c]))
			c++;
		if (!before(q, v[c], t))
			break;
		v[i] = v[c];
	}
	v[i] = t;
}

size_t
fr_mq_fifo_pop(struct mq *q, size_t ntypes, struct fr_ticket *ticket, size_t n)
{
	struct fr_mq_type **v = q->asked;
	struct level *l;
	uint32_t e;
	size_t i;

	for (i = ntypes / 2; i-- > 0;)
		sift(q, v, ntypes, i);
	for (i = 0; i < n && ntypes > 0; i++) {
		l = level_at(q, v[0]->top);
		e = l->head;
		ticket[i] = (struct fr_ticket){ .id = fr_mq_entry_at(q, e)->id,
			.type = v[0]->asked,
			.priority = l->priority };
		fr_mq_fifo_drop(q, e);
		fr_mq_forget(q, v[0], e);
		if (v[0]->count == 0)
			v[0] = v[--ntypes];
		if (ntypes > 1)
			sift(q, v, ntypes, 0);
	}
	return i;
}

/* Adds up the levels of tree n that are higher than priority. */
static int64_t
count_higher(const struct mq *q, uint32_t n, int32_t priority, int64_t most)
{
	const struct level *l;
	int64_t sum = 0;

	while (n != MQ_NONE && sum < most) {
		l = level_at(q, n);
		if (l->priority > priority) {
			sum += l->count;
			sum += count_higher(q, l->right, priority, most - sum);
			n = l->left;
		} else {
			n = l->right;
		}
	}
	return sum;
}

int64_t
fr_mq_fifo_place(const struct mq *q, uint32_t e, int64_t most)
{
	const struct fr_mq_line *w = line_at(q, e);
	const struct level *l = level_at(q, w->e.owner);
	int64_t sum = count_higher(q, l->type->root, l->priority, most);

	for (; sum < most && w->prev != MQ_NONE; sum++)
		w = line_at(q, w->prev);
	return sum;
}
