/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "base/assert.h"
#include "mq.h"

/*
 * Drawn by chance, in proportion to a weight. The jobs of a type are in
 * groups, one for each power of two, as rows of entry numbers. To draw one:
 * choose a type and then a group by their sums, take any place in its row
 * and keep it with a chance of weight / 2^(exponent + 1), which is at least
 * one half; else take another place. So all costs are constant. A weight is
 * a 24-bit whole number times a power of two, so that sums stay exact
 * however many come and go.
 */
#define ONE (1U << 23)

struct fr_mq_ball {
	struct fr_mq_entry e;
	uint32_t pos; /* in the group's row */
	int32_t priority;
	uint32_t weight; /* ONE to 2 * ONE - 1; the exponent is the group's */
};

struct group {
	struct fr_mq_type *type;
	struct fr_mq_row row;
	uint64_t sum;
	uint32_t count;
	uint32_t exp; /* the weights are weight / ONE * 2^(exp - 20) */
};

const size_t fr_mq_draw_entry_size = sizeof(struct fr_mq_ball);
const size_t fr_mq_draw_bundle_size = sizeof(struct group);

static struct fr_mq_ball *
ball_at(const struct mq *q, uint32_t e)
{
	return fr_mq_pool_at(&q->entry, e);
}

static struct group *
group_at(const struct mq *q, uint32_t g)
{
	return fr_mq_pool_at(&q->bundle, g);
}

static uint32_t
group_get(struct mq *q, struct fr_mq_type *t, uint32_t exp)
{
	uint32_t n = t->group[exp];

	if (n != MQ_NONE)
		return n;
	n = fr_mq_pool_new(&q->bundle);
	if (n != MQ_NONE)
		*group_at(q, n) = (struct group){ .type = t, .exp = exp };
	t->group[exp] = n;
	return n;
}

bool
fr_mq_draw_add(struct mq *q, struct fr_mq_type *t, uint32_t e, int32_t priority,
    double weight)
{
	struct fr_mq_ball *b = ball_at(q, e);
	double most = ldexp(1, MQ_GROUPS - MQ_GROUP_ONE) - 512;
	double least = ldexp(1, -MQ_GROUP_ONE);
	struct group *g;
	uint32_t n;
	int exp;

	weight = weight > least ? weight < most ? weight : most : least;
	b->weight = (uint32_t)(frexp(weight, &exp) * 2 * ONE);
	fr_assert(exp - 1 + MQ_GROUP_ONE >= 0);
	fr_assert(exp - 1 + MQ_GROUP_ONE < MQ_GROUPS);
	n = group_get(q, t, (uint32_t)(exp - 1 + MQ_GROUP_ONE));
	if (n == MQ_NONE)
		return false;
	g = group_at(q, n);
	if (!fr_mq_row_grow(&g->row, (size_t)g->count + 1))
		return false;
	b->e.owner = n;
	b->priority = priority;
	b->pos = g->count++;
	*fr_mq_row_at(&g->row, b->pos) = e;
	g->sum += b->weight;
	t->filled |= UINT64_C(1) << g->exp;
	return true;
}

struct fr_mq_type *
fr_mq_draw_type(const struct mq *q, uint32_t e)
{
	return group_at(q, ball_at(q, e)->e.owner)->type;
}

void
fr_mq_draw_drop(struct mq *q, uint32_t e)
{
	struct fr_mq_ball *b = ball_at(q, e);
	struct group *g = group_at(q, b->e.owner);
	uint32_t last;

	fr_assert(g->count > b->pos);
	last = *fr_mq_row_at(&g->row, --g->count);
	*fr_mq_row_at(&g->row, b->pos) = last;
	ball_at(q, last)->pos = b->pos;
	g->sum -= b->weight;
	fr_mq_row_shrink(&g->row, g->count);
	if (g->count == 0)
		g->type->filled &= ~(UINT64_C(1) << g->exp);
}

static double
group_sum(const struct group *g)
{
	return ldexp((double)g->sum, (int)g->exp);
}

static double
type_sum(const struct mq *q, const struct fr_mq_type *t)
{
	double sum = 0;
	uint64_t bits;

	for (bits = t->filled; bits != 0; bits &= bits - 1)
		sum += group_sum(group_at(q, t->group[__builtin_ctzll(bits)]));
	return sum;
}

static uint32_t
draw(struct mq *q, const struct fr_mq_type *t)
{
	double x = fr_rand_unit(&q->rand) * type_sum(q, t);
	struct group *g = NULL;
	uint64_t bits;
	uint32_t e;

	/* The last one stands for what rounding leaves over. */
	for (bits = t->filled; bits != 0; bits &= bits - 1) {
		g = group_at(q, t->group[__builtin_ctzll(bits)]);
		x -= group_sum(g);
		if (x < 0)
			break;
	}
	fr_assert(g != NULL && g->count > 0);
	do
		e = *fr_mq_row_at(&g->row, fr_rand_below(&q->rand, g->count));
	while (q->weighted &&
	       fr_rand_below(&q->rand, 2 * ONE) >= ball_at(q, e)->weight);
	return e;
}

/* Which of the asked types is next, by their sums. */
static size_t
draw_type(struct mq *q, size_t ntypes)
{
	double sum = 0, x;
	size_t i;

	if (ntypes == 1)
		return 0;
	for (i = 0; i < ntypes; i++)
		sum += type_sum(q, q->asked[i]);
	x = fr_rand_unit(&q->rand) * sum;
	for (i = 0; i + 1 < ntypes; i++) {
		x -= type_sum(q, q->asked[i]);
		if (x < 0)
			break;
	}
	return i;
}

size_t
fr_mq_draw_pop(struct mq *q, size_t ntypes, struct fr_ticket *ticket, size_t n)
{
	struct fr_mq_type *t;
	size_t i, k;
	uint32_t e;

	for (i = 0; i < n && ntypes > 0; i++) {
		k = draw_type(q, ntypes);
		t = q->asked[k];
		e = draw(q, t);
		ticket[i] = (struct fr_ticket){ .id = fr_mq_entry_at(q, e)->id,
			.type = t->asked,
			.priority = ball_at(q, e)->priority };
		fr_mq_draw_drop(q, e);
		fr_mq_forget(q, t, e);
		if (t->count == 0)
			q->asked[k] = q->asked[--ntypes];
	}
	return i;
}

void
fr_mq_draw_forget(struct mq *q, struct fr_mq_type *t)
{
	int i;

	for (i = 0; i < MQ_GROUPS; i++) {
		if (t->group[i] == MQ_NONE)
			continue;
		fr_mq_row_fini(&group_at(q, t->group[i])->row);
		fr_mq_pool_free(&q->bundle, t->group[i]);
		t->group[i] = MQ_NONE;
	}
}
