/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/memory/mq.h"
#include "backends/registry.h"
#include "base/rand.h"

/*
 * What is drawn by chance, against the chances that are promised, by Pearson's
 * chi-square. The queue draws from a seed: what passes once always does, so
 * the threshold is a strict one (Wilson and Hilferty's approximation; right
 * chances pass it less than once in two thousand times).
 */
#define DEVIATIONS 3.3
#define MOST 1000
#define CELLS 1000

struct urn {
	struct fr_queue *q;
	const char *types[3];
	size_t n, ntypes;
	struct fr_ticket t[MOST];
	double weight[MOST]; /* 0: it is not there */
	size_t seen[CELLS];
	double p[CELLS];
};

static void
init(struct urn *u, const char *url, uint64_t seed)
{
	struct fr_err err = FR_ERR_INIT;

	memset(u, 0, sizeof(*u));
	if (fr_registry_queue(&u->q, url, &err) != FR_OK)
		fail_msg("%s", err.msg);
	fr_rand_seed(&((struct mq *)u->q)->rand, seed);
	u->types[0] = "many";
	u->types[1] = "some";
	u->types[2] = "one";
	u->ntypes = 3;
}

static void
put(struct urn *u, size_t type, int32_t priority, double weight)
{
	const size_t i = u->n++;

	assert_true(i < MOST);
	memcpy(u->t[i].id.b, &i, sizeof(i));
	u->t[i].type = u->types[type];
	u->t[i].priority = priority;
	u->weight[i] = weight;
	assert_int_equal(u->q->ops->push(u->q, &u->t[i], 1, NULL), FR_OK);
}

static void
drop(struct urn *u, size_t i)
{
	const struct fr_ticket *t = &u->t[i];

	assert_int_equal(u->q->ops->remove(u->q, t, 1, NULL), FR_OK);
	u->weight[i] = 0;
}

/* Takes n at once, says which they were, and puts them back. */
static void
take(struct urn *u, size_t n, size_t *which)
{
	struct fr_ticket got[8];
	size_t i, k = n;

	assert_int_equal(
	    u->q->ops->pop(u->q, u->types, u->ntypes, got, &k, NULL), FR_OK);
	assert_int_equal(k, n);
	for (i = 0; i < n; i++) {
		memcpy(&which[i], got[i].id.b, sizeof(which[i]));
		assert_true(which[i] < u->n && u->weight[which[i]] > 0);
	}
	assert_int_equal(u->q->ops->requeue(u->q, got, n, NULL), FR_OK);
}

static double
total(const struct urn *u)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < u->n; i++)
		sum += u->weight[i];
	return sum;
}

static void
judge(const struct urn *u, size_t cells, size_t draws)
{
	double sum = 0, df = -1, x, want;
	size_t i;

	for (i = 0; i < cells; i++) {
		want = u->p[i] * (double)draws;
		if (want <= 0) {
			assert_int_equal(u->seen[i], 0);
			continue;
		}
		assert_true(want >= 5); /* or the test says nothing */
		x = (double)u->seen[i] - want;
		sum += x * x / want;
		df++;
	}
	x = 1 - 2 / (9 * df) + DEVIATIONS * sqrt(2 / (9 * df));
	if (sum > df * x * x * x)
		fail_msg(
		    "chi-square is %.1f, more than %.1f", sum, df * x * x * x);
}

/* Draws one by one. */
static void
each_by_its_weight(struct urn *u, size_t draws)
{
	const double all = total(u);
	size_t i, which;

	for (i = 0; i < draws; i++) {
		take(u, 1, &which);
		u->seen[which]++;
	}
	for (i = 0; i < u->n; i++)
		u->p[i] = u->weight[i] / all;
	judge(u, u->n, draws);
	u->q->ops->close(u->q);
}

/* Whatever was drawn last, and was put back, has no better chance, nor less. */
static void
each_after_each(struct urn *u, size_t draws)
{
	const double all = total(u);
	const size_t n = u->n;
	size_t i, which, before;

	take(u, 1, &before);
	for (i = 0; i < draws; i++) {
		take(u, 1, &which);
		u->seen[before * n + which]++;
		before = which;
	}
	for (i = 0; i < n * n; i++)
		u->p[i] = u->weight[i / n] / all * (u->weight[i % n] / all);
	judge(u, n * n, draws);
	u->q->ops->close(u->q);
}

