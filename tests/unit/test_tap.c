/* SPDX-License-Identifier: MIT */
#include "base/tap.h"
#include "tests/unit/unit.h"

static void
results_are_numbered_and_counted(void **state)
{
	struct fr_buf b;
	struct fr_tap t;

	(void)state;
	fr_buf_init(&b, 0);
	fr_tap_init(&t, &b);
	fr_tap_ok(&t, true, "good");
	fr_tap_ok(&t, false, "bad");
	fr_tap_diag(&t, "got %d\nwanted 2\n", 1);
	fr_tap_skip(&t, "later", "no disk");
	fr_tap_done(&t);
	assert_string_equal(fr_buf_cstr(&b),
	    "TAP version 13\nok 1 - good\nnot ok 2 - bad\n# got 1\n"
	    "# wanted 2\nok 3 - later # SKIP no disk\n1..3\n");
	assert_int_equal(t.n, 3);
	assert_int_equal(t.failed, 1);
	fr_buf_fini(&b);
}

static void
a_name_cannot_be_a_directive_or_a_second_line(void **state)
{
	struct fr_buf b;
	struct fr_tap t;

	(void)state;
	fr_buf_init(&b, 0);
	fr_tap_init(&t, &b);
	fr_buf_reset(&b);
	fr_tap_ok(&t, false, "x # SKIP \\\nok 2");
	fr_tap_bail(&t, "no\nstore");
	assert_string_equal(fr_buf_cstr(&b),
	    "not ok 1 - x \\# SKIP \\\\ ok 2\nBail out! no store\n");
	fr_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_are_numbered_and_counted),
		cmocka_unit_test(a_name_cannot_be_a_directive_or_a_second_line),
	};

	return FR_UNIT_MAIN(tests);
}
