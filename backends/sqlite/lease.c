/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include "base/assert.h"

/* A queued job becomes running. */

/*
 * Jobs that are leased for the first time: their rows are written together,
 * and those whose numbers follow each other leave the queue together.
 */
struct firsts {
	struct fr_sq_ran v[FR_SQ_MANY];
	int n;
	int64_t from, to; /* numbers that still stand in the queue; from > to:
			     none */
};

/* Is it among those? Its row does not say so yet. */
static bool
just_leased(const struct firsts *f, int64_t seq)
{
	int i;

	for (i = 0; i < f->n; i++)
		if (f->v[i].seq == seq)
			return true;
	return false;
}

/* A job that is to be leased: what its row says. */
struct leasing {
	int64_t seq;
	struct fr_sq_type *type;
	bool ran, progress, keyed;
	int64_t run_at_ms;
};

/* Reads the row and hands it out as it will be. FR_NOTFOUND: not queued. */
static enum fr_rc
lease_emit(struct fr_sq *q, const struct firsts *f, const struct fr_grant *g,
    struct leasing *l, fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_job job;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_GET, &st, err);
	if (rc != FR_OK)
		return rc;
	fr_sq_blob_at(st, 1, g->id.b, sizeof(g->id.b));
	rc = fr_sq_step(q, st, err);
	if (rc == FR_OK)
		rc = fr_sq_row(q, st, &job, err);
	if (rc == FR_OK &&
	    (job.state != FR_STATE_QUEUED || just_leased(f, fr_sq_row_seq(st))))
		rc = FR_NOTFOUND;
	if (rc != FR_OK)
		goto out;
	rc = fr_sq_type(q, job.type, false, &l->type, err);
	if (rc != FR_OK)
		goto out;
	l->seq = fr_sq_row_seq(st);
	l->ran = fr_sq_row_ran(st);
	l->progress = job.progress.len > 0;
	l->keyed = job.key.len > 0;
	l->run_at_ms = job.run_at_ms;
	job.state = FR_STATE_RUNNING;
	job.attempt++;
	job.started_ms = g->now_ms;
	job.lease = g->token;
	job.lease_until_ms = g->until_ms;
	job.worker = g->worker;
	job.progress = (struct fr_span){ NULL, 0 };
	rc = emit(arg, &job);
	fr_assert(rc != FR_NOTFOUND);
out:
	sqlite3_reset(st);
	return rc;
}

static enum fr_rc
lease_again(struct fr_sq *q, const struct fr_grant *g, const struct leasing *l,
    struct fr_err *err)
{
	static const struct fr_span none;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_RAN_LEASE, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, l->seq);
	sqlite3_bind_int64(st, 2, g->now_ms);
	sqlite3_bind_int64(st, 3, g->until_ms);
	fr_sq_blob_at(st, 4, g->token.b, sizeof(g->token.b));
	fr_sq_text_at(st, 5, g->worker);
	rc = fr_sq_run(q, st, err);
	if (rc == FR_OK && l->progress)
		rc =
		    fr_sq_said(q, FR_SQ_SAID_PROGRESS, l->seq, none, none, err);
	return rc;
}

static enum fr_rc
leave_queue(struct fr_sq *q, struct firsts *f, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	if (f->from > f->to)
		return FR_OK;
	rc = fr_sq_get(q, FR_SQ_QUEUED_DEL_MANY, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, f->from);
	sqlite3_bind_int64(st, 2, f->to);
	f->from = f->to + 1;
	return fr_sq_run(q, st, err);
}

static enum fr_rc
write_firsts(struct fr_sq *q, struct firsts *f, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;
	int i, n = f->n;

	f->n = 0;
	if (n == FR_SQ_MANY)
		return fr_sq_ran_add_many(q, f->v, err);
	for (i = 0; i < n && rc == FR_OK; i++)
		rc = fr_sq_ran_add(q, &f->v[i], err);
	return rc;
}

static enum fr_rc
lease_first(struct fr_sq *q, struct firsts *f, const struct fr_grant *g,
    const struct leasing *l, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;

	if (f->from > f->to || l->seq != f->to + 1) {
		rc = leave_queue(q, f, err);
		f->from = l->seq;
	}
	f->to = l->seq;
	f->v[f->n++] = (struct fr_sq_ran){
		.seq = l->seq,
		.type = l->type->n,
		.state = FR_STATE_RUNNING,
		.keyed = l->keyed,
		.attempt = 1,
		.run_at_ms = l->run_at_ms,
		.started_ms = g->now_ms,
		.until_ms = g->until_ms,
		.leased = true,
		.lease = g->token,
		.worker = g->worker,
	};
	if (rc == FR_OK && f->n == FR_SQ_MANY)
		rc = write_firsts(q, f, err);
	return rc;
}

static enum fr_rc
lease_one(struct fr_sq *q, struct firsts *f, const struct fr_grant *g,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct leasing l;
	enum fr_rc rc;

	rc = lease_emit(q, f, g, &l, emit, arg, err);
	if (rc != FR_OK)
		return rc == FR_NOTFOUND ? FR_OK : rc;
	if (l.ran) {
		rc = fr_sq_by_seq(q, FR_SQ_QUEUED_DEL, l.seq, err);
		if (rc == FR_OK)
			rc = lease_again(q, g, &l, err);
	} else {
		rc = lease_first(q, f, g, &l, err);
	}
	fr_sq_count(q, l.type, FR_STATE_QUEUED, FR_STATE_RUNNING);
	fr_sq_recall_put(q, &(struct fr_sq_recall){ .id = g->id,
				.token = g->token,
				.seq = l.seq,
				.type = l.type->n,
				.keyed = l.keyed });
	return rc;
}

enum fr_rc
fr_sq_lease(struct fr_store *s, const struct fr_grant *g, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	struct firsts f = { .n = 0, .from = 1, .to = 0 };
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++)
		rc = lease_one(q, &f, &g[i], emit, arg, err);
	if (rc == FR_OK)
		rc = write_firsts(q, &f, err);
	if (rc == FR_OK)
		rc = leave_queue(q, &f, err);
	return rc;
}
