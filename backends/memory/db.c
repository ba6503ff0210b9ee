/* SPDX-License-Identifier: MIT */
#include "db.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/*
 * Every job has one entry in the tree of its state, and if it is queued one
 * in the order of its type. The first change of a job within a transaction
 * keeps a copy of its row; rolling back puts the copies back, and the other
 * handles read the copies. Spans of a row belong to it; those that the copy
 * has too are freed only when the transaction ends.
 */

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fr_mdb *all;

static struct fr_mdb *
db_new(const char *name)
{
	struct fr_mdb *db = calloc(1, sizeof(*db));

	if (db == NULL)
		return NULL;
	db->name = strdup(name);
	if (db->name == NULL) {
		free(db);
		return NULL;
	}
	pthread_mutex_init(&db->lock, NULL);
	pthread_cond_init(&db->ended, NULL);
	db->types_end = &db->types;
	db->events_end = &db->events;
	db->next = all;
	all = db;
	return db;
}

struct fr_mdb *
fr_mdb_open(const char *name)
{
	struct fr_mdb *db;

	pthread_mutex_lock(&open_lock);
	for (db = all; db != NULL && strcmp(db->name, name) != 0;)
		db = db->next;
	if (db == NULL)
		db = db_new(name);
	if (db != NULL)
		db->handles++;
	pthread_mutex_unlock(&open_lock);
	return db;
}

/* Frees the changeable spans of a; those that b has too are left. */
static void
spans_free(const struct fr_job *a, const struct fr_job *b)
{
	const struct fr_span *sa[] = { &a->progress, &a->result, &a->error,
		&a->log, &a->worker };
	const struct fr_span *sb[] = { &b->progress, &b->result, &b->error,
		&b->log, &b->worker };
	size_t i;

	for (i = 0; i < sizeof(sa) / sizeof(*sa); i++)
		if (sa[i]->p != sb[i]->p)
			free((void *)(uintptr_t)sa[i]->p);
}

static void
job_free(struct fr_mdb_job *j)
{
	static const struct fr_job none;

	spans_free(&j->row.job, &none);
	free(j);
}

static void
db_free(struct fr_mdb *db)
{
	struct fr_mdb_job *j;
	struct fr_mdb_type *t;
	struct fr_mdb_event *e;

	while ((j = db->oldest) != NULL) {
		db->oldest = j->newer;
		job_free(j);
	}
	while ((t = db->types) != NULL) {
		db->types = t->next;
		free(t);
	}
	while ((e = db->events) != NULL) {
		db->events = e->next;
		free(e);
	}
	free(db->ids.slot);
	free(db->keys.slot);
	free(db->names.slot);
	pthread_cond_destroy(&db->ended);
	pthread_mutex_destroy(&db->lock);
	free(db->name);
	free(db);
}

void
fr_mdb_close(struct fr_mdb *db)
{
	struct fr_mdb **p;

	pthread_mutex_lock(&open_lock);
	if (--db->handles == 0) {
		fr_assert(db->writer == NULL);
		for (p = &all; *p != db;)
			p = &(*p)->next;
		*p = db->next;
		db_free(db);
	}
	pthread_mutex_unlock(&open_lock);
}

struct fr_mdb_type *
fr_mdb_type(struct fr_mdb *db, struct fr_span name, bool make)
{
	uint64_t hash = fr_mdb_hash_of(0, name.p, name.len);
	struct fr_mdb_link *l = fr_mdb_hash_get(&db->names, hash);
	struct fr_mdb_type *t;

	for (; l != NULL; l = fr_mdb_hash_next(l)) {
		t = l->owner;
		if (strlen(t->name) == name.len &&
		    memcmp(t->name, name.p, name.len) == 0)
			return t;
	}
	if (!make || !fr_mdb_hash_reserve(&db->names))
		return NULL;
	fr_assert(name.len <= FR_TYPE_MAX);
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	memcpy(t->name, name.p, name.len);
	t->by_name.hash = hash;
	t->by_name.owner = t;
	fr_mdb_hash_add(&db->names, &t->by_name);
	*db->types_end = t;
	db->types_end = &t->next;
	return t;
}

void
fr_mdb_type_touch(struct fr_mdb *db, struct fr_mdb_type *t)
{
	if (t->dirty)
		return;
	t->dirty = true;
	t->next_dirty = db->dirty;
	db->dirty = t;
}

