/* SPDX-License-Identifier: MIT */
#include "store_unit.h"

/* What every store must do, on memory and on SQLite. */

static void
a_created_job_is_read_back_whole(void **state)
{
	struct fixture *f = *state;
	struct fr_job job = job_of(1);
	const struct fr_job *r;

	job.key = FR_SPAN("k\xc3\xb6");
	job.priority = -7;
	job.timeout_ms = 1500;
	job.max_attempts = 9;
	assert_int_equal(create(f, &job, NULL), FR_OK);
	r = get(f, 1);
	assert_non_null(r);
	assert_id(r->id, 1);
	assert_span(r->type, "sum");
	assert_span(r->data, "{\"a\":1}");
	assert_int_equal(r->key.len, 3);
	assert_int_equal(r->priority, -7);
	assert_int_equal(r->timeout_ms, 1500);
	assert_int_equal(r->max_attempts, 9);
	assert_int_equal(r->created_ms, NOW);
	assert_int_equal(r->run_at_ms, NOW);
	assert_int_equal(r->state, FR_STATE_QUEUED);
	assert_int_equal(r->attempt, 0);
	assert_int_equal(r->started_ms, 0);
	assert_int_equal(r->result.len + r->error.len + r->log.len, 0);
	assert_int_equal(r->progress.len + r->worker.len, 0);
}

static void
the_same_id_again_is_the_same_job(void **state)
{
	struct fixture *f = *state;
	struct fr_job job = job_of(1);
	struct fr_uuid id;

	assert_int_equal(create(f, &job, NULL), FR_OK);
	job.priority = 5;
	assert_int_equal(create(f, &job, &id), FR_EXISTS);
	assert_id(id, 1);
	assert_int_equal(get(f, 1)->priority, 0);
	job.data = FR_SPAN("{\"a\":2}");
	assert_int_equal(create(f, &job, NULL), FR_CONFLICT);
	job = job_of(1);
	job.type = FR_SPAN("other");
	assert_int_equal(create(f, &job, NULL), FR_CONFLICT);
	assert_span(get(f, 1)->data, "{\"a\":1}");
	stats(f);
	assert_int_equal(f->n[FR_STATE_QUEUED], 1);
	assert_int_equal(f->ntypes, 1);
}

static void
a_key_is_held_by_one_unfinished_job_of_a_type(void **state)
{
	struct fixture *f = *state;
	struct fr_job a = job_of(1), b = job_of(2), c = job_of(3);
	struct fr_uuid id;

	a.key = b.key = c.key = FR_SPAN("k");
	c.type = FR_SPAN("other");
	begin(f);
	assert_int_equal(create_in(f, &a, NULL), FR_OK);
	assert_int_equal(create_in(f, &b, &id), FR_EXISTS);
	assert_id(id, 1);
	assert_int_equal(create_in(f, &c, NULL), FR_OK);
	commit(f);
	/* While it waits, runs and waits again it keeps the key. */
	assert_true(lease(f, 1, 1));
	assert_int_equal(create(f, &b, NULL), FR_EXISTS);
	assert_int_equal(
	    report(f, f->s->ops->count_failed, 1, 1, "\"x\""), FR_OK);
	assert_int_equal(create(f, &b, NULL), FR_EXISTS);
	assert_int_equal(edit(f, f->s->ops->cancel, 1), FR_OK);
	assert_int_equal(create(f, &b, NULL), FR_OK);
	/* Now the first cannot come back before the second has ended. */
	assert_int_equal(edit(f, f->s->ops->retry, 1), FR_CONFLICT);
	assert_int_equal(get(f, 1)->state, FR_STATE_CANCELLED);
	assert_true(lease(f, 2, 2));
	assert_int_equal(report(f, f->s->ops->complete, 2, 2, "1"), FR_OK);
	assert_int_equal(edit(f, f->s->ops->retry, 1), FR_OK);
	assert_int_equal(edit(f, f->s->ops->retry, 2), FR_CONFLICT);
}

