/* SPDX-License-Identifier: MIT */
#ifndef FR_STORE_UNIT_H
#define FR_STORE_UNIT_H

#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fr/queue.h>
#include <fr/store.h>

#include "backends/registry.h"
#include "base/str.h"
#include "base/uuid.h"

/* What the tests of stores have in common. */

#define NOW INT64_C(1800000000000)

/* A store in a directory of its own, and what was last read from it. */
struct fixture {
	bool sqlite;
	char dir[64];
	char url[128];
	struct fr_store *s;
	struct fr_err err;
	/* rows of the last read; their spans are copies */
	struct fr_job rows[64];
	char *texts[64][6];
	size_t nrows;
	/* tickets of the last walk, and events */
	struct fr_uuid ids[64];
	int32_t priorities[64];
	char types[64][FR_TYPE_MAX + 1];
	char data[64][64];
	size_t nids;
	int64_t numbers[64];
	uint32_t tries[64];
	char json[64][64];
	size_t nevents;
	int64_t n[FR_STATES]; /* of all types together */
	size_t ntypes;
	bool paused;
	unsigned made; /* ids so far */
};

static inline void
rows_free(struct fixture *f)
{
	size_t i, k;

	for (i = 0; i < f->nrows; i++)
		for (k = 0; k < 6; k++)
			free(f->texts[i][k]);
	f->nrows = 0;
}

static inline void
store_open(struct fixture *f)
{
	if (fr_registry_store(&f->s, f->url, 0, &f->err) != FR_OK)
		fail_msg("%s", f->err.msg);
}

static inline void
store_reopen(struct fixture *f)
{
	f->s->ops->close(f->s);
	store_open(f);
}

static inline struct fixture *
fixture_new(bool sqlite)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->sqlite = sqlite;
	(void)!fr_str_format(f->dir, sizeof(f->dir), "/tmp/fr-store.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	if (sqlite)
		(void)!fr_str_format(
		    f->url, sizeof(f->url), "sqlite:%s/db", f->dir);
	else
		(void)!fr_str_format(
		    f->url, sizeof(f->url), "memory:%s", f->dir);
	return f;
}

static inline void
dir_remove(const char *dir)
{
	static const char *const names[] = { "db", "db-wal", "db-shm",
		"db.lock", "log", "a/b/db", "a/b/db-wal", "a/b/db-shm",
		"a/b/db.lock", "link" };
	char path[200];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (fr_str_format(path, sizeof(path), "%s/%s", dir, names[i]))
			(void)unlink(path);
	if (fr_str_format(path, sizeof(path), "%s/a/b", dir))
		(void)rmdir(path);
	if (fr_str_format(path, sizeof(path), "%s/a", dir))
		(void)rmdir(path);
	(void)rmdir(dir);
}

static inline void
fixture_free(struct fixture *f)
{
	if (f->s != NULL)
		f->s->ops->close(f->s);
	rows_free(f);
	dir_remove(f->dir);
	free(f);
}

static inline int
setup_memory(void **state)
{
	struct fixture *f = fixture_new(false);

	*state = f;
	store_open(f);
	return 0;
}

static inline int
setup_sqlite(void **state)
{
	struct fixture *f = fixture_new(true);

	*state = f;
	store_open(f);
	return 0;
}

static inline int
teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

/* The n-th id; as version 7 makes them, they grow. */
static inline struct fr_uuid
id_of(unsigned n)
{
	struct fr_uuid id = { { 0x01, 0x9a, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0,
	    0, 0, 0, 0 } };

	id.b[12] = (unsigned char)(n >> 24);
	id.b[13] = (unsigned char)(n >> 16);
	id.b[14] = (unsigned char)(n >> 8);
	id.b[15] = (unsigned char)n;
	return id;
}

static inline struct fr_token
token_of(unsigned n)
{
	struct fr_token t = { { 0xee } };

	memcpy(t.b + 1, &n, sizeof(n));
	return t;
}

static inline struct fr_job
job_of(unsigned n)
{
	return (struct fr_job){
		.id = id_of(n),
		.type = FR_SPAN("sum"),
		.data = FR_SPAN("{\"a\":1}"),
		.state = FR_STATE_QUEUED,
		.max_attempts = 3,
		.created_ms = NOW,
		.run_at_ms = NOW,
	};
}

static inline void
begin(struct fixture *f)
{
	if (f->s->ops->begin(f->s, &f->err) != FR_OK)
		fail_msg("begin: %s", f->err.msg);
}

static inline void
commit(struct fixture *f)
{
	if (f->s->ops->commit(f->s, &f->err) != FR_OK)
		fail_msg("commit: %s", f->err.msg);
}

/* Within a transaction; the item's rc. */
static inline enum fr_rc
create_in(struct fixture *f, const struct fr_job *job, struct fr_uuid *id)
{
	struct fr_created c = { .rc = FR_BROKEN };

	if (f->s->ops->create(f->s, job, 1, &c, &f->err) != FR_OK)
		fail_msg("create: %s", f->err.msg);
	if (id != NULL)
		*id = c.id;
	return c.rc;
}

static inline enum fr_rc
create(struct fixture *f, const struct fr_job *job, struct fr_uuid *id)
{
	enum fr_rc rc;

	begin(f);
	rc = create_in(f, job, id);
	commit(f);
	return rc;
}

