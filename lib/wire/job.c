/* SPDX-License-Identifier: MIT */
#include "wire/job.h"

#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/time.h"
#include "base/uuid.h"
#include "wire/put.h"
#include "wire/read.h"

#define DEFAULT_ATTEMPTS 3
#define MAX_ATTEMPTS 1000000

enum field {
	F_TYPE,
	F_DATA,
	F_ID,
	F_KEY,
	F_PRIORITY,
	F_DELAY,
	F_RUN_AT,
	F_MAX_ATTEMPTS,
	F_TIMEOUT,
	FIELDS
};
static const char *const names[FIELDS] = {
	[F_TYPE] = "type",
	[F_DATA] = "data",
	[F_ID] = "id",
	[F_KEY] = "key",
	[F_PRIORITY] = "priority",
	[F_DELAY] = "delay",
	[F_RUN_AT] = "run_at",
	[F_MAX_ATTEMPTS] = "max_attempts",
	[F_TIMEOUT] = "timeout",
};

/* run_at as in RFC 3339. */
static enum fr_rc
read_run_at(const struct fr_read *r, struct fr_span v, int64_t *ms)
{
	struct fr_span text;
	enum fr_rc rc;

	rc = fr_read_text(r, names[F_RUN_AT], v, 1, 64, &text);
	if (rc != FR_OK)
		return rc;
	if (fr_time_parse(text, ms) != FR_OK)
		return fr_read_bad(r, FR_INVALID, names[F_RUN_AT],
		    "must be a time as in RFC 3339, from 1970 to "
		    "9999");
	return FR_OK;
}

static enum fr_rc
read_delay(const struct fr_read *r, struct fr_span v, int64_t now_ms,
    int64_t *run_at_ms)
{
	int64_t ms;
	enum fr_rc rc;

	rc = fr_read_seconds(r, names[F_DELAY], v, 0, &ms);
	if (rc == FR_OK)
		*run_at_ms = now_ms + ms;
	return rc;
}

/* One member of the request's object. */
static enum fr_rc
read_member(const struct fr_read *r, enum field f, struct fr_span v,
    int64_t now_ms, struct fr_job *job)
{
	int64_t n = 0;
	enum fr_rc rc;

	/* null is as good as nothing, but for data, whose value it is. */
	if (f != F_DATA && f != F_TYPE && fr_json_type(v) == FR_JSON_NULL)
		return FR_OK;
	switch (f) {
	case F_TYPE:
		return fr_read_type(r, names[f], v, &job->type);
	case F_DATA:
		return fr_read_value(r, names[f], v, &job->data);
	case F_ID:
		return fr_read_id(r, names[f], v, &job->id);
	case F_KEY:
		return fr_read_text(r, names[f], v, 1, FR_KEY_MAX, &job->key);
	case F_PRIORITY:
		rc = fr_read_i64(r, names[f], v, INT32_MIN, INT32_MAX, &n);
		job->priority = (int32_t)n;
		return rc;
	case F_DELAY:
		return read_delay(r, v, now_ms, &job->run_at_ms);
	case F_RUN_AT:
		return read_run_at(r, v, &job->run_at_ms);
	case F_MAX_ATTEMPTS:
		rc = fr_read_i64(r, names[f], v, 1, MAX_ATTEMPTS, &n);
		job->max_attempts = (uint32_t)n;
		return rc;
	case F_TIMEOUT:
		return fr_read_seconds(r, names[f], v, 1, &job->timeout_ms);
	case FIELDS:
		break;
	}
	fr_assert(!"a field");
	return FR_BROKEN;
}

enum fr_rc
fr_wire_job_parse(struct fr_span json, const struct fr_wire_limits *limits,
    int64_t now_ms, struct fr_arena *arena, struct fr_job *job,
    struct fr_err *err)
{
	const struct fr_read r = {
		.arena = arena, .limits = limits, .err = err
	};
	const uint32_t both = 1U << F_RUN_AT | 1U << F_DELAY;
	struct fr_json_iter it;
	struct fr_span object, key, value;
	uint32_t seen = 0, given = 0;
	enum fr_rc rc;
	int f;

