/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <string.h>

#include <fr/queue.h>

#include "base/assert.h"

/* What a person says of a job, and what time does to it. */

#define CHUNK 256 /* rows that are read before they are changed */

enum edit { CANCEL, RETRY, REMOVE };

struct known {
	int64_t seq;
	struct fr_sq_type *type;
	bool keyed, ran, said;
};

static enum fr_rc
known_get(
    struct fr_sq *q, struct fr_edit *e, struct known *k, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_RAN_GET, &st, err);
	if (rc != FR_OK)
		return rc;
	fr_sq_blob_at(st, 1, e->id.b, sizeof(e->id.b));
	rc = fr_sq_step(q, st, err);
	if (rc == FR_OK)
		rc =
		    fr_sq_type_n(q, sqlite3_column_int64(st, 1), &k->type, err);
	if (rc == FR_OK) {
		k->seq = sqlite3_column_int64(st, 0);
		e->priority = sqlite3_column_int(st, 2);
		k->keyed = sqlite3_column_int(st, 3) != 0;
		k->ran = sqlite3_column_type(st, 4) != SQLITE_NULL;
		e->before = k->ran ? (enum fr_state)sqlite3_column_int(st, 4)
				   : FR_STATE_QUEUED;
		k->said = sqlite3_column_int(st, 5) != 0;
		e->attempt = (uint32_t)sqlite3_column_int64(st, 6);
		memcpy(e->type, k->type->name, sizeof(e->type));
	}
	sqlite3_reset(st);
	return rc;
}

/* The job's state, and when it ended (0: it has not). */
static enum fr_rc
set_state(struct fr_sq *q, int64_t seq, enum fr_state state,
    int64_t finished_ms, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_RAN_STATE, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, seq);
	sqlite3_bind_int(st, 2, (int)state);
	sqlite3_bind_int64(st, 3, finished_ms);
	return fr_sq_run(q, st, err);
}

static enum fr_rc
created_run_at(
    struct fr_sq *q, const struct fr_uuid *id, int64_t *ms, struct fr_err *err)
{
	struct fr_job job;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_GET, &st, err);
	if (rc != FR_OK)
		return rc;
	fr_sq_blob_at(st, 1, id->b, sizeof(id->b));
	rc = fr_sq_step(q, st, err);
	if (rc == FR_OK)
		rc = fr_sq_row(q, st, &job, err);
	if (rc == FR_OK)
		*ms = job.run_at_ms;
	sqlite3_reset(st);
	return rc;
}

/* The first row in `ran` of a job that was never leased. */
static enum fr_rc
cancel_first(struct fr_sq *q, const struct known *k, const struct fr_edit *e,
    struct fr_err *err)
{
	struct fr_sq_ran r = {
		.seq = k->seq,
		.type = k->type->n,
		.state = FR_STATE_CANCELLED,
		.keyed = k->keyed,
		.finished_ms = e->now_ms,
	};
	enum fr_rc rc;

	rc = created_run_at(q, &e->id, &r.run_at_ms, err);
	return rc == FR_OK ? fr_sq_ran_add(q, &r, err) : rc;
}

static enum fr_rc
cancel(struct fr_sq *q, const struct known *k, struct fr_edit *e,
    struct fr_err *err)
{
	enum fr_rc rc;

	if (fr_state_ended(e->before)) {
		e->rc =
		    e->before == FR_STATE_CANCELLED ? FR_EXISTS : FR_CONFLICT;
		return FR_OK;
	}
	rc = k->ran ? set_state(q, k->seq, FR_STATE_CANCELLED, e->now_ms, err)
		    : cancel_first(q, k, e, err);
	if (rc == FR_OK && e->before == FR_STATE_QUEUED)
		rc = fr_sq_by_seq(q, FR_SQ_QUEUED_DEL, k->seq, err);
	if (rc == FR_OK && k->keyed)
		rc = fr_sq_by_seq(q, FR_SQ_HELD_DEL, k->seq, err);
	fr_sq_count(q, k->type, (int)e->before, FR_STATE_CANCELLED);
	return rc;
}

