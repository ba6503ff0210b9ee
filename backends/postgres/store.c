/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <stdlib.h>
#include <string.h>

#include <fr/backend.h>

#include "backends/registry.h"
#include "base/assert.h"
#include "base/str.h"

#define MAGIC 0x66727067U
#define PARTS 48 /* statements of one round trip of a batch */

struct fr_pg *
fr_pg_of(struct fr_store *s)
{
	struct fr_pg *pg = (struct fr_pg *)s;

	fr_assert(pg != NULL && pg->magic == MAGIC);
	return pg;
}

static void
pg_close(struct fr_store *store)
{
	struct fr_pg_args a = { .n = 0 };
	struct fr_pg *s;
	int i;

	if (store == NULL)
		return;
	s = fr_pg_of(store);
	fr_pg_watch_free(s);
	if (s->db != NULL && !s->lost && !s->in_tx && !s->readonly) {
		fr_pg_arg_i64(&a, s->handle);
		(void)fr_pg_ask(s, FR_PG_LEAVE, &a, NULL, NULL);
	}
	fr_pg_disconnect(s);
	fr_pg_conf_fini(s);
	fr_pg_waves_fini(s);
	fr_pg_count_fini(s);
	fr_pg_batch_fini(s);
	fr_map_free(s->batches);
	for (i = 0; i < FR_PG_COLS; i++)
		fr_buf_fini(&s->col[i].b);
	s->magic = 0;
	free(s);
}

static void
init(struct fr_pg *s, unsigned flags)
{
	int i;

	s->ops = fr_store_postgres;
	s->store.ops = &s->ops;
	s->magic = MAGIC;
	s->readonly = (flags & FR_STORE_READONLY) != 0;
	fr_rand_init(&s->rand);
	s->handle = (int64_t)(fr_rand_u64(&s->rand) >> 1);
	s->shard = (int32_t)fr_rand_below(&s->rand, FR_PG_SHARDS);
	s->types = fr_map_new();
	s->batches = fr_map_new();
	s->number_of_leases = (int64_t)(fr_rand_u64(&s->rand) >> 2);
	fr_buf_init(&s->news, 0);
	for (i = 0; i < FR_PG_COLS; i++)
		fr_buf_init(&s->col[i].b, 0);
	if (!fr_str_format(s->name, sizeof(s->name), "forerunner-%016llx",
		(unsigned long long)s->handle))
		s->name[0] = '\0';
}

static enum fr_rc
pg_open(
    struct fr_store **out, const char *args, unsigned flags, struct fr_err *err)
{
	struct fr_pg *s = calloc(1, sizeof(*s));
	struct fr_pg_args a = { .n = 0 };
	enum fr_rc rc;

	if (s == NULL)
		return fr_fail(err, FR_NOMEM, "postgres: out of memory");
	init(s, flags);
	if (s->types == NULL || s->batches == NULL)
		rc = fr_fail(err, FR_NOMEM, "postgres: out of memory");
	else
		rc = fr_pg_conf(s, args, err);
	if (rc == FR_OK && !fr_str_format(s->channel, sizeof(s->channel),
			       "forerunner_%s", s->schema))
		rc = fr_fail(err, FR_USAGE, "postgres: schema: too long");
	if (rc == FR_OK)
		rc = fr_pg_connect(s, true, err);
	if (rc == FR_OK && !s->readonly) {
		fr_pg_arg_i64(&a, s->handle);
		rc = fr_pg_ask(s, FR_PG_TIDY, &a, NULL, err);
	}
	if (rc != FR_OK) {
		pg_close(&s->store);
		return rc;
	}
	if (s->undurable)
		s->ops.caps &= ~FR_STORE_DURABLE;
	*out = &s->store;
	return FR_OK;
}

static const char *
pg_describe(struct fr_store *store)
{
	return fr_pg_of(store)->about;
}

