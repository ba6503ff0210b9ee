/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <fr/queue.h>
#include <fr/store.h>

#include "backends/registry.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"

/*
 * How fast is a store? store_bench [-b BATCH] [-n JOBS] [-p PRELOAD] URL
 *
 * Puts JOBS jobs of about 100 bytes in, in batches; walks the queue; leases
 * and completes them all, a transaction for each batch of leases and each of
 * results; purges them. With -p it puts so many queued jobs in first that
 * stay there. Each line: what, jobs a second, and the slowest batch.
 */

static const char payload[] =
    "{\"type\":\"noop\",\"foo\":\"bar\",\"n\":12345,\"user\":\"someone@"
    "example.com\",\"note\":\"hello job queue 123\"}";

struct bench {
	struct fr_store *s;
	struct fr_err err;
	struct fr_rand rand;
	struct fr_uuid_gen gen;
	size_t batch, jobs, preload;
	struct fr_grant *g;
	struct fr_report *r;
	struct fr_job *job;
	struct fr_created *created;
	size_t n; /* tickets or rows of the last call */
	int64_t began_us, slowest_us;
};

static void
check(struct bench *b, enum fr_rc rc)
{
	if (rc == FR_OK)
		return;
	fprintf(stderr, "store_bench: %s: %s\n", fr_rc_name(rc), b->err.msg);
	exit(1);
}

static void
start(struct bench *b)
{
	b->began_us = fr_time_mono_us();
	b->slowest_us = 0;
}

static void
lap(struct bench *b, int64_t since_us)
{
	const int64_t t = fr_time_mono_us() - since_us;

	if (t > b->slowest_us)
		b->slowest_us = t;
}

static void
say(struct bench *b, const char *what, size_t n)
{
	const double s = (double)(fr_time_mono_us() - b->began_us) / 1e6;

	printf("%-16s %10.0f jobs/s  slowest batch %6.1f ms\n", what,
	    (double)n / s, (double)b->slowest_us / 1e3);
	fflush(stdout);
}

static void
insert(struct bench *b, size_t n)
{
	const struct fr_store_ops *ops = b->s->ops;
	const int64_t now = fr_time_wall_ms();
	int64_t t;
	size_t i, k;

	for (i = 0; i < n; i += k) {
		for (k = 0; k < b->batch && i + k < n; k++)
			b->job[k] = (struct fr_job){
				.id = fr_uuid_new(
				    &b->gen, fr_time_wall_ms(), &b->rand),
				.type = FR_SPAN("noop"),
				.data = { payload, sizeof(payload) - 1 },
				.state = FR_STATE_QUEUED,
				.max_attempts = 3,
				.created_ms = now,
				.run_at_ms = now,
			};
		t = fr_time_mono_us();
		check(b, ops->begin(b->s, &b->err));
		check(b, ops->create(b->s, b->job, k, b->created, &b->err));
		check(b, ops->commit(b->s, &b->err));
		lap(b, t);
	}
}

static enum fr_rc
count_ticket(void *arg, const struct fr_ticket *t)
{
	struct bench *b = arg;

	(void)t;
	b->n++;
	return FR_OK;
}

static size_t
walk(struct bench *b)
{
	int64_t cursor = 0, t;
	size_t n;

	b->n = 0;
	do {
		n = 1000;
		t = fr_time_mono_us();
		check(b, b->s->ops->get_queue(b->s, NULL, false, &cursor, &n,
			     count_ticket, b, &b->err));
		lap(b, t);
	} while (n == 1000);
	return b->n;
}

static enum fr_rc
take_ticket(void *arg, const struct fr_ticket *t)
{
	struct bench *b = arg;

	b->g[b->n++].id = t->id;
	return FR_OK;
}

static enum fr_rc
take_row(void *arg, const struct fr_job *job)
{
	struct bench *b = arg;

	b->r[b->n].id = job->id;
	b->r[b->n].token = job->lease;
	b->n++;
	return FR_OK;
}

