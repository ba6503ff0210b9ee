/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "bench.h"

/* What is measured, made of producers and consumers. */

#define BULK 1000 /* jobs a request when only the backlog counts */

static void
stop_producer(struct producer *p)
{
	bench_done(p->b);
}

/* All is submitted; whoever ends last is the consumer. */
static void
let_producer(struct producer *p)
{
	(void)p;
}

static void
stop_consumer(struct consumer *k)
{
	bench_done(k->b);
}

static enum fr_rc
run(struct bench *b)
{
	b->err.rc = FR_OK;
	(void)event_base_dispatch(b->base);
	return b->err.rc;
}

/* Submits n jobs and gives the rate. */
static enum fr_rc
submit_some(struct bench *b, size_t conns, int64_t per_request, int64_t n,
    double *rate, struct fr_vec *times_us)
{
	struct producer p;
	enum fr_rc rc;
	int64_t t;

	rc = producer_open(&p, b, conns, per_request);
	if (rc == FR_OK) {
		p.done = stop_producer;
		t = fr_time_mono_us();
		producer_run(&p, n);
		rc = run(b);
		*rate = (double)p.accepted / bench_seconds(t);
	}
	if (times_us != NULL) {
		*times_us = p.times_us;
		p.times_us = (struct fr_vec)FR_VEC_OF(int64_t);
	}
	producer_close(&p);
	return rc;
}

static enum fr_rc
drain_some(
    struct bench *b, size_t conns, int64_t slots, int64_t n, double *rate)
{
	struct consumer k;
	enum fr_rc rc;
	int64_t t;

	rc = consumer_open(&k, b, conns, slots);
	if (rc == FR_OK) {
		k.done = stop_consumer;
		t = fr_time_mono_us();
		consumer_run(&k, n);
		rc = run(b);
		*rate = (double)k.finished / bench_seconds(t);
	}
	consumer_close(&k);
	return rc;
}

enum fr_rc
bench_submit(struct bench *b)
{
	struct fr_vec times = FR_VEC_OF(int64_t);
	double rate = 0;
	enum fr_rc rc;

	rc = submit_some(
	    b, (size_t)b->connections, b->batch, b->jobs, &rate, &times);
	if (rc == FR_OK) {
		figure_add(b, "submit", rate, "jobs/s");
		figure_times(b, "submit", &times);
	}
	fr_vec_fini(&times);
	return rc;
}

enum fr_rc
bench_drain(struct bench *b)
{
	double rate = 0;
	enum fr_rc rc;

	rc = submit_some(b, 4, BULK, b->jobs, &rate, NULL);
	if (rc == FR_OK)
		rc =
		    drain_some(b, (size_t)b->workers, b->slots, b->jobs, &rate);
	if (rc == FR_OK)
		figure_add(b, "drain", rate, "jobs/s");
	return rc;
}

enum fr_rc
bench_both(struct bench *b)
{
	struct producer p;
	struct consumer k;
	enum fr_rc rc;
	int64_t t;

	rc = producer_open(&p, b, (size_t)b->connections, b->batch);
	if (rc == FR_OK)
		rc = consumer_open(&k, b, (size_t)b->workers, b->slots);
	else
		memset(&k, 0, sizeof(k));
	if (rc == FR_OK) {
		p.done = let_producer;
		k.done = stop_consumer;
	}
	if (rc == FR_OK) {
		t = fr_time_mono_us();
		consumer_run(&k, b->jobs);
		producer_run(&p, b->jobs);
		rc = run(b);
		if (rc == FR_OK)
			figure_add(b, "both",
			    (double)b->jobs / bench_seconds(t), "jobs/s");
	}
	producer_close(&p);
	consumer_close(&k);
	return rc;
}

/* ------------------------------------------------------------------ */

struct latency {
	struct producer p;
	struct consumer k;
	struct fr_vec from_submit; /* int64_t us: from sending it */
	struct fr_vec from_ack;    /* from its being durable */
	int64_t sent_us, acked_us, got_us;
	int64_t left;
	bool idle; /* the worker's request has certainly arrived */
	struct event *timer;
};

