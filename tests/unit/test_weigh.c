/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/registry.h"
#include "backends/weigh.h"
#include "base/str.h"
#include "base/time.h"

#define N 300

static struct fr_ticket *
tickets(size_t n)
{
	struct fr_ticket *t = calloc(n, sizeof(*t));
	size_t i;

	assert_non_null(t);
	for (i = 0; i < n; i++) {
		memcpy(t[i].id.b, &i, sizeof(i));
		t[i].type = "a";
		t[i].priority = (int32_t)i - 5;
		t[i].data = FR_SPAN("{\"n\":7}");
	}
	return t;
}

/* What the command says of n jobs; how long it took. */
static int64_t
ask(const char *command, double *w, size_t n)
{
	struct fr_weigh *x = fr_weigh_new(command);
	struct fr_ticket *t = tickets(n);
	int64_t begun_ms = fr_time_mono_ms();

	assert_non_null(x);
	fr_weigh_ask(x, t, n, w);
	begun_ms = fr_time_mono_ms() - begun_ms;
	fr_weigh_free(x);
	free(t);
	return begun_ms;
}

static void
each_weighs_its_priority(const double *w, size_t from, size_t n)
{
	size_t i;

	for (i = from; i < n; i++)
		assert_true(w[i] == (i > 6 ? (double)i - 5 : 1));
}

static void
a_command_says_what_each_job_weighs(void **state)
{
	double w[N];
	size_t i;

	(void)state;
	(void)ask(
	    "exec sed -u 's/.*\"priority\":\\(-*[0-9]*\\).*/\\1.5/'", w, N);
	for (i = 0; i < N; i++)
		assert_true(
		    w[i] == ((int)i < 5 ? (double)i - 5.5 : (double)i - 4.5));
}

static void
the_command_reads_whole_jobs(void **state)
{
	const char *line = "{\"id\":\"00000000-0000-0000-0000-000000000000\","
			   "\"type\":\"a\",\"priority\":-5,\"data\":{\"n\":7}}";
	char command[400];
	double w[1];

	(void)state;
	assert_true(fr_str_format(command, sizeof(command),
	    "read -r l; [ \"$l\" = '%s' ] && echo 42 || echo 43; cat >&2",
	    line));
	(void)ask(command, w, 1);
	assert_true(w[0] == 42);
}

static void
what_is_not_answered_weighs_its_priority(void **state)
{
	static const char *const bad[] = { "exit 3", "exec true", "no-such-cmd",
		"echo nonsense", "echo '\"1\"'", "echo 1 2", "echo NaN",
		"echo 0x10", "yes 'a long line' | tr -d '\\n'" };
	double w[N];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(w, 0, sizeof(w));
		assert_true(ask(bad[i], w, N) < 1900);
		each_weighs_its_priority(w, 0, N);
	}
}

static void
the_answers_before_it_died_count(void **state)
{
	double w[N];

	(void)state;
	(void)ask("echo 100; echo 200; exit", w, N);
	assert_true(w[0] == 100 && w[1] == 200);
	each_weighs_its_priority(w, 2, N);
}

static void
a_command_that_hangs_is_not_waited_for_long(void **state)
{
	double w[N];
	int64_t took;

	(void)state;
	took = ask("sleep 600", w, N);
	assert_in_range(took, 1900, 20000);
	each_weighs_its_priority(w, 0, N);
}

static void
a_failed_command_is_left_alone_for_a_while(void **state)
{
	char path[] = "/tmp/fr-weigh.XXXXXX", command[100];
	struct fr_ticket *t = tickets(1);
	struct fr_weigh *x;
	struct stat st;
	double w[1];
	int i, fd;

	(void)state;
	fd = mkstemp(path);
	assert_int_not_equal(fd, -1);
	(void)snprintf(
	    command, sizeof(command), "printf x >>%s; echo nonsense", path);
	x = fr_weigh_new(command);
	fr_weigh_ask(x, t, 1, w);
	for (i = 0; i < 10000; i++) {
		fr_weigh_ask(x, t, 1, w);
		assert_true(w[0] == 1);
	}
	/* Once, and on a slow machine a few times more. */
	assert_int_equal(fstat(fd, &st), 0);
	assert_in_range(st.st_size, 1, 100);
	(void)close(fd);
	(void)unlink(path);
	fr_weigh_free(x);
	free(t);
}

static void
one_answer_too_many_is_noticed(void **state)
{
	struct fr_weigh *x = fr_weigh_new("while read -r l; do echo 9; "
					  "echo 8; done");
	const int64_t end_ms = fr_time_mono_ms() + 20000;
	struct fr_ticket *t = tickets(21);
	double w[20];

	(void)state;
	/* As soon as it has written it; until then nobody can know. */
	do
		fr_weigh_ask(x, t, 20, w);
	while (w[19] != 14 && fr_time_mono_ms() < end_ms);
	each_weighs_its_priority(w, 11, 20);
	fr_weigh_free(x);
	free(t);
}

static void
large_data_goes_through(void **state)
{
	struct fr_weigh *x =
	    fr_weigh_new("exec python3 -c 'import sys\n"
			 "for line in sys.stdin: print(5, flush=True)'");
	struct fr_ticket *t = tickets(20);
	char *big = malloc(1000000);
	double w[20];
	int i;

	(void)state;
	assert_non_null(big);
	memset(big, '1', 1000000);
	for (i = 0; i < 20; i++)
		t[i].data = (struct fr_span){ big, 100000 };
	fr_weigh_ask(x, t, 20, w);
	for (i = 0; i < 20; i++)
		assert_true(w[i] == 5);
	fr_weigh_free(x);
	free(big);
	free(t);
}

/* The heavy one of two is nearly always first. */
static void
a_weighted_queue_asks_its_command(void **state)
{
	struct fr_ticket *t = tickets(2), got[2];
	struct fr_err err = FR_ERR_INIT;
	struct fr_queue *q = NULL;
	const char *type = "a";
	int i, first = 0;
	size_t n;

	(void)state;
	assert_int_equal(fr_registry_queue(&q,
			     "memory:weighted?weigh=exec%20sed%20-u%20"
			     "%22s/.*id.:.0100.*/1000000/;t;s/.*/1/%22",
			     &err),
	    FR_OK);
	assert_int_equal(q->ops->caps(q), FR_QUEUE_WANTS_DATA);
	for (i = 0; i < 100; i++) {
		assert_int_equal(q->ops->push(q, t, 2, &err), FR_OK);
		n = 2;
		assert_int_equal(
		    q->ops->pop(q, &type, 1, got, &n, &err), FR_OK);
		assert_int_equal(n, 2);
		first += got[0].id.b[0] == 1;
	}
	assert_true(first > 95);
	q->ops->close(q);
	free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_says_what_each_job_weighs),
		cmocka_unit_test(the_command_reads_whole_jobs),
		cmocka_unit_test(what_is_not_answered_weighs_its_priority),
		cmocka_unit_test(the_answers_before_it_died_count),
		cmocka_unit_test(a_command_that_hangs_is_not_waited_for_long),
		cmocka_unit_test(a_failed_command_is_left_alone_for_a_while),
		cmocka_unit_test(one_answer_too_many_is_noticed),
		cmocka_unit_test(large_data_goes_through),
		cmocka_unit_test(a_weighted_queue_asks_its_command),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return FR_UNIT_MAIN(tests);
}