static enum fr_rc
pg_begin(struct fr_store *store, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	enum fr_rc rc;

	fr_assert(!s->in_tx);
	if (s->readonly)
		return fr_fail(
		    err, FR_DENIED, "change postgres store: opened read-only");
	rc = fr_pg_ready(s, err);
	if (rc != FR_OK)
		return rc;
	/* The server hears of it with the first statement. */
	s->in_tx = true;
	s->tx_open = false;
	return FR_OK;
}

static void
pg_rollback(struct fr_store *store)
{
	struct fr_pg *s = fr_pg_of(store);

	if (!s->in_tx)
		return;
	if (s->tx_open && !s->lost) {
		(void)fr_pg_send(s, FR_PG_ROLLBACK, NULL);
		/* A session that cannot roll back is dropped: same effect. */
		if (fr_pg_run(s, NULL) != FR_OK)
			s->lost = true;
	}
	s->in_tx = s->tx_open = false;
	fr_pg_count_forget(s);
	fr_pg_batch_settle(s, false);
}

static enum fr_rc
pg_commit(struct fr_store *store, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	enum fr_rc rc;
	size_t i;

	fr_assert(s->in_tx);
	if (!s->tx_open && fr_map_count(s->types) == 0) {
		s->in_tx = false;
		return FR_OK;
	}
	rc = s->lost ? fr_fail(err, FR_AGAIN, "%s", s->why.msg)
		     : fr_pg_count_send(s, err);
	if (rc != FR_OK) {
		pg_rollback(store);
		return rc;
	}
	fr_pg_batch_send(s);
	fr_pg_tell_send(s);
	if (s->sync_rep) /* or the limit ends the wait for the standby */
		(void)fr_pg_send(s, FR_PG_PATIENT, NULL);
	i = fr_pg_send(s, FR_PG_COMMIT, NULL);
	rc = fr_pg_run(s, err);
	if (rc == FR_OK &&
	    strcmp(PQcmdStatus((PGresult *)(uintptr_t)fr_pg_result(s, i)),
		"COMMIT") != 0)
		rc = fr_fail(err, FR_AGAIN, "postgres: commit: refused");
	if (rc != FR_OK && !s->lost) {
		pg_rollback(store);
		return rc;
	}
	s->in_tx = s->tx_open = false;
	fr_pg_count_forget(s);
	if (s->lost)
		rc = fr_pg_resolve(s, err);
	fr_pg_batch_settle(s, rc == FR_OK);
	return rc;
}

static bool
create_cols(struct fr_pg *s, const struct fr_job *jobs, size_t from, size_t to,
    struct fr_pg_args *a)
{
	static const uint32_t oid[] = { FR_PG_UUID, FR_PG_TEXT, FR_PG_BYTEA,
		FR_PG_BYTEA, FR_PG_INT2, FR_PG_INT4, FR_PG_INT8, FR_PG_INT8,
		FR_PG_INT8, FR_PG_INT8 };
	const struct fr_job *j;
	int i;

	for (i = 0; i < 10; i++)
		fr_pg_col_open(s, i, oid[i]);
	for (; from < to; from++) {
		j = &jobs[s->order[from]];
		fr_pg_col_bytes(s, 0, j->id.b, sizeof(j->id.b));
		fr_pg_col_bytes(s, 1, j->type.p, j->type.len);
		fr_pg_col_bytes(s, 2, j->data.p, j->data.len);
		fr_pg_col_span(s, 3, j->key);
		fr_pg_col_i16(s, 4, (int16_t)j->state);
		fr_pg_col_i32(s, 5, j->priority);
		fr_pg_col_i64(s, 6, j->max_attempts);
		fr_pg_col_i64(s, 7, j->timeout_ms);
		fr_pg_col_i64(s, 8, j->created_ms);
		fr_pg_col_i64(s, 9, j->run_at_ms);
	}
	return fr_pg_cols(s, 10, a);
}

/*
 * The ids that were inserted come back in the order of the part; an item
 * that is not among them stays FR_AGAIN.
 */
