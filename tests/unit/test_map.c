/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/rand.h"
#include "tests/unit/unit.h"

#define KEYS 400

/* Key i: short ones and long ones, some with a NUL in them. */
static struct fr_span
key_of(char *dst, size_t size, int i)
{
	const int n =
	    snprintf(dst, size, "%0*d", i % 3 == 0 ? 40 : i % 7 + 3, i);

	if (i % 5 == 0)
		dst[0] = '\0';
	return (struct fr_span){ dst, (size_t)n };
}

static void
it_does_what_a_plain_array_does(void **state)
{
	static int values[KEYS];
	void *model[KEYS] = { NULL }, *v, *old;
	char text[64], again[64];
	struct fr_map *m = fr_map_new();
	struct fr_span key, k;
	struct fr_rand r;
	size_t count = 0, pos, n;
	int step, i;

	(void)state;
	assert_non_null(m);
	fr_rand_seed(&r, 11);
	for (step = 0; step < 60000; step++) {
		i = (int)fr_rand_below(&r, KEYS);
		key = key_of(text, sizeof(text), i);
		assert_ptr_equal(fr_map_get(m, key), model[i]);
		/* Waves of more putting and of more deleting. */
		if (fr_rand_below(&r, 10) < (step / 5000 % 2 ? 3U : 7U)) {
			v = &values[fr_rand_below(&r, KEYS)];
			count += model[i] == NULL;
			assert_true(fr_map_put(m, key, v));
			model[i] = v;
		} else {
			old = fr_map_del(m, key);
			assert_ptr_equal(old, model[i]);
			count -= model[i] != NULL;
			model[i] = NULL;
		}
		assert_int_equal(fr_map_count(m), count);
		if (step % 1000 != 0)
			continue;
		for (pos = 0, n = 0; fr_map_next(m, &pos, &k, &v); n++) {
			for (i = 0; i < KEYS; i++) {
				key = key_of(again, sizeof(again), i);
				if (key.len == k.len &&
				    memcmp(key.p, k.p, k.len) == 0)
					break;
			}
			assert_true(i < KEYS);
			assert_ptr_equal(v, model[i]);
		}
		assert_int_equal(n, count);
	}
	fr_map_free(m);
	fr_map_free(NULL);
}

static void
what_was_just_seen_may_be_deleted(void **state)
{
	struct fr_map *m = fr_map_new();
	struct fr_span key;
	char text[64];
	size_t pos = 0, n = 0;
	void *v;
	int i;

	(void)state;
	assert_non_null(m);
	for (i = 0; i < KEYS; i++)
		assert_true(fr_map_put(m, key_of(text, sizeof(text), i), text));
	while (fr_map_next(m, &pos, &key, &v)) {
		if (n++ % 3 != 0)
			assert_ptr_equal(fr_map_del(m, key), v);
	}
	assert_int_equal(n, KEYS);
	assert_int_equal(fr_map_count(m), (KEYS + 2) / 3);
	for (pos = 0; fr_map_next(m, &pos, &key, &v);)
		assert_ptr_equal(fr_map_del(m, key), v);
	assert_int_equal(fr_map_count(m), 0);
	fr_map_free(m);
}

static void
a_walk_goes_in_the_order_of_coming(void **state)
{
	struct fr_map *m = fr_map_new();
	char text[64];
	struct fr_span k;
	size_t pos = 0;
	int i, ids[100];
	void *v;

	(void)state;
	assert_non_null(m);
	for (i = 0; i < 100; i++)
		assert_true(
		    fr_map_put(m, key_of(text, sizeof(text), i), &ids[i]));
	for (i = 0; fr_map_next(m, &pos, &k, &v); i++)
		assert_ptr_equal(v, &ids[i]);
	assert_int_equal(i, 100);
	fr_map_free(m);
}

static void
an_empty_map_and_an_empty_key_are_fine(void **state)
{
	struct fr_map *m = fr_map_new();
	const struct fr_span none = { NULL, 0 };
	size_t pos = 0;
	int x;
	void *v;

	(void)state;
	assert_non_null(m);
	assert_null(fr_map_get(m, FR_SPAN("x")));
	assert_null(fr_map_del(m, FR_SPAN("x")));
	assert_false(fr_map_next(m, &pos, NULL, &v));
	assert_true(fr_map_put(m, none, &x));
	assert_ptr_equal(fr_map_get(m, FR_SPAN("")), &x);
	assert_true(fr_map_next(m, &pos, NULL, &v));
	assert_ptr_equal(v, &x);
	fr_map_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_does_what_a_plain_array_does),
		cmocka_unit_test(what_was_just_seen_may_be_deleted),
		cmocka_unit_test(a_walk_goes_in_the_order_of_coming),
		cmocka_unit_test(an_empty_map_and_an_empty_key_are_fine),
	};

	return FR_UNIT_MAIN(tests);
}
