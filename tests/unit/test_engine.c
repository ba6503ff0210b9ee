/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "backends/registry.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/engine.h"

/* The engine on memory backends, with a clock that the test holds. */

struct world {
	struct fr_clock clock;
	int64_t ms;
	struct fr_rand rand;
	struct fr_uuid_gen gen;
	struct fr_store *store;
	struct fr_queue *queue;
	struct fr_engine *engine;
	int64_t next_ms;
	char url[32];
	bool eager; /* answers are taken, and forgotten, when they are there */
	unsigned taken;
	unsigned woken;
	int64_t lag_ms;  /* passes whenever the engine looks at the clock */
	int64_t skew_ms; /* by how much somebody has set the wall clock */
};

/* As the thread that waits for answers may do at any moment. */
static void
take_eagerly(void *arg)
{
	struct world *w = arg;
	struct fr_op *op, *next;

	w->woken++;
	if (!w->eager)
		return;
	for (op = fr_engine_take(w->engine); op != NULL; op = next) {
		next = op->next;
		fr_arena_free(op->arena);
		memset(op, 0xff, sizeof(*op));
		free(op);
		w->taken++;
	}
}

static int64_t
held_wall(void *arg)
{
	const struct world *w = arg;

	return 1700000000000 + w->ms + w->skew_ms;
}

static int64_t
held_mono(void *arg)
{
	struct world *w = arg;

	return w->ms += w->lag_ms;
}

static void
start_with(struct world *w, int64_t retain_ms)
{
	struct fr_err err = FR_ERR_INIT;
	const struct fr_engine_conf conf = { .store = w->store,
		.queue = w->queue,
		.retain_ms = retain_ms,
		.clock = &w->clock,
		.rand = &w->rand,
		.wake = take_eagerly,
		.wake_arg = w };

	w->engine = fr_engine_new(&conf, &err);
	assert_non_null(w->engine);
}

static void
start(struct world *w)
{
	start_with(w, 0);
}

static void
step(struct world *w)
{
	struct fr_err err = FR_ERR_INIT;

	assert_int_equal(fr_engine_step(w->engine, &w->next_ms, &err), FR_OK);
}

/* Turns until there is nothing to do at this moment. */
static void
settle(struct world *w)
{
	do
		step(w);
	while (w->next_ms <= w->ms);
}

/* Lets time pass as the loop would. */
static void
pass(struct world *w, int64_t ms)
{
	const int64_t until = w->ms + ms;

	settle(w);
	while (w->next_ms < until) {
		w->ms = w->next_ms;
		settle(w);
	}
	w->ms = until;
	settle(w);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct fr_err err = FR_ERR_INIT;
	static int n;

	assert_non_null(w);
	w->clock = (struct fr_clock){ held_wall, held_mono, w };
	w->ms = 1000;
	fr_rand_seed(&w->rand, 1);
	assert_true(fr_str_format(w->url, sizeof(w->url), "memory:e%d", n++));
	assert_int_equal(fr_registry_store(&w->store, w->url, 0, &err), FR_OK);
	assert_int_equal(
	    fr_registry_queue(&w->queue, "memory:fifo", &err), FR_OK);
	start(w);
	settle(w);
	*state = w;
	return 0;
}

static void
end(struct world *w)
{
	struct fr_op *op, *next;
	struct fr_err err = FR_ERR_INIT;

	fr_engine_stop(w->engine);
	(void)fr_engine_run(w->engine, &err);
	for (op = fr_engine_take(w->engine); op != NULL; op = next) {
		next = op->next;
		fr_arena_free(op->arena);
		free(op);
	}
	fr_engine_free(w->engine);
}

static int
teardown(void **state)
{
	struct world *w = *state;

	end(w);
	w->store->ops->close(w->store);
	w->queue->ops->close(w->queue);
	free(w);
	return 0;
}

static struct fr_op *
op_new(enum fr_op_kind kind)
{
	struct fr_op *op = calloc(1, sizeof(*op));

	assert_non_null(op);
	op->kind = kind;
	op->arena = fr_arena_new(0);
	assert_non_null(op->arena);
	return op;
}

static void
op_free(struct fr_op *op)
{
	fr_arena_free(op->arena);
	free(op);
}

static void
send(struct world *w, struct fr_op *op)
{
	assert_int_equal(fr_engine_submit(w->engine, op), FR_OK);
}

/* The one op that has been answered, or NULL. */
static struct fr_op *
answer(struct world *w)
{
	struct fr_op *op = fr_engine_take(w->engine);

	if (op != NULL)
		assert_null(op->next);
	return op;
}

static struct fr_op *
ask(struct world *w, struct fr_op *op)
{
	struct fr_op *got;

	send(w, op);
	settle(w);
	got = answer(w);
	assert_ptr_equal(got, op);
	return op;
}

static struct fr_uuid
submit(struct world *w, const char *type, int64_t delay_ms, uint32_t attempts)
{
	struct fr_op *op = op_new(FR_OP_CREATE);
	struct fr_job job = { .id =
				  fr_uuid_new(&w->gen, held_wall(w), &w->rand),
		.type = fr_span_of(type),
		.data = FR_SPAN("{\"a\":1}"),
		.state = delay_ms > 0 ? FR_STATE_SCHEDULED : FR_STATE_QUEUED,
		.max_attempts = attempts,
		.created_ms = held_wall(w),
		.run_at_ms = held_wall(w) + delay_ms };
	struct fr_created out;

	op->u.create.jobs = &job;
	op->u.create.n = 1;
	op->u.create.out = &out;
	ask(w, op);
	assert_int_equal(op->rc, FR_OK);
	assert_int_equal(out.rc, FR_OK);
	op_free(op);
	return job.id;
}

static struct fr_op *
work_op(const char *worker, const char *type, uint32_t slots, int64_t wait_ms)
{
	struct fr_op *op = op_new(FR_OP_WORK);
	struct fr_exchange *x = &op->u.work;

	x->worker = fr_span_of(worker);
	x->host = FR_SPAN("here");
	x->pid = 42;
	x->types = fr_arena_calloc(op->arena, 1, sizeof(*x->types));
	x->types[0] = type;
	x->ntypes = 1;
	x->slots = slots;
	x->wait_ms = wait_ms;
	return op;
}

static void
name_running(struct fr_op *op, const struct fr_job *job)
{
	struct fr_exchange *x = &op->u.work;

	x->running = fr_arena_calloc(op->arena, 1, sizeof(*x->running));
	x->running[0].id = job->id;
	x->running[0].token = job->lease;
	x->nrunning = 1;
}

static void
name_finished(struct fr_op *op, const struct fr_job *job, enum fr_finish how,
    const char *value)
{
	struct fr_exchange *x = &op->u.work;

	x->finished = fr_arena_calloc(op->arena, 1, sizeof(*x->finished));
	x->finished[0].id = job->id;
	x->finished[0].token = job->lease;
	x->finished[0].how = how;
	x->finished[0].value = fr_span_of(value);
	x->nfinished = 1;
}

