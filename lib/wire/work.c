/* SPDX-License-Identifier: MIT */
#include "wire/work.h"

#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/uuid.h"
#include "wire/put.h"
#include "wire/read.h"

/*
 * A request names many jobs of one worker, and none of them may stand in the
 * way of the others: a result or log over the limit, which would be as large
 * in every exchange to come, does not make the request fail. The attempt
 * fails for good instead, with an error that says so.
 */

/* More of these in one exchange is no worker. */
#define MAX_TYPES 4096
#define MAX_JOBS 100000
#define MAX_SLOTS 100000
#define MAX_HOST 256
/* A log has 64 KiB of text, up to six times as much with its escapes. */
#define MIN_LOG ((size_t)512 * 1024)

enum field {
	F_WORKER,
	F_HOST,
	F_PID,
	F_TYPES,
	F_SLOTS,
	F_CONCURRENCY,
	F_WAIT,
	F_RUNNING,
	F_FINISHED,
	F_PROGRESS,
	F_LEAVING,
	FIELDS
};
static const char *const names[FIELDS] = {
	[F_WORKER] = "worker",
	[F_HOST] = "host",
	[F_PID] = "pid",
	[F_TYPES] = "types",
	[F_SLOTS] = "slots",
	[F_CONCURRENCY] = "concurrency",
	[F_WAIT] = "wait",
	[F_RUNNING] = "running",
	[F_FINISHED] = "finished",
	[F_PROGRESS] = "progress",
	[F_LEAVING] = "leaving",
};

enum report {
	R_ID,
	R_LEASE,
	R_STATE,
	R_RESULT,
	R_ERROR,
	R_FINAL,
	R_LOG,
	R_PROGRESS,
	REPORTS
};
static const char *const reports[REPORTS] = {
	[R_ID] = "id",
	[R_LEASE] = "lease",
	[R_STATE] = "state",
	[R_RESULT] = "result",
	[R_ERROR] = "error",
	[R_FINAL] = "final",
	[R_LOG] = "log",
	[R_PROGRESS] = "progress",
};
#define R_BIT(r) (1U << (r))
#define R_HELD (R_BIT(R_ID) | R_BIT(R_LEASE))
#define R_FINISHED                                                             \
	(R_HELD | R_BIT(R_STATE) | R_BIT(R_RESULT) | R_BIT(R_ERROR) |          \
	    R_BIT(R_FINAL) | R_BIT(R_LOG))
#define R_PROGRESSED (R_HELD | R_BIT(R_PROGRESS))

/* The states of a report, by enum fr_finish; failed has two. */
static const char *const states[] = {
	[FR_FINISH_COMPLETE] = "complete",
	[FR_FINISH_FAILED] = "failed",
	[FR_FINISH_FINAL] = "failed",
	[FR_FINISH_RELEASED] = "released",
	[FR_FINISH_LOST] = "lost",
};
#define STATES ((int)(sizeof(states) / sizeof(states[0])))

/* All that an element of the three arrays may say. */
struct element {
	struct fr_uuid id;
	struct fr_token token;
	enum fr_finish how;
	bool final;
	struct fr_span result, error, log, progress;
};

/* A token that is none is all zero: refused later, as stale. */
static enum fr_rc
read_lease(const struct fr_read *r, struct fr_span v, struct fr_token *t)
{
	if (fr_json_type(v) != FR_JSON_STRING)
		return fr_read_bad(r, FR_INVALID, reports[R_LEASE],
		    "must be a string, not %s", fr_json_type_name(v));
	if (!fr_token_parse((struct fr_span){ v.p + 1, v.len - 2 }, t))
		memset(t, 0, sizeof(*t));
	return FR_OK;
}

static enum fr_rc
read_state(const struct fr_read *r, struct fr_span v, enum fr_finish *how)
{
	int i;

	for (i = 0; i < STATES; i++)
		if (fr_json_type(v) == FR_JSON_STRING &&
		    fr_json_string_is(v, states[i])) {
			*how = (enum fr_finish)i;
			return FR_OK;
		}
	return fr_read_bad(r, FR_INVALID, reports[R_STATE],
	    "must be complete, failed, released or lost");
}

/* An error or a log: a JSON string. */
static enum fr_rc
read_string(const struct fr_read *r, enum report f, struct fr_span v,
    struct fr_span *out)
{
	if (fr_json_type(v) != FR_JSON_STRING)
		return fr_read_bad(r, FR_INVALID, reports[f],
		    "must be a string, not %s", fr_json_type_name(v));
	*out = v;
	return FR_OK;
}

