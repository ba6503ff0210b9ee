/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <string.h>

#include "base/assert.h"
#include "base/str.h"

/*
 * Leases. A batch is sent in parts, each the UPDATE of the jobs and the rows
 * of leases that say where they are; see leases.c. Grants of one worker and
 * time that follow each other are a group, which has one such row; its ids are
 * all those that were asked for, of which some may not be leased.
 */

#define PARTS 48
#define PART 512  /* jobs of one statement: the server begins the sooner */
#define GROUP 100 /* ids in a row of leases, so that it stays in its page */

struct leasing {
	const struct fr_grant *g;
	int64_t base; /* number of the first batch of leases */
	fr_job_emit_fn *emit;
	void *arg;
};

/* The columns: what each job has, and what each group has. */
enum { ID, TOKEN, K, ORD, WORKER, UNTIL, NOW, NUMBER, FIRST, LAST };

static bool
same_group(const struct fr_grant *a, const struct fr_grant *b)
{
	return a->until_ms == b->until_ms && a->now_ms == b->now_ms &&
	       fr_span_eq(a->worker, b->worker);
}

static void
open_group(struct fr_pg *s, const struct fr_grant *g, size_t first)
{
	fr_pg_col_span(s, WORKER, g->worker);
	fr_pg_col_i64(s, UNTIL, g->until_ms);
	fr_pg_col_i64(s, NOW, g->now_ms);
	fr_pg_col_i64(s, NUMBER, s->number_of_leases);
	fr_pg_col_i32(s, FIRST, (int32_t)first + 1);
}

/*
 * Fills in the columns. group[] of an item is the number of its group, less
 * that of the batch's first one, base.
 */
static void
fill(struct fr_pg *s, const struct fr_grant *g, size_t from, size_t to,
    int64_t base)
{
	const struct fr_grant *x, *before = NULL;
	size_t i, size = 0;

	for (i = from; i < to; i++, size++) {
		x = &g[s->order[i]];
		if (before == NULL || size == GROUP || !same_group(before, x)) {
			if (before != NULL) {
				fr_pg_col_i32(s, LAST, (int32_t)(i - from));
				s->number_of_leases++;
			}
			open_group(s, x, i - from);
			size = 0;
		}
		fr_pg_col_bytes(s, ID, x->id.b, sizeof(x->id.b));
		fr_pg_col_bytes(s, TOKEN, x->token.b, sizeof(x->token.b));
		fr_pg_col_i32(s, K, (int32_t)s->col[NUMBER].n);
		fr_pg_col_i32(s, ORD, (int32_t)(i - from) + 1);
		s->group[s->order[i]] = (uint32_t)(s->number_of_leases - base);
		before = x;
	}
	fr_pg_col_i32(s, LAST, (int32_t)(to - from));
	s->number_of_leases++;
}

/* Sends a part; *slot is where the jobs will be. */
static enum fr_rc
send_part(struct fr_pg *s, const struct leasing *l, size_t from, size_t to,
    size_t *slot, struct fr_err *err)
{
	static const uint32_t oid[] = { FR_PG_UUID, FR_PG_UUID, FR_PG_INT4,
		FR_PG_INT4, FR_PG_BYTEA, FR_PG_INT8, FR_PG_INT8, FR_PG_INT8,
		FR_PG_INT4, FR_PG_INT4 };
	static const int leases[] = { ID, WORKER, UNTIL, NUMBER, FIRST, LAST };
	struct fr_pg_args a = { .n = 0 };
	bool ok = true;
	size_t i;

	for (i = 0; i < sizeof(oid) / sizeof(*oid); i++)
		fr_pg_col_open(s, (int)i, oid[i]);
	fill(s, l->g, from, to, l->base);
	for (i = ID; i <= NUMBER; i++)
		ok = ok && fr_pg_arg_col(s, (int)i, &a);
	if (ok)
		*slot = fr_pg_send(s, FR_PG_LEASE, &a);
	a.n = 0;
	for (i = 0; i < sizeof(leases) / sizeof(*leases); i++)
		ok = ok && fr_pg_arg_col(s, leases[i], &a);
	if (!ok)
		return fr_fail(err, FR_NOMEM, "lease jobs: out of memory");
	(void)fr_pg_send(s, FR_PG_LEASES, &a);
	return FR_OK;
}

static size_t
lease_part(const struct fr_pg *s, size_t n, size_t from)
{
	const size_t to = fr_pg_part(s, n, from);

	return to - from > PART ? from + PART : to;
}

/* Where an item's row is: wave[] is free for that once all is sent. */
#define PLACE(slot, row) ((uint32_t)(slot) << 16 | (uint32_t)((row) + 1))

