/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "backends/registry.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/engine.h"
#include "tests/alloc/lib/alloc.h"

/*
 * A day in the life of the engine on memory backends, with one allocation
 * failing somewhere. Requests may then be refused; but none gets lost, and
 * once there is memory again, every job that was accepted ends.
 */

#define JOBS 3

struct world {
	int64_t ms;
	struct fr_clock clock;
	struct fr_rand rand;
	struct fr_uuid_gen gen;
	struct fr_store *store;
	struct fr_queue *queue;
	struct fr_event_ring *ring;
	struct fr_engine *engine;
	bool refused; /* something was, for lack of memory */
};

static int64_t
held_wall(void *arg)
{
	return 1795509000000 + ((struct world *)arg)->ms;
}

static int64_t
held_mono(void *arg)
{
	return ((struct world *)arg)->ms;
}

static void
turn(struct world *w)
{
	struct fr_err err = FR_ERR_INIT;
	int64_t next;
	int i;

	for (i = 0; i < 10; i++) {
		must(fr_engine_step(w->engine, &next, &err) == FR_OK);
		if (next > w->ms)
			break;
	}
}

/* A new op, or NULL without memory. */
static struct fr_op *
op_new(struct world *w, enum fr_op_kind kind)
{
	struct fr_op *op = calloc(1, sizeof(*op));

	if (op != NULL)
		op->arena = fr_arena_new(0);
	if (op == NULL || op->arena == NULL) {
		free(op);
		w->refused = true;
		return NULL;
	}
	op->kind = kind;
	return op;
}

static void
op_free(struct fr_op *op)
{
	if (op == NULL)
		return;
	fr_arena_free(op->arena);
	free(op);
}

/* Hands op over and waits for it; false if it was refused. */
static bool
ask(struct world *w, struct fr_op *op)
{
	int i;

	if (fr_engine_submit(w->engine, op) != FR_OK) {
		w->refused = true;
		return false;
	}
	for (i = 0; i < 100; i++, w->ms += 100) {
		turn(w);
		if (fr_engine_take(w->engine) == op)
			break;
	}
	must(i < 100); /* it always comes back */
	must(op->rc == FR_OK || op->rc == FR_NOMEM || op->rc == FR_AGAIN ||
	     op->rc == FR_CONFLICT || op->rc == FR_NOTFOUND);
	if (op->rc == FR_NOMEM || op->rc == FR_AGAIN)
		w->refused = true;
	return op->rc == FR_OK;
}

/* Whether the job was accepted. */
static bool
submit(struct world *w, const struct fr_uuid *id, const char *key)
{
	struct fr_op *op = op_new(w, FR_OP_CREATE);
	struct fr_job job = { .id = *id,
		.type = FR_SPAN("t"),
		.data = FR_SPAN("{\"some\":\"data that is not short\"}"),
		.key = fr_span_of(key),
		.state = FR_STATE_QUEUED,
		.max_attempts = 3,
		.created_ms = held_wall(w),
		.run_at_ms = held_wall(w) };
	struct fr_created out = { 0 };
	bool ok = false;

	if (op != NULL) {
		op->u.create.jobs = &job;
		op->u.create.n = 1;
		op->u.create.out = &out;
		ok = ask(w, op) && (out.rc == FR_OK || out.rc == FR_EXISTS);
	}
	op_free(op);
	return ok;
}

/* One exchange: takes what there is, then reports it as complete. */
static bool
work(struct world *w)
{
	static const char *const type = "t";
	struct fr_op *op = op_new(w, FR_OP_WORK), *report = NULL;
	struct fr_finished done[JOBS] = { { .rc = FR_OK } };
	struct fr_progressed half[JOBS] = { { .value = { NULL, 0 } } };
	struct fr_exchange *x;
	bool ok = false;
	size_t i;

	if (op == NULL)
		return false;
	x = &op->u.work;
	x->worker = FR_SPAN("w1");
	x->host = FR_SPAN("here");
	x->types = (const char **)(uintptr_t)&type;
	x->ntypes = 1;
	x->slots = JOBS;
	ok = ask(w, op);
	if (!ok || x->njobs == 0)
		goto out;
	report = op_new(w, FR_OP_WORK);
	if (report == NULL)
		goto out;
	for (i = 0; i < x->njobs && i < JOBS; i++) {
		done[i] = (struct fr_finished){ .id = x->jobs[i].id,
			.token = x->jobs[i].lease,
			.how = FR_FINISH_COMPLETE,
			.value = FR_SPAN("{\"a\":\"result of some length\"}"),
			.log = FR_SPAN("\"a log\"") };
		half[i] = (struct fr_progressed){ .id = x->jobs[i].id,
			.token = x->jobs[i].lease,
			.value = FR_SPAN("\"half of it\"") };
	}
	report->u.work = (struct fr_exchange){ .worker = x->worker,
		.host = x->host,
		.types = x->types,
		.ntypes = 1,
		.finished = done,
		.nfinished = i > 1 ? i - 1 : i, /* one is taken back */
		.progress = half + i - 1,
		.nprogress = i > 1 };
	ok = ask(w, report);
out:
	op_free(report);
	op_free(op);
	return ok;
}

