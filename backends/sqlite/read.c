/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <limits.h>
#include <string.h>

#include <fr/queue.h>

#include "base/assert.h"
#include "base/str.h"

/*
 * Reading. Each call is one statement, or several within one transaction, so
 * that it sees one state of the store.
 */

/* So many, or such a part of all, are sorted rather than looked for. */
#define LIST_FEW 50000
#define LIST_PART 20

/* Hands out what st yields; resets it. */
static enum fr_rc
emit_rows(struct fr_sq *q, sqlite3_stmt *st, fr_job_emit_fn *emit, void *arg,
    struct fr_err *err)
{
	struct fr_job job;
	enum fr_rc rc;
	bool more;

	do {
		rc = fr_sq_step(q, st, err);
		more = rc == FR_OK;
		if (more)
			rc = fr_sq_row(q, st, &job, err);
		if (more && rc == FR_OK)
			rc = emit(arg, &job);
	} while (more && rc == FR_OK);
	sqlite3_reset(st);
	return !more && rc == FR_NOTFOUND ? FR_OK : rc;
}

static int64_t
limit_of(size_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

enum fr_rc
fr_sq_get_jobs(struct fr_store *s, const struct fr_uuid *ids, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_of(s);
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;
	size_t i;

	rc = fr_sq_get(q, FR_SQ_GET, &st, err);
	for (i = 0; i < n && rc == FR_OK; i++) {
		fr_sq_blob_at(st, 1, ids[i].b, sizeof(ids[i].b));
		rc = emit_rows(q, st, emit, arg, err);
	}
	return rc;
}

/* The id whose hex digits are these and then fill. */
static bool
id_bound(struct fr_uuid *id, const char *hex, char fill)
{
	char full[2 * sizeof(id->b)];
	const size_t len = strlen(hex);

	if (len > sizeof(full))
		return false;
	memset(full, fill, sizeof(full));
	memcpy(full, hex, len);
	return fr_hex_decode(
	    id->b, sizeof(id->b), (struct fr_span){ full, sizeof(full) });
}

enum fr_rc
fr_sq_find(struct fr_store *s, const char *hex, size_t limit,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_of(s);
	struct fr_uuid low, high;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	if (!id_bound(&low, hex, '0') || !id_bound(&high, hex, 'f'))
		return FR_OK;
	rc = fr_sq_get(q, FR_SQ_FIND, &st, err);
	if (rc != FR_OK)
		return rc;
	fr_sq_blob_at(st, 1, low.b, sizeof(low.b));
	fr_sq_blob_at(st, 2, high.b, sizeof(high.b));
	sqlite3_bind_int64(st, 3, limit_of(limit));
	return emit_rows(q, st, emit, arg, err);
}

enum fr_rc
fr_sq_expired(struct fr_store *s, int64_t now_ms, size_t limit,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_of(s);
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_EXPIRED, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, now_ms);
	sqlite3_bind_int64(st, 2, limit_of(limit));
	return emit_rows(q, st, emit, arg, err);
}

enum fr_rc
fr_sq_running(struct fr_store *s, struct fr_span worker, fr_job_emit_fn *emit,
    void *arg, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_of(s);
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	rc = fr_sq_get(q, FR_SQ_RUNNING, &st, err);
	if (rc != FR_OK)
		return rc;
	fr_sq_text_at(st, 1, worker);
	return emit_rows(q, st, emit, arg, err);
}

/* A statement's first number; FR_NOTFOUND: no row. */
static enum fr_rc
first(struct fr_sq *q, sqlite3_stmt *st, int64_t *v, struct fr_err *err)
{
	const enum fr_rc rc = fr_sq_step(q, st, err);

	if (rc == FR_OK)
		*v = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc;
}

static enum fr_rc
due(struct fr_sq *q, enum fr_sq_stmt n, int64_t *ms, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	*ms = INT64_MAX;
	rc = fr_sq_get(q, n, &st, err);
	if (rc == FR_OK)
		rc = first(q, st, ms, err);
	return rc == FR_NOTFOUND ? FR_OK : rc;
}

enum fr_rc
fr_sq_next_due(struct fr_store *s, int64_t *run_at_ms, int64_t *lease_until_ms,
    struct fr_err *err)
{
	struct fr_sq *q = fr_sq_of(s);
	enum fr_rc rc;

	rc = due(q, FR_SQ_DUE_SCHEDULED, run_at_ms, err);
	if (rc == FR_OK)
		rc = due(q, FR_SQ_DUE_RUNNING, lease_until_ms, err);
	return rc;
}

/* Several statements that see one state. Within a transaction they do. */
static enum fr_rc
snapshot(struct fr_sq *q, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	if (q->writing)
		return fr_sq_counts_flush(q, err);
	rc = fr_sq_get(q, FR_SQ_BEGIN_READ, &st, err);
	return rc == FR_OK ? fr_sq_run(q, st, err) : rc;
}