/* Takes the one job that must be there. */
static struct fr_job
take(struct world *w, const char *worker, const char *type)
{
	struct fr_op *op = ask(w, work_op(worker, type, 1, 0));
	struct fr_job job;

	assert_int_equal(op->rc, FR_OK);
	assert_int_equal(op->u.work.njobs, 1);
	job = op->u.work.jobs[0];
	job.type = job.data = (struct fr_span){ NULL, 0 };
	op_free(op);
	return job;
}

static void
takes_nothing(struct world *w, const char *worker, const char *type)
{
	struct fr_op *op = ask(w, work_op(worker, type, 1, 0));

	assert_int_equal(op->rc, FR_OK);
	assert_int_equal(op->u.work.njobs, 0);
	op_free(op);
}

static size_t
report(struct world *w, const char *worker, const struct fr_job *job,
    enum fr_finish how, const char *value)
{
	struct fr_op *op = work_op(worker, "t", 0, 0);
	size_t refused;

	name_finished(op, job, how, value);
	ask(w, op);
	assert_int_equal(op->rc, FR_OK);
	refused = op->u.work.nrefused;
	op_free(op);
	return refused;
}

static enum fr_rc
keep_job(void *arg, const struct fr_job *job)
{
	struct fr_job *to = arg;

	*to = *job;
	return FR_OK;
}

static struct fr_job
look(struct world *w, const struct fr_uuid *id)
{
	struct fr_job job = { .state = FR_STATES };
	struct fr_err err = FR_ERR_INIT;

	assert_int_equal(
	    w->store->ops->get(w->store, id, 1, keep_job, &job, &err), FR_OK);
	return job;
}

static enum fr_rc
edit(struct world *w, enum fr_op_kind kind, const struct fr_uuid *id)
{
	struct fr_op *op = op_new(kind), *got, *next;
	enum fr_rc rc;

	op->u.edit.id = *id;
	send(w, op);
	step(w);
	for (got = fr_engine_take(w->engine); got != op; got = next) {
		assert_non_null(got);
		next = got->next;
		op_free(got);
	}
	rc = op->rc;
	op_free(op);
	return rc;
}

/* ------------------------------------------------------------------ */

static void
a_job_goes_out_and_its_result_comes_back(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 3);
	const struct fr_job job = take(w, "w1", "t");

	assert_int_equal(look(w, &id).state, FR_STATE_RUNNING);
	assert_int_equal(job.attempt, 1);
	assert_int_equal(report(w, "w1", &job, FR_FINISH_COMPLETE, "42"), 0);
	assert_int_equal(look(w, &id).state, FR_STATE_COMPLETE);
	/* The same report again is answered the same. */
	assert_int_equal(report(w, "w1", &job, FR_FINISH_COMPLETE, "42"), 0);
	assert_int_equal(report(w, "w1", &job, FR_FINISH_FAILED, "\"x\""), 0);
	assert_int_equal(look(w, &id).state, FR_STATE_COMPLETE);
}

static void
a_waiting_worker_gets_a_new_job_at_once(void **state)
{
	struct world *w = *state;
	struct fr_op *op = work_op("w1", "t", 1, 60000), *got;
	struct fr_op *create;
	struct fr_job job = { .id = fr_uuid_new(&w->gen, 1, &w->rand),
		.type = FR_SPAN("t"),
		.data = FR_SPAN("1"),
		.state = FR_STATE_QUEUED,
		.max_attempts = 1 };
	struct fr_created out;

	send(w, op);
	settle(w);
	assert_null(answer(w));
	create = op_new(FR_OP_CREATE);
	create->u.create.jobs = &job;
	create->u.create.n = 1;
	create->u.create.out = &out;
	send(w, create);
	settle(w);
	got = fr_engine_take(w->engine);
	assert_ptr_equal(got, create);
	assert_ptr_equal(got->next, op);
	assert_int_equal(op->u.work.njobs, 1);
	op_free(create);
	op_free(op);
}

/* Takes op out of a list of answers; NULL: it is not there. */
static struct fr_op *
pick(struct fr_op **list, const struct fr_op *op)
{
	struct fr_op **at, *found;

	for (at = list; *at != NULL; at = &(*at)->next)
		if (*at == op) {
			found = *at;
			*at = found->next;
			found->next = NULL;
			return found;
		}
	return NULL;
}

/* An engine's turn with a create of n jobs: what it has answered. */
static struct fr_op *
one_turn_with(struct world *w, struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_op **create)
{
	size_t i;

	*create = op_new(FR_OP_CREATE);
	(*create)->u.create.jobs = jobs;
	(*create)->u.create.n = n;
	(*create)->u.create.out = out;
	for (i = 0; i < n; i++) {
		jobs[i].id = fr_uuid_new(&w->gen, held_wall(w), &w->rand);
		jobs[i].type = FR_SPAN("t");
		jobs[i].data = FR_SPAN("1");
		jobs[i].state = FR_STATE_QUEUED;
		jobs[i].max_attempts = 3;
	}
	send(w, *create);
	step(w);
	return fr_engine_take(w->engine);
}

static void
who_waits_for_a_new_job_has_it_after_one_commit(void **state)
{
	struct world *w = *state;
	struct fr_op *one = work_op("w1", "t", 1, 60000), *create, *done;
	struct fr_op *two = work_op("w2", "t", 1, 60000);
	struct fr_job jobs[3] = { { .priority = 0 } };
	struct fr_created out[3];

	send(w, one);
	send(w, two);
	settle(w);
	assert_null(answer(w));
	/* Two wait, two come: both go out in the turn that makes them. */
	done = one_turn_with(w, jobs, 2, out, &create);
	assert_ptr_equal(pick(&done, create), create);
	assert_ptr_equal(pick(&done, one), one);
	assert_ptr_equal(pick(&done, two), two);
	assert_null(done);
	assert_int_equal(one->u.work.njobs, 1);
	assert_true(fr_uuid_eq(&one->u.work.jobs[0].id, &jobs[0].id));
	assert_true(fr_uuid_eq(&two->u.work.jobs[0].id, &jobs[1].id));
	assert_int_equal(look(w, &jobs[1].id).state, FR_STATE_RUNNING);
	op_free(create);
	op_free(one);
	op_free(two);
	/* They never were in the queue. */
	takes_nothing(w, "w3", "t");

	/* With more than wait, or an order among them, the queue decides. */
	one = work_op("w4", "t", 1, 60000);
	send(w, one);
	settle(w);
	jobs[0].priority = 1;
	jobs[1].priority = 2;
	done = one_turn_with(w, jobs, 2, out, &create);
	assert_ptr_equal(pick(&done, create), create);
	assert_null(done);
	settle(w);
	done = fr_engine_take(w->engine);
	assert_ptr_equal(pick(&done, one), one);
	assert_true(fr_uuid_eq(&one->u.work.jobs[0].id, &jobs[1].id));
	op_free(create);
	op_free(one);
}

/* The memory store, but its next commits fail, so many. */
static struct {
	struct fr_store_ops ops;
	const struct fr_store_ops *real;
	unsigned failures;
} failing;

static enum fr_rc
fail_commit(struct fr_store *s, struct fr_err *err)
{
	if (failing.failures == 0)
		return failing.real->commit(s, err);
	failing.failures--;
	failing.real->rollback(s);
	return fr_fail(err, FR_AGAIN, "away");
}

