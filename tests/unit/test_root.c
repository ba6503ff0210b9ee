/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/root.h"

static char top[] = "/tmp/fr-root.XXXXXX";
static char in[64];

static const char *
below(const char *name)
{
	static char path[4][PATH_MAX];
	static unsigned at;
	char *p = path[at++ % 4];

	(void)snprintf(p, PATH_MAX, "%s/%s", top, name);
	return p;
}

static void
put(const char *path)
{
	const int fd = open(path, O_CREAT | O_WRONLY, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "x", 1), 1);
	(void)close(fd);
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(top) == NULL)
		return -1;
	(void)snprintf(in, sizeof(in), "%s/in", top);
	if (mkdir(in, 0700) == -1 || mkdir(below("in/sub"), 0700) == -1 ||
	    mkdir(below("inner"), 0700) == -1 ||
	    symlink("../secret", below("in/rel")) == -1 ||
	    symlink(below("secret"), below("in/abs")) == -1 ||
	    symlink("..", below("in/up")) == -1 ||
	    symlink("sub", below("in/inside")) == -1 ||
	    symlink("in", below("alias")) == -1)
		return -1;
	put(below("secret"));
	put(below("in/file"));
	put(below("in/sub/file"));
	put(below("inner/file"));
	return 0;
}

static int
teardown(void **state)
{
	char cmd[128];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", top);
	return system(cmd);
}

static enum fr_rc
reads(const char *dir, const char *path)
{
	struct fr_root r;
	struct fr_err err;
	enum fr_rc rc;
	int fd = -1;

	assert_int_equal(fr_root_open(&r, dir, &err), FR_OK);
	rc = fr_root_read(&r, path, 0, &fd, &err);
	if (rc == FR_OK)
		(void)close(fd);
	else
		assert_int_equal(rc, err.rc);
	fr_root_close(&r);
	return rc;
}

static void
files_inside_are_opened(void **state)
{
	(void)state;
	assert_int_equal(reads(in, "file"), FR_OK);
	assert_int_equal(reads(in, "./sub//file"), FR_OK);
	assert_int_equal(reads(in, "inside/file"), FR_OK);
	assert_int_equal(reads(in, below("in/file")), FR_OK);
	assert_int_equal(reads(below("alias"), below("in/file")), FR_OK);
	assert_int_equal(reads(below("alias"), below("alias/file")), FR_OK);
	assert_int_equal(reads(in, "none"), FR_NOTFOUND);
	assert_int_equal(reads("/", below("secret")), FR_OK);
}

static void
nothing_outside_is_opened(void **state)
{
	static const char *const list[] = { "../secret", "sub/../../secret",
		"sub/..", "..", "rel", "abs", "up/secret", "up", "/etc/passwd",
		"/" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (reads(in, list[i]) != FR_DENIED)
			fail_msg("%s was opened", list[i]);
	assert_int_equal(reads(in, below("secret")), FR_DENIED);
	assert_int_equal(reads(in, below("inner/file")), FR_DENIED);
	assert_int_equal(reads(in, below("in/../secret")), FR_DENIED);
	assert_int_equal(reads(in, ""), FR_INVALID);
}

static void
without_a_root_any_path_is_opened(void **state)
{
	(void)state;
	assert_int_equal(reads(NULL, below("in/../secret")), FR_OK);
	assert_int_equal(reads(NULL, below("in/rel")), FR_OK);
}

static enum fr_rc
makes(const char *dir, const char *path)
{
	struct fr_root r;
	struct fr_err err;
	enum fr_rc rc;
	int fd = -1;

	assert_int_equal(fr_root_open(&r, dir, &err), FR_OK);
	rc = fr_root_dir(&r, path, &fd, &err);
	if (rc == FR_OK)
		assert_int_equal(close(fd), 0);
	fr_root_close(&r);
	return rc;
}

static void
missing_directories_are_made_inside_only(void **state)
{
	(void)state;
	assert_int_equal(makes(in, "a/b//c/"), FR_OK);
	assert_int_equal(access(below("in/a/b/c"), F_OK), 0);
	assert_int_equal(makes(in, below("in/d/e")), FR_OK);
	assert_int_equal(access(below("in/d/e"), F_OK), 0);
	assert_int_equal(makes(NULL, below("in/f/g")), FR_OK);
	assert_int_equal(access(below("in/f/g"), F_OK), 0);
	assert_int_equal(makes(in, "."), FR_OK);
	assert_int_equal(makes(in, "up/new"), FR_DENIED);
	assert_int_equal(makes(in, "../new"), FR_DENIED);
	assert_int_not_equal(access(below("new"), F_OK), 0);
	assert_int_not_equal(makes(in, "file/x"), FR_OK);
}

static void
a_file_has_its_name_only_when_it_is_whole(void **state)
{
	struct fr_aside a = FR_ASIDE_INIT;
	struct fr_err err;
	struct stat st;
	const int dir = open(in, O_DIRECTORY | O_RDONLY);

	(void)state;
	assert_int_equal(fr_aside_open(&a, dir, &err), FR_OK);
	assert_int_equal(write(a.fd, "new", 3), 3);
	assert_int_not_equal(access(below("in/result"), F_OK), 0);
	fr_aside_fini(&a);
	assert_int_not_equal(access(below("in/result"), F_OK), 0);

	put(below("in/result"));
	assert_int_equal(fr_aside_open(&a, dir, &err), FR_OK);
	assert_int_equal(write(a.fd, "new", 3), 3);
	assert_int_equal(stat(below("in/result"), &st), 0);
	assert_int_equal(st.st_size, 1);
	assert_int_equal(fr_aside_commit(&a, "result", &err), FR_OK);
	fr_aside_fini(&a);
	assert_int_equal(stat(below("in/result"), &st), 0);
	assert_int_equal(st.st_size, 3);

	assert_int_equal(fr_aside_open(&a, dir, &err), FR_OK);
	assert_int_not_equal(fr_aside_commit(&a, "sub", &err), FR_OK);
	fr_aside_fini(&a);
	(void)close(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_inside_are_opened),
		cmocka_unit_test(nothing_outside_is_opened),
		cmocka_unit_test(without_a_root_any_path_is_opened),
		cmocka_unit_test(missing_directories_are_made_inside_only),
		cmocka_unit_test(a_file_has_its_name_only_when_it_is_whole),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown) != 0;
}