static enum fr_rc
read_report(
    const struct fr_read *r, enum report f, struct fr_span v, struct element *e)
{
	switch (f) {
	case R_ID:
		return fr_read_id(r, reports[f], v, &e->id);
	case R_LEASE:
		return read_lease(r, v, &e->token);
	case R_STATE:
		return read_state(r, v, &e->how);
	case R_RESULT:
		return fr_read_compact(r, v, &e->result);
	case R_ERROR:
		return read_string(r, f, v, &e->error);
	case R_FINAL:
		return fr_read_bool(r, reports[f], v, &e->final);
	case R_LOG:
		if (fr_json_type(v) == FR_JSON_NULL)
			return FR_OK;
		return read_string(r, f, v, &e->log);
	case R_PROGRESS:
		return fr_read_compact(r, v, &e->progress);
	case REPORTS:
		break;
	}
	fr_assert(!"a field");
	return FR_BROKEN;
}

/* Reads one element; allowed and needed are bits of enum report. */
static enum fr_rc
read_element(const struct fr_read *r, struct fr_span v, uint32_t allowed,
    uint32_t needed, struct element *e)
{
	struct fr_json_iter it;
	struct fr_span key, value;
	uint32_t seen = 0;
	enum fr_rc rc;
	int f;

	memset(e, 0, sizeof(*e));
	if (fr_json_type(v) != FR_JSON_OBJECT)
		return fr_read_bad(r, FR_INVALID, "", "must be an object");
	it = fr_json_iter(v);
	while (fr_json_member(&it, &key, &value)) {
		rc = fr_read_field(r, key, reports, REPORTS, &seen, &f);
		if (rc == FR_OK && (R_BIT(f) & allowed) == 0)
			rc = fr_read_bad(
			    r, FR_INVALID, reports[f], "is not known");
		if (rc == FR_OK)
			rc = read_report(r, (enum report)f, value, e);
		if (rc != FR_OK)
			return rc;
	}
	for (f = 0; f < REPORTS; f++)
		if ((R_BIT(f) & needed & ~seen) != 0)
			return fr_read_bad(
			    r, FR_INVALID, reports[f], "is missing");
	return FR_OK;
}

/* A JSON string that tells of something too large, in the arena. */
static enum fr_rc
too_large(const struct fr_read *r, const char *what, size_t len, size_t max,
    struct fr_span *out)
{
	char text[160];

	if (!fr_str_format(text, sizeof(text),
		"\"the %s has %zu bytes, more than the manager's limit of "
		"%zu\"",
		what, len, max))
		fr_assert(!"fits");
	*out = fr_arena_dup(r->arena, fr_span_of(text));
	return out->p == NULL ? fr_read_nomem(r) : FR_OK;
}

static enum fr_rc
cut_finished(const struct fr_read *r, struct fr_finished *f)
{
	size_t max = r->limits->max_value_bytes;
	size_t log = max > MIN_LOG ? max : MIN_LOG;
	enum fr_rc rc = FR_OK;

	if (f->log.len > log)
		rc = too_large(r, "log", f->log.len, log, &f->log);
	if (rc != FR_OK || f->value.len <= max)
		return rc;
	if (f->how == FR_FINISH_COMPLETE) {
		f->how = FR_FINISH_FINAL;
		return too_large(r, "result", f->value.len, max, &f->value);
	}
	return too_large(r, "error", f->value.len, max, &f->value);
}

static enum fr_rc
read_finished(
    const struct fr_read *r, const struct element *e, struct fr_finished *f)
{
	f->id = e->id;
	f->token = e->token;
	f->how = e->how;
	f->log = e->log;
	if (e->result.p != NULL && e->how != FR_FINISH_COMPLETE)
		return fr_read_bad(r, FR_INVALID, reports[R_RESULT],
		    "goes only with the state complete");
	switch (e->how) {
	case FR_FINISH_COMPLETE:
		f->value = e->result.p != NULL ? e->result : FR_SPAN("null");
		break;
	case FR_FINISH_FAILED:
	case FR_FINISH_FINAL:
		f->how = e->final ? FR_FINISH_FINAL : FR_FINISH_FAILED;
		f->value = e->error.p != NULL ? e->error : FR_SPAN("\"\"");
		break;
	case FR_FINISH_RELEASED:
	case FR_FINISH_LOST:
		f->value = e->error;
		break;
	}
	return cut_finished(r, f);
}

static enum fr_rc
read_running(struct fr_read r, struct fr_span v, struct fr_exchange *x)
{
	struct fr_json_iter it = fr_json_iter(v);
	struct element e;
	struct fr_span item;
	enum fr_rc rc;

	x->running = fr_arena_calloc(r.arena, x->nrunning, sizeof(*x->running));
	if (x->running == NULL)
		return fr_read_nomem(&r);
	for (r.index = 0; fr_json_element(&it, &item); r.index++) {
		rc = read_element(&r, item, R_HELD, R_HELD, &e);
		if (rc != FR_OK)
			return rc;
		x->running[r.index].id = e.id;
		x->running[r.index].token = e.token;
	}
	return FR_OK;
}