static void
who_waits_goes_on_waiting_when_the_commit_of_its_job_fails(void **state)
{
	struct world *w = *state;
	struct fr_op *one = work_op("w1", "t", 1, 60000), *create, *done;
	struct fr_job jobs[1] = { { .priority = 0 } };
	struct fr_uuid lost;
	struct fr_created out[1];

	send(w, one);
	settle(w);
	failing.real = w->store->ops;
	failing.ops = *failing.real;
	failing.ops.commit = fail_commit;
	failing.failures = 1;
	w->store->ops = &failing.ops;
	done = one_turn_with(w, jobs, 1, out, &create);
	assert_ptr_equal(pick(&done, create), create);
	assert_null(done);
	assert_int_equal(create->rc, FR_AGAIN);
	lost = jobs[0].id;
	op_free(create);

	/* It is still the one who waits, and nothing is left of that job. */
	done = one_turn_with(w, jobs, 1, out, &create);
	assert_ptr_equal(pick(&done, create), create);
	assert_int_equal(create->rc, FR_OK);
	assert_ptr_equal(pick(&done, one), one);
	assert_int_equal(one->u.work.njobs, 1);
	assert_true(fr_uuid_eq(&one->u.work.jobs[0].id, &jobs[0].id));
	assert_int_equal(look(w, &lost).state, FR_STATES);
	w->store->ops = failing.real;
	op_free(create);
	op_free(one);
}

static void
a_wait_ends_when_its_time_is_over(void **state)
{
	struct world *w = *state;
	struct fr_op *op = work_op("w1", "t", 1, 5000);

	send(w, op);
	pass(w, 4999);
	assert_null(answer(w));
	pass(w, 1);
	assert_ptr_equal(answer(w), op);
	assert_int_equal(op->rc, FR_OK);
	assert_int_equal(op->u.work.njobs, 0);
	op_free(op);
}

static void
a_stale_report_is_refused_and_changes_nothing(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 3);
	struct fr_job job = take(w, "w1", "t");

	job.lease.b[3] ^= 1;
	assert_int_equal(report(w, "w1", &job, FR_FINISH_COMPLETE, "1"), 1);
	assert_int_equal(look(w, &id).state, FR_STATE_RUNNING);
}

static void
a_failed_attempt_comes_back_later_and_the_last_one_is_the_end(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 2);
	struct fr_job job = take(w, "w1", "t");

	assert_int_equal(report(w, "w1", &job, FR_FINISH_FAILED, "\"x\""), 0);
	assert_int_equal(look(w, &id).state, FR_STATE_SCHEDULED);
	takes_nothing(w, "w1", "t");
	pass(w, 1001);
	job = take(w, "w1", "t");
	assert_int_equal(job.attempt, 2);
	assert_int_equal(report(w, "w1", &job, FR_FINISH_FAILED, "\"y\""), 0);
	assert_int_equal(look(w, &id).state, FR_STATE_FAILED);
	assert_int_equal(look(w, &id).fail_count, 2);
}

static void
what_was_lost_on_the_way_is_taken_back_uncounted(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 1);
	const struct fr_job lost = take(w, "w1", "t");
	const struct fr_job job = take(w, "w1", "t");

	assert_int_equal(job.attempt, 2);
	assert_int_equal(look(w, &id).fail_count, 0);
	assert_int_equal(report(w, "w1", &lost, FR_FINISH_COMPLETE, "1"), 1);
	assert_int_equal(look(w, &id).state, FR_STATE_RUNNING);
}

static void
a_lease_that_is_renewed_lives_and_one_that_is_not_ends(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 2);
	const struct fr_job job = take(w, "w1", "t");
	struct fr_op *op;
	int i;

	for (i = 0; i < 10; i++) {
		pass(w, 5000);
		op = work_op("w1", "t", 0, 0);
		name_running(op, &job);
		ask(w, op);
		assert_int_equal(op->u.work.nstop, 0);
		op_free(op);
	}
	assert_int_equal(look(w, &id).attempt, 1);
	pass(w, 17000);
	assert_int_equal(look(w, &id).state, FR_STATE_QUEUED);
	assert_int_equal(look(w, &id).fail_count, 1);
	op = work_op("w1", "t", 0, 0);
	name_running(op, &job);
	ask(w, op);
	assert_int_equal(op->u.work.nstop, 1);
	op_free(op);
	assert_int_equal(report(w, "w1", &job, FR_FINISH_FAILED, "1"), 1);
	assert_int_equal(look(w, &id).fail_count, 1);
}

/* A lease that ran out, with these attempts; then its worker reports. */
static void
reports_late(struct world *w, uint32_t attempts, bool again)
{
	const struct fr_uuid id = submit(w, "t", 0, attempts);
	const struct fr_job late = take(w, "w1", "t");
	struct fr_job job = { .lease = { { 0 } } };
	enum fr_state state;

	pass(w, 17000);
	state = attempts == 1 ? FR_STATE_FAILED : FR_STATE_QUEUED;
	assert_int_equal(look(w, &id).state, state);
	if (again) {
		job = take(w, "w2", "t");
		state = FR_STATE_RUNNING;
	}
	assert_int_equal(report(w, "w1", &late, FR_FINISH_COMPLETE, "1"), 1);
	assert_int_equal(report(w, "w1", &late, FR_FINISH_FAILED, "1"), 1);
	assert_int_equal(report(w, "w1", &late, FR_FINISH_RELEASED, ""), 1);
	assert_int_equal(look(w, &id).state, state);
	assert_int_equal(look(w, &id).fail_count, 1);
	assert_int_equal(look(w, &id).result.len, 0);
	if (!again)
		return;
	assert_int_equal(report(w, "w2", &job, FR_FINISH_COMPLETE, "2"), 0);
	assert_int_equal(report(w, "w1", &late, FR_FINISH_COMPLETE, "1"), 1);
	assert_int_equal(report(w, "w2", &job, FR_FINISH_COMPLETE, "2"), 0);
	assert_true(fr_span_is(look(w, &id).result, "2"));
	assert_int_equal(look(w, &id).error.len, 0);
}

static void
a_clock_that_is_set_back_makes_no_lease_longer(void **state)
{
	struct world *w = *state;
	const struct fr_uuid lost = submit(w, "t", 0, 2);
	const struct fr_uuid id = submit(w, "u", 0, 2);
	struct fr_job job;
	struct fr_op *op;
	int i;

	(void)take(w, "w1", "t");
	job = take(w, "w2", "u");
	w->skew_ms = -3600000;
	for (i = 0; i < 8; i++) {
		pass(w, 5000);
		op = work_op("w2", "u", 0, 0);
		name_running(op, &job);
		ask(w, op);
		assert_int_equal(op->u.work.nstop, 0);
		op_free(op);
	}
	assert_int_equal(look(w, &lost).state, FR_STATE_QUEUED);
	assert_int_equal(look(w, &id).state, FR_STATE_RUNNING);
	assert_int_equal(report(w, "w2", &job, FR_FINISH_COMPLETE, "1"), 0);
}

static void
a_manager_that_starts_with_a_clock_set_back_keeps_no_long_lease(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 2);

	(void)take(w, "w1", "t");
	end(w);
	w->skew_ms = -3600000;
	start(w);
	pass(w, 10000);
	assert_int_equal(look(w, &id).state, FR_STATE_RUNNING);
	pass(w, 10000);
	assert_int_equal(look(w, &id).state, FR_STATE_QUEUED);
}

