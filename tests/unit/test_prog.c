/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/str.h"
#include "cli/prog.h"
#include "tests/unit/unit.h"

/*
 * fr_args exits, so each case runs in a child, which prints what became of
 * its options. Tests look at its exit status and at all that it has written.
 */

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct conf {
	int64_t delay, number;
	const char *manager;
	struct fr_strs env;
	struct fr_maybe wait;
	size_t size;
	bool json;
};

#define AT(field) offsetof(struct conf, field)
static const struct fr_opt opts[] = {
	{ 'd', "delay", FR_OPT_DURATION, "DURATION", AT(delay),
	    "do not run the job before this time has passed, however long it "
	    "may seem to whoever waits for it",
	    500, 86400000 },
	{ 'e', "env", FR_OPT_LIST, "NAME", AT(env), "pass this on", 0, 0 },
	{ 0, "json", FR_OPT_FLAG, NULL, AT(json), "print JSON", 0, 0 },
	{ 'm', "manager", FR_OPT_STR, "URL", AT(manager), "server", 0, 0 },
	{ 'n', "number", FR_OPT_INT, "N", AT(number), "a number", -3, 10 },
	{ 0, "size", FR_OPT_SIZE, "BYTES", AT(size), "a size", 0, 0 },
	{ 'w', "wait", FR_OPT_MAYBE, "DURATION", AT(wait), "wait", 0, 0 },
	{ 0 },
};
static const struct fr_prog prog = { "fr-x", "TYPE [DATA]\n--bulk",
	"gives a job to nobody", "Text behind the options.", opts };

static int
child(int argc, char *argv[])
{
	struct conf c = { .manager = "-" };
	size_t n;
	int i;

	i = fr_args(&prog, argc, argv, &c);
	printf("delay=%lld number=%lld manager=%s size=%zu json=%d wait=%d,%s",
	    (long long)c.delay, (long long)c.number, c.manager, c.size, c.json,
	    c.wait.given, c.wait.value != NULL ? c.wait.value : "-");
	for (n = 0; n < c.env.n; n++)
		printf(" env=%s", c.env.v[n]);
	for (; i < argc; i++)
		printf(" [%s]", argv[i]);
	puts("");
	free(c.env.v);
	return fr_finish(FR_OK);
}

static struct fr_buf out;
static int to_stdout = -1; /* another descriptor for the child's stdout */

