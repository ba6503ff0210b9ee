/* SPDX-License-Identifier: MIT */
#include "store_unit.h"

/* Lists, walks, pages, events and odd values, on memory and on SQLite. */

static void
list_page(struct fixture *f, unsigned states, const char *type,
    const struct fr_uuid *after, size_t limit)
{
	const struct fr_list l = { states, fr_span_of(type), after, limit };

	rows_free(f);
	assert_int_equal(
	    f->s->ops->list(f->s, &l, keep_row, f, &f->err), FR_OK);
}

static void
lists_are_newest_first_and_go_on_behind_a_job(void **state)
{
	struct fixture *f = *state;
	struct fr_job other = job_of(4);
	struct fr_uuid after;

	/* A client's own id, out of order. */
	other.id = id_of(0);
	create_n(f, 1, 3);
	other.type = FR_SPAN("other");
	assert_int_equal(create(f, &other, NULL), FR_OK);
	create_n(f, 5, 3);
	list_page(f, FR_STATE_ALL, NULL, NULL, 3);
	assert_int_equal(f->nrows, 3);
	assert_id(f->rows[0].id, 7);
	assert_id(f->rows[2].id, 5);
	after = f->rows[2].id;
	list_page(f, FR_STATE_ALL, NULL, &after, 2);
	assert_int_equal(f->nrows, 2);
	assert_id(f->rows[0].id, 0);
	assert_id(f->rows[1].id, 3);
	list_page(f, FR_STATE_ALL, "other", NULL, 9);
	assert_int_equal(f->nrows, 1);
	list_page(f, FR_STATE_ALL, "none", NULL, 9);
	assert_int_equal(f->nrows, 0);
	assert_true(lease(f, 6, 1));
	list_page(f, FR_STATE_BIT(FR_STATE_RUNNING), NULL, NULL, 9);
	assert_int_equal(f->nrows, 1);
	list_page(f,
	    FR_STATE_BIT(FR_STATE_RUNNING) | FR_STATE_BIT(FR_STATE_QUEUED),
	    "sum", NULL, 2);
	assert_int_equal(f->nrows, 2);
	assert_id(f->rows[0].id, 7);
	assert_id(f->rows[1].id, 6);
}

static void
a_list_goes_on_although_its_last_job_is_gone(void **state)
{
	struct fixture *f = *state;
	const struct fr_uuid after = id_of(4), first = id_of(1);

	create_n(f, 1, 6);
	assert_int_equal(edit(f, f->s->ops->cancel, 4), FR_OK);
	assert_int_equal(edit(f, f->s->ops->remove, 4), FR_OK);
	list_page(f, FR_STATE_ALL, NULL, &after, 9);
	assert_int_equal(f->nrows, 3);
	assert_id(f->rows[0].id, 3);
	assert_int_equal(edit(f, f->s->ops->cancel, 1), FR_OK);
	assert_int_equal(edit(f, f->s->ops->remove, 1), FR_OK);
	list_page(f, FR_STATE_ALL, NULL, &first, 9);
	assert_int_equal(f->nrows, 0);
}

static size_t
walk(struct fixture *f, const char *type, bool data, int64_t *cursor, size_t n)
{
	f->nids = 0;
	assert_int_equal(f->s->ops->get_queue(f->s, type, data, cursor, &n,
			     keep_ticket, f, &f->err),
	    FR_OK);
	assert_int_equal(n, f->nids);
	return n;
}

static void
the_queue_is_walked_in_the_order_of_creation(void **state)
{
	struct fixture *f = *state;
	int64_t cursor = 0;

	create_n(f, 1, 5);
	assert_true(lease(f, 2, 1));
	assert_int_equal(walk(f, NULL, true, &cursor, 2), 2);
	assert_id(f->ids[0], 1);
	assert_id(f->ids[1], 3);
	assert_string_equal(f->data[0], "{\"a\":1}");
	assert_string_equal(f->types[0], "sum");
	create_n(f, 6, 1);
	assert_int_equal(walk(f, NULL, false, &cursor, 9), 3);
	assert_id(f->ids[0], 4);
	assert_id(f->ids[2], 6);
	assert_string_equal(f->data[0], "");
	assert_int_equal(walk(f, NULL, false, &cursor, 9), 0);
	/* One that is given back stands where it was. */
	assert_int_equal(report(f, f->s->ops->release, 2, 1, NULL), FR_OK);
	cursor = 0;
	assert_int_equal(walk(f, NULL, false, &cursor, 9), 6);
	assert_id(f->ids[1], 2);
}