static void
a_report_after_its_lease_has_expired_is_refused(void **state)
{
	reports_late(*state, 1, false);
	reports_late(*state, 3, true);
	reports_late(*state, 3, false);
}

static void
a_job_that_loses_its_workers_ends(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 2);
	struct fr_job job = take(w, "w1", "t");

	assert_int_equal(report(w, "w1", &job, FR_FINISH_LOST, ""), 0);
	job = take(w, "w2", "t");
	assert_int_equal(report(w, "w2", &job, FR_FINISH_LOST, ""), 0);
	assert_int_equal(look(w, &id).state, FR_STATE_FAILED);
}

static void
a_cancelled_job_is_stopped_at_its_worker(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 2);
	const struct fr_job job = take(w, "w1", "t");
	struct fr_op *op = work_op("w1", "t", 1, 60000), *got, *cancel;

	name_running(op, &job);
	send(w, op);
	settle(w);
	assert_null(answer(w));
	cancel = op_new(FR_OP_CANCEL);
	cancel->u.edit.id = id;
	send(w, cancel);
	settle(w);
	got = fr_engine_take(w->engine);
	assert_ptr_equal(got, cancel);
	assert_ptr_equal(got->next, op);
	assert_int_equal(op->u.work.nstop, 1);
	assert_memory_equal(&op->u.work.stop[0], &id, sizeof(id));
	op_free(op);
	op_free(cancel);
	assert_int_equal(report(w, "w1", &job, FR_FINISH_COMPLETE, "1"), 1);
	assert_int_equal(look(w, &id).state, FR_STATE_CANCELLED);
	assert_int_equal(edit(w, FR_OP_CANCEL, &id), FR_OK);
	assert_int_equal(edit(w, FR_OP_RETRY, &id), FR_OK);
	assert_int_equal(take(w, "w1", "t").attempt, 2);
	assert_int_equal(edit(w, FR_OP_REMOVE, &id), FR_CONFLICT);
}

/*
 * A worker may ask for more before it has read that its report was taken, and
 * then names what has ended.
 */
static void
what_has_ended_may_be_named_for_a_while(void **state)
{
	static const enum fr_finish ways[] = { FR_FINISH_COMPLETE,
		FR_FINISH_FAILED, FR_FINISH_RELEASED };
	struct world *w = *state;
	struct fr_job job;
	struct fr_op *op;
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		(void)submit(w, "t", 0, 9);
		job = take(w, "w1", "t");
		assert_int_equal(report(w, "w1", &job, ways[i], "1"), 0);
		op = work_op("w1", "u", 1, 1000);
		name_running(op, &job);
		send(w, op);
		settle(w);
		assert_null(answer(w));
		pass(w, 1001);
		assert_ptr_equal(answer(w), op);
		assert_int_equal(op->u.work.nstop, 0);
		op_free(op);
		/* Once it was not named it is nothing to us. */
		takes_nothing(w, "w1", "u");
		op = work_op("w1", "u", 1, 1000);
		name_running(op, &job);
		ask(w, op);
		assert_int_equal(op->u.work.nstop, 1);
		op_free(op);
	}
}

static void
what_has_ended_is_not_named_for_another_lease(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 9);
	const struct fr_job first = take(w, "w1", "t");
	struct fr_job job;
	struct fr_op *op;

	assert_int_equal(report(w, "w1", &first, FR_FINISH_RELEASED, ""), 0);
	job = take(w, "w2", "t");
	assert_int_equal(report(w, "w2", &job, FR_FINISH_LOST, ""), 0);
	job = take(w, "w1", "t");
	assert_memory_equal(&job.id, &id, sizeof(id));
	op = work_op("w1", "t", 1, 60000);
	name_running(op, &first);
	ask(w, op);
	assert_int_equal(op->u.work.nstop, 1);
	op_free(op);
	/* The newest was lost on the way: it was taken back. */
	(void)take(w, "w1", "t");
	assert_int_equal(report(w, "w1", &job, FR_FINISH_COMPLETE, "1"), 1);
	assert_int_equal(look(w, &id).state, FR_STATE_RUNNING);
}

static size_t
workers(struct world *w)
{
	struct fr_op *op = ask(w, op_new(FR_OP_WORKERS));
	const size_t n = op->u.workers.n;

	op_free(op);
	return n;
}

static void
a_worker_that_leaves_is_forgotten_whatever_it_has_open(void **state)
{
	struct world *w = *state;
	const uint32_t slots[] = { 0, 1 };
	struct fr_op *open, *last, *got;
	struct fr_job job;
	size_t i;

	for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		(void)submit(w, "t", 0, 1);
		job = take(w, "w1", "t");
		open = work_op("w1", "t", slots[i], 60000);
		name_running(open, &job);
		send(w, open);
		settle(w);
		assert_null(answer(w));
		assert_int_equal(workers(w), 1);
		last = work_op("w1", "t", 0, 0);
		name_finished(last, &job, FR_FINISH_COMPLETE, "1");
		last->u.work.leaving = true;
		send(w, last);
		settle(w);
		got = fr_engine_take(w->engine);
		assert_ptr_equal(got, slots[i] > 0 ? open : last);
		assert_ptr_equal(got->next, slots[i] > 0 ? last : open);
		assert_null(got->next->next);
		assert_int_equal(last->rc, FR_OK);
		assert_int_equal(open->rc, slots[i] > 0 ? FR_AGAIN : FR_OK);
		op_free(last);
		op_free(open);
		assert_int_equal(workers(w), 0);
	}
}

static void
a_worker_that_leaves_is_given_nothing_in_that_moment(void **state)
{
	struct world *w = *state;
	struct fr_op *open = work_op("w1", "t", 1, 60000), *last, *create, *got;
	struct fr_job job = { .id =
				  fr_uuid_new(&w->gen, held_wall(w), &w->rand),
		.type = FR_SPAN("t"),
		.data = FR_SPAN("1"),
		.state = FR_STATE_QUEUED,
		.max_attempts = 1,
		.created_ms = held_wall(w),
		.run_at_ms = held_wall(w) };
	struct fr_created out;

	send(w, open);
	settle(w);
	assert_null(answer(w));
	create = op_new(FR_OP_CREATE);
	create->u.create.jobs = &job;
	create->u.create.n = 1;
	create->u.create.out = &out;
	last = work_op("w1", "t", 0, 0);
	last->u.work.leaving = true;
	send(w, create);
	send(w, last);
	settle(w);
	got = fr_engine_take(w->engine);
	assert_ptr_equal(got, open);
	assert_int_equal(open->rc, FR_AGAIN);
	assert_int_equal(open->u.work.njobs, 0);
	assert_ptr_equal(got->next, create);
	assert_ptr_equal(create->next, last);
	op_free(open);
	op_free(create);
	op_free(last);
	assert_int_equal(look(w, &job.id).state, FR_STATE_QUEUED);
	assert_int_equal(workers(w), 0);
	(void)take(w, "w2", "t");
}