static void
rolling_back_undoes_everything(void **state)
{
	struct fixture *f = *state;
	struct fr_job job = job_of(9);
	struct fr_grant g = { .id = id_of(1),
		.token = token_of(1),
		.worker = FR_SPAN("w"),
		.now_ms = NOW,
		.until_ms = NOW + 1 };
	struct fr_report r = { .id = id_of(1),
		.token = token_of(1),
		.value = FR_SPAN("1"),
		.log = FR_SPAN("\"l\""),
		.now_ms = NOW };
	struct fr_edit e = { .id = id_of(2), .now_ms = NOW };
	struct fr_edit gone = { .id = id_of(3), .now_ms = NOW };
	struct fr_outbox_event ev = { .kind = FR_EVENT_CREATED,
		.type = FR_SPAN("sum"),
		.json = FR_SPAN("{}") };
	const struct fr_store_ops *ops = f->s->ops;

	create_n(f, 1, 3);
	assert_int_equal(edit(f, ops->cancel, 3), FR_OK);
	begin(f);
	job.type = FR_SPAN("fresh");
	job.key = FR_SPAN("k");
	assert_int_equal(create_in(f, &job, NULL), FR_OK);
	assert_int_equal(ops->lease(f->s, &g, 1, keep_row, f, NULL), FR_OK);
	assert_int_equal(ops->progress(f->s, &r, 1, NULL), FR_OK);
	assert_int_equal(ops->complete(f->s, &r, 1, NULL), FR_OK);
	assert_int_equal(r.rc, FR_OK);
	assert_int_equal(ops->cancel(f->s, &e, 1, NULL), FR_OK);
	assert_int_equal(ops->remove(f->s, &gone, 1, NULL), FR_OK);
	assert_int_equal(gone.rc, FR_OK);
	assert_int_equal(ops->pause(f->s, "sum", true, NULL), FR_OK);
	assert_int_equal(ops->outbox_put(f->s, &ev, 1, NULL), FR_OK);
	stats(f);
	assert_int_equal(f->n[FR_STATE_COMPLETE], 1);
	ops->rollback(f->s);

	assert_null(get(f, 9));
	assert_int_equal(get(f, 1)->state, FR_STATE_QUEUED);
	assert_int_equal(f->rows[0].attempt, 0);
	assert_int_equal(f->rows[0].log.len + f->rows[0].result.len, 0);
	assert_int_equal(f->rows[0].progress.len + f->rows[0].worker.len, 0);
	assert_int_equal(get(f, 2)->state, FR_STATE_QUEUED);
	assert_int_equal(get(f, 3)->state, FR_STATE_CANCELLED);
	stats(f);
	assert_int_equal(f->ntypes, 1);
	assert_int_equal(f->n[FR_STATE_QUEUED], 2);
	assert_false(f->paused);
	begin(f);
	assert_int_equal(
	    ops->outbox_take(f->s, NOW, NOW, 9, keep_event, f, NULL), FR_OK);
	commit(f);
	assert_int_equal(f->nevents, 0);
	assert_int_equal(create(f, &job, NULL), FR_OK);
	assert_true(lease(f, 1, 2));
}

static void
a_lease_shows_the_whole_row_as_it_is_now(void **state)
{
	struct fixture *f = *state;
	const struct fr_job *r = &f->rows[0];

	create_n(f, 1, 1);
	assert_true(lease(f, 1, 1));
	assert_int_equal(r->state, FR_STATE_RUNNING);
	assert_int_equal(r->attempt, 1);
	assert_int_equal(r->started_ms, NOW + 10);
	assert_int_equal(r->lease_until_ms, NOW + 1010);
	assert_span(r->worker, "w1");
	assert_span(r->data, "{\"a\":1}");
	assert_int_equal(get(f, 1)->state, FR_STATE_RUNNING);
	assert_int_equal(r->attempt, 1);
	assert_span(r->worker, "w1");
	/* It runs: nobody else gets it. */
	assert_false(lease(f, 1, 2));
	assert_false(lease(f, 77, 2));
}

