/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/time.h"
#include "base/vec.h"

/*
 * The load that fr-bench puts on a manager, put on beanstalkd: one thread and
 * one blocking connection each, so that the server is what is measured.
 *
 * beanstalkd PORT submit JOBS CONNECTIONS WINDOW
 * beanstalkd PORT drain JOBS CONNECTIONS
 * beanstalkd PORT both JOBS PRODUCERS WORKERS
 * beanstalkd PORT latency JOBS
 *
 * Prints jobs a second, or p50 and p99 in microseconds.
 */

static const char body[] = "{\"n\":12345,\"note\":\"abcdefghijklmnopqrstuvwxyz"
			   "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxy"
			   "zab\"}";

static uint16_t port;

struct line {
	int fd;
	char buf[65536];
	size_t len, at;
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
dial(struct line *l)
{
	const struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;

	l->len = l->at = 0;
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd == -1 ||
	    connect(l->fd, (const struct sockaddr *)&a, sizeof(a)) == -1)
		die("connect");
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void
say(struct line *l, const char *p, size_t len)
{
	if (fr_io_write_all(l->fd, p, len) == -1)
		die("write");
}

static void
fill(struct line *l)
{
	ssize_t n;

	if (l->at > 0) {
		memmove(l->buf, l->buf + l->at, l->len - l->at);
		l->len -= l->at;
		l->at = 0;
	}
	n = read(l->fd, l->buf + l->len, sizeof(l->buf) - l->len);
	if (n <= 0)
		die("read");
	l->len += (size_t)n;
}

/* The next line, without its end; borrowed until the next call. */
static struct fr_span
hear(struct line *l)
{
	struct fr_span s;
	char *end;

	while ((end = memchr(l->buf + l->at, '\n', l->len - l->at)) == NULL)
		fill(l);
	s = (struct fr_span){ l->buf + l->at,
		(size_t)(end - (l->buf + l->at)) };
	l->at += s.len + 1;
	return s;
}

static void
skip(struct line *l, size_t n)
{
	while (l->len - l->at < n)
		fill(l);
	l->at += n;
}

static void
expect(struct line *l, const char *word)
{
	const struct fr_span s = hear(l);

	if (!fr_span_starts(s, word)) {
		fprintf(stderr, "wanted %s, got %.*s\n", word, (int)s.len, s.p);
		exit(1);
	}
}

static size_t
put_text(char *to, size_t size)
{
	const int n = snprintf(
	    to, size, "put 0 0 60 %zu\r\n%s\r\n", sizeof(body) - 1, body);

	return (size_t)n;
}

/* One job: its id into id. */
static void
reserved(struct line *l, char id[32])
{
	const struct fr_span s = hear(l);
	const char *sp;

	if (!fr_span_starts(s, "RESERVED ")) {
		fprintf(stderr, "got %.*s\n", (int)s.len, s.p);
		exit(1);
	}
	sp = memchr(s.p + 9, ' ', s.len - 9);
	if (sp == NULL ||
	    !fr_str_copy(
		id, 32, (struct fr_span){ s.p + 9, (size_t)(sp - s.p - 9) }))
		exit(1);
	skip(l, sizeof(body) - 1 + 2);
}

struct part {
	pthread_t thread;
	int64_t jobs;
	int64_t window;
	struct line line;
};

static void *
submit(void *arg)
{
	struct part *p = arg;
	char one[512];
	const size_t len = put_text(one, sizeof(one));
	char *many = malloc(len * (size_t)p->window);
	int64_t i, n;

	for (i = 0; i < p->window; i++)
		memcpy(many + len * (size_t)i, one, len);
	for (; p->jobs > 0; p->jobs -= n) {
		n = p->jobs < p->window ? p->jobs : p->window;
		say(&p->line, many, len * (size_t)n);
		for (i = 0; i < n; i++)
			expect(&p->line, "INSERTED");
	}
	free(many);
	return NULL;
}

static void *
drain(void *arg)
{
	struct part *p = arg;
	char id[32], text[64];
	int n;

	for (; p->jobs > 0; p->jobs--) {
		say(&p->line, "reserve\r\n", 9);
		reserved(&p->line, id);
		n = snprintf(text, sizeof(text), "delete %s\r\n", id);
		say(&p->line, text, (size_t)n);
		expect(&p->line, "DELETED");
	}
	return NULL;
}

static void
launch(struct part *p, int64_t n, int64_t jobs, int64_t window,
    void *(*what)(void *))
{
	int64_t i;

	for (i = 0; i < n; i++) {
		p[i].jobs = jobs / n;
		p[i].window = window;
		dial(&p[i].line);
		if (pthread_create(&p[i].thread, NULL, what, &p[i]) != 0)
			die("thread");
	}
}

static void
join(struct part *p, int64_t n)
{
	int64_t i;

	for (i = 0; i < n; i++) {
		(void)pthread_join(p[i].thread, NULL);
		(void)close(p[i].line.fd);
	}
}

static int
cmp(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* A worker that waits, and one job at a time: sent at, arrived at. */
struct watch {
	struct line line;
	int64_t got_us;
	pthread_mutex_t lock;
	pthread_cond_t news;
};

static void *
watch(void *arg)
{
	struct watch *w = arg;
	char id[32], text[64];
	int64_t us;
	int n;

	for (;;) {
		say(&w->line, "reserve\r\n", 9);
		reserved(&w->line, id);
		us = fr_time_mono_us();
		n = snprintf(text, sizeof(text), "delete %s\r\n", id);
		say(&w->line, text, (size_t)n);
		expect(&w->line, "DELETED");
		pthread_mutex_lock(&w->lock);
		w->got_us = us;
		pthread_cond_signal(&w->news);
		pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

static void
latency(int64_t jobs)
{
	static struct watch w = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.news = PTHREAD_COND_INITIALIZER };
	static struct line l;
	struct fr_vec full = FR_VEC_OF(int64_t), acked = FR_VEC_OF(int64_t);
	pthread_t t;
	char one[512];
	const size_t len = put_text(one, sizeof(one));
	int64_t i, sent, ack;

	dial(&w.line);
	dial(&l);
	if (pthread_create(&t, NULL, watch, &w) != 0)
		die("thread");
	for (i = 0; i < jobs; i++) {
		(void)usleep(2000); /* the worker waits again by then */
		w.got_us = 0;
		sent = fr_time_mono_us();
		say(&l, one, len);
		expect(&l, "INSERTED");
		ack = fr_time_mono_us();
		pthread_mutex_lock(&w.lock);
		while (w.got_us == 0)
			(void)pthread_cond_wait(&w.news, &w.lock);
		*(int64_t *)fr_vec_add(&full) = w.got_us - sent;
		*(int64_t *)fr_vec_add(&acked) =
		    w.got_us > ack ? w.got_us - ack : 0;
		pthread_mutex_unlock(&w.lock);
	}
	qsort(full.p, full.n, full.each, cmp);
	qsort(acked.p, acked.n, acked.each, cmp);
	printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
	    ((int64_t *)full.p)[jobs / 2], ((int64_t *)full.p)[jobs * 99 / 100],
	    ((int64_t *)acked.p)[jobs / 2],
	    ((int64_t *)acked.p)[jobs * 99 / 100]);
	fflush(stdout);
	_exit(0);
}

int
main(int argc, char *argv[])
{
	int64_t n[4] = { 0, 10000, 1, 1 };
	struct part *a, *b;
	int64_t t;
	int i;

	for (i = 0; i < 4 && argc > (i == 0 ? 1 : i + 2); i++)
		if (fr_str_i64(fr_span_of(argv[i == 0 ? 1 : i + 2]), 1,
			100000000, &n[i]) != FR_OK)
			argc = 0;
	if (argc < 4) {
		fprintf(stderr, "usage: beanstalkd PORT "
				"submit|drain|both|latency JOBS [N [M]]\n");
		return 64;
	}
	port = (uint16_t)n[0];
	if (strcmp(argv[2], "latency") == 0)
		latency(n[1]);
	a = calloc((size_t)n[2], sizeof(*a));
	b = calloc((size_t)n[3], sizeof(*b));
	if (a == NULL || b == NULL)
		die("calloc");
	t = fr_time_mono_us();
	if (strcmp(argv[2], "submit") == 0) {
		launch(a, n[2], n[1], n[3], submit);
		join(a, n[2]);
	} else if (strcmp(argv[2], "drain") == 0) {
		launch(a, n[2], n[1], 1, drain);
		join(a, n[2]);
	} else {
		launch(b, n[3], n[1], 1, drain);
		launch(a, n[2], n[1], 1, submit);
		join(a, n[2]);
		join(b, n[3]);
	}
	t = fr_time_mono_us() - t;
	printf("%.0f\n", (double)(n[1] / n[2] * n[2]) * 1e6 / (double)t);
	free(a);
	free(b);
	return 0;
}
