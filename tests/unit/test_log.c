/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "tests/unit/unit.h"

static int fds[2];

static int
open_pipe(void **state)
{
	(void)state;
	return pipe(fds) == -1 || fr_io_nonblock(fds[0]) == -1;
}

static int
close_pipe(void **state)
{
	(void)state;
	fr_log_to(-1, "", FR_LOG_ERROR);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

/* What has been logged since the last call. */
static const char *
logged(void)
{
	static char text[10000];
	const ssize_t n = read(fds[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
a_record_is_one_line_with_time_level_and_program(void **state)
{
	const char *line;

	(void)state;
	fr_log_to(fds[1], "fr-x", FR_LOG_INFO);
	fr_log(FR_LOG_WARN, "lost %d jobs=%s", 3, "a b");
	line = logged();
	assert_int_equal(line[10], 'T');
	assert_int_equal(line[23], 'Z');
	assert_string_equal(line + 24, " warn fr-x: lost 3 jobs=a b\n");
}

static void
levels_below_are_left_out(void **state)
{
	(void)state;
	fr_log(FR_LOG_ERROR, "before fr_log_to");
	fr_log_to(fds[1], "fr-x", FR_LOG_WARN);
	fr_log(FR_LOG_INFO, "not wanted");
	fr_log(FR_LOG_DEBUG, "not wanted");
	assert_string_equal(logged(), "");
	fr_log(FR_LOG_ERROR, "wanted");
	assert_non_null(strstr(logged(), " error fr-x: wanted\n"));
}

static void
a_reader_that_has_stopped_does_not_stop_the_writer(void **state)
{
	int i;

	(void)state;
	fr_log_to(fds[1], "fr-x", FR_LOG_INFO);
	for (i = 0; i < 5000; i++)
		fr_log(FR_LOG_INFO, "%060d", i);
	while (logged()[0] != '\0')
		;
	fr_log(FR_LOG_INFO, "and on");
	assert_non_null(strstr(logged(), " lines lost) and on\n"));
	fr_log(FR_LOG_INFO, "all again");
	assert_non_null(strstr(logged(), "fr-x: all again\n"));
}

static void
text_from_elsewhere_cannot_forge_a_line(void **state)
{
	const char *line;

	(void)state;
	fr_log_to(fds[1], "fr-x", FR_LOG_DEBUG);
	fr_log(FR_LOG_DEBUG, "%s", "a\nforged\x1b[2J\xff");
	line = logged();
	assert_non_null(strstr(line, ": a\\x0aforged\\x1b[2J\\xff\n"));
}

static void
a_long_record_is_cut(void **state)
{
	char text[5000];
	const char *line;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	fr_log_to(fds[1], "fr-x", FR_LOG_DEBUG);
	fr_log(FR_LOG_INFO, "%s", text);
	line = logged();
	assert_in_range(strlen(line), 2000, 2200);
	assert_non_null(strstr(line, "x...\n"));
}

static void
a_log_that_is_gone_harms_nothing(void **state)
{
	(void)state;
	fr_log_to(9999, "fr-x", FR_LOG_DEBUG);
	fr_log(FR_LOG_INFO, "nobody hears");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_pipe, close_pipe)
	const struct CMUnitTest tests[] = {
		T(a_record_is_one_line_with_time_level_and_program),
		T(levels_below_are_left_out),
		T(a_reader_that_has_stopped_does_not_stop_the_writer),
		T(text_from_elsewhere_cannot_forge_a_line),
		T(a_long_record_is_cut),
		T(a_log_that_is_gone_harms_nothing),
	};

	return FR_UNIT_MAIN(tests);
}
