/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include "base/assert.h"

/*
 * What workers say of their attempts. A report counts if its row is running
 * with exactly its token: the UPDATE's own condition. Those that touched no
 * row are either a repeat of the last report that counted, or stale.
 */

#define PARTS 48
#define PART 512 /* complete jobs of one statement */

static bool
renew_cols(struct fr_pg *s, const struct fr_renewal *r, size_t from, size_t to,
    struct fr_pg_args *a)
{
	const struct fr_renewal *x;

	fr_pg_col_open(s, 0, FR_PG_UUID);
	fr_pg_col_open(s, 1, FR_PG_UUID);
	fr_pg_col_open(s, 2, FR_PG_INT8);
	for (; from < to; from++) {
		x = &r[s->order[from]];
		fr_pg_col_bytes(s, 0, x->id.b, sizeof(x->id.b));
		fr_pg_col_bytes(s, 1, x->token.b, sizeof(x->token.b));
		fr_pg_col_i64(s, 2, x->until_ms);
	}
	return fr_pg_cols(s, 3, a);
}

enum fr_rc
fr_pg_renew(
    struct fr_store *store, struct fr_renewal *r, size_t n, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	const PGresult *res;
	struct fr_pg_args a;
	size_t from, to, i;
	enum fr_rc rc;
	int row;

	fr_assert(s->in_tx);
	if (n == 0)
		return FR_OK;
	rc = fr_pg_waves(s, r, n, sizeof(*r), true, err);
	for (i = 0; i < n; i++)
		r[i].rc = FR_STALE;
	for (from = 0; rc == FR_OK && from < n; from = to) {
		to = fr_pg_part(s, n, from);
		if (!renew_cols(s, r, from, to, &a))
			return fr_fail(
			    err, FR_NOMEM, "renew leases: out of memory");
		rc = fr_pg_ask(s, FR_PG_RENEW, &a, &res, err);
		for (row = 0; rc == FR_OK && row < PQntuples(res); row++) {
			i = from + (size_t)fr_pg_int(res, row, 0) - 1;
			if (i < to)
				r[s->order[i]].rc = FR_OK;
		}
	}
	return rc;
}

enum fr_rc
fr_pg_renew_all(struct fr_store *store, int64_t until_ms, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_args a = { .n = 0 };

	fr_assert(s->in_tx);
	fr_pg_arg_i64(&a, until_ms);
	return fr_pg_ask(s, FR_PG_RENEW_ALL, &a, NULL, err);
}

static bool
report_cols(struct fr_pg *s, const struct fr_report *r, size_t from, size_t to,
    struct fr_pg_args *a)
{
	const struct fr_report *x;

	fr_pg_col_open(s, 0, FR_PG_UUID);
	fr_pg_col_open(s, 1, FR_PG_UUID);
	fr_pg_col_open(s, 2, FR_PG_BYTEA);
	fr_pg_col_open(s, 3, FR_PG_BYTEA);
	fr_pg_col_open(s, 4, FR_PG_INT8);
	fr_pg_col_open(s, 5, FR_PG_INT8);
	fr_pg_col_open(s, 6, FR_PG_INT8);
	for (; from < to; from++) {
		x = &r[s->order[from]];
		fr_pg_col_bytes(s, 0, x->id.b, sizeof(x->id.b));
		fr_pg_col_bytes(s, 1, x->token.b, sizeof(x->token.b));
		fr_pg_col_span(s, 2, x->value);
		fr_pg_col_span(s, 3, x->log);
		fr_pg_col_i64(s, 4, x->now_ms);
		fr_pg_col_i64(s, 5, x->run_at_ms);
		fr_pg_col_i64(s, 6, x->unsaid);
	}
	return fr_pg_cols(s, 7, a);
}

/* A part whose reports are all of one time, as they always are. */
static size_t
complete_part(struct fr_pg *s, const struct fr_report *r, size_t n, size_t from)
{
	const size_t most = fr_pg_part(s, n, from);
	size_t to = from;

	while (to < most && to - from < PART &&
	       r[s->order[to]].now_ms == r[s->order[from]].now_ms)
		to++;
	return to;
}

