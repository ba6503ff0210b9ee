/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "run/chain.h"
#include "run/command.h"
#include "run/fate.h"
#include "run/handlers.h"
#include "run/reap.h"
#include "run/reply.h"
#include "run/spawn.h"
#include "run/workdir.h"

/* ---- results ------------------------------------------------------- */

static void
check_result(const char *out, size_t len, bool strict, size_t max,
    enum fr_rc rc, const char *json)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_buf in, res;

	fr_buf_init(&in, 0);
	fr_buf_init(&res, 0);
	fr_buf_add(&in, out, len);
	assert_int_equal(fr_fate_result(&in, strict, max, &res, &err), rc);
	if (rc == FR_OK)
		assert_string_equal(fr_buf_cstr(&res), json);
	else
		assert_non_null(strstr(err.msg, json));
	fr_buf_fini(&in);
	fr_buf_fini(&res);
}
#define RESULT(out, strict, max, rc, json)                                     \
	check_result(out, sizeof(out) - 1, strict, max, rc, json)

static void
what_a_handler_wrote_becomes_its_result(void **state)
{
	(void)state;
	RESULT("", false, 0, FR_OK, "null");
	RESULT("", true, 0, FR_OK, "null");
	RESULT(" { \"a\" : 1.0 } \n", false, 0, FR_OK, "{\"a\":1.0}");
	RESULT("text\n", false, 0, FR_OK, "\"text\"");
	RESULT("text\n\n", false, 0, FR_OK, "\"text\\n\"");
	RESULT("\n", false, 0, FR_OK, "\"\"");
	RESULT("a\0b", false, 0, FR_OK, "\"a\\u0000b\"");
	RESULT("nan", false, 0, FR_OK, "\"nan\"");
	RESULT("nan", true, 0, FR_SYNTAX, "not JSON");
	RESULT("ab\xff\x1b", false, 0, FR_SYNTAX, "begins with ab\\xff\\x1b");
}

static void
a_result_has_a_largest_size(void **state)
{
	(void)state;
	RESULT("\"123\"", false, 5, FR_OK, "\"123\"");
	RESULT("\"1234\"", false, 5, FR_TOOBIG, "longer than 5");
	/* It is the JSON that counts: a quote has two bytes there. */
	RESULT("x\"y", false, 5, FR_TOOBIG, "longer than 5");
}

static void
exit_statuses_have_their_meaning(void **state)
{
	static const struct {
		int code;
		enum fr_fate fate;
	} t[] = { { 0, FR_FATE_COMPLETE }, { 1, FR_FATE_FAILED },
		{ 64, FR_FATE_FAILED }, { 65, FR_FATE_FINAL },
		{ 66, FR_FATE_FAILED }, { 75, FR_FATE_FAILED },
		{ 125, FR_FATE_FAILED }, { 126, FR_FATE_RELEASED },
		{ 127, FR_FATE_RELEASED }, { 128, FR_FATE_FAILED },
		{ 255, FR_FATE_FAILED } };
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(fr_fate_of(t[i].code << 8), t[i].fate);
	assert_int_equal(fr_fate_of(SIGKILL), FR_FATE_FAILED);
	fr_fate_status(3 << 8, text, sizeof(text));
	assert_string_equal(text, "exit status 3");
	fr_fate_status(SIGTERM, text, sizeof(text));
	assert_string_equal(text, "killed by signal 15 (TERM)");
}

static void
check_error(const char *what, bool both, const char *log, const char *want)
{
	struct fr_buf b;

	fr_buf_init(&b, 0);
	fr_fate_error(&b, what, both, fr_span_of(log));
	assert_string_equal(fr_buf_cstr(&b), want);
	fr_buf_fini(&b);
}

static void
an_error_is_the_end_of_the_log(void **state)
{
	char log[10001];

	(void)state;
	check_error("exit status 1", false, "", "exit status 1");
	check_error("exit status 1", false, " \n\n", "exit status 1");
	check_error("exit status 1", false, "\none\ntwo\n\n", "one\ntwo");
	check_error("exit status 3", true, "why\n", "exit status 3: why");
	check_error("timed out", true, "", "timed out");
	memset(log, 'x', sizeof(log) - 1);
	log[sizeof(log) - 1] = '\0';
	log[8000] = '\n';
	check_error("", false, log, log + 8001);
}

