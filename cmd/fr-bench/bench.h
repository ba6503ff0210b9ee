/* SPDX-License-Identifier: MIT */
#ifndef FR_BENCH_H
#define FR_BENCH_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"
#include "cli/prog.h"
#include "conn.h"

/* One measurement: what was asked for, and what came out. */
struct bench {
	/* options */
	const char *manager;
	const char *token_file;
	const char *type;
	int64_t jobs;
	int64_t connections;
	int64_t workers;
	int64_t batch;
	int64_t slots;
	size_t size;
	bool json;

	struct target target;
	struct event_base *base;
	struct fr_buf data; /* of a job */
	struct fr_err err;  /* why it failed, if it did */
	struct fr_vec rows; /* struct figure */
};

struct figure {
	char name[48];
	double value;
	const char *unit;
};

void figure_add(
    struct bench *b, const char *name, double value, const char *unit);
/* p50, p99 and the largest of times in microseconds; sorts them. */
void figure_times(struct bench *b, const char *name, struct fr_vec *times_us);

/* Ends the loop: with a failure, or because all is done. */
void bench_fail(
    struct bench *b, const char *what, int status, struct fr_span body);
void bench_done(struct bench *b);

/* The modes; each is whole: it connects, measures, adds figures. */
FR_MUSTCHECK enum fr_rc bench_submit(struct bench *b);
FR_MUSTCHECK enum fr_rc bench_drain(struct bench *b);
FR_MUSTCHECK enum fr_rc bench_both(struct bench *b);
FR_MUSTCHECK enum fr_rc bench_latency(struct bench *b);
FR_MUSTCHECK enum fr_rc bench_idle(struct bench *b);
FR_MUSTCHECK enum fr_rc bench_backlog(struct bench *b);

/* Load that the modes are made of (load.c). */
struct producer {
	struct bench *b;
	struct conn *conns;
	size_t n;
	struct fr_buf request;
	int64_t per_request;
	int64_t left;           /* jobs not sent yet */
	int64_t unanswered;     /* requests */
	int64_t accepted;       /* jobs */
	struct fr_vec times_us; /* int64_t: of each request */
	void (*done)(struct producer *p);
};
FR_MUSTCHECK enum fr_rc producer_open(
    struct producer *p, struct bench *b, size_t conns, int64_t per_request);
/* Sends jobs jobs in all; done is called when all are accepted. */
void producer_run(struct producer *p, int64_t jobs);
void producer_close(struct producer *p);

struct consumer {
	struct bench *b;
	struct conn *conns;
	struct worker *w;
	size_t n;
	int64_t slots;
	int64_t want; /* jobs to be finished */
	int64_t finished;
	int64_t wait_s;
	bool (*seen)(struct consumer *k, size_t jobs); /* NULL: fine */
	void (*done)(struct consumer *k);
	void *arg;
};
FR_MUSTCHECK enum fr_rc consumer_open(
    struct consumer *k, struct bench *b, size_t conns, int64_t slots);
/* Takes and finishes jobs until want are acknowledged as finished. */
void consumer_run(struct consumer *k, int64_t want);
void consumer_close(struct consumer *k);

/* Seconds since t_us on the monotonic clock. */
double bench_seconds(int64_t t_us);

#endif
