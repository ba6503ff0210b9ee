/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/str.h"

/* Names of types, their numbers, and how many jobs of each there are. */

/* No program makes so many; a database that says so is damaged. */
#define TYPES_MAX 100000000

static enum fr_rc
nomem(struct fr_sq *q, struct fr_err *err)
{
	q->spoiled = true;
	return fr_fail(
	    err, FR_NOMEM, "read types of %s: out of memory", q->path);
}

static bool
grow(struct fr_sq *q, size_t n)
{
	struct fr_sq_type **v;
	size_t cap = q->ntypes < 16 ? 16 : q->ntypes;

	while (cap <= n)
		cap *= 2;
	v = realloc(q->type_by_n, cap * sizeof(*v));
	if (v == NULL)
		return false;
	memset(v + q->ntypes, 0, (cap - q->ntypes) * sizeof(*v));
	q->type_by_n = v;
	q->ntypes = cap;
	return true;
}

static struct fr_sq_type *
remember(struct fr_sq *q, int64_t n, struct fr_span name)
{
	struct fr_sq_type *t;

	if (n < 1 || n > TYPES_MAX ||
	    ((size_t)n >= q->ntypes && !grow(q, (size_t)n)))
		return NULL;
	fr_assert(q->type_by_n[n] == NULL);
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->n = n;
	if (!fr_str_copy(t->name, sizeof(t->name), name) ||
	    !fr_map_put(q->type_by_name, name, t)) {
		free(t);
		return NULL;
	}
	q->type_by_n[n] = t;
	return t;
}

/* Those above the highest known number. */
static enum fr_rc
read_new(struct fr_sq *q, struct fr_err *err)
{
	size_t most = q->ntypes;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	while (most > 0 && q->type_by_n[most - 1] == NULL)
		most--;
	rc = fr_sq_get(q, FR_SQ_TYPE_NEW, &st, err);
	if (rc != FR_OK)
		return rc;
	sqlite3_bind_int64(st, 1, most > 0 ? (int64_t)most - 1 : 0);
	while ((rc = fr_sq_step(q, st, err)) == FR_OK) {
		if (remember(q, sqlite3_column_int64(st, 0),
			fr_sq_span(st, 1)) == NULL) {
			sqlite3_reset(st);
			return nomem(q, err);
		}
	}
	sqlite3_reset(st);
	return rc == FR_NOTFOUND ? FR_OK : rc;
}

void
fr_sq_types_forget(struct fr_sq *q)
{
	size_t i;

	for (i = 0; i < q->ntypes; i++) {
		if (q->type_by_n[i] == NULL)
			continue;
		(void)fr_map_del(
		    q->type_by_name, fr_span_of(q->type_by_n[i]->name));
		free(q->type_by_n[i]);
		q->type_by_n[i] = NULL;
	}
	q->dirty = NULL;
	q->types_made = false;
}

enum fr_rc
fr_sq_type(struct fr_sq *q, struct fr_span name, bool make,
    struct fr_sq_type **t, struct fr_err *err)
{
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;

	*t = fr_map_get(q->type_by_name, name);
	if (*t != NULL)
		return FR_OK;
	rc = read_new(q, err);
	if (rc != FR_OK)
		return rc;
	*t = fr_map_get(q->type_by_name, name);
	if (*t != NULL)
		return FR_OK;
	if (!make)
		return FR_NOTFOUND;
	rc = fr_sq_get(q, FR_SQ_TYPE_ADD, &st, err);
	if (rc != FR_OK)
		return rc;
	fr_sq_text_at(st, 1, name);
	rc = fr_sq_run(q, st, err);
	if (rc != FR_OK)
		return rc;
	q->types_made = true;
	*t = remember(q, sqlite3_last_insert_rowid(q->db), name);
	return *t != NULL ? FR_OK : nomem(q, err);
}

enum fr_rc
fr_sq_type_n(
    struct fr_sq *q, int64_t n, struct fr_sq_type **t, struct fr_err *err)
{
	enum fr_rc rc;

	if (n < 1 || (size_t)n >= q->ntypes || q->type_by_n[n] == NULL) {
		rc = read_new(q, err);
		if (rc != FR_OK)
			return rc;
		if (n < 1 || (size_t)n >= q->ntypes || q->type_by_n[n] == NULL)
			return fr_fail(err, FR_IO,
			    "read %s: a job has the unknown type %lld", q->path,
			    (long long)n);
	}
	*t = q->type_by_n[n];
	return FR_OK;
}

void
fr_sq_count(struct fr_sq *q, struct fr_sq_type *t, int from, int to)
{
	if (!t->dirty) {
		t->dirty = true;
		t->next = q->dirty;
		q->dirty = t;
	}
	if (from >= 0)
		t->delta[from]--;
	if (to >= 0)
		t->delta[to]++;
}

void
fr_sq_counts_forget(struct fr_sq *q)
{
	struct fr_sq_type *t;

	for (t = q->dirty; t != NULL; t = t->next) {
		t->dirty = false;
		memset(t->delta, 0, sizeof(t->delta));
	}
	q->dirty = NULL;
}

enum fr_rc
fr_sq_counts_flush(struct fr_sq *q, struct fr_err *err)
{
	struct fr_sq_type *t;
	sqlite3_stmt *st = NULL;
	enum fr_rc rc;
	int i;

	rc = fr_sq_get(q, FR_SQ_COUNT_ADD, &st, err);
	if (rc != FR_OK)
		return rc;
	for (t = q->dirty; t != NULL; t = t->next) {
		for (i = 0; i < FR_STATES; i++) {
			if (t->delta[i] == 0)
				continue;
			sqlite3_bind_int64(st, 1, t->n);
			sqlite3_bind_int(st, 2, i);
			sqlite3_bind_int64(st, 3, t->delta[i]);
			rc = fr_sq_run(q, st, err);
			if (rc != FR_OK)
				return rc;
		}
	}
	fr_sq_counts_forget(q);
	return FR_OK;
}