const struct fr_job *
fr_mdb_view(const struct fr_mdb *db, const struct fr_mdb_handle *h,
    const struct fr_mdb_job *j)
{
	if (j->undo != NULL && db->writer != h)
		return j->undo->fresh ? NULL : &j->undo->before.job;
	return j->gone ? NULL : &j->row.job;
}

struct fr_mdb_job *
fr_mdb_find(const struct fr_mdb *db, const struct fr_mdb_handle *h,
    const struct fr_uuid *id)
{
	struct fr_mdb_link *l;
	struct fr_mdb_job *j;

	l = fr_mdb_hash_get(&db->ids, fr_mdb_hash_of(0, id->b, sizeof(id->b)));
	for (; l != NULL; l = fr_mdb_hash_next(l)) {
		j = l->owner;
		if (memcmp(j->row.job.id.b, id->b, sizeof(id->b)) == 0 &&
		    fr_mdb_view(db, h, j) != NULL)
			return j;
	}
	return NULL;
}

static uint64_t
key_hash(const struct fr_mdb_type *t, struct fr_span key)
{
	return fr_mdb_hash_of(t->by_name.hash, key.p, key.len);
}

struct fr_mdb_job *
fr_mdb_find_key(
    const struct fr_mdb *db, const struct fr_mdb_type *t, struct fr_span key)
{
	struct fr_mdb_link *l = fr_mdb_hash_get(&db->keys, key_hash(t, key));
	struct fr_mdb_job *j;

	for (; l != NULL; l = fr_mdb_hash_next(l)) {
		j = l->owner;
		if (j->type == t && j->row.job.key.len == key.len &&
		    memcmp(j->row.job.key.p, key.p, key.len) == 0)
			return j;
	}
	return NULL;
}

static int64_t
index_time(const struct fr_job *row)
{
	switch (row->state) {
	case FR_STATE_SCHEDULED:
		return row->run_at_ms;
	case FR_STATE_QUEUED:
		return 0;
	case FR_STATE_RUNNING:
		return row->lease_until_ms;
	case FR_STATE_COMPLETE:
	case FR_STATE_FAILED:
	case FR_STATE_CANCELLED:
		break;
	}
	return row->finished_ms;
}

void
fr_mdb_index(struct fr_mdb *db, struct fr_mdb_job *j)
{
	struct fr_job *row = &j->row.job;

	fr_assert(!j->gone);
	fr_mdb_type_touch(db, j->type);
	j->by_state.a = index_time(row);
	fr_mdb_tree_add(&db->state[row->state], &j->by_state);
	j->type->n[row->state]++;
	if (row->state == FR_STATE_QUEUED) {
		j->by_order.a = -(int64_t)row->priority;
		fr_mdb_tree_add(&j->type->order, &j->by_order);
	}
	if (row->key.len > 0 && !fr_state_ended(row->state))
		fr_mdb_hash_add(&db->keys, &j->by_key);
}

void
fr_mdb_unindex(struct fr_mdb *db, struct fr_mdb_job *j)
{
	struct fr_job *row = &j->row.job;

	fr_assert(!j->gone);
	fr_mdb_type_touch(db, j->type);
	fr_mdb_tree_del(&db->state[row->state], &j->by_state);
	j->type->n[row->state]--;
	if (row->state == FR_STATE_QUEUED)
		fr_mdb_tree_del(&j->type->order, &j->by_order);
	if (row->key.len > 0 && !fr_state_ended(row->state))
		fr_mdb_hash_del(&db->keys, &j->by_key);
}

bool
fr_mdb_touch(struct fr_mdb *db, struct fr_mdb_job *j)
{
	struct fr_mdb_undo *u;

	fr_assert(db->writer != NULL);
	/* A retry may bring its key back. */
	if (!fr_mdb_hash_reserve(&db->keys))
		return false;
	if (j->undo != NULL)
		return true;
	u = malloc(sizeof(*u));
	if (u == NULL)
		return false;
	u->job = j;
	u->before = j->row;
	u->fresh = false;
	u->next = db->undo;
	db->undo = u;
	j->undo = u;
	return true;
}

bool
fr_mdb_set(struct fr_mdb_job *j, struct fr_span *field, struct fr_span value)
{
	size_t at = (size_t)((char *)field - (char *)&j->row.job);
	struct fr_span was;
	char *p = NULL;

	fr_assert(j->undo != NULL && at < sizeof(j->row.job));
	memcpy(&was, (char *)&j->undo->before.job + at, sizeof(was));
	if (value.len > 0) {
		p = malloc(value.len);
		if (p == NULL)
			return false;
		memcpy(p, value.p, value.len);
	}
	if (field->p != was.p)
		free((void *)(uintptr_t)field->p);
	field->p = p;
	field->len = value.len;
	return true;
}

