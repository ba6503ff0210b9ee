/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "conn.h"
#include "wire/head.h"

/*
 * From bytes to requests. A head is looked at only when all of it is there
 * and when it is its turn: requests of one connection are worked on one after
 * the other, except those that may overlap (submits, which the engine keeps
 * in order anyway), so that a client that sends many at once has them
 * committed together.
 */

/* Unsent bytes of answers above which no further request is read. */
#define UNSENT ((size_t)256 * 1024)

/* Unsent answers of all connections may always be so large: a few lists, or
 * one for each of some workers. */
#define ANSWERS ((size_t)64 << 20)

/* Requests with so large a body leave an eighth of the memory to others. */
#define LARGE ((size_t)64 * 1024)

static struct fr_req *
req_new(struct fr_conn *c, size_t more)
{
	struct fr_http *h = c->http;
	struct fr_arena *a;
	struct fr_req *r;

	a = fr_arena_new(h->conf.req_size + more + 256);
	if (a == NULL)
		return NULL;
	r = fr_arena_alloc(a, h->conf.req_size);
	fr_assert(r != NULL);
	r->arena = a;
	r->http = h;
	r->conn = c;
	if (c->last == NULL)
		c->first = r;
	else
		c->last->next = r;
	c->last = r;
	c->nreqs++;
	return r;
}

void
fr_conn_bad(struct fr_conn *c, int status, const char *detail)
{
	struct fr_http *h = c->http;
	struct fr_req *r = c->now != NULL ? c->now : req_new(c, 0);
	struct fr_buf body;

	h->n.bad++;
	c->now = NULL;
	if (r == NULL) {
		c->broken = true;
		return;
	}
	fr_buf_init(&body, 0);
	h->conf.problem(&body, status, detail);
	fr_http_reply_close(r, status, "application/problem+json",
	    fr_buf_span(&body), status == 503 ? "Retry-After: 1\r\n" : NULL);
	fr_buf_fini(&body);
}

static void
charge(struct fr_req *r, size_t bytes)
{
	r->charged += bytes;
	r->http->n.bytes += bytes;
}

/*
 * Whether it is too much now: refused before anything grows. Workers have a
 * share of their own, since a report frees more than it takes; and signs of
 * life are for whoever asks why nothing else works.
 */
static size_t
memory_for(const struct fr_http *h, enum fr_rank rank)
{
	const size_t most = h->conf.max_memory;

	return rank == FR_RANK_URGENT ? most + most / 4 : most;
}

static bool
overloaded(const struct fr_conn *c, enum fr_rank rank, size_t bytes)
{
	const struct fr_http *h = c->http;
	size_t most = memory_for(h, rank), requests = h->conf.max_requests;

	if (rank == FR_RANK_ALWAYS)
		return false;
	if (rank == FR_RANK_URGENT)
		requests += requests / 4 + 1;
	else if (bytes > LARGE)
		most -= most / 8;
	return c->guest || h->n.in_flight >= requests ||
	       fr_http_memory(h) + bytes > most ||
	       h->n.answer_bytes > h->conf.max_memory + ANSWERS;
}

bool
fr_http_count(struct fr_req *r)
{
	const size_t now = fr_arena_bytes(r->arena);

	charge(r, now - r->arena_bytes);
	r->arena_bytes = now;
	if (r->rank == FR_RANK_ALWAYS ||
	    fr_http_memory(r->http) <= memory_for(r->http, r->rank))
		return true;
	r->http->n.shed++;
	return false;
}

/* All of it is there: to the application. */
static void
complete(struct fr_conn *c, struct fr_req *r)
{
	c->now = NULL;
	c->state = r->keep ? FR_CONN_HEAD : FR_CONN_CLOSING;
	fr_http_deadline(c, 0);
	c->http->conf.handle(r);
	fr_assert(r->answered || r->pending || r->streaming);
}

