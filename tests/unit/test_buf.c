/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "tests/unit/unit.h"

static void
what_is_added_stands_there_in_order(void **state)
{
	struct fr_buf b;

	(void)state;
	fr_buf_init(&b, 0);
	assert_string_equal(fr_buf_cstr(&b), "");
	fr_buf_adds(&b, "a");
	fr_buf_addc(&b, 'b');
	fr_buf_add(&b, "cd", 2);
	fr_buf_add(&b, NULL, 0);
	fr_buf_addspan(&b, FR_SPAN("ef"));
	fr_buf_addf(&b, "%d%s", 7, "gh");
	fr_buf_addi64(&b, -12);
	assert_string_equal(fr_buf_cstr(&b), "abcdef7gh-12");
	assert_int_equal(b.len, 12);
	assert_true(fr_span_is(fr_buf_span(&b), "abcdef7gh-12"));
	fr_buf_shift(&b, 3);
	assert_string_equal(fr_buf_cstr(&b), "def7gh-12");
	fr_buf_shift(&b, b.len);
	assert_string_equal(fr_buf_cstr(&b), "");
	fr_buf_fini(&b);
	fr_buf_fini(&b);
}

static void
the_limit_holds_at_minus_one_zero_plus_one(void **state)
{
	struct fr_buf b;
	char text[1000];
	size_t len;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (len = 299; len <= 301; len++) {
		fr_buf_init(&b, 300);
		fr_buf_add(&b, text, len);
		assert_int_equal(fr_buf_ok(&b), len <= 300);
		assert_int_equal(b.len, len <= 300 ? len : 0);
		fr_buf_fini(&b);

		fr_buf_init(&b, 300);
		fr_buf_adds(&b, "12345");
		fr_buf_addf(&b, "%.*s", (int)len - 5, text);
		assert_int_equal(fr_buf_ok(&b), len <= 300);
		fr_buf_fini(&b);

		fr_buf_init(&b, 300);
		assert_int_equal(fr_buf_reserve(&b, len) != NULL, len <= 300);
		fr_buf_fini(&b);
	}
	fr_buf_init(&b, 1);
	fr_buf_addc(&b, 'x');
	assert_string_equal(fr_buf_cstr(&b), "x");
	fr_buf_addc(&b, 'y');
	assert_false(fr_buf_ok(&b));
	fr_buf_fini(&b);
}

static void
the_first_failure_sticks_and_harms_nothing(void **state)
{
	struct fr_buf b;

	(void)state;
	fr_buf_init(&b, 4);
	fr_buf_adds(&b, "abc");
	fr_buf_adds(&b, "de");
	assert_false(fr_buf_ok(&b));
	fr_buf_addc(&b, 'd'); /* would fit */
	fr_buf_addf(&b, "d");
	assert_null(fr_buf_reserve(&b, 0));
	assert_true(fr_span_is(fr_buf_span(&b), "abc"));
	assert_string_equal(fr_buf_cstr(&b), "");
	fr_buf_reset(&b);
	fr_buf_adds(&b, "defg");
	assert_true(fr_buf_ok(&b));
	assert_string_equal(fr_buf_cstr(&b), "defg");
	fr_buf_fini(&b);
}

static void
lengths_beyond_all_memory_are_refused(void **state)
{
	struct fr_buf b;

	(void)state;
	fr_buf_init(&b, 0);
	fr_buf_adds(&b, "x");
	assert_null(fr_buf_reserve(&b, SIZE_MAX));
	assert_false(fr_buf_ok(&b));
	fr_buf_reset(&b);
	assert_null(fr_buf_reserve(&b, SIZE_MAX / 2));
	fr_buf_fini(&b);
}

static void
integers_are_written_as_printf_does(void **state)
{
	static const long long v[] = { 0, 1, -1, 9, 10, -10, 99, 100,
		1234567890, LLONG_MAX, LLONG_MIN };
	char want[32];
	struct fr_buf b;
	size_t i;

	(void)state;
	fr_buf_init(&b, 0);
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		fr_buf_reset(&b);
		fr_buf_addi64(&b, v[i]);
		assert_true(fr_str_format(want, sizeof(want), "%lld", v[i]));
		assert_string_equal(fr_buf_cstr(&b), want);
	}
	fr_buf_fini(&b);
}

static void
it_grows_over_many_sizes(void **state)
{
	struct fr_buf b;
	size_t i;
	char *p;

	(void)state;
	fr_buf_init(&b, 0);
	for (i = 0; i < 100000; i++) {
		if (i % 3 == 0)
			fr_buf_addf(&b, "%c", (int)('a' + i % 26));
		else if (i % 3 == 1)
			fr_buf_addc(&b, (char)('a' + i % 26));
		else {
			p = fr_buf_reserve(&b, 10);
			assert_non_null(p);
			*p = (char)('a' + i % 26);
			fr_buf_commit(&b, 1);
		}
	}
	assert_int_equal(b.len, 100000);
	for (i = 0; i < b.len; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	fr_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_stands_there_in_order),
		cmocka_unit_test(the_limit_holds_at_minus_one_zero_plus_one),
		cmocka_unit_test(the_first_failure_sticks_and_harms_nothing),
		cmocka_unit_test(lengths_beyond_all_memory_are_refused),
		cmocka_unit_test(integers_are_written_as_printf_does),
		cmocka_unit_test(it_grows_over_many_sizes),
	};

	return FR_UNIT_MAIN(tests);
}
