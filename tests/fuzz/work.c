/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "tests/fuzz/lib/fuzz.h"
#include "wire/work.h"

/*
 * The worker's exchange, both sides: what is accepted can be written and read
 * again as the same.
 */

static const struct fr_wire_limits limits = { 500, 20 };

static void
same(const struct fr_exchange *x, const struct fr_exchange *y)
{
	size_t i;

	must(fr_span_eq(x->worker, y->worker));
	must(fr_span_eq(x->host, y->host));
	must(x->pid == y->pid && x->slots == y->slots);
	must(x->wait_ms == y->wait_ms && x->leaving == y->leaving);
	must(x->ntypes == y->ntypes && x->nrunning == y->nrunning);
	must(x->nfinished == y->nfinished && x->nprogress == y->nprogress);
	for (i = 0; i < x->ntypes; i++)
		must(strcmp(x->types[i], y->types[i]) == 0);
	for (i = 0; i < x->nrunning; i++)
		must(memcmp(&x->running[i], &y->running[i],
			 sizeof(x->running[i])) == 0);
	for (i = 0; i < x->nfinished; i++) {
		must(x->finished[i].how == y->finished[i].how);
		must(fr_span_eq(x->finished[i].value, y->finished[i].value));
		must(fr_span_eq(x->finished[i].log, y->finished[i].log));
	}
	for (i = 0; i < x->nprogress; i++)
		must(fr_span_eq(x->progress[i].value, y->progress[i].value));
}

static void
check(const struct fr_exchange *x)
{
	size_t i;

	must(x->worker.len > 0 && x->worker.len <= FR_WORKER_MAX);
	must(x->slots == 0 || x->ntypes > 0);
	for (i = 0; i < x->ntypes; i++)
		must(fr_type_valid(fr_span_of(x->types[i])));
	for (i = 0; i < x->nfinished; i++) {
		const struct fr_span v = x->finished[i].value;

		must(v.len <= 500);
		must(v.len == 0 || fr_json_check(v, 20, NULL, NULL) == FR_OK);
	}
	for (i = 0; i < x->nprogress; i++)
		must(x->progress[i].value.len <= 500);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fr_span s = { (const char *)data, size };
	struct fr_arena *a = fr_arena_new(0);
	struct fr_exchange x, y;
	struct fr_err err = FR_ERR_INIT;
	struct fr_buf b;
	enum fr_rc rc;

	must(a != NULL);
	rc = fr_wire_work_parse(s, &limits, a, &x, &err);
	if (rc == FR_OK) {
		check(&x);
		fr_buf_init(&b, 0);
		fr_wire_work_request(&b, &x);
		must(fr_wire_work_parse(
			 fr_buf_span(&b), &limits, a, &y, &err) == FR_OK);
		same(&x, &y);
		fr_buf_fini(&b);
	}
	memset(&y, 0, sizeof(y));
	if (fr_wire_work_read(s, a, &y, &err) == FR_OK) {
		struct fr_exchange z = { 0 };

		fr_buf_init(&b, 0);
		fr_wire_work_answer(&b, &y);
		must(fr_wire_work_read(fr_buf_span(&b), a, &z, &err) == FR_OK);
		must(z.njobs == y.njobs && z.nstop == y.nstop);
		must(z.nrefused == y.nrefused);
		fr_buf_fini(&b);
	}
	fr_arena_free(a);
	return 0;
}
