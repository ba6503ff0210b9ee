/* SPDX-License-Identifier: MIT */
#include "store_unit.h"

#include "power.h"

/*
 * The power may go at any moment: whatever was acknowledged is there when it
 * is back, and a transaction is there whole or not at all.
 */

#define TURNS 150U /* transactions; the log is copied back several times */
#define BATCH 4U
#define KEEP 30U /* batches; older ones are removed */

/*
 * What turn k does: makes batch k, finishes batch k - 1, forgets k - KEEP. The
 * first failure ends it, rolled back.
 */
static enum fr_rc
turn(struct fixture *f, unsigned k)
{
	static char big[25000];
	struct fr_grant g = { .worker = FR_SPAN("w"), .until_ms = NOW };
	struct fr_report r = { .value = FR_SPAN("[\"done\"]"), .now_ms = NOW };
	struct fr_edit e = { .now_ms = NOW };
	struct fr_job job;
	unsigned i;

	const struct fr_store_ops *ops = f->s->ops;
	struct fr_created c;
	enum fr_rc rc;

	memset(big, '1' + (int)(k % 9), sizeof(big));
	rc = ops->begin(f->s, &f->err);
	if (rc != FR_OK)
		return rc;
	for (i = 0; i < BATCH && rc == FR_OK; i++) {
		job = job_of(k * BATCH + i);
		if (i == 0)
			job.data = (struct fr_span){ big, sizeof(big) };
		rc = ops->create(f->s, &job, 1, &c, &f->err);
		if (rc != FR_OK || k == 0)
			continue;
		g.id = r.id = id_of((k - 1) * BATCH + i);
		g.token = r.token = token_of(k);
		rows_free(f);
		rc = ops->lease(f->s, &g, 1, keep_row, f, &f->err);
		if (rc == FR_OK)
			rc = ops->complete(f->s, &r, 1, &f->err);
		if (rc != FR_OK || k < KEEP)
			continue;
		e.id = id_of((k - KEEP) * BATCH + i);
		rc = ops->remove(f->s, &e, 1, &f->err);
	}
	if (rc != FR_OK) {
		ops->rollback(f->s);
		return rc;
	}
	rc = ops->commit(f->s, &f->err);
	if (rc == FR_OK)
		power_note(POWER_ACK, 0, k, NULL, 0);
	return rc;
}

struct seen {
	size_t n, bad;
	unsigned newest; /* batch */
};

static enum fr_rc
see_row(void *arg, const struct fr_job *job)
{
	struct seen *s = arg;
	const unsigned n = (unsigned)job->id.b[14] << 8 | job->id.b[15];
	const unsigned batch = n / BATCH;
	const bool newest = s->n < BATCH;

	/* Newest first: the first four are the batch that waits. */
	if (s->n == 0)
		s->newest = batch;
	if (n != s->newest * BATCH + BATCH - 1 - s->n)
		s->bad++;
	if (job->state != (newest ? FR_STATE_QUEUED : FR_STATE_COMPLETE))
		s->bad++;
	if (!newest && !fr_span_is(job->result, "[\"done\"]"))
		s->bad++;
	if (n % BATCH == 0 &&
	    (job->data.len != 25000 ||
		job->data.p[24999] != '1' + (char)(batch % 9)))
		s->bad++;
	s->n++;
	return FR_OK;
}

static void
check_sound(const char *path)
{
	sqlite3_stmt *st;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(st, 0), "ok");
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* The store as it is found; acked: the last acknowledged turn, or -1. */
static void
check_found(struct fixture *f, const char *path, int64_t acked, size_t cut,
    enum power_luck luck)
{
	const struct fr_list l = { .states = FR_STATE_ALL, .limit = 1000 };
	struct seen s = { 0 };
	size_t want;

