/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "on_store.h"

/*
 * What was committed is there after reopening and after kill -9. A child
 * writes and counts in shared memory what the store has acknowledged; it is
 * killed somewhere, and the rest is judged by a new handle.
 */
#define BATCHES 100
#define BATCH 7
#define WAIT_MS 30000

struct board {
	_Atomic int acked; /* how many commits have said FR_OK */
	_Atomic int failed;
	_Atomic int armed; /* a transaction is open */
	int stop;          /* the writer rests after so many commits */
};

static struct board *
board_new(struct fr_check *c)
{
	struct board *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	WANT(c, b != MAP_FAILED);
	return b;
}

static void
nap(long us)
{
	const struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	(void)nanosleep(&t, NULL);
}

/* Lets child go on until *what is at least n, then us longer; kills it. */
static void
kill_after(struct fr_check *c, pid_t child, struct board *b, _Atomic int *what,
    int n, long us)
{
	const int64_t end_ms = fr_time_mono_ms() + WAIT_MS;
	int status = 0;

	while (atomic_load(what) < n && atomic_load(&b->failed) == 0 &&
	       fr_time_mono_ms() < end_ms)
		nap(200);
	nap(us);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, &status, 0);
	WANT_INT(c, atomic_load(&b->failed), 0);
	WANT(c, atomic_load(what) >= n);
}

static struct fr_job *
make_jobs(struct fr_check *c, size_t n)
{
	struct fr_job *j = fr_check_alloc(c, n, sizeof(*j));
	size_t i;

	for (i = 0; i < n; i++) {
		j[i] = fr_st_job(c);
		j[i].data = fr_check_text(c, "{\"n\":%zu}", i);
		fr_st_note(c, &j[i].id);
	}
	return j;
}

static _Noreturn void
child_failed(struct board *b)
{
	atomic_store(&b->failed, 1);
	for (;;)
		(void)pause();
}

static struct fr_store *
child_open(const struct fr_conform *conf, struct board *b)
{
	struct fr_store *s = NULL;

	if (conf->open_store(&s, conf->url, 0, NULL) != FR_OK)
		child_failed(b);
	return s;
}

static _Noreturn void
write_jobs(
    const struct fr_conform *conf, struct board *b, const struct fr_job *j)
{
	struct fr_store *s = child_open(conf, b);
	struct fr_created out[BATCH];
	int i;

	for (i = 0; i < b->stop; i++) {
		if (s->ops->begin(s, NULL) != FR_OK ||
		    s->ops->create(s, j + i * BATCH, BATCH, out, NULL) !=
			FR_OK ||
		    s->ops->commit(s, NULL) != FR_OK)
			child_failed(b);
		atomic_fetch_add(&b->acked, 1);
	}
	for (;;)
		(void)pause();
}

static void
killed_while_creating(struct fr_check *c)
{
	struct board *b = board_new(c);
	struct fr_job *j;
	int round, rest, i, k, n, acked;
	pid_t child;

	/* Killed somewhere while it writes; or at rest, soon after a commit. */
	for (round = 0; round < 8; round++) {
		rest = 3 + (int)fr_rand_below(&c->rand, 30);
		b->stop = round < 4 ? BATCHES : rest;
		j = make_jobs(c, (size_t)BATCHES * BATCH);
		atomic_store(&b->acked, 0);
		fr_st_close_all(c);
		child = fork();
		if (child == 0)
			write_jobs(c->conf, b, j);
		WANT(c, child > 0);
		kill_after(c, child, b, &b->acked, rest,
		    (long)fr_rand_below(&c->rand, 3000));
		fr_st_reopen(c);
		acked = atomic_load(&b->acked);
		for (i = 0; i < BATCHES; i++) {
			for (n = 0, k = 0; k < BATCH; k++)
				n += fr_st_find(c, j[i * BATCH + k].id) != NULL;
			if (i < acked)
				WANT_INT(c, n, BATCH);
			/* One may have been committed and not told. */
			WANT(c, n == 0 || (n == BATCH && i <= acked));
		}
		for (k = 0; k < acked * BATCH; k++)
			fr_st_same(c, fr_st_get(c, j[k].id), &j[k]);
		WANT(c, fr_st_stats(c, c->type).n[FR_STATE_QUEUED] >=
			    acked * BATCH);
	}
	(void)munmap(b, sizeof(*b));
}

static enum fr_rc
see_nothing(void *arg, const struct fr_job *job)
{
	(void)arg;
	(void)job;
	return FR_OK;
}

