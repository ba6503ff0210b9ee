/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include <fr/queue.h>

#include "backends/registry.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"

/*
 * How fast is a queue? queue_bench [-b BATCH] [-n JOBS] [-t TYPES] [-p WAIT]
 * URL
 *
 * Puts WAIT jobs in, then in turn pushes a batch and pops one, JOBS in all.
 * Each line: what, nanoseconds a job, and the slowest batch. Ids are those of
 * version 7, as the manager makes them.
 */

struct bench {
	struct fr_queue *q;
	struct fr_err err;
	struct fr_rand rand;
	struct fr_uuid_gen gen;
	size_t batch, jobs, wait, types;
	struct fr_ticket *t;
	char (*name)[16];
	const char **names;
};

struct lap {
	int64_t sum_us, slowest_us;
};

static void
check(struct bench *b, enum fr_rc rc)
{
	if (rc == FR_OK)
		return;
	fprintf(stderr, "queue_bench: %s: %s\n", fr_rc_name(rc), b->err.msg);
	exit(1);
}

static void
lap(struct lap *l, int64_t since_us)
{
	const int64_t t = fr_time_mono_us() - since_us;

	l->sum_us += t;
	if (t > l->slowest_us)
		l->slowest_us = t;
}

static void
say(const char *what, const struct lap *l, size_t n)
{
	printf("%-8s %8.1f ns/job  slowest batch %8.3f ms\n", what,
	    (double)l->sum_us * 1e3 / (double)n, (double)l->slowest_us / 1e3);
	fflush(stdout);
}

static void
push(struct bench *b, size_t n, struct lap *l)
{
	int64_t t;
	size_t i;

	for (i = 0; i < n; i++)
		b->t[i] = (struct fr_ticket){
			.id = fr_uuid_new(&b->gen, fr_time_wall_ms(), &b->rand),
			.type = b->names[i % b->types],
		};
	t = fr_time_mono_us();
	check(b, b->q->ops->push(b->q, b->t, n, &b->err));
	lap(l, t);
}

static void
pop(struct bench *b, size_t n, struct lap *l)
{
	const int64_t t = fr_time_mono_us();
	size_t got;

	for (; n > 0; n -= got) {
		got = n;
		check(b, b->q->ops->pop(
			     b->q, b->names, b->types, b->t, &got, &b->err));
		if (got == 0)
			break;
	}
	lap(l, t);
}

static void
run(struct bench *b)
{
	struct lap fill = { 0, 0 }, in = { 0, 0 }, out = { 0, 0 };
	size_t i, n;

	for (i = 0; i < b->wait; i += n) {
		n = b->wait - i < b->batch ? b->wait - i : b->batch;
		push(b, n, &fill);
	}
	if (b->wait > 0)
		say("fill", &fill, b->wait);
	for (i = 0; i < b->jobs; i += b->batch) {
		push(b, b->batch, &in);
		pop(b, b->batch, &out);
	}
	say("push", &in, i);
	say("pop", &out, i);
}

static size_t
size_arg(const char *text)
{
	int64_t v;

	if (fr_str_i64(fr_span_of(text), 1, 100000000, &v) != FR_OK) {
		fprintf(stderr, "queue_bench: %s: not a number\n", text);
		exit(64);
	}
	return (size_t)v;
}

int
main(int argc, char *argv[])
{
	struct bench b = { .batch = 1000, .jobs = 1000000, .types = 1 };
	size_t i;
	int c;

	while ((c = getopt(argc, argv, "b:n:p:t:")) != -1) {
		if (c == 'b')
			b.batch = size_arg(optarg);
		else if (c == 'n')
			b.jobs = size_arg(optarg);
		else if (c == 'p')
			b.wait = size_arg(optarg);
		else if (c == 't')
			b.types = size_arg(optarg);
		else
			return 64;
	}
	if (optind + 1 != argc) {
		fputs("usage: queue_bench [-b BATCH] [-n JOBS] [-t TYPES] "
		      "[-p WAIT] URL\n",
		    stderr);
		return 64;
	}
	fr_rand_init(&b.rand);
	b.t = calloc(b.batch, sizeof(*b.t));
	b.name = calloc(b.types, sizeof(*b.name));
	b.names = calloc(b.types, sizeof(*b.names));
	if (b.t == NULL || b.name == NULL || b.names == NULL)
		return 1;
	for (i = 0; i < b.types; i++) {
		if (!fr_str_format(b.name[i], sizeof(b.name[i]), "type%zu", i))
			return 1;
		b.names[i] = b.name[i];
	}
	check(&b, fr_registry_queue(&b.q, argv[optind], &b.err));
	run(&b);
	b.q->ops->close(b.q);
	free(b.t);
	free(b.name);
	free(b.names);
	return 0;
}