static void
a_tail_keeps_the_last_bytes(void **state)
{
	struct fr_tail t;
	struct fr_span s;
	uint64_t from;
	int i;

	(void)state;
	fr_tail_init(&t, 10);
	for (i = 0; i < 100; i++) {
		memcpy(fr_tail_reserve(&t, 3), "abc", 3);
		fr_tail_commit(&t, 3);
		s = fr_tail_since(&t, 0);
		assert_true(s.len <= 10 && s.p[s.len - 1] == 'c');
	}
	assert_int_equal(s.len, 10);
	assert_int_equal(t.total, 300);
	from = t.total;
	memcpy(fr_tail_reserve(&t, 2), "de", 2);
	fr_tail_commit(&t, 2);
	assert_true(fr_span_is(fr_tail_since(&t, from), "de"));
	assert_int_equal(fr_tail_since(&t, t.total).len, 0);
	fr_tail_reset(&t);
	/* Not in the middle of a character. */
	memcpy(fr_tail_reserve(&t, 12),
	    "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
	    "x\xc3\xa4y",
	    12);
	fr_tail_commit(&t, 12);
	s = fr_tail_since(&t, 0);
	assert_true(fr_utf8_valid(s));
	fr_tail_fini(&t);
}

static void
a_kept_handlers_line_is_one_answer(void **state)
{
	struct fr_reply r;
	char text[8];

	(void)state;
	assert_true(fr_reply_read(FR_SPAN("{\"result\": [1]}"), &r));
	assert_int_equal(r.kind, FR_REPLY_RESULT);
	assert_true(fr_span_is(r.value, "[1]"));
	assert_true(fr_reply_read(
	    FR_SPAN("{\"error\":\"no \\u0041\",\"final\":true}"), &r));
	assert_int_equal(r.kind, FR_REPLY_ERROR);
	assert_true(r.final);
	fr_reply_error(&r, text, sizeof(text));
	assert_string_equal(text, "no A");
	fr_reply_error(&r, text, 3);
	assert_string_equal(text, "no");
	assert_true(fr_reply_read(FR_SPAN("{\"progress\":null,\"x\":1}"), &r));
	assert_int_equal(r.kind, FR_REPLY_PROGRESS);
	assert_false(fr_reply_read(FR_SPAN(""), &r));
	assert_false(fr_reply_read(FR_SPAN("[]"), &r));
	assert_false(fr_reply_read(FR_SPAN("{}"), &r));
	assert_false(fr_reply_read(FR_SPAN("{\"result\":1"), &r));
	assert_false(
	    fr_reply_read(FR_SPAN("{\"result\":1,\"error\":\"\"}"), &r));
}

/* ---- commands and handlers ------------------------------------------ */

static void
check_command(const char *text, const char *want)
{
	struct fr_command c;
	struct fr_buf b;
	int i;

	fr_buf_init(&b, 0);
	assert_int_equal(fr_command_parse(&c, text, "/x:rel:/y", NULL), FR_OK);
	for (i = 0; c.paths[i] != NULL; i++)
		fr_buf_addf(&b, "%s%s", i == 0 ? "" : "|", c.paths[i]);
	for (i = 0; c.argv[i] != NULL; i++)
		fr_buf_addf(&b, " [%s]", c.argv[i]);
	assert_string_equal(fr_buf_cstr(&b), want);
	fr_buf_fini(&b);
	fr_command_free(c.paths);
	fr_command_free(c.argv);
}

static void
plain_words_need_no_shell(void **state)
{
	(void)state;
	check_command("cat", "/x/cat|/y/cat [cat]");
	check_command(" tr  a b ", "/x/tr|/y/tr [tr] [a] [b]");
	check_command("/bin/cat -n x=y", "/bin/cat [/bin/cat] [-n] [x=y]");
}

