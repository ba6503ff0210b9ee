/* SPDX-License-Identifier: MIT */
#include "ops.h"

#include <string.h>

#include <fr/queue.h>

#include "base/assert.h"
#include "base/str.h"
#include "base/uuid.h"

/* A walk that hands jobs out. */
struct reading {
	struct fr_span worker; /* running: whose; len 0: any */
	int64_t until_ms;
	size_t left;
	fr_job_emit_fn *emit;
	void *arg;
};

static enum fr_rc
expired_visit(void *arg, struct fr_mdb_job *j, const struct fr_job *row)
{
	struct reading *r = arg;

	(void)j;
	if (r->left == 0 || row->lease_until_ms > r->until_ms)
		return FR_NOTFOUND;
	r->left--;
	return r->emit(r->arg, row);
}

enum fr_rc
fr_mem_expired(struct fr_store *s, int64_t now_ms, size_t limit,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter(s);
	struct reading r = { { NULL, 0 }, now_ms, limit, emit, arg };
	enum fr_rc rc;

	rc = fr_mdb_walk(db, FR_MEM_ME(s), FR_STATE_RUNNING, NULL, INT64_MIN,
	    INT64_MIN, expired_visit, &r);
	return fr_mem_leave(db, rc, err);
}

static enum fr_rc
running_visit(void *arg, struct fr_mdb_job *j, const struct fr_job *row)
{
	struct reading *r = arg;

	(void)j;
	if (r->worker.len > 0 && !fr_span_eq(r->worker, row->worker))
		return FR_OK;
	return r->emit(r->arg, row);
}

enum fr_rc
fr_mem_running(struct fr_store *s, struct fr_span worker, fr_job_emit_fn *emit,
    void *arg, struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter(s);
	struct reading r = { worker, 0, 0, emit, arg };
	enum fr_rc rc;

	rc = fr_mdb_walk(db, FR_MEM_ME(s), FR_STATE_RUNNING, NULL, INT64_MIN,
	    INT64_MIN, running_visit, &r);
	return fr_mem_leave(db, rc, err);
}

static enum fr_rc
due_visit(void *arg, struct fr_mdb_job *j, const struct fr_job *row)
{
	int64_t *at = arg;

	(void)j;
	*at = row->state == FR_STATE_SCHEDULED ? row->run_at_ms
					       : row->lease_until_ms;
	return FR_NOTFOUND;
}

enum fr_rc
fr_mem_next_due(struct fr_store *s, int64_t *run_at_ms, int64_t *lease_until_ms,
    struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter(s);
	enum fr_rc rc;

	*run_at_ms = *lease_until_ms = INT64_MAX;
	rc = fr_mdb_walk(db, FR_MEM_ME(s), FR_STATE_SCHEDULED, NULL, INT64_MIN,
	    INT64_MIN, due_visit, run_at_ms);
	if (rc == FR_OK)
		rc = fr_mdb_walk(db, FR_MEM_ME(s), FR_STATE_RUNNING, NULL,
		    INT64_MIN, INT64_MIN, due_visit, lease_until_ms);
	return fr_mem_leave(db, rc, err);
}

enum fr_rc
fr_mem_get(struct fr_store *s, const struct fr_uuid *ids, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter(s);
	struct fr_mdb_job *j;
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++) {
		j = fr_mdb_find(db, FR_MEM_ME(s), &ids[i]);
		if (j != NULL)
			rc = emit(arg, fr_mdb_view(db, FR_MEM_ME(s), j));
	}
	return fr_mem_leave(db, rc, err);
}

enum fr_rc
fr_mem_find(struct fr_store *s, const char *hex, size_t limit,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter(s);
	size_t len = strlen(hex);
	const struct fr_job *row;
	struct fr_mdb_job *j;
	enum fr_rc rc = FR_OK;
	char id[2 * sizeof(row->id.b)];

	for (j = db->oldest; j != NULL && limit > 0 && rc == FR_OK;
	     j = j->newer) {
		row = fr_mdb_view(db, FR_MEM_ME(s), j);
		if (row == NULL || len > sizeof(id))
			continue;
		fr_hex_encode(id, row->id.b, sizeof(row->id.b));
		if (memcmp(id, hex, len) != 0)
			continue;
		limit--;
		rc = emit(arg, row);
	}
	return fr_mem_leave(db, rc, err);
}