/* One batch through its life; how many there were. */
static size_t
turn(struct bench *b, int64_t *cursor)
{
	const struct fr_store_ops *ops = b->s->ops;
	const int64_t now = fr_time_wall_ms();
	size_t n = b->batch, i;

	b->n = 0;
	check(b, ops->get_queue(
		     b->s, NULL, false, cursor, &n, take_ticket, b, &b->err));
	for (i = 0; i < n; i++) {
		fr_rand_fill(&b->rand, b->g[i].token.b, sizeof(b->g[i].token));
		b->g[i].worker = FR_SPAN("worker-host-12345-67890abcdef");
		b->g[i].now_ms = now;
		b->g[i].until_ms = now + 15000;
	}
	b->n = 0;
	check(b, ops->begin(b->s, &b->err));
	check(b, ops->lease(b->s, b->g, n, take_row, b, &b->err));
	check(b, ops->commit(b->s, &b->err));
	for (i = 0; i < b->n; i++) {
		b->r[i].value = FR_SPAN("{\"ack\":\"PONG\"}");
		b->r[i].now_ms = now;
	}
	check(b, ops->begin(b->s, &b->err));
	check(b, ops->complete(b->s, b->r, b->n, &b->err));
	check(b, ops->commit(b->s, &b->err));
	return n;
}

static size_t
drain(struct bench *b)
{
	int64_t cursor = 0, t;
	size_t all = 0, n;

	do {
		t = fr_time_mono_us();
		n = turn(b, &cursor);
		lap(b, t);
		all += n;
	} while (n == b->batch && all < b->jobs);
	return all;
}

static size_t
purge(struct bench *b)
{
	size_t all = 0, n;
	int64_t t;

	do {
		n = b->batch;
		t = fr_time_mono_us();
		check(b, b->s->ops->begin(b->s, &b->err));
		check(b, b->s->ops->purge(
			     b->s, FR_STATE_ENDED, INT64_MAX, &n, &b->err));
		check(b, b->s->ops->commit(b->s, &b->err));
		lap(b, t);
		all += n;
	} while (n == b->batch);
	return all;
}

static size_t
size_arg(const char *text)
{
	int64_t v;

	if (fr_str_i64(fr_span_of(text), 1, 100000000, &v) != FR_OK) {
		fprintf(stderr, "store_bench: %s: not a number\n", text);
		exit(64);
	}
	return (size_t)v;
}

static void
run(struct bench *b)
{
	struct rusage ru;
	size_t n;

	if (b->preload > 0) {
		start(b);
		insert(b, b->preload);
		say(b, "preload", b->preload);
	}
	start(b);
	insert(b, b->jobs);
	say(b, "insert", b->jobs);
	start(b);
	n = walk(b);
	say(b, "walk", n);
	start(b);
	n = drain(b);
	say(b, "lease+complete", n);
	start(b);
	n = purge(b);
	say(b, "purge", n);
	getrusage(RUSAGE_SELF, &ru);
	printf("%-16s %10ld KiB\n", "most resident", ru.ru_maxrss);
}

int
main(int argc, char *argv[])
{
	struct bench b = { .batch = 1000, .jobs = 200000 };
	int c;

	while ((c = getopt(argc, argv, "b:n:p:")) != -1) {
		if (c == 'b')
			b.batch = size_arg(optarg);
		else if (c == 'n')
			b.jobs = size_arg(optarg);
		else if (c == 'p')
			b.preload = size_arg(optarg);
		else
			return 64;
	}
	if (optind + 1 != argc) {
		fputs("usage: store_bench [-b BATCH] [-n JOBS] [-p PRELOAD] "
		      "URL\n",
		    stderr);
		return 64;
	}
	fr_rand_init(&b.rand);
	b.g = calloc(b.batch, sizeof(*b.g));
	b.r = calloc(b.batch, sizeof(*b.r));
	b.job = calloc(b.batch, sizeof(*b.job));
	b.created = calloc(b.batch, sizeof(*b.created));
	if (b.g == NULL || b.r == NULL || b.job == NULL || b.created == NULL)
		return 1;
	check(&b, fr_registry_store(&b.s, argv[optind], 0, &b.err));
	run(&b);
	b.s->ops->close(b.s);
	free(b.g);
	free(b.r);
	free(b.job);
	free(b.created);
	return 0;
}
