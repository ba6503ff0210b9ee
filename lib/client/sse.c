/* SPDX-License-Identifier: MIT */
#include "client/sse.h"

#include <string.h>

#include "base/str.h"

#define RETRY_MOST_MS 60000

void
fr_sse_init(struct fr_sse *s, size_t max_bytes)
{
	memset(s, 0, sizeof(*s));
	fr_buf_init(&s->line, max_bytes);
	fr_buf_init(&s->data, max_bytes);
	fr_buf_init(&s->event, max_bytes);
	fr_buf_init(&s->id, max_bytes);
	fr_buf_init(&s->last_id, max_bytes);
}

void
fr_sse_fini(struct fr_sse *s)
{
	fr_buf_fini(&s->line);
	fr_buf_fini(&s->data);
	fr_buf_fini(&s->event);
	fr_buf_fini(&s->id);
	fr_buf_fini(&s->last_id);
}

void
fr_sse_restart(struct fr_sse *s)
{
	fr_buf_reset(&s->line);
	fr_buf_reset(&s->data);
	fr_buf_reset(&s->event);
	/* The number of an event that never came whole must not be used. */
	fr_buf_reset(&s->id);
	fr_buf_addspan(&s->id, fr_buf_span(&s->last_id));
	s->after_cr = false;
	s->begun = false;
}

static void
take_field(struct fr_sse *s, struct fr_span name, struct fr_span value)
{
	int64_t ms;

	if (fr_span_is(name, "data")) {
		fr_buf_addspan(&s->data, value);
		fr_buf_addc(&s->data, '\n');
	} else if (fr_span_is(name, "event")) {
		fr_buf_reset(&s->event);
		fr_buf_addspan(&s->event, value);
	} else if (fr_span_is(name, "id")) {
		if (value.len > 0 && memchr(value.p, 0, value.len) != NULL)
			return;
		fr_buf_reset(&s->id);
		fr_buf_addspan(&s->id, value);
	} else if (fr_span_is(name, "retry")) {
		if (fr_str_i64(value, 0, RETRY_MOST_MS, &ms) == FR_OK)
			s->retry_ms = ms;
	}
}

/* An empty line: the event is complete. false: the receiver has enough. */
static bool
dispatch(struct fr_sse *s, fr_sse_emit_fn *emit, void *arg)
{
	struct fr_span data = fr_buf_span(&s->data);
	struct fr_span event = fr_buf_span(&s->event);
	bool more = true;

	fr_buf_reset(&s->last_id);
	fr_buf_addspan(&s->last_id, fr_buf_span(&s->id));
	if (data.len > 0) {
		data.len--; /* the last line feed */
		if (event.len == 0)
			event = FR_SPAN("message");
		more = emit(arg, event, fr_buf_span(&s->id), data);
	}
	fr_buf_reset(&s->data);
	fr_buf_reset(&s->event);
	return more;
}

static bool
take_line(struct fr_sse *s, fr_sse_emit_fn *emit, void *arg)
{
	struct fr_span line = fr_buf_span(&s->line);
	struct fr_span name, value = { "", 0 };
	const char *colon;

	if (!s->begun && fr_span_starts(line, "\xef\xbb\xbf")) {
		line.p += 3;
		line.len -= 3;
	}
	s->begun = true;
	if (line.len == 0)
		return dispatch(s, emit, arg);
	name = line;
	colon = memchr(line.p, ':', line.len);
	if (colon != NULL) {
		name.len = (size_t)(colon - line.p);
		value.p = colon + 1;
		value.len = line.len - name.len - 1;
		if (value.len > 0 && *value.p == ' ') {
			value.p++;
			value.len--;
		}
	}
	take_field(s, name, value); /* a comment has an empty name */
	return true;
}

enum fr_rc
fr_sse_feed(struct fr_sse *s, struct fr_span piece, fr_sse_emit_fn *emit,
    void *arg, struct fr_err *err)
{
	size_t i, from = 0;
	bool more;

	for (i = 0; i < piece.len; i++) {
		const char c = piece.p[i];

		if (c == '\n' && s->after_cr) {
			s->after_cr = false;
			from = i + 1;
			continue;
		}
		s->after_cr = c == '\r';
		if (c != '\n' && c != '\r')
			continue;
		fr_buf_add(&s->line, piece.p + from, i - from);
		from = i + 1;
		more = take_line(s, emit, arg);
		fr_buf_reset(&s->line);
		if (!more)
			return fr_fail(
			    err, FR_TIMEOUT, "ended by the receiver");
	}
	if (from < piece.len)
		fr_buf_add(&s->line, piece.p + from, piece.len - from);
	if (!fr_buf_ok(&s->line) || !fr_buf_ok(&s->data) ||
	    !fr_buf_ok(&s->event) || !fr_buf_ok(&s->id) ||
	    !fr_buf_ok(&s->last_id))
		return fr_fail(err, FR_TOOBIG, "an event is too long");
	return FR_OK;
}
