/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <limits.h>

#include "base/assert.h"
#include "base/uuid.h"

/*
 * What workers say. A lease that a report has ended is marked `told`; the
 * next lease moves it to `prior`, so that the same report is known again
 * until another one counts. One that ended unsaid is not marked.
 */

enum how { PROGRESS, COMPLETE, COUNT_FAILED, FAILED, RELEASE };

struct leased {
	int64_t seq;
	struct fr_sq_type *type;
	bool keyed, said, told;
	int state;
	struct fr_token lease, prior;
};

/* FR_NOTFOUND: no such job, or never leased. */
static enum fr_rc
leased_get(struct fr_sq *q, const struct fr_uuid *id, struct leased *l,
    struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	*l = (struct leased){ 0 };
	rc = fr_sq_get(q, FR_SQ_RAN_LEASED, &st, err);
	if (rc != FR_OK)
		return rc;
	fr_sq_blob_at(st, 1, id->b, sizeof(id->b));
	rc = fr_sq_step(q, st, err);
	if (rc != FR_OK) {
		sqlite3_reset(st);
		return rc;
	}
	l->seq = sqlite3_column_int64(st, 0);
	rc = fr_sq_type_n(q, sqlite3_column_int64(st, 1), &l->type, err);
	l->keyed = sqlite3_column_int(st, 2) != 0;
	l->said = sqlite3_column_int(st, 3) != 0;
	l->state = sqlite3_column_int(st, 4);
	l->told = sqlite3_column_int(st, 5) != 0;
	(void)fr_sq_bytes16(st, 6, l->lease.b);
	(void)fr_sq_bytes16(st, 7, l->prior.b);
	sqlite3_reset(st);
	return rc;
}

/* FR_OK: it counts. */
static enum fr_rc
judge(const struct leased *l, const struct fr_token *token, enum how how)
{
	const struct fr_token *told = l->told ? &l->lease : &l->prior;

	if (fr_token_zero(token))
		return FR_STALE;
	if (l->state == FR_STATE_RUNNING && fr_token_eq(&l->lease, token))
		return FR_OK;
	if (how != PROGRESS && fr_token_eq(told, token))
		return FR_EXISTS;
	return FR_STALE;
}

enum fr_rc
fr_sq_said(struct fr_sq *q, enum fr_sq_stmt n, int64_t seq,
    struct fr_span value, struct fr_span log, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, n, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, seq);
	if (n == FR_SQ_SAID_LOG) {
		fr_sq_text_at(st, 2, log);
	} else {
		fr_sq_text_at(st, 2, value);
		if (n != FR_SQ_SAID_PROGRESS)
			fr_sq_text_at(st, 3, log);
	}
	return fr_sq_run(q, st, err);
}

static enum fr_rc
progress(struct fr_sq *q, const struct leased *l, const struct fr_report *r,
    struct fr_err *err)
{
	enum fr_rc rc;

	rc = fr_sq_said(q, FR_SQ_SAID_PROGRESS, l->seq, r->value, r->log, err);
	if (rc == FR_OK && !l->said)
		rc = fr_sq_by_seq(q, FR_SQ_RAN_SAID, l->seq, err);
	return rc;
}

/* What a report makes of the row in `ran`. */
struct outcome {
	enum fr_state state;
	bool said, told;
	int fails;
	int64_t run_at_ms; /* INT64_MIN: as it is */
	int64_t finished_ms;
	struct fr_span result; /* a short one */
};

static struct outcome
outcome_of(enum how how, const struct leased *l, const struct fr_report *r)
{
	struct outcome o = {
		.state = FR_STATE_QUEUED,
		.said = l->said || r->log.len > 0,
		.told = !r->unsaid,
		.run_at_ms = INT64_MIN,
	};

	switch (how) {
	case PROGRESS:
		fr_assert(how != PROGRESS);
		break;
	case COMPLETE:
		o.state = FR_STATE_COMPLETE;
		o.finished_ms = r->now_ms;
		if (r->value.len <= FR_SQ_SHORT)
			o.result = r->value;
		else
			o.said = true;
		break;
	case COUNT_FAILED:
		o.fails = 1;
		o.run_at_ms = r->run_at_ms;
		if (r->run_at_ms > r->now_ms)
			o.state = FR_STATE_SCHEDULED;
		o.said = o.said || r->value.len > 0;
		break;
	case FAILED:
		o.state = FR_STATE_FAILED;
		o.fails = 1;
		o.finished_ms = r->now_ms;
		o.said = o.said || r->value.len > 0;
		break;
	case RELEASE:
		break;
	}
	return o;
}

static enum fr_rc
write_ran(
    struct fr_sq *q, int64_t seq, const struct outcome *o, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_RAN_REPORT, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, seq);
	sqlite3_bind_int(st, 2, (int)o->state);
	sqlite3_bind_int(st, 3, o->said);
	sqlite3_bind_int(st, 4, o->fails);
	if (o->run_at_ms != INT64_MIN)
		sqlite3_bind_int64(st, 5, o->run_at_ms);
	else
		sqlite3_bind_null(st, 5);
	sqlite3_bind_int64(st, 6, o->finished_ms);
	fr_sq_text_at(st, 7, o->result);
	sqlite3_bind_int(st, 8, o->told);
	return fr_sq_run(q, st, err);
}