static enum fr_rc
read_all_finished(struct fr_read r, struct fr_span v, struct fr_exchange *x)
{
	struct fr_json_iter it = fr_json_iter(v);
	struct element e;
	struct fr_span item;
	enum fr_rc rc;

	x->finished =
	    fr_arena_calloc(r.arena, x->nfinished, sizeof(*x->finished));
	if (x->finished == NULL)
		return fr_read_nomem(&r);
	for (r.index = 0; fr_json_element(&it, &item); r.index++) {
		rc = read_element(
		    &r, item, R_FINISHED, R_HELD | R_BIT(R_STATE), &e);
		if (rc == FR_OK)
			rc = read_finished(&r, &e, &x->finished[r.index]);
		if (rc != FR_OK)
			return rc;
	}
	return FR_OK;
}

/* Progress over the limit is left out: there will be more of it. */
static enum fr_rc
read_progress(struct fr_read r, struct fr_span v, struct fr_exchange *x)
{
	struct fr_json_iter it = fr_json_iter(v);
	struct element e;
	struct fr_span item;
	size_t n = 0;
	enum fr_rc rc;

	x->progress =
	    fr_arena_calloc(r.arena, x->nprogress, sizeof(*x->progress));
	if (x->progress == NULL)
		return fr_read_nomem(&r);
	for (r.index = 0; fr_json_element(&it, &item); r.index++) {
		rc = read_element(&r, item, R_PROGRESSED, R_PROGRESSED, &e);
		if (rc != FR_OK)
			return rc;
		if (e.progress.len > r.limits->max_value_bytes)
			continue;
		x->progress[n].id = e.id;
		x->progress[n].token = e.token;
		x->progress[n++].value = e.progress;
	}
	x->nprogress = n;
	return FR_OK;
}

static enum fr_rc
read_types(struct fr_read r, struct fr_span v, struct fr_exchange *x)
{
	struct fr_json_iter it = fr_json_iter(v);
	struct fr_span item, type;
	enum fr_rc rc;

	x->types = fr_arena_calloc(r.arena, x->ntypes, sizeof(*x->types));
	if (x->types == NULL)
		return fr_read_nomem(&r);
	for (r.index = 0; fr_json_element(&it, &item); r.index++) {
		rc = fr_read_type(&r, "", item, &type);
		if (rc != FR_OK)
			return rc;
		x->types[r.index] = fr_arena_dupz(r.arena, type);
		if (x->types[r.index] == NULL)
			return fr_read_nomem(&r);
	}
	return FR_OK;
}

static enum fr_rc
read_list(const struct fr_read *r, enum field f, struct fr_span v,
    struct fr_exchange *x)
{
	struct fr_read in = *r;
	enum fr_rc rc;
	size_t n;

	rc = fr_read_array(
	    r, names[f], v, f == F_TYPES ? MAX_TYPES : MAX_JOBS, &n);
	if (rc != FR_OK || n == 0)
		return rc;
	in.list = names[f];
	if (f == F_TYPES) {
		x->ntypes = n;
		return read_types(in, v, x);
	}
	if (f == F_RUNNING) {
		x->nrunning = n;
		return read_running(in, v, x);
	}
	if (f == F_FINISHED) {
		x->nfinished = n;
		return read_all_finished(in, v, x);
	}
	x->nprogress = n;
	return read_progress(in, v, x);
}

static enum fr_rc
read_member(const struct fr_read *r, enum field f, struct fr_span v,
    struct fr_exchange *x)
{
	int64_t n = 0;
	enum fr_rc rc;

	switch (f) {
	case F_WORKER:
		return fr_read_text(
		    r, names[f], v, 1, FR_WORKER_MAX, &x->worker);
	case F_HOST:
		return fr_read_text(r, names[f], v, 0, MAX_HOST, &x->host);
	case F_PID:
		return fr_read_i64(r, names[f], v, 0, INT32_MAX, &x->pid);
	case F_SLOTS:
		rc = fr_read_i64(r, names[f], v, 0, MAX_SLOTS, &n);
		x->slots = (uint32_t)n;
		return rc;
	case F_CONCURRENCY:
		rc = fr_read_i64(r, names[f], v, 0, MAX_SLOTS, &n);
		x->concurrency = (uint32_t)n;
		return rc;
	case F_WAIT:
		return fr_read_seconds(r, names[f], v, 0, &x->wait_ms);
	case F_LEAVING:
		return fr_read_bool(r, names[f], v, &x->leaving);
	case F_TYPES:
	case F_RUNNING:
	case F_FINISHED:
	case F_PROGRESS:
		return read_list(r, f, v, x);
	case FIELDS:
		break;
	}
	fr_assert(!"a field");
	return FR_BROKEN;
}