static void
snapshot_end(struct fr_sq *q)
{
	if (!q->writing)
		fr_sq_undo(q);
}

/* The number that a page lies below. */
static enum fr_rc
list_start(struct fr_sq *q, const struct fr_uuid *after, int64_t *below,
    struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	*below = INT64_MAX;
	if (after == NULL)
		return FR_OK;
	rc = fr_sq_get(q, FR_SQ_LIST_AT, &st, err);
	if (rc != FR_OK)
		return rc;
	fr_sq_blob_at(st, 1, after->b, sizeof(after->b));
	rc = first(q, st, below, err);
	if (rc != FR_NOTFOUND)
		return rc;
	/* Gone: its neighbor by id was made just before it. */
	rc = fr_sq_get(q, FR_SQ_LIST_NEAR, &st, err);
	if (rc != FR_OK)
		return rc;
	fr_sq_blob_at(st, 1, after->b, sizeof(after->b));
	rc = first(q, st, below, err);
	if (rc == FR_NOTFOUND)
		*below = 0;
	return rc == FR_NOTFOUND ? FR_OK : rc;
}

/* What a list will find. */
struct listing {
	unsigned states; /* those of the asked ones in which any job matches */
	int64_t match;   /* how many do in all */
	int64_t held;    /* how many the indexes of those states hold */
	int64_t all;     /* how many are in any state but queued */
};

static enum fr_rc
list_counts(struct fr_sq *q, int64_t type, unsigned states, struct listing *l,
    struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;
	unsigned bit;

	*l = (struct listing){ 0 };
	rc = fr_sq_get(q, FR_SQ_COUNT_SUM, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, type);
	while ((rc = fr_sq_step(q, st, err)) == FR_OK) {
		bit = 1U << (sqlite3_column_int(st, 0) & 31);
		if (bit != FR_STATE_BIT(FR_STATE_QUEUED))
			l->all += sqlite3_column_int64(st, 2);
		if ((bit & states) == 0 || sqlite3_column_int64(st, 1) <= 0)
			continue;
		l->states |= bit;
		l->match += sqlite3_column_int64(st, 1);
		l->held += sqlite3_column_int64(st, 2);
	}
	sqlite3_reset(st);
	return rc == FR_NOTFOUND ? FR_OK : rc;
}

static enum fr_rc
list(struct fr_sq *q, const struct fr_list *l, int64_t type,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	int64_t below = 0, limit = limit_of(l->limit);
	struct listing found = { 0 };
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;
	bool few;

	rc = list_start(q, l->after, &below, err);
	if (rc == FR_OK)
		rc = list_counts(q, type, l->states, &found, err);
	if (rc != FR_OK || found.match == 0)
		return rc;
	few = found.held <= LIST_FEW || found.held <= found.all / LIST_PART;
	rc = fr_sq_get(q, few ? FR_SQ_LIST_FEW : FR_SQ_LIST, &st, err);
	if (rc != FR_OK)
		return rc;
	/* When all have been found there is nothing more to look for. */
	if (limit > found.match)
		limit = found.match;
	sqlite3_bind_int64(st, 1, below);
	sqlite3_bind_int64(st, 2, type);
	sqlite3_bind_int64(st, 3, found.states);
	sqlite3_bind_int64(st, 4, limit);
	return emit_rows(q, st, emit, arg, err);
}

enum fr_rc
fr_sq_list(struct fr_store *s, const struct fr_list *l, fr_job_emit_fn *emit,
    void *arg, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_of(s);
	struct fr_sq_type *t = NULL;
	enum fr_rc rc;

	rc = snapshot(q, err);
	if (rc != FR_OK)
		return rc;
	if (l->type.len > 0)
		rc = fr_sq_type(q, l->type, false, &t, err);
	if (rc == FR_OK)
		rc = list(q, l, t != NULL ? t->n : -1, emit, arg, err);
	else if (rc == FR_NOTFOUND)
		rc = FR_OK;
	snapshot_end(q);
	return rc;
}

static enum fr_rc
ticket(struct fr_sq *q, sqlite3_stmt *st, bool with_data, struct fr_ticket *t,
    struct fr_err *err)
{
	struct fr_sq_type *type;
	enum fr_rc rc;

	rc = fr_sq_type_n(q, sqlite3_column_int64(st, 2), &type, err);
	if (rc != FR_OK)
		return rc;
	if (!fr_sq_bytes16(st, 1, t->id.b))
		return fr_fail(
		    err, FR_IO, "read %s: a job's id is damaged", q->path);
	t->type = type->name;
	t->priority = sqlite3_column_int(st, 3);
	t->data = with_data ? fr_sq_span(st, 4) : (struct fr_span){ NULL, 0 };
	return FR_OK;
}

