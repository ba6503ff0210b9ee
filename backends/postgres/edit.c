/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <string.h>

#include "base/assert.h"
#include "base/str.h"

/* What people say of jobs, one by one; and the sweep's changes, in bulk. */

enum edit { CANCEL, RETRY, REMOVE };

/* What becomes of a job in that state; FR_OK: it is changed. */
static enum fr_rc
verdict(enum edit what, enum fr_state before, bool key_held)
{
	const bool ended = fr_state_ended(before);

	switch (what) {
	case CANCEL:
		if (before == FR_STATE_CANCELLED)
			return FR_EXISTS;
		return ended ? FR_CONFLICT : FR_OK;
	case RETRY:
		return ended && !key_held ? FR_OK : FR_CONFLICT;
	case REMOVE:
		break;
	}
	return ended ? FR_OK : FR_CONFLICT;
}

static enum fr_rc
note(struct fr_pg *s, enum edit what, const struct fr_edit *e,
    struct fr_err *err)
{
	const struct fr_span type = fr_span_of(e->type);
	const int from = (int)e->before;

	switch (what) {
	case CANCEL:
		fr_pg_tell(s, FR_EVENT_CANCELLED, type, &e->id);
		return fr_pg_count(s, type, from, FR_STATE_CANCELLED, 1, err);
	case RETRY:
		fr_pg_tell(s, FR_EVENT_CREATED, type, NULL);
		return fr_pg_count(s, type, from, FR_STATE_QUEUED, 1, err);
	case REMOVE:
		break;
	}
	return fr_pg_count(s, type, from, FR_PG_NOWHERE, 1, err);
}

static enum fr_rc
edit_one(struct fr_pg *s, enum edit what, struct fr_edit *e, struct fr_err *err)
{
	static const enum fr_pg_stmt stmt[] = { FR_PG_CANCEL, FR_PG_RETRY,
		FR_PG_REMOVE };
	struct fr_pg_args a = { .n = 0 };
	const PGresult *r;
	enum fr_rc rc;

	fr_pg_arg_bytes(&a, e->id.b, sizeof(e->id.b));
	rc = fr_pg_ask(s, FR_PG_EDITED, &a, &r, err);
	if (rc != FR_OK)
		return rc;
	e->rc = FR_NOTFOUND;
	if (PQntuples(r) == 0)
		return FR_OK;
	e->before = (enum fr_state)fr_pg_int(r, 0, 0);
	e->priority = (int32_t)fr_pg_int(r, 0, 1);
	e->attempt = (uint32_t)fr_pg_int(r, 0, 2);
	(void)fr_str_copy(e->type, sizeof(e->type), fr_pg_span(r, 0, 3));
	e->rc = verdict(what, e->before, fr_pg_int(r, 0, 4) != 0);
	if (e->rc != FR_OK)
		return FR_OK;
	fr_pg_arg_i64(&a, e->now_ms);
	if (what == CANCEL)
		rc = fr_pg_end(s, FR_STATE_CANCELLED, &e->id, e->now_ms, err);
	if (rc == FR_OK)
		rc = fr_pg_ask(s, stmt[what], &a, NULL, err);
	return rc == FR_OK ? note(s, what, e, err) : rc;
}

static enum fr_rc
edit(struct fr_store *store, enum edit what, struct fr_edit *e, size_t n,
    struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	enum fr_rc rc = FR_OK;
	size_t i;

	fr_assert(s->in_tx);
	for (i = 0; i < n && rc == FR_OK; i++)
		rc = edit_one(s, what, &e[i], err);
	return rc;
}

enum fr_rc
fr_pg_cancel(
    struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, CANCEL, e, n, err);
}

enum fr_rc
fr_pg_retry(struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, RETRY, e, n, err);
}

enum fr_rc
fr_pg_remove(
    struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, REMOVE, e, n, err);
}

enum fr_rc
fr_pg_promote(struct fr_store *store, int64_t now_ms, size_t limit,
    fr_ticket_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a = { .n = 0 };
	struct fr_ticket t = { .priority = 0 };
	const PGresult *r;
	enum fr_rc rc;
	int i;

	fr_assert(s->in_tx);
	fr_pg_arg_i64(&a, now_ms);
	fr_pg_arg_i64(&a, (int64_t)limit);
	rc = fr_pg_ask(s, FR_PG_PROMOTE, &a, &r, err);
	for (i = 0; rc == FR_OK && i < PQntuples(r); i++) {
		fr_pg_bin16(r, i, 0, t.id.b);
		t.type = PQgetvalue(r, i, 1);
		t.priority = (int32_t)fr_pg_int(r, i, 2);
		rc = fr_pg_count(s, fr_pg_span(r, i, 1), FR_STATE_SCHEDULED,
		    FR_STATE_QUEUED, 1, err);
		fr_pg_tell(s, FR_EVENT_CREATED, fr_pg_span(r, i, 1), NULL);
		if (rc == FR_OK)
			rc = emit(arg, &t);
	}
	return rc;
}

enum fr_rc
fr_pg_pause(
    struct fr_store *store, const char *type, bool paused, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a = { .n = 0 };

	fr_assert(s->in_tx);
	fr_pg_arg_text(&a, type);
	fr_pg_tell(s, FR_NEWS_PAUSE, fr_span_of(type), NULL);
	return fr_pg_ask(s, paused ? FR_PG_PAUSE : FR_PG_RESUME, &a, NULL, err);
}
