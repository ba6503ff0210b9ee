/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/assert.h"

/*
 * Reads that are quick go before those that may be long, as lists are; but
 * after so many of them one of the long ones has its turn. Of these only so
 * many wait, since each costs as much as it likes.
 */
#define QUICK_IN_A_ROW 16
#define LONG_MOST 256

struct line {
	struct fr_request *first, **last;
};

struct fr_reader {
	struct fr_store *store;
	void (*wake)(void *arg);
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct line quick, slow; /* to be done */
	size_t nslow;
	unsigned row; /* quick ones since the last slow one */
	struct fr_request *done, **done_last;
	bool stop;
};

static void
done(struct fr_reader *r, struct fr_request *q)
{
	bool first;

	pthread_mutex_lock(&r->lock);
	first = r->done == NULL;
	q->read_next = NULL;
	*r->done_last = q;
	r->done_last = &q->read_next;
	pthread_mutex_unlock(&r->lock);
	if (first)
		r->wake(r->arg);
}

static void
put(struct line *l, struct fr_request *q)
{
	q->read_next = NULL;
	*l->last = q;
	l->last = &q->read_next;
}

static struct fr_request *
take(struct line *l)
{
	struct fr_request *q = l->first;

	l->first = q->read_next;
	if (l->first == NULL)
		l->last = &l->first;
	return q;
}

static struct fr_request *
next(struct fr_reader *r)
{
	if (r->quick.first != NULL &&
	    (r->slow.first == NULL || r->row < QUICK_IN_A_ROW)) {
		r->row++;
		return take(&r->quick);
	}
	r->row = 0;
	if (r->slow.first == NULL)
		return NULL;
	r->nslow--;
	return take(&r->slow);
}

static void *
run(void *arg)
{
	struct fr_reader *r = arg;
	struct fr_request *q;

	for (;;) {
		pthread_mutex_lock(&r->lock);
		while ((q = r->stop ? NULL : next(r)) == NULL && !r->stop)
			pthread_cond_wait(&r->news, &r->lock);
		pthread_mutex_unlock(&r->lock);
		if (q == NULL)
			return NULL;
		q->err.msg[0] = '\0';
		q->rc = q->read(r->store, q);
		done(r, q);
	}
}

struct fr_reader *
fr_reader_new(
    struct fr_store *s, void (*wake)(void *arg), void *arg, struct fr_err *err)
{
	struct fr_reader *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		s->ops->close(s);
		(void)fr_fail(err, FR_NOMEM, "start reader: out of memory");
		return NULL;
	}
	*r = (struct fr_reader){ .store = s, .wake = wake, .arg = arg };
	r->quick.last = &r->quick.first;
	r->slow.last = &r->slow.first;
	r->done_last = &r->done;
	if (pthread_mutex_init(&r->lock, NULL) != 0 ||
	    pthread_cond_init(&r->news, NULL) != 0 ||
	    pthread_create(&r->thread, NULL, run, r) != 0) {
		s->ops->close(s);
		free(r);
		(void)fr_fail(err, FR_NOMEM, "start reader: no thread");
		return NULL;
	}
	return r;
}

void
fr_reader_stop(struct fr_reader *r)
{
	struct fr_request *q;

	if (r == NULL || r->stop)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->news);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	while ((q = next(r)) != NULL) {
		q->rc = fr_fail(&q->err, FR_AGAIN, "the manager is stopping");
		done(r, q);
	}
}

void
fr_reader_free(struct fr_reader *r)
{
	if (r == NULL)
		return;
	fr_assert(r->stop && r->done == NULL);
	r->store->ops->close(r->store);
	pthread_cond_destroy(&r->news);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

bool
fr_reader_ask(struct fr_reader *r, struct fr_request *q, bool slow)
{
	bool taken;

	pthread_mutex_lock(&r->lock);
	taken = !r->stop && (!slow || r->nslow < LONG_MOST);
	if (taken) {
		if (r->quick.first == NULL && r->slow.first == NULL)
			pthread_cond_signal(&r->news);
		put(slow ? &r->slow : &r->quick, q);
		r->nslow += slow;
	}
	pthread_mutex_unlock(&r->lock);
	return taken;
}

struct fr_request *
fr_reader_take(struct fr_reader *r)
{
	struct fr_request *q;

	pthread_mutex_lock(&r->lock);
	q = r->done;
	r->done = NULL;
	r->done_last = &r->done;
	pthread_mutex_unlock(&r->lock);
	return q;
}