/* Three at once are three draws without putting back. */
static void
three_at_once(struct urn *u, size_t draws)
{
	const double all = total(u), *w = u->weight;
	const size_t n = u->n;
	size_t i, a, b, c, which[3];

	for (i = 0; i < draws; i++) {
		take(u, 3, which);
		u->seen[(which[0] * n + which[1]) * n + which[2]]++;
	}
	for (i = 0; i < n * n * n; i++) {
		a = i / n / n;
		b = i / n % n;
		c = i % n;
		if (a != b && b != c && a != c)
			u->p[i] = w[a] / all * w[b] / (all - w[a]) * w[c] /
				  (all - w[a] - w[b]);
	}
	judge(u, n * n * n, draws);
	u->q->ops->close(u->q);
}

static void
random_draws_a_thousand_evenly(void **state)
{
	static struct urn u;
	size_t i;

	(void)state;
	init(&u, "memory:random", 1);
	for (i = 0; i < 1000; i++)
		put(&u, i == 500 ? 2 : i % 3 == 0, (int32_t)i, 1);
	each_by_its_weight(&u, 200000);
}

static void
random_has_no_memory(void **state)
{
	static struct urn u;
	size_t i;

	(void)state;
	init(&u, "memory:random", 2);
	for (i = 0; i < 20; i++)
		put(&u, i == 7 ? 2 : i % 3 == 0, 0, 1);
	each_after_each(&u, 200000);
}

static void
random_draws_three_at_once(void **state)
{
	static struct urn u;
	size_t i;

	(void)state;
	init(&u, "memory:random", 3);
	for (i = 0; i < 8; i++)
		put(&u, i == 5 ? 2 : i % 2, 0, 1);
	three_at_once(&u, 100000);
}

static void
weighted_draws_in_proportion(void **state)
{
	static struct urn u;
	size_t type;
	int32_t i;

	(void)state;
	/* The groups are powers of two: all around eight of them. */
	init(&u, "memory:weighted", 4);
	for (i = 1; i <= 300; i++) {
		type = i % 3 == 0 ? 1 : 0;
		put(&u, i == 280 ? 2 : type, i, i);
	}
	each_by_its_weight(&u, 600000);
}

static void
weighted_has_no_memory(void **state)
{
	static const int32_t w[] = { 1, 2, 3, 4, 5, 7, 8, 9, 15, 16 };
	static struct urn u;
	size_t i;

	(void)state;
	init(&u, "memory:weighted", 5);
	for (i = 0; i < sizeof(w) / sizeof(w[0]); i++)
		put(&u, i == 4 ? 2 : i % 2, w[i], w[i]);
	each_after_each(&u, 200000);
}

static void
weighted_draws_three_at_once(void **state)
{
	static const int32_t w[] = { -3, 1, 2, 3, 4, 6 };
	static struct urn u;
	size_t i;

	(void)state;
	init(&u, "memory:weighted", 6);
	for (i = 0; i < sizeof(w) / sizeof(w[0]); i++)
		put(&u, i == 4 ? 2 : i % 2, w[i], w[i] > 1 ? w[i] : 1);
	three_at_once(&u, 100000);
}

static void
coming_and_going_leaves_no_trace(void **state)
{
	static struct urn u;
	struct fr_rand r;
	size_t i, k, which[8];

	(void)state;
	fr_rand_seed(&r, 7);
	init(&u, "memory:weighted", 7);
	for (i = 0; i < MOST; i++) {
		k = 1 + (size_t)fr_rand_below(&r, 40);
		put(&u, (size_t)fr_rand_below(&r, 3), (int32_t)k, (double)k);
		take(&u, 1, which);
		k = (size_t)fr_rand_below(&r, u.n);
		if (u.weight[k] > 0 && total(&u) > 1500)
			drop(&u, k);
	}
	each_by_its_weight(&u, 300000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_draws_a_thousand_evenly),
		cmocka_unit_test(random_has_no_memory),
		cmocka_unit_test(random_draws_three_at_once),
		cmocka_unit_test(weighted_draws_in_proportion),
		cmocka_unit_test(weighted_has_no_memory),
		cmocka_unit_test(weighted_draws_three_at_once),
		cmocka_unit_test(coming_and_going_leaves_no_trace),
	};

	return FR_UNIT_MAIN(tests);
}
