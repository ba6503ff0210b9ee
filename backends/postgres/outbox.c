/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include "base/assert.h"
#include "base/str.h"

/* Events for hooks, and the workers that managers have seen. */

enum fr_rc
fr_pg_outbox_put(struct fr_store *store, struct fr_outbox_event *ev, size_t n,
    struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	enum fr_rc rc = FR_OK;
	struct fr_pg_args a;
	const PGresult *r;
	size_t i, part;

	fr_assert(s->in_tx);
	for (; n > 0 && rc == FR_OK; ev += part, n -= part) {
		part = n < FR_PG_CHUNK ? n : FR_PG_CHUNK;
		fr_pg_col_open(s, 0, FR_PG_INT2);
		fr_pg_col_open(s, 1, FR_PG_TEXT);
		fr_pg_col_open(s, 2, FR_PG_BYTEA);
		for (i = 0; i < part; i++) {
			fr_pg_col_i16(s, 0, (int16_t)ev[i].kind);
			fr_pg_col_bytes(s, 1, ev[i].type.p, ev[i].type.len);
			fr_pg_col_bytes(s, 2, ev[i].json.p, ev[i].json.len);
		}
		if (!fr_pg_cols(s, 3, &a))
			return fr_fail(
			    err, FR_NOMEM, "keep events: out of memory");
		rc = fr_pg_ask(s, FR_PG_OUTBOX_PUT, &a, &r, err);
		for (i = 0; rc == FR_OK && i < part; i++)
			ev[i].number = fr_pg_int(r, (int)i, 0);
	}
	return rc;
}

enum fr_rc
fr_pg_outbox_take(struct fr_store *store, int64_t now_ms, int64_t until_ms,
    size_t limit, fr_outbox_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a = { .n = 0 };
	struct fr_outbox_event ev;
	const PGresult *r;
	enum fr_rc rc;
	int i;

	fr_assert(s->in_tx);
	fr_pg_arg_i64(&a, now_ms);
	fr_pg_arg_i64(&a, until_ms);
	fr_pg_arg_i64(&a, (int64_t)limit);
	rc = fr_pg_ask(s, FR_PG_OUTBOX_TAKE, &a, &r, err);
	for (i = 0; rc == FR_OK && i < PQntuples(r); i++) {
		ev.number = fr_pg_int(r, i, 0);
		ev.kind = (enum fr_event_kind)fr_pg_int(r, i, 1);
		ev.type = fr_pg_span(r, i, 2);
		ev.json = fr_pg_span(r, i, 3);
		ev.tries = (uint32_t)fr_pg_int(r, i, 4);
		rc = emit(arg, &ev);
	}
	return rc;
}

enum fr_rc
fr_pg_outbox_done(struct fr_store *store, const int64_t *numbers, size_t n,
    struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a;
	size_t i;

	fr_assert(s->in_tx);
	if (n == 0)
		return FR_OK;
	fr_pg_col_open(s, 0, FR_PG_INT8);
	for (i = 0; i < n; i++)
		fr_pg_col_i64(s, 0, numbers[i]);
	if (!fr_pg_cols(s, 1, &a))
		return fr_fail(err, FR_NOMEM, "forget events: out of memory");
	return fr_pg_ask(s, FR_PG_OUTBOX_DONE, &a, NULL, err);
}

enum fr_rc
fr_pg_outbox_retry(
    struct fr_store *store, int64_t number, int64_t at_ms, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a = { .n = 0 };

	fr_assert(s->in_tx);
	fr_pg_arg_i64(&a, number);
	fr_pg_arg_i64(&a, at_ms);
	return fr_pg_ask(s, FR_PG_OUTBOX_RETRY, &a, NULL, err);
}

enum fr_rc
fr_pg_seen(struct fr_store *store, const struct fr_seen *w, size_t n,
    struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	enum fr_rc rc = FR_OK;
	struct fr_pg_args a;
	size_t i, k;

	fr_assert(s->in_tx);
	if (n == 0)
		return FR_OK;
	fr_pg_col_open(s, 0, FR_PG_BYTEA);
	fr_pg_col_open(s, 1, FR_PG_BYTEA);
	fr_pg_col_open(s, 2, FR_PG_INT8);
	for (i = 0; i < n; i++) {
		for (k = i + 1; k < n && !fr_span_eq(w[i].id, w[k].id);)
			k++;
		if (k < n)
			continue; /* it comes again, newer */
		fr_pg_col_bytes(s, 0, w[i].id.p, w[i].id.len);
		fr_pg_col_bytes(s, 1, w[i].json.p, w[i].json.len);
		fr_pg_col_i64(s, 2, w[i].seen_ms);
	}
	if (!fr_pg_cols(s, 3, &a))
		return fr_fail(err, FR_NOMEM, "keep workers: out of memory");
	rc = fr_pg_ask(s, FR_PG_SEEN, &a, NULL, err);
	return rc;
}

enum fr_rc
fr_pg_workers(struct fr_store *store, int64_t before_ms, fr_seen_emit_fn *emit,
    void *arg, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a = { .n = 0 };
	struct fr_seen w;
	const PGresult *r;
	enum fr_rc rc = FR_OK;
	int i;

	fr_pg_arg_i64(&a, before_ms);
	if (!s->readonly)
		rc = fr_pg_ask(s, FR_PG_FORGET, &a, NULL, err);
	if (rc == FR_OK)
		rc = fr_pg_ask(s, FR_PG_WORKERS, &a, &r, err);
	for (i = 0; rc == FR_OK && i < PQntuples(r); i++) {
		w.id = fr_pg_span(r, i, 0);
		w.json = fr_pg_span(r, i, 1);
		w.seen_ms = fr_pg_int(r, i, 2);
		rc = emit(arg, &w);
	}
	return rc;
}
