/* SPDX-License-Identifier: MIT */
#include "tests/bench/lib/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"

const char load_data[101] =
    "{\"n\":12345,\"note\":\"abcdefghijklmnopqrstuvwxyzabcdefghijklmn"
    "opqrstuvwxyzabcdefghijklmnopqrstuvwxyza\"}";

uint16_t load_port;

static const struct peer *peer;

/* The latest start of a job, for latency. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t news;
	int64_t us; /* 0: not yet */
	bool wanted;
} start = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.news = PTHREAD_COND_INITIALIZER };

_Noreturn void
load_die(const char *what)
{
	perror(what);
	exit(1);
}

static void *
submit(void *arg)
{
	peer->submit(arg);
	return NULL;
}

static void *
drain(void *arg)
{
	peer->drain(arg);
	return NULL;
}

static struct part *
launch(int64_t n, int64_t jobs, int64_t window, void *(*what)(void *))
{
	struct part *p = calloc((size_t)n, sizeof(*p));
	int64_t i;

	if (p == NULL)
		load_die("calloc");
	for (i = 0; i < n; i++) {
		p[i].jobs = jobs / n + (i < jobs % n);
		p[i].window = window;
		p[i].line = peer->dial();
	}
	for (i = 0; i < n; i++)
		if (pthread_create(&p[i].thread, NULL, what, &p[i]) != 0)
			load_die("thread");
	return p;
}

static void
join(struct part *p, int64_t n)
{
	int64_t i;

	for (i = 0; i < n; i++) {
		(void)pthread_join(p[i].thread, NULL);
		peer->hang_up(p[i].line);
	}
	free(p);
}

void
load_started(void)
{
	if (!start.wanted)
		return;
	pthread_mutex_lock(&start.lock);
	start.us = fr_time_mono_us();
	pthread_cond_signal(&start.news);
	pthread_mutex_unlock(&start.lock);
}

static int64_t
await_start(void)
{
	int64_t us;

	pthread_mutex_lock(&start.lock);
	while (start.us == 0)
		(void)pthread_cond_wait(&start.news, &start.lock);
	us = start.us;
	start.us = 0;
	pthread_mutex_unlock(&start.lock);
	return us;
}

static int
cmp(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
print_times(int64_t *us, int64_t n)
{
	qsort(us, (size_t)n, sizeof(*us), cmp);
	printf("%" PRId64 " %" PRId64 "\n", us[n / 2], us[n * 99 / 100]);
}

/* One job at a time, to a worker that waits by then. */
static void
latency(int64_t n)
{
	int64_t *from_submit = calloc((size_t)n, sizeof(int64_t));
	int64_t *from_answer = calloc((size_t)n, sizeof(int64_t));
	struct part one = { .line = peer->dial(), .window = 1 };
	struct part *worker;
	int64_t i, sent, answered, at;

	start.wanted = true;
	worker = launch(1, n, 1, drain);
	if (from_submit == NULL || from_answer == NULL)
		load_die("calloc");
	for (i = 0; i < n; i++) {
		(void)usleep(2000);
		one.jobs = 1;
		sent = fr_time_mono_us();
		peer->submit(&one);
		answered = fr_time_mono_us();
		at = await_start();
		from_submit[i] = at - sent;
		from_answer[i] = at > answered ? at - answered : 0;
	}
	join(worker, 1);
	peer->hang_up(one.line);
	print_times(from_submit, n);
	print_times(from_answer, n);
	free(from_submit);
	free(from_answer);
}

static void
rate(const char *mode, int64_t jobs, const int64_t n[3])
{
	const int64_t t = fr_time_mono_us();
	struct part *a, *b;

	if (strcmp(mode, "submit") == 0) {
		join(launch(n[0], jobs, n[1], submit), n[0]);
	} else if (strcmp(mode, "drain") == 0) {
		join(launch(n[0], jobs, n[1], drain), n[0]);
	} else {
		b = launch(n[1], jobs, n[2], drain);
		a = launch(n[0], jobs, 1, submit);
		join(a, n[0]);
		join(b, n[1]);
	}
	printf("%.0f\n", (double)jobs * 1e6 / (double)(fr_time_mono_us() - t));
}

int
load_main(int argc, char *argv[], const struct peer *of)
{
	static const char *const modes[] = { "submit", "drain", "both",
		"latency" };
	int64_t port, n[4] = { 0, 1, 1, 1 };
	bool ok;
	size_t i;
	int k;

	peer = of;
	ok = argc >= 4 && argc <= 7 &&
	     fr_str_i64(fr_span_of(argv[1]), 1, UINT16_MAX, &port) == FR_OK;
	for (k = 3; ok && k < argc; k++)
		ok = fr_str_i64(fr_span_of(argv[k]), 1, 100000000, &n[k - 3]) ==
		     FR_OK;
	for (i = 0; ok && i < 4 && strcmp(argv[2], modes[i]) != 0; i++)
		;
	if (!ok || i == 4) {
		fprintf(stderr,
		    "usage: %s PORT submit|drain|both|latency JOBS [N...]\n",
		    of->name);
		return 64;
	}
	load_port = (uint16_t)port;
	if (i == 3)
		latency(n[0]);
	else
		rate(argv[2], n[0], n + 1);
	return 0;
}
