/* SPDX-License-Identifier: MIT */
#include "sq.h"

/* Events for hooks; see fr/store.h. */

enum fr_rc
fr_sq_outbox_put(struct fr_store *s, struct fr_outbox_event *ev, size_t n,
    struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;
	size_t i;

	rc = fr_sq_get(q, FR_SQ_OUTBOX_ADD, &st, err);
	for (i = 0; i < n && rc == FR_OK; i++) {
		sqlite3_bind_int(st, 1, (int)ev[i].kind);
		fr_sq_data_at(st, 2, ev[i].type);
		fr_sq_data_at(st, 3, ev[i].json);
		rc = fr_sq_run(q, st, err);
		ev[i].number = sqlite3_last_insert_rowid(q->db);
	}
	return rc;
}

static enum fr_rc
event(struct fr_sq *q, sqlite3_stmt *st, struct fr_outbox_event *ev,
    struct fr_err *err)
{
	const int kind = sqlite3_column_int(st, 1);

	if (kind < 0 || kind >= FR_EVENTS)
		return fr_fail(
		    err, FR_IO, "read %s: an event has kind %d", q->path, kind);
	*ev = (struct fr_outbox_event){
		.number = sqlite3_column_int64(st, 0),
		.kind = (enum fr_event_kind)kind,
		.tries = (uint32_t)sqlite3_column_int64(st, 2),
		.type = fr_sq_span(st, 3),
		.json = fr_sq_span(st, 4),
	};
	return FR_OK;
}

/* Hands out those that are due; *last becomes the number of the last one. */
static enum fr_rc
take(struct fr_sq *q, int64_t now_ms, size_t limit, int64_t *last,
    fr_outbox_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_outbox_event ev;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;
	bool more;

	rc = fr_sq_get(q, FR_SQ_OUTBOX_DUE, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, now_ms);
	sqlite3_bind_int64(
	    st, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
	do {
		rc = fr_sq_step(q, st, err);
		more = rc == FR_OK;
		if (more)
			rc = event(q, st, &ev, err);
		if (more && rc == FR_OK) {
			*last = ev.number;
			rc = emit(arg, &ev);
		}
	} while (more && rc == FR_OK);
	sqlite3_reset(st);
	return !more && rc == FR_NOTFOUND ? FR_OK : rc;
}

enum fr_rc
fr_sq_outbox_take(struct fr_store *s, int64_t now_ms, int64_t until_ms,
    size_t limit, fr_outbox_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	int64_t last = 0;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = take(q, now_ms, limit, &last, emit, arg, err);
	if (rc != FR_OK || last == 0)
		return rc;
	rc = fr_sq_get(q, FR_SQ_OUTBOX_CLAIM, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, now_ms);
	sqlite3_bind_int64(st, 2, until_ms);
	sqlite3_bind_int64(st, 3, last);
	return fr_sq_run(q, st, err);
}

enum fr_rc
fr_sq_outbox_done(
    struct fr_store *s, const int64_t *numbers, size_t n, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++)
		rc = fr_sq_by_seq(q, FR_SQ_OUTBOX_DONE, numbers[i], err);
	return rc;
}

enum fr_rc
fr_sq_outbox_retry(
    struct fr_store *s, int64_t number, int64_t at_ms, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_writer(s);
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_OUTBOX_RETRY, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, number);
	sqlite3_bind_int64(st, 2, at_ms);
	return fr_sq_run(q, st, err);
}