static void
a_request_that_is_left_at_once_comes_back_at_once(void **state)
{
	struct world *w = *state;
	struct fr_op *op = work_op("w1", "t", 1, 60000);

	send(w, op);
	fr_engine_abandon(w->engine, op);
	step(w);
	assert_ptr_equal(answer(w), op);
	assert_int_equal(op->rc, FR_AGAIN);
	op_free(op);
	(void)submit(w, "t", 0, 1);
	(void)take(w, "w2", "t");
}

static void
a_paused_type_waits_and_holds_up_nobody(void **state)
{
	struct world *w = *state;
	struct fr_op *op = op_new(FR_OP_PAUSE);

	op->u.pause.type = "t";
	op_free(ask(w, op));
	(void)submit(w, "t", 0, 1);
	(void)submit(w, "u", 0, 1);
	takes_nothing(w, "w1", "t");
	(void)take(w, "w2", "u");
	op = op_new(FR_OP_RESUME);
	op->u.pause.type = "t";
	op_free(ask(w, op));
	(void)take(w, "w1", "t");
}

static void
a_delayed_job_goes_out_when_its_time_has_come(void **state)
{
	struct world *w = *state;
	struct fr_op *op = work_op("w1", "t", 1, 60000);

	(void)submit(w, "t", 700, 1);
	send(w, op);
	pass(w, 699);
	assert_null(answer(w));
	pass(w, 1);
	assert_ptr_equal(answer(w), op);
	assert_int_equal(op->u.work.njobs, 1);
	op_free(op);
}

static void
whoever_waits_for_a_job_hears_of_its_end(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 1);
	const struct fr_job job = take(w, "w1", "t");
	struct fr_op *wait[3], *got, *done;
	size_t i;

	for (i = 0; i < 3; i++) {
		wait[i] = op_new(FR_OP_WAIT);
		wait[i]->u.wait.id = id;
		wait[i]->u.wait.wait_ms = i == 2 ? 10 : 60000;
		send(w, wait[i]);
	}
	settle(w);
	pass(w, 10);
	got = answer(w);
	assert_ptr_equal(got, wait[2]);
	assert_false(got->u.wait.ended);
	fr_engine_abandon(w->engine, wait[0]);
	settle(w);
	assert_ptr_equal(answer(w), wait[0]);
	done = work_op("w1", "t", 0, 0);
	name_finished(done, &job, FR_FINISH_COMPLETE, "1");
	send(w, done);
	settle(w);
	got = fr_engine_take(w->engine);
	assert_non_null(got);
	assert_non_null(got->next);
	assert_true(wait[1]->answered && wait[1]->u.wait.ended);
	for (i = 0; i < 3; i++)
		op_free(wait[i]);
	op_free(done);
}

static void
a_batch_with_a_conflict_is_refused_whole(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 1);
	struct fr_job jobs[3];
	struct fr_created out[3];
	struct fr_op *op = op_new(FR_OP_CREATE);
	size_t i;

	for (i = 0; i < 3; i++)
		jobs[i] =
		    (struct fr_job){ .id = fr_uuid_new(&w->gen, 1, &w->rand),
			    .type = FR_SPAN("t"),
			    .data = FR_SPAN("2"),
			    .state = FR_STATE_QUEUED,
			    .max_attempts = 1 };
	jobs[1].id = id;
	op->u.create.jobs = jobs;
	op->u.create.n = 3;
	op->u.create.out = out;
	ask(w, op);
	assert_int_equal(op->rc, FR_CONFLICT);
	assert_int_equal(op->u.create.bad, 1);
	assert_int_equal(look(w, &jobs[0].id).state, FR_STATES);
	op_free(op);
	(void)take(w, "w1", "t");
	takes_nothing(w, "w2", "t");
}

static void
several_who_wait_share_what_is_there(void **state)
{
	struct world *w = *state;
	struct fr_op *ops[4];
	size_t i;

	for (i = 0; i < 8; i++)
		(void)submit(w, "t", 0, 1);
	for (i = 0; i < 4; i++) {
		ops[i] = work_op(
		    (const char *[]){ "a", "b", "c", "d" }[i], "t", 100, 60000);
		send(w, ops[i]);
	}
	settle(w);
	(void)fr_engine_take(w->engine);
	for (i = 0; i < 4; i++) {
		assert_int_equal(ops[i]->u.work.njobs, 2);
		op_free(ops[i]);
	}
}

static void
what_is_given_back_goes_out_in_its_old_order(void **state)
{
	struct world *w = *state;
	struct fr_uuid ids[4];
	struct fr_op *op, *back;
	size_t i;

	for (i = 0; i < 4; i++)
		ids[i] = submit(w, "t", 0, 1);
	op = ask(w, work_op("w1", "t", 3, 0));
	assert_int_equal(op->u.work.njobs, 3);
	back = work_op("w1", "t", 0, 0);
	back->u.work.finished =
	    fr_arena_calloc(back->arena, 3, sizeof(*back->u.work.finished));
	back->u.work.nfinished = 3;
	for (i = 0; i < 3; i++)
		back->u.work.finished[i] =
		    (struct fr_finished){ .id = op->u.work.jobs[2 - i].id,
			    .token = op->u.work.jobs[2 - i].lease,
			    .how = FR_FINISH_RELEASED };
	op_free(ask(w, back));
	op_free(op);
	op = ask(w, work_op("w2", "t", 4, 0));
	assert_int_equal(op->u.work.njobs, 4);
	for (i = 0; i < 4; i++)
		assert_memory_equal(
		    &op->u.work.jobs[i].id, &ids[i], sizeof(ids[i]));
	op_free(op);
}

static void
an_answer_holds_only_so_much_data(void **state)
{
	struct world *w = *state;
	const size_t len = 3U << 20;
	char *big = malloc(len);
	struct fr_op *op;
	struct fr_job jobs[5];
	struct fr_created out[5];
	size_t i;

	assert_non_null(big);
	memset(big, '1', len);
	for (i = 0; i < 5; i++)
		jobs[i] =
		    (struct fr_job){ .id = fr_uuid_new(&w->gen, 1, &w->rand),
			    .type = FR_SPAN("t"),
			    .data = { big, len },
			    .state = FR_STATE_QUEUED,
			    .max_attempts = 1 };
	op = op_new(FR_OP_CREATE);
	op->u.create.jobs = jobs;
	op->u.create.n = 5;
	op->u.create.out = out;
	op_free(ask(w, op));
	op = ask(w, work_op("w1", "t", 5, 0));
	assert_int_equal(op->u.work.njobs, 2);
	assert_memory_equal(&op->u.work.jobs[0].id, &jobs[0].id, 16);
	op_free(op);
	op = ask(w, work_op("w2", "t", 5, 0));
	assert_int_equal(op->u.work.njobs, 2);
	assert_memory_equal(&op->u.work.jobs[0].id, &jobs[2].id, 16);
	assert_int_equal(look(w, &jobs[2].id).fail_count, 0);
	op_free(op);
	free(big);
}