/* A body that is not wholly there yet. */
static void
await_body(struct fr_conn *c, struct fr_req *r, const struct fr_head *head,
    bool nothing_yet)
{
	struct fr_http *h = c->http;

	c->now = r;
	fr_http_deadline(c, h->conf.body_ms);
	fr_buf_init(&r->big, h->conf.max_body);
	if (head->chunked) {
		c->state = FR_CONN_CHUNKS;
		memset(&c->chunks, 0, sizeof(c->chunks));
	} else {
		c->state = FR_CONN_BODY;
		c->need = (size_t)head->length;
		if (fr_buf_reserve(&r->big, c->need) == NULL) {
			fr_conn_bad(c, 503, "out of memory");
			return;
		}
	}
	if (head->expects && nothing_yet && c->first == r)
		fr_buf_adds(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* A request that is refused with what is known from its head. */
static bool
refused(struct fr_conn *c, struct fr_req *r, const struct fr_head *head)
{
	struct fr_http *h = c->http;

	if (head->length > h->conf.max_body) {
		c->now = r;
		fr_conn_bad(c, 413, "the body is larger than the limit");
		return true;
	}
	if (overloaded(c, r->rank, (size_t)head->length)) {
		struct fr_buf body;

		h->n.shed++;
		fr_buf_init(&body, 0);
		h->conf.problem(&body, 503,
		    c->guest ? "too many connections"
			     : "too much to do at the moment");
		fr_http_reply(r, 503, "application/problem+json",
		    fr_buf_span(&body), "Retry-After: 1\r\n");
		fr_buf_fini(&body);
		return true;
	}
	return !h->conf.begin(r, head);
}

static enum fr_lane_no
lane_of(enum fr_rank rank)
{
	switch (rank) {
	case FR_RANK_URGENT:
		return FR_LANE_WORK;
	case FR_RANK_ALWAYS:
		return FR_LANE_LIGHT;
	case FR_RANK_USUAL:
		break;
	}
	return FR_LANE_USUAL;
}

/* A whole head of len bytes stands at the front of in. */
static size_t
request(struct fr_conn *c, const struct fr_head *head, struct fr_span in,
    size_t len)
{
	struct fr_http *h = c->http;
	const size_t rest = in.len - len;
	const bool whole = !head->chunked && head->length <= rest;
	const size_t body = whole ? (size_t)head->length : 0;
	struct fr_req *r;

	h->n.requests++;
	c->overlapping =
	    (c->nreqs == 0 || c->overlapping) && h->conf.overlaps(head);
	r = req_new(c, body);
	if (r == NULL) {
		c->broken = true;
		return 0;
	}
	r->http10 = head->minor == 0;
	r->is_head =
	    head->method.len == 4 && memcmp(head->method.p, "HEAD", 4) == 0;
	r->rank = h->conf.rank(head);
	fr_lane_enter(c, lane_of(r->rank));
	/* What is refused now closes the connection unless its body is there
	 * and can be skipped. */
	r->keep = head->keep && whole;
	if (refused(c, r, head)) {
		fr_assert(r->answered);
		if (!whole || !head->keep)
			c->state = FR_CONN_CLOSING;
		return len + body;
	}
	r->keep = head->keep;
	r->counted = true;
	h->n.in_flight++;
	r->arena_bytes = fr_arena_bytes(r->arena);
	charge(r, r->arena_bytes + (whole ? 0 : (size_t)head->length));
	if (!whole) {
		await_body(c, r, head, rest == 0);
		return len;
	}
	r->body = fr_arena_dup(r->arena, (struct fr_span){ in.p + len, body });
	if (r->body.p == NULL) {
		c->now = r;
		fr_conn_bad(c, 503, "out of memory");
	} else
		complete(c, r);
	return len + body;
}

/* How many requests one connection may have worked on at a time. Where that
 * would be too many in all, each gets its part, and the rest waits unread. */
static size_t
overlap(const struct fr_http *h)
{
	const size_t half = h->conf.max_requests / 2;
	size_t n;

	if (h->n.in_flight < half)
		return FR_CONN_OVERLAP;
	n = half / (h->n.connections + 1);
	return n < 1 ? 1 : n < FR_CONN_OVERLAP ? n : FR_CONN_OVERLAP;
}

static size_t
feed_head(struct fr_conn *c, struct fr_span in)
{
	struct fr_http *h = c->http;
	struct fr_err err = FR_ERR_INIT;
	struct fr_head head;
	size_t len = 0;
	enum fr_rc rc;
	int status;

	if ((c->nreqs > 0 && !c->overlapping) || c->nreqs >= overlap(h) ||
	    c->out.len - c->sent > UNSENT) {
		c->blocked = true;
		return 0;
	}
	rc = fr_head_find(in, h->conf.max_header, &c->scan, &len, &err);
	/* Most heads come whole; thousands of halves would take the memory of
	 * those who have work to do. */
	if (rc == FR_AGAIN && fr_http_crowded(h)) {
		h->n.shed++;
		fr_conn_bad(c, 503, "too much to do at the moment");
		return in.len;
	}
	if (rc == FR_AGAIN) {
		if (!c->timed_head) {
			fr_http_deadline(c, h->conf.header_ms);
			c->timed_head = true;
		}
		return 0;
	}
	c->scan = 0;
	if (rc != FR_OK) {
		fr_conn_bad(c, rc == FR_TOOBIG ? 431 : 400, err.msg);
		return in.len;
	}
	if (fr_head_parse(
		(struct fr_span){ in.p, len }, &head, &status, &err) != FR_OK) {
		fr_conn_bad(c, status, err.msg);
		return in.len;
	}
	if (c->nreqs > 0 && !h->conf.overlaps(&head)) {
		c->blocked = true;
		return 0;
	}
	if (c->timed_head)
		fr_http_deadline(c, 0);
	return request(c, &head, in, len);
}

void
fr_conn_body_done(struct fr_conn *c)
{
	struct fr_req *r = c->now;

	fr_assert(c->need == 0);
	r->body = fr_buf_span(&r->big);
	complete(c, r);
}

static size_t
feed_body(struct fr_conn *c, struct fr_span in)
{
	struct fr_req *r = c->now;
	const size_t n = in.len < c->need ? in.len : c->need;

	fr_buf_add(&r->big, in.p, n);
	fr_assert(fr_buf_ok(&r->big)); /* it has room for all */
	c->need -= n;
	if (c->need == 0)
		fr_conn_body_done(c);
	return n;
}

static size_t
feed_chunks(struct fr_conn *c, struct fr_span in)
{
	struct fr_req *r = c->now;
	struct fr_err err = FR_ERR_INIT;
	const size_t had = r->big.cap;
	size_t used;
	enum fr_rc rc;

	rc = fr_chunked_feed(&c->chunks, in, &used, &r->big, &err);
	charge(r, r->big.cap - had);
	if (rc == FR_OK) {
		r->body = fr_buf_span(&r->big);
		complete(c, r);
	} else if (rc != FR_AGAIN) {
		fr_conn_bad(c,
		    rc == FR_TOOBIG  ? 413
		    : rc == FR_NOMEM ? 503
				     : 400,
		    err.msg);
	} else if (fr_http_memory(c->http) > memory_for(c->http, r->rank)) {
		c->http->n.shed++;
		fr_conn_bad(c, 503, "too much to do at the moment");
	}
	return used;
}

size_t
fr_conn_feed(struct fr_conn *c, struct fr_span in)
{
	size_t used = 0, n = 0;

	c->blocked = false;
	while (used < in.len && !c->broken) {
		const struct fr_span rest = { in.p + used, in.len - used };

		switch (c->state) {
		case FR_CONN_HEAD:
			n = feed_head(c, rest);
			break;
		case FR_CONN_BODY:
			n = feed_body(c, rest);
			break;
		case FR_CONN_CHUNKS:
			n = feed_chunks(c, rest);
			break;
		case FR_CONN_CLOSING:
		case FR_CONN_LINGER:
			return in.len;
		}
		if (n == 0)
			break;
		used += n;
	}
	return used;
}
