/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "tests/unit/unit.h"

static char dir[64];

static const char *
in_dir(const char *name)
{
	static char path[4][128];
	static unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/fr-io.XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static size_t
entries(void)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static void
a_file_is_replaced_whole_or_not_at_all(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_buf b;

	(void)state;
	fr_buf_init(&b, 0);
	assert_int_equal(fr_io_replace(in_dir("f"), "one", 3, &err), FR_OK);
	assert_int_equal(fr_io_replace(in_dir("f"), "second", 6, &err), FR_OK);
	assert_int_equal(fr_io_read_file(in_dir("f"), &b, &err), FR_OK);
	assert_string_equal(fr_buf_cstr(&b), "second");
	assert_int_equal(entries(), 1);
	/* A directory cannot be replaced by a file. */
	assert_int_equal(mkdir(in_dir("d"), 0700), 0);
	assert_int_equal(fr_io_replace(in_dir("d"), "x", 1, &err), FR_IO);
	assert_int_equal(entries(), 2);
	assert_int_equal(
	    fr_io_replace(in_dir("none/f"), "x", 1, &err), FR_NOTFOUND);
	fr_buf_fini(&b);
}

static void
reading_stops_at_the_limit(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	char text[1000];
	struct fr_buf b;
	size_t max;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(
	    fr_io_replace(in_dir("f"), text, sizeof(text), &err), FR_OK);
	for (max = sizeof(text) - 1; max <= sizeof(text) + 1; max++) {
		fr_buf_init(&b, max);
		assert_int_equal(fr_io_read_file(in_dir("f"), &b, &err),
		    max < sizeof(text) ? FR_TOOBIG : FR_OK);
		assert_int_equal(
		    b.len, max < sizeof(text) ? max : sizeof(text));
		fr_buf_fini(&b);
	}
	assert_int_equal(
	    fr_io_read_file(in_dir("none"), &b, &err), FR_NOTFOUND);
	assert_non_null(strstr(err.msg, "/none: "));
	fr_buf_init(&b, 0);
	assert_int_equal(fr_io_read_file(dir, &b, &err), FR_IO);
	fr_buf_fini(&b);
}

static void
a_pipe_is_read_to_its_end(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_buf b;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fr_io_write_all(p[1], "hello", 5), 0);
	close(p[1]);
	fr_buf_init(&b, 0);
	fr_buf_adds(&b, "> ");
	assert_int_equal(fr_io_read_all(p[0], &b, "pipe", &err), FR_OK);
	assert_string_equal(fr_buf_cstr(&b), "> hello");
	close(p[0]);
	assert_int_equal(fr_io_read_all(p[0], &b, "pipe", &err), FR_IO);
	assert_int_equal(fr_io_write_all(p[1], "x", 1), -1);
	fr_buf_fini(&b);
}

static void
directories_are_made_with_those_above(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(fr_io_mkdirs(in_dir("a//b/c/"), 0700, &err), FR_OK);
	assert_int_equal(stat(in_dir("a/b/c"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(fr_io_mkdirs(in_dir("a/b/c"), 0700, &err), FR_OK);
	assert_int_equal(fr_io_replace(in_dir("f"), "", 0, &err), FR_OK);
	assert_int_equal(fr_io_mkdirs(in_dir("f/x"), 0700, &err), FR_IO);
	assert_int_equal(fr_io_mkdirs(in_dir("f"), 0700, &err), FR_IO);
	assert_int_equal(fr_io_mkdirs("", 0700, &err), FR_INVALID);
	assert_int_equal(fr_io_mkdirs("/", 0700, &err), FR_OK);
}

static void
flags_of_descriptors_are_set(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fr_io_nonblock(p[0]), 0);
	assert_int_equal(fr_io_cloexec(p[0]), 0);
	assert_true((fcntl(p[0], F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(p[0], F_GETFD) & FD_CLOEXEC) != 0);
	close(p[0]);
	close(p[1]);
	assert_int_equal(fr_io_nonblock(p[0]), -1);
	assert_int_equal(fr_io_cloexec(p[0]), -1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		T(a_file_is_replaced_whole_or_not_at_all),
		T(reading_stops_at_the_limit),
		T(a_pipe_is_read_to_its_end),
		T(directories_are_made_with_those_above),
		T(flags_of_descriptors_are_set),
	};

	return FR_UNIT_MAIN(tests);
}
