/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "conn.h"
#include "wire/problem.h"

/*
 * Answers. The first request of a connection writes straight into what is to
 * be sent; one that is ready before its turn keeps its answer until then.
 */

static struct fr_buf *
target(struct fr_req *r)
{
	return r->conn->first == r ? &r->conn->out : &r->out;
}

static void
add(struct fr_buf *b, const char *z)
{
	fr_buf_add(b, z, strlen(z));
}

static void
status_line(struct fr_buf *b, struct fr_http *h, int status)
{
	char line[64];
	int n;

	/* The two of the hot path need no formatting. */
	if (status == 201) {
		add(b, "HTTP/1.1 201 Created\r\n");
	} else if (status == 200) {
		add(b, "HTTP/1.1 200 OK\r\n");
	} else {
		n = snprintf(line, sizeof(line), "HTTP/1.1 %d %s\r\n", status,
		    fr_wire_problem_title(status));
		fr_assert(n > 0 && (size_t)n < sizeof(line));
		fr_buf_add(b, line, (size_t)n);
	}
	add(b, fr_http_date(h));
}

static void
content_type(struct fr_buf *b, const char *type)
{
	if (type == NULL)
		return;
	add(b, "Content-Type: ");
	add(b, type);
	add(b, "\r\n");
}

/* What the answer says of the connection, and what becomes of it. */
static void
connection(struct fr_buf *b, struct fr_req *r)
{
	if ((r->http->draining || r->conn->guest) && r->next == NULL)
		r->keep = false;
	if (!r->keep) {
		add(b, "Connection: close\r\n");
		if (r->next == NULL)
			r->conn->state = FR_CONN_CLOSING;
	} else if (r->http10)
		add(b, "Connection: keep-alive\r\n");
}

void
fr_http_reply(struct fr_req *r, int status, const char *type,
    struct fr_span body, const char *more)
{
	struct fr_buf *b;

	fr_assert(!r->answered && !r->streaming);
	r->answered = true;
	if (r->conn == NULL) {
		fr_http_bury(r);
		return;
	}
	b = target(r);
	(void)fr_buf_reserve(b, 384 + body.len);
	status_line(b, r->http, status);
	content_type(b, type);
	add(b, "Content-Length: ");
	fr_buf_addi64(b, (long long)body.len);
	add(b, "\r\n");
	if (more != NULL)
		add(b, more);
	connection(b, r);
	add(b, "\r\n");
	if (!r->is_head)
		fr_buf_addspan(b, body);
	if (!fr_buf_ok(b))
		r->conn->broken = true;
	fr_conn_count_out(r->conn);
	fr_conn_dirty(r->conn);
}

void
fr_http_reply_close(struct fr_req *r, int status, const char *type,
    struct fr_span body, const char *more)
{
	r->keep = false;
	fr_http_reply(r, status, type, body, more);
}

void
fr_http_stream_begin(struct fr_req *r, const char *type)
{
	struct fr_buf *b;

	fr_assert(!r->answered && !r->streaming);
	r->streaming = true;
	fr_http_park(r, true); /* most of the time nothing happens */
	if (r->conn == NULL)
		return;
	fr_assert(r->conn->first == r); /* streams do not overlap */
	b = target(r);
	status_line(b, r->http, 200);
	content_type(b, type);
	add(b, "Cache-Control: no-store\r\n");
	r->chunked = !r->http10;
	if (r->chunked)
		add(b, "Transfer-Encoding: chunked\r\n");
	else
		r->keep = false;
	connection(b, r);
	add(b, "\r\n");
	fr_conn_dirty(r->conn);
}

bool
fr_http_stream(struct fr_req *r, struct fr_span piece)
{
	struct fr_buf *b;

	fr_assert(r->streaming);
	if (r->conn == NULL || r->conn->broken)
		return false;
	b = &r->conn->out;
	if (piece.len == 0 || r->is_head)
		return true;
	if (r->chunked)
		fr_buf_addf(b, "%zx\r\n", piece.len);
	fr_buf_addspan(b, piece);
	if (r->chunked)
		add(b, "\r\n");
	if (!fr_buf_ok(b))
		r->conn->broken = true;
	fr_conn_count_out(r->conn);
	fr_conn_dirty(r->conn);
	return !r->conn->broken;
}

void
fr_http_stream_end(struct fr_req *r)
{
	fr_assert(r->streaming);
	r->streaming = false;
	r->answered = true;
	if (r->conn == NULL) {
		fr_http_bury(r);
		return;
	}
	if (r->chunked && !r->is_head)
		add(&r->conn->out, "0\r\n\r\n");
	fr_conn_dirty(r->conn);
}

bool
fr_http_full(const struct fr_http *h, size_t more)
{
	const uint64_t n = h->n.answer_bytes;

	return n > 0 && n + more > h->conf.max_memory / 2;
}

size_t
fr_http_unsent(const struct fr_req *r)
{
	return r->conn == NULL ? 0 : r->conn->out.len - r->conn->sent;
}

void
fr_http_drop(struct fr_req *r)
{
	if (r->conn == NULL)
		return;
	r->streaming = false;
	r->answered = true; /* so much of it as there was */
	r->conn->broken = true;
	fr_conn_dirty(r->conn);
}