static void
a_batch_may_name_a_job_twice(void **state)
{
	struct fixture *f = *state;
	struct fr_grant g[2] = { { .id = id_of(1),
				     .token = token_of(1),
				     .worker = FR_SPAN("w"),
				     .until_ms = 1 },
		{ .id = id_of(1),
		    .token = token_of(2),
		    .worker = FR_SPAN("w"),
		    .until_ms = 1 } };
	struct fr_report r[2] = {
		{ .id = id_of(1), .token = token_of(1), .value = FR_SPAN("1") },
		{ .id = id_of(1), .token = token_of(1), .value = FR_SPAN("2") }
	};
	struct fr_job jobs[2] = { job_of(1), job_of(1) };
	struct fr_created c[2];

	begin(f);
	assert_int_equal(f->s->ops->create(f->s, jobs, 2, c, NULL), FR_OK);
	assert_int_equal(c[0].rc, FR_OK);
	assert_int_equal(c[1].rc, FR_EXISTS);
	assert_int_equal(
	    f->s->ops->lease(f->s, g, 2, keep_row, f, NULL), FR_OK);
	assert_int_equal(f->nrows, 1);
	assert_int_equal(f->s->ops->complete(f->s, r, 2, NULL), FR_OK);
	assert_int_equal(r[0].rc, FR_OK);
	assert_int_equal(r[1].rc, FR_EXISTS);
	commit(f);
	assert_span(get(f, 1)->result, "1");
}

static void
an_outcome_needs_the_current_lease(void **state)
{
	struct fixture *f = *state;
	const struct fr_store_ops *ops = f->s->ops;

	create_n(f, 1, 1);
	assert_int_equal(report(f, ops->complete, 1, 1, "1"), FR_STALE);
	assert_int_equal(report(f, ops->complete, 2, 1, "1"), FR_STALE);
	assert_true(lease(f, 1, 1));
	assert_int_equal(report(f, ops->progress, 1, 2, "1"), FR_STALE);
	assert_int_equal(report(f, ops->complete, 1, 2, "1"), FR_STALE);
	assert_int_equal(report(f, ops->failed, 1, 2, "1"), FR_STALE);
	assert_int_equal(report(f, ops->count_failed, 1, 2, "1"), FR_STALE);
	assert_int_equal(report(f, ops->release, 1, 2, NULL), FR_STALE);
	assert_int_equal(
	    report_with(f, ops->complete, (struct fr_report){ .id = id_of(1) }),
	    FR_STALE);
	assert_int_equal(get(f, 1)->state, FR_STATE_RUNNING);
	assert_int_equal(f->rows[0].fail_count, 0);
	assert_int_equal(report(f, ops->complete, 1, 1, "[1]"), FR_OK);
	assert_int_equal(get(f, 1)->state, FR_STATE_COMPLETE);
	assert_span(f->rows[0].result, "[1]");
	assert_int_equal(f->rows[0].finished_ms, NOW + 20);
}

static void
a_report_sent_twice_is_known_until_the_next_one(void **state)
{
	struct fixture *f = *state;
	const struct fr_store_ops *ops = f->s->ops;

	create_n(f, 1, 1);
	assert_true(lease(f, 1, 1));
	assert_int_equal(report(f, ops->release, 1, 1, NULL), FR_OK);
	assert_int_equal(report(f, ops->release, 1, 1, NULL), FR_EXISTS);
	/* Also when the job has a new lease. */
	assert_true(lease(f, 1, 2));
	assert_int_equal(report(f, ops->release, 1, 1, NULL), FR_EXISTS);
	assert_int_equal(report(f, ops->progress, 1, 1, "1"), FR_STALE);
	assert_int_equal(get(f, 1)->state, FR_STATE_RUNNING);
	assert_int_equal(report(f, ops->complete, 1, 2, "5"), FR_OK);
	assert_int_equal(report(f, ops->complete, 1, 2, "6"), FR_EXISTS);
	assert_int_equal(report(f, ops->release, 1, 1, NULL), FR_STALE);
	assert_span(get(f, 1)->result, "5");
	assert_int_equal(edit(f, ops->retry, 1), FR_OK);
	assert_int_equal(report(f, ops->complete, 1, 2, "6"), FR_EXISTS);
	assert_true(lease(f, 1, 3));
	assert_int_equal(report(f, ops->complete, 1, 2, "6"), FR_EXISTS);
	/* A lease that nobody reported on is not remembered. */
	assert_int_equal(edit(f, ops->cancel, 1), FR_OK);
	assert_int_equal(report(f, ops->complete, 1, 3, "6"), FR_STALE);
	assert_int_equal(edit(f, ops->retry, 1), FR_OK);
	assert_true(lease(f, 1, 4));
	assert_int_equal(report(f, ops->complete, 1, 3, "6"), FR_STALE);
	assert_int_equal(report(f, ops->complete, 1, 2, "6"), FR_EXISTS);
	assert_int_equal(report(f, ops->failed, 1, 4, "\"e\""), FR_OK);
	assert_int_equal(report(f, ops->complete, 1, 2, "6"), FR_STALE);
}

