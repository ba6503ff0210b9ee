/* SPDX-License-Identifier: MIT */
#include "on_queue.h"

#include <stdlib.h>

#include "base/str.h"

struct fr_queue *
fr_qu_open(struct fr_check *c)
{
	struct fr_queue **slot = c->also_q;

	while (*slot != NULL)
		slot++;
	MUST(c, c->conf->open_queue(slot, c->conf->url, &c->err));
	return *slot;
}

void
fr_qu_close_all(struct fr_check *c)
{
	size_t i;

	for (i = 0; i < FR_CHECK_HANDLES; i++) {
		if (c->also_q[i] != NULL)
			c->also_q[i]->ops->close(c->also_q[i]);
		c->also_q[i] = NULL;
	}
	if (c->q != NULL)
		c->q->ops->close(c->q);
	c->q = NULL;
}

void
fr_qu_reopen(struct fr_check *c)
{
	fr_qu_close_all(c);
	MUST(c, c->conf->open_queue(&c->q, c->conf->url, &c->err));
}

struct fr_ticket
fr_qu_ticket(struct fr_check *c)
{
	return (struct fr_ticket){
		.id = fr_check_id(c), .type = c->type, .data = FR_SPAN("null")
	};
}

struct fr_ticket *
fr_qu_tickets(struct fr_check *c, size_t n)
{
	struct fr_ticket *t = fr_check_alloc(c, n, sizeof(*t));
	size_t i;

	for (i = 0; i < n; i++)
		t[i] = fr_qu_ticket(c);
	return t;
}

void
fr_qu_note(struct fr_check *c, const struct fr_ticket *t, size_t n)
{
	size_t cap = c->cap_tickets == 0 ? 1024 : c->cap_tickets, i;
	struct fr_ticket *v;

	while (cap < c->ntickets + n)
		cap *= 2;
	if (cap != c->cap_tickets) {
		v = reallocarray(c->tickets, cap, sizeof(*v));
		WANT(c, v != NULL);
		c->tickets = v;
		c->cap_tickets = cap;
	}
	for (i = 0; i < n; i++) {
		c->tickets[c->ntickets] = t[i];
		/* It must live until the end of the check. */
		if (t[i].type != c->type)
			c->tickets[c->ntickets].type =
			    fr_check_dup(c, fr_span_of(t[i].type)).p;
		c->ntickets++;
	}
}

void
fr_qu_push(struct fr_check *c, const struct fr_ticket *t, size_t n)
{
	fr_qu_note(c, t, n);
	MUST(c, c->q->ops->push(c->q, t, n, &c->err));
}

void
fr_qu_requeue(struct fr_check *c, const struct fr_ticket *t, size_t n)
{
	fr_qu_note(c, t, n);
	MUST(c, c->q->ops->requeue(c->q, t, n, &c->err));
}

void
fr_qu_remove(struct fr_check *c, const struct fr_ticket *t, size_t n)
{
	MUST(c, c->q->ops->remove(c->q, t, n, &c->err));
}

int64_t
fr_qu_length(struct fr_check *c, const char *type)
{
	int64_t n = -1;

	MUST(c, c->q->ops->length(c->q, type, &n, &c->err));
	return n;
}

size_t
fr_qu_pop_of(struct fr_check *c, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t n)
{
	size_t got = n, i, k;

	MUST(c, c->q->ops->pop(c->q, types, ntypes, t, &got, &c->err));
	WANT(c, got <= n);
	for (i = 0; i < got; i++) {
		for (k = 0; k < ntypes && t[i].type != types[k]; k++)
			;
		WANT(c, k < ntypes);
	}
	return got;
}

size_t
fr_qu_pop(struct fr_check *c, struct fr_ticket *t, size_t n)
{
	const char *type = c->type;

	return fr_qu_pop_of(c, &type, 1, t, n);
}

static void
same_one(struct fr_check *c, const struct fr_ticket *got,
    const struct fr_ticket *want)
{
	WANT(c, fr_uuid_eq(&got->id, &want->id));
	WANT(c, strcmp(got->type, want->type) == 0);
	WANT_INT(c, got->priority, want->priority);
}

static int
by_id(const void *a, const void *b)
{
	return fr_uuid_cmp(&((const struct fr_ticket *)a)->id,
	    &((const struct fr_ticket *)b)->id);
}

static struct fr_ticket *
sorted(struct fr_check *c, const struct fr_ticket *t, size_t n)
{
	struct fr_ticket *v = fr_check_alloc(c, n + 1, sizeof(*v));

	if (n > 0)
		memcpy(v, t, n * sizeof(*v));
	qsort(v, n, sizeof(*v), by_id);
	return v;
}

void
fr_qu_same(struct fr_check *c, const struct fr_ticket *got, size_t ngot,
    const struct fr_ticket *want, size_t n)
{
	size_t i;

	WANT_INT(c, ngot, n);
	if (c->conf->order != FR_ORDER_FIFO) {
		got = sorted(c, got, n);
		want = sorted(c, want, n);
	}
	for (i = 0; i < n; i++)
		same_one(c, &got[i], &want[i]);
}

void
fr_qu_drain(struct fr_check *c, const struct fr_ticket *want, size_t n)
{
	struct fr_ticket *got = fr_check_alloc(c, n + 2, sizeof(*got));
	size_t k, ngot = 0;

	/* A queue may hand out less at once than there is. */
	do {
		k = fr_qu_pop(c, got + ngot, n + 2 - ngot);
		ngot += k;
	} while (k > 0 && ngot < n + 2);
	fr_qu_same(c, got, ngot, want, n);
	WANT_INT(c, fr_qu_length(c, c->type), 0);
}
