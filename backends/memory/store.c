/* SPDX-License-Identifier: MIT */
#include "backends/registry.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <fr/queue.h>
#include <fr/store.h>

#include "base/assert.h"
#include "base/uuid.h"

#include "db.h"
#include "ops.h"

#define MAGIC 0x6d656d73U

static enum fr_rc
nomem(struct fr_err *err)
{
	return fr_fail(err, FR_NOMEM, "change memory store: out of memory");
}

struct fr_mem_store *
fr_mem_of(struct fr_store *s)
{
	struct fr_mem_store *m = (struct fr_mem_store *)s;

	fr_assert(m != NULL && m->magic == MAGIC);
	return m;
}

/* The tables, locked. */
static struct fr_mdb *
enter(struct fr_store *s)
{
	struct fr_mem_store *m = fr_mem_of(s);

	pthread_mutex_lock(&m->db->lock);
	return m->db;
}

/* The same for a change. */
static struct fr_mdb *
enter_write(struct fr_store *s)
{
	struct fr_mdb *db = enter(s);

	fr_assert(db->writer == FR_MEM_ME(s));
	return db;
}

static enum fr_rc
leave(struct fr_mdb *db, enum fr_rc rc, struct fr_err *err)
{
	pthread_mutex_unlock(&db->lock);
	return rc == FR_NOMEM ? nomem(err) : rc;
}

static enum fr_rc
mem_open(
    struct fr_store **out, const char *args, unsigned flags, struct fr_err *err)
{
	struct fr_mem_store *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return nomem(err);
	m->db = fr_mdb_open(args);
	if (m->db == NULL) {
		free(m);
		return nomem(err);
	}
	m->store.ops = &fr_store_memory;
	m->magic = MAGIC;
	m->readonly = (flags & FR_STORE_READONLY) != 0;
	*out = &m->store;
	return FR_OK;
}

static void
mem_rollback(struct fr_store *s)
{
	struct fr_mdb *db = enter(s);

	if (db->writer == FR_MEM_ME(s))
		fr_mdb_rollback(db);
	pthread_mutex_unlock(&db->lock);
}

static void
mem_close(struct fr_store *s)
{
	struct fr_mem_store *m;

	if (s == NULL)
		return;
	m = fr_mem_of(s);
	mem_rollback(s);
	fr_mdb_close(m->db);
	m->magic = 0;
	free(m);
}

static const char *
mem_describe(struct fr_store *s)
{
	(void)fr_mem_of(s);
	return "memory: for tests; all jobs are gone when this process ends";
}

static enum fr_rc
mem_begin(struct fr_store *s, struct fr_err *err)
{
	struct fr_mdb *db;
	enum fr_rc rc;

	if (fr_mem_of(s)->readonly)
		return fr_fail(
		    err, FR_DENIED, "change memory store: opened read-only");
	db = enter(s);
	fr_assert(db->writer != FR_MEM_ME(s));
	rc = fr_mdb_begin(db, FR_MEM_ME(s));
	if (rc != FR_OK)
		rc = fr_fail(err, rc,
		    "change memory store: another transaction is open");
	return leave(db, rc, err);
}

static enum fr_rc
mem_commit(struct fr_store *s, struct fr_err *err)
{
	struct fr_mdb *db = enter_write(s);

	fr_mdb_commit(db);
	return leave(db, FR_OK, err);
}

static bool
same(struct fr_span a, struct fr_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static enum fr_rc
create_one(struct fr_mdb *db, struct fr_store *s, const struct fr_job *job,
    struct fr_created *out)
{
	struct fr_mdb_type *t = fr_mdb_type(db, job->type, true);
	struct fr_mdb_job *j;

	if (t == NULL)
		return FR_NOMEM;
	out->id = job->id;
	j = fr_mdb_find(db, FR_MEM_ME(s), &job->id);
	if (j != NULL) {
		out->rc = j->type == t && same(j->row.job.data, job->data)
			      ? FR_EXISTS
			      : FR_CONFLICT;
		return FR_OK;
	}
	j = job->key.len > 0 ? fr_mdb_find_key(db, t, job->key) : NULL;
	if (j != NULL) {
		out->id = j->row.job.id;
		out->rc = FR_EXISTS;
		return FR_OK;
	}
	out->rc = FR_OK;
	return fr_mdb_add(db, job) ? FR_OK : FR_NOMEM;
}

static enum fr_rc
mem_create(struct fr_store *s, const struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_err *err)
{
	struct fr_mdb *db = enter_write(s);
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++)
		rc = create_one(db, s, &jobs[i], &out[i]);
	return leave(db, rc, err);
}