static void
a_failed_attempt_waits_for_its_time(void **state)
{
	struct fixture *f = *state;
	const struct fr_store_ops *ops = f->s->ops;
	int64_t run_at, until;

	create_n(f, 1, 1);
	assert_true(lease(f, 1, 1));
	assert_int_equal(report(f, ops->progress, 1, 1, "\"half\""), FR_OK);
	assert_span(get(f, 1)->progress, "\"half\"");
	assert_int_equal(ops->next_due(f->s, &run_at, &until, NULL), FR_OK);
	assert_true(run_at == INT64_MAX);
	assert_true(until == NOW + 1010);
	assert_int_equal(report(f, ops->count_failed, 1, 1, "\"e\""), FR_OK);
	assert_int_equal(get(f, 1)->state, FR_STATE_SCHEDULED);
	assert_int_equal(f->rows[0].fail_count, 1);
	assert_int_equal(f->rows[0].run_at_ms, NOW + 5000);
	assert_span(f->rows[0].error, "\"e\"");
	assert_span(f->rows[0].progress, "\"half\"");
	assert_int_equal(ops->next_due(f->s, &run_at, &until, NULL), FR_OK);
	assert_true(run_at == NOW + 5000);
	assert_true(until == INT64_MAX);
	begin(f);
	assert_int_equal(
	    ops->promote(f->s, NOW + 4999, 9, keep_ticket, f, NULL), FR_OK);
	assert_int_equal(f->nids, 0);
	assert_int_equal(
	    ops->promote(f->s, NOW + 5000, 9, keep_ticket, f, NULL), FR_OK);
	commit(f);
	assert_int_equal(f->nids, 1);
	assert_id(f->ids[0], 1);
	assert_string_equal(f->types[0], "sum");
	assert_int_equal(get(f, 1)->state, FR_STATE_QUEUED);
	/* The progress goes with the next attempt, the error stays. */
	assert_true(lease(f, 1, 2));
	assert_int_equal(f->rows[0].progress.len, 0);
	assert_int_equal(f->rows[0].attempt, 2);
	assert_int_equal(get(f, 1)->progress.len, 0);
	assert_int_equal(report_with(f, ops->count_failed,
			     (struct fr_report){ .id = id_of(1),
				 .token = token_of(2),
				 .value = FR_SPAN("\"f\""),
				 .now_ms = NOW,
				 .run_at_ms = NOW }),
	    FR_OK);
	assert_int_equal(get(f, 1)->state, FR_STATE_QUEUED);
	assert_int_equal(f->rows[0].fail_count, 2);
	assert_true(lease(f, 1, 3));
	assert_int_equal(report(f, ops->failed, 1, 3, "\"g\""), FR_OK);
	assert_int_equal(get(f, 1)->state, FR_STATE_FAILED);
	assert_int_equal(f->rows[0].fail_count, 3);
	assert_span(f->rows[0].error, "\"g\"");
	assert_int_equal(f->rows[0].result.len, 0);
}

static void
a_released_attempt_is_not_counted(void **state)
{
	struct fixture *f = *state;

	create_n(f, 1, 1);
	assert_true(lease(f, 1, 1));
	assert_int_equal(report(f, f->s->ops->release, 1, 1, NULL), FR_OK);
	assert_int_equal(get(f, 1)->state, FR_STATE_QUEUED);
	assert_int_equal(f->rows[0].fail_count, 0);
	assert_int_equal(f->rows[0].attempt, 1);
	assert_true(lease(f, 1, 2));
	assert_int_equal(f->rows[0].attempt, 2);
}

