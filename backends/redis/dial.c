/* SPDX-License-Identifier: MIT */
#include "dial.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "tls.h"

#define HELLO_MS 2000 /* to connect and be let in */
#define BACKOFF_MIN_MS 20
#define BACKOFF_MAX_MS 1000

struct fr_redis_dial {
	pthread_t thread;
	struct fr_redis_conn conn; /* the thread's, until it is made */
	pthread_mutex_t lock;      /* for what follows */
	pthread_cond_t changed;
	bool made;  /* and the thread has ended, or is about to */
	bool tried; /* once at least */
	bool stop;  /* nobody waits for it: the thread frees this */
	struct fr_err why;
};

static void
release(struct fr_redis_dial *d)
{
	fr_redis_fini(&d->conn);
	(void)pthread_cond_destroy(&d->changed);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}

/* With the lock: until something has changed, or until then. */
static bool
wait_changed(struct fr_redis_dial *d, int64_t ms)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += (time_t)(ms / 1000);
	ts.tv_nsec += (long)(ms % 1000) * 1000000L;
	if (ts.tv_nsec >= 1000000000L) {
		ts.tv_nsec -= 1000000000L;
		ts.tv_sec++;
	}
	return pthread_cond_timedwait(&d->changed, &d->lock, &ts) == 0;
}

/* Between a half and the whole of a pause that doubles, with the lock. */
static void
pause_next(struct fr_redis_dial *d, int64_t *backoff_ms)
{
	int64_t ms;

	*backoff_ms = *backoff_ms == 0 ? BACKOFF_MIN_MS : *backoff_ms * 2;
	if (*backoff_ms > BACKOFF_MAX_MS)
		*backoff_ms = BACKOFF_MAX_MS;
	ms = *backoff_ms / 2 + (int64_t)fr_rand_below(&d->conn.rand,
				   (uint64_t)*backoff_ms / 2 + 1);
	while (!d->stop && wait_changed(d, ms))
		continue;
}

static void *
run(void *arg)
{
	struct fr_redis_dial *d = arg;
	struct fr_err err;
	int64_t backoff_ms = 0;
	enum fr_rc rc;
	bool stop;

	do {
		err = (struct fr_err)FR_ERR_INIT;
		rc = fr_redis_connect(
		    &d->conn, fr_time_mono_ms() + HELLO_MS, &err);
		if (rc != FR_OK)
			fr_redis_drop(&d->conn);
		(void)pthread_mutex_lock(&d->lock);
		d->tried = true;
		d->made = rc == FR_OK;
		d->why = err;
		d->why.rc = rc;
		(void)pthread_cond_broadcast(&d->changed);
		if (!d->made)
			pause_next(d, &backoff_ms);
		stop = d->stop;
		(void)pthread_mutex_unlock(&d->lock);
	} while (rc != FR_OK && !stop);
	if (stop)
		release(d);
	return NULL;
}

/* Signals are for other threads. */
static bool
begin(struct fr_redis_dial *d)
{
	sigset_t all, old;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	rc = pthread_create(&d->thread, NULL, run, d);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0;
}

bool
fr_redis_dial(struct fr_redis_conn *c)
{
	struct fr_redis_dial *d;
	pthread_condattr_t attr;

	if (c->dial != NULL || c->inner)
		return true;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return false;
	d->conn = *c;
	d->conn.fd = -1;
	d->conn.ssl = NULL;
	d->conn.reader = NULL;
	d->conn.inner = true;
	d->conn.why = (struct fr_err)FR_ERR_INIT;
	fr_buf_init(&d->conn.out, 0);
	fr_rand_init(&d->conn.rand);
	c->ctx = NULL;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (!begin(d)) {
		release(d);
		return false;
	}
	c->dial = d;
	return true;
}

/* What the thread has made becomes c's. */
static void
take_over(struct fr_redis_conn *c, struct fr_redis_dial *d)
{
	(void)pthread_join(d->thread, NULL);
	fr_redis_drop(c);
	c->fd = d->conn.fd;
	c->ssl = d->conn.ssl;
	c->ctx = d->conn.ctx;
	c->reader = d->conn.reader;
	d->conn.fd = -1;
	d->conn.ssl = d->conn.ctx = NULL;
	d->conn.reader = NULL;
	(void)memcpy(c->version, d->conn.version, sizeof(c->version));
	(void)memcpy(c->evicts, d->conn.evicts, sizeof(c->evicts));
	c->valkey = d->conn.valkey;
	c->generation++;
	c->dial = NULL;
	release(d);
}

enum fr_rc
fr_redis_dialled(struct fr_redis_conn *c, int64_t wait_ms, struct fr_err *err)
{
	struct fr_redis_dial *d = c->dial;
	enum fr_rc rc = FR_AGAIN;
	bool made, tried;

	(void)pthread_mutex_lock(&d->lock);
	while (wait_ms > 0 && !d->tried && wait_changed(d, wait_ms))
		continue;
	made = d->made;
	tried = d->tried;
	if (tried && !made)
		rc = fr_fail(err, d->why.rc, "%s", d->why.msg);
	(void)pthread_mutex_unlock(&d->lock);
	if (made) {
		take_over(c, d);
		return FR_OK;
	}
	if (!tried)
		rc = fr_fail(err, FR_AGAIN, "%s",
		    c->why.rc != FR_OK ? c->why.msg
				       : "redis: not connected yet");
	return rc;
}

void
fr_redis_dial_stop(struct fr_redis_dial *d)
{
	const pthread_t thread = d->thread;
	bool made;

	(void)pthread_mutex_lock(&d->lock);
	made = d->made;
	d->stop = !made;
	(void)pthread_cond_broadcast(&d->changed);
	(void)pthread_mutex_unlock(&d->lock);
	if (made) {
		(void)pthread_join(thread, NULL);
		release(d);
	} else {
		(void)pthread_detach(thread);
	}
}
