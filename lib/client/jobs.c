/* SPDX-License-Identifier: MIT */
#include "client/jobs.h"

#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "wire/job.h"

#define WAIT_MOST_MS 30000 /* of one request; then it is asked again */
#define SLACK_MS 30000     /* what an answer may take beyond its wait */

enum fr_rc
fr_jobs_path(char *dst, size_t size, const char *id, const char *tail,
    struct fr_err *err)
{
	char hex[33];

	if (!fr_uuid_prefix(fr_span_of(id), hex))
		return fr_fail(err, FR_INVALID,
		    "not an id, nor the beginning of one (4 digits at "
		    "least)");
	if (!fr_str_format(dst, size, "/v1/jobs/%s%s", id, tail))
		return fr_fail(err, FR_INVALID, "`%s`: too long", id);
	return FR_OK;
}

enum fr_rc
fr_types_path(char *dst, size_t size, const char *type, const char *tail,
    struct fr_err *err)
{
	if (!fr_type_valid(fr_span_of(type)))
		return fr_fail(err, FR_INVALID,
		    "`%s`: not the name of a type (1 to %d of A-Z a-z 0-9 _ . "
		    "-)",
		    type, FR_TYPE_MAX);
	if (!fr_str_format(dst, size, "/v1/types/%s%s", type, tail))
		return fr_fail(err, FR_INVALID, "`%s`: too long", type);
	return FR_OK;
}

void
fr_jobview_fini(struct fr_jobview *t)
{
	fr_buf_fini(&t->call.answer);
	fr_arena_free(t->arena);
	memset(t, 0, sizeof(*t));
}

/* Whatever answers may not be a manager: nothing of it is believed. */
static enum fr_rc
read_job(struct fr_client *cl, struct fr_jobview *t, struct fr_err *err)
{
	struct fr_span json;
	enum fr_rc rc;

	fr_arena_free(t->arena);
	t->arena = fr_arena_new(0);
	if (t->arena == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	rc = fr_json_check(fr_buf_span(&t->call.answer), 1024, &json, err);
	if (rc == FR_OK)
		rc =
		    fr_wire_job_read(json, t->arena, &t->job, &t->waiting, err);
	if (rc == FR_NOMEM)
		return rc;
	if (rc != FR_OK)
		return fr_fail(err, FR_IO,
		    "%s: what it answers is not a job; is it fr-manager?",
		    fr_client_url(cl));
	fr_uuid_format(t->id, &t->job.id);
	return FR_OK;
}

static enum fr_rc
ask(struct fr_client *cl, const char *id, int64_t wait_ms, struct fr_jobview *t,
    struct fr_err *err)
{
	char path[128], tail[48] = "";
	enum fr_rc rc;

	if (wait_ms > 0 &&
	    !fr_str_format(tail, sizeof(tail), "?wait=%lld.%03d",
		(long long)wait_ms / 1000, (int)(wait_ms % 1000)))
		return fr_fail(err, FR_INVALID, "wait: too long");
	rc = fr_jobs_path(path, sizeof(path), id, tail, err);
	if (rc != FR_OK)
		return rc;
	t->call.method = "GET";
	t->call.path = path;
	t->call.timeout_ms = wait_ms + SLACK_MS;
	rc = fr_client_call(cl, &t->call, err);
	t->call.path = NULL;
	return rc == FR_OK ? read_job(cl, t, err) : rc;
}

enum fr_rc
fr_jobs_get(struct fr_client *cl, const char *id, struct fr_jobview *t,
    struct fr_err *err)
{
	return ask(cl, id, 0, t, err);
}

/*
 * A manager that is about to stop answers before the time is over; one that
 * always does must not be asked without a pause.
 */
static void
breathe(int64_t asked_ms)
{
	const struct timespec pause = { .tv_nsec = 200000000L };

	if (fr_time_mono_ms() - asked_ms < 200)
		(void)nanosleep(&pause, NULL);
}

enum fr_rc
fr_jobs_wait(struct fr_client *cl, const char *id, int64_t until_ms,
    struct fr_jobview *t, struct fr_err *err)
{
	int64_t left, now;
	enum fr_rc rc;

	for (;;) {
		now = fr_time_mono_ms();
		left = until_ms < 0 ? WAIT_MOST_MS : until_ms - now;
		if (left > WAIT_MOST_MS)
			left = WAIT_MOST_MS;
		rc = ask(cl, id, left > 0 ? left : 0, t, err);
		if (rc != FR_OK)
			return rc;
		if (fr_state_ended(t->job.state))
			return FR_OK;
		if (left <= 0)
			return fr_fail(err, FR_TIMEOUT,
			    "%s when the time was over",
			    fr_state_name(t->job.state));
		breathe(now);
	}
}