/* n jobs from id first on. */
static inline void
create_n(struct fixture *f, unsigned first, unsigned n)
{
	unsigned i;

	begin(f);
	for (i = 0; i < n; i++) {
		struct fr_job job = job_of(first + i);

		assert_int_equal(create_in(f, &job, NULL), FR_OK);
	}
	commit(f);
}

static inline char *
text_dup(struct fr_span *s)
{
	char *p;

	if (s->len == 0)
		return NULL;
	p = malloc(s->len);
	assert_non_null(p);
	memcpy(p, s->p, s->len);
	s->p = p;
	return p;
}

static inline enum fr_rc
keep_row(void *arg, const struct fr_job *job)
{
	struct fixture *f = arg;
	struct fr_job *r = &f->rows[f->nrows];
	char **t = f->texts[f->nrows];

	assert_true(f->nrows < 64);
	*r = *job;
	t[0] = text_dup(&r->data);
	t[1] = text_dup(&r->progress);
	t[2] = text_dup(&r->result);
	t[3] = text_dup(&r->error);
	t[4] = text_dup(&r->log);
	t[5] = text_dup(&r->worker);
	f->nrows++;
	return FR_OK;
}

static inline enum fr_rc
keep_ticket(void *arg, const struct fr_ticket *t)
{
	struct fixture *f = arg;

	assert_true(f->nids < 64);
	f->ids[f->nids] = t->id;
	f->priorities[f->nids] = t->priority;
	assert_true(fr_str_copy(
	    f->types[f->nids], sizeof(f->types[0]), fr_span_of(t->type)));
	assert_true(fr_str_copy(f->data[f->nids], sizeof(f->data[0]), t->data));
	f->nids++;
	return FR_OK;
}

static inline enum fr_rc
keep_event(void *arg, const struct fr_outbox_event *ev)
{
	struct fixture *f = arg;

	assert_true(f->nevents < 64);
	f->numbers[f->nevents] = ev->number;
	f->tries[f->nevents] = ev->tries;
	assert_true(
	    fr_str_copy(f->json[f->nevents], sizeof(f->json[0]), ev->json));
	f->nevents++;
	return FR_OK;
}

static inline enum fr_rc
keep_stats(void *arg, const struct fr_type_stats *t)
{
	struct fixture *f = arg;
	int i;

	f->ntypes++;
	f->paused = f->paused || t->paused;
	for (i = 0; i < FR_STATES; i++)
		f->n[i] += t->n[i];
	return FR_OK;
}

/* The job with the n-th id; NULL: not there. */
static inline const struct fr_job *
get(struct fixture *f, unsigned n)
{
	const struct fr_uuid id = id_of(n);

	rows_free(f);
	assert_int_equal(
	    f->s->ops->get(f->s, &id, 1, keep_row, f, &f->err), FR_OK);
	return f->nrows == 1 ? &f->rows[0] : NULL;
}

/* Leases the n-th job with token t; the row is in rows[0]. */
static inline bool
lease(struct fixture *f, unsigned n, unsigned t)
{
	const struct fr_grant g = {
		.id = id_of(n),
		.token = token_of(t),
		.worker = FR_SPAN("w1"),
		.now_ms = NOW + 10,
		.until_ms = NOW + 1010,
	};

	rows_free(f);
	begin(f);
	assert_int_equal(
	    f->s->ops->lease(f->s, &g, 1, keep_row, f, &f->err), FR_OK);
	commit(f);
	return f->nrows == 1;
}

/* One report in a transaction of its own; the item's rc. */
static inline enum fr_rc
report_with(struct fixture *f, fr_store_report_fn *fn, struct fr_report r)
{
	r.rc = FR_BROKEN;
	begin(f);
	if (fn(f->s, &r, 1, &f->err) != FR_OK)
		fail_msg("report: %s", f->err.msg);
	commit(f);
	return r.rc;
}

static inline enum fr_rc
report(struct fixture *f, fr_store_report_fn *fn, unsigned n, unsigned t,
    const char *value)
{
	return report_with(f, fn,
	    (struct fr_report){
		.id = id_of(n),
		.token = token_of(t),
		.value = fr_span_of(value),
		.now_ms = NOW + 20,
		.run_at_ms = NOW + 5000,
	    });
}

static inline enum fr_rc
edit(struct fixture *f, fr_store_edit_fn *fn, unsigned n)
{
	struct fr_edit e = { .id = id_of(n), .now_ms = NOW + 30 };

	e.rc = FR_BROKEN;
	begin(f);
	if (fn(f->s, &e, 1, &f->err) != FR_OK)
		fail_msg("edit: %s", f->err.msg);
	commit(f);
	return e.rc;
}

static inline void
stats(struct fixture *f)
{
	memset(f->n, 0, sizeof(f->n));
	f->ntypes = 0;
	f->paused = false;
	assert_int_equal(f->s->ops->stats(f->s, keep_stats, f, &f->err), FR_OK);
}

#define assert_span(span, text)                                                \
	do {                                                                   \
		struct fr_span s_ = (span);                                    \
		assert_int_equal(s_.len, strlen(text));                        \
		assert_memory_equal(s_.p, text, s_.len);                       \
	} while (0)
#define assert_id(got, n)                                                      \
	do {                                                                   \
		struct fr_uuid want_ = id_of(n);                               \
		assert_memory_equal((got).b, want_.b, sizeof(want_.b));        \
	} while (0)

#endif
