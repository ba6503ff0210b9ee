/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <string.h>

#include "base/assert.h"
#include "base/str.h"
#include "base/time.h"

/* Calls that change nothing; in a transaction or on their own. */

#define CLOCK_GOOD_MS 2000

enum fr_rc
fr_pg_expired(struct fr_store *store, int64_t now_ms, size_t limit,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a = { .n = 0 };
	const PGresult *r;
	enum fr_rc rc;

	fr_pg_arg_i64(&a, now_ms);
	fr_pg_arg_i64(&a, (int64_t)limit);
	/* In a transaction the rows are locked, and those that another
	 * manager is at are left to it. */
	rc = fr_pg_ask(
	    s, s->in_tx ? FR_PG_EXPIRED : FR_PG_EXPIRED_READ, &a, &r, err);
	return rc == FR_OK ? fr_pg_emit(r, emit, arg) : rc;
}

enum fr_rc
fr_pg_next_due(struct fr_store *store, int64_t *run_at_ms,
    int64_t *lease_until_ms, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a = { .n = 0 };
	const PGresult *r;
	enum fr_rc rc;

	/* What is not after the end of a lease becomes the end, and what says
	 * nothing goes; so that nobody is called before the time again. */
	if (s->in_tx && s->clock_known) {
		fr_pg_arg_i64(&a, fr_time_mono_ms() + s->clock_off_ms);
		(void)fr_pg_send(s, FR_PG_LEASES_TIDY, &a);
	}
	rc = fr_pg_ask(s, FR_PG_NEXT_DUE, NULL, &r, err);
	if (rc != FR_OK)
		return rc;
	*run_at_ms = PQgetisnull(r, 0, 0) ? INT64_MAX : fr_pg_int(r, 0, 0);
	*lease_until_ms = PQgetisnull(r, 0, 1) ? INT64_MAX : fr_pg_int(r, 0, 1);
	return FR_OK;
}

enum fr_rc
fr_pg_get(struct fr_store *store, const struct fr_uuid *ids, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	enum fr_rc rc = FR_OK;
	struct fr_pg_args a;
	const PGresult *r;
	size_t i, part;

	for (; n > 0 && rc == FR_OK; ids += part, n -= part) {
		part = n < FR_PG_CHUNK ? n : FR_PG_CHUNK;
		fr_pg_col_open(s, 0, FR_PG_UUID);
		for (i = 0; i < part; i++)
			fr_pg_col_bytes(s, 0, ids[i].b, sizeof(ids[i].b));
		if (!fr_pg_cols(s, 1, &a))
			return fr_fail(
			    err, FR_NOMEM, "get jobs: out of memory");
		rc = fr_pg_ask(s, FR_PG_GET, &a, &r, err);
		if (rc == FR_OK)
			rc = fr_pg_emit(r, emit, arg);
	}
	return rc;
}

/* The least and the greatest id that begins with hex. */
static bool
id_range(const char *hex, struct fr_uuid *least, struct fr_uuid *most)
{
	const size_t len = strlen(hex);
	char digits[2 * sizeof(least->b)];

	if (len > sizeof(digits))
		return false;
	memset(digits, '0', sizeof(digits));
	memcpy(digits, hex, len);
	if (!fr_hex_decode(least->b, sizeof(least->b),
		(struct fr_span){ digits, sizeof(digits) }))
		return false;
	memset(digits, 'f', sizeof(digits));
	memcpy(digits, hex, len);
	return fr_hex_decode(most->b, sizeof(most->b),
	    (struct fr_span){ digits, sizeof(digits) });
}

enum fr_rc
fr_pg_find(struct fr_store *store, const char *hex, size_t limit,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a = { .n = 0 };
	struct fr_uuid least, most;
	const PGresult *r;
	enum fr_rc rc;

	if (!id_range(hex, &least, &most))
		return FR_OK;
	fr_pg_arg_bytes(&a, least.b, sizeof(least.b));
	fr_pg_arg_bytes(&a, most.b, sizeof(most.b));
	fr_pg_arg_i64(&a, (int64_t)limit);
	rc = fr_pg_ask(s, FR_PG_FIND, &a, &r, err);
	return rc == FR_OK ? fr_pg_emit(r, emit, arg) : rc;
}

