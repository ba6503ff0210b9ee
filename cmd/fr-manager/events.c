/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/str.h"
#include "base/uuid.h"
#include "core/event.h"
#include "manager.h"

/*
 * GET /v1/events: server-sent events from the ring in memory. A stream gets
 * more only while little of it is unsent, so that a slow reader holds no
 * memory: it falls behind in the ring, and is dropped when the ring has
 * forgotten what comes next, or when it takes nothing at all for as long as
 * --write-timeout says. It may come back with the last number it has seen.
 */

#define UNSENT ((size_t)128 * 1024)
#define PIECE 100

struct emit {
	struct fr_request *q;
	struct fr_buf text;
};

static bool
wanted(
    const struct fr_request *q, struct fr_span type, const struct fr_uuid *id)
{
	if (q->by_job && !fr_uuid_eq(id, &q->id))
		return false;
	return q->type[0] == '\0' || fr_span_is(type, q->type);
}

static void
emit(void *arg, int64_t number, enum fr_event_kind kind, struct fr_span type,
    const struct fr_uuid *id, struct fr_span json)
{
	struct emit *e = arg;

	if (!wanted(e->q, type, id))
		return;
	fr_buf_adds(&e->text, "id: ");
	fr_buf_addi64(&e->text, number);
	fr_buf_adds(&e->text, "\nevent: ");
	fr_buf_adds(&e->text, fr_event_name(kind));
	fr_buf_adds(&e->text, "\ndata: ");
	fr_buf_addspan(&e->text, json);
	fr_buf_adds(&e->text, "\n\n");
}

static void
unlink_stream(struct fr_request *q)
{
	if (q->stream_prev == NULL)
		return;
	*q->stream_prev = q->stream_next;
	if (q->stream_next != NULL)
		q->stream_next->stream_prev = q->stream_prev;
	q->stream_prev = NULL;
}

void
fr_events_gone(struct fr_request *q)
{
	unlink_stream(q);
	fr_http_stream_end(&q->http);
}

/* false: it has been ended. *behind: there is more for it. */
static bool
feed(struct fr_manager *m, struct fr_request *q, bool *behind)
{
	struct emit e = { .q = q };
	bool gap = false, sent = true;
	int64_t last;

	fr_buf_init(&e.text, 0);
	for (;;) {
		/* When memory is short, a piece at a time. */
		if (fr_http_unsent(&q->http) >
		    (fr_http_full(m->http, UNSENT) ? 0 : UNSENT)) {
			*behind = true;
			break;
		}
		fr_buf_reset(&e.text);
		last = fr_event_ring_read(
		    m->ring, q->last_event, PIECE, &gap, emit, &e);
		if (last == q->last_event)
			break;
		if (gap)
			break;
		q->last_event = last;
		sent = fr_http_stream(&q->http, fr_buf_span(&e.text));
		if (!sent)
			break;
	}
	fr_buf_fini(&e.text);
	if (gap || !sent) {
		unlink_stream(q);
		fr_http_drop(&q->http);
		return false;
	}
	return true;
}

void
fr_events_news(struct fr_manager *m)
{
	struct fr_request *q, *next;
	bool behind = false;

	for (q = m->streams; q != NULL; q = next) {
		next = q->stream_next;
		(void)feed(m, q, &behind);
	}
	m->behind = behind;
}

/* A comment, so that both sides notice when the other is gone. */
void
fr_events_beat(struct fr_manager *m)
{
	struct fr_request *q;

	for (q = m->streams; q != NULL; q = q->stream_next)
		if (fr_http_unsent(&q->http) == 0)
			(void)fr_http_stream(&q->http, FR_SPAN(":\n\n"));
}

void
fr_events_stop(struct fr_manager *m)
{
	while (m->streams != NULL)
		fr_events_gone(m->streams);
}

/* Where a stream begins: now, or behind the last event that was seen. */
static bool
first_event(struct fr_manager *m, struct fr_request *q)
{
	const int64_t newest = fr_event_ring_last(m->ring);
	struct emit e = { .q = q };
	bool gap = false;

	fr_event_ring_want(m->ring);
	if (q->last_event < 0 || q->last_event >= newest) {
		q->last_event = newest;
		return true;
	}
	fr_buf_init(&e.text, 0);
	(void)fr_event_ring_read(m->ring, q->last_event, 1, &gap, emit, &e);
	fr_buf_fini(&e.text);
	return !gap;
}

/* Then the number behind which nothing is missed, for who is cut off before
 * there is an event. */
static void
greet(struct fr_request *q, bool all)
{
	struct fr_manager *m = fr_manager_of(q);
	const int64_t newest = fr_event_ring_last(m->ring);
	struct emit e = { .q = q };
	int64_t last;
	bool gap;

	fr_buf_init(&e.text, 0);
	fr_buf_adds(&e.text,
	    all ? ": forerunner\n\n" : ": some events are forgotten\n\n");
	if (!all) {
		/* The number from which on all are there. */
		last = fr_event_ring_read(
		    m->ring, q->last_event, PIECE, &gap, emit, &e);
		/* None is left, as after a restart: from now on. */
		q->last_event = last == q->last_event ? newest : last;
	}
	fr_buf_adds(&e.text, "id: ");
	fr_buf_addi64(&e.text, q->last_event);
	fr_buf_adds(&e.text, "\n\n");
	(void)fr_http_stream(&q->http, fr_buf_span(&e.text));
	fr_buf_fini(&e.text);
}

static void
start(struct fr_request *q)
{
	struct fr_manager *m = fr_manager_of(q);
	bool all = first_event(m, q), behind = false;

	if (m->stopping || !fr_http_reachable(&q->http)) {
		fr_answer_problem(q, 503, "about:blank",
		    m->stopping ? "the manager is stopping"
				: "nobody waits for the events");
		return;
	}
	fr_http_stream_begin(&q->http, "text/event-stream");
	if (q->http.is_head) {
		fr_http_stream_end(&q->http);
		return;
	}
	greet(q, all);
	q->stream_next = m->streams;
	q->stream_prev = &m->streams;
	if (m->streams != NULL)
		m->streams->stream_prev = &q->stream_next;
	m->streams = q;
	if (feed(m, q, &behind))
		m->behind = m->behind || behind;
	fr_manager_beat(m);
}

void
fr_events_get(struct fr_request *q)
{
	static const char *const known[] = { "type", "job", NULL };
	char id[64];
	enum fr_rc rc;

	if (!fr_params_known(q, known))
		return;
	rc = fr_param(q, "type", q->type, sizeof(q->type));
	if (rc != FR_OK && rc != FR_NOTFOUND)
		return;
	if (rc == FR_NOTFOUND)
		q->type[0] = '\0';
	rc = fr_param(q, "job", id, sizeof(id));
	if (rc != FR_OK && rc != FR_NOTFOUND)
		return;
	if (rc == FR_OK) {
		q->by_job = true;
		if (!fr_uuid_prefix(fr_span_of(id), q->prefix)) {
			fr_answer_problem(q, 422, "about:blank",
			    "parameter `job`: must be an id");
			return;
		}
		if (strlen(q->prefix) == 32) {
			(void)fr_hex_decode(q->id.b, sizeof(q->id.b),
			    (struct fr_span){ q->prefix, 32 });
			q->prefix[0] = '\0';
		}
	}
	fr_ask_whole(q, start);
}
