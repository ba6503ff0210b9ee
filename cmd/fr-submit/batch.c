/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/str.h"
#include "wire/job.h"

/* More than a manager may allow: it has the last word. */
#define DEPTH_MOST 1024

enum fr_rc
batch_init(struct batch *b, struct fr_err *err)
{
	memset(b, 0, sizeof(*b));
	fr_buf_init(&b->body, 0);
	b->start = calloc(BATCH_JOBS, sizeof(*b->start));
	b->line = calloc(BATCH_JOBS, sizeof(*b->line));
	if (b->start == NULL || b->line == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	return FR_OK;
}

void
batch_fini(struct batch *b)
{
	fr_buf_fini(&b->body);
	fr_buf_fini(&b->call.answer);
	fr_arena_free(b->arena);
	free(b->start);
	free(b->line);
}

void
batch_reset(struct batch *b)
{
	fr_buf_reset(&b->body);
	fr_arena_free(b->arena);
	b->arena = NULL;
	b->n = b->accepted = 0;
	b->rc = FR_OK;
	b->unknown = false;
}

bool
batch_fits(const struct batch *b, const struct recipe *r, size_t len)
{
	/* {"id":"…", a key for the data, brackets and the line's end */
	const size_t most = len + r->head.len + FR_UUID_TEXT + 32;

	return b->n == 0 ||
	       (b->n < BATCH_JOBS && b->body.len + most <= BATCH_BYTES);
}

static void
add_id(struct batch *b, struct recipe *r)
{
	struct fr_uuid id = fr_uuid_new(&r->gen, r->now_ms, &r->rand);
	char text[FR_UUID_TEXT];

	fr_uuid_format(text, &id);
	fr_buf_add(&b->body, "{\"id\":\"", sizeof("{\"id\":\"") - 1);
	fr_buf_add(&b->body, text, FR_UUID_TEXT - 1);
	fr_buf_addc(&b->body, '"');
}

/* A line that is the data of a job. */
static enum fr_rc
add_data(
    struct batch *b, struct recipe *r, struct fr_span text, struct fr_err *err)
{
	struct fr_span value;
	enum fr_rc rc = fr_json_check(text, DEPTH_MOST, &value, err);

	if (rc != FR_OK)
		return rc;
	add_id(b, r);
	fr_buf_addspan(&b->body, fr_buf_span(&r->head));
	fr_buf_addspan(&b->body, value);
	fr_buf_add(&b->body, "}\n", 2);
	return FR_OK;
}

/* A line that is a whole job: copied as it is, but for an id if it has none. */
static enum fr_rc
add_whole(
    struct batch *b, struct recipe *r, struct fr_span text, struct fr_err *err)
{
	const struct fr_wire_limits limits = { LINE_MOST, DEPTH_MOST };
	static const struct fr_uuid none;
	struct fr_span value;
	struct fr_job job;
	enum fr_rc rc;

	if (b->arena == NULL)
		b->arena = fr_arena_new((size_t)256 << 10);
	if (b->arena == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	rc = fr_wire_job_parse(text, &limits, r->now_ms, b->arena, &job, err);
	if (rc != FR_OK)
		return rc;
	rc = fr_json_check(text, DEPTH_MOST, &value, err);
	if (rc != FR_OK)
		return rc;
	if (!fr_uuid_eq(&job.id, &none))
		fr_buf_addspan(&b->body, value);
	else if (fr_json_get(value, "id").p == NULL) {
		add_id(b, r);
		fr_buf_addc(&b->body, ',');
		fr_buf_add(&b->body, value.p + 1, value.len - 1);
	} else { /* "id":null */
		job.id = fr_uuid_new(&r->gen, r->now_ms, &r->rand);
		fr_wire_job_request(&b->body, &job);
	}
	fr_buf_addc(&b->body, '\n');
	return FR_OK;
}

enum fr_rc
batch_add(struct batch *b, struct recipe *r, struct fr_span text, uint64_t line,
    struct fr_err *err)
{
	const size_t start = b->body.len;
	enum fr_rc rc;

	fr_assert(b->n < BATCH_JOBS);
	rc = r->type != NULL ? add_data(b, r, text, err)
			     : add_whole(b, r, text, err);
	if (rc == FR_OK && !fr_buf_ok(&b->body))
		rc = fr_fail(err, FR_NOMEM, "out of memory");
	if (rc != FR_OK)
		return rc;
	b->start[b->n] = start;
	b->line[b->n++] = line;
	return FR_OK;
}

/* Sends the first n jobs. */
static enum fr_rc
send_first(struct batch *b, size_t n, struct fr_client *cl, struct fr_err *err)
{
	b->call.method = "POST";
	b->call.path = "/v1/jobs";
	b->call.content_type = "application/x-ndjson";
	b->call.accept = "application/x-ndjson";
	b->call.repeatable = true;
	b->call.timeout_ms = 120000;
	b->call.body.p = b->body.p;
	b->call.body.len = n < b->n ? b->start[n] : b->body.len;
	return fr_client_call(cl, &b->call, err);
}

/*
 * Which job a refusal is about, counted from 1, by the "line N: " that its
 * detail begins with; 0 if it names none. *rest is what follows.
 */
static size_t
refused_job(const struct batch *b, const char **rest)
{
	const char *p = b->err.msg;
	const char *colon;
	int64_t n;

	*rest = p;
	if (!fr_span_starts(fr_span_of(p), "line "))
		return 0;
	p += sizeof("line ") - 1;
	colon = strchr(p, ':');
	if (colon == NULL ||
	    fr_str_i64((struct fr_span){ p, (size_t)(colon - p) }, 1,
		(int64_t)b->n, &n) != FR_OK)
		return 0;
	*rest = colon[1] == ' ' ? colon + 2 : colon + 1;
	return (size_t)n;
}

static bool
is_refusal(enum fr_rc rc)
{
	return rc == FR_SYNTAX || rc == FR_INVALID || rc == FR_TOOBIG ||
	       rc == FR_CONFLICT;
}

void
batch_send(struct batch *b, struct fr_client *cl)
{
	struct fr_err err = FR_ERR_INIT;
	const char *rest;
	size_t bad;

	b->rc = send_first(b, b->n, cl, &b->err);
	if (b->rc == FR_OK) {
		b->accepted = b->n;
		return;
	}
	b->unknown = b->rc == FR_AGAIN ||
		     (b->rc == FR_UNREACHABLE && fr_client_reached(cl) &&
			 b->call.status == 0);
	bad = is_refusal(b->rc) ? refused_job(b, &rest) : 0;
	if (bad == 0) {
		(void)fr_fail(&err, b->rc, "lines %llu to %llu: %s",
		    (unsigned long long)b->line[0],
		    (unsigned long long)b->line[b->n - 1], b->err.msg);
		b->err = err;
		return;
	}
	(void)fr_fail(&err, b->rc, "line %llu: %s",
	    (unsigned long long)b->line[bad - 1], rest);
	b->err = err;
	if (bad == 1)
		return;
	if (send_first(b, bad - 1, cl, &err) == FR_OK)
		b->accepted = bad - 1;
	else {
		b->err = err;
		b->rc = err.rc;
	}
}

bool
answered_id(struct fr_span line, struct fr_uuid *id)
{
	static const char head[] = "{\"id\":\"";
	struct fr_span json, token;

	if (line.len == sizeof(head) - 1 + FR_UUID_TEXT - 1 + 2 &&
	    memcmp(line.p, head, sizeof(head) - 1) == 0)
		return fr_uuid_parse(
		    (struct fr_span){
			line.p + sizeof(head) - 1, FR_UUID_TEXT - 1 },
		    id);
	if (fr_json_check(line, FR_JSON_DEPTH, &json, NULL) != FR_OK ||
	    fr_json_type(json) != FR_JSON_OBJECT)
		return false;
	token = fr_json_get(json, "id");
	return token.len == FR_UUID_TEXT + 1 &&
	       fr_uuid_parse(
		   (struct fr_span){ token.p + 1, token.len - 2 }, id);
}

enum fr_rc
batch_print(const struct batch *b, struct fr_err *err)
{
	struct fr_span rest = fr_buf_span(&b->call.answer), line;
	char text[FR_UUID_TEXT + 1];
	struct fr_uuid id;
	const char *nl;
	size_t i;

	for (i = 0; i < b->accepted; i++) {
		nl = rest.len > 0 ? memchr(rest.p, '\n', rest.len) : NULL;
		line.p = rest.p;
		line.len = nl != NULL ? (size_t)(nl - rest.p) : rest.len;
		if (line.len == 0 || !answered_id(line, &id))
			return fr_fail(err, FR_IO,
			    "line %llu: the answer has no id for it",
			    (unsigned long long)b->line[i]);
		rest.p += line.len + (nl != NULL);
		rest.len -= line.len + (nl != NULL);
		fr_uuid_format(text, &id);
		text[FR_UUID_TEXT - 1] = '\n';
		(void)fwrite(text, 1, FR_UUID_TEXT, stdout);
	}
	return FR_OK;
}