/* Hands out the tickets that st yields. */
static enum fr_rc
emit_tickets(struct fr_sq *q, sqlite3_stmt *st, bool with_data, int64_t *cursor,
    size_t *n, fr_ticket_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_ticket t;
	enum fr_rc rc;
	bool more;

	do {
		rc = fr_sq_step(q, st, err);
		more = rc == FR_OK;
		if (more)
			rc = ticket(q, st, with_data, &t, err);
		if (more && rc == FR_OK) {
			*cursor = sqlite3_column_int64(st, 0);
			(*n)++;
			rc = emit(arg, &t);
		}
	} while (more && rc == FR_OK);
	sqlite3_reset(st);
	return !more && rc == FR_NOTFOUND ? FR_OK : rc;
}

/* Those of a type have no index: where there are none nobody looks. */
static enum fr_rc
queue_of(struct fr_sq *q, const char *type, bool with_data, int64_t limit,
    size_t *n, fr_ticket_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct listing found = { 0 };
	struct fr_sq_type *t = NULL;
	sqlite3_stmt *st = NULL;
	int64_t ignored;
	enum fr_rc rc;

	rc = fr_sq_type(q, fr_span_of(type), false, &t, err);
	if (rc == FR_NOTFOUND)
		return FR_OK;
	if (rc == FR_OK)
		rc = list_counts(
		    q, t->n, FR_STATE_BIT(FR_STATE_QUEUED), &found, err);
	if (rc != FR_OK || found.match == 0)
		return rc;
	rc = fr_sq_get(
	    q, with_data ? FR_SQ_WALK_TYPE_DATA : FR_SQ_WALK_TYPE, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, t->n);
	sqlite3_bind_int64(st, 2, limit);
	return emit_tickets(q, st, with_data, &ignored, n, emit, arg, err);
}

enum fr_rc
fr_sq_get_queue(struct fr_store *s, const char *type, bool with_data,
    int64_t *cursor, size_t *n, fr_ticket_emit_fn *emit, void *arg,
    struct fr_err *err)
{
	struct fr_sq *q = fr_sq_of(s);
	const int64_t limit = limit_of(*n);
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	*n = 0;
	if (type != NULL) {
		rc = snapshot(q, err);
		if (rc != FR_OK)
			return rc;
		rc = queue_of(q, type, with_data, limit, n, emit, arg, err);
		snapshot_end(q);
		return rc;
	}
	rc = fr_sq_get(q, with_data ? FR_SQ_WALK_DATA : FR_SQ_WALK, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, *cursor);
	sqlite3_bind_int64(st, 2, limit);
	return emit_tickets(q, st, with_data, cursor, n, emit, arg, err);
}

/* Hands a type out if there is anything to be said of it. */
static enum fr_rc
stats_emit(const struct fr_type_stats *t, fr_stats_emit_fn *emit, void *arg)
{
	bool any = t->paused;
	int i;

	for (i = 0; i < FR_STATES; i++)
		any = any || t->n[i] != 0;
	return any ? emit(arg, t) : FR_OK;
}

static enum fr_rc
stats(struct fr_sq *q, fr_stats_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_type_stats ts = { 0 };
	char name[FR_TYPE_MAX + 1];
	int64_t type = 0, n;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;
	int state;

	rc = fr_sq_get(q, FR_SQ_STATS, &st, err);
	if (rc != FR_OK)
		return rc;
	while ((rc = fr_sq_step(q, st, err)) == FR_OK) {
		n = sqlite3_column_int64(st, 0);
		if (n != type) {
			rc = type != 0 ? stats_emit(&ts, emit, arg) : FR_OK;
			if (rc != FR_OK)
				break;
			type = n;
			(void)fr_str_copy(
			    name, sizeof(name), fr_sq_span(st, 1));
			ts = (struct fr_type_stats){
				.type = name,
				.paused = sqlite3_column_int(st, 2) != 0,
			};
		}
		state = sqlite3_column_int(st, 3);
		if (state >= 0 && state < FR_STATES &&
		    sqlite3_column_type(st, 3) != SQLITE_NULL)
			ts.n[state] = sqlite3_column_int64(st, 4);
	}
	sqlite3_reset(st);
	if (rc == FR_NOTFOUND)
		rc = type != 0 ? stats_emit(&ts, emit, arg) : FR_OK;
	return rc;
}

enum fr_rc
fr_sq_stats(
    struct fr_store *s, fr_stats_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_sq *q = fr_sq_of(s);
	enum fr_rc rc = FR_OK;

	if (q->writing)
		rc = fr_sq_counts_flush(q, err);
	return rc == FR_OK ? stats(q, emit, arg, err) : rc;
}
