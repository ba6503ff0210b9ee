/* SPDX-License-Identifier: MIT */
#include "store_unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>

/* What is SQLite's own: its file, its lock, its schema, its counts. */

static void
path_of(const struct fixture *f, const char *name, char path[200])
{
	assert_true(fr_str_format(path, 200, "%s/%s", f->dir, name));
}

/* Runs sql beside the store, as a person with a shell would. */
static void
sql(const struct fixture *f, const char *text)
{
	char path[200], *msg = NULL;
	sqlite3 *db;

	path_of(f, "db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &msg) != SQLITE_OK)
		fail_msg("%s", msg);
	sqlite3_close(db);
}

/* The first column of the first row. */
static int64_t
number(const struct fixture *f, const char *text)
{
	sqlite3_stmt *st;
	char path[200];
	sqlite3 *db;
	int64_t v;

	path_of(f, "db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, text, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

static void
a_second_writer_is_told_who_is_there(void **state)
{
	struct fixture *f = *state;
	struct fr_store *s = NULL;
	char pid[40], path[200], link_path[200], url[220];

	assert_int_equal(
	    fr_registry_store(&s, f->url, 0, &f->err), FR_CONFLICT);
	assert_null(s);
	assert_true(fr_str_format(
	    pid, sizeof(pid), "in use by pid %ld (this one)", (long)getpid()));
	assert_non_null(strstr(f->err.msg, pid));
	/* By another name too. */
	path_of(f, "db", path);
	path_of(f, "link", link_path);
	assert_int_equal(symlink(path, link_path), 0);
	assert_true(fr_str_format(url, sizeof(url), "sqlite:%s", link_path));
	assert_int_equal(fr_registry_store(&s, url, 0, &f->err), FR_CONFLICT);
	/* The first is as it was, and when it has gone its lock has. */
	create_n(f, 1, 1);
	store_reopen(f);
	assert_non_null(get(f, 1));
}

static void
a_killed_writer_leaves_no_lock(void **state)
{
	struct fixture *f = *state;
	int ready[2], status;
	char c;
	pid_t pid;

	f->s->ops->close(f->s);
	f->s = NULL;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (fr_registry_store(&f->s, f->url, 0, &f->err) == FR_OK)
			(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	assert_int_equal(
	    fr_registry_store(&f->s, f->url, 0, &f->err), FR_CONFLICT);
	assert_null(strstr(f->err.msg, "this one"));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	store_open(f);
}

static void
a_directory_is_not_made_and_the_file_is_private(void **state)
{
	struct fixture *f = *state;
	char url[220], path[200];
	struct fr_store *s;
	struct stat st;
	mode_t mask;

	assert_true(fr_str_format(url, sizeof(url), "sqlite:%s/a/db", f->dir));
	assert_int_equal(fr_registry_store(&s, url, 0, &f->err), FR_NOTFOUND);
	assert_non_null(strstr(f->err.msg, "there is no directory"));
	path_of(f, "a", path);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(mkdir(path, 0700), 0);
	mask = umask(0);
	assert_int_equal(fr_registry_store(&s, url, 0, &f->err), FR_OK);
	umask(mask);
	path_of(f, "a/db", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	path_of(f, "a/db-wal", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	path_of(f, "a/db.lock", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	s->ops->close(s);
}

static void
what_is_not_ours_is_refused(void **state)
{
	static const char text[] =
	    "This is no database at all, but text of more than a hundred "
	    "bytes, which is what it takes to be looked at.";
	struct fixture *f = *state;
	struct fr_store *s = NULL;
	char path[200];
	int fd;

	f->s->ops->close(f->s);
	f->s = NULL;
	sql(f, "PRAGMA user_version = 99");
	assert_int_equal(fr_registry_store(&s, f->url, 0, &f->err), FR_INVALID);
	assert_non_null(strstr(f->err.msg, "newer"));
	sql(f, "PRAGMA user_version = -3");
	assert_int_equal(fr_registry_store(&s, f->url, 0, &f->err), FR_INVALID);
	assert_non_null(strstr(f->err.msg, "-3"));
	sql(f, "PRAGMA user_version = 0; PRAGMA application_id = 7");
	assert_int_equal(fr_registry_store(&s, f->url, 0, &f->err), FR_INVALID);
	assert_non_null(strstr(f->err.msg, "not one of Forerunner"));
	path_of(f, "db", path);
	assert_int_equal(unlink(path), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text)), (ssize_t)sizeof(text));
	close(fd);
	assert_int_equal(fr_registry_store(&s, f->url, 0, &f->err), FR_IO);
	assert_non_null(strstr(f->err.msg, "keep a copy"));
	assert_int_equal(
	    fr_registry_store(&s, "sqlite:", 0, &f->err), FR_USAGE);
	assert_int_equal(
	    fr_registry_store(&s, "sqlite:/tmp/", 0, &f->err), FR_USAGE);
	assert_int_equal(fr_registry_store(&s, "sqlite:/nonexistent/db",
			     FR_STORE_READONLY, &f->err),
	    FR_NOTFOUND);
	assert_null(s);
}

static void
it_is_as_durable_as_it_says(void **state)
{
	struct fixture *f = *state;

	create_n(f, 1, 1);
	assert_true((f->s->ops->caps & FR_STORE_DURABLE) != 0);
	assert_non_null(
	    strstr(f->s->ops->describe(f->s), "WAL, synchronous=FULL"));
	store_reopen(f);
	assert_non_null(get(f, 1));
}

static void
types_of_a_rolled_back_transaction_are_forgotten(void **state)
{
	struct fixture *f = *state;
	struct fr_job job = job_of(1);

	begin(f);
	job.type = FR_SPAN("fresh");
	assert_int_equal(create_in(f, &job, NULL), FR_OK);
	f->s->ops->rollback(f->s);
	job.type = FR_SPAN("other");
	assert_int_equal(create(f, &job, NULL), FR_OK);
	assert_span(get(f, 1)->type, "other");
	assert_int_equal(number(f, "SELECT count(*) FROM type"), 1);
}

static void
a_writer_beside_us_makes_us_try_later(void **state)
{
	struct fixture *f = *state;
	char path[200];
	sqlite3 *db;

	path_of(f, "db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(f->s->ops->begin(f->s, &f->err), FR_AGAIN);
	sqlite3_close(db);
	create_n(f, 1, 1);
}

/* Beyond 50,000 jobs another statement makes the pages. */
static void
a_long_list_has_the_same_pages(void **state)
{
	struct fixture *f = *state;
	const struct fr_uuid after = id_of(50000);
	struct fr_list l = { .states = FR_STATE_ALL, .limit = 64 };
	unsigned i, n;

	create_n(f, 1, 51100);
	for (i = 49900; i <= 50000; i += 10) {
		assert_true(lease(f, i, i));
		assert_int_equal(edit(f, f->s->ops->cancel, i + 1), FR_OK);
	}
	rows_free(f);
	assert_int_equal(
	    f->s->ops->list(f->s, &l, keep_row, f, &f->err), FR_OK);
	assert_int_equal(f->nrows, 64);
	for (i = 0; i < 64; i++)
		assert_id(f->rows[i].id, 51100 - i);
	/* A page in the middle, without those that run. */
	l.after = &after;
	l.states = FR_STATE_ALL & ~FR_STATE_BIT(FR_STATE_RUNNING);
	l.type = FR_SPAN("sum");
	rows_free(f);
	assert_int_equal(
	    f->s->ops->list(f->s, &l, keep_row, f, &f->err), FR_OK);
	assert_int_equal(f->nrows, 64);
	for (i = 0, n = 49999; i < 64; i++, n--) {
		if (n % 10 == 0)
			n--;
		assert_id(f->rows[i].id, n);
		assert_int_equal(f->rows[i].state,
		    n % 10 == 1 ? FR_STATE_CANCELLED : FR_STATE_QUEUED);
	}
	l.states = FR_STATE_BIT(FR_STATE_CANCELLED);
	rows_free(f);
	assert_int_equal(
	    f->s->ops->list(f->s, &l, keep_row, f, &f->err), FR_OK);
	assert_int_equal(f->nrows, 10);
	assert_id(f->rows[0].id, 49991);
}

/* A linear congruential generator: the same life each time. */
static unsigned
draw(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245U + 12345U;
	return (*seed >> 16) % n;
}

static void
one_step(struct fixture *f, unsigned *seed)
{
	const struct fr_store_ops *ops = f->s->ops;
	const unsigned n = draw(seed, 40), t = draw(seed, 3);
	static const char *const values[] = { "1", "\"e\"", "{\"r\":[1,2]}" };
	struct fr_job job = job_of(n);
	size_t k = 1 + draw(seed, 3);

	job.type = draw(seed, 2) ? FR_SPAN("a") : FR_SPAN("b");
	if (draw(seed, 2))
		job.key = draw(seed, 2) ? FR_SPAN("x") : FR_SPAN("y");
	if (draw(seed, 3) == 0)
		job.state = FR_STATE_SCHEDULED;
	switch (draw(seed, 12)) {
	case 0:
	case 1:
	case 2:
		(void)create(f, &job, NULL);
		break;
	case 3:
	case 4:
		(void)lease(f, n, t);
		break;
	case 5:
		(void)report(f, ops->complete, n, t, values[t]);
		break;
	case 6:
		(void)report(f, ops->count_failed, n, t, values[t]);
		break;
	case 7:
		(void)report(f, ops->failed, n, t, values[t]);
		break;
	case 8:
		(void)report(f, ops->release, n, t, NULL);
		break;
	case 9:
		(void)edit(f, draw(seed, 2) ? ops->cancel : ops->retry, n);
		break;
	case 10:
		(void)edit(f, ops->remove, n);
		break;
	default:
		begin(f);
		f->nids = 0;
		assert_int_equal(
		    ops->promote(f->s, NOW + 9000, k, keep_ticket, f, NULL),
		    FR_OK);
		if (draw(seed, 4) == 0)
			assert_int_equal(ops->purge(f->s, FR_STATE_ENDED,
					     NOW + 9000, &k, NULL),
			    FR_OK);
		if (draw(seed, 3) == 0)
			ops->rollback(f->s);
		else
			commit(f);
		break;
	}
}

/* Each of these must be 0, whatever has happened. */
static const char *const wrong[] = {
	"SELECT count(*) FROM (SELECT type, state, n FROM count WHERE n <> 0"
	" EXCEPT SELECT j.type, coalesce(r.state, 1), count(*) FROM job j"
	" LEFT JOIN ran r ON r.seq = j.seq GROUP BY 1, 2)",
	"SELECT count(*) FROM (SELECT j.type, coalesce(r.state, 1), count(*)"
	" FROM job j LEFT JOIN ran r ON r.seq = j.seq GROUP BY 1, 2"
	" EXCEPT SELECT type, state, n FROM count)",
	"SELECT count(*) FROM (SELECT seq, id, type, priority FROM queued"
	" EXCEPT SELECT j.seq, j.id, j.type, j.priority FROM job j"
	" LEFT JOIN ran r ON r.seq = j.seq WHERE coalesce(r.state, 1) = 1)",
	"SELECT count(*) FROM job j LEFT JOIN ran r ON r.seq = j.seq"
	" WHERE coalesce(r.state, 1) = 1"
	" AND j.seq NOT IN (SELECT seq FROM queued)",
	"SELECT count(*) FROM (SELECT type, key, seq FROM held EXCEPT"
	" SELECT j.type, j.key, j.seq FROM job j LEFT JOIN ran r"
	" ON r.seq = j.seq WHERE coalesce(r.state, 1) < 3)",
	"SELECT count(*) FROM job j LEFT JOIN ran r ON r.seq = j.seq"
	" WHERE coalesce(r.state, 1) < 3 AND j.key IS NOT NULL"
	" AND j.seq NOT IN (SELECT seq FROM held)",
	"SELECT count(*) FROM ran WHERE seq NOT IN (SELECT seq FROM job)",
	"SELECT count(*) FROM said"
	" WHERE seq NOT IN (SELECT seq FROM ran WHERE said)",
	"SELECT count(*) FROM ran r JOIN job j ON j.seq = r.seq"
	" WHERE r.type <> j.type OR r.keyed <> (j.key IS NOT NULL)",
	"SELECT count(*) FROM pragma_integrity_check"
	" WHERE integrity_check <> 'ok'",
};

static void
its_tables_agree_after_a_random_life(void **state)
{
	struct fixture *f = *state;
	unsigned seed = 1, i;
	size_t k;

	for (i = 0; i < 3000; i++) {
		one_step(f, &seed);
		if (i % 1000 == 500)
			store_reopen(f);
	}
	for (k = 0; k < sizeof(wrong) / sizeof(*wrong); k++)
		if (number(f, wrong[k]) != 0)
			fail_msg("not 0: %s", wrong[k]);
	assert_true(number(f, "SELECT count(*) FROM job") > 5);
}

static void
both_stores_lead_the_same_random_life(void **state)
{
	struct fixture *f = *state, *m = fixture_new(false);
	const struct fr_list l = { .states = FR_STATE_ALL, .limit = 64 };
	unsigned seed_f = 7, seed_m = 7, i;
	size_t k;

	store_open(m);
	for (i = 0; i < 3000; i++) {
		one_step(f, &seed_f);
		one_step(m, &seed_m);
		assert_int_equal(seed_f, seed_m);
		if (i % 100 != 0)
			continue;
		rows_free(f);
		rows_free(m);
		assert_int_equal(
		    f->s->ops->list(f->s, &l, keep_row, f, NULL), FR_OK);
		assert_int_equal(
		    m->s->ops->list(m->s, &l, keep_row, m, NULL), FR_OK);
		assert_int_equal(f->nrows, m->nrows);
		for (k = 0; k < f->nrows; k++) {
			const struct fr_job *a = &f->rows[k];
			const struct fr_job *b = &m->rows[k];

			assert_memory_equal(&a->id, &b->id, sizeof(a->id));
			assert_int_equal(a->state, b->state);
			assert_int_equal(a->attempt, b->attempt);
			assert_int_equal(a->fail_count, b->fail_count);
			assert_int_equal(a->run_at_ms, b->run_at_ms);
			assert_int_equal(a->started_ms, b->started_ms);
			assert_int_equal(a->finished_ms, b->finished_ms);
			assert_true(fr_span_eq(a->result, b->result));
			assert_true(fr_span_eq(a->error, b->error));
			assert_true(fr_span_eq(a->worker, b->worker));
			assert_memory_equal(
			    &a->lease, &b->lease, sizeof(a->lease));
		}
	}
	fixture_free(m);
}

int
main(void)
{
#define CASE(c)                                                                \
	{                                                                      \
#c, c, setup_sqlite, teardown, NULL                            \
	}
	const struct CMUnitTest tests[] = {
		CASE(a_second_writer_is_told_who_is_there),
		CASE(a_killed_writer_leaves_no_lock),
		CASE(a_directory_is_not_made_and_the_file_is_private),
		CASE(what_is_not_ours_is_refused),
		CASE(it_is_as_durable_as_it_says),
		CASE(types_of_a_rolled_back_transaction_are_forgotten),
		CASE(a_writer_beside_us_makes_us_try_later),
		CASE(a_long_list_has_the_same_pages),
		CASE(its_tables_agree_after_a_random_life),
		CASE(both_stores_lead_the_same_random_life),
	};

	return FR_UNIT_MAIN(tests);
}