static void
whatever_a_shell_would_change_goes_to_one(void **state)
{
	static const char *const texts[] = { "cat *", "cat $X", "a=b cat",
		"cat <x", "cat; cat", "cat 'x'", "echo x", "cd", "cat ~",
		"cat {a,b}", "cat\ncat", "cat \\x", "cat #x", "! cat", "exit",
		"test", "[", "cat `x`", "(cat)", "cat &" };
	char want[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)snprintf(
		    want, sizeof(want), "/bin/sh [sh] [-c] [%s]", texts[i]);
		check_command(texts[i], want);
	}
}

static void
names_of_handlers_are_checked(void **state)
{
	struct fr_handlers hs;
	struct fr_err err;

	(void)state;
	assert_int_equal(
	    fr_handlers_init(&hs, "/nowhere", "/bin", &err), FR_OK);
	assert_string_equal(hs.path, "/nowhere/handlers:/bin");
	assert_int_equal(fr_handlers_add(&hs, "a=cat", &err), FR_OK);
	assert_int_equal(fr_handlers_add(&hs, "a=cat", &err), FR_USAGE);
	assert_int_equal(fr_handlers_add(&hs, "=cat", &err), FR_USAGE);
	assert_int_equal(fr_handlers_add(&hs, "b=", &err), FR_USAGE);
	assert_int_equal(fr_handlers_add(&hs, "b/c=cat", &err), FR_USAGE);
	assert_int_equal(fr_handlers_add(&hs, "..=cat", &err), FR_USAGE);
	assert_int_equal(fr_handlers_add(&hs, "ping", &err), FR_NOTFOUND);
	assert_int_equal(fr_handlers_add(&hs, "k.lines=cat", &err), FR_OK);
	assert_int_equal(
	    fr_handlers_find(&hs, FR_SPAN("k"))->kind, FR_HANDLER_LINES);
	assert_null(fr_handlers_find(&hs, FR_SPAN("k.lines")));
	fr_handlers_find(&hs, FR_SPAN("a"))->withdrawn = true;
	assert_null(fr_handlers_find(&hs, FR_SPAN("a")));
	assert_non_null(fr_handlers_named(&hs, FR_SPAN("a")));
	fr_handlers_fini(&hs);
}

/* ---- chains ------------------------------------------------------------ */

static void
check_merge(const char *data, const char *result, const char *want)
{
	struct fr_buf b;

	fr_buf_init(&b, 0);
	assert_true(fr_chain_merge(&b, fr_span_of(data), fr_span_of(result)));
	assert_string_equal(fr_buf_cstr(&b), want);
	fr_buf_fini(&b);
}

static void
a_result_is_laid_over_the_data(void **state)
{
	(void)state;
	check_merge("{}", "{}", "{}");
	check_merge(
	    "{\"a\":1,\"b\":2}", "{\"c\":3}", "{\"a\":1,\"b\":2,\"c\":3}");
	check_merge("{\"a\":1,\"b\":2}", "{\"b\":3.0,\"a\":[]}",
	    "{\"a\":[],\"b\":3.0}");
	/* As in JSON.parse, the last of two counts, at the place of the first.
	 */
	check_merge("{\"a\":1,\"b\":2,\"a\":3}", "{}", "{\"a\":3,\"b\":2}");
	check_merge("{\"\\u0061\":1}", "{\"a\":2}", "{\"\\u0061\":2}");
	check_merge("{\"\":1}", "{\"\":2}", "{\"\":2}");
	check_merge("{\"\\ud800\":1,\"\xef\xbf\xbd\":2}",
	    "{\"\\uD801\":3,\"\\uD800\":4}",
	    "{\"\\ud800\":4,\"\xef\xbf\xbd\":2,\"\\uD801\":3}");
	check_merge("{\"a\":1}", "[2]", "{\"a\":1,\"result\":[2]}");
	check_merge(
	    "{\"result\":1,\"a\":1}", "null", "{\"result\":null,\"a\":1}");
	check_merge("[1]", "{\"a\":1}", "{\"a\":1}");
	check_merge("\"x\"", "1", "{\"result\":1}");
}