	memset(job, 0, sizeof(*job));
	job->data = FR_SPAN("null");
	job->max_attempts = DEFAULT_ATTEMPTS;
	job->created_ms = now_ms;
	job->run_at_ms = now_ms;
	rc = fr_read_object(json, limits, 1, &object, err);
	if (rc != FR_OK)
		return rc;
	it = fr_json_iter(object);
	while (fr_json_member(&it, &key, &value)) {
		rc = fr_read_field(&r, key, names, FIELDS, &seen, &f);
		if (rc == FR_OK)
			rc = read_member(&r, (enum field)f, value, now_ms, job);
		if (rc != FR_OK)
			return rc;
		if (fr_json_type(value) != FR_JSON_NULL)
			given |= 1U << f;
	}
	if ((seen & 1U << F_TYPE) == 0)
		return fr_read_bad(&r, FR_INVALID, names[F_TYPE], "is missing");
	if ((given & both) == both)
		return fr_read_bad(&r, FR_INVALID, names[F_DELAY],
		    "cannot be given together with `run_at`");
	job->state = FR_STATE_SCHEDULED;
	if (job->run_at_ms <= now_ms) {
		job->run_at_ms = now_ms;
		job->state = FR_STATE_QUEUED;
	}
	return FR_OK;
}

void
fr_wire_job_request(struct fr_buf *b, const struct fr_job *job)
{
	static const struct fr_uuid zero;

	fr_jsonw_open(b, '{');
	if (!fr_uuid_eq(&job->id, &zero))
		fr_put_id(b, names[F_ID], &job->id);
	fr_put_text(b, names[F_TYPE], job->type);
	if (job->data.len > 0)
		fr_put_raw(b, names[F_DATA], job->data);
	if (job->priority != 0)
		fr_put_i64(b, names[F_PRIORITY], job->priority);
	if (job->run_at_ms != 0)
		fr_put_time(b, names[F_RUN_AT], job->run_at_ms);
	if (job->max_attempts != 0 && job->max_attempts != DEFAULT_ATTEMPTS)
		fr_put_i64(b, names[F_MAX_ATTEMPTS], job->max_attempts);
	if (job->timeout_ms != 0)
		fr_put_seconds(b, names[F_TIMEOUT], job->timeout_ms);
	if (job->key.len > 0)
		fr_put_text(b, names[F_KEY], job->key);
	fr_jsonw_close(b, '}');
}

void
fr_wire_job_write(
    struct fr_buf *b, const struct fr_job *job, const char *waiting)
{
	fr_jsonw_open(b, '{');
	fr_put_id(b, "id", &job->id);
	fr_put_text(b, "type", job->type);
	fr_jsonw_key(b, "state");
	fr_jsonw_strz(b, fr_state_name(job->state));
	fr_put_raw(b, "data", job->data);
	fr_put_i64(b, "priority", job->priority);
	fr_put_i64(b, "attempt", job->attempt);
	fr_put_i64(b, "max_attempts", job->max_attempts);
	fr_put_raw(b, "progress", job->progress);
	fr_put_i64(b, "fail_count", job->fail_count);
	fr_put_raw(b, "result", job->result);
	fr_put_raw(b, "error", job->error);
	fr_put_raw(b, "log", job->log);
	fr_put_text(b, "worker", job->worker);
	fr_put_text(b, "key", job->key);
	fr_put_seconds(b, "timeout", job->timeout_ms);
	fr_jsonw_key(b, "waiting");
	if (waiting == NULL)
		fr_jsonw_null(b);
	else
		fr_jsonw_strz(b, waiting);
	fr_put_time(b, "created_at", job->created_ms);
	fr_put_time(b, "run_at", job->run_at_ms);
	fr_put_time(b, "started_at", job->started_ms);
	fr_put_time(b, "finished_at", job->finished_ms);
	fr_jsonw_close(b, '}');
}

enum answer {
	A_ID,
	A_TYPE,
	A_STATE,
	A_DATA,
	A_PRIORITY,
	A_ATTEMPT,
	A_MAX_ATTEMPTS,
	A_PROGRESS,
	A_FAIL_COUNT,
	A_RESULT,
	A_ERROR,
	A_LOG,
	A_WORKER,
	A_KEY,
	A_TIMEOUT,
	A_WAITING,
	A_CREATED_AT,
	A_RUN_AT,
	A_STARTED_AT,
	A_FINISHED_AT,
	ANSWERS
};
static const char *const answers[ANSWERS] = {
	[A_ID] = "id",
	[A_TYPE] = "type",
	[A_STATE] = "state",
	[A_DATA] = "data",
	[A_PRIORITY] = "priority",
	[A_ATTEMPT] = "attempt",
	[A_MAX_ATTEMPTS] = "max_attempts",
	[A_PROGRESS] = "progress",
	[A_FAIL_COUNT] = "fail_count",
	[A_RESULT] = "result",
	[A_ERROR] = "error",
	[A_LOG] = "log",
	[A_WORKER] = "worker",
	[A_KEY] = "key",
	[A_TIMEOUT] = "timeout",
	[A_WAITING] = "waiting",
	[A_CREATED_AT] = "created_at",
	[A_RUN_AT] = "run_at",
	[A_STARTED_AT] = "started_at",
	[A_FINISHED_AT] = "finished_at",
};

