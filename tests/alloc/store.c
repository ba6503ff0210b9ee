/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fr/queue.h>
#include <fr/store.h>

#include "backends/registry.h"
#include "base/str.h"
#include "base/uuid.h"
#include "tests/alloc/lib/alloc.h"

/*
 * A transaction with a bit of everything while one allocation fails, of ours
 * or of SQLite's. The store must say so, roll back, and do the same work when
 * there is memory again.
 */

static char dir[32] = "/dev/shm/fr-alloc.XXXXXX";

/* SQLite's memory through our own malloc, so that it can fail. Its size is
 * kept in front. */
static void *
sq_malloc(int n)
{
	int64_t *p = malloc((size_t)n + sizeof(*p));

	if (p == NULL)
		return NULL;
	*p = n;
	return p + 1;
}

static void
sq_free(void *p)
{
	if (p != NULL)
		free((int64_t *)p - 1);
}

static void *
sq_realloc(void *old, int n)
{
	int64_t *p;

	p = realloc((int64_t *)old - 1, (size_t)n + sizeof(*p));
	if (p == NULL)
		return NULL;
	*p = n;
	return p + 1;
}

static int
sq_size(void *p)
{
	return p == NULL ? 0 : (int)*((int64_t *)p - 1);
}

static int
sq_round(int n)
{
	return (n + 7) & ~7;
}

static int
sq_init(void *arg)
{
	(void)arg;
	return SQLITE_OK;
}

static void
sq_shutdown(void *arg)
{
	(void)arg;
}

static const struct sqlite3_mem_methods memory = {
	.xMalloc = sq_malloc,
	.xFree = sq_free,
	.xRealloc = sq_realloc,
	.xSize = sq_size,
	.xRoundup = sq_round,
	.xInit = sq_init,
	.xShutdown = sq_shutdown,
};

static const struct fr_uuid ids[2] = { { { 1, 2, 3 } }, { { 1, 2, 4 } } };
static const struct fr_token token = { { 9 } };

static enum fr_rc
count_row(void *arg, const struct fr_job *job)
{
	(void)job;
	(*(int *)arg)++;
	return FR_OK;
}

static enum fr_rc
count_event(void *arg, const struct fr_outbox_event *ev)
{
	(void)ev;
	(*(int *)arg)++;
	return FR_OK;
}

/* Two jobs; one runs, says something and fails, and is tried again. */
static enum fr_rc
work(struct fr_store *s, struct fr_err *err)
{
	const struct fr_store_ops *ops = s->ops;
	struct fr_job jobs[2] = { { .id = ids[0],
				      .type = FR_SPAN("one"),
				      .data = FR_SPAN("1"),
				      .key = FR_SPAN("k"),
				      .state = FR_STATE_QUEUED },
		{ .id = ids[1],
		    .type = FR_SPAN("two"),
		    .data = FR_SPAN("2"),
		    .run_at_ms = 5,
		    .state = FR_STATE_SCHEDULED } };
	struct fr_created c[2];
	const struct fr_grant g = { .id = ids[0],
		.token = token,
		.worker = FR_SPAN("w"),
		.until_ms = 9 };
	struct fr_report r = { .id = ids[0],
		.token = token,
		.value = FR_SPAN("\"e\""),
		.log = FR_SPAN("\"l\""),
		.now_ms = 3 };
	struct fr_edit e = { .id = ids[0], .now_ms = 4 };
	struct fr_outbox_event ev = { .kind = FR_EVENT_CREATED,
		.type = FR_SPAN("one"),
		.json = FR_SPAN("{}") };
	const struct fr_list l = { .states = FR_STATE_ALL, .limit = 9 };
	enum fr_rc rc;
	int n = 0;

	rc = ops->begin(s, err);
	if (rc != FR_OK)
		return rc;
	rc = ops->create(s, jobs, 2, c, err);
	if (rc == FR_OK)
		rc = ops->lease(s, &g, 1, count_row, &n, err);
	if (rc == FR_OK)
		rc = ops->progress(s, &r, 1, err);
	if (rc == FR_OK)
		rc = ops->failed(s, &r, 1, err);
	if (rc == FR_OK)
		rc = ops->retry(s, &e, 1, err);
	if (rc == FR_OK)
		rc = ops->pause(s, "two", true, err);
	if (rc == FR_OK)
		rc = ops->outbox_put(s, &ev, 1, err);
	if (rc == FR_OK)
		rc = ops->outbox_take(s, 1, 2, 9, count_event, &n, err);
	if (rc == FR_OK)
		rc = ops->list(s, &l, count_row, &n, err);
	if (rc != FR_OK) {
		ops->rollback(s);
		return rc;
	}
	must(n == 4);
	return ops->commit(s, err);
}

