/* SPDX-License-Identifier: MIT */
#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"

/*
 * One connection's bytes. It reads into a buffer that all share and keeps
 * only what is left over, and answers are written at once; so an idle
 * connection holds no buffer, and a request costs one read and one write and
 * no change of what is polled for. Its read event stays there while a request
 * waits, so that a client that goes away is noticed.
 *
 * Connections are closed in one place only, fr_conn_settle.
 */

/* Bytes that may have come before their turn. */
#define AHEAD FR_CONN_SCRATCH
/* How long, and how much, a client may go on sending after the last answer
 * before it is cut off: else it would lose that answer. */
#define LINGER_MS 2000
#define LINGER_BYTES ((size_t)64 << 20)
#define LINGER_MOST 1024 /* connections */
/* And how much all of them in a second: beyond it they are not read. */
#define SWALLOW_BYTES ((size_t)64 << 20)
/* Of a body at a time, so that large ones do not keep others waiting. */
#define BODY_STEP ((size_t)128 * 1024)
/* Read at a time once half of that may be held by what has come too early, and
 * of who has only just come: a head, and not yet much of a body. */
#define SMALL_STEP ((size_t)4096)

struct fr_conn *
fr_conn_new(struct fr_http *h, int fd)
{
	struct fr_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->http = h;
	c->fd = fd;
	fr_buf_init(&c->in, 0);
	fr_buf_init(&c->out, 0);
	fr_lane_enter(c, FR_LANE_LIGHT);
	TAILQ_INSERT_TAIL(&h->conns, c, all);
	h->n.connections++;
	fr_conn_dirty(c);
	return c;
}

static void
poll_read(struct fr_conn *c, bool on)
{
	c->reading = on;
	fr_lane_poll(c);
}

static void
poll_write(struct fr_conn *c, bool on)
{
	c->writing = on;
	fr_lane_poll(c);
}

void
fr_conn_dirty(struct fr_conn *c)
{
	struct fr_http *h = c->http;

	if (c->dirty)
		return;
	c->dirty = true;
	c->dirty_next = NULL;
	*h->dirty_end = c;
	h->dirty_end = &c->dirty_next;
}

void
fr_conn_count_out(struct fr_conn *c)
{
	c->http->n.answer_bytes += c->out.cap - c->out_bytes;
	c->out_bytes = c->out.cap;
}

static void
count_in(struct fr_conn *c)
{
	c->http->n.in_bytes += c->in.cap - c->in_bytes;
	c->in_bytes = c->in.cap;
}

/* Those that wait are told that nobody will read the answer. */
static void
tell_gone(struct fr_conn *c)
{
	struct fr_req *r, *next;

	for (r = c->first; r != NULL; r = next) {
		next = r->next;
		if ((r->pending && r->parked) || r->streaming)
			c->http->conf.gone(r);
	}
}

void
fr_conn_close(struct fr_conn *c)
{
	struct fr_http *h = c->http;
	struct fr_req *r;

	c->dirty = true; /* it is on no list, and shall come on none */
	tell_gone(c);
	while ((r = c->first) != NULL) {
		c->first = r->next;
		r->next = NULL;
		r->conn = NULL;
		/* A stream that nobody reads has ended. */
		if (!r->pending)
			fr_http_free_req(r);
	}
	fr_lane_leave(c);
	fr_heap_remove(&h->deadlines, &c->timer);
	if (c->idle)
		TAILQ_REMOVE(&h->idle, c, idle_link);
	if (c->state == FR_CONN_LINGER) {
		TAILQ_REMOVE(&h->lingering, c, idle_link);
		h->nlingering--;
	}
	TAILQ_REMOVE(&h->conns, c, all);
	h->n.connections--;
	h->guests -= c->guest;
	(void)close(c->fd);
	fr_buf_fini(&c->in);
	count_in(c);
	fr_buf_fini(&c->out);
	fr_conn_count_out(c);
	free(c);
}