static enum fr_rc
created(struct fr_pg *s, const PGresult *r, const struct fr_job *jobs,
    struct fr_created *out, size_t from, size_t to, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;
	const struct fr_job *j;
	uint32_t i;
	int row = 0;

	for (; from < to && rc == FR_OK; from++) {
		i = s->order[from];
		j = &jobs[i];
		out[i].id = j->id;
		out[i].rc = FR_AGAIN;
		if (row == PQntuples(r) || memcmp(PQgetvalue(r, row, 0),
					       j->id.b, sizeof(j->id.b)) != 0)
			continue;
		row++;
		out[i].rc = FR_OK;
		rc = fr_pg_count(
		    s, j->type, FR_PG_NOWHERE, (int)j->state, 1, err);
		fr_pg_tell(s, FR_EVENT_CREATED, j->type, &j->id);
	}
	return rc;
}

/* Inserts the n items in s->order, a few statements a round trip. */
static enum fr_rc
insert_all(struct fr_pg *s, const struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_err *err)
{
	size_t from[PARTS], to[PARTS], slot[PARTS], parts, i, done = 0;
	struct fr_pg_args a;
	enum fr_rc rc = FR_OK;

	while (done < n && rc == FR_OK) {
		for (parts = 0; parts < PARTS && done < n; parts++) {
			from[parts] = done;
			to[parts] = done = fr_pg_part(s, n, done);
			if (!create_cols(s, jobs, from[parts], done, &a))
				return fr_fail(err, FR_NOMEM,
				    "create jobs: out of memory");
			slot[parts] = fr_pg_send(s, FR_PG_CREATE, &a);
		}
		rc = fr_pg_run(s, err);
		for (i = 0; i < parts && rc == FR_OK; i++)
			rc = created(s, fr_pg_result(s, slot[i]), jobs, out,
			    from[i], to[i], err);
	}
	return rc;
}

/* Keeps in s->order those that are still FR_AGAIN. */
static size_t
pending(struct fr_pg *s, const struct fr_created *out, size_t n)
{
	size_t i, left = 0;

	for (i = 0; i < n; i++)
		if (out[s->order[i]].rc == FR_AGAIN)
			s->order[left++] = s->order[i];
	return left;
}

/* Those whose id is there already. */
static enum fr_rc
settle_same(struct fr_pg *s, const struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_err *err)
{
	const struct fr_job *j;
	struct fr_pg_args a;
	const PGresult *r;
	enum fr_rc rc;
	size_t i;
	int row;

	fr_pg_col_open(s, 0, FR_PG_UUID);
	fr_pg_col_open(s, 1, FR_PG_TEXT);
	fr_pg_col_open(s, 2, FR_PG_BYTEA);
	for (i = 0; i < n; i++) {
		j = &jobs[s->order[i]];
		fr_pg_col_bytes(s, 0, j->id.b, sizeof(j->id.b));
		fr_pg_col_bytes(s, 1, j->type.p, j->type.len);
		fr_pg_col_bytes(s, 2, j->data.p, j->data.len);
	}
	if (!fr_pg_cols(s, 3, &a))
		return fr_fail(err, FR_NOMEM, "create jobs: out of memory");
	rc = fr_pg_ask(s, FR_PG_SAME, &a, &r, err);
	for (row = 0; rc == FR_OK && row < PQntuples(r); row++) {
		i = (size_t)fr_pg_int(r, row, 0) - 1;
		if (i < n)
			out[s->order[i]].rc =
			    fr_pg_int(r, row, 1) != 0 ? FR_EXISTS : FR_CONFLICT;
	}
	return rc;
}