static void
a_new_engine_finds_everything_in_the_store(void **state)
{
	struct world *w = *state;
	struct fr_err err = FR_ERR_INIT;
	struct fr_uuid ids[5];
	struct fr_job job;
	struct fr_op *op;
	size_t i;

	for (i = 0; i < 5; i++)
		ids[i] = submit(w, "t", 0, 1);
	job = take(w, "w1", "t");
	end(w);
	w->queue->ops->close(w->queue);
	assert_int_equal(
	    fr_registry_queue(&w->queue, "memory:fifo", &err), FR_OK);
	w->ms += 100000; /* long after the lease was over */
	start(w);
	settle(w);
	assert_int_equal(look(w, &ids[0]).state, FR_STATE_RUNNING);
	op = work_op("w1", "t", 10, 0);
	name_running(op, &job);
	ask(w, op);
	assert_int_equal(op->u.work.nstop, 0);
	assert_int_equal(op->u.work.njobs, 4);
	for (i = 0; i < 4; i++)
		assert_memory_equal(
		    &op->u.work.jobs[i].id, &ids[i + 1], sizeof(ids[0]));
	op_free(op);
	assert_int_equal(report(w, "w1", &job, FR_FINISH_COMPLETE, "1"), 0);
}

static void
an_emptied_queue_is_filled_again_from_the_store(void **state)
{
	struct world *w = *state;
	struct fr_err err = FR_ERR_INIT;

	(void)submit(w, "t", 0, 1);
	assert_int_equal(w->queue->ops->empty(w->queue, &err), FR_OK);
	takes_nothing(w, "w1", "t");
	pass(w, 2001);
	(void)take(w, "w1", "t");
}

static void
ended_jobs_are_purged_in_steps(void **state)
{
	struct world *w = *state;
	struct fr_uuid ids[3];
	struct fr_job job;
	struct fr_op *op;
	size_t i;

	for (i = 0; i < 3; i++)
		ids[i] = submit(w, "t", 0, 1);
	for (i = 0; i < 2; i++) {
		job = take(w, "w1", "t");
		(void)report(w, "w1", &job, FR_FINISH_COMPLETE, "1");
	}
	pass(w, 10000);
	op = op_new(FR_OP_PURGE);
	op->u.purge.states = FR_STATE_ENDED;
	op->u.purge.older_ms = 5000;
	ask(w, op);
	assert_int_equal(op->u.purge.count, 2);
	op_free(op);
	assert_int_equal(look(w, &ids[0]).state, FR_STATES);
	assert_int_equal(look(w, &ids[2]).state, FR_STATE_QUEUED);
}

static void
a_purge_stops_at_its_limit(void **state)
{
	struct world *w = *state;
	struct fr_job job;
	struct fr_op *op;
	int i, left[] = { 30, 30, 5 };

	for (i = 0; i < 65; i++) {
		(void)submit(w, "t", 0, 1);
		job = take(w, "w1", "t");
		(void)report(w, "w1", &job, FR_FINISH_COMPLETE, "1");
	}
	pass(w, 1);
	for (i = 0; i < 3; i++) {
		op = op_new(FR_OP_PURGE);
		op->u.purge.states = FR_STATE_ENDED;
		op->u.purge.limit = 30;
		ask(w, op);
		assert_int_equal(op->u.purge.count, left[i]);
		op_free(op);
	}
}

static uint64_t
purged(struct world *w)
{
	struct fr_engine_counters c;

	fr_engine_counters(w->engine, &c);
	return c.purged;
}

static enum fr_rc
commit_to_full_disk(struct fr_store *s, struct fr_err *err)
{
	s->ops->rollback(s);
	return fr_fail(err, FR_NOSPACE, "disk full");
}

static const struct fr_store_ops *doubted;

static enum fr_rc
doubtful_commit(struct fr_store *s, struct fr_err *err)
{
	s->ops = doubted; /* this once */
	(void)s->ops->commit(s, err);
	return fr_fail(err, FR_UNKNOWN, "who knows");
}

/* A server that several managers share goes away at a commit, which it has
 * done: the job was leased, and nobody got it. */
static void
a_job_that_was_leased_in_a_doubtful_commit_is_had_by_who_waits(void **state)
{
	struct world *w = *state;
	const struct fr_store_ops *ops = w->store->ops;
	struct fr_store_ops sure = *ops, doubtful;
	struct fr_op *op, *made, *got;
	struct fr_created out;
	struct fr_job job = { .state = FR_STATE_QUEUED };

	end(w);
	sure.caps |= FR_STORE_SHARED;
	doubtful = sure;
	doubtful.commit = doubtful_commit;
	doubted = w->store->ops = &sure;
	start(w);
	settle(w);
	send(w, work_op("w1", "t", 1, 60000));
	settle(w);
	job.id = fr_uuid_new(&w->gen, held_wall(w), &w->rand);
	job.type = FR_SPAN("t");
	job.data = FR_SPAN("1");
	job.max_attempts = 1;
	made = op_new(FR_OP_CREATE);
	made->u.create.jobs = &job;
	made->u.create.n = 1;
	made->u.create.out = &out;
	w->store->ops = &doubtful;
	send(w, made);
	step(w);
	op = answer(w);
	assert_ptr_equal(op, made);
	assert_int_equal(op->rc, FR_UNKNOWN);
	op_free(op);
	assert_int_equal(look(w, &job.id).attempt, 1);
	pass(w, 1000);
	got = answer(w);
	assert_non_null(got);
	assert_int_equal(got->rc, FR_OK);
	assert_int_equal(got->u.work.njobs, 1);
	assert_int_equal(got->u.work.jobs[0].attempt, 2);
	op_free(got);
	assert_int_equal(look(w, &job.id).fail_count, 0);
	end(w);
	w->store->ops = ops;
	start(w);
}

static void
a_purge_that_found_the_disk_full_counts_what_went_then(void **state)
{
	struct world *w = *state;
	const struct fr_store_ops *ops = w->store->ops;
	struct fr_store_ops full = *ops;
	struct fr_op *op, *made;
	struct fr_created out;
	struct fr_job job = { .state = FR_STATE_QUEUED };
	int i;

	for (i = 0; i < 40; i++) {
		(void)submit(w, "t", 0, 1);
		job = take(w, "w1", "t");
		(void)report(w, "w1", &job, FR_FINISH_COMPLETE, "1");
	}
	pass(w, 10000);
	op = op_new(FR_OP_PURGE);
	op->u.purge.states = FR_STATE_ENDED;
	op->u.purge.older_ms = 5000;
	op->u.purge.limit = 30;
	send(w, op);
	job = (struct fr_job){ .id = job.id,
		.type = FR_SPAN("t"),
		.data = FR_SPAN("1"),
		.state = FR_STATE_QUEUED,
		.max_attempts = 1 };
	job.id.b[15] ^= 1;
	made = op_new(FR_OP_CREATE);
	made->u.create.jobs = &job;
	made->u.create.n = 1;
	made->u.create.out = &out;
	send(w, made);
	full.commit = commit_to_full_disk;
	w->store->ops = &full;
	step(w);
	w->store->ops = ops;
	assert_ptr_equal(answer(w), made);
	assert_int_equal(made->rc, FR_NOSPACE);
	op_free(made);
	assert_int_equal(purged(w), 0);
	settle(w);
	assert_ptr_equal(answer(w), op);
	assert_int_equal(op->rc, FR_OK);
	assert_int_equal(op->u.purge.count, 30);
	assert_int_equal(purged(w), 30);
	op_free(op);
	op = op_new(FR_OP_PURGE);
	op->u.purge.states = FR_STATE_ENDED;
	op->u.purge.older_ms = 5000;
	ask(w, op);
	assert_int_equal(op->u.purge.count, 10);
	op_free(op);
}