/* Idle connections make way for new ones. */
static void
set_idle(struct fr_conn *c, bool idle)
{
	struct fr_http *h = c->http;

	if (c->idle == idle)
		return;
	c->idle = idle;
	if (idle) {
		TAILQ_INSERT_TAIL(&h->idle, c, idle_link);
		fr_http_deadline(c, h->conf.idle_ms);
	} else {
		TAILQ_REMOVE(&h->idle, c, idle_link);
		fr_http_deadline(c, 0);
	}
}

/* ---- reading ------------------------------------------------------------ */

/* Straight into the body that is awaited: -1 and errno, or as read. */
static ssize_t
read_body(struct fr_conn *c)
{
	struct fr_req *r = c->now;
	char *p = fr_buf_reserve(&r->big, c->need);
	ssize_t n;

	fr_assert(p != NULL);
	n = read(c->fd, p, c->need < BODY_STEP ? c->need : BODY_STEP);
	/* feed sees them as bytes that are there already */
	if (n > 0) {
		fr_buf_commit(&r->big, (size_t)n);
		c->need -= (size_t)n;
	}
	return n;
}

static void
got(struct fr_conn *c, const char *p, size_t n)
{
	struct fr_span in = { p, n };
	size_t used;

	if (c->in.len > 0) {
		fr_buf_add(&c->in, p, n);
		if (!fr_buf_ok(&c->in)) {
			c->broken = true;
			return;
		}
		in = fr_buf_span(&c->in);
		used = fr_conn_feed(c, in);
		fr_buf_shift(&c->in, used);
		if (c->in.len == 0)
			fr_buf_fini(&c->in);
		return;
	}
	used = fr_conn_feed(c, in);
	if (used < n) {
		fr_buf_add(&c->in, p + used, n - used);
		c->broken |= !fr_buf_ok(&c->in);
	}
}

/* A flood of bodies that were refused is not worth reading them. */
static void
swallow(struct fr_conn *c, size_t n)
{
	struct fr_http *h = c->http;
	struct timespec ts;

	c->swallowed += n;
	if (c->swallowed > LINGER_BYTES)
		c->broken = true;
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	if (ts.tv_sec != h->swallowed_s)
		h->swallowed = 0;
	h->swallowed_s = ts.tv_sec;
	h->swallowed += n;
	c->deaf = h->swallowed > SWALLOW_BYTES;
}

void
fr_conn_readable(struct fr_conn *c)
{
	struct fr_http *h = c->http;
	const bool body = c->state == FR_CONN_BODY && c->in.len == 0;
	ssize_t n;

	/* Seen when it was still wanted. */
	if (!c->reading)
		return;
	set_idle(c, false);
	n = body ? read_body(c)
		 : read(c->fd, h->scratch,
		       fr_http_crowded(h) || c->lane == &h->lanes[FR_LANE_LIGHT]
			   ? SMALL_STEP
			   : sizeof(h->scratch));
	if (n == -1) {
		if (errno == EAGAIN || errno == EINTR)
			return;
		c->broken = true;
	} else if (n == 0) {
		c->eof = true;
		poll_read(c, false);
		tell_gone(c);
	} else if (c->state == FR_CONN_CLOSING || c->state == FR_CONN_LINGER) {
		swallow(c, (size_t)n);
	} else if (!body) {
		got(c, h->scratch, (size_t)n);
	} else if (c->need == 0) {
		fr_conn_body_done(c);
	}
	fr_conn_dirty(c);
	fr_http_settle(h);
}

void
fr_conn_writable(struct fr_conn *c)
{
	if (!c->writing)
		return;
	fr_conn_dirty(c);
	fr_http_settle(c->http);
}

/* ---- settling ----------------------------------------------------------- */

/* Answers leave in the order of the requests. */
static void
advance(struct fr_conn *c)
{
	struct fr_req *r;

	while ((r = c->first) != NULL) {
		if (r->out.len > 0) {
			fr_buf_addspan(&c->out, fr_buf_span(&r->out));
			fr_conn_count_out(c);
			c->broken |= !fr_buf_ok(&c->out);
			fr_buf_fini(&r->out);
		}
		if (!r->answered)
			return;
		c->first = r->next;
		if (c->first == NULL)
			c->last = NULL;
		c->nreqs--;
		if (c->now == r)
			c->now = NULL;
		r->next = NULL;
		r->conn = NULL;
		if (!r->pending)
			fr_http_free_req(r);
	}
}

