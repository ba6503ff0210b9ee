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

struct fr_mdb *
fr_mem_enter(struct fr_store *s)
{
	struct fr_mem_store *m = fr_mem_of(s);

	pthread_mutex_lock(&m->db->lock);
	return m->db;
}

struct fr_mdb *
fr_mem_enter_write(struct fr_store *s)
{
	struct fr_mdb *db = fr_mem_enter(s);

	fr_assert(db->writer == FR_MEM_ME(s));
	return db;
}

enum fr_rc
fr_mem_leave(struct fr_mdb *db, enum fr_rc rc, struct fr_err *err)
{
	pthread_mutex_unlock(&db->lock);
	if (rc == FR_NOMEM)
		return fr_fail(err, rc, "use memory store: out of memory");
	return rc;
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
	struct fr_mdb *db = fr_mem_enter(s);

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
	db = fr_mem_enter(s);
	fr_assert(db->writer != FR_MEM_ME(s));
	rc = fr_mdb_begin(db, FR_MEM_ME(s));
	if (rc != FR_OK)
		rc = fr_fail(err, rc,
		    "change memory store: another transaction is open");
	return fr_mem_leave(db, rc, err);
}

static enum fr_rc
mem_commit(struct fr_store *s, struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter_write(s);

	fr_mdb_commit(db);
	return fr_mem_leave(db, FR_OK, err);
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
	struct fr_mdb *db = fr_mem_enter_write(s);
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++)
		rc = create_one(db, s, &jobs[i], &out[i]);
	return fr_mem_leave(db, rc, err);
}

static enum fr_rc
mem_lease(struct fr_store *s, const struct fr_grant *g, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	static const struct fr_span none;
	struct fr_mdb *db = fr_mem_enter_write(s);
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
	return fr_mem_leave(db, rc, err);
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
	struct fr_mdb *db = fr_mem_enter_write(s);
	struct promote p = { db, now_ms, limit, emit, arg };
	enum fr_rc rc;

	rc = fr_mdb_walk(db, FR_MEM_ME(s), FR_STATE_SCHEDULED, NULL, INT64_MIN,
	    INT64_MIN, promote_visit, &p);
	return fr_mem_leave(db, rc, err);
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
	struct fr_mdb *db = fr_mem_enter_write(s);
	struct purge p = { db, before_ms, *n };
	enum fr_rc rc = FR_OK;
	int st;

	for (st = FR_STATE_COMPLETE; st < FR_STATES && rc == FR_OK; st++)
		if ((states & FR_STATE_BIT(st)) != 0)
			rc = fr_mdb_walk(db, FR_MEM_ME(s), (enum fr_state)st,
			    NULL, INT64_MIN, INT64_MIN, purge_visit, &p);
	*n -= p.left;
	return fr_mem_leave(db, rc, err);
}

static enum fr_rc
mem_pause(struct fr_store *s, const char *type, bool paused, struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter_write(s);
	struct fr_span name = { type, strlen(type) };
	struct fr_mdb_type *t = fr_mdb_type(db, name, true);

	if (t != NULL) {
		fr_mdb_type_touch(db, t);
		t->paused = paused;
	}
	return fr_mem_leave(db, t != NULL ? FR_OK : FR_NOMEM, err);
}

/* The file's only symbol that others use. */
const struct fr_store_ops fr_store_memory = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_store_ops),
	.caps = FR_STORE_LOCAL,
	.scheme = "memory",
	.open = mem_open,
	.close = mem_close,
	.describe = mem_describe,
	.begin = mem_begin,
	.commit = mem_commit,
	.rollback = mem_rollback,
	.create = mem_create,
	.lease = mem_lease,
	.renew = fr_mem_renew,
	.renew_all = fr_mem_renew_all,
	.progress = fr_mem_progress,
	.complete = fr_mem_complete,
	.count_failed = fr_mem_count_failed,
	.failed = fr_mem_failed,
	.release = fr_mem_release,
	.cancel = fr_mem_cancel,
	.retry = fr_mem_retry,
	.remove = fr_mem_remove,
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
