/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/arena.h"
#include "base/rand.h"
#include "base/str.h"
#include "tests/unit/unit.h"

static void
all_memory_is_aligned_zeroed_and_separate(void **state)
{
	struct fr_arena *a = fr_arena_new(0);
	unsigned char *p[500];
	size_t len[500], i, j;
	struct fr_rand r;

	(void)state;
	assert_non_null(a);
	fr_rand_seed(&r, 1);
	for (i = 0; i < 500; i++) {
		/* Small ones, and now and then one larger than a block. */
		len[i] = (size_t)fr_rand_below(&r, i % 50 == 0 ? 50000 : 200);
		p[i] = fr_arena_alloc(a, len[i]);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
		for (j = 0; j < len[i]; j++)
			assert_int_equal(p[i][j], 0);
		memset(p[i], (int)(i & 0xff), len[i]);
	}
	for (i = 0; i < 500; i++)
		for (j = 0; j < len[i]; j++)
			assert_int_equal(p[i][j], i & 0xff);
	assert_true(fr_arena_bytes(a) > 100000);
	fr_arena_free(a);
	fr_arena_free(NULL);
}

static void
copies_hold_what_was_copied(void **state)
{
	struct fr_arena *a = fr_arena_new(16);
	struct fr_span s;

	(void)state;
	assert_non_null(a);
	s = fr_arena_dup(a, FR_SPAN("hello"));
	assert_true(fr_span_is(s, "hello"));
	assert_string_equal(fr_arena_dupz(a, FR_SPAN("world")), "world");
	s = fr_arena_dup(a, (struct fr_span){ NULL, 0 });
	assert_non_null(s.p);
	assert_int_equal(s.len, 0);
	assert_string_equal(fr_arena_dupz(a, (struct fr_span){ NULL, 0 }), "");
	assert_non_null(fr_arena_alloc(a, 0));
	fr_arena_free(a);
}

static void
sizes_that_overflow_are_refused(void **state)
{
	struct fr_arena *a = fr_arena_new(0);

	(void)state;
	assert_non_null(a);
	assert_null(fr_arena_alloc(a, SIZE_MAX));
	assert_null(fr_arena_alloc(a, SIZE_MAX - 8));
	assert_null(fr_arena_calloc(a, SIZE_MAX / 2, 3));
	assert_null(fr_arena_calloc(a, SIZE_MAX / 16, 16));
	assert_non_null(fr_arena_calloc(a, 0, 16));
	assert_null(fr_arena_new(SIZE_MAX));
	fr_arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_memory_is_aligned_zeroed_and_separate),
		cmocka_unit_test(copies_hold_what_was_copied),
		cmocka_unit_test(sizes_that_overflow_are_refused),
	};

	return FR_UNIT_MAIN(tests);
}