/*
 * Where a page begins: behind the job `after`, or if it is gone at the job
 * whose id comes just below: ids mostly grow with time.
 */
static struct fr_mdb_job *
list_start(struct fr_mdb *db, struct fr_store *s, const struct fr_uuid *after)
{
	struct fr_mdb_job *j, *best = NULL;

	if (after == NULL)
		return db->newest;
	j = fr_mdb_find(db, FR_MEM_ME(s), after);
	if (j != NULL)
		return j->older;
	for (j = db->newest; j != NULL; j = j->older)
		if (fr_uuid_cmp(&j->row.job.id, after) < 0 &&
		    (best == NULL ||
			fr_uuid_cmp(&j->row.job.id, &best->row.job.id) > 0))
			best = j;
	return best;
}

enum fr_rc
fr_mem_list(struct fr_store *s, const struct fr_list *l, fr_job_emit_fn *emit,
    void *arg, struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter(s);
	struct fr_mdb_job *j = list_start(db, s, l->after);
	const struct fr_job *row;
	enum fr_rc rc = FR_OK;
	size_t left = l->limit;

	for (; j != NULL && left > 0 && rc == FR_OK; j = j->older) {
		row = fr_mdb_view(db, FR_MEM_ME(s), j);
		if (row == NULL || (l->states & FR_STATE_BIT(row->state)) == 0)
			continue;
		if (l->type.len > 0 && !fr_span_eq(l->type, row->type))
			continue;
		left--;
		rc = emit(arg, row);
	}
	return fr_mem_leave(db, rc, err);
}

struct queue_walk {
	bool with_data;
	int64_t cursor;
	size_t seen, most;
	fr_ticket_emit_fn *emit;
	void *arg;
};

static enum fr_rc
queue_visit(void *arg, struct fr_mdb_job *j, const struct fr_job *row)
{
	struct queue_walk *w = arg;
	struct fr_ticket t = {
		.id = row->id,
		.type = j->type->name,
		.priority = row->priority,
	};

	if (w->seen == w->most)
		return FR_NOTFOUND;
	w->seen++;
	w->cursor = j->seq;
	if (w->with_data)
		t.data = row->data;
	return w->emit(w->arg, &t);
}

enum fr_rc
fr_mem_get_queue(struct fr_store *s, const char *type, bool with_data,
    int64_t *cursor, size_t *n, fr_ticket_emit_fn *emit, void *arg,
    struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter(s);
	struct queue_walk w = { with_data, *cursor, 0, *n, emit, arg };
	struct fr_mdb_type *t;
	enum fr_rc rc = FR_OK;

	if (type == NULL) {
		rc = fr_mdb_walk(db, FR_MEM_ME(s), FR_STATE_QUEUED, NULL, 0,
		    *cursor, queue_visit, &w);
		*cursor = w.cursor;
	} else {
		t = fr_mdb_type(db, fr_span_of(type), false);
		if (t != NULL)
			rc = fr_mdb_walk(db, FR_MEM_ME(s), FR_STATE_QUEUED, t,
			    INT64_MIN, INT64_MIN, queue_visit, &w);
	}
	*n = w.seen;
	return fr_mem_leave(db, rc, err);
}

enum fr_rc
fr_mem_stats(
    struct fr_store *s, fr_stats_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_mdb *db = fr_mem_enter(s);
	bool mine = db->writer == FR_MEM_ME(s);
	struct fr_type_stats st;
	struct fr_mdb_type *t;
	enum fr_rc rc = FR_OK;
	bool any;
	int i;

	for (t = db->types; t != NULL && rc == FR_OK; t = t->next) {
		st.type = t->name;
		st.paused = mine ? t->paused : t->was_paused;
		any = st.paused;
		for (i = 0; i < FR_STATES; i++) {
			st.n[i] = mine ? t->n[i] : t->was_n[i];
			any = any || st.n[i] != 0;
		}
		if (any)
			rc = emit(arg, &st);
	}
	return fr_mem_leave(db, rc, err);
}