/* A row with all that create takes, its spans in the job's own bytes. */
static struct fr_mdb_job *
job_new(const struct fr_job *job, struct fr_mdb_type *t)
{
	struct fr_mdb_job *j;

	j = calloc(1, sizeof(*j) + job->data.len + job->key.len);
	if (j == NULL)
		return NULL;
	j->type = t;
	j->row.job = (struct fr_job){
		.id = job->id,
		.type = { t->name, job->type.len },
		.data = { j->bytes, job->data.len },
		.key = { j->bytes + job->data.len, job->key.len },
		.state = job->state,
		.priority = job->priority,
		.max_attempts = job->max_attempts,
		.timeout_ms = job->timeout_ms,
		.created_ms = job->created_ms,
		.run_at_ms = job->run_at_ms,
	};
	if (job->data.len > 0)
		memcpy(j->bytes, job->data.p, job->data.len);
	if (job->key.len > 0)
		memcpy(j->bytes + job->data.len, job->key.p, job->key.len);
	j->by_id.hash = fr_mdb_hash_of(0, job->id.b, sizeof(job->id.b));
	j->by_id.owner = j->by_key.owner = j;
	j->by_key.hash = key_hash(t, j->row.job.key);
	j->by_state.owner = j->by_order.owner = j;
	return j;
}

static void
list_add(struct fr_mdb *db, struct fr_mdb_job *j)
{
	j->older = db->newest;
	if (db->newest != NULL)
		db->newest->newer = j;
	else
		db->oldest = j;
	db->newest = j;
}

static void
list_del(struct fr_mdb *db, struct fr_mdb_job *j)
{
	if (j->older != NULL)
		j->older->newer = j->newer;
	else
		db->oldest = j->newer;
	if (j->newer != NULL)
		j->newer->older = j->older;
	else
		db->newest = j->older;
}

bool
fr_mdb_add(struct fr_mdb *db, const struct fr_job *job)
{
	struct fr_mdb_type *t = fr_mdb_type(db, job->type, true);
	struct fr_mdb_job *j;

	if (t == NULL || !fr_mdb_hash_reserve(&db->ids))
		return false;
	j = job_new(job, t);
	if (j == NULL)
		return false;
	if (!fr_mdb_touch(db, j)) {
		free(j);
		return false;
	}
	j->undo->fresh = true;
	j->seq = ++db->last_seq;
	j->by_state.b = j->by_order.b = j->seq;
	list_add(db, j);
	fr_mdb_hash_add(&db->ids, &j->by_id);
	fr_mdb_index(db, j);
	return true;
}

bool
fr_mdb_remove(struct fr_mdb *db, struct fr_mdb_job *j)
{
	if (!fr_mdb_touch(db, j))
		return false;
	fr_mdb_unindex(db, j);
	j->gone = true;
	return true;
}

static void
job_drop(struct fr_mdb *db, struct fr_mdb_job *j)
{
	list_del(db, j);
	fr_mdb_hash_del(&db->ids, &j->by_id);
	job_free(j);
}

enum fr_rc
fr_mdb_begin(struct fr_mdb *db, const struct fr_mdb_handle *h)
{
	while (db->writer != NULL) {
		if (pthread_equal(db->writer_thread, pthread_self()))
			return FR_AGAIN;
		pthread_cond_wait(&db->ended, &db->lock);
	}
	db->writer = h;
	db->writer_thread = pthread_self();
	return FR_OK;
}

static void
events_end(struct fr_mdb *db, bool keep)
{
	struct fr_mdb_event *e, **p;

	if (!db->events_dirty)
		return;
	db->events_dirty = false;
	for (p = &db->events; (e = *p) != NULL;) {
		if (keep ? e->gone : e->fresh) {
			*p = e->next;
			free(e);
			continue;
		}
		if (keep) {
			e->was_claimed_ms = e->claimed_ms;
			e->was_tries = e->tries;
		} else {
			e->claimed_ms = e->was_claimed_ms;
			e->tries = e->was_tries;
		}
		e->fresh = e->gone = false;
		p = &e->next;
	}
	db->events_end = p;
}

