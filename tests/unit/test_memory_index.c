/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "backends/memory/mq_index.h"
#include "backends/memory/mq_pool.h"
#include "base/rand.h"

/* The index of the memory queue against an array of what is there. */

#define IDS 30000U
#define STEPS 200000

struct world {
	struct fr_mq_pool pool;
	struct fr_mq_index x;
	struct fr_rand rand;
	uint32_t e[IDS]; /* of id number i; MQ_NONE: not there */
	struct fr_uuid id[IDS];
	size_t n;
};

static void
world_init(struct world *w, uint64_t seed)
{
	size_t i;

	memset(w, 0, sizeof(*w));
	fr_rand_seed(&w->rand, seed);
	fr_mq_pool_init(&w->pool, sizeof(struct fr_mq_entry));
	assert_true(fr_mq_index_init(&w->x, &w->pool));
	for (i = 0; i < IDS; i++)
		w->e[i] = MQ_NONE;
}

static void
world_fini(struct world *w)
{
	fr_mq_index_fini(&w->x);
	fr_mq_pool_fini(&w->pool);
	free(w);
}

static struct world *
world_new(uint64_t seed)
{
	struct world *w = malloc(sizeof(*w));

	assert_non_null(w);
	world_init(w, seed);
	return w;
}

/* Ids in the order of their numbers, as the manager makes them. */
static void
ids_in_order(struct world *w)
{
	uint32_t i;

	for (i = 0; i < IDS; i++) {
		w->id[i].b[0] = 1;
		w->id[i].b[7] = (unsigned char)(i >> 16);
		w->id[i].b[8] = (unsigned char)(i >> 8);
		w->id[i].b[15] = (unsigned char)i;
	}
}

static void
ids_by_chance(struct world *w)
{
	size_t i, k;

	for (i = 0; i < IDS; i++)
		for (k = 0; k < sizeof(w->id[i].b); k++)
			w->id[i].b[k] =
			    (unsigned char)fr_rand_below(&w->rand, 256);
}

static void
add(struct world *w, size_t i)
{
	struct fr_mq_entry *entry;

	assert_int_equal(w->e[i], MQ_NONE);
	assert_int_equal(fr_mq_index_find(&w->x, &w->id[i]), MQ_NONE);
	w->e[i] = fr_mq_pool_new(&w->pool);
	assert_int_not_equal(w->e[i], MQ_NONE);
	entry = fr_mq_pool_at(&w->pool, w->e[i]);
	entry->id = w->id[i];
	assert_true(fr_mq_index_add(&w->x, w->e[i]));
	assert_int_equal(w->x.count, ++w->n);
}

static void
take(struct world *w, size_t i)
{
	assert_int_equal(fr_mq_index_find(&w->x, &w->id[i]), w->e[i]);
	fr_mq_index_remove(&w->x, w->e[i]);
	fr_mq_pool_free(&w->pool, w->e[i]);
	w->e[i] = MQ_NONE;
	assert_int_equal(w->x.count, --w->n);
}

static void
check_all(struct world *w)
{
	size_t i;

	for (i = 0; i < IDS; i++)
		assert_int_equal(fr_mq_index_find(&w->x, &w->id[i]), w->e[i]);
}

/* Long times in which more are added, then more are taken, then all. */
static void
up_and_down(struct world *w)
{
	bool more = true;
	size_t i;
	int step;

	for (step = 0; step < STEPS; step++) {
		if (fr_rand_below(&w->rand, 40000) == 0)
			more = !more;
		i = fr_rand_below(&w->rand, IDS);
		if (w->e[i] == MQ_NONE && (more || step % 8 == 0))
			add(w, i);
		else if (w->e[i] != MQ_NONE && (!more || step % 8 == 0))
			take(w, i);
		if (step % 20000 == 0)
			check_all(w);
	}
	for (i = 0; i < IDS; i++)
		if (w->e[i] != MQ_NONE)
			take(w, i);
	check_all(w);
	assert_int_equal(w->x.height, 0);
}

static void
whatever_is_added_is_found_until_it_is_taken(void **state)
{
	struct world *w = world_new(1);

	(void)state;
	ids_by_chance(w);
	up_and_down(w);
	world_fini(w);
	w = world_new(2);
	ids_in_order(w);
	up_and_down(w);
	world_fini(w);
}

/* As a queue is used: at one end in, at the other out. */
static void
ids_in_order_go_through(void **state)
{
	struct world *w = world_new(3);
	size_t i, round;

	(void)state;
	ids_in_order(w);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < IDS; i++) {
			add(w, i);
			if (i >= 9000)
				take(w, i - 9000);
		}
		check_all(w);
		for (i = IDS - 9000; i < IDS; i++)
			take(w, i);
		assert_int_equal(w->x.height, 0);
	}
	world_fini(w);
}

static void
ids_against_the_order_go_through(void **state)
{
	struct world *w = world_new(4);
	size_t i;

	(void)state;
	ids_in_order(w);
	for (i = IDS; i-- > 0;)
		add(w, i);
	check_all(w);
	for (i = IDS; i-- > 0;)
		take(w, i);
	assert_int_equal(w->x.height, 0);
	world_fini(w);
}

static size_t
leaves(const struct world *w)
{
	return fr_mq_pool_live(&w->x.leaf);
}

/* One id that is later than all others must not spoil the filling. */
static void
leaves_are_full_when_ids_grow(void **state)
{
	struct world *w = world_new(5);
	size_t i;

	(void)state;
	ids_in_order(w);
	add(w, IDS - 1);
	for (i = 0; i + 1 < IDS; i++)
		add(w, i);
	assert_true(leaves(w) <= IDS / 127 + 3);
	world_fini(w);
}

/* Batches of several who submit at once are not in the order of their ids. */
static void
leaves_are_nearly_full_when_batches_overtake_each_other(void **state)
{
	struct world *w = world_new(7);
	size_t at, i;

	(void)state;
	ids_in_order(w);
	for (at = 0; at < IDS; at += 2000) {
		for (i = at + 1000; i < at + 2000; i++)
			add(w, i);
		for (i = at; i < at + 1000; i++)
			add(w, i);
	}
	check_all(w);
	assert_true(leaves(w) <= IDS / 127 * 5 / 4);
	world_fini(w);
}

/* Those that stay when most have gone must not keep a leaf each. */
static void
few_that_stay_take_few_leaves(void **state)
{
	struct world *w = world_new(6);
	size_t i;

	(void)state;
	ids_by_chance(w);
	for (i = 0; i < IDS; i++)
		add(w, i);
	assert_true(leaves(w) <= IDS / 127 * 2);
	for (i = 0; i < IDS; i++)
		if (i % 100 != 0)
			take(w, i);
	check_all(w);
	assert_true(leaves(w) <= IDS / 100 / 127 * 4);
	world_fini(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_added_is_found_until_it_is_taken),
		cmocka_unit_test(ids_in_order_go_through),
		cmocka_unit_test(ids_against_the_order_go_through),
		cmocka_unit_test(leaves_are_full_when_ids_grow),
		cmocka_unit_test(
		    leaves_are_nearly_full_when_batches_overtake_each_other),
		cmocka_unit_test(few_that_stay_take_few_leaves),
	};

	return FR_UNIT_MAIN(tests);
}