	if (fr_registry_store(&f->s, f->url, 0, &f->err) != FR_OK)
		fail_msg("cut %zu, luck %d: %s", cut, (int)luck, f->err.msg);
	assert_int_equal(
	    f->s->ops->list(f->s, &l, see_row, &s, &f->err), FR_OK);
	stats(f);
	f->s->ops->close(f->s);
	f->s = NULL;
	want = s.n == 0 ? 0 : (s.newest < KEEP ? s.newest + 1 : KEEP) * BATCH;
	if (s.bad != 0 || s.n != want ||
	    f->n[FR_STATE_QUEUED] != (s.n > 0 ? BATCH : 0) ||
	    f->n[FR_STATE_QUEUED] + f->n[FR_STATE_COMPLETE] != (int64_t)s.n ||
	    (s.n == 0 ? acked >= 0
		      : (int64_t)s.newest != acked &&
			    (int64_t)s.newest != acked + 1))
		fail_msg("cut %zu, luck %d: %zu jobs, %zu wrong, newest batch "
			 "%u, acknowledged %lld",
		    cut, (int)luck, s.n, s.bad, s.newest, (long long)acked);
	check_sound(path);
}

/* Is a cut behind entry i worth trying? Near syncs all are, else few. */
static bool
worth(size_t i, unsigned *seed, unsigned slow)
{
	size_t k;

	for (k = i < 2 ? 0 : i - 2; k < i + 3 && k < power.n; k++)
		if (power.v[k].op == POWER_DELETE ||
		    (power.v[k].file == 0 && power.v[k].op == POWER_SYNC))
			return true;
	if (power.v[i].op == POWER_SYNC || power.v[i].op == POWER_ACK)
		return power_draw(seed, 3 * slow) == 0;
	return power_draw(seed, 60 * slow) == 0;
}

static void
cut_everywhere(struct fixture *f, const char *path)
{
	struct power_image disk[POWER_FILES] = { { .there = true } };
	struct power_image found[POWER_FILES] = { { 0 } };
	size_t since[POWER_FILES] = { 0 }, i, k;
	unsigned seed = 1, cuts = 0, slow = getenv("FR_TEST_SLOW") ? 2 : 1;
	enum power_luck luck;
	int64_t acked = -1;
	int n;

	for (i = 0; i < power.n; i++) {
		const struct power_entry *e = &power.v[i];

		if (e->op == POWER_ACK)
			acked = e->at;
		if (e->op == POWER_SYNC) {
			disk[e->file].there = true;
			for (k = since[e->file]; k < i; k++)
				if (power.v[k].file == e->file)
					image_apply(
					    &disk[e->file], &power.v[k]);
			since[e->file] = i + 1;
		}
		if (!worth(i, &seed, slow))
			continue;
		luck = (enum power_luck)(cuts++ % 4);
		for (n = 0; n < POWER_FILES; n++) {
			image_copy(&found[n], &disk[n]);
			for (k = since[n]; k <= i; k++)
				if (power.v[k].file == n &&
				    power.v[k].op != POWER_ACK)
					image_maybe(&found[n], &power.v[k],
					    luck, &seed);
			image_write(&found[n], path, power_suffix[n]);
		}
		check_found(f, path, acked, i, luck);
	}
	print_message("# %u power cuts among %zu writes\n", cuts, power.n);
	assert_true(cuts > 40);
	for (n = 0; n < POWER_FILES; n++) {
		free(disk[n].p);
		free(found[n].p);
	}
}

static void
a_power_cut_at_any_write_loses_nothing(void **state)
{
	struct fixture *f = *state;
	char path[200];
	unsigned k;

	assert_true(fr_str_format(path, sizeof(path), "%s/db", f->dir));
	power_watch(path);
	store_open(f);
	for (k = 0; k < TURNS; k++)
		assert_int_equal(turn(f, k), FR_OK);
	f->s->ops->close(f->s);
	f->s = NULL;
	power_watch("");
	cut_everywhere(f, path);
	power_forget();
}

