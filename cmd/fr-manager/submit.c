/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "manager.h"
#include "wire/job.h"

/* POST /v1/jobs: one job, or many as NDJSON, all or none. */

/* One that has no id yet gets one that grows, so that it comes at the end of
 * the store's index. */
static void
name_job(struct fr_manager *m, struct fr_job *job)
{
	static const struct fr_uuid zero;

	if (fr_uuid_eq(&job->id, &zero))
		job->id = fr_uuid_new(&m->ids, job->created_ms, &m->rand);
}

static void
unknown(struct fr_request *q)
{
	char id[FR_UUID_TEXT];

	fr_uuid_format(id, &q->op.u.create.jobs[0].id);
	if (q->op.u.create.n == 1)
		fr_answer_problem(q, 503, "unknown-outcome",
		    "it cannot be known whether the job was stored; sending "
		    "it again with the id %s is safe",
		    id);
	else
		fr_answer_problem(q, 503, "unknown-outcome",
		    "it cannot be known whether the jobs were stored; sending "
		    "them again is safe if each has its id");
}

static void
failed(struct fr_request *q)
{
	const size_t bad = q->op.u.create.bad;

	if (q->op.rc == FR_UNKNOWN)
		unknown(q);
	else if (q->op.rc != FR_CONFLICT)
		fr_answer_failed(q, q->op.rc, &q->op.err);
	else if (q->ndjson)
		fr_answer_problem(q, 409, "id-taken",
		    "line %u: a job with this id is there, with another type "
		    "or data",
		    q->lines[bad]);
	else
		fr_answer_problem(q, 409, "id-taken",
		    "field `id`: a job with this id is there, with another "
		    "type or data");
}

static void
put_id(char **p, const struct fr_uuid *id)
{
	memcpy(*p, "{\"id\":\"", 7);
	fr_uuid_format(*p + 7, id);
	memcpy(*p + 7 + FR_UUID_TEXT - 1, "\"}\n", 3);
	*p += 7 + FR_UUID_TEXT - 1 + 3;
}
#define ID_LINE (7 + FR_UUID_TEXT - 1 + 3)

static void
created_one(struct fr_request *q)
{
	const struct fr_created *c = q->op.u.create.out;
	char body[ID_LINE], *p = body;
	struct fr_buf b;

	if (q->op.rc != FR_OK) {
		failed(q);
		return;
	}
	put_id(&p, &c->id);
	fr_buf_init(&b, 0);
	fr_buf_add(&b, body, sizeof(body));
	fr_answer_as(
	    q, c->rc == FR_EXISTS ? 200 : 201, "application/json", &b, NULL);
}

static void
created_many(struct fr_request *q)
{
	const size_t n = q->op.u.create.n;
	struct fr_buf b;
	char *p;
	size_t i;

	if (q->op.rc != FR_OK) {
		failed(q);
		return;
	}
	fr_buf_init(&b, 0);
	p = fr_buf_reserve(&b, n * ID_LINE);
	if (p != NULL) {
		for (i = 0; i < n; i++)
			put_id(&p, &q->op.u.create.out[i].id);
		fr_buf_commit(&b, n * ID_LINE);
	}
	fr_answer_as(q, 201, "application/x-ndjson", &b, NULL);
}

static bool
room(struct fr_request *q, size_t n)
{
	struct fr_arena *a = q->http.arena;

	q->op.kind = FR_OP_CREATE;
	q->op.u.create.jobs = fr_arena_calloc(a, n, sizeof(struct fr_job));
	q->op.u.create.out = fr_arena_calloc(a, n, sizeof(struct fr_created));
	q->lines = fr_arena_calloc(a, n, sizeof(*q->lines));
	if (q->op.u.create.jobs != NULL && q->op.u.create.out != NULL &&
	    q->lines != NULL)
		return true;
	fr_answer_problem(q, 503, "about:blank", "out of memory");
	return false;
}

static void
post_one(struct fr_request *q)
{
	struct fr_manager *m = fr_manager_of(q);
	struct fr_job *job;
	enum fr_rc rc;

	if (!room(q, 1))
		return;
	job = q->op.u.create.jobs;
	rc = fr_wire_job_parse(q->http.body, &m->limits, fr_time_wall_ms(),
	    q->http.arena, job, &q->err);
	if (rc != FR_OK) {
		fr_answer_failed(q, rc, &q->err);
		return;
	}
	name_job(m, job);
	q->op.u.create.n = 1;
	fr_ask_engine(q, false, created_one);
}

/* The next line of *rest that is not blank; *at counts all. */
static bool
next_line(struct fr_span *rest, unsigned *at, struct fr_span *line)
{
	const char *nl;
	size_t i;

	while (rest->len > 0) {
		nl = memchr(rest->p, '\n', rest->len);
		*line = (struct fr_span){ rest->p,
			nl == NULL ? rest->len : (size_t)(nl - rest->p) };
		rest->p += line->len + (nl != NULL);
		rest->len -= line->len + (nl != NULL);
		++*at;
		for (i = 0; i < line->len; i++)
			if (line->p[i] != ' ' && line->p[i] != '\t' &&
			    line->p[i] != '\r')
				return true;
	}
	return false;
}

static void
bad_line(struct fr_request *q, enum fr_rc rc, unsigned line)
{
	struct fr_err err = FR_ERR_INIT;

	(void)fr_fail(&err, rc, "line %u: %s", line, q->err.msg);
	fr_answer_failed(q, rc, &err);
}

static void
post_many(struct fr_request *q)
{
	struct fr_manager *m = fr_manager_of(q);
	const int64_t now_ms = fr_time_wall_ms();
	struct fr_span rest = q->http.body, line;
	unsigned at = 0;
	size_t n = 0, i;
	enum fr_rc rc;

	while (next_line(&rest, &at, &line))
		n++;
	if (n == 0 || n > (size_t)m->conf->max_batch) {
		if (n == 0)
			fr_answer_problem(
			    q, 422, "about:blank", "no job in the body");
		else
			fr_answer_problem(q, 413, "about:blank",
			    "%zu jobs, more than the limit of %lld", n,
			    (long long)m->conf->max_batch);
		return;
	}
	if (!room(q, n))
		return;
	rest = q->http.body;
	at = 0;
	for (i = 0; i < n && next_line(&rest, &at, &line); i++) {
		struct fr_job *job = &q->op.u.create.jobs[i];

		q->lines[i] = at;
		rc = fr_wire_job_parse(
		    line, &m->limits, now_ms, q->http.arena, job, &q->err);
		if (rc != FR_OK) {
			bad_line(q, rc, at);
			return;
		}
		name_job(m, job);
	}
	q->op.u.create.n = n;
	fr_ask_engine(q, false, created_many);
}

void
fr_jobs_post(struct fr_request *q)
{
	static const char *const none[] = { NULL };

	if (!fr_params_known(q, none))
		return;
	if (q->ndjson)
		post_many(q);
	else
		post_one(q);
}