static void
a_job_behind_a_removed_one_is_met_by_the_walk(void **state)
{
	struct fixture *f = *state;
	int64_t cursor = 0;

	create_n(f, 1, 2);
	assert_int_equal(walk(f, NULL, false, &cursor, 2), 2);
	assert_int_equal(edit(f, f->s->ops->cancel, 2), FR_OK);
	assert_int_equal(edit(f, f->s->ops->remove, 2), FR_OK);
	begin(f);
	{
		struct fr_job lost = job_of(8);

		assert_int_equal(create_in(f, &lost, NULL), FR_OK);
	}
	f->s->ops->rollback(f->s);
	create_n(f, 3, 1);
	assert_int_equal(walk(f, NULL, false, &cursor, 2), 1);
	assert_id(f->ids[0], 3);
}

static void
the_queue_of_a_type_is_walked_by_priority(void **state)
{
	struct fixture *f = *state;
	struct fr_job job;
	int64_t cursor = 99;
	unsigned i;

	begin(f);
	for (i = 1; i <= 6; i++) {
		job = job_of(i);
		job.priority = (int32_t)(i % 3) - 1;
		if (i == 6)
			job.type = FR_SPAN("other");
		assert_int_equal(create_in(f, &job, NULL), FR_OK);
	}
	commit(f);
	assert_int_equal(walk(f, "sum", true, &cursor, 9), 5);
	assert_id(f->ids[0], 2);
	assert_id(f->ids[1], 5);
	assert_id(f->ids[2], 1);
	assert_id(f->ids[3], 4);
	assert_id(f->ids[4], 3);
	assert_int_equal(f->priorities[0], 1);
	assert_string_equal(f->data[0], "{\"a\":1}");
	assert_int_equal(walk(f, "sum", false, &cursor, 2), 2);
	assert_int_equal(walk(f, "none", false, &cursor, 2), 0);
}

static void
ids_are_found_by_their_beginning(void **state)
{
	struct fixture *f = *state;
	struct fr_job job = job_of(2);

	memset(job.id.b, 0xff, sizeof(job.id.b));
	assert_int_equal(create(f, &job, NULL), FR_OK);
	create_n(f, 1, 3);
	rows_free(f);
	assert_int_equal(
	    f->s->ops->find(f->s, "019a0", 9, keep_row, f, NULL), FR_OK);
	assert_int_equal(f->nrows, 3);
	rows_free(f);
	assert_int_equal(
	    f->s->ops->find(f->s, "019a0", 2, keep_row, f, NULL), FR_OK);
	assert_int_equal(f->nrows, 2);
	rows_free(f);
	assert_int_equal(
	    f->s->ops->find(f->s, "019a00000000700080000000000000020", 9,
		keep_row, f, NULL),
	    FR_OK);
	assert_int_equal(f->nrows, 0);
	assert_int_equal(
	    f->s->ops->find(
		f->s, "019a0000000070008000000000000002", 9, keep_row, f, NULL),
	    FR_OK);
	assert_int_equal(f->nrows, 1);
	assert_id(f->rows[0].id, 2);
	rows_free(f);
	assert_int_equal(
	    f->s->ops->find(f->s, "f", 9, keep_row, f, NULL), FR_OK);
	assert_int_equal(f->nrows, 1);
}