static bool
complete_cols(struct fr_pg *s, const struct fr_report *r, size_t from,
    size_t to, struct fr_pg_args *a)
{
	const struct fr_report *x = &r[s->order[from]];
	const int64_t now_ms = x->now_ms;
	int32_t ord = 0;

	fr_pg_col_open(s, 0, FR_PG_UUID);
	fr_pg_col_open(s, 1, FR_PG_UUID);
	fr_pg_col_open(s, 2, FR_PG_BYTEA);
	fr_pg_col_open(s, 3, FR_PG_BYTEA);
	fr_pg_col_open(s, 4, FR_PG_INT4);
	for (; from < to; from++) {
		x = &r[s->order[from]];
		fr_pg_col_bytes(s, 0, x->id.b, sizeof(x->id.b));
		fr_pg_col_bytes(s, 1, x->token.b, sizeof(x->token.b));
		fr_pg_col_span(s, 2, x->value);
		fr_pg_col_span(s, 3, x->log);
		fr_pg_col_i32(s, 4, ++ord);
	}
	if (!fr_pg_cols(s, 5, a))
		return false;
	fr_pg_arg_i64(a, now_ms);
	return true;
}

struct kind {
	enum fr_pg_stmt stmt;
	enum fr_event_kind event;
	bool ends;  /* the lease */
	bool quiet; /* no event; the job is to be had again */
};

/* The rows of one part. */
static enum fr_rc
reported(struct fr_pg *s, const struct kind *k, const PGresult *res,
    struct fr_report *r, size_t from, size_t to, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;
	struct fr_span type;
	struct fr_report *x;
	size_t i;
	int row;

	for (row = 0; row < PQntuples(res) && rc == FR_OK; row++) {
		i = from + (size_t)fr_pg_int(res, row, 0) - 1;
		if (i >= to)
			continue;
		x = &r[s->order[i]];
		type = fr_pg_span(res, row, 1);
		x->rc = FR_OK;
		fr_pg_tell(s, k->event, type, k->quiet ? NULL : &x->id);
		if (!k->ends)
			continue;
		fr_pg_batch_ended(s, fr_pg_int(res, row, 2));
		rc = fr_pg_count(s, type, FR_STATE_RUNNING,
		    k->stmt == FR_PG_COMPLETE ? FR_STATE_COMPLETE
					      : (int)fr_pg_int(res, row, 3),
		    1, err);
	}
	return rc;
}

/* Of some that did not count: which are repeats? */
static enum fr_rc
repeats(struct fr_pg *s, struct fr_report *r, size_t from, size_t to,
    struct fr_err *err)
{
	const PGresult *res;
	const struct fr_report *x;
	struct fr_pg_args a;
	enum fr_rc rc;
	size_t i, left = 0;
	int row;

	fr_pg_col_open(s, 0, FR_PG_UUID);
	fr_pg_col_open(s, 1, FR_PG_UUID);
	for (i = from; i < to; i++) {
		x = &r[s->order[i]];
		if (x->rc == FR_OK)
			continue;
		s->group[left++] = s->order[i];
		fr_pg_col_bytes(s, 0, x->id.b, sizeof(x->id.b));
		fr_pg_col_bytes(s, 1, x->token.b, sizeof(x->token.b));
	}
	if (left == 0)
		return FR_OK;
	if (!fr_pg_cols(s, 2, &a))
		return fr_fail(
		    err, FR_NOMEM, "look for reports: out of memory");
	rc = fr_pg_ask(s, FR_PG_REPORTED, &a, &res, err);
	for (row = 0; rc == FR_OK && row < PQntuples(res); row++) {
		i = (size_t)fr_pg_int(res, row, 0) - 1;
		if (i < left)
			r[s->group[i]].rc = FR_EXISTS;
	}
	return rc;
}

