/* SPDX-License-Identifier: MIT */
#include "sender.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"

/*
 * Two counters hand the batch over and back: whoever has read one owns the
 * batch. Nothing else is shared.
 */
struct sender {
	pthread_t thread;
	struct fr_client *cl;
	struct batch *b; /* NULL in the thread's hands: the end */
	int go, done;    /* eventfds */
	bool busy;       /* the main thread's view */
};

static void
post(int fd)
{
	const uint64_t one = 1;
	ssize_t n;

	do
		n = write(fd, &one, sizeof(one));
	while (n == -1 && errno == EINTR);
	fr_assert(n == sizeof(one));
}

static void
await(int fd)
{
	uint64_t count;
	ssize_t n;

	do
		n = read(fd, &count, sizeof(count));
	while (n == -1 && errno == EINTR);
	fr_assert(n == sizeof(count));
}

static void *
run(void *arg)
{
	struct sender *s = arg;

	for (;;) {
		await(s->go);
		if (s->b == NULL)
			return NULL;
		batch_send(s->b, s->cl);
		post(s->done);
	}
}

enum fr_rc
sender_start(struct sender **out, struct fr_client *cl, struct fr_err *err)
{
	struct sender *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	s->cl = cl;
	s->go = eventfd(0, EFD_CLOEXEC);
	s->done = eventfd(0, EFD_CLOEXEC);
	if (s->go != -1 && s->done != -1) {
		errno = pthread_create(&s->thread, NULL, run, s);
		if (errno == 0) {
			*out = s;
			return FR_OK;
		}
	}
	(void)fr_failsys(err, FR_IO, "start a thread");
	if (s->go != -1)
		(void)close(s->go);
	if (s->done != -1)
		(void)close(s->done);
	free(s);
	return FR_IO;
}

void
sender_stop(struct sender *s)
{
	if (s == NULL)
		return;
	(void)sender_take(s);
	s->b = NULL;
	post(s->go);
	(void)pthread_join(s->thread, NULL);
	(void)close(s->go);
	(void)close(s->done);
	free(s);
}

void
sender_send(struct sender *s, struct batch *b)
{
	fr_assert(!s->busy && b != NULL);
	s->busy = true;
	s->b = b;
	post(s->go);
}

bool
sender_busy(const struct sender *s)
{
	return s->busy;
}

int
sender_fd(const struct sender *s)
{
	return s->done;
}

struct batch *
sender_take(struct sender *s)
{
	if (!s->busy)
		return NULL;
	await(s->done);
	s->busy = false;
	return s->b;
}
