/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/rand.h"
#include "tests/unit/unit.h"

static void
a_seed_gives_the_same_numbers_again(void **state)
{
	struct fr_rand a, b, c;
	int i;

	(void)state;
	fr_rand_seed(&a, 42);
	fr_rand_seed(&b, 42);
	fr_rand_seed(&c, 43);
	assert_true(fr_rand_u64(&a) != fr_rand_u64(&c));
	(void)fr_rand_u64(&b);
	for (i = 0; i < 100; i++)
		assert_true(fr_rand_u64(&a) == fr_rand_u64(&b));
}

static void
numbers_below_n_are_spread_evenly(void **state)
{
	size_t count[7] = { 0 };
	struct fr_rand r;
	uint64_t x;
	int i;

	(void)state;
	fr_rand_seed(&r, 1);
	for (i = 0; i < 70000; i++) {
		x = fr_rand_below(&r, 7);
		assert_true(x < 7);
		count[x]++;
	}
	for (i = 0; i < 7; i++)
		assert_in_range(count[i], 9600, 10400);
	for (i = 0; i < 100; i++) {
		assert_true(fr_rand_below(&r, 1) == 0);
		assert_true(fr_rand_below(&r, UINT64_MAX) < UINT64_MAX);
	}
}

static void
units_lie_in_zero_to_one(void **state)
{
	struct fr_rand r;
	double x, sum = 0;
	int i;

	(void)state;
	fr_rand_seed(&r, 1);
	for (i = 0; i < 10000; i++) {
		x = fr_rand_unit(&r);
		assert_true(x >= 0 && x < 1);
		sum += x;
	}
	assert_true(sum > 4850 && sum < 5150);
}

static void
the_kernel_fills_any_length_and_leaves_nothing(void **state)
{
	unsigned char big[2000], zero[512] = { 0 };
	struct fr_rand r;
	size_t i, n = 0;

	(void)state;
	fr_rand_init(&r);
	memset(big, 0, sizeof(big));
	fr_rand_fill(&r, big, sizeof(big));
	for (i = 0; i < sizeof(big); i++)
		n += big[i] == 0;
	assert_in_range(n, 0, 60);
	/* What was handed out is gone from the pool. */
	assert_memory_equal(r.pool + r.left, zero, sizeof(r.pool) - r.left);
	assert_true(fr_rand_u64(&r) != fr_rand_u64(&r));
	fr_rand_fill(&r, big, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_gives_the_same_numbers_again),
		cmocka_unit_test(numbers_below_n_are_spread_evenly),
		cmocka_unit_test(units_lie_in_zero_to_one),
		cmocka_unit_test(
		    the_kernel_fills_any_length_and_leaves_nothing),
	};

	return FR_UNIT_MAIN(tests);
}
