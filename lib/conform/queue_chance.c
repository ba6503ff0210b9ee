/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "base/str.h"
#include "on_queue.h"

/*
 * Queues drawn by chance are judged by Pearson's chi-square against the
 * chances they promise. The threshold (Wilson and Hilferty's approximation,
 * 5.5 standard deviations) is passed by chance less than once in ten million
 * times; a queue that prefers some job by half is caught.
 */
#define ROUNDS 3000
#define BALLS_MAX 8
#define CELLS_MAX (BALLS_MAX * BALLS_MAX)
#define DEVIATIONS 5.5

static void
chi_square(
    struct fr_check *c, const int *seen, const double *p, size_t n, int total)
{
	double sum = 0, df = -1, x, want;
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] <= 0) {
			WANT_INT(c, seen[i], 0);
			continue;
		}
		want = p[i] * total;
		sum += (seen[i] - want) * (seen[i] - want) / want;
		df++;
	}
	x = 1 - 2 / (9 * df) + DEVIATIONS * sqrt(2 / (9 * df));
	if (sum > df * x * x * x)
		fr_check_fail(c, __FILE__, __LINE__,
		    "chi-square is %.1f, more than %.1f, over %d draws; the "
		    "first was drawn %d times, wanted about %.0f",
		    sum, df * x * x * x, total, seen[0], p[0] * total);
}

/* One kind of trial: these balls, drawn one by one or all at once. */
struct trial {
	size_t n;
	int32_t priority[BALLS_MAX];
	size_t second_from; /* balls from here on are of type2; 0: none */
	bool at_once;
	bool requeued; /* drawn and put back before */
};

struct result {
	int first[BALLS_MAX];
	int last[BALLS_MAX];
	int pair[CELLS_MAX]; /* first * n + second */
};

static size_t
which(struct fr_check *c, const struct fr_ticket *t, size_t n,
    const struct fr_ticket *got)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (fr_uuid_eq(&t[i].id, &got->id))
			return i;
	WANT(c, i < n);
	return 0;
}

static void
run(struct fr_check *c, const struct trial *trial, struct result *r)
{
	const char *types[] = { c->type, c->type2 };
	const size_t n = trial->n;
	struct fr_ticket t[BALLS_MAX] = { 0 }, got[BALLS_MAX];
	size_t i, k, a, b, step;
	int round;

	memset(r, 0, sizeof(*r));
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < n; i++) {
			t[i] = fr_qu_ticket(c);
			t[i].priority = trial->priority[i];
			if (trial->second_from > 0 && i >= trial->second_from)
				t[i].type = c->type2;
		}
		MUST(c, c->q->ops->push(c->q, t, n, &c->err));
		if (trial->requeued) {
			WANT_INT(c, fr_qu_pop_of(c, types, 2, got, 2), 2);
			MUST(c, c->q->ops->requeue(c->q, got, 2, &c->err));
		}
		/* One alone, one alone and the rest; or all at once. */
		for (k = 0; k < n; k += step) {
			step = trial->at_once ? n : k < 2 ? 1 : n - k;
			step = step < n - k ? step : n - k;
			WANT_INT(
			    c, fr_qu_pop_of(c, types, 2, got + k, step), step);
		}
		a = which(c, t, n, &got[0]);
		b = n > 1 ? which(c, t, n, &got[1]) : 0;
		WANT(c, n == 1 || a != b);
		r->first[a]++;
		r->pair[a * n + b]++;
		r->last[which(c, t, n, &got[n - 1])]++;
	}
}

static void
even(struct fr_check *c, const struct trial *trial)
{
	const size_t n = trial->n;
	struct result r;
	double p[CELLS_MAX] = { 0 };
	size_t i;

	run(c, trial, &r);
	for (i = 0; i < n; i++)
		p[i] = 1 / (double)n;
	chi_square(c, r.first, p, n, ROUNDS);
	chi_square(c, r.last, p, n, ROUNDS);
	for (i = 0; i < n * n; i++)
		p[i] = i / n == i % n ? 0 : 1 / (double)(n * (n - 1));
	chi_square(c, r.pair, p, n * n, ROUNDS);
}

static void
evenly(struct fr_check *c)
{
	even(c, &(struct trial){ .n = 8 });
}

static void
evenly_at_once(struct fr_check *c)
{
	even(c, &(struct trial){ .n = 5, .at_once = true });
}

static void
evenly_over_types(struct fr_check *c)
{
	even(c, &(struct trial){ .n = 6, .second_from = 1 });
}

static void
evenly_whatever_priority(struct fr_check *c)
{
	even(c,
	    &(struct trial){ .n = 5, .priority = { 0, 1, 100, -5, 1000000 } });
}

static void
evenly_after_requeue(struct fr_check *c)
{
	even(c, &(struct trial){ .n = 4, .requeued = true });
}

static double
weight(int32_t priority)
{
	return priority > 1 ? priority : 1;
}