static void
a_commit_is_few_writes_and_one_sync(void **state)
{
	struct fixture *f = *state;
	size_t writes = 0, syncs = 0, i;
	char path[200];
	unsigned k;

	assert_true(fr_str_format(path, sizeof(path), "%s/db", f->dir));
	power_watch(path);
	store_open(f);
	for (k = 0; k < 3; k++)
		assert_int_equal(turn(f, k), FR_OK);
	for (i = power.n; i > 0; i--) {
		if (power.v[i - 1].op == POWER_ACK && power.v[i - 1].at == 1)
			break;
		if (power.v[i - 1].op == POWER_ACK)
			continue;
		writes += power.v[i - 1].op == POWER_WRITE;
		syncs += power.v[i - 1].op == POWER_SYNC;
		assert_int_equal(power.v[i - 1].file, 1);
	}
	/* Dozens of pages, in pieces of 64 KiB. */
	assert_int_equal(syncs, 1);
	assert_in_range(writes, 1, 3);
	f->s->ops->close(f->s);
	f->s = NULL;
	power_watch("");
	power_forget();
}

/*
 * Turns with one write or sync that fails, the n-th; what the store says of it
 * is what is found when it is opened again. Returns whether there were as
 * many as n.
 */
static bool
fail_nth(struct fixture *f, const char *path, unsigned n, int code)
{
	enum fr_rc rc = FR_OK;
	int64_t acked = -1;
	bool reached;
	unsigned k;

	(void)unlink(path);
	power_watch(path);
	store_open(f);
	power.fail_in = n;
	power.fail_with = code;
	for (k = 0; k < 75 && rc == FR_OK; k++) {
		rc = turn(f, k);
		if (rc == FR_OK)
			acked = k;
	}
	if (rc == FR_NOSPACE) {
		/* Nothing of it is there, and the store can be used. */
		assert_int_equal(code, SQLITE_FULL);
		acked = k - 1;
		assert_int_equal(turn(f, k - 1), FR_OK);
	} else if (rc != FR_OK) {
		assert_int_not_equal(code, SQLITE_FULL);
		assert_true(rc == FR_IO || rc == FR_UNKNOWN);
		assert_int_equal(f->err.rc, rc);
		/* Not believed any more before it is opened again. */
		assert_int_equal(turn(f, k), FR_IO);
	}
	reached = power.fail_in == 0;
	power.fail_in = 0;
	power_watch("");
	f->s->ops->close(f->s);
	check_found(f, path, acked, n, POWER_KEPT);
	power_forget();
	return reached;
}

static void
each_write_or_sync_that_fails_is_answered_truly(void **state)
{
	static const int codes[] = { SQLITE_FULL, SQLITE_IOERR };
	struct fixture *f = *state;
	unsigned n, seed = 3, last = 0;
	char path[200];
	size_t i;

	f->s = NULL;
	assert_true(fr_str_format(path, sizeof(path), "%s/db", f->dir));
	for (i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		for (n = 1; fail_nth(f, path, n, codes[i]);
		     n += n < 60 ? 1 : 1 + power_draw(&seed, 60))
			last = n;
	}
	print_message("# %u writes and syncs\n", last);
	assert_true(last > 200);
}

/* In memory if there is room: thousands of files are written. */
static int
setup(void **state)
{
	struct fixture *f = fixture_new(true);
	char dir[64] = "/dev/shm/fr-store.XXXXXX";

	*state = f;
	if (mkdtemp(dir) == NULL)
		return 0;
	(void)rmdir(f->dir);
	memcpy(f->dir, dir, sizeof(dir));
	return fr_str_format(f->url, sizeof(f->url), "sqlite:%s/db", dir) ? 0
									  : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_power_cut_at_any_write_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_commit_is_few_writes_and_one_sync, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    each_write_or_sync_that_fails_is_answered_truly, setup,
		    teardown),
	};

	return FR_UNIT_MAIN(tests);
}
