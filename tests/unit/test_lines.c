/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/lines.h"
#include "base/str.h"
#include "tests/unit/unit.h"

/* Writes the pieces one by one into a pipe: "[line]" for each that comes. */
static void
gives(const char *const *pieces, const char *want, uint64_t lines)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_lines l;
	struct fr_span s;
	struct fr_buf got;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	fr_buf_init(&got, 0);
	fr_lines_init(&l, 100);
	for (; !l.end; pieces++) {
		if (*pieces == NULL)
			(void)close(fd[1]);
		else
			assert_int_equal(
			    fr_io_write_all(fd[1], *pieces, strlen(*pieces)),
			    0);
		assert_int_equal(fr_lines_read(&l, fd[0], "pipe", &err), FR_OK);
		while (fr_lines_next(&l, &s)) {
			fr_buf_addc(&got, '[');
			fr_buf_addspan(&got, s);
			fr_buf_addc(&got, ']');
		}
	}
	assert_string_equal(fr_buf_cstr(&got), want);
	assert_int_equal(l.line, lines);
	assert_false(fr_lines_next(&l, &s));
	fr_buf_fini(&got);
	fr_lines_fini(&l);
	(void)close(fd[0]);
}

static void
lines_come_whole_whatever_the_pieces(void **state)
{
	(void)state;
	gives((const char *[]){ "a\nbc\n", NULL }, "[a][bc]", 2);
	gives((const char *[]){ "a", "\nb", "c", "\n", NULL }, "[a][bc]", 2);
	gives((const char *[]){ "\n", "\n\n", "x\n", NULL }, "[][][][x]", 4);
}

static void
the_last_line_may_lack_its_end(void **state)
{
	(void)state;
	gives((const char *[]){ "a\nb", NULL }, "[a][b]", 2);
	gives((const char *[]){ "a", "b", NULL }, "[ab]", 1);
}

static void
an_empty_file_has_no_line(void **state)
{
	(void)state;
	gives((const char *[]){ NULL }, "", 0);
}

static void
a_line_that_is_too_long_is_refused_by_its_number(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc = FR_OK;
	struct fr_lines l;
	struct fr_span s;
	int fd[2], i;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	fr_lines_init(&l, 10);
	for (i = 0; i < 10 && rc == FR_OK; i++) {
		assert_int_equal(fr_io_write_all(fd[1],
				     i == 0 ? "ok\nabc" : "abc", i ? 3 : 6),
		    0);
		rc = fr_lines_read(&l, fd[0], "pipe", &err);
		while (rc == FR_OK && fr_lines_next(&l, &s))
			assert_int_equal(i, 0);
	}
	assert_int_equal(rc, FR_TOOBIG);
	assert_string_equal(err.msg, "line 2: over 10 bytes");
	fr_lines_fini(&l);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void
a_failing_read_is_an_error(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_lines l;

	(void)state;
	fr_lines_init(&l, 10);
	assert_int_equal(fr_lines_read(&l, -1, "pipe", &err), FR_IO);
	assert_string_equal(err.msg, "read pipe: Bad file descriptor");
	fr_lines_fini(&l);
}

static void
blank_is_white_space_only(void **state)
{
	(void)state;
	assert_true(fr_lines_blank(FR_SPAN("")));
	assert_true(fr_lines_blank(FR_SPAN(" \t\r")));
	assert_false(fr_lines_blank(FR_SPAN(" x")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_whole_whatever_the_pieces),
		cmocka_unit_test(the_last_line_may_lack_its_end),
		cmocka_unit_test(an_empty_file_has_no_line),
		cmocka_unit_test(
		    a_line_that_is_too_long_is_refused_by_its_number),
		cmocka_unit_test(a_failing_read_is_an_error),
		cmocka_unit_test(blank_is_white_space_only),
	};

	return FR_UNIT_MAIN(tests);
}
