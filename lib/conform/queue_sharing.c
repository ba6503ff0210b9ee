/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "on_queue.h"

/* Several handles on one queue; what a taker runs must not use the check. */
#define JOBS 600
#define TAKERS 3
#define WAIT_MS 30000

static void
other_pops(struct fr_check *c)
{
	struct fr_queue *other = fr_qu_open(c);
	struct fr_ticket *t = fr_qu_tickets(c, 20), got[20];
	const char *type = c->type;
	int64_t length = -1;
	size_t n = 20;

	fr_qu_push(c, t, 20);
	MUST(c, other->ops->length(other, type, &length, &c->err));
	WANT_INT(c, length, 20);
	MUST(c, other->ops->pop(other, &type, 1, got, &n, &c->err));
	fr_qu_same(c, got, n, t, 20);
	WANT_INT(c, fr_qu_length(c, c->type), 0);
}

static void
others_order(struct fr_check *c)
{
	struct fr_queue *other = fr_qu_open(c);
	struct fr_ticket *t = fr_qu_tickets(c, 20), w[20];
	size_t i, n = 0;

	for (i = 0; i < 20; i++)
		t[i].priority = i % 4 == 0;
	for (i = 0; i < 20; i++) {
		struct fr_queue *q = i % 2 == 0 ? c->q : other;

		fr_qu_note(c, &t[i], 1);
		MUST(c, q->ops->push(q, &t[i], 1, &c->err));
	}
	for (i = 0; i < 20; i++)
		if (i % 4 == 0)
			w[n++] = t[i];
	for (i = 0; i < 20; i++)
		if (i % 4 != 0)
			w[n++] = t[i];
	fr_qu_drain(c, w, 20);
}

static void
others_changes(struct fr_check *c)
{
	struct fr_queue *other = fr_qu_open(c);
	struct fr_ticket *t = fr_qu_tickets(c, 6), w[5];

	fr_qu_push(c, t, 5);
	MUST(c, other->ops->push(other, t, 5, &c->err)); /* its sweep */
	WANT_INT(c, fr_qu_length(c, c->type), 5);
	MUST(c, other->ops->remove(other, t + 1, 1, &c->err));
	fr_qu_note(c, t + 5, 1);
	MUST(c, other->ops->requeue(other, t + 5, 1, &c->err));
	w[0] = t[5];
	w[1] = t[0];
	memcpy(w + 2, t + 2, 3 * sizeof(*w));
	fr_qu_drain(c, w, 5);
}

static void
stays(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 10);
	struct fr_queue *other;

	fr_qu_push(c, t, 10);
	other = fr_qu_open(c);
	c->also_q[0] = NULL;
	other->ops->close(other);
	WANT_INT(c, fr_qu_length(c, c->type), 10);
	/* One that comes later finds what is there. */
	fr_qu_reopen(c);
	fr_qu_drain(c, t, 10);
}

struct taker {
	const struct fr_conform *conf;
	const char *type;
	const struct fr_uuid *ids;
	pthread_barrier_t *start;
	bool got[JOBS];
	_Atomic int n;
	bool twice;
	bool endless; /* puts back what it takes, until it is killed */
	enum fr_rc rc;
	struct fr_err err;
};

static void
note(struct taker *t, const struct fr_ticket *got, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < JOBS; k++)
			if (fr_uuid_eq(&t->ids[k], &got[i].id))
				break;
		if (k == JOBS || t->got[k])
			t->twice = true;
		else
			t->got[k] = true;
	}
	atomic_fetch_add(&t->n, (int)n);
}

static void
run_taker(struct taker *t)
{
	struct fr_queue *q = NULL;
	struct fr_ticket got[7];
	size_t n = 1;

	t->rc = t->conf->open_queue(&q, t->conf->url, &t->err);
	if (t->start != NULL)
		(void)pthread_barrier_wait(t->start);
	while (t->rc == FR_OK && n > 0) {
		n = 7;
		t->rc = q->ops->pop(q, &t->type, 1, got, &n, &t->err);
		if (t->rc == FR_OK && t->endless) {
			t->rc = q->ops->requeue(q, got, n, &t->err);
			atomic_fetch_add(&t->n, (int)n);
		} else if (t->rc == FR_OK) {
			note(t, got, n);
		}
	}
	if (q != NULL)
		q->ops->close(q);
}

static void *
taker_thread(void *arg)
{
	run_taker(arg);
	return NULL;
}