static enum fr_rc
mem_lease(struct fr_store *s, const struct fr_grant *g, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	static const struct fr_span none;
	struct fr_mdb *db = enter_write(s);
	enum fr_rc rc = FR_OK;
	struct fr_mdb_job *j;
	struct fr_job *row;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++, g++) {
		j = fr_mdb_find(db, FR_MEM_ME(s), &g->id);
		if (j == NULL || j->row.job.state != FR_STATE_QUEUED)
			continue;
		row = &j->row.job;
		if (!fr_mdb_touch(db, j) ||
		    !fr_mdb_set(j, &row->worker, g->worker) ||
		    !fr_mdb_set(j, &row->progress, none)) {
			rc = FR_NOMEM;
			break;
		}
		fr_mdb_unindex(db, j);
		row->state = FR_STATE_RUNNING;
		row->attempt++;
		row->started_ms = g->now_ms;
		row->lease = g->token;
		row->lease_until_ms = g->until_ms;
		fr_mdb_index(db, j);
		rc = emit(arg, row);
	}
	return leave(db, rc, err);
}

/* The running job that has this lease, or NULL. */
static struct fr_mdb_job *
leased(struct fr_mdb *db, struct fr_store *s, const struct fr_uuid *id,
    const struct fr_token *token)
{
	struct fr_mdb_job *j = fr_mdb_find(db, FR_MEM_ME(s), id);

	if (j == NULL || j->row.job.state != FR_STATE_RUNNING ||
	    !fr_token_eq(&j->row.job.lease, token))
		return NULL;
	return j;
}

static bool
renew_one(struct fr_mdb *db, struct fr_mdb_job *j, int64_t until_ms)
{
	if (!fr_mdb_touch(db, j))
		return false;
	fr_mdb_unindex(db, j);
	j->row.job.lease_until_ms = until_ms;
	fr_mdb_index(db, j);
	return true;
}

static enum fr_rc
mem_renew(
    struct fr_store *s, struct fr_renewal *r, size_t n, struct fr_err *err)
{
	struct fr_mdb *db = enter_write(s);
	struct fr_mdb_job *j;
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++) {
		j = leased(db, s, &r[i].id, &r[i].token);
		r[i].rc = j != NULL ? FR_OK : FR_STALE;
		if (j != NULL && !renew_one(db, j, r[i].until_ms))
			rc = FR_NOMEM;
	}
	return leave(db, rc, err);
}

struct renew_all {
	struct fr_mdb *db;
	int64_t until_ms;
};

static enum fr_rc
renew_visit(void *arg, struct fr_mdb_job *j, const struct fr_job *row)
{
	struct renew_all *r = arg;

	if (row->lease_until_ms >= r->until_ms)
		return FR_NOTFOUND;
	return renew_one(r->db, j, r->until_ms) ? FR_OK : FR_NOMEM;
}

static enum fr_rc
mem_renew_all(struct fr_store *s, int64_t until_ms, struct fr_err *err)
{
	struct fr_mdb *db = enter_write(s);
	struct renew_all r = { db, until_ms };
	enum fr_rc rc;

	rc = fr_mdb_walk(db, FR_MEM_ME(s), FR_STATE_RUNNING, NULL, INT64_MIN,
	    INT64_MIN, renew_visit, &r);
	return leave(db, rc, err);
}

enum how { PROGRESS, COMPLETE, COUNT_FAILED, FAILED, RELEASE };

/* Writes what the report says into the row, which is not indexed. */
static void
report_apply(struct fr_mdb_row *row, enum how how, const struct fr_report *r)
{
	struct fr_job *job = &row->job;

	row->reported = r->token;
	switch (how) {
	case PROGRESS:
		fr_assert(how != PROGRESS);
		break;
	case COMPLETE:
		job->state = FR_STATE_COMPLETE;
		job->finished_ms = r->now_ms;
		break;
	case COUNT_FAILED:
		job->fail_count++;
		job->run_at_ms = r->run_at_ms;
		job->state = r->run_at_ms > r->now_ms ? FR_STATE_SCHEDULED
						      : FR_STATE_QUEUED;
		break;
	case FAILED:
		job->fail_count++;
		job->state = FR_STATE_FAILED;
		job->finished_ms = r->now_ms;
		break;
	case RELEASE:
		job->state = FR_STATE_QUEUED;
		break;
	}
}

static bool
report_spans(struct fr_mdb_job *j, enum how how, const struct fr_report *r)
{
	struct fr_job *row = &j->row.job;

	switch (how) {
	case PROGRESS:
		return fr_mdb_set(j, &row->progress, r->value);
	case COMPLETE:
		return fr_mdb_set(j, &row->result, r->value) &&
		       fr_mdb_set(j, &row->log, r->log);
	case COUNT_FAILED:
	case FAILED:
		return fr_mdb_set(j, &row->error, r->value) &&
		       fr_mdb_set(j, &row->log, r->log);
	case RELEASE:
		break;
	}
	return r->log.len == 0 || fr_mdb_set(j, &row->log, r->log);
}

