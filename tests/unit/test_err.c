/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include <fr/err.h>

#include "tests/unit/unit.h"

static void
a_failure_is_returned_and_written_down(void **state)
{
	struct fr_err err = FR_ERR_INIT;

	(void)state;
	assert_int_equal(fr_fail(&err, FR_STALE, "renew %d", 7), FR_STALE);
	assert_int_equal(err.rc, FR_STALE);
	assert_string_equal(err.msg, "renew 7");
	assert_int_equal(fr_fail(NULL, FR_IO, "nobody asks"), FR_IO);
	assert_int_equal(fr_failsys(NULL, FR_IO, "nobody asks"), FR_IO);
}

static void
the_old_message_may_be_part_of_the_new_one(void **state)
{
	struct fr_err err = FR_ERR_INIT;

	(void)state;
	(void)fr_fail(&err, FR_IO, "inner");
	(void)fr_fail(&err, FR_IO, "step 2: %s", err.msg);
	assert_string_equal(err.msg, "step 2: inner");
}

static void
control_characters_become_question_marks(void **state)
{
	struct fr_err err = FR_ERR_INIT;

	(void)state;
	(void)fr_fail(&err, FR_IO, "a\nb\x1b[1m\x7f");
	assert_string_equal(err.msg, "a b?[1m?");
}

static void
a_long_message_is_cut_between_characters(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	char text[2 * FR_ERR_MAX];
	size_t i, len, shift;

	(void)state;
	for (shift = 0; shift < 2; shift++) {
		memset(text, 'x', sizeof(text));
		for (i = shift; i + 2 < sizeof(text); i += 2)
			memcpy(text + i, "\xc3\xa4", 2);
		text[sizeof(text) - 1] = '\0';
		(void)fr_fail(&err, FR_IO, "%s", text);
		len = strlen(err.msg);
		assert_true(len >= FR_ERR_MAX - 3 && len < FR_ERR_MAX);
		assert_memory_equal(err.msg, text, len);
		assert_int_equal((unsigned char)err.msg[len - 1], 0xa4);
	}
}

static void
errno_is_named_kept_and_decides_about_io(void **state)
{
	static const struct {
		int e;
		enum fr_rc rc;
	} cases[] = { { ENOSPC, FR_NOSPACE }, { EDQUOT, FR_NOSPACE },
		{ ENOMEM, FR_NOMEM }, { EACCES, FR_DENIED },
		{ EPERM, FR_DENIED }, { ENOENT, FR_NOTFOUND }, { EIO, FR_IO } };
	struct fr_err err = FR_ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		errno = cases[i].e;
		assert_int_equal(
		    fr_failsys(&err, FR_IO, "open %s", "x"), cases[i].rc);
		assert_int_equal(err.rc, cases[i].rc);
		assert_int_equal(errno, cases[i].e);
		assert_memory_equal(err.msg, "open x: ", 8);
		assert_string_equal(err.msg + 8, strerror(cases[i].e));
		errno = cases[i].e;
		assert_int_equal(
		    fr_failsys(&err, FR_UNKNOWN, "commit"), FR_UNKNOWN);
	}
}

static void
every_result_has_a_name_of_its_own(void **state)
{
	int a, b;

	(void)state;
	for (a = FR_OK; a <= FR_BROKEN; a++) {
		assert_string_not_equal(fr_rc_name((enum fr_rc)a), "?");
		for (b = FR_OK; b < a; b++)
			assert_string_not_equal(fr_rc_name((enum fr_rc)a),
			    fr_rc_name((enum fr_rc)b));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_is_returned_and_written_down),
		cmocka_unit_test(the_old_message_may_be_part_of_the_new_one),
		cmocka_unit_test(control_characters_become_question_marks),
		cmocka_unit_test(a_long_message_is_cut_between_characters),
		cmocka_unit_test(errno_is_named_kept_and_decides_about_io),
		cmocka_unit_test(every_result_has_a_name_of_its_own),
	};

	return FR_UNIT_MAIN(tests);
}