static void
renewing_needs_the_current_lease(void **state)
{
	struct fixture *f = *state;
	struct fr_renewal r[3] = {
		{ .id = id_of(1), .token = token_of(1), .until_ms = NOW + 9 },
		{ .id = id_of(2), .token = token_of(9), .until_ms = NOW + 9 },
		{ .id = id_of(7), .token = token_of(1), .until_ms = NOW + 9 },
	};

	create_n(f, 1, 2);
	assert_true(lease(f, 1, 1));
	assert_true(lease(f, 2, 2));
	begin(f);
	assert_int_equal(f->s->ops->renew(f->s, r, 3, NULL), FR_OK);
	commit(f);
	assert_int_equal(r[0].rc, FR_OK);
	assert_int_equal(r[1].rc, FR_STALE);
	assert_int_equal(r[2].rc, FR_STALE);
	assert_int_equal(get(f, 1)->lease_until_ms, NOW + 9);
	begin(f);
	assert_int_equal(f->s->ops->renew_all(f->s, NOW + 500, NULL), FR_OK);
	commit(f);
	assert_int_equal(get(f, 1)->lease_until_ms, NOW + 500);
	assert_int_equal(get(f, 2)->lease_until_ms, NOW + 1010);
}

static void
expired_leases_are_read_oldest_first(void **state)
{
	struct fixture *f = *state;
	struct fr_renewal r = {
		.id = id_of(3), .token = token_of(3), .until_ms = NOW + 5
	};
	unsigned i;

	create_n(f, 1, 3);
	for (i = 1; i <= 3; i++)
		assert_true(lease(f, i, i));
	begin(f);
	assert_int_equal(f->s->ops->renew(f->s, &r, 1, NULL), FR_OK);
	commit(f);
	rows_free(f);
	assert_int_equal(
	    f->s->ops->expired(f->s, NOW + 4, 9, keep_row, f, NULL), FR_OK);
	assert_int_equal(f->nrows, 0);
	assert_int_equal(
	    f->s->ops->expired(f->s, NOW + 1010, 2, keep_row, f, NULL), FR_OK);
	assert_int_equal(f->nrows, 2);
	assert_id(f->rows[0].id, 3);
	assert_id(f->rows[1].id, 1);
	rows_free(f);
	assert_int_equal(
	    f->s->ops->running(f->s, FR_SPAN("w2"), keep_row, f, NULL), FR_OK);
	assert_int_equal(f->nrows, 0);
	assert_int_equal(
	    f->s->ops->running(f->s, FR_SPAN("w1"), keep_row, f, NULL), FR_OK);
	assert_int_equal(f->nrows, 3);
	rows_free(f);
	assert_int_equal(f->s->ops->running(f->s, (struct fr_span){ NULL, 0 },
			     keep_row, f, NULL),
	    FR_OK);
	assert_int_equal(f->nrows, 3);
}