static void
prepare(struct fr_check *c, struct taker *t, size_t n, struct fr_uuid *ids,
    pthread_barrier_t *start)
{
	struct fr_ticket *v = fr_qu_tickets(c, JOBS);
	size_t i;

	for (i = 0; i < JOBS; i++)
		ids[i] = v[i].id;
	for (i = 0; i < JOBS; i += 100)
		fr_qu_push(c, v + i, 100);
	for (i = 0; i < n; i++) {
		memset(&t[i], 0, sizeof(t[i]));
		t[i].conf = c->conf;
		t[i].type = c->type;
		t[i].ids = ids;
		t[i].start = start;
		t[i].rc = FR_BROKEN;
	}
}

static void
judge(struct fr_check *c, const struct taker *t)
{
	size_t i, k, n;

	for (k = 0; k < TAKERS; k++) {
		if (t[k].rc != FR_OK)
			fr_check_fail(c, __FILE__, __LINE__,
			    "taker %zu: %s: %s", k, fr_rc_name(t[k].rc),
			    t[k].err.msg);
		WANT(c, !t[k].twice);
	}
	for (i = 0; i < JOBS; i++) {
		for (n = 0, k = 0; k < TAKERS; k++)
			n += t[k].got[i];
		WANT_INT(c, n, 1);
	}
	WANT_INT(c, fr_qu_length(c, c->type), 0);
}

static void
threads(struct fr_check *c)
{
	struct taker *t = fr_check_alloc(c, TAKERS, sizeof(*t));
	struct fr_uuid ids[JOBS];
	pthread_barrier_t start;
	pthread_t id[TAKERS];
	size_t k;

	WANT(c, pthread_barrier_init(&start, NULL, TAKERS) == 0);
	prepare(c, t, TAKERS, ids, &start);
	for (k = 0; k < TAKERS; k++)
		WANT(c, pthread_create(&id[k], NULL, taker_thread, &t[k]) == 0);
	for (k = 0; k < TAKERS; k++)
		(void)pthread_join(id[k], NULL);
	(void)pthread_barrier_destroy(&start);
	judge(c, t);
}

static void *
shared(struct fr_check *c, size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	WANT(c, p != MAP_FAILED);
	return p;
}

static pid_t
spawn(struct fr_check *c, struct taker *t)
{
	pid_t pid = fork();

	if (pid == 0) {
		run_taker(t);
		_exit(0);
	}
	WANT(c, pid > 0);
	return pid;
}

static void
processes(struct fr_check *c)
{
	struct taker *t = shared(c, TAKERS * sizeof(*t));
	struct fr_uuid ids[JOBS];
	pid_t pid[TAKERS];
	size_t k;

	prepare(c, t, TAKERS, ids, NULL);
	fr_qu_close_all(c);
	for (k = 0; k < TAKERS; k++)
		pid[k] = spawn(c, &t[k]);
	for (k = 0; k < TAKERS; k++)
		(void)waitpid(pid[k], NULL, 0);
	fr_qu_reopen(c);
	judge(c, t);
	(void)munmap(t, TAKERS * sizeof(*t));
}

/* A taker that is killed may take with it what it had, and no more. */
static void
killed(struct fr_check *c)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	const int64_t end_ms = fr_time_mono_ms() + WAIT_MS;
	struct taker *t = shared(c, sizeof(*t));
	struct fr_ticket got[JOBS];
	struct fr_uuid ids[JOBS];
	size_t n = 0, k;
	pid_t pid;

	prepare(c, t, 1, ids, NULL);
	t->endless = true;
	fr_qu_close_all(c);
	pid = spawn(c, t);
	while (atomic_load(&t->n) < 100 && fr_time_mono_ms() < end_ms)
		(void)nanosleep(&nap, NULL);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	WANT(c, atomic_load(&t->n) >= 100);
	fr_qu_reopen(c);
	do {
		k = fr_qu_pop(c, got + n, JOBS - n);
		n += k;
	} while (k > 0 && n < JOBS);
	WANT(c, n >= JOBS - 7);
	WANT_INT(c, fr_qu_length(c, c->type), 0);
	(void)munmap(t, sizeof(*t));
}

const struct fr_case fr_cases_sharing[] = {
	{ "what one handle pushes another hands out", other_pops,
	    FR_NEED_SHARED },
	{ "the order is one over all handles", others_order,
	    FR_NEED_SHARED | FR_NEED_FIFO },
	{ "what one handle pushes, requeues or removes all see", others_changes,
	    FR_NEED_SHARED },
	{ "what waits stays when a handle closes", stays, FR_NEED_SHARED },
	{ "of several takers in threads each job goes to one only", threads,
	    FR_NEED_SHARED },
	{ "of several takers in processes each job goes to one only", processes,
	    FR_NEED_SHARED },
	{ "a taker killed with -9 loses what it had and no more", killed,
	    FR_NEED_SHARED },
	{ NULL, NULL, 0 },
};
