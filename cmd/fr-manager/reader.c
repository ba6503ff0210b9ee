/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/assert.h"

struct fr_reader {
	struct fr_store *store;
	void (*wake)(void *arg);
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct fr_request *first, **last; /* to be done */
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

static void *
run(void *arg)
{
	struct fr_reader *r = arg;
	struct fr_request *q;

	for (;;) {
		pthread_mutex_lock(&r->lock);
		while (r->first == NULL && !r->stop)
			pthread_cond_wait(&r->news, &r->lock);
		q = r->first;
		if (q != NULL) {
			r->first = q->read_next;
			if (r->first == NULL)
				r->last = &r->first;
		}
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
	r->last = &r->first;
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
fr_reader_free(struct fr_reader *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->news);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	fr_assert(r->first == NULL);
	r->store->ops->close(r->store);
	pthread_cond_destroy(&r->news);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void
fr_reader_ask(struct fr_reader *r, struct fr_request *q)
{
	pthread_mutex_lock(&r->lock);
	q->read_next = NULL;
	if (r->first == NULL)
		pthread_cond_signal(&r->news);
	*r->last = q;
	r->last = &q->read_next;
	pthread_mutex_unlock(&r->lock);
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
