/* SPDX-License-Identifier: MIT */
#include "ops.h"

#include <limits.h>
#include <string.h>

#include "base/assert.h"
#include "base/uuid.h"

/* What workers and people say of jobs. */

/* The running job that has this lease, or NULL. */
static struct fr_mdb_job *
leased(struct fr_mdb *db, struct fr_store *s, const struct fr_uuid *id,
    const struct fr_token *token)
{
	struct fr_mdb_job *j = fr_mdb_find(db, FR_MEM_ME(s), id);

	if (j == NULL || j->row.job.state != FR_STATE_RUNNING ||
	    !fr_token_eq(&j->row.job.lease, token))
		return NULL;
	return j;
}

static bool
renew_one(struct fr_mdb *db, struct fr_mdb_job *j, int64_t until_ms)
{
	if (!fr_mdb_touch(db, j))
		return false;
	fr_mdb_unindex(db, j);
	j->row.job.lease_until_ms = until_ms;
	fr_mdb_index(db, j);
	return true;
}

enum fr_rc
fr_mem_renew(
    struct fr_store *s, struct fr_renewal *r, size_t n, struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter_write(s);
	struct fr_mdb_job *j;
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++) {
		j = leased(db, s, &r[i].id, &r[i].token);
		r[i].rc = j != NULL ? FR_OK : FR_STALE;
		if (j != NULL && !renew_one(db, j, r[i].until_ms))
			rc = FR_NOMEM;
	}
	return fr_mem_leave(db, rc, err);
}

struct renew_all {
	struct fr_mdb *db;
	int64_t until_ms;
};

static enum fr_rc
renew_visit(void *arg, struct fr_mdb_job *j, const struct fr_job *row)
{
	struct renew_all *r = arg;

	if (row->lease_until_ms >= r->until_ms)
		return FR_NOTFOUND;
	return renew_one(r->db, j, r->until_ms) ? FR_OK : FR_NOMEM;
}

enum fr_rc
fr_mem_renew_all(struct fr_store *s, int64_t until_ms, struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter_write(s);
	struct renew_all r = { db, until_ms };
	enum fr_rc rc;

	rc = fr_mdb_walk(db, FR_MEM_ME(s), FR_STATE_RUNNING, NULL, INT64_MIN,
	    INT64_MIN, renew_visit, &r);
	return fr_mem_leave(db, rc, err);
}

enum how { PROGRESS, COMPLETE, COUNT_FAILED, FAILED, RELEASE };

/* Writes what the report says into the row, which is not indexed. */
static void
report_apply(struct fr_mdb_row *row, enum how how, const struct fr_report *r)
{
	struct fr_job *job = &row->job;

	if (!r->unsaid)
		row->reported = r->token;
	switch (how) {
	case PROGRESS:
		fr_assert(how != PROGRESS);
		break;
	case COMPLETE:
		job->state = FR_STATE_COMPLETE;
		job->finished_ms = r->now_ms;
		break;
	case COUNT_FAILED:
		job->fail_count++;
		job->run_at_ms = r->run_at_ms;
		job->state = r->run_at_ms > r->now_ms ? FR_STATE_SCHEDULED
						      : FR_STATE_QUEUED;
		break;
	case FAILED:
		job->fail_count++;
		job->state = FR_STATE_FAILED;
		job->finished_ms = r->now_ms;
		break;
	case RELEASE:
		job->state = FR_STATE_QUEUED;
		break;
	}
}

static bool
report_spans(struct fr_mdb_job *j, enum how how, const struct fr_report *r)
{
	static const struct fr_span none;
	struct fr_job *row = &j->row.job;

	switch (how) {
	case PROGRESS:
		return fr_mdb_set(j, &row->progress, r->value);
	case COMPLETE:
		return fr_mdb_set(j, &row->result, r->value) &&
		       fr_mdb_set(j, &row->error, none) &&
		       fr_mdb_set(j, &row->log, r->log);
	case COUNT_FAILED:
	case FAILED:
		return fr_mdb_set(j, &row->error, r->value) &&
		       fr_mdb_set(j, &row->log, r->log);
	case RELEASE:
		break;
	}
	return r->log.len == 0 || fr_mdb_set(j, &row->log, r->log);
}

static enum fr_rc
report_one(
    struct fr_mdb *db, struct fr_store *s, enum how how, struct fr_report *r)
{
	struct fr_mdb_job *j = leased(db, s, &r->id, &r->token);