static void
transaction_end(struct fr_mdb *db, bool keep)
{
	struct fr_mdb_type *t;

	for (t = db->dirty; t != NULL; t = t->next_dirty) {
		t->dirty = false;
		if (keep) {
			memcpy(t->was_n, t->n, sizeof(t->n));
			t->was_paused = t->paused;
		} else {
			t->paused = t->was_paused;
			fr_assert(memcmp(t->was_n, t->n, sizeof(t->n)) == 0);
		}
	}
	db->dirty = NULL;
	events_end(db, keep);
	db->writer = NULL;
	pthread_cond_signal(&db->ended);
}

void
fr_mdb_commit(struct fr_mdb *db)
{
	struct fr_mdb_undo *u;
	struct fr_mdb_job *j;

	while ((u = db->undo) != NULL) {
		db->undo = u->next;
		j = u->job;
		if (!u->fresh)
			spans_free(&u->before.job, &j->row.job);
		j->undo = NULL;
		if (j->gone)
			job_drop(db, j);
		free(u);
	}
	transaction_end(db, true);
}

void
fr_mdb_rollback(struct fr_mdb *db)
{
	struct fr_mdb_undo *u;
	struct fr_mdb_job *j;

	while ((u = db->undo) != NULL) {
		db->undo = u->next;
		j = u->job;
		if (!j->gone)
			fr_mdb_unindex(db, j);
		if (u->fresh) {
			job_drop(db, j);
		} else {
			spans_free(&j->row.job, &u->before.job);
			j->row = u->before;
			j->gone = false;
			j->undo = NULL;
			fr_mdb_index(db, j);
		}
		free(u);
	}
	transaction_end(db, false);
}

static enum fr_rc
walk_tree(struct fr_mdb_node **root, int64_t a, int64_t b,
    fr_mdb_visit_fn *visit, void *arg)
{
	struct fr_mdb_node *n;
	struct fr_mdb_job *j;
	enum fr_rc rc;

	while ((n = fr_mdb_tree_after(*root, a, b)) != NULL) {
		a = n->a;
		b = n->b;
		j = n->owner;
		rc = visit(arg, j, &j->row.job);
		if (rc != FR_OK)
			return rc;
	}
	return FR_OK;
}

struct found {
	int64_t a, b;
	struct fr_mdb_job *job;
};

static int
found_cmp(const void *x, const void *y)
{
	const struct found *p = x, *q = y;

	if (p->a != q->a)
		return p->a < q->a ? -1 : 1;
	return p->b < q->b ? -1 : p->b > q->b;
}

/*
 * The trees show what the transaction has made of the jobs. Anyone else gets
 * the same walk by looking at all of them.
 */
static enum fr_rc
walk_committed(struct fr_mdb *db, enum fr_state s,
    const struct fr_mdb_type *order, struct found start, fr_mdb_visit_fn *visit,
    void *arg)
{
	const struct fr_job *row;
	struct found *f, x;
	struct fr_mdb_job *j;
	enum fr_rc rc = FR_OK;
	size_t n = 0, i;

	f = malloc((db->ids.n + 1) * sizeof(*f));
	if (f == NULL)
		return FR_NOMEM;
	for (j = db->oldest; j != NULL; j = j->newer) {
		row = fr_mdb_view(db, NULL, j);
		if (row == NULL || row->state != s ||
		    (order != NULL && j->type != order))
			continue;
		x.a = order != NULL ? -(int64_t)row->priority : index_time(row);
		x.b = j->seq;
		x.job = j;
		if (found_cmp(&x, &start) > 0)
			f[n++] = x;
	}
	qsort(f, n, sizeof(*f), found_cmp);
	for (i = 0; i < n && rc == FR_OK; i++)
		rc = visit(arg, f[i].job, fr_mdb_view(db, NULL, f[i].job));
	free(f);
	return rc;
}

enum fr_rc
fr_mdb_walk(struct fr_mdb *db, const struct fr_mdb_handle *h, enum fr_state s,
    struct fr_mdb_type *order, int64_t a, int64_t b, fr_mdb_visit_fn *visit,
    void *arg)
{
	struct found start = { a, b, NULL };
	enum fr_rc rc;

	if (db->writer != NULL && db->writer != h)
		rc = walk_committed(db, s, order, start, visit, arg);
	else
		rc = walk_tree(order != NULL ? &order->order : &db->state[s], a,
		    b, visit, arg);
	return rc == FR_NOTFOUND ? FR_OK : rc;
}