static void
weighed(struct fr_check *c, const struct trial *trial)
{
	const size_t n = trial->n;
	struct result r;
	double p[CELLS_MAX] = { 0 }, all = 0, w[BALLS_MAX] = { 0 };
	size_t i, k;

	run(c, trial, &r);
	for (i = 0; i < n; i++)
		all += w[i] = weight(trial->priority[i]);
	for (i = 0; i < n; i++)
		p[i] = w[i] / all;
	chi_square(c, r.first, p, n, ROUNDS);
	for (i = 0; i < n; i++)
		for (k = 0; k < n; k++)
			p[i * n + k] =
			    i == k ? 0 : w[i] / all * w[k] / (all - w[i]);
	chi_square(c, r.pair, p, n * n, ROUNDS);
}

static void
by_weight(struct fr_check *c)
{
	weighed(c, &(struct trial){ .n = 4, .priority = { 1, 2, 3, 6 } });
	weighed(c, &(struct trial){ .n = 3, .priority = { 5, 7, 9 } });
}

static void
by_weight_at_once(struct fr_check *c)
{
	weighed(c, &(struct trial){
		       .n = 4, .priority = { 4, 1, 2, 3 }, .at_once = true });
}

static void
by_weight_at_least_one(struct fr_check *c)
{
	weighed(c, &(struct trial){ .n = 4, .priority = { -7, 0, 1, 3 } });
}

static void
by_weight_over_types(struct fr_check *c)
{
	weighed(
	    c, &(struct trial){
		   .n = 5, .priority = { 8, 1, 1, 2, 4 }, .second_from = 1 });
}

static void
by_weight_after_requeue(struct fr_check *c)
{
	weighed(c, &(struct trial){
		       .n = 4, .priority = { 1, 2, 3, 4 }, .requeued = true });
}

static void
heavy_ones(struct fr_check *c)
{
	/* Weights as large as can be must not drown the rest. */
	weighed(c, &(struct trial){ .n = 3,
		       .priority = { 1000000000, 2000000000, 2000000000 } });
}

/* What was removed must leave no weight behind. */
static void
after_removal(struct fr_check *c)
{
	struct fr_ticket heavy = fr_qu_ticket(c);
	int i;

	heavy.priority = 100000;
	for (i = 0; i < 50; i++) {
		heavy.id = fr_check_id(c);
		fr_qu_push(c, &heavy, 1);
		fr_qu_remove(c, &heavy, 1);
	}
	weighed(c, &(struct trial){ .n = 3, .priority = { 1, 2, 4 } });
}

static void
many_are_drawn_through(struct fr_check *c)
{
	const size_t n = 2000;
	struct fr_ticket *t = fr_qu_tickets(c, n);
	struct fr_ticket *got = fr_check_alloc(c, n, sizeof(*got));
	size_t i, k, early = 0;
	double z;

	for (i = 0; i < n; i++)
		t[i].priority = 1;
	fr_qu_push(c, t, n);
	for (i = 0; i < n / 2; i += 100)
		WANT_INT(c, fr_qu_pop(c, got + i, 100), 100);
	/* Of the first half drawn about half came from the first half. */
	for (i = 0; i < n / 2; i++)
		for (k = 0; k < n / 2; k++)
			early += fr_uuid_eq(&got[i].id, &t[k].id);
	z = ((double)early - 500) / sqrt(125.06);
	WANT(c, fabs(z) < DEVIATIONS);
	fr_qu_remove(c, t, n);
	WANT_INT(c, fr_qu_length(c, c->type), 0);
}

const struct fr_case fr_cases_chance[] = {
	{ "each of eight is drawn first, second and last equally often", evenly,
	    FR_NEED_RANDOM },
	{ "draws are even when several are taken at once", evenly_at_once,
	    FR_NEED_RANDOM },
	{ "draws are even over all jobs of several types", evenly_over_types,
	    FR_NEED_RANDOM },
	{ "draws are even whatever the priorities", evenly_whatever_priority,
	    FR_NEED_RANDOM },
	{ "what is requeued is drawn like any other", evenly_after_requeue,
	    FR_NEED_RANDOM },
	{ "of two thousand the early and the late are drawn equally",
	    many_are_drawn_through, FR_NEED_RANDOM },
	{ "jobs are drawn in proportion to their priority", by_weight,
	    FR_NEED_WEIGHTED },
	{ "the proportion holds when several are taken at once",
	    by_weight_at_once, FR_NEED_WEIGHTED },
	{ "a priority below one weighs one", by_weight_at_least_one,
	    FR_NEED_WEIGHTED },
	{ "the proportion holds over all jobs of several types",
	    by_weight_over_types, FR_NEED_WEIGHTED },
	{ "what is requeued has its weight again", by_weight_after_requeue,
	    FR_NEED_WEIGHTED },
	{ "the proportion holds for the largest priorities", heavy_ones,
	    FR_NEED_WEIGHTED },
	{ "what was removed leaves no weight behind", after_removal,
	    FR_NEED_WEIGHTED },
	{ "of two thousand of one weight the early and the late are drawn "
	  "equally",
	    many_are_drawn_through, FR_NEED_WEIGHTED },
	{ NULL, NULL, 0 },
};