/* Each job in two commits: leased, then complete. */
static _Noreturn void
work_off(const struct fr_conform *conf, struct board *b,
    const struct fr_grant *g, int n)
{
	struct fr_store *s = child_open(conf, b);
	struct fr_report r = { .value = FR_SPAN("\"done\""), .now_ms = 9 };
	int i;

	for (i = 0; i < n; i++) {
		if (s->ops->begin(s, NULL) != FR_OK ||
		    s->ops->lease(s, &g[i], 1, see_nothing, NULL, NULL) !=
			FR_OK ||
		    s->ops->commit(s, NULL) != FR_OK)
			child_failed(b);
		atomic_fetch_add(&b->acked, 1);
		r.id = g[i].id;
		r.token = g[i].token;
		if (s->ops->begin(s, NULL) != FR_OK ||
		    s->ops->complete(s, &r, 1, NULL) != FR_OK ||
		    s->ops->commit(s, NULL) != FR_OK || r.rc != FR_OK)
			child_failed(b);
		atomic_fetch_add(&b->acked, 1);
	}
	for (;;)
		(void)pause();
}

#define WORK 150

static void
killed_while_working(struct fr_check *c)
{
	struct board *b = board_new(c);
	struct fr_grant *g = fr_check_alloc(c, WORK, sizeof(*g));
	struct fr_job *j = make_jobs(c, WORK);
	const struct fr_job *got;
	int i, acked;
	pid_t child;

	for (i = 0; i < WORK; i++)
		g[i] = (struct fr_grant){ .id = j[i].id,
			.token = fr_check_token(c),
			.worker = FR_SPAN("doomed"),
			.now_ms = c->t0,
			.until_ms = c->t0 + 1000 };
	fr_st_create(c, j, WORK);
	fr_st_close_all(c);
	child = fork();
	if (child == 0)
		work_off(c->conf, b, g, WORK);
	WANT(c, child > 0);
	kill_after(
	    c, child, b, &b->acked, 25, (long)fr_rand_below(&c->rand, 3000));
	fr_st_reopen(c);
	acked = atomic_load(&b->acked);
	for (i = 0; i < WORK; i++) {
		got = fr_st_get(c, j[i].id);
		if (2 * i + 1 < acked) {
			WANT_INT(c, got->state, FR_STATE_COMPLETE);
			WANT_SPAN(c, got->result, FR_SPAN("\"done\""));
		} else if (2 * i < acked) {
			/* Its lease left the store before the kill. */
			WANT(c, got->state == FR_STATE_RUNNING ||
				    got->state == FR_STATE_COMPLETE);
		} else if (2 * i > acked) {
			WANT_INT(c, got->state, FR_STATE_QUEUED);
		}
		if (2 * i < acked) {
			WANT_INT(c, got->attempt, 1);
			/* What has ended need not show its lease. */
			WANT(c, got->state != FR_STATE_RUNNING ||
				    fr_token_eq(&got->lease, &g[i].token));
		}
	}
	(void)munmap(b, sizeof(*b));
}

static _Noreturn void
hold_open(
    const struct fr_conform *conf, struct board *b, const struct fr_job *j)
{
	struct fr_store *s = child_open(conf, b);
	struct fr_created out[BATCH];

	if (s->ops->begin(s, NULL) != FR_OK ||
	    s->ops->create(s, j, BATCH, out, NULL) != FR_OK)
		child_failed(b);
	atomic_store(&b->armed, 1);
	for (;;)
		(void)pause();
}

static void
killed_within(struct fr_check *c)
{
	struct board *b = board_new(c);
	struct fr_job *j = make_jobs(c, BATCH);
	int64_t begun_ms;
	pid_t child;
	size_t i;

	fr_st_close_all(c);
	child = fork();
	if (child == 0)
		hold_open(c->conf, b, j);
	WANT(c, child > 0);
	kill_after(c, child, b, &b->armed, 1, 0);
	begun_ms = fr_time_mono_ms();
	fr_st_reopen(c);
	for (i = 0; i < BATCH; i++)
		WANT(c, fr_st_find(c, j[i].id) == NULL);
	fr_st_create(c, j, BATCH);
	WANT(c, fr_time_mono_ms() - begun_ms < 10000);
	(void)munmap(b, sizeof(*b));
}