/* Sends what one statement takes of it; *slot is where its rows will be. */
static enum fr_rc
send_part(struct fr_pg *s, const struct kind *k, const struct fr_report *r,
    size_t from, size_t to, size_t *slot, struct fr_err *err)
{
	struct fr_pg_args a;

	if (!(k->stmt == FR_PG_COMPLETE ? complete_cols(s, r, from, to, &a)
					: report_cols(s, r, from, to, &a)))
		return fr_fail(err, FR_NOMEM, "report: out of memory");
	*slot = fr_pg_send(s, k->stmt, &a);
	if (k->stmt == FR_PG_COMPLETE)
		return fr_pg_ends(s, FR_STATE_COMPLETE, r, from, to, err);
	if (k->stmt == FR_PG_FAIL)
		return fr_pg_ends(s, FR_STATE_FAILED, r, from, to, err);
	return FR_OK;
}

/* One round trip, from item *done on; what comes back is noted while the
 * server is at the rest. */
static enum fr_rc
report_some(struct fr_pg *s, const struct kind *k, struct fr_report *r,
    size_t n, size_t *done, struct fr_err *err)
{
	size_t to[PARTS], slot[PARTS], parts = 0, i, from = *done;
	enum fr_rc rc = FR_OK, end;

	for (; rc == FR_OK && parts < PARTS && *done < n; parts++) {
		to[parts] = k->stmt == FR_PG_COMPLETE
				? complete_part(s, r, n, *done)
				: fr_pg_part(s, n, *done);
		rc = send_part(s, k, r, *done, to[parts], &slot[parts], err);
		*done = to[parts];
	}
	if (rc != FR_OK)
		return rc;
	fr_pg_go(s);
	for (i = 0; i < parts && rc == FR_OK; from = to[i++]) {
		rc = fr_pg_take(s, slot[i] + 1, err);
		if (rc == FR_OK)
			rc = reported(s, k, fr_pg_result(s, slot[i]), r, from,
			    to[i], err);
	}
	end = fr_pg_end_run(s, rc == FR_OK ? err : NULL);
	return rc == FR_OK ? end : rc;
}

static enum fr_rc
report(struct fr_store *store, const struct kind *k, struct fr_report *r,
    size_t n, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	size_t from, to, i, done = 0;
	enum fr_rc rc;

	fr_assert(s->in_tx);
	if (n == 0)
		return FR_OK;
	rc = fr_pg_waves(s, r, n, sizeof(*r), true, err);
	for (i = 0; i < n; i++)
		r[i].rc = FR_STALE;
	/* Of the next wave a report may count, and then nobody remembers the
	 * one before. */
	for (from = 0; rc == FR_OK && from < n; from = to) {
		to = fr_pg_wave(s, n, from);
		while (rc == FR_OK && done < to)
			rc = report_some(s, k, r, to, &done, err);
		if (rc == FR_OK && k->ends)
			rc = repeats(s, r, from, to, err);
	}
	return rc;
}

enum fr_rc
fr_pg_progress(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	static const struct kind k = { FR_PG_PROGRESS, FR_EVENT_PROGRESS, false,
		false };

	return report(s, &k, r, n, err);
}

enum fr_rc
fr_pg_complete(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	static const struct kind k = { FR_PG_COMPLETE, FR_EVENT_COMPLETE, true,
		false };

	return report(s, &k, r, n, err);
}

enum fr_rc
fr_pg_count_failed(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	static const struct kind k = { FR_PG_COUNT_FAILED,
		FR_EVENT_COUNT_FAILED, true, false };

	return report(s, &k, r, n, err);
}

enum fr_rc
fr_pg_fail(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	static const struct kind k = { FR_PG_FAIL, FR_EVENT_FAILED, true,
		false };

	return report(s, &k, r, n, err);
}

enum fr_rc
fr_pg_release(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	static const struct kind k = { FR_PG_RELEASE, FR_EVENT_CREATED, true,
		true };

	return report(s, &k, r, n, err);
}