	if (j == NULL) {
		j = fr_mdb_find(db, FR_MEM_ME(s), &r->id);
		r->rc = how != PROGRESS && j != NULL &&
				!fr_token_zero(&r->token) &&
				fr_token_eq(&j->row.reported, &r->token)
			    ? FR_EXISTS
			    : FR_STALE;
		return FR_OK;
	}
	r->rc = FR_OK;
	if (!fr_mdb_touch(db, j) || !report_spans(j, how, r))
		return FR_NOMEM;
	if (how == PROGRESS)
		return FR_OK;
	fr_mdb_unindex(db, j);
	report_apply(&j->row, how, r);
	fr_mdb_index(db, j);
	return FR_OK;
}

static enum fr_rc
report(struct fr_store *s, enum how how, struct fr_report *r, size_t n,
    struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter_write(s);
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++)
		rc = report_one(db, s, how, &r[i]);
	return fr_mem_leave(db, rc, err);
}

enum fr_rc
fr_mem_progress(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, PROGRESS, r, n, err);
}

enum fr_rc
fr_mem_complete(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, COMPLETE, r, n, err);
}

enum fr_rc
fr_mem_count_failed(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, COUNT_FAILED, r, n, err);
}

enum fr_rc
fr_mem_failed(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, FAILED, r, n, err);
}

enum fr_rc
fr_mem_release(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, RELEASE, r, n, err);
}

enum edit { CANCEL, RETRY, REMOVE };

static enum fr_rc
edit_cancel(struct fr_mdb *db, struct fr_mdb_job *j, struct fr_edit *e)
{
	if (fr_state_ended(e->before)) {
		e->rc =
		    e->before == FR_STATE_CANCELLED ? FR_EXISTS : FR_CONFLICT;
		return FR_OK;
	}
	if (!fr_mdb_touch(db, j))
		return FR_NOMEM;
	fr_mdb_unindex(db, j);
	j->row.job.state = FR_STATE_CANCELLED;
	j->row.job.finished_ms = e->now_ms;
	fr_mdb_index(db, j);
	return FR_OK;
}

static enum fr_rc
edit_retry(struct fr_mdb *db, struct fr_mdb_job *j, struct fr_edit *e)
{
	static const struct fr_span none;
	struct fr_job *row = &j->row.job;

	if (!fr_state_ended(e->before) ||
	    (row->key.len > 0 &&
		fr_mdb_find_key(db, j->type, row->key) != NULL)) {
		e->rc = FR_CONFLICT;
		return FR_OK;
	}
	if (!fr_mdb_touch(db, j) || !fr_mdb_set(j, &row->result, none) ||
	    !fr_mdb_set(j, &row->error, none) ||
	    !fr_mdb_set(j, &row->progress, none))
		return FR_NOMEM;
	fr_mdb_unindex(db, j);
	row->state = FR_STATE_QUEUED;
	row->run_at_ms = e->now_ms;
	row->finished_ms = 0;
	row->fail_count = 0;
	fr_mdb_index(db, j);
	return FR_OK;
}

static enum fr_rc
edit_one(
    struct fr_mdb *db, struct fr_store *s, enum edit what, struct fr_edit *e)
{
	struct fr_mdb_job *j = fr_mdb_find(db, FR_MEM_ME(s), &e->id);

	e->rc = j == NULL ? FR_NOTFOUND : FR_OK;
	if (j == NULL)
		return FR_OK;
	e->before = j->row.job.state;
	e->priority = j->row.job.priority;
	e->attempt = j->row.job.attempt;
	memcpy(e->type, j->type->name, sizeof(e->type));
	switch (what) {
	case CANCEL:
		return edit_cancel(db, j, e);
	case RETRY:
		return edit_retry(db, j, e);
	case REMOVE:
		break;
	}
	if (!fr_state_ended(e->before))
		e->rc = FR_CONFLICT;
	else if (!fr_mdb_remove(db, j))
		return FR_NOMEM;
	return FR_OK;
}

static enum fr_rc
edit(struct fr_store *s, enum edit what, struct fr_edit *e, size_t n,
    struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter_write(s);
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++)
		rc = edit_one(db, s, what, &e[i]);
	return fr_mem_leave(db, rc, err);
}

enum fr_rc
fr_mem_cancel(
    struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, CANCEL, e, n, err);
}

enum fr_rc
fr_mem_retry(
    struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, RETRY, e, n, err);
}

enum fr_rc
fr_mem_remove(
    struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, REMOVE, e, n, err);
}
