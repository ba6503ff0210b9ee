/* SPDX-License-Identifier: MIT */
#include "core/inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"

enum fr_rc
fr_inbox_init(struct fr_inbox *in, size_t max_n, size_t max_bytes)
{
	pthread_condattr_t attr;

	memset(in, 0, sizeof(*in));
	in->max_n = max_n;
	in->max_bytes = max_bytes;
	in->pipe[0] = in->pipe[1] = -1;
	if (pthread_mutex_init(&in->lock, NULL) != 0)
		return FR_NOMEM;
	/* A wait must not change its length when somebody sets the clock. */
	if (pthread_condattr_init(&attr) != 0 ||
	    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(&in->news, &attr) != 0) {
		pthread_mutex_destroy(&in->lock);
		return FR_NOMEM;
	}
	pthread_condattr_destroy(&attr);
	return FR_OK;
}

void
fr_inbox_fini(struct fr_inbox *in)
{
	fr_assert(in->first == NULL);
	fr_assert(in->done == NULL);
	free(in->abandoned);
	if (in->pipe[0] != -1) {
		(void)close(in->pipe[0]);
		(void)close(in->pipe[1]);
	}
	pthread_cond_destroy(&in->news);
	pthread_mutex_destroy(&in->lock);
}

/* Without the lock, or who wakes up would only wait for that. */
void
fr_inbox_wake(struct fr_inbox *in)
{
	pthread_cond_signal(&in->news);
	/* A full pipe wakes just as well. */
	if (in->pipe[1] != -1 && write(in->pipe[1], "", 1) == -1)
		fr_assert(errno == EAGAIN || errno == EINTR);
}

enum fr_rc
fr_inbox_put(struct fr_inbox *in, struct fr_op *op, bool *first)
{
	const size_t bytes = op->arena == NULL ? 0 : fr_arena_bytes(op->arena);
	enum fr_rc rc = FR_OK;

	pthread_mutex_lock(&in->lock);
	if (in->closed) {
		rc = FR_IO;
	} else if (in->n >= in->max_n ||
		   (in->n > 0 && in->bytes + bytes > in->max_bytes)) {
		rc = FR_AGAIN;
	} else {
		op->next = NULL;
		op->serial = ++in->serial;
		if (in->last == NULL)
			in->first = op;
		else
			in->last->next = op;
		in->last = op;
		in->bytes += bytes;
		if (in->n++ == 0)
			*first = true;
	}
	pthread_mutex_unlock(&in->lock);
	return rc;
}

void
fr_inbox_abandon(struct fr_inbox *in, const struct fr_op *op)
{
	uint64_t *v;
	size_t cap;

	pthread_mutex_lock(&in->lock);
	if (in->nabandoned == in->abandoned_cap) {
		cap = in->abandoned_cap == 0 ? 16 : in->abandoned_cap * 2;
		v = reallocarray(in->abandoned, cap, sizeof(*v));
		if (v == NULL) {
			/* Then it is answered when its time is over. */
			pthread_mutex_unlock(&in->lock);
			return;
		}
		in->abandoned = v;
		in->abandoned_cap = cap;
	}
	in->abandoned[in->nabandoned++] = op->serial;
	fr_inbox_wake(in);
	pthread_mutex_unlock(&in->lock);
}

void
fr_inbox_poke(struct fr_inbox *in)
{
	pthread_mutex_lock(&in->lock);
	in->poked = true;
	fr_inbox_wake(in);
	pthread_mutex_unlock(&in->lock);
}

/* Waits for both; without the lock, which the pipe makes up for. */
static void
wait_fd(struct fr_inbox *in, int64_t ms, int fd)
{
	struct pollfd p[2] = { { in->pipe[0], POLLIN, 0 }, { fd, POLLIN, 0 } };
	char drain[64];

	(void)poll(p, 2, (int)ms);
	while (read(in->pipe[0], drain, sizeof(drain)) > 0)
		;
}

void
fr_inbox_wait(struct fr_inbox *in, int64_t ms, int fd)
{
	struct timespec until;
	bool news;

	if (ms <= 0)
		return;
	if (ms > 3600000)
		ms = 3600000;
	if (fd != -1) {
		pthread_mutex_lock(&in->lock);
		if (in->pipe[0] == -1 &&
		    pipe2(in->pipe, O_CLOEXEC | O_NONBLOCK) == -1)
			in->pipe[0] = in->pipe[1] = -1;
		news = in->first != NULL || in->nabandoned > 0 || in->poked;
		in->poked = false;
		pthread_mutex_unlock(&in->lock);
		if (!news && in->pipe[0] != -1)
			wait_fd(in, ms, fd);
		if (news || in->pipe[0] != -1)
			return;
		ms = ms < 50 ? ms : 50; /* no pipe: look at it often */
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&in->lock);
	while (in->first == NULL && in->nabandoned == 0 && !in->poked)
		if (pthread_cond_timedwait(&in->news, &in->lock, &until) != 0)
			break;
	in->poked = false;
	pthread_mutex_unlock(&in->lock);
}

struct fr_op *
fr_inbox_take(struct fr_inbox *in, uint64_t **serials, size_t *nserials)
{
	struct fr_op *op;

	pthread_mutex_lock(&in->lock);
	op = in->first;
	in->first = in->last = NULL;
	in->n = 0;
	in->bytes = 0;
	*serials = in->nabandoned > 0 ? in->abandoned : NULL;
	*nserials = in->nabandoned;
	if (in->nabandoned > 0) {
		in->abandoned = NULL;
		in->nabandoned = in->abandoned_cap = 0;
	}
	pthread_mutex_unlock(&in->lock);
	return op;
}

bool
fr_inbox_answer(struct fr_inbox *in, struct fr_op *first, struct fr_op *last)
{
	bool was_empty;

	fr_assert(last->next == NULL);
	pthread_mutex_lock(&in->lock);
	was_empty = in->done == NULL;
	if (was_empty)
		in->done = first;
	else
		in->done_last->next = first;
	in->done_last = last;
	pthread_mutex_unlock(&in->lock);
	return was_empty;
}

struct fr_op *
fr_inbox_answers(struct fr_inbox *in)
{
	struct fr_op *op;

	pthread_mutex_lock(&in->lock);
	op = in->done;
	in->done = in->done_last = NULL;
	pthread_mutex_unlock(&in->lock);
	return op;
}

void
fr_inbox_close(struct fr_inbox *in)
{
	pthread_mutex_lock(&in->lock);
	in->closed = true;
	pthread_mutex_unlock(&in->lock);
}

size_t
fr_inbox_pending(struct fr_inbox *in)
{
	size_t n;

	pthread_mutex_lock(&in->lock);
	n = in->n;
	pthread_mutex_unlock(&in->lock);
	return n;
}