static enum fr_rc
write_said(struct fr_sq *q, enum how how, int64_t seq, const struct outcome *o,
    const struct fr_report *r, struct fr_err *err)
{
	static const struct fr_span none;

	switch (how) {
	case COMPLETE:
		return fr_sq_said(q, FR_SQ_SAID_RESULT, seq,
		    o->result.len > 0 ? none : r->value, r->log, err);
	case COUNT_FAILED:
	case FAILED:
		return fr_sq_said(
		    q, FR_SQ_SAID_ERROR, seq, r->value, r->log, err);
	case PROGRESS:
	case RELEASE:
		break;
	}
	if (r->log.len == 0)
		return FR_OK;
	return fr_sq_said(q, FR_SQ_SAID_LOG, seq, none, r->log, err);
}

static enum fr_rc
finish(struct fr_sq *q, enum how how, const struct leased *l,
    const struct fr_report *r, struct fr_err *err)
{
	const struct outcome o = outcome_of(how, l, r);
	enum fr_rc rc;

	rc = write_ran(q, l->seq, &o, err);
	if (rc == FR_OK && o.said)
		rc = write_said(q, how, l->seq, &o, r, err);
	if (rc == FR_OK && o.state == FR_STATE_QUEUED)
		rc = fr_sq_by_seq(q, FR_SQ_QUEUED_AGAIN, l->seq, err);
	if (rc == FR_OK && l->keyed && fr_state_ended(o.state))
		rc = fr_sq_by_seq(q, FR_SQ_HELD_DEL, l->seq, err);
	fr_sq_count(q, l->type, FR_STATE_RUNNING, (int)o.state);
	return rc;
}

/*
 * A job that was leased lately is complete, and there is no more to write
 * than that: FR_NOTFOUND if it is not so, or the lease is not its own.
 */
static enum fr_rc
complete_known(struct fr_sq *q, const struct fr_report *r, struct fr_err *err)
{
	const struct fr_sq_recall *at = fr_sq_recall_get(q, &r->id, &r->token);
	struct fr_sq_type *type;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	if (at == NULL || r->value.len > FR_SQ_SHORT || r->log.len > 0)
		return FR_NOTFOUND;
	rc = fr_sq_get(q, FR_SQ_RAN_COMPLETE, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, at->seq);
	fr_sq_blob_at(st, 2, r->token.b, sizeof(r->token.b));
	sqlite3_bind_int64(st, 3, r->now_ms);
	fr_sq_text_at(st, 4, r->value);
	sqlite3_bind_int(st, 5, !r->unsaid);
	rc = fr_sq_run(q, st, err);
	if (rc == FR_OK && sqlite3_changes(q->db) == 0)
		rc = FR_NOTFOUND;
	if (rc == FR_OK && at->keyed)
		rc = fr_sq_by_seq(q, FR_SQ_HELD_DEL, at->seq, err);
	if (rc == FR_OK)
		rc = fr_sq_type_n(q, at->type, &type, err);
	if (rc == FR_OK)
		fr_sq_count(q, type, FR_STATE_RUNNING, FR_STATE_COMPLETE);
	return rc;
}

static enum fr_rc
report(struct fr_store *s, enum how how, struct fr_report *r, size_t n,
    struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	enum fr_rc rc = FR_OK;
	struct leased l;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++, r++) {
		r->rc = FR_OK;
		rc = how == COMPLETE ? complete_known(q, r, err) : FR_NOTFOUND;
		if (rc != FR_NOTFOUND)
			continue;
		rc = leased_get(q, &r->id, &l, err);
		r->rc = rc == FR_OK ? judge(&l, &r->token, how) : FR_STALE;
		if (rc == FR_NOTFOUND)
			rc = FR_OK;
		if (rc != FR_OK || r->rc != FR_OK)
			continue;
		rc = how == PROGRESS ? progress(q, &l, r, err)
				     : finish(q, how, &l, r, err);
	}
	return rc;
}

enum fr_rc
fr_sq_progress(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, PROGRESS, r, n, err);
}

enum fr_rc
fr_sq_complete(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, COMPLETE, r, n, err);
}

enum fr_rc
fr_sq_count_failed(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, COUNT_FAILED, r, n, err);
}

enum fr_rc
fr_sq_failed(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, FAILED, r, n, err);
}

enum fr_rc
fr_sq_release(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, RELEASE, r, n, err);
}

enum fr_rc
fr_sq_renew(
    struct fr_store *s, struct fr_renewal *r, size_t n, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;
	size_t i;

	rc = fr_sq_get(q, FR_SQ_RAN_RENEW, &st, err);
	for (i = 0; i < n && rc == FR_OK; i++) {
		fr_sq_blob_at(st, 1, r[i].id.b, sizeof(r[i].id.b));
		fr_sq_blob_at(st, 2, r[i].token.b, sizeof(r[i].token.b));
		sqlite3_bind_int64(st, 3, r[i].until_ms);
		rc = fr_sq_run(q, st, err);
		r[i].rc = sqlite3_changes(q->db) > 0 ? FR_OK : FR_STALE;
	}
	return rc;
}

enum fr_rc
fr_sq_renew_all(struct fr_store *s, int64_t until_ms, struct fr_err *err)
{
	return fr_sq_by_seq(
	    fr_sq_writer(s), FR_SQ_RAN_RENEW_ALL, until_ms, err);
}
