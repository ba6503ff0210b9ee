/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include <stdlib.h>

#include "base/assert.h"

/* A binary heap: the parent of v[i] is v[(i - 1) / 2]. */

void
fr_heap_init(struct fr_heap *h)
{
	*h = (struct fr_heap){ 0 };
}

void
fr_heap_fini(struct fr_heap *h)
{
	free(h->v);
	*h = (struct fr_heap){ 0 };
}

static void
place(struct fr_heap *h, size_t i, struct fr_heap_node *n)
{
	h->v[i] = n;
	n->pos = i + 1;
}

static void
up(struct fr_heap *h, size_t i, struct fr_heap_node *n)
{
	size_t parent;

	for (; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (h->v[parent]->at_ms <= n->at_ms)
			break;
		place(h, i, h->v[parent]);
	}
	place(h, i, n);
}

static void
down(struct fr_heap *h, size_t i, struct fr_heap_node *n)
{
	size_t child;

	for (; (child = 2 * i + 1) < h->len; i = child) {
		if (child + 1 < h->len &&
		    h->v[child + 1]->at_ms < h->v[child]->at_ms)
			child++;
		if (n->at_ms <= h->v[child]->at_ms)
			break;
		place(h, i, h->v[child]);
	}
	place(h, i, n);
}

bool
fr_heap_reserve(struct fr_heap *h, size_t n)
{
	struct fr_heap_node **v;
	size_t cap = (h->cap == 0 ? 64 : h->cap);

	if (n <= h->cap)
		return true;
	while (cap < n)
		cap *= 2;
	v = reallocarray(h->v, cap, sizeof(*v));
	if (v == NULL)
		return false;
	h->v = v;
	h->cap = cap;
	return true;
}

bool
fr_heap_set(struct fr_heap *h, struct fr_heap_node *n, int64_t at_ms)
{
	bool later;

	if (n->pos != 0) {
		fr_assert(n->pos <= h->len && h->v[n->pos - 1] == n);
		later = at_ms > n->at_ms;
		n->at_ms = at_ms;
		if (later)
			down(h, n->pos - 1, n);
		else
			up(h, n->pos - 1, n);
		return true;
	}
	if (!fr_heap_reserve(h, h->len + 1))
		return false;
	n->at_ms = at_ms;
	up(h, h->len++, n);
	return true;
}

void
fr_heap_remove(struct fr_heap *h, struct fr_heap_node *n)
{
	struct fr_heap_node *last;
	size_t i;

	if (n->pos == 0)
		return;
	fr_assert(n->pos <= h->len && h->v[n->pos - 1] == n);
	i = n->pos - 1;
	n->pos = 0;
	last = h->v[--h->len];
	if (last == n)
		return;
	/* It may come from another branch, so it may have to go either way. */
	if (i > 0 && h->v[(i - 1) / 2]->at_ms > last->at_ms)
		up(h, i, last);
	else
		down(h, i, last);
}

struct fr_heap_node *
fr_heap_first(const struct fr_heap *h)
{
	return h->len == 0 ? NULL : h->v[0];
}
