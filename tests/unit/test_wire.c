/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/uuid.h"
#include "tests/unit/unit.h"
#include "wire/job.h"
#include "wire/problem.h"
#include "wire/work.h"

/* Most of what a request may say is tested over HTTP (tests/api), and by the
 * fuzz targets job and work; here is what those do not see. */

#define NOW INT64_C(1795500000000)
#define ID "0190aaaa-0000-7000-8000-000000000001"
#define LEASE "2dc8cfec367f4372d1b38aaea9f8fad8"

static const struct fr_wire_limits limits = { 1000, 8 };

static void
a_request_without_white_space_is_not_copied(void **state)
{
	static const char text[] = "{\"type\":\"a\",\"data\":{\"x\":[1,2]}}";
	struct fr_arena *a = fr_arena_new(0);
	struct fr_job job;

	(void)state;
	assert_int_equal(
	    fr_wire_job_parse(fr_span_of(text), &limits, NOW, a, &job, NULL),
	    FR_OK);
	assert_ptr_equal(job.data.p, text + 19);
	assert_ptr_equal(job.type.p, text + 9);
	fr_arena_free(a);
}

static void
a_job_leaves_out_what_is_default(void **state)
{
	struct fr_job job = {
		.type = FR_SPAN("a"), .data = FR_SPAN("null"), .max_attempts = 3
	};
	struct fr_buf b;

	(void)state;
	fr_buf_init(&b, 0);
	fr_wire_job_request(&b, &job);
	assert_true(
	    fr_span_is(fr_buf_span(&b), "{\"type\":\"a\",\"data\":null}"));
	fr_buf_fini(&b);
}

static void
an_answer_is_read_back(void **state)
{
	struct fr_job job = { .type = FR_SPAN("a"),
		.data = FR_SPAN("null"),
		.key = FR_SPAN("k\"\n"),
		.worker = FR_SPAN("w\xc3\xa4"),
		.error = FR_SPAN("\"oh \\u0007\""),
		.log = FR_SPAN("\"l\""),
		.progress = FR_SPAN("[1]"),
		.state = FR_STATE_FAILED,
		.priority = -5,
		.attempt = 2,
		.max_attempts = 4,
		.fail_count = 1,
		.timeout_ms = 1500,
		.created_ms = NOW,
		.run_at_ms = NOW + 1,
		.started_ms = NOW + 2,
		.finished_ms = NOW + 3 };
	struct fr_arena *a = fr_arena_new(0);
	struct fr_span why;
	struct fr_job back;
	struct fr_buf b;

	(void)state;
	assert_true(fr_uuid_parse(FR_SPAN(ID), &job.id));
	fr_buf_init(&b, 0);
	fr_wire_job_write(&b, &job, "because");
	assert_int_equal(
	    fr_wire_job_read(fr_buf_span(&b), a, &back, &why, NULL), FR_OK);
	assert_true(fr_span_is(why, "because"));
	assert_true(fr_uuid_eq(&job.id, &back.id));
	assert_true(fr_span_eq(job.key, back.key));
	assert_true(fr_span_eq(job.worker, back.worker));
	assert_true(fr_span_eq(job.error, back.error));
	assert_true(fr_span_eq(job.log, back.log));
	assert_true(fr_span_eq(job.progress, back.progress));
	assert_int_equal(back.result.len, 0);
	assert_int_equal(back.state, FR_STATE_FAILED);
	assert_int_equal(back.priority, -5);
	assert_int_equal(back.attempt, 2);
	assert_int_equal(back.max_attempts, 4);
	assert_int_equal(back.fail_count, 1);
	assert_int_equal(back.timeout_ms, 1500);
	assert_int_equal(back.created_ms, NOW);
	assert_int_equal(back.run_at_ms, NOW + 1);
	assert_int_equal(back.started_ms, NOW + 2);
	assert_int_equal(back.finished_ms, NOW + 3);
	fr_buf_fini(&b);
	fr_arena_free(a);
}