/* Runs fr-x with the words of line; its exit status. */
static int
run(const char *line)
{
	char words[512], *argv[32] = { (char *)(uintptr_t) "fr-x" }, *save, *w;
	int argc = 1, status, p[2];
	pid_t pid;

	assert_true(fr_str_copy(words, sizeof(words), fr_span_of(line)));
	for (w = strtok_r(words, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	assert_int_equal(pipe(p), 0);
	(void)fflush(stdout);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		(void)dup2(to_stdout != -1 ? to_stdout : p[1], STDOUT_FILENO);
		(void)dup2(p[1], STDERR_FILENO);
		close(p[0]);
		close(p[1]);
		exit(child(argc, argv));
	}
	close(p[1]);
	fr_buf_reset(&out);
	assert_int_equal(fr_io_read_all(p[0], &out, "child", NULL), FR_OK);
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
says(const char *line, int status, const char *text)
{
	const int got = run(line);

	if (got != status || strstr(fr_buf_cstr(&out), text) == NULL)
		fail_msg("fr-x %s: exit %d: %s", line, got, fr_buf_cstr(&out));
}

static void
options_are_written_into_the_programs_own_struct(void **state)
{
	(void)state;
	says("", 0, "delay=0 number=0 manager=- size=0 json=0 wait=0,-\n");
	says("--delay 2m -n -3 --manager=u --size 4k --json --wait", 0,
	    "delay=120000 number=-3 manager=u size=4096 json=1 wait=1,-\n");
	says("-d1.5 -mu -w5s -e A --env B", 0,
	    "delay=1500 number=0 manager=u size=0 json=0 wait=1,5s env=A "
	    "env=B\n");
	says("--wait=7", 0, "wait=1,7\n");
}

static void
options_and_arguments_may_be_mixed_up_to_the_dashes(void **state)
{
	(void)state;
	says("a --json b - -- --wait -x", 0,
	    "json=1 wait=0,- [a] [b] [-] [--wait] [-x]\n");
	/* A value that is not attached is an argument. */
	says("--wait 7", 0, "wait=1,- [7]\n");
}

static void
wrong_use_exits_64_and_says_what_is_wrong(void **state)
{
	static const char *const cases[][2] = {
		{ "--wiat", "fr-x: --wiat: no such option; did you mean "
			    "--wait?\nTry `fr-x --help`.\n" },
		{ "--mnager=x", "--mnager: no such option; did you mean "
				"--manager?" },
		{ "--zzzzzz", "fr-x: --zzzzzz: no such option\n" },
		{ "-q", "fr-x: -q: no such option\n" },
		{ "-\x1b", "-\\x1b: no such option" },
		{ "--json=yes", "--json: takes no value" },
		{ "--delay", "--delay: needs a value" },
		{ "-m", "--manager: needs a value" },
		{ "-d 5x", "--delay: `5x` is not a duration" },
		{ "-d 499ms", "--delay: 499ms is not allowed: from 500ms to "
			      "1d\n" },
		{ "-d 2d", "from 500ms to 1d" },
		{ "-n 1.0", "--number: `1.0` is not a whole number" },
		{ "-n -4", "--number: -4 is not allowed: from -3 to 10" },
		{ "-n 11", "from -3 to 10" },
		{ "--size -1", "--size: `-1` is not a size" },
		{ "--size 99999999999999999999",
		    "--size: 99999999999999999999 is too large" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++)
		says(cases[i][0], 64, cases[i][1]);
	says("-d 500ms -n 10", 0, "delay=500 number=10");
	says("-d 1d", 0, "delay=86400000");
}

static void
help_fits_eighty_columns_and_names_every_option(void **state)
{
	const struct fr_opt *o;
	const char *line;
	char name[64];
	size_t n;

	(void)state;
	says("--help", 0,
	    "usage: fr-x [options] TYPE [DATA]\n"
	    "       fr-x [options] --bulk\n");
	for (o = opts; o->name != NULL; o++) {
		snprintf(name, sizeof(name), " --%s", o->name);
		assert_non_null(strstr(out.p, name));
	}
	assert_non_null(strstr(out.p, "--help"));
	assert_non_null(strstr(out.p, "--wait[=DURATION]"));
	assert_non_null(strstr(out.p, "\n\nText behind the options.\n"));
	for (line = out.p; *line != '\0'; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		assert_in_range(n, 0, 80);
	}
	says("-h --zzz", 0, "usage:");
	says("-V", 0, "fr-x (Forerunner) " FR_VERSION "\n");
	says("--version", 0, "fr-x (Forerunner) " FR_VERSION "\n");
}

static void
the_options_are_dumped_one_a_line(void **state)
{
	(void)state;
	says("--dump-options", 0, "d delay duration DURATION\tdo not");
	assert_non_null(strstr(out.p, "\ne env list NAME\tpass this on\n"));
	assert_non_null(strstr(out.p, "\nh help flag -\t"));
	assert_non_null(strstr(out.p, "\n- json flag -\tprint JSON\n"));
	assert_non_null(strstr(out.p, "\n- size size BYTES\ta size\n"));
	assert_null(strstr(out.p, "dump-options"));
}

static void
what_cannot_be_written_is_an_error(void **state)
{
	int fd;

	(void)state;
	fd = to_stdout = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(fd != -1);
	says("", 74, "fr-x: write to standard output: No space left");
	says("--help", 74, "No space left");
	close(fd);
	fd = to_stdout = open("/dev/null", O_RDONLY | O_CLOEXEC);
	says("", 74, "fr-x: write to standard output: Bad file");
	close(fd);
	to_stdout = -1;
}

static void
a_reader_that_went_away_is_no_news(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	to_stdout = p[1];
	says("", 74, "");
	assert_int_equal(out.len, 0);
	close(p[1]);
	to_stdout = -1;
}

static void
each_result_has_its_exit_status(void **state)
{
	static const int want[] = { [FR_OK] = 0,
		[FR_NOTFOUND] = 1,
		[FR_EXISTS] = 0,
		[FR_CONFLICT] = 1,
		[FR_STALE] = 1,
		[FR_SYNTAX] = 65,
		[FR_INVALID] = 65,
		[FR_TOOBIG] = 65,
		[FR_DENIED] = 77,
		[FR_NOSPACE] = 74,
		[FR_AGAIN] = 75,
		[FR_UNKNOWN] = 74,
		[FR_IO] = 74,
		[FR_NOMEM] = 74,
		[FR_UNREACHABLE] = 69,
		[FR_TIMEOUT] = 75,
		[FR_USAGE] = 64,
		[FR_JOBFAILED] = 1,
		[FR_BROKEN] = 74 };
	int a, b, worse;

	(void)state;
	for (a = FR_OK; a <= FR_BROKEN; a++) {
		assert_int_equal(fr_exit_status((enum fr_rc)a), want[a]);
		for (b = FR_OK; b <= FR_BROKEN; b++) {
			worse = (int)fr_worse((enum fr_rc)a, (enum fr_rc)b);
			assert_int_equal(worse, want[b] > want[a] ? b : a);
		}
	}
}

static void
the_environment_names_manager_and_token(void **state)
{
	char path[] = "/tmp/fr-token.XXXXXX";
	const int fd = mkstemp(path);
	const char *token;

	(void)state;
	assert_true(fd != -1);
	assert_int_equal(fr_io_write_all(fd, "s3cret\nmore\n", 12), 0);
	close(fd);
	unsetenv("FR_MANAGER");
	assert_string_equal(fr_env_manager(), "http://127.0.0.1:2718");
	setenv("FR_MANAGER", "", 1);
	assert_string_equal(fr_env_manager(), "http://127.0.0.1:2718");
	setenv("FR_MANAGER", "unix:/x", 1);
	assert_string_equal(fr_env_manager(), "unix:/x");
	unsetenv("FR_TOKEN_FILE");
	assert_null(fr_env_token());
	setenv("FR_TOKEN_FILE", path, 1);
	token = fr_env_token();
	assert_string_equal(token, "s3cret");
	free((void *)(uintptr_t)token);
	unlink(path);
	unsetenv("FR_TOKEN_FILE");
	unsetenv("FR_MANAGER");
}

static void
color_is_for_terminals_only(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_false(fr_tty(p[0]));
	assert_false(fr_tty_color(p[0]));
	assert_int_equal(fr_tty_width(p[0]), 80);
	close(p[0]);
	close(p[1]);
}

static int
end(void **state)
{
	(void)state;
	fr_buf_fini(&out);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    options_are_written_into_the_programs_own_struct),
		cmocka_unit_test(
		    options_and_arguments_may_be_mixed_up_to_the_dashes),
		cmocka_unit_test(wrong_use_exits_64_and_says_what_is_wrong),
		cmocka_unit_test(
		    help_fits_eighty_columns_and_names_every_option),
		cmocka_unit_test(the_options_are_dumped_one_a_line),
		cmocka_unit_test(what_cannot_be_written_is_an_error),
		cmocka_unit_test(a_reader_that_went_away_is_no_news),
		cmocka_unit_test(each_result_has_its_exit_status),
		cmocka_unit_test(the_environment_names_manager_and_token),
		cmocka_unit_test_teardown(color_is_for_terminals_only, end),
	};

	return FR_UNIT_MAIN(tests);
}
