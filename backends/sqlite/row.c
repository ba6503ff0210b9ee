/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <string.h>

/* The columns of COLUMNS in text.c, in their order. */
enum column {
	J_SEQ,
	J_ID,
	J_TYPE,
	J_PRIORITY,
	J_MAX_ATTEMPTS,
	J_TIMEOUT,
	J_CREATED,
	J_RUN_AT,
	J_KEY,
	J_DATA,
	R_SEQ,
	R_STATE,
	R_SAID,
	R_ATTEMPT,
	R_FAIL_COUNT,
	R_RUN_AT,
	R_STARTED,
	R_FINISHED,
	R_UNTIL,
	R_LEASE,
	R_WORKER,
	R_RESULT,
	S_PROGRESS,
	S_RESULT,
	S_ERROR,
	S_LOG
};

int64_t
fr_sq_row_seq(sqlite3_stmt *st)
{
	return sqlite3_column_int64(st, J_SEQ);
}

bool
fr_sq_row_ran(sqlite3_stmt *st)
{
	return sqlite3_column_type(st, R_SEQ) != SQLITE_NULL;
}

bool
fr_sq_row_said(sqlite3_stmt *st)
{
	return sqlite3_column_int(st, R_SAID) != 0;
}

bool
fr_sq_bytes16(sqlite3_stmt *st, int i, unsigned char dst[16])
{
	const void *p = sqlite3_column_blob(st, i);

	if (p == NULL || sqlite3_column_bytes(st, i) != 16)
		return false;
	memcpy(dst, p, 16);
	return true;
}

static void
row_ran(sqlite3_stmt *st, struct fr_job *job)
{
	job->attempt = (uint32_t)sqlite3_column_int64(st, R_ATTEMPT);
	job->fail_count = (uint32_t)sqlite3_column_int64(st, R_FAIL_COUNT);
	job->run_at_ms = sqlite3_column_int64(st, R_RUN_AT);
	job->started_ms = sqlite3_column_int64(st, R_STARTED);
	job->finished_ms = sqlite3_column_int64(st, R_FINISHED);
	job->lease_until_ms = sqlite3_column_int64(st, R_UNTIL);
	(void)fr_sq_bytes16(st, R_LEASE, job->lease.b);
	job->worker = fr_sq_span(st, R_WORKER);
	job->result = fr_sq_span(st, R_RESULT);
	if (!fr_sq_row_said(st))
		return;
	job->progress = fr_sq_span(st, S_PROGRESS);
	if (job->result.len == 0)
		job->result = fr_sq_span(st, S_RESULT);
	job->error = fr_sq_span(st, S_ERROR);
	job->log = fr_sq_span(st, S_LOG);
}

enum fr_rc
fr_sq_row(
    struct fr_sq *q, sqlite3_stmt *st, struct fr_job *job, struct fr_err *err)
{
	struct fr_sq_type *t;
	int state = FR_STATE_QUEUED;
	enum fr_rc rc;

	memset(job, 0, sizeof(*job));
	rc = fr_sq_type_n(q, sqlite3_column_int64(st, J_TYPE), &t, err);
	if (rc != FR_OK)
		return rc;
	if (!fr_sq_bytes16(st, J_ID, job->id.b))
		return fr_fail(
		    err, FR_IO, "read %s: a job's id is damaged", q->path);
	job->type = (struct fr_span){ t->name, strlen(t->name) };
	job->priority = sqlite3_column_int(st, J_PRIORITY);
	job->max_attempts = (uint32_t)sqlite3_column_int64(st, J_MAX_ATTEMPTS);
	job->timeout_ms = sqlite3_column_int64(st, J_TIMEOUT);
	job->created_ms = sqlite3_column_int64(st, J_CREATED);
	job->run_at_ms = sqlite3_column_int64(st, J_RUN_AT);
	job->key = fr_sq_span(st, J_KEY);
	job->data = fr_sq_span(st, J_DATA);
	if (fr_sq_row_ran(st)) {
		state = sqlite3_column_int(st, R_STATE);
		row_ran(st, job);
	}
	if (state < 0 || state >= FR_STATES)
		return fr_fail(
		    err, FR_IO, "read %s: a job has state %d", q->path, state);
	job->state = (enum fr_state)state;
	return FR_OK;
}
