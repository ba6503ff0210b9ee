/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/io.h"
#include "base/log.h"
#include "base/time.h"
#include "conn.h"

/*
 * The server: it accepts, keeps the deadlines, and settles connections.
 */

/* Without descriptors or memory, accepting is tried again after this. */
#define RESUME_MS 100
/* So long fewer connections are let in once descriptors have run out. */
#define SHORT_MS 30000
/* Above the limit so many more are let in to hear that there is no room: they
 * may ask for signs of life. Those that do not ask soon make way. */
#define GUESTS 32
/* Descriptors that are left to others when they have become short. */
#define RESERVE 8
/* Let in at a time, so that a crowd does not keep those within waiting. */
#define ACCEPTS 4

static void expire(int fd, short what, void *arg);
static void resume(int fd, short what, void *arg);
static void free_dead(struct fr_http *h);

/* A descriptor in reserve, for whoever comes when there is none left. */
static void
spare(struct fr_http *h)
{
	if (h->spare == -1)
		h->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

struct fr_http *
fr_http_new(const struct fr_http_conf *conf, struct fr_err *err)
{
	struct fr_http *h = calloc(1, sizeof(*h));

	fr_assert(conf->req_size >= sizeof(struct fr_req));
	if (h == NULL) {
		(void)fr_fail(err, FR_NOMEM, "start server: out of memory");
		return NULL;
	}
	h->conf = *conf;
	h->most = conf->max_connections;
	TAILQ_INIT(&h->conns);
	TAILQ_INIT(&h->idle);
	TAILQ_INIT(&h->lingering);
	h->dirty_end = &h->dirty;
	h->timer_at_ms = INT64_MAX;
	h->max_guests = GUESTS;
	h->spare = -1;
	spare(h);
	fr_heap_init(&h->deadlines);
	h->timer = event_new(conf->base, -1, 0, expire, h);
	h->resume = event_new(conf->base, -1, 0, resume, h);
	if (!fr_lanes_open(h) || h->timer == NULL || h->resume == NULL) {
		fr_http_free(h);
		(void)fr_fail(err, FR_NOMEM, "start server: out of memory");
		return NULL;
	}
	return h;
}

static void
stop_listening(struct fr_http *h)
{
	size_t i;

	for (i = 0; i < h->ndoors; i++) {
		(void)close(event_get_fd(h->doors[i]));
		event_free(h->doors[i]);
	}
	free(h->doors);
	h->doors = NULL;
	h->ndoors = 0;
}

void
fr_http_free(struct fr_http *h)
{
	struct fr_conn *c;

	if (h == NULL)
		return;
	stop_listening(h);
	while ((c = h->dirty) != NULL) {
		h->dirty = c->dirty_next;
		c->dirty = false;
	}
	h->dirty_end = &h->dirty;
	while ((c = TAILQ_FIRST(&h->conns)) != NULL)
		fr_conn_close(c);
	free_dead(h);
	fr_lanes_close(h);
	if (h->timer != NULL)
		event_free(h->timer);
	if (h->resume != NULL)
		event_free(h->resume);
	fr_heap_fini(&h->deadlines);
	if (h->spare != -1)
		(void)close(h->spare);
	free(h);
}

void *
fr_http_arg(const struct fr_http *h)
{
	return h->conf.arg;
}

/* ---- accepting ---------------------------------------------------------- */

/* Room for one more: the connection that has been idle longest makes way, or
 * before that one that is over. */
static bool
make_room(struct fr_http *h, bool *guest)
{
	struct fr_conn *c;

	*guest = false;
	/* Whatever had the descriptors may have given them back. */
	if (h->conf.max_connections < h->most &&
	    fr_time_mono_ms() - h->short_ms >= SHORT_MS)
		h->conf.max_connections = h->most;
	if (h->n.connections < h->conf.max_connections + h->guests)
		return true;
	c = TAILQ_FIRST(&h->lingering);
	if (c == NULL)
		c = TAILQ_FIRST(&h->idle);
	*guest = c == NULL || c->guest;
	if (c == NULL && h->guests < h->max_guests)
		return true;
	if (c == NULL)
		return false;
	c->broken = true;
	fr_conn_dirty(c);
	fr_http_settle(h);
	return true;
}

static void
refuse(struct fr_http *h, int fd)
{
	static const char text[] = "HTTP/1.1 503 Service Unavailable\r\n"
				   "Retry-After: 1\r\nContent-Length: 0\r\n"
				   "Connection: close\r\n\r\n";

	h->n.refused++;
	(void)send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(fd, SHUT_WR);
	(void)close(fd);
}

static void
accepted(struct fr_http *h, int fd, const struct sockaddr_storage *sa)
{
	const int on = 1;
	struct fr_conn *c;
	bool guest;

	h->n.accepted++;
	if (sa->ss_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c = make_room(h, &guest) ? fr_conn_new(h, fd) : NULL;
	if (c == NULL) {
		refuse(h, fd);
		return;
	}
	c->guest = guest;
	h->guests += guest;
	h->n.refused += guest;
	fr_http_settle(h);
}

/*
 * There are as many connections as there are descriptors for, whatever was
 * said before: for some time others make way, some of the last are guests, and
 * whoever is one too many hears it. -1: the reserve is used up.
 */
static int
accept_last(struct fr_http *h, int fd, struct sockaddr_storage *sa)
{
	const size_t n = h->n.connections;
	const size_t guests = n / 4 < GUESTS ? n / 4 : GUESTS;
	const size_t most = n > guests + RESERVE ? n - guests - RESERVE : 1;
	socklen_t len = sizeof(*sa);

	if (h->spare == -1)
		return -1;
	/* That all programs together have too many may pass. */
	if (errno == EMFILE && most < h->conf.max_connections) {
		fr_log(FR_LOG_WARN,
		    "accept: %s: no more than %zu connections for the next "
		    "%d s",
		    strerror(errno), most, SHORT_MS / 1000);
		h->conf.max_connections = most;
		h->short_ms = fr_time_mono_ms();
	}
	h->max_guests = guests;
	(void)close(h->spare);
	h->spare = -1;
	return accept4(
	    fd, (struct sockaddr *)sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* No descriptors, or no memory: that may pass. */
static void
cannot_accept(struct fr_http *h)
{
	const struct timeval tv = { 0, RESUME_MS * 1000 };
	size_t i;

	fr_log(FR_LOG_DEBUG, "accept: %s", strerror(errno));
	for (i = 0; i < h->ndoors; i++)
		(void)event_del(h->doors[i]);
	(void)event_add(h->resume, &tv);
}

static void
knock(int fd, short what, void *arg)
{
	struct fr_http *h = arg;
	struct sockaddr_storage sa;
	socklen_t len;
	int i, new;

	(void)what;
	for (i = 0; i < ACCEPTS; i++) {
		len = sizeof(sa);
		new = accept4(fd, (struct sockaddr *)&sa, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (new == -1 && (errno == EMFILE || errno == ENFILE))
			new = accept_last(h, fd, &sa);
		if (new != -1) {
			accepted(h, new, &sa);
			spare(h);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			cannot_accept(h);
		return;
	}
}

static void
resume(int fd, short what, void *arg)
{
	struct fr_http *h = arg;
	size_t i;

	(void)fd;
	(void)what;
	spare(h);
	for (i = 0; i < h->ndoors; i++)
		(void)event_add(h->doors[i], NULL);
}

enum fr_rc
fr_http_listen(struct fr_http *h, int fd, struct fr_err *err)
{
	struct event **v, *door;

	v = reallocarray(h->doors, h->ndoors + 1, sizeof(struct event *));
	if (v == NULL)
		return fr_fail(err, FR_NOMEM, "listen: out of memory");
	h->doors = v;
	/* It listens already, with a backlog of its own. */
	door = event_new(h->conf.base, fd, EV_READ | EV_PERSIST, knock, h);
	if (door == NULL || fr_io_nonblock(fd) == -1 ||
	    event_add(door, NULL) == -1) {
		if (door != NULL)
			event_free(door);
		return fr_fail(err, FR_IO, "listen: cannot poll");
	}
	h->doors[h->ndoors++] = door;
	return FR_OK;
}

/* ---- deadlines ---------------------------------------------------------- */

void
fr_http_deadline(struct fr_conn *c, int64_t ms)
{
	c->timed_head = false;
	if (ms <= 0)
		fr_heap_remove(&c->http->deadlines, &c->timer);
	else if (!fr_heap_set(
		     &c->http->deadlines, &c->timer, fr_time_mono_ms() + ms))
		c->broken = true;
}

/* The timer may fire too early, never too late: so it is seldom moved. */
static void
set_timer(struct fr_http *h)
{
	struct fr_heap_node *first = fr_heap_first(&h->deadlines);
	struct timeval tv;
	int64_t ms;

	if (first == NULL || first->at_ms >= h->timer_at_ms)
		return;
	h->timer_at_ms = first->at_ms;
	ms = first->at_ms - fr_time_mono_ms();
	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	(void)event_add(h->timer, &tv);
}

static void
expire(int fd, short what, void *arg)
{
	struct fr_http *h = arg;
	const int64_t now = fr_time_mono_ms();
	struct fr_heap_node *n;
	struct fr_conn *c;

	(void)fd;
	(void)what;
	h->timer_at_ms = INT64_MAX;
	while ((n = fr_heap_first(&h->deadlines)) != NULL && n->at_ms <= now) {
		c = (struct fr_conn *)(void *)((char *)n -
					       offsetof(struct fr_conn, timer));
		fr_heap_remove(&h->deadlines, n);
		fr_conn_expired(c);
	}
	fr_http_settle(h);
}

/* ---- the rest ----------------------------------------------------------- */

void
fr_http_settle(struct fr_http *h)
{
	struct fr_conn *c;

	if (h->settling)
		return;
	h->settling = true;
	while ((c = h->dirty) != NULL) {
		h->dirty = c->dirty_next;
		if (h->dirty == NULL)
			h->dirty_end = &h->dirty;
		/* It stays marked, so that it does not come back on the list
		 * while it is being settled. */
		fr_conn_settle(c);
	}
	h->settling = false;
	free_dead(h);
	set_timer(h);
}

void
fr_http_drain(struct fr_http *h)
{
	struct fr_conn *c;

	h->draining = true;
	stop_listening(h);
	TAILQ_FOREACH(c, &h->conns, all)
	fr_conn_dirty(c);
	fr_http_settle(h);
}

bool
fr_http_drained(const struct fr_http *h)
{
	const struct fr_conn *c;

	TAILQ_FOREACH(c, &h->conns, all)
	if (c->state != FR_CONN_LINGER)
		return false;
	return true;
}

const char *
fr_http_date(struct fr_http *h)
{
	struct timespec ts;
	struct tm tm;

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	if (ts.tv_sec != h->date_s) {
		h->date_s = ts.tv_sec;
		(void)gmtime_r(&ts.tv_sec, &tm);
		(void)strftime(h->date, sizeof(h->date),
		    "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
	}
	return h->date;
}

static void
uncount(struct fr_req *r)
{
	if (!r->counted)
		return;
	r->counted = false;
	if (r->parked)
		r->http->n.parked--;
	else
		r->http->n.in_flight--;
}

void
fr_http_free_req(struct fr_req *r)
{
	fr_assert(!r->pending);
	uncount(r);
	r->http->n.bytes -= r->charged;
	fr_buf_fini(&r->big);
	fr_buf_fini(&r->out);
	fr_arena_free(r->arena);
}

void
fr_http_bury(struct fr_req *r)
{
	fr_assert(r->conn == NULL && !r->pending);
	r->next = r->http->dead;
	r->http->dead = r;
}

static void
free_dead(struct fr_http *h)
{
	struct fr_req *r;

	while ((r = h->dead) != NULL) {
		h->dead = r->next;
		fr_http_free_req(r);
	}
}

void
fr_http_lend(struct fr_req *r, bool parked)
{
	fr_assert(!r->pending && !r->answered);
	r->pending = true;
	fr_http_park(r, parked);
}

void
fr_http_park(struct fr_req *r, bool parked)
{
	if (parked == r->parked || !r->counted) {
		r->parked = parked;
		return;
	}
	r->parked = parked;
	r->http->n.in_flight += parked ? (uint64_t)-1 : 1;
	r->http->n.parked += parked ? 1 : (uint64_t)-1;
}

void
fr_http_back(struct fr_req *r)
{
	fr_assert(r->pending);
	r->pending = false;
}

bool
fr_http_reachable(const struct fr_req *r)
{
	return r->conn != NULL && !r->conn->eof && !r->conn->broken;
}

void
fr_http_stats(const struct fr_http *h, struct fr_http_stats *s)
{
	*s = h->n;
}