static void
leased(struct fr_pg *s, size_t slot, size_t from, size_t to)
{
	const PGresult *r = fr_pg_result(s, slot);
	size_t i;
	int row;

	for (row = 0; row < PQntuples(r); row++) {
		i = from + (size_t)fr_pg_int(r, row, 0) - 1;
		if (i < to)
			s->wave[s->order[i]] = PLACE(slot, row);
	}
}

/* A job that was queued and is leased by g: the rest of it is known. */
static void
whole_job(
    const PGresult *r, int row, const struct fr_grant *g, struct fr_job *job)
{
	struct fr_span *text[] = { &job->type, &job->data, &job->key,
		&job->error, &job->log };
	int col = 1;
	size_t i;

	*job = (struct fr_job){ .id = g->id,
		.state = FR_STATE_RUNNING,
		.lease = g->token,
		.worker = g->worker,
		.started_ms = g->now_ms,
		.lease_until_ms = g->until_ms };
	for (i = 0; i < sizeof(text) / sizeof(*text); i++)
		*text[i] = fr_pg_span(r, row, col++);
	job->priority = (int32_t)fr_pg_int(r, row, col++);
	job->attempt = (uint32_t)fr_pg_int(r, row, col++);
	job->max_attempts = (uint32_t)fr_pg_int(r, row, col++);
	job->fail_count = (uint32_t)fr_pg_int(r, row, col++);
	job->timeout_ms = fr_pg_int(r, row, col++);
	job->created_ms = fr_pg_int(r, row, col++);
	job->run_at_ms = fr_pg_int(r, row, col);
}

/* Hands out what was leased of some items, in the order of the batch. */
static enum fr_rc
lease_emit(struct fr_pg *s, const struct leasing *l, size_t from, size_t to,
    struct fr_err *err)
{
	enum fr_rc rc = FR_OK;
	struct fr_job job;
	uint32_t place;
	size_t i;

	for (i = from; i < to && rc == FR_OK; i++) {
		place = s->wave[i];
		if (place == 0)
			continue;
		whole_job(fr_pg_result(s, place >> 16),
		    (int)(place & 0xffff) - 1, &l->g[i], &job);
		fr_pg_batch_leased(s, l->base + s->group[i]);
		rc = fr_pg_count(
		    s, job.type, FR_STATE_QUEUED, FR_STATE_RUNNING, 1, err);
		fr_pg_tell(s, FR_EVENT_STAGED, job.type, &job.id);
		if (rc == FR_OK)
			rc = l->emit(l->arg, &job);
	}
	return rc;
}

/* What fits into one round trip. A job that is named again cannot be leased
 * again, so only the first wave is sent. Jobs are handed out while the server
 * leases the next ones, if they are in order. */
static enum fr_rc
lease_some(struct fr_pg *s, struct leasing *l, size_t n, struct fr_err *err)
{
	size_t to[PARTS], slot[PARTS], parts = 0, i, from = 0, done = 0;
	bool in_order;
	enum fr_rc rc, end;

	l->base = s->number_of_leases;
	rc = fr_pg_waves(s, l->g, n, sizeof(*l->g), true, err);
	if (rc != FR_OK)
		return rc;
	in_order = fr_pg_in_order(s, n);
	while (rc == FR_OK && done < n && s->wave[s->order[done]] == 0) {
		to[parts] = lease_part(s, n, done);
		rc = send_part(s, l, done, to[parts], &slot[parts], err);
		done = to[parts++];
	}
	if (rc != FR_OK)
		return rc;
	memset(s->wave, 0, n * sizeof(*s->wave));
	fr_pg_go(s);
	for (i = 0; i < parts && rc == FR_OK; i++) {
		rc = fr_pg_take(s, slot[i] + 1, err);
		if (rc != FR_OK)
			break;
		leased(s, slot[i], from, to[i]);
		if (in_order)
			rc = lease_emit(s, l, from, to[i], err);
		from = to[i];
	}
	end = fr_pg_end_run(s, rc == FR_OK ? err : NULL);
	if (rc == FR_OK && end == FR_OK && !in_order)
		rc = lease_emit(s, l, 0, n, err);
	return rc == FR_OK ? end : rc;
}

enum fr_rc
fr_pg_lease(struct fr_store *store, const struct fr_grant *g, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct leasing l = { .g = g, .emit = emit, .arg = arg };
	struct fr_pg *s = fr_pg_of(store);
	enum fr_rc rc = FR_OK;
	size_t part;

	fr_assert(s->in_tx);
	for (; n > 0 && rc == FR_OK; l.g += part, n -= part) {
		part = n < (size_t)PARTS * PART ? n : (size_t)PARTS * PART;
		rc = lease_some(s, &l, part, err);
	}
	return rc;
}
