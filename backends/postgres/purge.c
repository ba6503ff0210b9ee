/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include "base/assert.h"

/*
 * Purges. An index on finished_ms would cost every end of a job an entry in
 * each of the table's indexes; so ended jobs are found by the table ends,
 * which has a row for those that one call ended. The jobs' own rows say what
 * is true; a row of ends only says where to look, and from when on: whoever
 * ends jobs writes it in the same transaction, and it is removed by who sees
 * that none of its jobs is in that state any more. (One that is there again,
 * after a retry, is among the ids of a later row.) Rows, and jobs, that
 * somebody else is at are left alone.
 */

#define GROUP 100 /* ids in a row of ends, so that it stays in its page */
#define ROWS 1000 /* that are looked at in one round */
#define ROUNDS 64

/* The columns beside the ids. */
enum { ID, FINISHED = 7, FIRST, LAST };

static void
open_cols(struct fr_pg *s)
{
	fr_pg_col_open(s, FINISHED, FR_PG_INT8);
	fr_pg_col_open(s, FIRST, FR_PG_INT4);
	fr_pg_col_open(s, LAST, FR_PG_INT4);
}

static enum fr_rc
send_ends(struct fr_pg *s, enum fr_state state, struct fr_err *err)
{
	struct fr_pg_args a = { .n = 0 };
	bool ok = fr_pg_arg_col(s, ID, &a);

	fr_pg_arg_i64(&a, (int64_t)state);
	ok = ok && fr_pg_arg_col(s, FINISHED, &a);
	ok = ok && fr_pg_arg_col(s, FIRST, &a);
	ok = ok && fr_pg_arg_col(s, LAST, &a);
	if (!ok)
		return fr_fail(err, FR_NOMEM, "end jobs: out of memory");
	(void)fr_pg_send(s, FR_PG_ENDS, &a);
	return FR_OK;
}

enum fr_rc
fr_pg_ends(struct fr_pg *s, enum fr_state state, const struct fr_report *r,
    size_t from, size_t to, struct fr_err *err)
{
	size_t i, first = from;
	int64_t now_ms;

	open_cols(s);
	for (i = from; i < to; i++) {
		now_ms = r[s->order[i]].now_ms;
		if (i + 1 < to && i + 1 - first < GROUP &&
		    r[s->order[i + 1]].now_ms == now_ms)
			continue;
		fr_pg_col_i64(s, FINISHED, now_ms);
		fr_pg_col_i32(s, FIRST, (int32_t)(first - from) + 1);
		fr_pg_col_i32(s, LAST, (int32_t)(i - from) + 1);
		first = i + 1;
	}
	return send_ends(s, state, err);
}

enum fr_rc
fr_pg_end(struct fr_pg *s, enum fr_state state, const struct fr_uuid *id,
    int64_t now_ms, struct fr_err *err)
{
	fr_pg_col_open(s, ID, FR_PG_UUID);
	fr_pg_col_bytes(s, ID, id->b, sizeof(id->b));
	open_cols(s);
	fr_pg_col_i64(s, FINISHED, now_ms);
	fr_pg_col_i32(s, FIRST, 1);
	fr_pg_col_i32(s, LAST, 1);
	return send_ends(s, state, err);
}

/* Into column 0: the rows that hold the next jobs, up to *left of them. */
static enum fr_rc
look(struct fr_pg *s, int state, int64_t before_ms, size_t left,
    struct fr_err *err)
{
	struct fr_pg_args a = { .n = 0 };
	const PGresult *r;
	size_t sum = 0;
	enum fr_rc rc;
	int i;

	fr_pg_arg_i64(&a, state);
	fr_pg_arg_i64(&a, before_ms);
	fr_pg_arg_i64(&a, left < ROWS ? (int64_t)left : ROWS);
	rc = fr_pg_ask(s, FR_PG_PURGEABLE, &a, &r, err);
	fr_pg_col_open(s, 0, FR_PG_INT8);
	for (i = 0; rc == FR_OK && i < PQntuples(r) && sum < left; i++) {
		fr_pg_col_i64(s, 0, fr_pg_int(r, i, 0));
		sum += (size_t)fr_pg_int(r, i, 1);
	}
	return rc;
}

static enum fr_rc
purge_rows(struct fr_pg *s, int state, int64_t before_ms, size_t *left,
    struct fr_err *err)
{
	struct fr_pg_args a = { .n = 0 };
	const PGresult *r;
	enum fr_rc rc;
	size_t slot;
	int i;

	if (!fr_pg_arg_col(s, 0, &a))
		return fr_fail(err, FR_NOMEM, "purge jobs: out of memory");
	fr_pg_arg_i64(&a, before_ms);
	fr_pg_arg_i64(&a, (int64_t)*left);
	slot = fr_pg_send(s, FR_PG_PURGE, &a);
	a.n = 1;
	(void)fr_pg_send(s, FR_PG_PURGED, &a);
	rc = fr_pg_run(s, err);
	if (rc != FR_OK)
		return rc;
	r = fr_pg_result(s, slot);
	for (i = 0; rc == FR_OK && i < PQntuples(r); i++) {
		*left -= (size_t)fr_pg_int(r, i, 1);
		rc = fr_pg_count(s, fr_pg_span(r, i, 0), state, FR_PG_NOWHERE,
		    fr_pg_int(r, i, 1), err);
	}
	return rc;
}

enum fr_rc
fr_pg_purge(struct fr_store *store, unsigned states, int64_t before_ms,
    size_t *n, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	size_t left = *n < INT32_MAX ? *n : INT32_MAX;
	enum fr_rc rc = FR_OK;
	int state, round;

	fr_assert(s->in_tx);
	*n = left;
	for (state = FR_STATE_COMPLETE; state < FR_STATES; state++) {
		if ((states & FR_STATE_BIT(state)) == 0)
			continue;
		for (round = 0; left > 0 && round < ROUNDS; round++) {
			rc = look(s, state, before_ms, left, err);
			if (rc == FR_OK && s->col[0].n > 0)
				rc =
				    purge_rows(s, state, before_ms, &left, err);
			if (rc != FR_OK)
				return rc;
			if (s->col[0].n == 0)
				break;
		}
	}
	*n -= left;
	return FR_OK;
}
