/* SPDX-License-Identifier: MIT */
#include "store_unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

/* Processes that die, disks that are full, pages that are damaged. */

#define BATCH 7U /* jobs in one transaction of the writer that is killed */

static void
assert_sound(const struct fixture *f)
{
	sqlite3_stmt *st;
	char path[200];
	sqlite3 *db;

	assert_true(fr_str_format(path, sizeof(path), "%s/db", f->dir));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(st, 0), "ok");
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static enum fr_rc
count_row(void *arg, const struct fr_job *job)
{
	size_t *n = arg;

	(void)job;
	(*n)++;
	return FR_OK;
}

/* How many jobs of a batch there are. */
static size_t
batch_size(struct fixture *f, unsigned batch)
{
	struct fr_uuid ids[BATCH];
	size_t n = 0;
	unsigned i;

	for (i = 0; i < BATCH; i++)
		ids[i] = id_of(batch * BATCH + i);
	assert_int_equal(
	    f->s->ops->get(f->s, ids, BATCH, count_row, &n, &f->err), FR_OK);
	return n;
}

/* Commits batches from the first on and tells fd of each; never returns. */
static void
write_for_ever(struct fixture *f, unsigned batch, int fd)
{
	struct fr_grant g = { .worker = FR_SPAN("w"), .until_ms = NOW };
	struct fr_report r = { .value = FR_SPAN("1"), .now_ms = NOW };
	size_t n = 0;

	store_open(f);
	for (;; batch++) {
		create_n(f, batch * BATCH, BATCH);
		g.id = r.id = id_of(batch * BATCH);
		g.token = r.token = token_of(batch);
		begin(f);
		if (f->s->ops->lease(f->s, &g, 1, count_row, &n, &f->err) !=
			FR_OK ||
		    f->s->ops->complete(f->s, &r, 1, &f->err) != FR_OK ||
		    r.rc != FR_OK)
			abort();
		commit(f);
		if (write(fd, &batch, sizeof(batch)) != sizeof(batch))
			abort();
	}
}