static void
an_exchange_is_read_back(void **state)
{
	static const char *types[] = { "a", "b.c" };
	struct fr_finished fin[] = {
		{ .how = FR_FINISH_COMPLETE,
		    .value = FR_SPAN("{\"x\":1e400}"),
		    .log = FR_SPAN("\"l\"") },
		{ .how = FR_FINISH_FAILED, .value = FR_SPAN("\"e\"") },
		{ .how = FR_FINISH_FINAL, .value = FR_SPAN("\"f\"") },
		{ .how = FR_FINISH_RELEASED },
		{ .how = FR_FINISH_LOST },
	};
	struct fr_exchange x = { .worker = FR_SPAN("w"),
		.host = FR_SPAN("h"),
		.pid = 7,
		.types = types,
		.ntypes = 2,
		.slots = 3,
		.wait_ms = 2500,
		.finished = fin,
		.nfinished = 5,
		.leaving = true };
	struct fr_arena *a = fr_arena_new(0);
	struct fr_exchange y;
	struct fr_buf b;
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		assert_true(fr_uuid_parse(FR_SPAN(ID), &fin[i].id));
		assert_true(fr_token_parse(FR_SPAN(LEASE), &fin[i].token));
	}
	fr_buf_init(&b, 0);
	fr_wire_work_request(&b, &x);
	assert_int_equal(
	    fr_wire_work_parse(fr_buf_span(&b), &limits, a, &y, NULL), FR_OK);
	assert_int_equal(y.nfinished, 5);
	for (i = 0; i < 5; i++) {
		assert_int_equal(y.finished[i].how, fin[i].how);
		assert_true(fr_span_eq(y.finished[i].value, fin[i].value));
		assert_true(fr_token_eq(&y.finished[i].token, &fin[i].token));
	}
	assert_true(y.leaving && y.slots == 3 && y.wait_ms == 2500);
	assert_string_equal(y.types[1], "b.c");
	fr_buf_fini(&b);
	fr_arena_free(a);
}

static void
an_answer_of_work_is_read_back(void **state)
{
	struct fr_job job = { .type = FR_SPAN("a"),
		.data = FR_SPAN("[1e400]"),
		.attempt = 2,
		.max_attempts = 3,
		.timeout_ms = 500 };
	struct fr_uuid id;
	struct fr_exchange x = { .jobs = &job,
		.njobs = 1,
		.stop = &id,
		.nstop = 1,
		.refused = &id,
		.nrefused = 1,
		.lease_ms = 15000 };
	struct fr_exchange y = { 0 };
	struct fr_arena *a = fr_arena_new(0);
	struct fr_buf b;

	(void)state;
	assert_true(fr_uuid_parse(FR_SPAN(ID), &job.id));
	assert_true(fr_token_parse(FR_SPAN(LEASE), &job.lease));
	id = job.id;
	fr_buf_init(&b, 0);
	fr_wire_work_answer(&b, &x);
	assert_int_equal(
	    fr_wire_work_read(fr_buf_span(&b), a, &y, NULL), FR_OK);
	assert_int_equal(y.njobs, 1);
	assert_int_equal(y.nstop, 1);
	assert_int_equal(y.nrefused, 1);
	assert_int_equal(y.lease_ms, 15000);
	assert_true(fr_span_eq(y.jobs[0].data, job.data));
	assert_true(fr_token_eq(&y.jobs[0].lease, &job.lease));
	assert_int_equal(y.jobs[0].timeout_ms, 500);
	fr_buf_fini(&b);
	fr_arena_free(a);
}

/* Parses a report whose value has n bytes. */
static enum fr_finish
report(const char *state, const char *field, size_t n, struct fr_span *value,
    struct fr_span *log, struct fr_arena *a)
{
	struct fr_exchange x;
	struct fr_buf b;
	char *p;

	fr_buf_init(&b, 0);
	fr_buf_addf(&b,
	    "{\"worker\":\"w\",\"finished\":[{\"id\":\"" ID
	    "\",\"lease\":\"" LEASE "\",\"state\":\"%s\",\"%s\":\"",
	    state, field);
	p = fr_buf_reserve(&b, n - 2);
	assert_non_null(p);
	memset(p, 'x', n - 2);
	fr_buf_commit(&b, n - 2);
	fr_buf_adds(&b, "\"}]}");
	assert_int_equal(fr_wire_work_parse(fr_arena_dup(a, fr_buf_span(&b)),
			     &limits, a, &x, NULL),
	    FR_OK);
	fr_buf_fini(&b);
	*value = x.finished[0].value;
	*log = x.finished[0].log;
	return x.finished[0].how;
}