static void
old_ended_jobs_are_purged_in_small_batches(void **state)
{
	struct fixture *f = *state;
	const unsigned done = FR_STATE_BIT(FR_STATE_COMPLETE);
	size_t n = 9;
	unsigned i;

	create_n(f, 1, 6);
	for (i = 1; i <= 4; i++) {
		assert_true(lease(f, i, i));
		assert_int_equal(
		    report(f, i == 4 ? f->s->ops->failed : f->s->ops->complete,
			i, i, "\"x\""),
		    FR_OK);
	}
	assert_int_equal(edit(f, f->s->ops->cancel, 5), FR_OK);
	begin(f);
	assert_int_equal(
	    f->s->ops->purge(f->s, FR_STATE_ENDED, NOW + 20, &n, NULL), FR_OK);
	assert_int_equal(n, 0);
	n = 2;
	assert_int_equal(
	    f->s->ops->purge(f->s, done, NOW + 21, &n, NULL), FR_OK);
	assert_int_equal(n, 2);
	commit(f);
	stats(f);
	assert_int_equal(f->n[FR_STATE_COMPLETE], 1);
	assert_int_equal(f->n[FR_STATE_FAILED], 1);
	n = 9;
	begin(f);
	assert_int_equal(
	    f->s->ops->purge(f->s, FR_STATE_ENDED, NOW + 99, &n, NULL), FR_OK);
	commit(f);
	assert_int_equal(n, 3);
	stats(f);
	assert_int_equal(f->n[FR_STATE_QUEUED], 1);
	assert_non_null(get(f, 6));
	assert_null(get(f, 4));
	assert_null(get(f, 5));
}

static void
pausing_is_remembered(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_int_equal(f->s->ops->pause(f->s, "sum", true, NULL), FR_OK);
	assert_int_equal(f->s->ops->pause(f->s, "sum", true, NULL), FR_OK);
	commit(f);
	stats(f);
	assert_true(f->paused);
	create_n(f, 1, 1);
	stats(f);
	assert_true(f->paused);
	assert_int_equal(f->n[FR_STATE_QUEUED], 1);
	begin(f);
	assert_int_equal(f->s->ops->pause(f->s, "sum", false, NULL), FR_OK);
	commit(f);
	stats(f);
	assert_false(f->paused);
}

static size_t
take(struct fixture *f, int64_t now_ms, size_t limit)
{
	f->nevents = 0;
	begin(f);
	assert_int_equal(f->s->ops->outbox_take(f->s, now_ms, now_ms + 10,
			     limit, keep_event, f, NULL),
	    FR_OK);
	commit(f);
	return f->nevents;
}

static void
the_outbox_gives_an_event_until_it_is_done(void **state)
{
	struct fixture *f = *state;
	struct fr_outbox_event ev[3] = {
		{ .kind = FR_EVENT_CREATED,
		    .type = FR_SPAN("sum"),
		    .json = FR_SPAN("{\"n\":0}") },
		{ .kind = FR_EVENT_STAGED,
		    .type = FR_SPAN("sum"),
		    .json = FR_SPAN("{\"n\":1}") },
		{ .kind = FR_EVENT_COMPLETE,
		    .type = FR_SPAN("sum"),
		    .json = FR_SPAN("{\"n\":2}") },
	};
	int64_t done[2];

	begin(f);
	assert_int_equal(f->s->ops->outbox_put(f->s, ev, 3, NULL), FR_OK);
	commit(f);
	assert_true(ev[0].number < ev[1].number);
	assert_int_equal(take(f, NOW, 2), 2);
	assert_true(f->numbers[0] == ev[0].number);
	assert_string_equal(f->json[1], "{\"n\":1}");
	assert_int_equal(f->tries[0], 1);
	assert_int_equal(take(f, NOW + 9, 9), 1);
	assert_string_equal(f->json[0], "{\"n\":2}");
	assert_int_equal(take(f, NOW + 10, 9), 2);
	assert_int_equal(f->tries[0], 2);
	done[0] = ev[0].number;
	done[1] = ev[2].number;
	begin(f);
	assert_int_equal(f->s->ops->outbox_done(f->s, done, 2, NULL), FR_OK);
	assert_int_equal(
	    f->s->ops->outbox_retry(f->s, ev[1].number, NOW + 500, NULL),
	    FR_OK);
	commit(f);
	assert_int_equal(take(f, NOW + 499, 9), 0);
	assert_int_equal(take(f, NOW + 500, 9), 1);
	assert_int_equal(f->tries[0], 3);
	begin(f);
	assert_int_equal(
	    f->s->ops->outbox_done(f->s, &ev[1].number, 1, NULL), FR_OK);
	commit(f);
	assert_int_equal(take(f, NOW + 5000, 9), 0);
}