static void
simple(struct world *w, enum fr_op_kind kind, const struct fr_uuid *id)
{
	struct fr_op *op = op_new(w, kind);

	if (op == NULL)
		return;
	if (kind == FR_OP_CANCEL)
		op->u.edit.id = *id;
	else if (kind == FR_OP_WAIT) {
		op->u.wait.id = *id;
		op->u.wait.wait_ms = 500;
	} else if (kind == FR_OP_PAUSE || kind == FR_OP_RESUME)
		op->u.pause.type = "other";
	(void)ask(w, op);
	op_free(op);
}

static enum fr_rc
state_of(void *arg, const struct fr_job *job)
{
	*(enum fr_state *)arg = job->state;
	return FR_OK;
}

/* With memory again: all that was accepted ends. */
static void
all_ends(struct world *w, const struct fr_uuid *ids, const bool *accepted)
{
	struct fr_err err = FR_ERR_INIT;
	enum fr_state state;
	size_t i;
	int round, open = 1;

	for (round = 0; round < 100 && open > 0; round++, w->ms += 5000) {
		(void)work(w);
		for (i = 0, open = 0; i < JOBS; i++) {
			if (!accepted[i])
				continue;
			state = FR_STATE_QUEUED;
			must(w->store->ops->get(w->store, &ids[i], 1, state_of,
				 &state, &err) == FR_OK);
			open += !fr_state_ended(state);
		}
	}
	must(open == 0);
}

static bool
open_world(struct world *w)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_engine_conf conf = { 0 };

	*w = (struct world){ .ms = 1000 };
	w->clock = (struct fr_clock){ held_wall, held_mono, w };
	fr_rand_seed(&w->rand, 1);
	if (fr_registry_store(&w->store, "memory:alloc", 0, &err) != FR_OK ||
	    fr_registry_queue(&w->queue, "memory:fifo", &err) != FR_OK)
		return false;
	w->ring = fr_event_ring_new(1 << 16);
	if (w->ring == NULL)
		return false;
	conf.store = w->store;
	conf.queue = w->queue;
	conf.clock = &w->clock;
	conf.rand = &w->rand;
	conf.ring = w->ring;
	w->engine = fr_engine_new(&conf, &err);
	return w->engine != NULL;
}

static void
close_world(struct world *w)
{
	fr_engine_free(w->engine);
	fr_event_ring_free(w->ring);
	if (w->queue != NULL)
		w->queue->ops->close(w->queue);
	if (w->store != NULL)
		w->store->ops->close(w->store);
}

static enum fr_rc
starting(void)
{
	struct world w;
	enum fr_rc rc;

	rc = open_world(&w) ? FR_OK : FR_NOMEM;
	close_world(&w);
	return rc;
}

static enum fr_rc
running(void)
{
	bool accepted[JOBS] = { false };
	struct fr_uuid ids[JOBS];
	struct world w;
	size_t i;

	(void)alloc_stop();
	must(open_world(&w));
	for (i = 0; i < JOBS; i++)
		ids[i] = fr_uuid_new(&w.gen, held_wall(&w), &w.rand);
	alloc_begin();
	turn(&w);
	for (i = 0; i < JOBS; i++)
		accepted[i] = submit(&w, &ids[i], i == 1 ? "key" : "");
	simple(&w, FR_OP_PAUSE, NULL);
	simple(&w, FR_OP_RESUME, NULL);
	simple(&w, FR_OP_WAIT, &ids[1]);
	(void)work(&w);
	simple(&w, FR_OP_WORKERS, NULL);
	simple(&w, FR_OP_CANCEL, &ids[0]);
	w.ms += 20000; /* leases expire, and the sweep goes round */
	turn(&w);
	(void)work(&w);
	if (alloc_stop())
		w.refused = true;
	all_ends(&w, ids, accepted);
	close_world(&w);
	return w.refused ? FR_NOMEM : FR_OK;
}

int
main(void)
{
	alloc_try("the engine starts or does not", starting);
	alloc_try("what the engine accepted ends", running);
	return alloc_done();
}