enum fr_rc
fr_pg_list(struct fr_store *store, const struct fr_list *l,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a;
	const PGresult *r;
	enum fr_rc rc;
	int i;

	if ((l->states & FR_STATE_ALL) == 0 || l->limit == 0)
		return FR_OK;
	if (s->in_tx && l->type.len > 0) { /* its own changes count too */
		rc = fr_pg_count_send(s, err);
		if (rc != FR_OK)
			return rc;
	}
	fr_pg_col_open(s, 0, FR_PG_INT2);
	for (i = 0; i < FR_STATES; i++)
		if ((l->states & FR_STATE_BIT(i)) != 0 && i != FR_STATE_RUNNING)
			fr_pg_col_i16(s, 0, (int16_t)i);
	if (!fr_pg_cols(s, 1, &a))
		return fr_fail(err, FR_NOMEM, "list jobs: out of memory");
	/* NULL stands for any type, and for the newest. */
	fr_pg_arg_bytes(&a, l->type.len > 0 ? l->type.p : NULL, l->type.len);
	fr_pg_arg_bytes(&a, l->after, l->after != NULL ? 16 : 0);
	fr_pg_arg_i64(&a, l->limit > INT32_MAX ? INT32_MAX : (int64_t)l->limit);
	fr_pg_arg_i64(&a, (l->states & FR_STATE_BIT(FR_STATE_RUNNING)) != 0);
	rc = fr_pg_ask(s, FR_PG_LIST, &a, &r, err);
	return rc == FR_OK ? fr_pg_emit(r, emit, arg) : rc;
}

enum fr_rc
fr_pg_get_queue(struct fr_store *store, const char *type, bool with_data,
    int64_t *cursor, size_t *n, fr_ticket_emit_fn *emit, void *arg,
    struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a = { .n = 0 };
	struct fr_ticket t = { .priority = 0 };
	enum fr_pg_stmt stmt;
	const PGresult *r;
	enum fr_rc rc;
	int i;

	if (type != NULL) {
		stmt = with_data ? FR_PG_TYPED_DATA : FR_PG_TYPED;
		fr_pg_arg_text(&a, type);
	} else {
		stmt = with_data ? FR_PG_WALK_DATA : FR_PG_WALK;
		fr_pg_arg_i64(&a, *cursor);
	}
	fr_pg_arg_i64(&a, *n > INT32_MAX ? INT32_MAX : (int64_t)*n);
	rc = fr_pg_ask(s, stmt, &a, &r, err);
	if (rc != FR_OK)
		return rc;
	for (i = 0; rc == FR_OK && i < PQntuples(r); i++) {
		fr_pg_bin16(r, i, 0, t.id.b);
		t.type = PQgetvalue(r, i, 1);
		t.priority = (int32_t)fr_pg_int(r, i, 2);
		if (type == NULL)
			*cursor = fr_pg_int(r, i, 3);
		if (with_data)
			t.data = fr_pg_span(r, i, 4);
		rc = emit(arg, &t);
	}
	*n = (size_t)i;
	return rc;
}

enum fr_rc
fr_pg_running(struct fr_store *store, struct fr_span worker,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a = { .n = 0 };
	const PGresult *r;
	enum fr_rc rc;

	fr_pg_arg_bytes(&a, worker.len > 0 ? worker.p : NULL, worker.len);
	rc = fr_pg_ask(s, FR_PG_RUNNING, &a, &r, err);
	return rc == FR_OK ? fr_pg_emit(r, emit, arg) : rc;
}

enum fr_rc
fr_pg_stats(struct fr_store *store, fr_stats_emit_fn *emit, void *arg,
    struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_type_stats st;
	const PGresult *r;
	enum fr_rc rc = FR_OK;
	bool any;
	int i, k;

	if (s->in_tx) /* what it has changed itself counts too */
		rc = fr_pg_count_send(s, err);
	if (rc == FR_OK)
		rc = fr_pg_ask(s, FR_PG_STATS, NULL, &r, err);
	for (i = 0; rc == FR_OK && i < PQntuples(r); i++) {
		st.type = PQgetvalue(r, i, 0);
		any = st.paused = fr_pg_int(r, i, 1 + FR_STATES) != 0;
		for (k = 0; k < FR_STATES; k++) {
			st.n[k] = fr_pg_int(r, i, 1 + k);
			any = any || st.n[k] != 0;
		}
		if (any)
			rc = emit(arg, &st);
	}
	return rc;
}

/*
 * Every transaction brings the server's clock along; in between, and while
 * the server is away, our own steady clock carries it on.
 */
enum fr_rc
fr_pg_now(struct fr_store *store, int64_t *now_ms, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	const PGresult *r;
	enum fr_rc rc;

	if (!s->clock_known ||
	    fr_time_mono_ms() - s->clock_at_ms > CLOCK_GOOD_MS) {
		rc = fr_pg_ask(s, FR_PG_NOW, NULL, &r, err);
		if (rc == FR_OK)
			fr_pg_clock(s, fr_pg_int(r, 0, 0));
		else if (!s->clock_known)
			return rc;
	}
	*now_ms = fr_time_mono_ms() + s->clock_off_ms;
	return FR_OK;
}
