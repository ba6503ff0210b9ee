/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/uuid.h"
#include "wire/put.h"
#include "wire/read.h"
#include "wire/work.h"

/* The manager's side of the worker's exchange: what it answers. */

enum field { F_JOBS, F_STOP, F_REFUSED, FIELDS };
static const char *const names[FIELDS] = {
	[F_JOBS] = "jobs",
	[F_STOP] = "stop",
	[F_REFUSED] = "refused",
};

enum grant {
	G_ID,
	G_TYPE,
	G_ATTEMPT,
	G_MAX_ATTEMPTS,
	G_LEASE,
	G_LEASE_SECONDS,
	G_DATA,
	G_TIMEOUT,
	GRANTS
};
static const char *const grants[GRANTS] = {
	[G_ID] = "id",
	[G_TYPE] = "type",
	[G_ATTEMPT] = "attempt",
	[G_MAX_ATTEMPTS] = "max_attempts",
	[G_LEASE] = "lease",
	[G_LEASE_SECONDS] = "lease_seconds",
	[G_DATA] = "data",
	[G_TIMEOUT] = "timeout",
};

static void
put_job(struct fr_buf *b, const struct fr_job *job, int64_t lease_ms)
{
	fr_jsonw_open(b, '{');
	fr_put_id(b, grants[G_ID], &job->id);
	fr_put_text(b, grants[G_TYPE], job->type);
	fr_put_i64(b, grants[G_ATTEMPT], job->attempt);
	fr_put_i64(b, grants[G_MAX_ATTEMPTS], job->max_attempts);
	fr_put_token(b, grants[G_LEASE], &job->lease);
	fr_put_seconds(b, grants[G_LEASE_SECONDS], lease_ms);
	fr_put_raw(b, grants[G_DATA], job->data);
	fr_put_seconds(b, grants[G_TIMEOUT], job->timeout_ms);
	fr_jsonw_close(b, '}');
}

static void
put_ids(struct fr_buf *b, const char *name, const struct fr_uuid *ids, size_t n)
{
	size_t i;

	fr_jsonw_key(b, name);
	fr_jsonw_open(b, '[');
	for (i = 0; i < n; i++)
		fr_put_uuid(b, &ids[i]);
	fr_jsonw_close(b, ']');
}

void
fr_wire_work_answer(struct fr_buf *b, const struct fr_exchange *x)
{
	size_t i;

	fr_jsonw_open(b, '{');
	fr_jsonw_key(b, names[F_JOBS]);
	fr_jsonw_open(b, '[');
	for (i = 0; i < x->njobs; i++)
		put_job(b, &x->jobs[i], x->lease_ms);
	fr_jsonw_close(b, ']');
	put_ids(b, names[F_STOP], x->stop, x->nstop);
	put_ids(b, names[F_REFUSED], x->refused, x->nrefused);
	fr_jsonw_close(b, '}');
}

static enum fr_rc
read_lease(const struct fr_read *r, struct fr_span v, struct fr_token *t)
{
	struct fr_span text;
	enum fr_rc rc;

	rc = fr_read_text(r, grants[G_LEASE], v, 1, 64, &text);
	if (rc == FR_OK && !fr_token_parse(text, t))
		return fr_read_bad(
		    r, FR_INVALID, grants[G_LEASE], "is no lease");
	return rc;
}

static enum fr_rc
read_grant(const struct fr_read *r, enum grant g, struct fr_span v,
    struct fr_job *job, int64_t *lease_ms)
{
	const char *name = grants[g];
	int64_t n = 0;
	enum fr_rc rc;

	switch (g) {
	case G_ID:
		return fr_read_id(r, name, v, &job->id);
	case G_TYPE:
		return fr_read_type(r, name, v, &job->type);
	case G_ATTEMPT:
		rc = fr_read_i64(r, name, v, 0, UINT32_MAX, &n);
		job->attempt = (uint32_t)n;
		return rc;
	case G_MAX_ATTEMPTS:
		rc = fr_read_i64(r, name, v, 0, UINT32_MAX, &n);
		job->max_attempts = (uint32_t)n;
		return rc;
	case G_LEASE:
		return read_lease(r, v, &job->lease);
	case G_LEASE_SECONDS:
		return fr_read_seconds(r, name, v, 1, lease_ms);
	case G_DATA:
		job->data = v;
		return FR_OK;
	case G_TIMEOUT:
		if (fr_json_type(v) == FR_JSON_NULL)
			return FR_OK;
		return fr_read_seconds(r, name, v, 0, &job->timeout_ms);
	case GRANTS:
		break;
	}
	fr_assert(!"a field");
	return FR_BROKEN;
}