static enum fr_rc
answer_u32(
    const struct fr_read *r, const char *name, struct fr_span v, uint32_t *out)
{
	int64_t n = 0;
	enum fr_rc rc;

	rc = fr_read_i64(r, name, v, 0, UINT32_MAX, &n);
	*out = (uint32_t)n;
	return rc;
}

static enum fr_rc
answer_time(
    const struct fr_read *r, const char *name, struct fr_span v, int64_t *ms)
{
	struct fr_span text;
	enum fr_rc rc;

	rc = fr_read_text(r, name, v, 1, 64, &text);
	if (rc == FR_OK && fr_time_parse(text, ms) != FR_OK)
		return fr_read_bad(r, FR_INVALID, name, "is no time");
	return rc;
}

static enum fr_rc
answer_state(const struct fr_read *r, const char *name, struct fr_span v,
    enum fr_state *out)
{
	struct fr_span text;
	enum fr_rc rc;

	rc = fr_read_text(r, name, v, 1, 64, &text);
	if (rc == FR_OK && !fr_state_parse(text, out))
		return fr_read_bad(r, FR_INVALID, name, "is no state");
	return rc;
}

/* One member of an answer that is not null. */
static enum fr_rc
answer_member(const struct fr_read *r, enum answer a, struct fr_span v,
    struct fr_job *job, struct fr_span *waiting)
{
	const char *name = answers[a];
	int64_t n = 0;
	enum fr_rc rc;

	switch (a) {
	case A_ID:
		return fr_read_id(r, name, v, &job->id);
	case A_TYPE:
		return fr_read_type(r, name, v, &job->type);
	case A_STATE:
		return answer_state(r, name, v, &job->state);
	case A_DATA:
		job->data = v;
		return FR_OK;
	case A_PRIORITY:
		rc = fr_read_i64(r, name, v, INT32_MIN, INT32_MAX, &n);
		job->priority = (int32_t)n;
		return rc;
	case A_ATTEMPT:
		return answer_u32(r, name, v, &job->attempt);
	case A_MAX_ATTEMPTS:
		return answer_u32(r, name, v, &job->max_attempts);
	case A_PROGRESS:
		job->progress = v;
		return FR_OK;
	case A_FAIL_COUNT:
		return answer_u32(r, name, v, &job->fail_count);
	case A_RESULT:
		job->result = v;
		return FR_OK;
	case A_ERROR:
		job->error = v;
		return FR_OK;
	case A_LOG:
		job->log = v;
		return FR_OK;
	case A_WORKER:
		return fr_read_text(r, name, v, 0, SIZE_MAX, &job->worker);
	case A_KEY:
		return fr_read_text(r, name, v, 0, SIZE_MAX, &job->key);
	case A_TIMEOUT:
		return fr_read_seconds(r, name, v, 0, &job->timeout_ms);
	case A_WAITING:
		return fr_read_text(r, name, v, 0, SIZE_MAX, waiting);
	case A_CREATED_AT:
		return answer_time(r, name, v, &job->created_ms);
	case A_RUN_AT:
		return answer_time(r, name, v, &job->run_at_ms);
	case A_STARTED_AT:
		return answer_time(r, name, v, &job->started_ms);
	case A_FINISHED_AT:
		return answer_time(r, name, v, &job->finished_ms);
	case ANSWERS:
		break;
	}
	fr_assert(!"a field");
	return FR_BROKEN;
}

enum fr_rc
fr_wire_job_read(struct fr_span json, struct fr_arena *arena,
    struct fr_job *job, struct fr_span *waiting, struct fr_err *err)
{
	const struct fr_wire_limits limits = { SIZE_MAX, 4096 };
	const struct fr_read r = { arena, &limits, err, NULL, 0 };
	struct fr_json_iter it;
	struct fr_span object, key, value, why = { 0 };
	enum fr_rc rc;
	int a;

	memset(job, 0, sizeof(*job));
	rc = fr_read_object(json, &limits, 1, &object, err);
	if (rc != FR_OK)
		return rc;
	it = fr_json_iter(object);
	while (fr_json_member(&it, &key, &value)) {
		a = fr_read_find(key, answers, ANSWERS);
		/* data null is data; all else that is null is absent. */
		if (a == -1 ||
		    (a != A_DATA && fr_json_type(value) == FR_JSON_NULL))
			continue;
		rc = answer_member(&r, (enum answer)a, value, job, &why);
		if (rc != FR_OK)
			return rc;
	}
	if (waiting != NULL)
		*waiting = why;
	return FR_OK;
}