static enum fr_rc
report_one(
    struct fr_mdb *db, struct fr_store *s, enum how how, struct fr_report *r)
{
	struct fr_mdb_job *j = leased(db, s, &r->id, &r->token);

	if (j == NULL) {
		j = fr_mdb_find(db, FR_MEM_ME(s), &r->id);
		r->rc = how != PROGRESS && j != NULL &&
				!fr_token_zero(&r->token) &&
				fr_token_eq(&j->row.reported, &r->token)
			    ? FR_EXISTS
			    : FR_STALE;
		return FR_OK;
	}
	r->rc = FR_OK;
	if (!fr_mdb_touch(db, j) || !report_spans(j, how, r))
		return FR_NOMEM;
	if (how == PROGRESS)
		return FR_OK;
	fr_mdb_unindex(db, j);
	report_apply(&j->row, how, r);
	fr_mdb_index(db, j);
	return FR_OK;
}

static enum fr_rc
report(struct fr_store *s, enum how how, struct fr_report *r, size_t n,
    struct fr_err *err)
{
	struct fr_mdb *db = enter_write(s);
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++)
		rc = report_one(db, s, how, &r[i]);
	return leave(db, rc, err);
}

static enum fr_rc
mem_progress(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, PROGRESS, r, n, err);
}

static enum fr_rc
mem_complete(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, COMPLETE, r, n, err);
}

static enum fr_rc
mem_count_failed(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, COUNT_FAILED, r, n, err);
}

static enum fr_rc
mem_failed(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, FAILED, r, n, err);
}

static enum fr_rc
mem_release(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, RELEASE, r, n, err);
}

enum edit { CANCEL, RETRY, REMOVE };

static enum fr_rc
edit_cancel(struct fr_mdb *db, struct fr_mdb_job *j, struct fr_edit *e)
{
	if (fr_state_ended(e->before)) {
		e->rc =
		    e->before == FR_STATE_CANCELLED ? FR_EXISTS : FR_CONFLICT;
		return FR_OK;
	}
	if (!fr_mdb_touch(db, j))
		return FR_NOMEM;
	fr_mdb_unindex(db, j);
	j->row.job.state = FR_STATE_CANCELLED;
	j->row.job.finished_ms = e->now_ms;
	fr_mdb_index(db, j);
	return FR_OK;
}

static enum fr_rc
edit_retry(struct fr_mdb *db, struct fr_mdb_job *j, struct fr_edit *e)
{
	static const struct fr_span none;
	struct fr_job *row = &j->row.job;

	if (!fr_state_ended(e->before) ||
	    (row->key.len > 0 &&
		fr_mdb_find_key(db, j->type, row->key) != NULL)) {
		e->rc = FR_CONFLICT;
		return FR_OK;
	}
	if (!fr_mdb_touch(db, j) || !fr_mdb_set(j, &row->result, none) ||
	    !fr_mdb_set(j, &row->error, none) ||
	    !fr_mdb_set(j, &row->progress, none))
		return FR_NOMEM;
	fr_mdb_unindex(db, j);
	row->state = FR_STATE_QUEUED;
	row->run_at_ms = e->now_ms;
	row->finished_ms = 0;
	row->fail_count = 0;
	fr_mdb_index(db, j);
	return FR_OK;
}

static enum fr_rc
edit_one(
    struct fr_mdb *db, struct fr_store *s, enum edit what, struct fr_edit *e)
{
	struct fr_mdb_job *j = fr_mdb_find(db, FR_MEM_ME(s), &e->id);

	e->rc = j == NULL ? FR_NOTFOUND : FR_OK;
	if (j == NULL)
		return FR_OK;
	e->before = j->row.job.state;
	e->priority = j->row.job.priority;
	e->attempt = j->row.job.attempt;
	memcpy(e->type, j->type->name, sizeof(e->type));
	switch (what) {
	case CANCEL:
		return edit_cancel(db, j, e);
	case RETRY:
		return edit_retry(db, j, e);
	case REMOVE:
		break;
	}
	if (!fr_state_ended(e->before))
		e->rc = FR_CONFLICT;
	else if (!fr_mdb_remove(db, j))
		return FR_NOMEM;
	return FR_OK;
}

static enum fr_rc
edit(struct fr_store *s, enum edit what, struct fr_edit *e, size_t n,
    struct fr_err *err)
{
	struct fr_mdb *db = enter_write(s);
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++)
		rc = edit_one(db, s, what, &e[i]);
	return leave(db, rc, err);
}