static void
reopened(struct fr_check *c)
{
	const struct fr_job *was[FR_STATES];
	struct fr_token token[FR_STATES];
	struct fr_counts before, after;
	struct fr_job j = fr_st_job(c);
	struct fr_uuid id;
	unsigned s;

	for (s = 0; s < FR_STATES; s++)
		was[s] =
		    fr_st_get(c, fr_st_make(c, (enum fr_state)s, &token[s]));
	j.key = FR_SPAN("kept");
	fr_st_create(c, &j, 1);
	before = fr_st_stats(c, c->type);
	fr_st_reopen(c);
	for (s = 0; s < FR_STATES; s++)
		fr_st_same(c, fr_st_get(c, was[s]->id), was[s]);
	after = fr_st_stats(c, c->type);
	WANT(c, memcmp(before.n, after.n, sizeof(after.n)) == 0);
	/* What was remembered still decides. */
	WANT_RC(c,
	    fr_st_report(c, c->s->ops->complete, was[FR_STATE_COMPLETE]->id,
		token[FR_STATE_COMPLETE]),
	    FR_EXISTS);
	MUST(c, fr_st_report(c, c->s->ops->complete, was[FR_STATE_RUNNING]->id,
		    token[FR_STATE_RUNNING]));
	WANT_RC(c, fr_st_try(c, &j, NULL), FR_EXISTS);
	j.id = fr_check_id(c);
	WANT_RC(c, fr_st_try(c, &j, &id), FR_EXISTS);
}

static void
repeat_after_reopening(struct fr_check *c)
{
	struct fr_uuid id = fr_st_new(c);
	struct fr_token a = fr_st_lease(c, id);

	MUST(c, fr_st_report(c, c->s->ops->count_failed, id, a));
	(void)fr_st_lease(c, id);
	fr_st_reopen(c);
	WANT_RC(c, fr_st_report(c, c->s->ops->complete, id, a), FR_EXISTS);
	WANT_INT(c, fr_st_in(c, id, FR_STATE_RUNNING)->attempt, 2);
	WANT_INT(c, fr_st_get(c, id)->fail_count, 1);
}

static void
walk_after_reopening(struct fr_check *c)
{
	struct fr_job *j = make_jobs(c, 30);
	struct fr_seen_tickets seen = { .c = c };
	struct fr_seen_jobs list = { .c = c };
	struct fr_list l = { .states = FR_STATE_ALL,
		.type = fr_span_of(c->type),
		.limit = 100 };
	int64_t cursor = 0;
	size_t i, n;

	fr_st_create(c, j, 15);
	fr_st_reopen(c);
	fr_st_create(c, j + 15, 15);
	do {
		n = 100;
		MUST(c, c->s->ops->get_queue(c->s, NULL, false, &cursor, &n,
			    fr_see_ticket, &seen, &c->err));
	} while (n == 100);
	MUST(c, c->s->ops->list(c->s, &l, fr_see_job, &list, &c->err));
	WANT_INT(c, seen.n, 30);
	WANT_INT(c, list.n, 30);
	for (i = 0; i < 30; i++) {
		WANT(c, fr_uuid_eq(&seen.v[i].id, &j[i].id));
		WANT(c, fr_uuid_eq(&list.v[29 - i].id, &j[i].id));
	}
}

static void
pause_after_reopening(struct fr_check *c)
{
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->pause(c->s, c->type, true, &c->err));
	fr_st_commit(c, c->s);
	fr_st_reopen(c);
	WANT(c, fr_st_stats(c, c->type).paused);
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->pause(c->s, c->type, false, &c->err));
	fr_st_commit(c, c->s);
	fr_st_reopen(c);
	WANT(c, !fr_st_stats(c, c->type).paused);
}

const struct fr_case fr_cases_crash[] = {
	{ "jobs in every state are as they were after reopening", reopened,
	    FR_NEED_DURABLE },
	{ "a repeated report is known as such after reopening",
	    repeat_after_reopening, FR_NEED_DURABLE },
	{ "the walk and the list are in order of creation over a reopening",
	    walk_after_reopening, FR_NEED_DURABLE },
	{ "a paused type is remembered after reopening", pause_after_reopening,
	    FR_NEED_DURABLE },
	{ "of a writer killed with -9 all that was acknowledged is there, and "
	  "batches are whole",
	    killed_while_creating, FR_NEED_DURABLE },
	{ "of a worker killed with -9 every acknowledged lease and result is "
	  "there",
	    killed_while_working, FR_NEED_DURABLE },
	{ "a transaction whose process is killed is undone and holds nobody "
	  "up",
	    killed_within, FR_NEED_DURABLE },
	{ NULL, NULL, 0 },
};