static enum fr_rc
retry(struct fr_sq *q, const struct known *k, struct fr_edit *e,
    struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	if (!fr_state_ended(e->before)) {
		e->rc = FR_CONFLICT;
		return FR_OK;
	}
	if (k->keyed) {
		rc = fr_sq_by_seq(q, FR_SQ_HELD_AGAIN, k->seq, err);
		if (rc != FR_OK)
			return rc;
		if (sqlite3_changes(q->db) == 0) {
			e->rc = FR_CONFLICT;
			return FR_OK;
		}
	}
	rc = fr_sq_get(q, FR_SQ_RAN_RETRY, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, k->seq);
	sqlite3_bind_int64(st, 2, e->now_ms);
	rc = fr_sq_run(q, st, err);
	if (rc == FR_OK && k->said)
		rc = fr_sq_by_seq(q, FR_SQ_SAID_RETRY, k->seq, err);
	if (rc == FR_OK)
		rc = fr_sq_by_seq(q, FR_SQ_QUEUED_AGAIN, k->seq, err);
	fr_sq_count(q, k->type, (int)e->before, FR_STATE_QUEUED);
	return rc;
}

/* Takes an ended job out of all tables. */
static enum fr_rc
forget(struct fr_sq *q, const struct known *k, enum fr_state state,
    struct fr_err *err)
{
	enum fr_rc rc;

	rc = fr_sq_by_seq(q, FR_SQ_JOB_DEL, k->seq, err);
	if (rc == FR_OK)
		rc = fr_sq_by_seq(q, FR_SQ_RAN_DEL, k->seq, err);
	if (rc == FR_OK && k->said)
		rc = fr_sq_by_seq(q, FR_SQ_SAID_DEL, k->seq, err);
	if (k->seq == q->last_seq)
		q->seq_used = true;
	fr_sq_count(q, k->type, (int)state, -1);
	return rc;
}

static enum fr_rc
edit(struct fr_store *s, enum edit what, struct fr_edit *e, size_t n,
    struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	enum fr_rc rc = FR_OK;
	struct known k;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++, e++) {
		rc = known_get(q, e, &k, err);
		e->rc = rc;
		if (rc != FR_OK) {
			rc = rc == FR_NOTFOUND ? FR_OK : rc;
			continue;
		}
		if (what == CANCEL)
			rc = cancel(q, &k, e, err);
		else if (what == RETRY)
			rc = retry(q, &k, e, err);
		else if (fr_state_ended(e->before))
			rc = forget(q, &k, e->before, err);
		else
			e->rc = FR_CONFLICT;
	}
	return rc;
}

enum fr_rc
fr_sq_cancel(
    struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, CANCEL, e, n, err);
}

enum fr_rc
fr_sq_retry(struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, RETRY, e, n, err);
}

enum fr_rc
fr_sq_remove(
    struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, REMOVE, e, n, err);
}

struct due {
	int64_t seq;
	struct fr_uuid id;
	struct fr_sq_type *type;
	int32_t priority;
};

/* Up to *n jobs whose time has come; *n becomes how many. */
static enum fr_rc
due_get(struct fr_sq *q, int64_t now_ms, struct due *d, size_t *n,
    struct fr_err *err)
{
	const size_t most = *n;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	*n = 0;
	rc = fr_sq_get(q, FR_SQ_PROMOTE, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, now_ms);
	sqlite3_bind_int64(st, 2, (int64_t)most);
	while ((rc = fr_sq_step(q, st, err)) == FR_OK) {
		fr_assert(*n < most);
		d[*n].seq = sqlite3_column_int64(st, 0);
		(void)fr_sq_bytes16(st, 1, d[*n].id.b);
		d[*n].priority = sqlite3_column_int(st, 3);
		rc = fr_sq_type_n(
		    q, sqlite3_column_int64(st, 2), &d[*n].type, err);
		if (rc != FR_OK)
			break;
		(*n)++;
	}
	sqlite3_reset(st);
	return rc == FR_NOTFOUND ? FR_OK : rc;
}