static enum fr_rc
mem_cancel(struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, CANCEL, e, n, err);
}

static enum fr_rc
mem_retry(struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, RETRY, e, n, err);
}

static enum fr_rc
mem_remove(struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, REMOVE, e, n, err);
}

struct promote {
	struct fr_mdb *db;
	int64_t now_ms;
	size_t left;
	fr_ticket_emit_fn *emit;
	void *arg;
};

static enum fr_rc
promote_visit(void *arg, struct fr_mdb_job *j, const struct fr_job *row)
{
	struct promote *p = arg;
	struct fr_ticket t = {
		.id = row->id,
		.type = j->type->name,
		.priority = row->priority,
	};

	if (p->left == 0 || row->run_at_ms > p->now_ms)
		return FR_NOTFOUND;
	p->left--;
	if (!fr_mdb_touch(p->db, j))
		return FR_NOMEM;
	fr_mdb_unindex(p->db, j);
	j->row.job.state = FR_STATE_QUEUED;
	fr_mdb_index(p->db, j);
	return p->emit(p->arg, &t);
}

static enum fr_rc
mem_promote(struct fr_store *s, int64_t now_ms, size_t limit,
    fr_ticket_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_mdb *db = enter_write(s);
	struct promote p = { db, now_ms, limit, emit, arg };
	enum fr_rc rc;

	rc = fr_mdb_walk(db, FR_MEM_ME(s), FR_STATE_SCHEDULED, NULL, INT64_MIN,
	    INT64_MIN, promote_visit, &p);
	return leave(db, rc, err);
}

struct purge {
	struct fr_mdb *db;
	int64_t before_ms;
	size_t left;
};

static enum fr_rc
purge_visit(void *arg, struct fr_mdb_job *j, const struct fr_job *row)
{
	struct purge *p = arg;

	if (p->left == 0 || row->finished_ms >= p->before_ms)
		return FR_NOTFOUND;
	p->left--;
	return fr_mdb_remove(p->db, j) ? FR_OK : FR_NOMEM;
}

static enum fr_rc
mem_purge(struct fr_store *s, unsigned states, int64_t before_ms, size_t *n,
    struct fr_err *err)
{
	struct fr_mdb *db = enter_write(s);
	struct purge p = { db, before_ms, *n };
	enum fr_rc rc = FR_OK;
	int st;

	for (st = FR_STATE_COMPLETE; st < FR_STATES && rc == FR_OK; st++)
		if ((states & FR_STATE_BIT(st)) != 0)
			rc = fr_mdb_walk(db, FR_MEM_ME(s), (enum fr_state)st,
			    NULL, INT64_MIN, INT64_MIN, purge_visit, &p);
	*n -= p.left;
	return leave(db, rc, err);
}

static enum fr_rc
mem_pause(struct fr_store *s, const char *type, bool paused, struct fr_err *err)
{
	struct fr_mdb *db = enter_write(s);
	struct fr_span name = { type, strlen(type) };
	struct fr_mdb_type *t = fr_mdb_type(db, name, true);

	if (t != NULL) {
		fr_mdb_type_touch(db, t);
		t->paused = paused;
	}
	return leave(db, t != NULL ? FR_OK : FR_NOMEM, err);
}

/* The file's only symbol that others use. */
const struct fr_store_ops fr_store_memory = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_store_ops),
	.caps = 0,
	.scheme = "memory",
	.open = mem_open,
	.close = mem_close,
	.describe = mem_describe,
	.begin = mem_begin,
	.commit = mem_commit,
	.rollback = mem_rollback,
	.create = mem_create,
	.lease = mem_lease,
	.renew = mem_renew,
	.renew_all = mem_renew_all,
	.progress = mem_progress,
	.complete = mem_complete,
	.count_failed = mem_count_failed,
	.failed = mem_failed,
	.release = mem_release,
	.cancel = mem_cancel,
	.retry = mem_retry,
	.remove = mem_remove,
	.promote = mem_promote,
	.expired = fr_mem_expired,
	.next_due = fr_mem_next_due,
	.get = fr_mem_get,
	.find = fr_mem_find,
	.list = fr_mem_list,
	.get_queue = fr_mem_get_queue,
	.running = fr_mem_running,
	.purge = mem_purge,
	.stats = fr_mem_stats,
	.pause = mem_pause,
	.outbox_put = fr_mem_outbox_put,
	.outbox_take = fr_mem_outbox_take,
	.outbox_done = fr_mem_outbox_done,
	.outbox_retry = fr_mem_outbox_retry,
};