static void
a_person_may_cancel_retry_and_remove(void **state)
{
	struct fixture *f = *state;
	const struct fr_store_ops *ops = f->s->ops;
	struct fr_edit e = { .id = id_of(1), .now_ms = NOW + 1 };

	create_n(f, 1, 1);
	assert_int_equal(edit(f, ops->cancel, 7), FR_NOTFOUND);
	assert_int_equal(edit(f, ops->retry, 1), FR_CONFLICT);
	assert_int_equal(edit(f, ops->remove, 1), FR_CONFLICT);
	assert_true(lease(f, 1, 1));
	begin(f);
	assert_int_equal(ops->cancel(f->s, &e, 1, NULL), FR_OK);
	commit(f);
	assert_int_equal(e.rc, FR_OK);
	assert_int_equal(e.before, FR_STATE_RUNNING);
	assert_int_equal(e.attempt, 1);
	assert_string_equal(e.type, "sum");
	assert_int_equal(get(f, 1)->state, FR_STATE_CANCELLED);
	assert_int_equal(f->rows[0].finished_ms, NOW + 1);
	assert_int_equal(report(f, ops->complete, 1, 1, "1"), FR_STALE);
	assert_int_equal(edit(f, ops->cancel, 1), FR_EXISTS);
	assert_int_equal(edit(f, ops->retry, 1), FR_OK);
	assert_int_equal(get(f, 1)->state, FR_STATE_QUEUED);
	assert_int_equal(f->rows[0].finished_ms, 0);
	assert_int_equal(f->rows[0].run_at_ms, NOW + 30);
	assert_int_equal(f->rows[0].attempt, 1);
	assert_true(lease(f, 1, 2));
	assert_int_equal(f->rows[0].attempt, 2);
	assert_int_equal(report(f, ops->progress, 1, 2, "1"), FR_OK);
	assert_int_equal(report(f, ops->failed, 1, 2, "\"e\""), FR_OK);
	assert_int_equal(edit(f, ops->cancel, 1), FR_CONFLICT);
	assert_int_equal(edit(f, ops->retry, 1), FR_OK);
	assert_int_equal(get(f, 1)->fail_count, 0);
	assert_int_equal(f->rows[0].error.len + f->rows[0].progress.len, 0);
	assert_true(lease(f, 1, 3));
	assert_int_equal(report(f, ops->complete, 1, 3, "1"), FR_OK);
	assert_int_equal(edit(f, ops->cancel, 1), FR_CONFLICT);
	assert_int_equal(edit(f, ops->remove, 1), FR_OK);
	assert_null(get(f, 1));
	assert_int_equal(edit(f, ops->remove, 1), FR_NOTFOUND);
	stats(f);
	assert_int_equal(f->ntypes, 0);
}

static void
a_scheduled_or_queued_job_can_be_cancelled(void **state)
{
	struct fixture *f = *state;
	struct fr_job job = job_of(1);

	job.state = FR_STATE_SCHEDULED;
	job.run_at_ms = NOW + 100;
	assert_int_equal(create(f, &job, NULL), FR_OK);
	job = job_of(2);
	assert_int_equal(create(f, &job, NULL), FR_OK);
	assert_false(lease(f, 1, 1));
	assert_int_equal(edit(f, f->s->ops->cancel, 1), FR_OK);
	assert_int_equal(edit(f, f->s->ops->cancel, 2), FR_OK);
	assert_int_equal(get(f, 1)->state, FR_STATE_CANCELLED);
	assert_int_equal(f->rows[0].run_at_ms, NOW + 100);
	assert_int_equal(get(f, 2)->state, FR_STATE_CANCELLED);
	assert_int_equal(f->rows[0].run_at_ms, NOW);
	assert_false(lease(f, 2, 1));
	stats(f);
	assert_int_equal(f->n[FR_STATE_CANCELLED], 2);
	assert_int_equal(f->n[FR_STATE_QUEUED], 0);
	assert_int_equal(f->n[FR_STATE_SCHEDULED], 0);
}

#define CASE(c)                                                                \
	{ "memory: " #c, c, setup_memory, teardown, NULL },                    \
	{                                                                      \
		"sqlite: " #c, c, setup_sqlite, teardown, NULL                 \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_created_job_is_read_back_whole),
		CASE(the_same_id_again_is_the_same_job),
		CASE(a_key_is_held_by_one_unfinished_job_of_a_type),
		CASE(rolling_back_undoes_everything),
		CASE(a_lease_shows_the_whole_row_as_it_is_now),
		CASE(a_batch_may_name_a_job_twice),
		CASE(an_outcome_needs_the_current_lease),
		CASE(a_report_sent_twice_is_known_until_the_next_one),
		CASE(a_failed_attempt_waits_for_its_time),
		CASE(a_released_attempt_is_not_counted),
		CASE(renewing_needs_the_current_lease),
		CASE(expired_leases_are_read_oldest_first),
		CASE(a_person_may_cancel_retry_and_remove),
		CASE(a_scheduled_or_queued_job_can_be_cancelled),
	};

	return FR_UNIT_MAIN(tests);
}
