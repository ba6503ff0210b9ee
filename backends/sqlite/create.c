/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <string.h>

#include "base/assert.h"
#include "base/str.h"

/* Making jobs. */

/* Is there a job with this id? FR_NOTFOUND: no. */
static enum fr_rc
same(struct fr_sq *q, const struct fr_job *job, const struct fr_sq_type *t,
    struct fr_created *out, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_JOB_SAME, &st, err);
	if (rc != FR_OK)
		return rc;
	fr_sq_blob_at(st, 1, job->id.b, sizeof(job->id.b));
	sqlite3_bind_int64(st, 2, t->n);
	fr_sq_data_at(st, 3, job->data);
	rc = fr_sq_step(q, st, err);
	if (rc == FR_OK)
		out->rc =
		    sqlite3_column_int(st, 0) != 0 ? FR_EXISTS : FR_CONFLICT;
	sqlite3_reset(st);
	return rc;
}

/* Does an unfinished job hold the key? FR_NOTFOUND: no. */
static enum fr_rc
held(struct fr_sq *q, const struct fr_job *job, const struct fr_sq_type *t,
    struct fr_created *out, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_HELD_GET, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, t->n);
	fr_sq_text_at(st, 2, job->key);
	rc = fr_sq_step(q, st, err);
	if (rc == FR_OK) {
		(void)fr_sq_bytes16(st, 0, out->id.b);
		out->rc = FR_EXISTS;
	}
	sqlite3_reset(st);
	return rc;
}

#define COLUMNS 10 /* of FR_SQ_JOB_ADD, from at on; the first is the number */

static void
job_bind(sqlite3_stmt *st, int at, const struct fr_job *job, int64_t type)
{
	fr_sq_blob_at(st, at + 1, job->id.b, sizeof(job->id.b));
	sqlite3_bind_int64(st, at + 2, type);
	sqlite3_bind_int(st, at + 3, job->priority);
	sqlite3_bind_int64(st, at + 4, job->max_attempts);
	sqlite3_bind_int64(st, at + 5, job->timeout_ms);
	sqlite3_bind_int64(st, at + 6, job->created_ms);
	sqlite3_bind_int64(st, at + 7, job->run_at_ms);
	fr_sq_text_at(st, at + 8, job->key);
	fr_sq_data_at(st, at + 9, job->data);
}

/* The row in `job`. *added: it was not there before. */
static enum fr_rc
job_add(struct fr_sq *q, const struct fr_job *job, const struct fr_sq_type *t,
    bool *added, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_JOB_ADD, &st, err);
	if (rc != FR_OK)
		return rc;
	/*
	 * SQLite's own next number is found without a search; but it would
	 * give the last one again if that job is gone.
	 */
	if (q->seq_used)
		sqlite3_bind_int64(st, 1, q->last_seq + 1);
	else
		sqlite3_bind_null(st, 1);
	job_bind(st, 1, job, t->n);
	rc = fr_sq_run(q, st, err);
	*added = rc == FR_OK && sqlite3_changes(q->db) > 0;
	if (*added) {
		q->last_seq = sqlite3_last_insert_rowid(q->db);
		q->seq_used = false;
	}
	return rc;
}

static enum fr_rc
queued_add(struct fr_sq *q, const struct fr_job *job,
    const struct fr_sq_type *t, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_QUEUED_ADD, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, q->last_seq);
	fr_sq_blob_at(st, 2, job->id.b, sizeof(job->id.b));
	sqlite3_bind_int64(st, 3, t->n);
	sqlite3_bind_int(st, 4, job->priority);
	return fr_sq_run(q, st, err);
}

#define RAN_COLUMNS 11

static void
ran_bind(sqlite3_stmt *st, int at, const struct fr_sq_ran *r)
{
	sqlite3_bind_int64(st, at, r->seq);
	sqlite3_bind_int64(st, at + 1, r->type);
	sqlite3_bind_int(st, at + 2, (int)r->state);
	sqlite3_bind_int(st, at + 3, r->keyed);
	sqlite3_bind_int64(st, at + 4, r->attempt);
	sqlite3_bind_int64(st, at + 5, r->run_at_ms);
	sqlite3_bind_int64(st, at + 6, r->started_ms);
	sqlite3_bind_int64(st, at + 7, r->finished_ms);
	sqlite3_bind_int64(st, at + 8, r->until_ms);
	if (r->leased)
		fr_sq_blob_at(st, at + 9, r->lease.b, sizeof(r->lease.b));
	else
		sqlite3_bind_null(st, at + 9);
	fr_sq_text_at(st, at + 10, r->worker);
}

enum fr_rc
fr_sq_ran_add(struct fr_sq *q, const struct fr_sq_ran *r, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_RAN_ADD, &st, err);
	if (rc != FR_OK)
		return rc;
	ran_bind(st, 1, r);
	return fr_sq_run(q, st, err);
}

enum fr_rc
fr_sq_ran_add_many(
    struct fr_sq *q, const struct fr_sq_ran *r, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;
	int i;

	rc = fr_sq_get(q, FR_SQ_RAN_ADD_MANY, &st, err);
	if (rc != FR_OK)
		return rc;
	for (i = 0; i < FR_SQ_MANY; i++)
		ran_bind(st, RAN_COLUMNS * i + 1, &r[i]);
	return fr_sq_run(q, st, err);
}

static enum fr_rc
scheduled_add(struct fr_sq *q, const struct fr_job *job,
    const struct fr_sq_type *t, struct fr_err *err)
{
	const struct fr_sq_ran r = {
		.seq = q->last_seq,
		.type = t->n,
		.state = FR_STATE_SCHEDULED,
		.keyed = job->key.len > 0,
		.run_at_ms = job->run_at_ms,
	};

	return fr_sq_ran_add(q, &r, err);
}