/* Back from the deadline of writing to that of what is being read. */
static void
read_deadline(struct fr_conn *c)
{
	const struct fr_http_conf *conf = &c->http->conf;

	if (c->now != NULL) {
		fr_http_deadline(c, conf->body_ms);
	} else if (c->state == FR_CONN_HEAD && c->in.len > 0 && !c->blocked) {
		fr_http_deadline(c, conf->header_ms);
		c->timed_head = true;
	} else
		fr_http_deadline(c, 0);
}

static void
flush(struct fr_conn *c)
{
	const int64_t write_ms = c->http->conf.write_ms;
	ssize_t n;

	while (c->sent < c->out.len) {
		n = send(c->fd, c->out.p + c->sent, c->out.len - c->sent,
		    MSG_NOSIGNAL);
		if (n == -1) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN) {
				c->broken = true;
				return;
			}
			if (!c->writing || c->progress) {
				c->progress = false;
				fr_http_deadline(c, write_ms);
			}
			poll_write(c, true);
			return;
		}
		c->sent += (size_t)n;
		c->progress = true;
	}
	if (c->out.cap > 0) {
		fr_buf_fini(&c->out);
		fr_conn_count_out(c);
		c->sent = 0;
	}
	if (c->writing) {
		poll_write(c, false);
		read_deadline(c);
	}
}

/* All has been sent, and nothing is to come: half-closes first, so that the
 * client reads the last answer and not a reset. */
static void
finish(struct fr_conn *c)
{
	struct fr_http *h = c->http;
	struct fr_conn *first;

	if (c->eof || shutdown(c->fd, SHUT_WR) == -1) {
		c->broken = true;
		return;
	}
	c->state = FR_CONN_LINGER;
	TAILQ_INSERT_TAIL(&h->lingering, c, idle_link);
	h->nlingering++;
	first = TAILQ_FIRST(&h->lingering);
	if (h->nlingering > LINGER_MOST && first != c) {
		first->broken = true;
		fr_conn_dirty(first);
	}
	fr_buf_fini(&c->in);
	fr_http_deadline(c, LINGER_MS);
}

/* Requests that had come, but whose turn it was not. */
static void
go_on(struct fr_conn *c)
{
	size_t used;

	while (c->blocked && c->in.len > 0 && !c->broken) {
		used = fr_conn_feed(c, fr_buf_span(&c->in));
		fr_buf_shift(&c->in, used);
		if (c->in.len == 0)
			fr_buf_fini(&c->in);
		advance(c);
		flush(c);
		if (used == 0)
			break;
	}
}

void
fr_conn_settle(struct fr_conn *c)
{
	if (!c->broken) {
		advance(c);
		flush(c);
		go_on(c);
	}
	if (!c->broken && c->out.len == 0 && c->first == NULL) {
		if (c->state == FR_CONN_CLOSING)
			finish(c);
		else if (c->eof)
			c->broken = true;
		else if (c->http->draining && c->in.len == 0 &&
			 c->state == FR_CONN_HEAD)
			c->broken = true;
	}
	/* The rest of a request will never come. */
	if (c->eof && c->now != NULL && c->first == c->now)
		c->broken = true;
	if (c->broken) {
		fr_conn_close(c);
		return;
	}
	count_in(c);
	poll_read(c, !c->eof && !c->deaf &&
			 !(c->blocked && fr_http_crowded(c->http)) &&
			 c->in.len < AHEAD + c->http->conf.max_header);
	if (c->first == NULL && c->in.len == 0 && c->out.len == 0 &&
	    c->state == FR_CONN_HEAD && !c->eof)
		set_idle(c, true);
	c->dirty = false;
}

void
fr_conn_expired(struct fr_conn *c)
{
	struct fr_http *h = c->http;

	if (!c->writing && (c->timed_head || c->now != NULL)) {
		h->n.timeouts++;
		fr_conn_bad(c, 408,
		    c->now != NULL ? "the body took too long"
				   : "the head took too long");
	} else
		c->broken = true;
	fr_conn_dirty(c);
}