/* Those whose key is held by another. */
static enum fr_rc
settle_keyed(struct fr_pg *s, const struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_err *err)
{
	struct fr_pg_args a;
	const PGresult *r;
	enum fr_rc rc;
	size_t i;
	int row;

	fr_pg_col_open(s, 0, FR_PG_TEXT);
	fr_pg_col_open(s, 1, FR_PG_BYTEA);
	for (i = 0; i < n; i++) {
		fr_pg_col_bytes(
		    s, 0, jobs[s->order[i]].type.p, jobs[s->order[i]].type.len);
		fr_pg_col_span(s, 1, jobs[s->order[i]].key);
	}
	if (!fr_pg_cols(s, 2, &a))
		return fr_fail(err, FR_NOMEM, "create jobs: out of memory");
	rc = fr_pg_ask(s, FR_PG_KEYED, &a, &r, err);
	for (row = 0; rc == FR_OK && row < PQntuples(r); row++) {
		i = (size_t)fr_pg_int(r, row, 0) - 1;
		if (i >= n)
			continue;
		fr_pg_bin16(r, row, 1, out[s->order[i]].id.b);
		out[s->order[i]].rc = FR_EXISTS;
	}
	return rc;
}

/*
 * Those at the front of s->order, each of another job. What the insert left
 * out has a namesake, which is looked for. If another manager has removed it
 * in between, the insert is tried again.
 */
static enum fr_rc
create_wave(struct fr_pg *s, const struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;
	int round;

	for (round = 0; rc == FR_OK && n > 0 && round < 5; round++) {
		rc = insert_all(s, jobs, n, out, err);
		n = pending(s, out, n);
		if (rc == FR_OK && n > 0)
			rc = settle_same(s, jobs, n, out, err);
		n = pending(s, out, n);
		if (rc == FR_OK && n > 0)
			rc = settle_keyed(s, jobs, n, out, err);
		n = pending(s, out, n);
	}
	if (rc == FR_OK && n > 0)
		return fr_fail(err, FR_AGAIN, "create jobs: they come and go");
	return rc;
}

/*
 * One that names a job again waits until it is known what became of the one
 * before, which may have met another job with its key, so that there is no
 * such job yet.
 */
static enum fr_rc
pg_create(struct fr_store *store, const struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_err *err)
{
	struct fr_pg *s = fr_pg_of(store);
	size_t from, to;
	enum fr_rc rc;

	fr_assert(s->in_tx);
	if (n == 0)
		return FR_OK;
	rc = fr_pg_waves(s, jobs, n, sizeof(*jobs), false, err);
	for (from = 0; rc == FR_OK && from < n; from = to) {
		to = fr_pg_wave(s, n, from);
		memmove(
		    s->order, s->order + from, (to - from) * sizeof(*s->order));
		rc = create_wave(s, jobs, to - from, out, err);
	}
	return rc;
}

/* The folder's only symbol that others use. */
const struct fr_store_ops fr_store_postgres = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_store_ops),
	.caps = FR_STORE_DURABLE | FR_STORE_SHARED,
	.scheme = "postgres",
	.open = pg_open,
	.close = pg_close,
	.describe = pg_describe,
	.begin = pg_begin,
	.commit = pg_commit,
	.rollback = pg_rollback,
	.create = pg_create,
	.lease = fr_pg_lease,
	.renew = fr_pg_renew,
	.renew_all = fr_pg_renew_all,
	.progress = fr_pg_progress,
	.complete = fr_pg_complete,
	.count_failed = fr_pg_count_failed,
	.failed = fr_pg_fail,
	.release = fr_pg_release,
	.cancel = fr_pg_cancel,
	.retry = fr_pg_retry,
	.remove = fr_pg_remove,
	.promote = fr_pg_promote,
	.expired = fr_pg_expired,
	.next_due = fr_pg_next_due,
	.get = fr_pg_get,
	.find = fr_pg_find,
	.list = fr_pg_list,
	.get_queue = fr_pg_get_queue,
	.running = fr_pg_running,
	.purge = fr_pg_purge,
	.stats = fr_pg_stats,
	.pause = fr_pg_pause,
	.outbox_put = fr_pg_outbox_put,
	.outbox_take = fr_pg_outbox_take,
	.outbox_done = fr_pg_outbox_done,
	.outbox_retry = fr_pg_outbox_retry,
	.now = fr_pg_now,
	.watch_fd = fr_pg_watch_fd,
	.watch = fr_pg_watch,
	.seen = fr_pg_seen,
	.workers = fr_pg_workers,
};
