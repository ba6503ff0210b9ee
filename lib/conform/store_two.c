/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "on_store.h"

/*
 * Several handles at once, in threads or in processes. What a taker runs
 * must not use the check: it notes its failure and the check looks later.
 */
#define JOBS 120
#define TAKERS 3
#define ROUNDS 40

struct taker {
	const struct fr_conform *conf;
	const struct fr_uuid *ids;
	pthread_barrier_t *start;
	uint64_t seed;
	int64_t now_ms;
	struct fr_token token[JOBS];
	bool got[JOBS];
	enum fr_rc rc;
	struct fr_err err;
};

static enum fr_rc
begin(struct fr_store *s, struct fr_err *err)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	const int64_t end_ms = fr_time_mono_ms() + 20000;
	enum fr_rc rc;

	while ((rc = s->ops->begin(s, err)) == FR_AGAIN &&
	       fr_time_mono_ms() < end_ms)
		(void)nanosleep(&nap, NULL);
	return rc;
}

struct granted {
	struct taker *t;
	bool now[JOBS];
};

static enum fr_rc
see_granted(void *arg, const struct fr_job *job)
{
	struct granted *g = arg;
	size_t i;

	for (i = 0; i < JOBS; i++)
		if (fr_uuid_eq(&g->t->ids[i], &job->id))
			g->now[i] = true;
	return FR_OK;
}

/* Tries to lease these few; what FR_AGAIN undid is tried again. */
static enum fr_rc
take_some(struct taker *t, struct fr_store *s, const size_t *which, size_t n)
{
	struct fr_grant g[8];
	struct granted seen;
	enum fr_rc rc;
	size_t i;

	do {
		seen = (struct granted){ .t = t };
		for (i = 0; i < n; i++)
			g[i] = (struct fr_grant){ .id = t->ids[which[i]],
				.token = t->token[which[i]],
				.worker = FR_SPAN("taker"),
				.now_ms = t->now_ms,
				.until_ms = t->now_ms + 1000 };
		rc = begin(s, &t->err);
		if (rc != FR_OK)
			return rc;
		rc = s->ops->lease(s, g, n, see_granted, &seen, &t->err);
		if (rc != FR_OK)
			s->ops->rollback(s);
		else
			rc = s->ops->commit(s, &t->err);
	} while (rc == FR_AGAIN);
	for (i = 0; rc == FR_OK && i < JOBS; i++)
		t->got[i] = t->got[i] || seen.now[i];
	return rc;
}

static void
run_taker(struct taker *t)
{
	struct fr_store *s = NULL;
	size_t which[8], n, i, k;
	struct fr_rand r;

	fr_rand_seed(&r, t->seed);
	t->rc = t->conf->open_store(&s, t->conf->url, 0, &t->err);
	(void)pthread_barrier_wait(t->start);
	for (i = 0; t->rc == FR_OK && i < JOBS; i += n) {
		n = 1 + fr_rand_below(&r, 8);
		n = n < JOBS - i ? n : JOBS - i;
		/* All go the same way, so that they meet. */
		for (k = 0; k < n; k++)
			which[k] = i + k;
		t->rc = take_some(t, s, which, n);
	}
	if (s != NULL)
		s->ops->close(s);
}

static void *
taker_thread(void *arg)
{
	run_taker(arg);
	return NULL;
}

/* Memory that children share with us. */
static void *
shared(struct fr_check *c, size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	WANT(c, p != MAP_FAILED);
	return p;
}

static void
prepare(struct fr_check *c, struct taker *t, pthread_barrier_t *b,
    struct fr_uuid *ids)
{
	struct fr_job *j = fr_check_alloc(c, JOBS, sizeof(*j));
	size_t i, k;

	for (i = 0; i < JOBS; i++) {
		j[i] = fr_st_job(c);
		ids[i] = j[i].id;
	}
	fr_st_create(c, j, JOBS);
	for (k = 0; k < TAKERS; k++) {
		t[k] = (struct taker){ .conf = c->conf,
			.ids = ids,
			.start = b,
			.seed = fr_rand_u64(&c->rand),
			.now_ms = c->t0,
			.rc = FR_BROKEN };
		for (i = 0; i < JOBS; i++)
			t[k].token[i] = fr_check_token(c);
	}
}

static void
judge(struct fr_check *c, const struct taker *t, const struct fr_uuid *ids)
{
	const struct fr_job *j;
	size_t i, k, n;

	for (k = 0; k < TAKERS; k++)
		if (t[k].rc != FR_OK)
			fr_check_fail(c, __FILE__, __LINE__,
			    "taker %zu: %s: %s", k, fr_rc_name(t[k].rc),
			    t[k].err.msg);
	for (i = 0; i < JOBS; i++) {
		j = fr_st_in(c, ids[i], FR_STATE_RUNNING);
		WANT_INT(c, j->attempt, 1);
		for (n = 0, k = 0; k < TAKERS; k++) {
			n += t[k].got[i];
			if (t[k].got[i])
				WANT(c, fr_token_eq(&j->lease, &t[k].token[i]));
		}
		WANT_INT(c, n, 1);
	}
}