static void
odd_values_come_back_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	static const char *const odd[] = { "1e400", "\"\\u0000\\ud800\"",
		"{\"a\":1,\"a\":2}", "-0", "12345678901234567890123", "\"\"",
		"0.1000", "\"\xf0\x9f\x98\x80\"", "[[],{}]", "null" };
	const unsigned n = sizeof(odd) / sizeof(*odd);
	struct fr_job job;
	unsigned i;

	for (i = 0; i < n; i++) {
		job = job_of(i);
		job.data = fr_span_of(odd[i]);
		assert_int_equal(create(f, &job, NULL), FR_OK);
		assert_int_equal(create(f, &job, NULL), FR_EXISTS);
		assert_true(lease(f, i, 1));
		assert_span(f->rows[0].data, odd[i]);
		assert_int_equal(
		    report(f, f->s->ops->progress, i, 1, odd[i]), FR_OK);
		assert_int_equal(
		    report(f, f->s->ops->complete, i, 1, odd[i]), FR_OK);
	}
	if (f->sqlite)
		store_reopen(f);
	for (i = 0; i < n; i++) {
		assert_span(get(f, i)->data, odd[i]);
		assert_span(f->rows[0].progress, odd[i]);
		assert_span(f->rows[0].result, odd[i]);
	}
}

static void
large_values_come_back_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	const size_t len = 1024 * 1024;
	char *big = malloc(len);
	struct fr_span v = { big, len };
	struct fr_job job = job_of(1);

	assert_non_null(big);
	memset(big, 'x', len);
	big[0] = big[len - 1] = '"';
	memcpy(big + 5000, "\\u0000", 6);
	job.data = v;
	assert_int_equal(create(f, &job, NULL), FR_OK);
	assert_true(lease(f, 1, 1));
	assert_int_equal(f->rows[0].data.len, len);
	assert_int_equal(report_with(f, f->s->ops->count_failed,
			     (struct fr_report){ .id = id_of(1),
				 .token = token_of(1),
				 .value = v,
				 .log = v }),
	    FR_OK);
	assert_true(lease(f, 1, 2));
	assert_int_equal(f->rows[0].error.len, len);
	assert_memory_equal(f->rows[0].error.p, big, len);
	assert_int_equal(report_with(f, f->s->ops->complete,
			     (struct fr_report){ .id = id_of(1),
				 .token = token_of(2),
				 .value = v,
				 .log = v }),
	    FR_OK);
	assert_non_null(get(f, 1));
	assert_int_equal(f->rows[0].data.len, len);
	assert_int_equal(f->rows[0].result.len, len);
	assert_int_equal(f->rows[0].log.len, len);
	assert_memory_equal(f->rows[0].data.p, big, len);
	assert_memory_equal(f->rows[0].result.p, big, len);
	assert_int_equal(f->rows[0].error.len, 0);
	assert_memory_equal(f->rows[0].log.p, big, len);
	free(big);
}

static void
the_log_is_that_of_the_last_attempt(void **state)
{
	struct fixture *f = *state;
	const struct fr_store_ops *ops = f->s->ops;
	struct fr_report r = { .id = id_of(1),
		.token = token_of(1),
		.value = FR_SPAN("\"e\""),
		.log = FR_SPAN("\"one\"") };

	create_n(f, 1, 1);
	assert_true(lease(f, 1, 1));
	assert_int_equal(report_with(f, ops->count_failed, r), FR_OK);
	assert_span(get(f, 1)->log, "\"one\"");
	/* Giving it back without a log keeps the one there is. */
	assert_true(lease(f, 1, 2));
	assert_int_equal(report(f, ops->release, 1, 2, NULL), FR_OK);
	assert_span(get(f, 1)->log, "\"one\"");
	r.token = token_of(3);
	r.log = FR_SPAN("\"two\"");
	assert_true(lease(f, 1, 3));
	assert_int_equal(report_with(f, ops->release, r), FR_OK);
	assert_span(get(f, 1)->log, "\"two\"");
	assert_true(lease(f, 1, 4));
	assert_int_equal(report(f, ops->complete, 1, 4, "1"), FR_OK);
	assert_int_equal(get(f, 1)->log.len, 0);
}