static enum fr_rc
read_job(const struct fr_read *r, struct fr_span v, struct fr_job *job,
    int64_t *lease_ms)
{
	const uint32_t needed = 1U << G_ID | 1U << G_TYPE | 1U << G_LEASE |
				1U << G_DATA | 1U << G_LEASE_SECONDS;
	struct fr_json_iter it;
	struct fr_span key, value;
	uint32_t seen = 0;
	enum fr_rc rc;
	int g;

	if (fr_json_type(v) != FR_JSON_OBJECT)
		return fr_read_bad(r, FR_INVALID, "", "must be an object");
	it = fr_json_iter(v);
	while (fr_json_member(&it, &key, &value)) {
		g = fr_read_find(key, grants, GRANTS);
		if (g == -1)
			continue;
		seen |= 1U << g;
		rc = read_grant(r, (enum grant)g, value, job, lease_ms);
		if (rc != FR_OK)
			return rc;
	}
	for (g = 0; g < GRANTS; g++)
		if ((needed & ~seen & 1U << g) != 0)
			return fr_read_bad(
			    r, FR_INVALID, grants[g], "is missing");
	return FR_OK;
}

static enum fr_rc
read_jobs(struct fr_read r, struct fr_span v, struct fr_exchange *x)
{
	struct fr_json_iter it;
	struct fr_span item;
	enum fr_rc rc;

	rc = fr_read_array(&r, names[F_JOBS], v, SIZE_MAX, &x->njobs);
	if (rc != FR_OK)
		return rc;
	r.list = names[F_JOBS];
	x->jobs = fr_arena_calloc(r.arena, x->njobs, sizeof(*x->jobs));
	if (x->jobs == NULL)
		return fr_read_nomem(&r);
	it = fr_json_iter(v);
	for (r.index = 0; fr_json_element(&it, &item); r.index++) {
		rc = read_job(&r, item, &x->jobs[r.index], &x->lease_ms);
		if (rc != FR_OK)
			return rc;
	}
	return FR_OK;
}

static enum fr_rc
read_ids(struct fr_read r, const char *name, struct fr_span v,
    struct fr_uuid **ids, size_t *n)
{
	struct fr_json_iter it;
	struct fr_span item;
	enum fr_rc rc;

	rc = fr_read_array(&r, name, v, SIZE_MAX, n);
	if (rc != FR_OK)
		return rc;
	r.list = name;
	*ids = fr_arena_calloc(r.arena, *n, sizeof(**ids));
	if (*ids == NULL)
		return fr_read_nomem(&r);
	it = fr_json_iter(v);
	for (r.index = 0; fr_json_element(&it, &item); r.index++) {
		rc = fr_read_id(&r, "", item, &(*ids)[r.index]);
		if (rc != FR_OK)
			return rc;
	}
	return FR_OK;
}

enum fr_rc
fr_wire_work_read(struct fr_span json, struct fr_arena *arena,
    struct fr_exchange *x, struct fr_err *err)
{
	const struct fr_wire_limits limits = { SIZE_MAX, 4096 };
	const struct fr_read r = { arena, &limits, err, NULL, 0 };
	struct fr_json_iter it;
	struct fr_span object, key, value;
	enum fr_rc rc;
	int f;

	x->njobs = x->nstop = x->nrefused = 0;
	x->lease_ms = 0;
	rc = fr_read_object(json, &limits, 3, &object, err);
	if (rc != FR_OK)
		return rc;
	it = fr_json_iter(object);
	while (fr_json_member(&it, &key, &value)) {
		f = fr_read_find(key, names, FIELDS);
		if (f == F_JOBS)
			rc = read_jobs(r, value, x);
		else if (f == F_STOP)
			rc = read_ids(r, names[f], value, &x->stop, &x->nstop);
		else if (f == F_REFUSED)
			rc = read_ids(
			    r, names[f], value, &x->refused, &x->nrefused);
		if (rc != FR_OK)
			return rc;
	}
	return FR_OK;
}