static void
many_keys_are_no_trouble(void **state)
{
	struct fr_buf data, out;
	int i;

	(void)state;
	fr_buf_init(&data, 0);
	fr_buf_init(&out, 0);
	fr_buf_addc(&data, '{');
	for (i = 0; i < 20000; i++)
		fr_buf_addf(&data, "%s\"k%d\":%d", i == 0 ? "" : ",", i, i);
	fr_buf_addc(&data, '}');
	assert_true(
	    fr_chain_merge(&out, fr_buf_span(&data), fr_buf_span(&data)));
	assert_string_equal(fr_buf_cstr(&out), fr_buf_cstr(&data));
	fr_buf_fini(&data);
	fr_buf_fini(&out);
}

/* ---- processes and directories ---------------------------------------- */

static enum fr_rc
run_sh(struct fr_spawn *s, const char *script, struct fr_err *err)
{
	static const char *const paths[] = { "/nowhere/sh", "/bin/sh", NULL };
	static char name[] = "sh", c[] = "-c";
	static char *env[] = { NULL };
	char *argv[] = { name, c, (char *)(uintptr_t)script, NULL };

	s->paths = paths;
	s->argv = argv;
	s->envp = env;
	return fr_spawn(s, err);
}

static int
exit_of(const struct fr_spawn *s)
{
	int status;

	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	(void)close(s->pidfd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
a_child_is_told_from_a_failing_exec(void **state)
{
	static const char *const none[] = { "/nowhere/x", "/etc/passwd", NULL };
	struct fr_spawn s = { .fd = { -1, -1, -1, -1 } };
	struct fr_err err = FR_ERR_INIT;
	char name[] = "x";
	char *argv[] = { name, NULL };

	(void)state;
	assert_int_equal(run_sh(&s, "exit 7", &err), FR_OK);
	assert_int_equal(exit_of(&s), 7);
	s.dir = "/nowhere";
	assert_int_equal(run_sh(&s, "exit 7", &err), FR_AGAIN);
	assert_non_null(strstr(err.msg, "enter directory"));
	s.dir = NULL;
	s.paths = none;
	s.argv = argv;
	assert_int_equal(fr_spawn(&s, &err), FR_BROKEN);
	assert_non_null(strstr(err.msg, "execute x: "));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
descriptors_find_their_places(void **state)
{
	struct fr_spawn s = { .fd = { -1, -1, -1, -1 } };
	struct fr_err err = FR_ERR_INIT;
	int p[2], q[2];
	char buf[16];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(pipe2(q, O_CLOEXEC), 0);
	assert_int_equal(write(p[1], "in", 2), 2);
	(void)close(p[1]);
	s.fd[0] = p[0];
	s.fd[3] = q[1];
	s.fd[1] = q[1];
	assert_int_equal(run_sh(&s,
			     "cat >&3; echo -out; "
			     "[ -e /proc/$$/fd/4 ] || exit 9",
			     &err),
	    FR_OK);
	assert_int_equal(exit_of(&s), 9);
	assert_int_equal(read(q[0], buf, sizeof(buf)), 7);
	assert_memory_equal(buf, "in-out\n", 7);
	(void)close(p[0]);
	(void)close(q[0]);
	(void)close(q[1]);
}

static void
limits_and_signals_are_set(void **state)
{
	struct fr_limits l = FR_LIMITS_NONE;
	struct fr_spawn s = { .fd = { -1, -1, -1, -1 }, .limits = &l };
	struct fr_err err = FR_ERR_INIT;

	(void)state;
	l.files = 17;
	(void)signal(SIGUSR1, SIG_IGN);
	assert_int_equal(
	    run_sh(&s, "[ $(ulimit -n) = 17 ] || exit 1; kill -USR1 $$", &err),
	    FR_OK);
	assert_int_equal(exit_of(&s), -SIGUSR1);
	(void)signal(SIGUSR1, SIG_DFL);
}

static void
marks_differ_and_are_inherited(void **state)
{
	struct fr_reaper a, b;
	struct fr_brood one = { 0 };
	struct fr_spawn s = { .fd = { -1, -1, -1, -1 } };
	struct fr_err err = FR_ERR_INIT;
	uint64_t mark;
	int status, tries = 0;

	(void)state;
	fr_reaper_init(&a);
	fr_reaper_init(&b);
	assert_int_not_equal(fr_reaper_mark(&a), fr_reaper_mark(&b));
	mark = s.mark = fr_reaper_mark(&a);
	assert_int_not_equal(mark, 0);
	assert_int_equal(run_sh(&s, "setsid sleep 30 & exit 0", &err), FR_OK);
	fr_reaper_add(&a, &one, s.pid);
	assert_int_equal(one.mark, mark);
	assert_int_not_equal(fr_reaper_mark(&a), mark);
	assert_int_equal(
	    poll(&(struct pollfd){ s.pidfd, POLLIN, 0 }, 1, 5000), 1);
	fr_reaper_reap(&a, &one, &status);
	assert_int_equal(status, 0);
	/* The sleeper is in the same group or not yet in its own session: in
	 * any case it is found. */
	while (!fr_reaper_sweep(&a, &one) && tries++ < 5000)
		(void)usleep(1000);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	(void)close(s.pidfd);
	assert_true(fr_reap_all(1000, NULL, 0));
	fr_reaper_fini(&a);
	fr_reaper_fini(&b);
}

/* Starts a shell with a mark of its own, as a brood of r. */
static int
add_sh(struct fr_reaper *r, struct fr_brood *b, const char *command)
{
	struct fr_spawn s = { .fd = { -1, -1, -1, -1 } };
	struct fr_err err = FR_ERR_INIT;

	s.mark = fr_reaper_mark(r);
	assert_int_equal(run_sh(&s, command, &err), FR_OK);
	fr_reaper_add(r, b, s.pid);
	return s.pidfd;
}

static void
reap_when_ended(struct fr_reaper *r, struct fr_brood *b, int pidfd)
{
	struct pollfd p = { pidfd, POLLIN, 0 };
	int status, tries = 0;

	assert_int_equal(poll(&p, 1, 5000), 1);
	fr_reaper_reap(r, b, &status);
	assert_int_equal(status, 0);
	while (!fr_reaper_sweep(r, b) && tries++ < 5000)
		(void)usleep(1000);
	assert_int_equal(b->pid, 0);
	(void)close(pidfd);
}

/* An orphan is found beside other leaders, at its own brood's end only. */
static void
find_an_orphan(bool listed)
{
	struct fr_reaper r;
	struct fr_brood slow = { 0 }, none = { 0 }, one = { 0 };
	int slow_fd, fd;

	fr_reaper_init(&r);
	if (!listed) { /* as on a kernel without the list */
		(void)close(r.children);
		r.children = -1;
	}
	slow_fd = add_sh(&r, &slow, "setsid sleep 30 & exec sleep 30");
	fd = add_sh(&r, &none, "exit 0");
	reap_when_ended(&r, &none, fd);
	fd = add_sh(&r, &one, "(setsid sleep 30 &); (sleep 30 &); exit 0");
	reap_when_ended(&r, &one, fd);
	/* Only the leader that runs is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
	assert_int_equal(waitpid(slow.pid, NULL, WNOHANG), 0);
	fr_reaper_forget(&r, &slow);
	assert_int_equal(r.leaders, 0);
	assert_true(fr_reap_all(5000, NULL, 0));
	(void)close(slow_fd);
	fr_reaper_fini(&r);
}

static void
orphans_are_found_in_the_list_of_children(void **state)
{
	(void)state;
	find_an_orphan(true);
}

static void
orphans_are_found_without_the_list_of_children(void **state)
{
	(void)state;
	find_an_orphan(false);
}

/* More leaders than the list has room for. */
static void
orphans_are_found_among_many_children(void **state)
{
	enum { MANY = 1000 };
	static struct fr_brood many[MANY];
	struct fr_brood one = { 0 };
	struct fr_reaper r;
	pid_t pid;
	int fd, i;

	(void)state;
	fr_reaper_init(&r);
	for (i = 0; i < MANY; i++) {
		pid = fork();
		if (pid == 0)
			for (;;)
				(void)pause();
		assert_int_not_equal(pid, -1);
		fr_reaper_add(&r, &many[i], pid);
	}
	fd = add_sh(&r, &one, "(setsid sleep 30 &); exit 0");
	reap_when_ended(&r, &one, fd);
	for (i = 0; i < MANY; i++)
		assert_int_equal(kill(many[i].pid, SIGKILL), 0);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(waitpid(many[i].pid, NULL, 0), many[i].pid);
		fr_reaper_forget(&r, &many[i]);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	fr_reaper_fini(&r);
}

static void
a_directory_is_kept_only_as_it_was_made(void **state)
{
	struct fr_workdir w;
	struct fr_err err = FR_ERR_INIT;
	char path[PATH_MAX], file[PATH_MAX + 8], link[PATH_MAX + 8];

	(void)state;
	assert_int_equal(fr_workdir_open(&w, "/tmp", &err), FR_OK);
	assert_int_equal(fr_workdir_make(&w, "a", path, &err), FR_OK);
	assert_true(fr_workdir_drop(&w, "a", true));
	assert_int_equal(access(path, F_OK), 0);
	(void)snprintf(file, sizeof(file), "%s/x", path);
	assert_int_equal(mkdir(file, 0), 0);
	assert_false(fr_workdir_drop(&w, "a", true));
	assert_int_equal(access(path, F_OK), -1);

	assert_int_equal(fr_workdir_make(&w, "a", path, &err), FR_OK);
	(void)snprintf(link, sizeof(link), "%s/l", path);
	assert_int_equal(symlink("/", link), 0);
	/* One that could not be removed is no hindrance. */
	assert_int_equal(fr_workdir_make(&w, "a", path, &err), FR_OK);
	assert_int_equal(access(link, F_OK), -1);
	assert_int_equal(fr_workdir_make(&w, "a", path, &err), FR_OK);
	fr_workdir_close(&w);
	assert_int_equal(access(w.path, F_OK), -1);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
	assert_int_not_equal(fr_workdir_open(&w, "/nowhere", &err), FR_OK);
	fr_workdir_close(&w);
}

static void
a_directory_that_others_removed_is_made_again(void **state)
{
	struct fr_workdir w;
	struct fr_err err = FR_ERR_INIT;
	char path[PATH_MAX];
	struct stat st;

	(void)state;
	assert_int_equal(fr_workdir_open(&w, "/tmp", &err), FR_OK);
	fr_workdir_remove(w.path);
	assert_int_equal(access(w.path, F_OK), -1);
	assert_int_equal(fr_workdir_make(&w, "a", path, &err), FR_OK);
	assert_int_equal(stat(w.path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(access(path, F_OK), 0);
	/* But not one that is somebody else's by now. */
	fr_workdir_remove(w.path);
	assert_int_equal(symlink("/tmp", w.path), 0);
	assert_int_equal(fr_workdir_make(&w, "b", path, &err), FR_IO);
	assert_int_equal(unlink(w.path), 0);
	fr_workdir_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_handler_wrote_becomes_its_result),
		cmocka_unit_test(a_result_has_a_largest_size),
		cmocka_unit_test(exit_statuses_have_their_meaning),
		cmocka_unit_test(an_error_is_the_end_of_the_log),
		cmocka_unit_test(a_tail_keeps_the_last_bytes),
		cmocka_unit_test(a_kept_handlers_line_is_one_answer),
		cmocka_unit_test(plain_words_need_no_shell),
		cmocka_unit_test(whatever_a_shell_would_change_goes_to_one),
		cmocka_unit_test(names_of_handlers_are_checked),
		cmocka_unit_test(a_result_is_laid_over_the_data),
		cmocka_unit_test(many_keys_are_no_trouble),
		cmocka_unit_test(a_child_is_told_from_a_failing_exec),
		cmocka_unit_test(descriptors_find_their_places),
		cmocka_unit_test(limits_and_signals_are_set),
		cmocka_unit_test(marks_differ_and_are_inherited),
		cmocka_unit_test(orphans_are_found_in_the_list_of_children),
		cmocka_unit_test(
		    orphans_are_found_without_the_list_of_children),
		cmocka_unit_test(orphans_are_found_among_many_children),
		cmocka_unit_test(a_directory_is_kept_only_as_it_was_made),
		cmocka_unit_test(a_directory_that_others_removed_is_made_again),
	};

	return FR_UNIT_MAIN(tests);
}