static enum fr_rc
held_add(struct fr_sq *q, const struct fr_job *job, const struct fr_sq_type *t,
    struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_HELD_ADD, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, t->n);
	fr_sq_text_at(st, 2, job->key);
	sqlite3_bind_int64(st, 3, q->last_seq);
	return fr_sq_run(q, st, err);
}

static enum fr_rc
create_one(struct fr_sq *q, const struct fr_job *job, struct fr_created *out,
    struct fr_err *err)
{
	struct fr_sq_type *t;
	bool added;
	enum fr_rc rc;

	fr_assert(
	    job->state == FR_STATE_QUEUED || job->state == FR_STATE_SCHEDULED);
	out->id = job->id;
	rc = fr_sq_type(q, job->type, true, &t, err);
	if (rc == FR_OK && job->key.len > 0) {
		rc = same(q, job, t, out, err);
		if (rc == FR_NOTFOUND)
			rc = held(q, job, t, out, err);
		if (rc != FR_NOTFOUND)
			return rc;
		rc = FR_OK;
	}
	if (rc == FR_OK)
		rc = job_add(q, job, t, &added, err);
	if (rc != FR_OK)
		return rc;
	if (!added)
		return same(q, job, t, out, err);
	rc = job->state == FR_STATE_QUEUED ? queued_add(q, job, t, err)
					   : scheduled_add(q, job, t, err);
	if (rc == FR_OK && job->key.len > 0)
		rc = held_add(q, job, t, err);
	fr_sq_count(q, t, -1, (int)job->state);
	out->rc = FR_OK;
	return rc;
}

/*
 * Many at once: the rows of one statement are added behind each other without
 * a search for each. That goes for jobs without a key that are queued at once,
 * if none is there already.
 */
static bool
plain(const struct fr_sq *q, const struct fr_job *jobs, size_t n)
{
	size_t i;

	if (n < FR_SQ_MANY || q->seq_used)
		return false;
	for (i = 0; i < FR_SQ_MANY; i++)
		if (jobs[i].key.len > 0 || jobs[i].state != FR_STATE_QUEUED)
			return false;
	return true;
}

/* *added: how many, and their numbers follow each other. */
static enum fr_rc
jobs_add(struct fr_sq *q, const struct fr_job *jobs, struct fr_sq_type **t,
    int *added, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc = FR_OK;
	int i;

	for (i = 0; i < FR_SQ_MANY; i++) {
		if (i > 0 && fr_span_eq(jobs[i].type, jobs[i - 1].type))
			t[i] = t[i - 1];
		else
			rc = fr_sq_type(q, jobs[i].type, true, &t[i], err);
		if (rc != FR_OK)
			return rc;
	}
	rc = fr_sq_get(q, FR_SQ_JOB_ADD_MANY, &st, err);
	if (rc != FR_OK)
		return rc;
	for (i = 0; i < FR_SQ_MANY; i++)
		job_bind(st, COLUMNS * i + 1, &jobs[i], t[i]->n);
	rc = fr_sq_run(q, st, err);
	*added = rc == FR_OK ? sqlite3_changes(q->db) : 0;
	if (*added > 0)
		q->last_seq = sqlite3_last_insert_rowid(q->db);
	return rc;
}

/* The rows in `queued` of all jobs from this number on. */
static enum fr_rc
all_queued(struct fr_sq *q, int64_t first, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_QUEUED_ADD_MANY, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, first);
	sqlite3_bind_int64(st, 2, q->last_seq);
	return fr_sq_run(q, st, err);
}

/* Was this job added, with this number? FR_NOTFOUND: no. */
static enum fr_rc
has_number(
    struct fr_sq *q, const struct fr_uuid *id, int64_t seq, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_LIST_AT, &st, err);
	if (rc != FR_OK)
		return rc;
	fr_sq_blob_at(st, 1, id->b, sizeof(id->b));
	rc = fr_sq_step(q, st, err);
	if (rc == FR_OK && sqlite3_column_int64(st, 0) != seq)
		rc = FR_NOTFOUND;
	sqlite3_reset(st);
	return rc;
}

static enum fr_rc
create_many(struct fr_sq *q, const struct fr_job *jobs, struct fr_created *out,
    struct fr_err *err)
{
	struct fr_sq_type *t[FR_SQ_MANY];
	int added = 0, i;
	int64_t seq;
	enum fr_rc rc;

	rc = jobs_add(q, jobs, t, &added, err);
	if (rc != FR_OK)
		return rc;
	seq = q->last_seq - added + 1;
	if (added > 0)
		rc = all_queued(q, seq, err);
	for (i = 0; i < FR_SQ_MANY && rc == FR_OK; i++) {
		out[i].id = jobs[i].id;
		out[i].rc = FR_OK;
		if (added < FR_SQ_MANY)
			rc = has_number(q, &jobs[i].id, seq, err);
		if (rc == FR_OK) {
			fr_sq_count(q, t[i], -1, FR_STATE_QUEUED);
			seq++;
		} else if (rc == FR_NOTFOUND) {
			rc = same(q, &jobs[i], t[i], &out[i], err);
		}
	}
	return rc;
}

enum fr_rc
fr_sq_create(struct fr_store *s, const struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	enum fr_rc rc = FR_OK;
	size_t i = 0;

	q->creates = true;
	while (i < n && rc == FR_OK) {
		if (plain(q, &jobs[i], n - i)) {
			rc = create_many(q, &jobs[i], &out[i], err);
			i += FR_SQ_MANY;
		} else {
			rc = create_one(q, &jobs[i], &out[i], err);
			i++;
		}
	}
	return rc;
}
