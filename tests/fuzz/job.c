/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "tests/fuzz/lib/fuzz.h"
#include "wire/job.h"

/*
 * A job as a client sends it. What is accepted keeps its promises, and
 * written again as a request it is the same job; what the API then answers is
 * read back the same, too.
 */

static const struct fr_wire_limits limits = { 2000, 20 };

static void
same(const struct fr_job *a, const struct fr_job *b)
{
	must(memcmp(&a->id, &b->id, sizeof(a->id)) == 0);
	must(fr_span_eq(a->type, b->type));
	must(fr_span_eq(a->key, b->key));
	must(fr_span_eq(a->data, b->data));
	must(a->priority == b->priority);
	must(a->max_attempts == b->max_attempts);
	must(a->timeout_ms == b->timeout_ms);
	must(a->state == b->state);
	must(a->run_at_ms == b->run_at_ms);
}

static void
again(const struct fr_job *job, int64_t now_ms, struct fr_arena *a)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_job copy;
	struct fr_buf b;

	fr_buf_init(&b, 0);
	fr_wire_job_request(&b, job);
	must(fr_wire_job_parse(
		 fr_buf_span(&b), &limits, now_ms, a, &copy, &err) == FR_OK);
	same(job, &copy);
	fr_buf_reset(&b);
	fr_wire_job_write(&b, job, "why");
	/* The id of all zeros is in no answer. */
	if (fr_wire_job_read(fr_buf_span(&b), a, &copy, NULL, &err) == FR_OK)
		same(job, &copy);
	else
		must(job->id.b[0] == 0);
	fr_buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fr_span s = { (const char *)data, size };
	const int64_t now_ms = 1795500000000;
	struct fr_arena *a = fr_arena_new(0);
	struct fr_err err = FR_ERR_INIT;
	struct fr_job job;
	struct fr_span value;
	enum fr_rc rc;

	must(a != NULL);
	rc = fr_wire_job_parse(s, &limits, now_ms, a, &job, &err);
	must(rc == FR_OK || rc == FR_SYNTAX || rc == FR_INVALID ||
	     rc == FR_TOOBIG);
	if (rc == FR_OK) {
		must(fr_type_valid(job.type));
		must(job.key.len <= FR_KEY_MAX);
		must(job.data.len > 0 && job.data.len <= 2000);
		must(fr_json_check(job.data, 20, &value, NULL) == FR_OK);
		must(value.len == job.data.len);
		must(job.max_attempts > 0);
		must(job.run_at_ms >= now_ms);
		must((job.state == FR_STATE_SCHEDULED) ==
		     (job.run_at_ms > now_ms));
		again(&job, now_ms, a);
	} else
		must(err.msg[0] != '\0');
	fr_arena_free(a);
	return 0;
}