static enum fr_rc
lease_on_full_disk(struct fr_store *s, const struct fr_grant *g, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	(void)s;
	(void)g;
	(void)n;
	(void)emit;
	(void)arg;
	return fr_fail(err, FR_NOSPACE, "disk full");
}

/* More than one turn forgets, ten seconds ago. */
static struct fr_uuid
end_many(struct world *w)
{
	struct fr_job job;
	size_t i;

	for (i = 0; i < 600; i++) {
		(void)submit(w, "t", 0, 1);
		job = take(w, "w1", "t");
		(void)report(w, "w1", &job, FR_FINISH_COMPLETE, "1");
	}
	pass(w, 10000);
	return job.id;
}

static void
a_purge_needs_no_room_for_what_others_do(void **state)
{
	struct world *w = *state;
	const struct fr_store_ops *ops = w->store->ops;
	struct fr_store_ops full = *ops;
	struct fr_op *op, *edit, *work;
	const struct fr_uuid id = end_many(w);

	(void)submit(w, "t", 0, 1);
	full.lease = lease_on_full_disk;
	w->store->ops = &full;
	work = work_op("w1", "t", 1, 0);
	send(w, work);
	edit = op_new(FR_OP_REMOVE);
	edit->u.edit.id = id;
	send(w, edit);
	op = op_new(FR_OP_PURGE);
	op->u.purge.states = FR_STATE_ENDED;
	op->u.purge.older_ms = 5000;
	send(w, op);
	while (!op->answered || !work->answered)
		step(w);
	w->store->ops = ops;
	assert_int_equal(op->rc, FR_OK);
	assert_int_equal(op->u.purge.count, 599);
	assert_int_equal(edit->rc, FR_OK);
	assert_int_equal(purged(w), 599);
	assert_int_equal(work->rc, FR_NOSPACE);
	while ((op = fr_engine_take(w->engine)) != NULL)
		for (; op != NULL; op = work) {
			work = op->next;
			op_free(op);
		}
}

static void
ended_jobs_are_forgotten_on_a_full_disk_too(void **state)
{
	struct world *w = *state;
	const struct fr_store_ops *ops = w->store->ops;
	struct fr_store_ops full = *ops;
	struct fr_op *op;
	int i;

	(void)end_many(w);
	(void)submit(w, "t", 0, 1);
	end(w);
	start_with(w, 5000);
	full.lease = lease_on_full_disk;
	w->store->ops = &full;
	for (i = 0; i < 100; i++) {
		op = ask(w, work_op("w1", "t", 1, 0));
		assert_int_equal(op->rc, FR_NOSPACE);
		op_free(op);
		pass(w, 250);
	}
	w->store->ops = ops;
	assert_int_equal(purged(w), 600);
}

/* A turn for which somebody waits; he is answered in it. */
static void
busy_step(struct world *w)
{
	struct fr_op *op = work_op("w2", "none", 0, 0);

	send(w, op);
	step(w);
	assert_ptr_equal(answer(w), op);
	op_free(op);
}

static void
a_purge_lets_others_through(void **state)
{
	struct world *w = *state;
	struct fr_job job;
	struct fr_op *op;
	uint64_t n;
	size_t i;

	for (i = 0; i < 320; i++) {
		(void)submit(w, "t", 0, 1);
		job = take(w, "w1", "t");
		(void)report(w, "w1", &job, FR_FINISH_COMPLETE, "1");
	}
	pass(w, 10000);
	op = op_new(FR_OP_PURGE);
	op->u.purge.states = FR_STATE_ENDED;
	op->u.purge.older_ms = 5000;
	send(w, op);
	busy_step(w);
	n = purged(w);
	assert_in_range(n, 1, 60);
	/* Not in each of their turns, ... */
	busy_step(w);
	assert_int_equal(purged(w), n);
	/* ... but again after a while, however many they are. */
	while (purged(w) < 320) {
		n = purged(w);
		w->ms += 3;
		busy_step(w);
		assert_in_range(purged(w), n + 1, n + 60);
	}
	w->ms += 3;
	settle(w);
	assert_ptr_equal(answer(w), op);
	assert_int_equal(op->u.purge.count, 320);
	op_free(op);
}

static void
a_clock_set_forward_ends_no_lease(void **state)
{
	struct world *w = *state;
	const struct fr_uuid id = submit(w, "t", 0, 2);

	(void)take(w, "w1", "t");
	/* Both clocks jump, as after a suspended machine. */
	w->ms += 3600000;
	settle(w);
	assert_int_equal(look(w, &id).state, FR_STATE_RUNNING);
	pass(w, 17000);
	assert_int_equal(look(w, &id).state, FR_STATE_QUEUED);
}

/* A worker's new connection is ahead of the end of its old one. */
static void
an_exchange_that_the_next_one_replaces_in_the_same_turn_is_let_go_after_it(
    void **state)
{
	struct world *w = *state;

	w->eager = true;
	send(w, work_op("w1", "t", 0, 30000)); /* to hear of cancelled jobs */
	send(w, work_op("w1", "t", 1, 30000));
	settle(w);
	assert_int_equal(w->taken, 1);
	send(w, work_op("w1", "t", 1, 30000));
	send(w, work_op("w1", "t", 1, 30000));
	settle(w);
	assert_int_equal(w->taken, 3);
	pass(w, 40000);
	assert_int_equal(w->taken, 4);
}

/* Many jobs at once, each with so much data. */
static struct fr_op *
batch_op(struct world *w, size_t n, size_t bytes)
{
	struct fr_op *op = op_new(FR_OP_CREATE);
	char *data = fr_arena_alloc(op->arena, bytes);
	size_t i;

	assert_non_null(data);
	memset(data, '1', bytes);
	op->u.create.jobs =
	    fr_arena_calloc(op->arena, n, sizeof(struct fr_job));
	op->u.create.out =
	    fr_arena_calloc(op->arena, n, sizeof(struct fr_created));
	assert_non_null(op->u.create.jobs);
	op->u.create.n = n;
	for (i = 0; i < n; i++)
		op->u.create.jobs[i] = (struct fr_job){
			.id = fr_uuid_new(&w->gen, held_wall(w), &w->rand),
			.type = fr_span_of("bulk"),
			.data = { data, bytes },
			.max_attempts = 3,
			.created_ms = held_wall(w),
		};
	return op;
}

/* How many have been answered; they are gone then. */
static unsigned
answered(struct world *w)
{
	struct fr_op *op, *next;
	unsigned n = 0;

	for (op = fr_engine_take(w->engine); op != NULL; op = next, n++) {
		assert_int_equal(op->rc, FR_OK);
		next = op->next;
		op_free(op);
	}
	return n;
}