static void
latency_next(struct latency *l)
{
	/* So long that the worker waits again by then. */
	const struct timeval soon = { 0, 2000 };

	(void)event_add(l->timer, &soon);
}

static void
latency_fire(evutil_socket_t fd, short what, void *arg)
{
	struct latency *l = arg;

	(void)fd;
	(void)what;
	l->acked_us = l->got_us = 0;
	l->sent_us = fr_time_mono_us();
	producer_run(&l->p, 1);
}

static void
latency_note(struct latency *l)
{
	int64_t *v;

	if (l->acked_us == 0 || l->got_us == 0)
		return;
	v = fr_vec_add(&l->from_submit);
	if (v != NULL)
		*v = l->got_us - l->sent_us;
	v = fr_vec_add(&l->from_ack);
	if (v != NULL)
		*v = l->got_us > l->acked_us ? l->got_us - l->acked_us : 0;
	if (--l->left > 0)
		latency_next(l);
	else
		bench_done(l->k.b);
}

static void
latency_acked(struct producer *p)
{
	struct latency *l =
	    (struct latency *)((char *)p - offsetof(struct latency, p));

	l->acked_us = fr_time_mono_us();
	latency_note(l);
}

static bool
latency_seen(struct consumer *k, size_t jobs)
{
	struct latency *l = k->arg;

	if (jobs > 0) {
		l->got_us = fr_time_mono_us();
		latency_note(l);
	}
	return true;
}

enum fr_rc
bench_latency(struct bench *b)
{
	struct latency l = { .from_submit = FR_VEC_OF(int64_t),
		.from_ack = FR_VEC_OF(int64_t),
		.left = b->jobs };
	enum fr_rc rc;

	rc = producer_open(&l.p, b, 1, 1);
	if (rc == FR_OK)
		rc = consumer_open(&l.k, b, (size_t)b->workers, 1);
	l.timer = evtimer_new(b->base, latency_fire, &l);
	if (rc == FR_OK && l.timer != NULL) {
		l.p.done = latency_acked;
		l.k.seen = latency_seen;
		l.k.arg = &l;
		consumer_run(&l.k, INT64_MAX / 2);
		latency_next(&l);
		rc = run(b);
	}
	if (rc == FR_OK) {
		figure_times(b, "start after submit", &l.from_submit);
		figure_times(b, "start after durable", &l.from_ack);
	}
	if (l.timer != NULL)
		event_free(l.timer);
	producer_close(&l.p);
	consumer_close(&l.k);
	fr_vec_fini(&l.from_submit);
	fr_vec_fini(&l.from_ack);
	return rc;
}

enum fr_rc
bench_idle(struct bench *b)
{
	/* The same as latency, with many who wait. */
	return bench_latency(b);
}

enum fr_rc
bench_backlog(struct bench *b)
{
	const int64_t some = 20000;
	double submit[2] = { 0 }, drain[2] = { 0 }, fill = 0;
	enum fr_rc rc = FR_OK;
	int i;

	for (i = 0; i < 2 && rc == FR_OK; i++) {
		rc = submit_some(b, (size_t)b->connections, b->batch, some,
		    &submit[i], NULL);
		if (rc == FR_OK)
			rc = drain_some(
			    b, (size_t)b->workers, b->slots, some, &drain[i]);
		if (rc == FR_OK && i == 0)
			rc = submit_some(b, 4, BULK, b->jobs, &fill, NULL);
	}
	if (rc != FR_OK)
		return rc;
	figure_add(b, "fill", fill, "jobs/s");
	figure_add(b, "submit, empty", submit[0], "jobs/s");
	figure_add(b, "submit, backlog", submit[1], "jobs/s");
	figure_add(b, "submit, ratio", submit[1] / submit[0], "");
	figure_add(b, "drain, empty", drain[0], "jobs/s");
	figure_add(b, "drain, backlog", drain[1], "jobs/s");
	figure_add(b, "drain, ratio", drain[1] / drain[0], "");
	return FR_OK;
}