/* Lets a writer live for some ms, kills it and returns its last word. */
static unsigned
kill_writer(struct fixture *f, unsigned first, long ms)
{
	const struct timespec t = { 0, ms * 1000000L };
	unsigned batch, last = first - 1;
	int word[2], status;
	pid_t pid;

	assert_int_equal(pipe(word), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(word[0]);
		write_for_ever(f, first, word[1]);
	}
	close(word[1]);
	/* It has begun; then die at some moment. */
	assert_int_equal(read(word[0], &last, sizeof(last)), sizeof(last));
	nanosleep(&t, NULL);
	kill(pid, SIGKILL);
	while (read(word[0], &batch, sizeof(batch)) == sizeof(batch))
		last = batch;
	close(word[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return last;
}

static void
a_writer_killed_at_any_moment_loses_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned first = 1, last, b, round, known = 0;
	size_t n;

	f->s->ops->close(f->s);
	f->s = NULL;
	for (round = 0; round < 12; round++) {
		last = kill_writer(f, first, 1 + (long)(round * 7) % 23);
		store_open(f);
		assert_sound(f);
		for (b = first; b <= last; b++)
			assert_int_equal(batch_size(f, b), BATCH);
		/* The one it was at is there whole or not at all. */
		n = batch_size(f, last + 1);
		assert_true(n == 0 || n == BATCH);
		assert_int_equal(batch_size(f, last + 2), 0);
		stats(f);
		assert_int_equal(
		    f->n[FR_STATE_QUEUED] + f->n[FR_STATE_COMPLETE],
		    (last + (n > 0)) * BATCH);
		known += last + 1 - first;
		assert_in_range(
		    f->n[FR_STATE_COMPLETE], known, known + round + 1);
		first = last + 1 + (n > 0);
		f->s->ops->close(f->s);
		f->s = NULL;
	}
}

static int
setup_full(void **state)
{
	struct fixture *f = fixture_new(true);

	*state = f;
	if (geteuid() != 0 || mount("none", f->dir, "tmpfs", 0, "size=2m") != 0)
		return 0;
	store_open(f);
	return 0;
}

static int
teardown_full(void **state)
{
	struct fixture *f = *state;

	if (f->s != NULL) {
		f->s->ops->close(f->s);
		f->s = NULL;
		(void)umount2(f->dir, MNT_DETACH);
	}
	fixture_free(f);
	return 0;
}

/* One job of 30 kB; what commit, or create before it, says. */
static enum fr_rc
create_big(struct fixture *f, unsigned n)
{
	static char big[30000];
	struct fr_job job = job_of(n);
	struct fr_created c;
	enum fr_rc rc;

	memset(big, '7', sizeof(big));
	job.data = (struct fr_span){ big, sizeof(big) };
	rc = f->s->ops->begin(f->s, &f->err);
	if (rc != FR_OK)
		return rc;
	rc = f->s->ops->create(f->s, &job, 1, &c, &f->err);
	if (rc == FR_OK)
		return f->s->ops->commit(f->s, &f->err);
	f->s->ops->rollback(f->s);
	return rc;
}

static unsigned
fill(struct fixture *f, unsigned first)
{
	unsigned n = first;
	enum fr_rc rc;

	while ((rc = create_big(f, n)) == FR_OK)
		n++;
	assert_int_equal(rc, FR_NOSPACE);
	assert_int_equal(f->err.rc, FR_NOSPACE);
	return n;
}

static void
a_full_disk_refuses_writes_and_still_reads(void **state)
{
	struct fixture *f = *state, o = { .sqlite = true };
	char ballast[200];
	char block[65536] = { 0 };
	unsigned n, i;
	int fd;

	if (f->s == NULL)
		skip();
	assert_true(fr_str_format(ballast, sizeof(ballast), "%s/log", f->dir));
	fd = open(ballast, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(
		    write(fd, block, sizeof(block)), (ssize_t)sizeof(block));
	close(fd);

	n = fill(f, 1);
	assert_true(n > 5);
	/* Nothing of the refused one is there, all others are. */
	assert_null(get(f, n));
	for (i = 1; i < n; i++)
		assert_non_null(get(f, i));
	stats(f);
	assert_int_equal(f->n[FR_STATE_QUEUED], n - 1);
	assert_int_equal(
	    fr_registry_store(&o.s, f->url, FR_STORE_READONLY, &o.err), FR_OK);
	assert_non_null(get(&o, n - 1));
	stats(&o);
	assert_int_equal(o.n[FR_STATE_QUEUED], n - 1);
	o.s->ops->close(o.s);
	rows_free(&o);
	assert_int_equal(create_big(f, n), FR_NOSPACE);

	/* With room again it goes on, without being opened anew. */
	assert_int_equal(unlink(ballast), 0);
	assert_int_equal(create_big(f, n), FR_OK);
	assert_non_null(get(f, n));
	n = fill(f, n + 1);
	store_reopen(f);
	for (i = 1; i < n; i++)
		assert_non_null(get(f, i));
	assert_sound(f);
}

static void
a_damaged_page_is_an_error_with_advice(void **state)
{
	struct fixture *f = *state;
	char path[200], junk[4096];
	struct fr_list l = { .states = FR_STATE_ALL, .limit = 1000000 };
	size_t n = 0;
	unsigned i;
	enum fr_rc rc;
	int fd;

	for (i = 0; i < 20; i++)
		create_n(f, i * 50, 50);
	f->s->ops->close(f->s);
	f->s = NULL;
	assert_true(fr_str_format(path, sizeof(path), "%s/db", f->dir));
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	memset(junk, 0xa5, sizeof(junk));
	/* All but the schema's pages. */
	for (i = 16; i < 60; i++)
		assert_true(pwrite(fd, junk, sizeof(junk),
				(off_t)(i * sizeof(junk))) > 0);
	close(fd);
	rc = fr_registry_store(&f->s, f->url, 0, &f->err);
	if (rc == FR_OK)
		rc = f->s->ops->list(f->s, &l, count_row, &n, &f->err);
	assert_int_equal(rc, FR_IO);
	assert_non_null(strstr(f->err.msg, "keep a copy"));
	/* And it is not believed any more. */
	if (f->s != NULL)
		assert_int_equal(f->s->ops->begin(f->s, &f->err), FR_IO);
}

/* A reader that takes its time must not make the log grow without end. */
static void
the_log_is_cut_when_a_slow_reader_has_gone(void **state)
{
	struct fixture *f = *state;
	static char big[60000];
	struct fr_job job;
	sqlite3 *db;
	char path[200];
	struct stat st;
	unsigned i;

	memset(big, '1', sizeof(big));
	create_n(f, 1000000, 1);
	assert_true(fr_str_format(path, sizeof(path), "%s/db", f->dir));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM job",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	for (i = 0; i < 700; i++) {
		job = job_of(i);
		job.data = (struct fr_span){ big, sizeof(big) };
		assert_int_equal(create(f, &job, NULL), FR_OK);
	}
	assert_true(fr_str_format(path, sizeof(path), "%s/db-wal", f->dir));
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 36 * 1024 * 1024);
	sqlite3_close(db);
	for (i = 700; i < 900; i++) {
		job = job_of(i);
		job.data = (struct fr_span){ big, sizeof(big) };
		assert_int_equal(create(f, &job, NULL), FR_OK);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size <= 33 * 1024 * 1024);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_writer_killed_at_any_moment_loses_nothing, setup_sqlite,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_full_disk_refuses_writes_and_still_reads, setup_full,
		    teardown_full),
		cmocka_unit_test_setup_teardown(
		    a_damaged_page_is_an_error_with_advice, setup_sqlite,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    the_log_is_cut_when_a_slow_reader_has_gone, setup_sqlite,
		    teardown),
	};

	return FR_UNIT_MAIN(tests);
}
