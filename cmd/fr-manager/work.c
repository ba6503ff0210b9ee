/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/time.h"
#include "manager.h"
#include "wire/work.h"

/*
 * POST /v1/work. Jobs that are leased for an exchange whose client has gone
 * in the meantime are given back at once, uncounted.
 */

#define MAX_WAIT_MS ((int64_t)3600 * 1000)
/* More would only make the answer large: the worker asks again. */
#define MAX_SLOTS 1024
/* Answers that are never refused for want of memory. */
#define SMALL ((size_t)64 * 1024)

void
fr_work_give_back(struct fr_manager *m, struct fr_exchange *x)
{
	struct fr_arena *a = fr_arena_new(0);
	struct fr_op *op;
	size_t i;

	if (a == NULL)
		return; /* the leases will expire */
	op = fr_arena_alloc(a, sizeof(*op));
	if (op == NULL) {
		fr_arena_free(a);
		return;
	}
	op->kind = FR_OP_WORK;
	op->arena = a;
	op->u.work.worker = fr_arena_dup(a, x->worker);
	op->u.work.host = fr_arena_dup(a, x->host);
	op->u.work.pid = x->pid;
	op->u.work.received_mono_ms = fr_time_mono_ms();
	op->u.work.finished =
	    fr_arena_calloc(a, x->njobs, sizeof(*op->u.work.finished));
	if (op->u.work.worker.p == NULL || op->u.work.finished == NULL) {
		fr_arena_free(a);
		return;
	}
	op->u.work.nfinished = x->njobs;
	for (i = 0; i < x->njobs; i++) {
		op->u.work.finished[i].id = x->jobs[i].id;
		op->u.work.finished[i].token = x->jobs[i].lease;
		op->u.work.finished[i].how = FR_FINISH_RELEASED;
	}
	if (fr_engine_put(m->engine, op) != FR_OK)
		fr_arena_free(a);
}

static void
worked(struct fr_request *q)
{
	struct fr_exchange *x = &q->op.u.work;
	struct fr_buf b;

	if (q->op.rc != FR_OK) {
		fr_answer_failed(q, q->op.rc, &q->op.err);
		return;
	}
	fr_buf_init(&b, 0);
	/* Who has closed his side hears what became of his reports, and gets
	 * no jobs: he may be gone. */
	if (x->njobs > 0 && !fr_http_reachable(&q->http)) {
		fr_work_give_back(fr_manager_of(q), x);
		x->njobs = 0;
	}
	fr_wire_work_answer(&b, x);
	if (x->njobs > 0 && !fr_buf_ok(&b))
		fr_work_give_back(fr_manager_of(q), x);
	/* Workers that do not read what they asked for hold the memory. */
	if (x->njobs > 0 && b.len > SMALL &&
	    fr_http_full(q->http.http, b.len)) {
		fr_work_give_back(fr_manager_of(q), x);
		fr_buf_fini(&b);
		fr_answer_problem(q, 503, "about:blank",
		    "too many answers wait for their readers");
		return;
	}
	fr_answer_json(q, 200, &b);
}

void
fr_work_post(struct fr_request *q)
{
	static const char *const none[] = { NULL };
	struct fr_manager *m = fr_manager_of(q);
	struct fr_exchange *x = &q->op.u.work;
	enum fr_rc rc;

	if (!fr_params_known(q, none))
		return;
	rc = fr_wire_work_parse(
	    q->http.body, &m->limits, q->http.arena, x, &q->err);
	if (rc != FR_OK) {
		fr_answer_failed(q, rc, &q->err);
		return;
	}
	if (x->slots > MAX_SLOTS)
		x->slots = MAX_SLOTS;
	if (x->wait_ms > MAX_WAIT_MS)
		x->wait_ms = MAX_WAIT_MS;
	x->received_mono_ms = fr_time_mono_ms();
	q->op.kind = FR_OP_WORK;
	fr_ask_engine(q, x->wait_ms > 0, worked);
}