static void
large_batches_hold_up_no_report_and_no_small_job(void **state)
{
	struct world *w = *state;
	struct fr_op *small = batch_op(w, 1, 10);
	unsigned n, all = 0;
	int i;

	for (i = 0; i < 20; i++)
		send(w, batch_op(w, 4000, 1));
	send(w, small);
	send(w, work_op("w1", "t", 1, 0));
	step(w);
	n = answered(w);
	/* One batch, which is larger than its share, and the others. */
	assert_int_equal(n, 3);
	assert_true(w->next_ms <= w->ms);
	/* Every turn has one while others come, and all end in any case. */
	for (i = 0; i < 5; i++) {
		send(w, work_op("w1", "t", 1, 0));
		step(w);
		n = answered(w);
		assert_int_equal(n, 2);
		all += n - 1;
	}
	w->ms += 200;
	for (i = 0; i < 100 && all < 19; i++) {
		step(w);
		n = answered(w);
		assert_true(n >= 1);
		all += n;
	}
	assert_int_equal(all, 19);
}

static void
workers_that_were_made_up_are_forgotten(void **state)
{
	struct world *w = *state;
	struct fr_op *op;
	char name[16];
	int i, k;

	for (i = 0; i < 40; i++) {
		for (k = 0; k < 1000; k++) {
			assert_true(fr_str_format(
			    name, sizeof(name), "w%d", i * 1000 + k));
			op = work_op(name, "t", 1, 0);
			op->u.work.worker =
			    fr_arena_dup(op->arena, fr_span_of(name));
			send(w, op);
		}
		step(w);
		assert_int_equal(answered(w), 1000);
	}
	step(w);
	op = ask(w, op_new(FR_OP_WORKERS));
	assert_int_equal(op->u.workers.n, 32768);
	op_free(op);
}

static void
put_works(struct world *w, int n)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g",
		"h", "i", "j", "k", "l" };
	int i;

	for (i = 0; i < n; i++)
		assert_int_equal(
		    fr_engine_put(w->engine, work_op(names[i], "t", 1, 0)),
		    FR_OK);
}

static void
assert_done_here(struct world *w)
{
	put_works(w, 12);
	assert_true(fr_engine_go(w->engine));
	assert_int_equal(answered(w), 12);
}

static void
many_at_once_are_done_by_whoever_brings_them(void **state)
{
	struct world *w = *state;
	const unsigned woken = w->woken;

	assert_done_here(w);
	assert_int_equal(w->woken, woken);
	assert_false(fr_engine_go(w->engine));
}

static void
few_are_left_to_the_thread_of_the_engine(void **state)
{
	struct world *w = *state;

	put_works(w, 3);
	assert_false(fr_engine_go(w->engine));
	assert_null(fr_engine_take(w->engine));
	step(w);
	assert_int_equal(answered(w), 3);
}

static void
what_may_be_long_is_left_to_the_thread_of_the_engine(void **state)
{
	struct world *w = *state;

	put_works(w, 12);
	assert_int_equal(
	    fr_engine_put(w->engine, op_new(FR_OP_WORKERS)), FR_OK);
	assert_false(fr_engine_go(w->engine));
	assert_null(fr_engine_take(w->engine));
	step(w);
	assert_int_equal(answered(w), 13);
	/* So is what is due by itself. */
	w->ms += 3000;
	put_works(w, 12);
	assert_false(fr_engine_go(w->engine));
	settle(w);
	assert_int_equal(answered(w), 12);
	assert_done_here(w);
}

static void
what_may_be_long_is_not_done_with_what_comes_later(void **state)
{
	struct world *w = *state;

	assert_int_equal(
	    fr_engine_put(w->engine, op_new(FR_OP_WORKERS)), FR_OK);
	assert_false(fr_engine_go(w->engine));
	/* The engine's thread has been woken, but had no time yet. */
	put_works(w, 12);
	assert_false(fr_engine_go(w->engine));
	assert_null(fr_engine_take(w->engine));
	step(w);
	assert_int_equal(answered(w), 13);
	assert_done_here(w);
}

static void
a_slow_disk_holds_up_whoever_brings_them_twice_and_no_more(void **state)
{
	struct world *w = *state;
	int i;

	w->lag_ms = 10;
	for (i = 0; i < 3; i++) {
		put_works(w, 12);
		assert_int_equal(fr_engine_go(w->engine), i < 2);
		step(w);
		assert_int_equal(answered(w), 12);
	}
	w->lag_ms = 0;
	w->ms += 1000;
	settle(w);
	assert_done_here(w);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_job_goes_out_and_its_result_comes_back),
		T(a_waiting_worker_gets_a_new_job_at_once),
		T(who_waits_for_a_new_job_has_it_after_one_commit),
		T(who_waits_goes_on_waiting_when_the_commit_of_its_job_fails),
		T(a_wait_ends_when_its_time_is_over),
		T(a_stale_report_is_refused_and_changes_nothing),
		T(a_failed_attempt_comes_back_later_and_the_last_one_is_the_end),
		T(what_was_lost_on_the_way_is_taken_back_uncounted),
		T(a_lease_that_is_renewed_lives_and_one_that_is_not_ends),
		T(a_clock_that_is_set_back_makes_no_lease_longer),
		T(a_manager_that_starts_with_a_clock_set_back_keeps_no_long_lease),
		T(a_report_after_its_lease_has_expired_is_refused),
		T(a_job_that_loses_its_workers_ends),
		T(a_cancelled_job_is_stopped_at_its_worker),
		T(what_has_ended_may_be_named_for_a_while),
		T(what_has_ended_is_not_named_for_another_lease),
		T(a_worker_that_leaves_is_forgotten_whatever_it_has_open),
		T(a_worker_that_leaves_is_given_nothing_in_that_moment),
		T(a_request_that_is_left_at_once_comes_back_at_once),
		T(a_paused_type_waits_and_holds_up_nobody),
		T(a_delayed_job_goes_out_when_its_time_has_come),
		T(whoever_waits_for_a_job_hears_of_its_end),
		T(a_batch_with_a_conflict_is_refused_whole),
		T(several_who_wait_share_what_is_there),
		T(what_is_given_back_goes_out_in_its_old_order),
		T(an_answer_holds_only_so_much_data),
		T(a_new_engine_finds_everything_in_the_store),
		T(an_emptied_queue_is_filled_again_from_the_store),
		T(ended_jobs_are_purged_in_steps),
		T(a_purge_stops_at_its_limit),
		T(a_job_that_was_leased_in_a_doubtful_commit_is_had_by_who_waits),
		T(a_purge_that_found_the_disk_full_counts_what_went_then),
		T(a_purge_needs_no_room_for_what_others_do),
		T(ended_jobs_are_forgotten_on_a_full_disk_too),
		T(a_purge_lets_others_through),
		T(large_batches_hold_up_no_report_and_no_small_job),
		T(workers_that_were_made_up_are_forgotten),
		T(a_clock_set_forward_ends_no_lease),
		T(many_at_once_are_done_by_whoever_brings_them),
		T(few_are_left_to_the_thread_of_the_engine),
		T(what_may_be_long_is_left_to_the_thread_of_the_engine),
		T(what_may_be_long_is_not_done_with_what_comes_later),
		T(a_slow_disk_holds_up_whoever_brings_them_twice_and_no_more),
		T(an_exchange_that_the_next_one_replaces_in_the_same_turn_is_let_go_after_it),
	};

	return FR_UNIT_MAIN(tests);
}