static void
another_handle_sees_what_is_committed(void **state)
{
	struct fixture *f = *state;
	struct fixture o = { .sqlite = f->sqlite };
	struct fr_grant g = { .id = id_of(1),
		.token = token_of(1),
		.worker = FR_SPAN("w"),
		.now_ms = NOW,
		.until_ms = NOW + 1 };
	struct fr_job job = job_of(2);
	struct fr_edit e = { .id = id_of(3), .now_ms = NOW };
	int64_t run_at, until, cursor = 0;

	create_n(f, 1, 1);
	create_n(f, 3, 1);
	assert_int_equal(edit(f, f->s->ops->cancel, 3), FR_OK);
	assert_int_equal(
	    fr_registry_store(&o.s, f->url, FR_STORE_READONLY, &o.err), FR_OK);
	assert_int_equal(get(&o, 1)->state, FR_STATE_QUEUED);
	begin(f);
	assert_int_equal(create_in(f, &job, NULL), FR_OK);
	assert_int_equal(
	    f->s->ops->lease(f->s, &g, 1, keep_row, f, NULL), FR_OK);
	assert_int_equal(f->s->ops->remove(f->s, &e, 1, NULL), FR_OK);
	assert_null(get(&o, 2));
	assert_non_null(get(&o, 3));
	assert_int_equal(get(&o, 1)->state, FR_STATE_QUEUED);
	assert_int_equal(walk(&o, NULL, false, &cursor, 9), 1);
	assert_int_equal(walk(&o, "sum", false, &cursor, 9), 1);
	list_page(&o, FR_STATE_ALL, NULL, NULL, 9);
	assert_int_equal(o.nrows, 2);
	assert_int_equal(o.s->ops->next_due(o.s, &run_at, &until, NULL), FR_OK);
	assert_true(until == INT64_MAX);
	stats(&o);
	assert_int_equal(o.n[FR_STATE_QUEUED], 1);
	assert_int_equal(o.n[FR_STATE_CANCELLED], 1);
	commit(f);
	assert_non_null(get(&o, 2));
	assert_null(get(&o, 3));
	assert_int_equal(get(&o, 1)->state, FR_STATE_RUNNING);
	stats(&o);
	assert_int_equal(o.n[FR_STATE_RUNNING], 1);
	assert_int_equal(o.s->ops->begin(o.s, &o.err), FR_DENIED);
	o.s->ops->close(o.s);
	rows_free(&o);
}

static enum fr_rc
stop_row(void *arg, const struct fr_job *job)
{
	int *n = arg;

	(void)job;
	return ++*n == 2 ? FR_TOOBIG : FR_OK;
}

static void
a_callback_can_stop_the_call(void **state)
{
	struct fixture *f = *state;
	const struct fr_list l = { .states = FR_STATE_ALL, .limit = 9 };
	int n = 0;

	create_n(f, 1, 3);
	assert_int_equal(
	    f->s->ops->list(f->s, &l, stop_row, &n, &f->err), FR_TOOBIG);
	assert_int_equal(n, 2);
	assert_non_null(get(f, 3));
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
		CASE(lists_are_newest_first_and_go_on_behind_a_job),
		CASE(a_list_goes_on_although_its_last_job_is_gone),
		CASE(the_queue_is_walked_in_the_order_of_creation),
		CASE(a_job_behind_a_removed_one_is_met_by_the_walk),
		CASE(the_queue_of_a_type_is_walked_by_priority),
		CASE(ids_are_found_by_their_beginning),
		CASE(old_ended_jobs_are_purged_in_small_batches),
		CASE(pausing_is_remembered),
		CASE(the_outbox_gives_an_event_until_it_is_done),
		CASE(odd_values_come_back_byte_for_byte),
		CASE(large_values_come_back_byte_for_byte),
		CASE(the_log_is_that_of_the_last_attempt),
		CASE(another_handle_sees_what_is_committed),
		CASE(a_callback_can_stop_the_call),
	};

	return FR_UNIT_MAIN(tests);
}