static int
jobs_in(struct fr_store *s)
{
	struct fr_err err;
	int n = 0;

	must(s->ops->get(s, ids, 2, count_row, &n, &err) == FR_OK);
	return n;
}

static enum fr_rc
try_store(const char *url, bool opening)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_store *s = NULL;
	enum fr_rc rc;

	if (!opening)
		(void)alloc_stop();
	rc = fr_registry_store(&s, url, 0, &err);
	if (!opening)
		alloc_begin();
	if (rc == FR_OK) {
		rc = work(s, &err);
		(void)alloc_stop();
		must(jobs_in(s) == (rc == FR_OK ? 2 : 0));
		if (rc != FR_OK)
			must(work(s, NULL) == FR_OK);
		s->ops->close(s);
	}
	if (rc != FR_OK)
		must(err.rc == rc);
	return rc;
}

static enum fr_rc
memory_store(void)
{
	return try_store("memory:alloc", true);
}

static void
remove_files(void)
{
	static const char *const names[] = { "", "-wal", "-shm", ".lock" };
	char path[100];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (fr_str_format(path, sizeof(path), "%s/db%s", dir, names[i]))
			(void)unlink(path);
}

static enum fr_rc
sqlite_store(void)
{
	char url[100];
	enum fr_rc rc;

	remove_files();
	must(fr_str_format(url, sizeof(url), "sqlite:%s/db", dir));
	rc = try_store(url, false);
	(void)alloc_stop();
	sqlite3_shutdown();
	return rc;
}

/* Opening what is there, to write and to read. */
static enum fr_rc
sqlite_open(void)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_store *w = NULL, *r = NULL;
	char url[100];
	enum fr_rc rc;

	must(fr_str_format(url, sizeof(url), "sqlite:%s/db", dir));
	rc = fr_registry_store(&w, url, 0, &err);
	if (rc == FR_OK)
		rc = fr_registry_store(&r, url, FR_STORE_READONLY, &err);
	must(rc == FR_OK || err.rc == rc);
	(void)alloc_stop();
	if (r != NULL)
		r->ops->close(r);
	if (w != NULL)
		w->ops->close(w);
	sqlite3_shutdown();
	return rc;
}

int
main(void)
{
	/* A prime, so that no loop's rhythm hides behind it. */
	const size_t step = getenv("FR_TEST_ALL") != NULL ? 1 : 13;

	/* In memory if there can be files: thousands are made. */
	if (mkdtemp(dir) == NULL) {
		memcpy(dir, "/tmp/fr-alloc.XXXXXX", 21);
		must(mkdtemp(dir) != NULL);
	}
	must(sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) == SQLITE_OK);
	/* What is made once, for as long as a process lives. */
	must(sqlite_store() == FR_OK);
	alloc_try("the memory store", memory_store);
	alloc_try_some("the SQLite store", sqlite_store, step);
	alloc_try_some("opening a SQLite store", sqlite_open, step);
	remove_files();
	(void)rmdir(dir);
	return alloc_done();
}
