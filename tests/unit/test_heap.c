/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/heap.h"
#include "base/rand.h"
#include "tests/unit/unit.h"

#define NODES 300

static int64_t
least(const struct fr_heap_node *n, const bool *in)
{
	int64_t min = INT64_MAX;
	size_t i;

	for (i = 0; i < NODES; i++)
		if (in[i] && n[i].at_ms < min)
			min = n[i].at_ms;
	return min;
}

static void
the_first_is_always_the_earliest(void **state)
{
	static struct fr_heap_node n[NODES];
	bool in[NODES] = { false };
	struct fr_heap h;
	struct fr_rand r;
	size_t i, count = 0;
	int step;

	(void)state;
	memset(n, 0, sizeof(n));
	fr_heap_init(&h);
	fr_rand_seed(&r, 5);
	for (step = 0; step < 30000; step++) {
		i = (size_t)fr_rand_below(&r, NODES);
		if (fr_rand_below(&r, 10) < (step / 3000 % 2 ? 3U : 7U)) {
			count += !in[i];
			assert_true(fr_heap_set(
			    &h, &n[i], (int64_t)fr_rand_below(&r, 200) - 100));
			in[i] = true;
		} else {
			count -= in[i];
			fr_heap_remove(&h, &n[i]);
			in[i] = false;
			assert_int_equal(n[i].pos, 0);
		}
		assert_int_equal(h.len, count);
		if (count == 0)
			assert_null(fr_heap_first(&h));
		else
			assert_true(fr_heap_first(&h)->at_ms == least(n, in));
	}
	fr_heap_fini(&h);
	fr_heap_fini(&h);
}

static void
taken_one_by_one_they_come_in_order(void **state)
{
	static struct fr_heap_node n[NODES];
	struct fr_heap_node *first;
	struct fr_heap h;
	struct fr_rand r;
	int64_t last = INT64_MIN;
	size_t i;

	(void)state;
	memset(n, 0, sizeof(n));
	fr_heap_init(&h);
	fr_rand_seed(&r, 6);
	for (i = 0; i < NODES; i++)
		assert_true(fr_heap_set(&h, &n[i], (int64_t)fr_rand_u64(&r)));
	for (i = 0; (first = fr_heap_first(&h)) != NULL; i++) {
		assert_true(first->at_ms >= last);
		last = first->at_ms;
		fr_heap_remove(&h, first);
		fr_heap_remove(&h, first); /* not in it any more: no harm */
	}
	assert_int_equal(i, NODES);
	fr_heap_fini(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_always_the_earliest),
		cmocka_unit_test(taken_one_by_one_they_come_in_order),
	};

	return FR_UNIT_MAIN(tests);
}