/* Skips where a store has one writer at a time. */
static void
need_writers(struct fr_check *c)
{
	struct fr_store *s = fr_st_open(c, 0);

	c->also[0] = NULL;
	s->ops->close(s);
}

static void
second_writer(struct fr_check *c)
{
	struct fr_store *s = NULL;
	struct fr_uuid id = fr_st_new(c);
	enum fr_rc rc;

	rc = c->conf->open_store(&s, c->conf->url, 0, &c->err);
	c->also[0] = rc == FR_OK ? s : NULL;
	if ((c->s->ops->caps & FR_STORE_SHARED) != 0)
		WANT_RC(c, rc, FR_OK);
	WANT(c, rc == FR_OK || rc == FR_CONFLICT);
	/* Whatever it was told, the first goes on. */
	(void)fr_st_lease(c, id);
	(void)fr_st_in(c, id, FR_STATE_RUNNING);
}

static void
threads(struct fr_check *c)
{
	struct taker *t = fr_check_alloc(c, TAKERS, sizeof(*t));
	struct fr_uuid ids[JOBS];
	pthread_barrier_t start;
	pthread_t id[TAKERS];
	size_t k;

	need_writers(c);
	WANT(c, pthread_barrier_init(&start, NULL, TAKERS) == 0);
	prepare(c, t, &start, ids);
	for (k = 0; k < TAKERS; k++)
		WANT(c, pthread_create(&id[k], NULL, taker_thread, &t[k]) == 0);
	for (k = 0; k < TAKERS; k++)
		(void)pthread_join(id[k], NULL);
	(void)pthread_barrier_destroy(&start);
	judge(c, t, ids);
}

static void
processes(struct fr_check *c)
{
	struct taker *t = shared(c, TAKERS * sizeof(*t));
	pthread_barrier_t *start = shared(c, sizeof(*start));
	pthread_barrierattr_t attr;
	struct fr_uuid ids[JOBS];
	pid_t pid[TAKERS];
	size_t k;

	need_writers(c);
	(void)pthread_barrierattr_init(&attr);
	(void)pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	WANT(c, pthread_barrier_init(start, &attr, TAKERS) == 0);
	prepare(c, t, start, ids);
	/* A child must not inherit a handle. */
	fr_st_close_all(c);
	for (k = 0; k < TAKERS; k++) {
		pid[k] = fork();
		if (pid[k] == 0) {
			run_taker(&t[k]);
			_exit(0);
		}
		WANT(c, pid[k] != -1);
	}
	for (k = 0; k < TAKERS; k++)
		(void)waitpid(pid[k], NULL, 0);
	fr_st_reopen(c);
	judge(c, t, ids);
	(void)munmap(t, TAKERS * sizeof(*t));
	(void)munmap(start, sizeof(*start));
}

/* Two threads that each do one thing to one job at about the same time. */
struct racer {
	struct fr_store *s;
	fr_store_report_fn *report; /* or */
	fr_store_edit_fn *edit;     /* or create */
	struct fr_report r;
	struct fr_edit e;
	struct fr_job job;
	struct fr_created created;
	enum fr_rc rc; /* of the transaction */
	struct fr_err err;
	pthread_barrier_t *start;
};

static enum fr_rc
act(struct racer *x)
{
	if (x->report != NULL)
		return x->report(x->s, &x->r, 1, &x->err);
	if (x->edit != NULL)
		return x->edit(x->s, &x->e, 1, &x->err);
	return x->s->ops->create(x->s, &x->job, 1, &x->created, &x->err);
}

static void *
race_thread(void *arg)
{
	struct racer *x = arg;

	(void)pthread_barrier_wait(x->start);
	do {
		x->rc = begin(x->s, &x->err);
		if (x->rc != FR_OK)
			break;
		x->rc = act(x);
		if (x->rc != FR_OK)
			x->s->ops->rollback(x->s);
		else
			x->rc = x->s->ops->commit(x->s, &x->err);
	} while (x->rc == FR_AGAIN);
	return NULL;
}

static void
race(struct fr_check *c, struct racer x[2])
{
	pthread_barrier_t start;
	pthread_t id[2];
	int i;

	WANT(c, pthread_barrier_init(&start, NULL, 2) == 0);
	for (i = 0; i < 2; i++) {
		x[i].start = &start;
		WANT(c, pthread_create(&id[i], NULL, race_thread, &x[i]) == 0);
	}
	for (i = 0; i < 2; i++)
		(void)pthread_join(id[i], NULL);
	(void)pthread_barrier_destroy(&start);
	for (i = 0; i < 2; i++)
		if (x[i].rc != FR_OK)
			fr_check_fail(c, __FILE__, __LINE__, "%s: %s",
			    fr_rc_name(x[i].rc), x[i].err.msg);
}

