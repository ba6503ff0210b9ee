/* SPDX-License-Identifier: MIT */
#include "core/event.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/jsonw.h"
#include "base/time.h"
#include "base/uuid.h"

/*
 * Events stand in an array of pointers that is used as a ring: the one with
 * number n is at n modulo its size, so that a reader finds its place at once.
 */
struct event {
	enum fr_event_kind kind;
	struct fr_uuid id;
	size_t type_len;
	size_t json_len;
	char text[]; /* the type, then the JSON */
};

struct fr_event_ring {
	pthread_mutex_t lock;
	struct event **v;
	size_t cap;    /* a power of two */
	int64_t first; /* number of the oldest one kept */
	int64_t next;  /* number of the next one */
	size_t bytes;
	size_t max_bytes;
	bool wanted;
};

struct fr_event_ring *
fr_event_ring_new(size_t max_bytes)
{
	struct fr_event_ring *r;

	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->cap = 256;
	r->v = calloc(r->cap, sizeof(struct event *));
	if (r->v == NULL || pthread_mutex_init(&r->lock, NULL) != 0) {
		free(r->v);
		free(r);
		return NULL;
	}
	r->max_bytes = max_bytes;
	r->first = r->next = fr_time_wall_ms() * 1000;
	return r;
}

static struct event **
slot(struct fr_event_ring *r, int64_t number)
{
	return &r->v[(uint64_t)number & (r->cap - 1)];
}

static size_t
event_bytes(const struct event *ev)
{
	return sizeof(*ev) + ev->type_len + ev->json_len;
}

static void
forget_oldest(struct fr_event_ring *r)
{
	struct event **s = slot(r, r->first);

	fr_assert(r->first < r->next);
	r->bytes -= event_bytes(*s);
	free(*s);
	*s = NULL;
	r->first++;
}

void
fr_event_ring_free(struct fr_event_ring *r)
{
	if (r == NULL)
		return;
	while (r->first < r->next)
		forget_oldest(r);
	pthread_mutex_destroy(&r->lock);
	free(r->v);
	free(r);
}

void
fr_event_ring_want(struct fr_event_ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->wanted = true;
	pthread_mutex_unlock(&r->lock);
}

bool
fr_event_ring_wanted(struct fr_event_ring *r)
{
	bool wanted;

	pthread_mutex_lock(&r->lock);
	wanted = r->wanted;
	pthread_mutex_unlock(&r->lock);
	return wanted;
}

/* Twice the room, or false without memory. */
static bool
grow(struct fr_event_ring *r)
{
	struct event **v, **old = r->v;
	const size_t cap = r->cap;
	int64_t n;

	v = calloc(cap * 2, sizeof(*v));
	if (v == NULL)
		return false;
	r->v = v;
	r->cap = cap * 2;
	for (n = r->first; n < r->next; n++)
		*slot(r, n) = old[(uint64_t)n & (cap - 1)];
	free(old);
	return true;
}

void
fr_event_ring_add(struct fr_event_ring *r, enum fr_event_kind kind,
    struct fr_span type, const struct fr_uuid *id, struct fr_span json)
{
	struct event *ev;

	ev = malloc(sizeof(*ev) + type.len + json.len);
	pthread_mutex_lock(&r->lock);
	if (ev == NULL) {
		/* A number that nobody sees tells readers of the gap. */
		while (r->first < r->next)
			forget_oldest(r);
		r->first = ++r->next;
		pthread_mutex_unlock(&r->lock);
		return;
	}
	ev->kind = kind;
	ev->id = *id;
	ev->type_len = type.len;
	ev->json_len = json.len;
	memcpy(ev->text, type.p, type.len);
	memcpy(ev->text + type.len, json.p, json.len);
	if ((size_t)(r->next - r->first) == r->cap && !grow(r))
		forget_oldest(r);
	r->bytes += event_bytes(ev);
	*slot(r, r->next++) = ev;
	while (r->bytes > r->max_bytes && r->next - r->first > 1)
		forget_oldest(r);
	pthread_mutex_unlock(&r->lock);
}

int64_t
fr_event_ring_read(struct fr_event_ring *r, int64_t after, size_t limit,
    bool *gap, fr_event_emit_fn *emit, void *arg)
{
	const struct event *ev;
	int64_t n;

	pthread_mutex_lock(&r->lock);
	n = after + 1;
	if (gap != NULL)
		*gap = n < r->first;
	if (n < r->first)
		n = r->first;
	for (; n < r->next && limit > 0; n++, limit--) {
		ev = *slot(r, n);
		emit(arg, n, ev->kind,
		    (struct fr_span){ ev->text, ev->type_len }, &ev->id,
		    (struct fr_span){ ev->text + ev->type_len, ev->json_len });
		after = n;
	}
	pthread_mutex_unlock(&r->lock);
	return after;
}

int64_t
fr_event_ring_last(struct fr_event_ring *r)
{
	int64_t n;

	pthread_mutex_lock(&r->lock);
	n = r->next - 1;
	pthread_mutex_unlock(&r->lock);
	return n;
}

void
fr_event_write(struct fr_buf *b, enum fr_event_kind kind,
    const struct fr_job *job, int64_t now_ms)
{
	char id[FR_UUID_TEXT];

	fr_uuid_format(id, &job->id);
	/* Without a comma behind what b has already. */
	fr_buf_addc(b, '{');
	fr_jsonw_key(b, "event");
	fr_jsonw_strz(b, fr_event_name(kind));
	fr_jsonw_key(b, "id");
	fr_jsonw_strz(b, id);
	fr_jsonw_key(b, "type");
	fr_jsonw_str(b, job->type);
	fr_jsonw_key(b, "at");
	fr_jsonw_time(b, now_ms);
	fr_jsonw_key(b, "attempt");
	fr_jsonw_i64(b, job->attempt);
	if (job->worker.len > 0) {
		fr_jsonw_key(b, "worker");
		fr_jsonw_str(b, job->worker);
	}
	if (kind == FR_EVENT_PROGRESS && job->progress.len > 0) {
		fr_jsonw_key(b, "progress");
		fr_jsonw_raw(b, job->progress);
	}
	if (kind == FR_EVENT_COMPLETE && job->result.len > 0) {
		fr_jsonw_key(b, "result");
		fr_jsonw_raw(b, job->result);
	}
	if ((kind == FR_EVENT_FAILED || kind == FR_EVENT_COUNT_FAILED) &&
	    job->error.len > 0) {
		fr_jsonw_key(b, "error");
		fr_jsonw_raw(b, job->error);
		fr_jsonw_key(b, "fail_count");
		fr_jsonw_i64(b, job->fail_count);
	}
	if (kind == FR_EVENT_COUNT_FAILED) {
		fr_jsonw_key(b, "run_at");
		fr_jsonw_time(b, job->run_at_ms);
	}
	fr_jsonw_close(b, '}');
}
