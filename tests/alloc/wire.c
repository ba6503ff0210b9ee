/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tests/alloc/lib/alloc.h"
#include "wire/job.h"
#include "wire/problem.h"
#include "wire/work.h"

static const struct fr_wire_limits limits = { 1 << 20, 64 };

/* Long and with white space, so that all has to be copied. */
static const char job_text[] =
    "{\"id\":\"01a20cc5-6499-77ad-93df-b8470f2fa30b\",\"type\":\"e\\u0063ho\","
    "\"data\":{ \"n\" : [ 1 , 2 , \"a text that is a little longer\" ] },"
    "\"key\":\"k\\u00e4y\",\"priority\":5,\"delay\":1.5,\"max_attempts\":2}";

static enum fr_rc
a_job(void)
{
	/* A small first block: each part asks for memory of its own. */
	struct fr_arena *a = fr_arena_new(1);
	struct fr_err err = FR_ERR_INIT;
	struct fr_buf b, c;
	struct fr_job job;
	struct fr_span waiting;
	enum fr_rc rc;

	if (a == NULL)
		return FR_NOMEM;
	fr_buf_init(&b, 0);
	fr_buf_init(&c, 0);
	rc = fr_wire_job_parse(
	    FR_SPAN(job_text), &limits, 1795509000000, a, &job, &err);
	if (rc != FR_OK)
		goto out;
	fr_wire_job_request(&b, &job);
	fr_wire_job_write(&c, &job, "its time has not come");
	if (!fr_buf_ok(&b) || !fr_buf_ok(&c)) {
		rc = FR_NOMEM;
		goto out;
	}
	fr_buf_reset(&c);
	fr_wire_job_write(&c, &job, "its time has not come");
	rc = fr_wire_job_read(fr_buf_span(&c), a, &job, &waiting, &err);
out:
	fr_buf_fini(&c);
	fr_buf_fini(&b);
	fr_arena_free(a);
	return rc;
}

static const char work_text[] =
    "{\"worker\":\"w\\u0031\",\"host\":\"h\",\"pid\":7,\"types\":[\"echo\","
    "\"sl\\u006fw\"],\"slots\":2,\"wait\":5,\"running\":[{\"id\":\"01a20cc5-"
    "6499-77ad-93df-b8470f2fa30b\",\"lease\":"
    "\"00112233445566778899aabbccddeeff\"}],\"finished\":[{\"id\":\"01a20cc5-"
    "6499-77ad-93df-b8470f2fa30c\",\"lease\":"
    "\"00112233445566778899aabbccddeeff\",\"state\":\"complete\",\"result\":"
    "{ \"a\" : 1 },\"log\":\"text\"}],\"progress\":[{\"id\":\"01a20cc5-6499-"
    "77ad-93df-b8470f2fa30b\",\"lease\":\"00112233445566778899aabbccddeeff\","
    "\"progress\":[ 1 ]}]}";

static enum fr_rc
an_exchange(void)
{
	struct fr_arena *a = fr_arena_new(1);
	struct fr_err err = FR_ERR_INIT;
	struct fr_exchange x, y;
	struct fr_buf b;
	enum fr_rc rc;

	if (a == NULL)
		return FR_NOMEM;
	fr_buf_init(&b, 0);
	memset(&x, 0, sizeof(x));
	rc = fr_wire_work_parse(FR_SPAN(work_text), &limits, a, &x, &err);
	if (rc != FR_OK)
		goto out;
	fr_wire_work_request(&b, &x);
	x.stop = fr_arena_calloc(a, 1, sizeof(*x.stop));
	if (x.stop == NULL || !fr_buf_ok(&b)) {
		rc = FR_NOMEM;
		goto out;
	}
	x.stop[0] = x.running[0].id;
	x.nstop = 1;
	fr_buf_reset(&b);
	fr_wire_work_answer(&b, &x);
	if (fr_buf_ok(&b)) {
		memset(&y, 0, sizeof(y));
		rc = fr_wire_work_read(fr_buf_span(&b), a, &y, &err);
	} else
		rc = FR_NOMEM;
out:
	fr_buf_fini(&b);
	fr_arena_free(a);
	return rc;
}

static enum fr_rc
a_problem(void)
{
	struct fr_buf b;
	char detail[64];
	enum fr_rc rc;

	fr_buf_init(&b, 0);
	fr_wire_problem_write(&b, 409, "stale", "the lease is another");
	rc = fr_buf_ok(&b) ? FR_OK : FR_NOMEM;
	if (rc == FR_OK) {
		fr_wire_problem_detail(fr_buf_span(&b), detail, sizeof(detail));
		if (detail[0] == '\0')
			rc = FR_NOMEM;
		else
			must(strcmp(detail, "the lease is another") == 0);
	}
	fr_buf_fini(&b);
	return rc;
}

int
main(void)
{
	alloc_try("a job is read whole or not", a_job);
	alloc_try("an exchange is read whole or not", an_exchange);
	alloc_try("a problem is written whole or not", a_problem);
	return alloc_done();
}