static void
complete_against_cancel(struct fr_check *c)
{
	struct fr_store *a = fr_st_open(c, 0), *b = fr_st_open(c, 0);
	struct racer x[2];
	struct fr_token t;
	struct fr_uuid id;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		memset(x, 0, sizeof(x));
		id = fr_st_make(c, FR_STATE_RUNNING, &t);
		x[0].s = a;
		x[0].report = a->ops->complete;
		x[0].r = (struct fr_report){ .id = id,
			.token = t,
			.value = FR_SPAN("1"),
			.now_ms = c->t0 };
		x[1].s = b;
		x[1].edit = b->ops->cancel;
		x[1].e = (struct fr_edit){ .id = id, .now_ms = c->t0 };
		race(c, x);
		if (x[0].r.rc == FR_OK) {
			WANT_RC(c, x[1].e.rc, FR_CONFLICT);
			(void)fr_st_in(c, id, FR_STATE_COMPLETE);
		} else {
			WANT_RC(c, x[0].r.rc, FR_STALE);
			WANT_RC(c, x[1].e.rc, FR_OK);
			(void)fr_st_in(c, id, FR_STATE_CANCELLED);
		}
	}
}

static void
complete_against_failed(struct fr_check *c)
{
	struct fr_store *s[2] = { fr_st_open(c, 0), fr_st_open(c, 0) };
	struct racer x[2];
	struct fr_token t;
	struct fr_uuid id;
	int i, k;

	for (i = 0; i < ROUNDS; i++) {
		memset(x, 0, sizeof(x));
		id = fr_st_make(c, FR_STATE_RUNNING, &t);
		for (k = 0; k < 2; k++) {
			x[k].s = s[k];
			x[k].report = k == 0 ? s[k]->ops->complete
					     : s[k]->ops->count_failed;
			x[k].r = (struct fr_report){ .id = id,
				.token = t,
				.value = FR_SPAN("1"),
				.now_ms = c->t0,
				.run_at_ms = c->t0 + 10000 };
		}
		race(c, x);
		k = x[0].r.rc == FR_OK ? 0 : 1;
		WANT_RC(c, x[k].r.rc, FR_OK);
		WANT_RC(c, x[1 - k].r.rc, FR_EXISTS);
		(void)fr_st_in(
		    c, id, k == 0 ? FR_STATE_COMPLETE : FR_STATE_SCHEDULED);
		WANT_INT(c, fr_st_get(c, id)->fail_count, k);
	}
}

static void
one_key(struct fr_check *c)
{
	struct fr_store *s[2] = { fr_st_open(c, 0), fr_st_open(c, 0) };
	struct racer x[2];
	int i, k;

	for (i = 0; i < ROUNDS; i++) {
		memset(x, 0, sizeof(x));
		for (k = 0; k < 2; k++) {
			x[k].s = s[k];
			x[k].job = fr_st_job(c);
			x[k].job.key = fr_check_text(c, "key %d", i);
			fr_st_note(c, &x[k].job.id);
		}
		race(c, x);
		k = x[0].created.rc == FR_OK ? 0 : 1;
		WANT_RC(c, x[k].created.rc, FR_OK);
		WANT_RC(c, x[1 - k].created.rc, FR_EXISTS);
		WANT(c, fr_uuid_eq(&x[1 - k].created.id, &x[k].job.id));
		WANT(c, fr_st_find(c, x[1 - k].job.id) == NULL);
	}
}

static void
one_id(struct fr_check *c)
{
	struct fr_store *s[2] = { fr_st_open(c, 0), fr_st_open(c, 0) };
	struct racer x[2];
	int i, k;

	for (i = 0; i < ROUNDS; i++) {
		memset(x, 0, sizeof(x));
		for (k = 0; k < 2; k++) {
			x[k].s = s[k];
			x[k].job = fr_st_job(c);
			x[k].job.id = x[0].job.id;
			fr_st_note(c, &x[k].job.id);
		}
		race(c, x);
		k = x[0].created.rc == FR_OK ? 0 : 1;
		WANT_RC(c, x[k].created.rc, FR_OK);
		WANT_RC(c, x[1 - k].created.rc, FR_EXISTS);
		(void)fr_st_in(c, x[0].job.id, FR_STATE_QUEUED);
	}
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_QUEUED], ROUNDS);
}

const struct fr_case fr_cases_two[] = {
	{ "a second writer is let in or refused, and the first goes on",
	    second_writer, 0 },
	{ "of several takers in threads each job is leased to one only",
	    threads, 0 },
	{ "of several takers in processes each job is leased to one only",
	    processes, FR_NEED_PROCESSES },
	{ "of complete and cancel at once exactly one counts",
	    complete_against_cancel, 0 },
	{ "of complete and failed at once exactly one counts",
	    complete_against_failed, 0 },
	{ "two jobs with one key created at once are one job", one_key, 0 },
	{ "one id created twice at once is one job", one_id, 0 },
	{ NULL, NULL, 0 },
};