static void
a_result_over_the_limit_ends_its_attempt_only(void **state)
{
	struct fr_arena *a = fr_arena_new(0);
	struct fr_span v, log;

	(void)state;
	assert_int_equal(report("complete", "result", 1000, &v, &log, a),
	    FR_FINISH_COMPLETE);
	assert_int_equal(v.len, 1000);
	assert_int_equal(
	    report("complete", "result", 1001, &v, &log, a), FR_FINISH_FINAL);
	assert_true(v.len < 200 && v.p[0] == '"');
	assert_int_equal(
	    report("failed", "error", 1001, &v, &log, a), FR_FINISH_FAILED);
	assert_true(v.len < 200 && v.p[0] == '"');
	/* Logs have more room: 64 KiB with all their escapes. */
	assert_int_equal(report("complete", "log", 512 * 1024, &v, &log, a),
	    FR_FINISH_COMPLETE);
	assert_int_equal(log.len, 512 * 1024);
	assert_int_equal(report("complete", "log", 512 * 1024 + 1, &v, &log, a),
	    FR_FINISH_COMPLETE);
	assert_true(log.len < 200);
	fr_arena_free(a);
}

static void
errors_of_a_list_name_the_place(void **state)
{
	struct fr_arena *a = fr_arena_new(0);
	struct fr_err err = FR_ERR_INIT;
	struct fr_exchange x;

	(void)state;
	assert_int_equal(
	    fr_wire_work_parse(FR_SPAN("{\"worker\":\"w\",\"running\":["
				       "{\"id\":\"" ID "\",\"lease\":\"\"},"
				       "{\"id\":1}]}"),
		&limits, a, &x, &err),
	    FR_INVALID);
	assert_string_equal(
	    err.msg, "field `running[1].id`: must be a string, not a number");
	fr_arena_free(a);
}

static void
no_payload_is_in_an_error(void **state)
{
	static const char *const bad[] = {
		"{\"type\":\"secret/\"}",
		"{\"type\":\"a\",\"key\":\"secret\\u0000\"}",
		"{\"type\":\"a\",\"run_at\":\"secret\"}",
		"{\"type\":\"a\",\"id\":\"secret\"}",
		"{\"type\":\"a\",\"data\":\"secret",
		"{\"type\":\"a\",\"data\":secret}",
	};
	struct fr_arena *a = fr_arena_new(0);
	struct fr_job job;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fr_err err = FR_ERR_INIT;

		assert_int_not_equal(fr_wire_job_parse(fr_span_of(bad[i]),
					 &limits, NOW, a, &job, &err),
		    FR_OK);
		assert_null(strstr(err.msg, "secret"));
	}
	fr_arena_free(a);
}

static void
a_problem_is_read_back(void **state)
{
	char text[16];
	struct fr_buf b;

	(void)state;
	fr_buf_init(&b, 0);
	fr_wire_problem_write(&b, 422, "about:blank", "field \"x\"");
	assert_true(fr_span_is(fr_buf_span(&b),
	    "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\","
	    "\"status\":422,\"detail\":\"field \\\"x\\\"\"}"));
	fr_wire_problem_detail(fr_buf_span(&b), text, sizeof(text));
	assert_string_equal(text, "field \"x\"");
	fr_wire_problem_detail(fr_buf_span(&b), text, 6);
	assert_string_equal(text, "field");
	fr_wire_problem_detail(FR_SPAN("<html>"), text, sizeof(text));
	assert_string_equal(text, "");
	fr_wire_problem_detail(
	    FR_SPAN("{\"title\":\"T\"}"), text, sizeof(text));
	assert_string_equal(text, "T");
	fr_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_without_white_space_is_not_copied),
		cmocka_unit_test(a_job_leaves_out_what_is_default),
		cmocka_unit_test(an_answer_is_read_back),
		cmocka_unit_test(an_exchange_is_read_back),
		cmocka_unit_test(an_answer_of_work_is_read_back),
		cmocka_unit_test(a_result_over_the_limit_ends_its_attempt_only),
		cmocka_unit_test(errors_of_a_list_name_the_place),
		cmocka_unit_test(no_payload_is_in_an_error),
		cmocka_unit_test(a_problem_is_read_back),
	};

	return FR_UNIT_MAIN(tests);
}