static enum fr_rc
promote_one(struct fr_sq *q, const struct due *d, fr_ticket_emit_fn *emit,
    void *arg, struct fr_err *err)
{
	const struct fr_ticket t = {
		.id = d->id,
		.type = d->type->name,
		.priority = d->priority,
	};
	enum fr_rc rc;

	rc = set_state(q, d->seq, FR_STATE_QUEUED, 0, err);
	if (rc == FR_OK)
		rc = fr_sq_by_seq(q, FR_SQ_QUEUED_AGAIN, d->seq, err);
	fr_sq_count(q, d->type, FR_STATE_SCHEDULED, FR_STATE_QUEUED);
	return rc == FR_OK ? emit(arg, &t) : rc;
}

enum fr_rc
fr_sq_promote(struct fr_store *s, int64_t now_ms, size_t limit,
    fr_ticket_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	enum fr_rc rc = FR_OK;
	struct due d[CHUNK];
	size_t n, i;

	while (limit > 0 && rc == FR_OK) {
		n = limit < CHUNK ? limit : CHUNK;
		limit -= n;
		rc = due_get(q, now_ms, d, &n, err);
		for (i = 0; i < n && rc == FR_OK; i++)
			rc = promote_one(q, &d[i], emit, arg, err);
		if (n < CHUNK)
			break;
	}
	return rc;
}

static enum fr_rc
old_get(struct fr_sq *q, enum fr_sq_stmt which, int64_t before_ms,
    struct known *k, size_t *n, struct fr_err *err)
{
	const size_t most = *n;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	*n = 0;
	rc = fr_sq_get(q, which, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, before_ms);
	sqlite3_bind_int64(st, 2, (int64_t)most);
	while ((rc = fr_sq_step(q, st, err)) == FR_OK) {
		fr_assert(*n < most);
		k[*n].seq = sqlite3_column_int64(st, 0);
		k[*n].said = sqlite3_column_int(st, 2) != 0;
		rc = fr_sq_type_n(
		    q, sqlite3_column_int64(st, 1), &k[*n].type, err);
		if (rc != FR_OK)
			break;
		(*n)++;
	}
	sqlite3_reset(st);
	return rc == FR_NOTFOUND ? FR_OK : rc;
}

static enum fr_rc
purge_state(struct fr_sq *q, enum fr_state state, enum fr_sq_stmt which,
    int64_t before_ms, size_t *left, struct fr_err *err)
{
	struct known k[CHUNK];
	enum fr_rc rc = FR_OK;
	size_t n, i;

	while (*left > 0 && rc == FR_OK) {
		n = *left < CHUNK ? *left : CHUNK;
		rc = old_get(q, which, before_ms, k, &n, err);
		for (i = 0; i < n && rc == FR_OK; i++)
			rc = forget(q, &k[i], state, err);
		*left -= n;
		if (n < CHUNK)
			break;
	}
	return rc;
}

enum fr_rc
fr_sq_purge(struct fr_store *s, unsigned states, int64_t before_ms, size_t *n,
    struct fr_err *err)
{
	static const struct {
		enum fr_state state;
		enum fr_sq_stmt stmt;
	} v[] = {
		{ FR_STATE_COMPLETE, FR_SQ_PURGE_COMPLETE },
		{ FR_STATE_FAILED, FR_SQ_PURGE_FAILED },
		{ FR_STATE_CANCELLED, FR_SQ_PURGE_CANCELLED },
	};
	struct fr_sq *q = fr_sq_writer(s);
	enum fr_rc rc = FR_OK;
	size_t left = *n, i;

	for (i = 0; i < sizeof(v) / sizeof(*v) && rc == FR_OK; i++)
		if ((states & FR_STATE_BIT(v[i].state)) != 0)
			rc = purge_state(
			    q, v[i].state, v[i].stmt, before_ms, &left, err);
	*n -= left;
	return rc;
}

enum fr_rc
fr_sq_pause(
    struct fr_store *s, const char *type, bool paused, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	const struct fr_span name = { type, strlen(type) };
	struct fr_sq_type *t;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_type(q, name, true, &t, err);
	if (rc == FR_OK)
		rc = fr_sq_get(q, FR_SQ_TYPE_PAUSE, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, t->n);
	sqlite3_bind_int(st, 2, paused);
	return fr_sq_run(q, st, err);
}