enum fr_rc
fr_wire_work_parse(struct fr_span json, const struct fr_wire_limits *limits,
    struct fr_arena *arena, struct fr_exchange *x, struct fr_err *err)
{
	const struct fr_read r = { arena, limits, err, NULL, 0 };
	struct fr_json_iter it;
	struct fr_span object, key, value;
	uint32_t seen = 0;
	enum fr_rc rc;
	int f;

	memset(x, 0, sizeof(*x));
	rc = fr_read_object(json, limits, 3, &object, err);
	if (rc != FR_OK)
		return rc;
	it = fr_json_iter(object);
	while (fr_json_member(&it, &key, &value)) {
		rc = fr_read_field(&r, key, names, FIELDS, &seen, &f);
		if (rc == FR_OK)
			rc = read_member(&r, (enum field)f, value, x);
		if (rc != FR_OK)
			return rc;
	}
	if (x->worker.len == 0)
		return fr_read_bad(
		    &r, FR_INVALID, names[F_WORKER], "is missing");
	if (x->slots > 0 && x->ntypes == 0)
		return fr_read_bad(&r, FR_INVALID, names[F_TYPES],
		    "must have at least one where there are slots");
	return FR_OK;
}

static void
put_held(
    struct fr_buf *b, const struct fr_uuid *id, const struct fr_token *token)
{
	fr_jsonw_open(b, '{');
	fr_put_id(b, reports[R_ID], id);
	fr_put_token(b, reports[R_LEASE], token);
}

static void
put_finished(struct fr_buf *b, const struct fr_finished *f)
{
	put_held(b, &f->id, &f->token);
	fr_jsonw_key(b, reports[R_STATE]);
	fr_jsonw_strz(b, states[f->how]);
	if (f->how == FR_FINISH_COMPLETE)
		fr_put_raw(b, reports[R_RESULT], f->value);
	else if (f->value.len > 0)
		fr_put_raw(b, reports[R_ERROR], f->value);
	if (f->how == FR_FINISH_FINAL) {
		fr_jsonw_key(b, reports[R_FINAL]);
		fr_jsonw_bool(b, true);
	}
	if (f->log.len > 0)
		fr_put_raw(b, reports[R_LOG], f->log);
	fr_jsonw_close(b, '}');
}

static void
put_reports(struct fr_buf *b, const struct fr_exchange *x)
{
	size_t i;

	if (x->nrunning > 0) {
		fr_jsonw_key(b, names[F_RUNNING]);
		fr_jsonw_open(b, '[');
		for (i = 0; i < x->nrunning; i++) {
			put_held(b, &x->running[i].id, &x->running[i].token);
			fr_jsonw_close(b, '}');
		}
		fr_jsonw_close(b, ']');
	}
	if (x->nfinished > 0) {
		fr_jsonw_key(b, names[F_FINISHED]);
		fr_jsonw_open(b, '[');
		for (i = 0; i < x->nfinished; i++)
			put_finished(b, &x->finished[i]);
		fr_jsonw_close(b, ']');
	}
	if (x->nprogress > 0) {
		fr_jsonw_key(b, names[F_PROGRESS]);
		fr_jsonw_open(b, '[');
		for (i = 0; i < x->nprogress; i++) {
			put_held(b, &x->progress[i].id, &x->progress[i].token);
			fr_put_raw(
			    b, reports[R_PROGRESS], x->progress[i].value);
			fr_jsonw_close(b, '}');
		}
		fr_jsonw_close(b, ']');
	}
}

void
fr_wire_work_request(struct fr_buf *b, const struct fr_exchange *x)
{
	size_t i;

	fr_jsonw_open(b, '{');
	fr_put_text(b, names[F_WORKER], x->worker);
	if (x->host.len > 0)
		fr_put_text(b, names[F_HOST], x->host);
	fr_put_i64(b, names[F_PID], x->pid);
	fr_jsonw_key(b, names[F_TYPES]);
	fr_jsonw_open(b, '[');
	for (i = 0; i < x->ntypes; i++)
		fr_jsonw_strz(b, x->types[i]);
	fr_jsonw_close(b, ']');
	fr_put_i64(b, names[F_SLOTS], x->slots);
	if (x->concurrency > 0)
		fr_put_i64(b, names[F_CONCURRENCY], x->concurrency);
	if (x->wait_ms > 0)
		fr_put_seconds(b, names[F_WAIT], x->wait_ms);
	put_reports(b, x);
	if (x->leaving) {
		fr_jsonw_key(b, names[F_LEAVING]);
		fr_jsonw_bool(b, true);
	}
	fr_jsonw_close(b, '}');
}
