/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"
#include "conn.h"

/*
 * Who is served when. A round of the loop looks at three lanes, and each has
 * a short time in it: workers; those who ask for signs of life, and who has
 * only just come; and everybody else. So a thousand clients that submit
 * without pause wait for each other, not the workers for them.
 *
 * A lane is an epoll descriptor of its own, in which the loop sees one that
 * can be read while something has happened to a connection. The kernel hands
 * out what is ready in turn, so that a few at a time are enough, and it does
 * not cost more that thousands wait.
 */

/* The time of each lane in one round, and what it takes of it at most. */
static const int64_t share_us[FR_LANES] = {
	[FR_LANE_WORK] = 1000,
	[FR_LANE_LIGHT] = 100,
	[FR_LANE_USUAL] = 150,
};

static void
serve(int fd, short what, void *arg)
{
	struct fr_lane *l = arg;
	const int64_t until = fr_time_mono_us() + share_us[l->which];
	const struct epoll_event *ev;
	struct fr_conn *c;
	int n;

	(void)what;
	/* What the last round has left comes first. */
	if (l->at == l->n) {
		l->at = l->n = 0;
		n = epoll_wait(fd, l->v, FR_LANE_EVENTS, 0);
		l->n = n > 0 ? n : 0;
	}
	while (l->at < l->n) {
		ev = &l->v[l->at];
		c = ev->data.ptr;
		/* It may have been closed since, or be in another lane. */
		if (c != NULL && (ev->events & ~(uint32_t)EPOLLOUT) != 0)
			fr_conn_readable(c);
		c = ev->data.ptr;
		if (c != NULL && (ev->events & ~(uint32_t)EPOLLIN) != 0)
			fr_conn_writable(c);
		l->at++;
		if (fr_time_mono_us() >= until)
			return;
	}
}

bool
fr_lanes_open(struct fr_http *h)
{
	struct fr_lane *l;
	size_t i;

	for (i = 0; i < FR_LANES; i++)
		h->lanes[i].ep = -1;
	for (i = 0; i < FR_LANES; i++) {
		l = &h->lanes[i];
		l->which = (enum fr_lane_no)i;
		l->ep = epoll_create1(EPOLL_CLOEXEC);
		if (l->ep == -1)
			return false;
		l->ready = event_new(
		    h->conf.base, l->ep, EV_READ | EV_PERSIST, serve, l);
		if (l->ready == NULL || event_add(l->ready, NULL) == -1)
			return false;
	}
	return true;
}

void
fr_lanes_close(struct fr_http *h)
{
	size_t i;

	for (i = 0; i < FR_LANES; i++) {
		if (h->lanes[i].ready != NULL)
			event_free(h->lanes[i].ready);
		if (h->lanes[i].ep != -1)
			(void)close(h->lanes[i].ep);
	}
}

/* Nothing that was reported of it is true any more. */
static void
forget(struct fr_conn *c)
{
	struct fr_lane *l = c->lane;
	int i;

	for (i = l->at; i < l->n; i++)
		if (l->v[i].data.ptr == c)
			l->v[i].data.ptr = NULL;
}

void
fr_lane_poll(struct fr_conn *c)
{
	struct epoll_event ev = { .data.ptr = c };
	int op = EPOLL_CTL_MOD;

	ev.events = (c->reading ? EPOLLIN : 0U) | (c->writing ? EPOLLOUT : 0U);
	if (ev.events == c->polled)
		return;
	if (c->polled == 0)
		op = EPOLL_CTL_ADD;
	else if (ev.events == 0)
		op = EPOLL_CTL_DEL;
	c->polled = ev.events;
	if (ev.events == 0)
		forget(c);
	if (epoll_ctl(c->lane->ep, op, c->fd, &ev) == -1)
		c->broken = true;
}

void
fr_lane_leave(struct fr_conn *c)
{
	c->reading = c->writing = false;
	fr_lane_poll(c);
}

void
fr_lane_enter(struct fr_conn *c, enum fr_lane_no which)
{
	const bool reading = c->reading, writing = c->writing;

	if (c->lane == &c->http->lanes[which])
		return;
	if (c->lane != NULL)
		fr_lane_leave(c);
	c->lane = &c->http->lanes[which];
	c->reading = reading;
	c->writing = writing;
	fr_lane_poll(c);
}
