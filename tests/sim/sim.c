/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/registry.h"
#include "base/map.h"
#include "base/str.h"
#include "base/uuid.h"
#include "base/vec.h"
#include "core/engine.h"

/*
 * A day in the life of one manager, on a seed: the real engine with a clock
 * that is held, a store and a queue that fail, a network that loses requests
 * and answers, clients that send again, workers that die, and crashes between
 * any two steps, also right before and right after a commit. In the end all
 * faults stop, and then: every job that was acknowledged has one outcome, no
 * stale result is visible, nothing was run after its end, and none was run
 * more often than it may be.
 *
 * sim nth [FIRST [COUNT]]: short days in which the store's nth call fails,
 * once, and from then on for a while; with each kind of failure.
 *
 * sim [FIRST [COUNT]]: the seeds to run; a failing one is printed and can be
 * run again alone, with SIM_TRACE=1 for all that happens.
 */

#define WORKERS 5
#define TYPES 3
#define ACTIONS 900
#define LEASE_MS 15000

static const char *const type_names[TYPES] = { "alpha", "beta", "gamma" };

struct job {
	struct fr_uuid id;
	unsigned type;
	int64_t delay_ms;
	uint32_t max_attempts;
	bool acknowledged;
	bool there;            /* in the store, when it was last looked at */
	bool removed;          /* a person asked for it, and it was done */
	bool maybe_removed;    /* a person asked for it */
	unsigned edits;        /* that may have changed its outcome */
	uint32_t last_attempt; /* that a worker has seen */
	uint32_t started, given_back;
	enum fr_state seen;
	unsigned seen_edits;
	uint32_t told_attempt; /* whose result was taken, not refused; or 0 */
};

struct run {
	struct fr_uuid id;
	struct fr_token token;
	uint32_t attempt;
	int64_t end_ms;
	bool finished; /* its end is to be reported */
	enum fr_finish how;
	char value[32];
};

struct worker {
	char id[32];
	struct run runs[8];
	size_t nruns;
	uint32_t slots;
	int64_t next_ms;      /* when it sends something again */
	int64_t cut_until_ms; /* it sends nothing at all */
	struct fr_op *open;
	unsigned type_mask;
};

struct sim {
	uint64_t seed;
	struct fr_rand rand; /* of the sim */
	struct fr_rand engine_rand;
	struct fr_uuid_gen gen;
	int64_t ms;
	int64_t wall_skew_ms;
	struct fr_clock clock;
	struct fr_store *store;
	const struct fr_store_ops *inner;
	struct fr_store_ops ops;
	struct fr_queue *queue;
	struct fr_queue faulty_queue; /* before it, with faults */
	struct fr_engine *engine;
	int64_t next_ms;
	struct fr_vec jobs; /* struct job * */
	struct fr_map *by_id;
	struct worker w[WORKERS];
	unsigned worker_serial;
	bool calm; /* no more faults */
	/* Only the nth call of the store fails, or all from then on for a
	 * while; 0: all fails by chance. */
	uint64_t nth, calls;
	enum fr_rc nth_rc;
	int64_t nth_ms, nth_until_ms; /* 0: once */
	bool crash_at_commit, crash_after_commit, crash_at_begin;
	int64_t queue_down_until_ms, disk_full_until_ms;
	unsigned crashes, commits, stale, lost_answers;
	bool failed;
};

static struct sim *the; /* for the patched tables: one sim at a time */
static bool trace_on;

#define trace(...)                                                             \
	do {                                                                   \
		if (trace_on) {                                                \
			printf("# %8" PRId64 " ", the->ms);                    \
			printf(__VA_ARGS__);                                   \
			printf("\n");                                          \
		}                                                              \
	} while (0)

#define wrong(...)                                                             \
	do {                                                                   \
		printf("# seed %" PRIu64 " at %" PRId64 " ms: ", the->seed,    \
		    the->ms);                                                  \
		printf(__VA_ARGS__);                                           \
		printf("\n");                                                  \
		the->failed = true;                                            \
	} while (0)

static bool
chance(struct sim *s, unsigned one_in)
{
	return fr_rand_below(&s->rand, one_in) == 0;
}

static int64_t
upto(struct sim *s, int64_t n)
{
	return (int64_t)fr_rand_below(&s->rand, (uint64_t)n + 1);
}

/* ------------------------------------------------- backends that fail */

/* Whether things fail by chance. */
static bool
wild(void)
{
	return !the->calm && the->nth == 0;
}

/* Called by each call of the store. */
static enum fr_rc
nth_fails(struct fr_err *err)
{
	if (the->nth == 0 || the->calm)
		return FR_OK;
	if (++the->calls == the->nth) {
		the->nth_until_ms = the->ms + the->nth_ms;
		trace("call %" PRIu64 " fails", the->calls);
	} else if (the->calls < the->nth || the->ms >= the->nth_until_ms) {
		return FR_OK;
	}
	return fr_fail(err, the->nth_rc, "the nth call fails");
}

static enum fr_rc
sim_begin(struct fr_store *st, struct fr_err *err)
{
	if (the->crash_at_begin)
		return fr_fail(err, FR_IO, "crash");
	if (wild() && chance(the, 400))
		return fr_fail(err, FR_AGAIN, "away for a moment");
	if (nth_fails(err) != FR_OK)
		return the->nth_rc;
	return the->inner->begin(st, err);
}

static enum fr_rc
sim_commit(struct fr_store *st, struct fr_err *err)
{
	enum fr_rc rc;

	if (the->crash_at_commit) {
		the->inner->rollback(st);
		return fr_fail(err, FR_UNKNOWN, "crash before the commit");
	}
	if (the->ms < the->disk_full_until_ms && chance(the, 2)) {
		the->inner->rollback(st);
		return fr_fail(err, FR_NOSPACE, "disk full");
	}
	if (nth_fails(err) != FR_OK) {
		the->inner->rollback(st);
		return the->nth_rc;
	}
	if (wild() && chance(the, 300)) {
		the->inner->rollback(st);
		return fr_fail(err, FR_AGAIN, "serialization");
	}
	rc = the->inner->commit(st, err);
	the->commits++;
	if (rc == FR_OK && the->crash_after_commit)
		return fr_fail(err, FR_UNKNOWN, "crash after the commit");
	return rc;
}

static enum fr_rc
maybe_fail(unsigned one_in, struct fr_err *err)
{
	if (nth_fails(err) != FR_OK)
		return the->nth_rc;
	if (wild() && chance(the, one_in))
		return fr_fail(err, FR_AGAIN, "a call failed");
	if (the->crash_at_commit && chance(the, 3))
		return fr_fail(err, FR_IO, "crash in between");
	return FR_OK;
}

/* sim_NAME: the store's call, which may fail instead. */
#define FALLIBLE(name, one_in, params, args)                                   \
	static enum fr_rc sim_##name params                                    \
	{                                                                      \
		const enum fr_rc rc = maybe_fail(one_in, err);                 \
                                                                               \
		return rc != FR_OK ? rc : the->inner->name args;               \
	}
#define REPORT                                                                 \
	(struct fr_store * st, struct fr_report * r, size_t n,                 \
	    struct fr_err * err)
#define EDIT                                                                   \
	(struct fr_store * st, struct fr_edit * r, size_t n,                   \
	    struct fr_err * err)
FALLIBLE(progress, 2000, REPORT, (st, r, n, err))
FALLIBLE(complete, 200, REPORT, (st, r, n, err))
FALLIBLE(count_failed, 200, REPORT, (st, r, n, err))
FALLIBLE(failed, 200, REPORT, (st, r, n, err))
FALLIBLE(release, 200, REPORT, (st, r, n, err))
FALLIBLE(cancel, 2000, EDIT, (st, r, n, err))
FALLIBLE(retry, 2000, EDIT, (st, r, n, err))
FALLIBLE(remove, 2000, EDIT, (st, r, n, err))
FALLIBLE(lease, 200,
    (struct fr_store * st, const struct fr_grant *g, size_t n,
	fr_job_emit_fn *emit, void *arg, struct fr_err *err),
    (st, g, n, emit, arg, err))
FALLIBLE(create, 2000,
    (struct fr_store * st, const struct fr_job *jobs, size_t n,
	struct fr_created *out, struct fr_err *err),
    (st, jobs, n, out, err))
FALLIBLE(renew, 2000,
    (struct fr_store * st, struct fr_renewal *r, size_t n, struct fr_err *err),
    (st, r, n, err))
FALLIBLE(renew_all, 2000,
    (struct fr_store * st, int64_t until_ms, struct fr_err *err),
    (st, until_ms, err))
FALLIBLE(promote, 2000,
    (struct fr_store * st, int64_t now_ms, size_t limit,
	fr_ticket_emit_fn *emit, void *arg, struct fr_err *err),
    (st, now_ms, limit, emit, arg, err))
FALLIBLE(expired, 2000,
    (struct fr_store * st, int64_t now_ms, size_t limit, fr_job_emit_fn *emit,
	void *arg, struct fr_err *err),
    (st, now_ms, limit, emit, arg, err))
FALLIBLE(next_due, 2000,
    (struct fr_store * st, int64_t *run_ms, int64_t *lease_ms,
	struct fr_err *err),
    (st, run_ms, lease_ms, err))
FALLIBLE(get, 2000,
    (struct fr_store * st, const struct fr_uuid *ids, size_t n,
	fr_job_emit_fn *emit, void *arg, struct fr_err *err),
    (st, ids, n, emit, arg, err))
FALLIBLE(get_queue, 2000,
    (struct fr_store * st, const char *type, bool with_data, int64_t *cursor,
	size_t *n, fr_ticket_emit_fn *emit, void *arg, struct fr_err *err),
    (st, type, with_data, cursor, n, emit, arg, err))
FALLIBLE(running, 2000,
    (struct fr_store * st, struct fr_span worker, fr_job_emit_fn *emit,
	void *arg, struct fr_err *err),
    (st, worker, emit, arg, err))
FALLIBLE(stats, 2000,
    (struct fr_store * st, fr_stats_emit_fn *emit, void *arg,
	struct fr_err *err),
    (st, emit, arg, err))

static void
patch_store(struct sim *s)
{
	s->inner = s->store->ops;
	s->ops = *s->inner;
	s->ops.begin = sim_begin;
	s->ops.commit = sim_commit;
	s->ops.progress = sim_progress;
	s->ops.complete = sim_complete;
	s->ops.count_failed = sim_count_failed;
	s->ops.failed = sim_failed;
	s->ops.release = sim_release;
	s->ops.cancel = sim_cancel;
	s->ops.retry = sim_retry;
	s->ops.remove = sim_remove;
	s->ops.lease = sim_lease;
	s->ops.create = sim_create;
	s->ops.renew = sim_renew;
	s->ops.renew_all = sim_renew_all;
	s->ops.promote = sim_promote;
	s->ops.expired = sim_expired;
	s->ops.next_due = sim_next_due;
	s->ops.get = sim_get;
	s->ops.get_queue = sim_get_queue;
	s->ops.running = sim_running;
	s->ops.stats = sim_stats;
	s->store->ops = &s->ops;
}

static enum fr_rc
queue_down(struct fr_err *err)
{
	if (the->ms < the->queue_down_until_ms)
		return fr_fail(err, FR_IO, "queue down");
	return FR_OK;
}

static enum fr_rc
sim_push(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	const enum fr_rc rc = queue_down(err);

	(void)q;
	if (rc != FR_OK)
		return rc;
	if (wild() && chance(the, 150))
		return FR_OK; /* a flush right behind it */
	return the->queue->ops->push(the->queue, t, n, err);
}

static enum fr_rc
sim_pop(struct fr_queue *q, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t *n, struct fr_err *err)
{
	const enum fr_rc rc = queue_down(err);

	(void)q;
	if (rc != FR_OK)
		return rc;
	return the->queue->ops->pop(the->queue, types, ntypes, t, n, err);
}

static enum fr_rc
sim_length(struct fr_queue *q, const char *type, int64_t *n, struct fr_err *err)
{
	const enum fr_rc rc = queue_down(err);

	(void)q;
	return rc != FR_OK ? rc
			   : the->queue->ops->length(the->queue, type, n, err);
}

static enum fr_rc
sim_requeue(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	const enum fr_rc rc = queue_down(err);

	(void)q;
	return rc != FR_OK ? rc
			   : the->queue->ops->requeue(the->queue, t, n, err);
}

static enum fr_rc
sim_take_out(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	const enum fr_rc rc = queue_down(err);

	(void)q;
	return rc != FR_OK ? rc
			   : the->queue->ops->remove(the->queue, t, n, err);
}

static uint32_t
sim_caps(struct fr_queue *q)
{
	(void)q;
	return 0;
}

static const struct fr_queue_ops queue_ops = {
	.caps = sim_caps,
	.push = sim_push,
	.pop = sim_pop,
	.length = sim_length,
	.requeue = sim_requeue,
	.remove = sim_take_out,
};

/* ------------------------------------------------------- the manager */

static int64_t
sim_wall(void *arg)
{
	const struct sim *s = arg;

	return 1700000000000 + s->ms + s->wall_skew_ms;
}

static int64_t
sim_mono(void *arg)
{
	return ((struct sim *)arg)->ms;
}

static void
open_queue(struct sim *s)
{
	struct fr_err err = FR_ERR_INIT;

	if (fr_registry_queue(&s->queue, "memory:fifo", &err) != FR_OK)
		abort();
	s->faulty_queue.ops = &queue_ops;
}

static void
boot(struct sim *s)
{
	const struct fr_engine_conf conf = { .store = s->store,
		.queue = &s->faulty_queue,
		.clock = &s->clock,
		.rand = &s->engine_rand,
		.lease_ms = LEASE_MS };
	struct fr_err err = FR_ERR_INIT;
	int tries = 0;

	s->crash_at_begin = s->crash_at_commit = s->crash_after_commit = false;
	do {
		s->engine = fr_engine_new(&conf, &err);
		s->ms += s->engine == NULL ? 500 : 0;
	} while (s->engine == NULL && ++tries < 500);
	if (s->engine == NULL) {
		wrong("the engine does not start: %s", err.msg);
		abort();
	}
	s->next_ms = s->ms;
}

static void
op_free(struct fr_op *op)
{
	fr_arena_free(op->arena);
	free(op);
}

static struct fr_op *
op_new(enum fr_op_kind kind)
{
	struct fr_op *op = calloc(1, sizeof(*op));

	if (op == NULL || (op->arena = fr_arena_new(0)) == NULL)
		abort();
	op->kind = kind;
	return op;
}

static void answered(struct sim *s, struct fr_op *op, bool heard);
static void take_answers(struct sim *s, bool heard);

/* The engine has stopped, or is made to; what is in flight is never heard. */
static void
reboot(struct sim *s)
{
	struct fr_err err = FR_ERR_INIT;

	fr_engine_stop(s->engine);
	(void)fr_engine_run(s->engine, &err);
	take_answers(s, false);
	fr_engine_free(s->engine);
	s->queue->ops->close(s->queue);
	open_queue(s);
	boot(s);
}

/* All that was answered; heard: whether the network brings it home. */
static void
take_answers(struct sim *s, bool heard)
{
	struct fr_op *op, *next;

	for (op = fr_engine_take(s->engine); op != NULL; op = next) {
		next = op->next;
		answered(s, op, heard && (s->calm || !chance(s, 25)));
	}
}

/* kill -9: what is in flight is never answered. */
static void
crash(struct sim *s)
{
	struct fr_err err = FR_ERR_INIT;
	int64_t next;
	int i;

	trace("crash");
	s->crashes++;
	switch (upto(s, 2)) {
	case 0:
		s->crash_at_begin = true;
		break;
	case 1:
		s->crash_at_commit = true;
		break;
	default:
		s->crash_after_commit = true;
		break;
	}
	for (i = 0; i < 100; i++) {
		if (i == 50)
			s->crash_at_begin = true;
		if (fr_engine_step(s->engine, &next, &err) != FR_OK)
			break;
		take_answers(s, true);
		s->ms += 100; /* something becomes due at last: a sweep */
	}
	if (chance(s, 3))
		s->ms += upto(s, 120000); /* down for a while */
	reboot(s);
}

static void
send(struct sim *s, struct fr_op *op)
{
	if (fr_engine_submit(s->engine, op) != FR_OK) {
		trace("not taken in");
		answered(s, op, false);
	}
}

static void
turn(struct sim *s)
{
	struct fr_err err = FR_ERR_INIT;
	int n = 0;

	do {
		if (fr_engine_step(s->engine, &s->next_ms, &err) != FR_OK) {
			if (s->nth == 0 || err.rc == FR_BROKEN) {
				wrong("the engine stopped: %s", err.msg);
				return;
			}
			trace("stopped: %s", err.msg);
			s->crashes++;
			reboot(s);
			continue;
		}
		take_answers(s, true);
		if (++n > 10000) {
			wrong("the engine turns and turns");
			return;
		}
	} while (s->next_ms <= s->ms);
}

/* -------------------------------------------------------- the clients */

static struct job *
job_at(struct sim *s, size_t i)
{
	return *(struct job **)fr_vec_at(&s->jobs, i);
}

static struct job *
job_find(struct sim *s, const struct fr_uuid *id)
{
	return fr_map_get(
	    s->by_id, (struct fr_span){ (const char *)id->b, sizeof(id->b) });
}

static void
job_new(struct sim *s)
{
	struct job *j = calloc(1, sizeof(*j));
	struct job **to = fr_vec_add(&s->jobs);

	if (j == NULL || to == NULL)
		abort();
	*to = j;
	j->id = fr_uuid_new(&s->gen, sim_wall(s), &s->rand);
	j->type = (unsigned)upto(s, TYPES - 1);
	j->delay_ms = chance(s, 4) ? upto(s, 60000) : 0;
	j->max_attempts = 1 + (uint32_t)upto(s, 3);
	if (!fr_map_put(s->by_id,
		(struct fr_span){ (const char *)j->id.b, sizeof(j->id.b) }, j))
		abort();
}

/* Sends jobs first..first+n-1, perhaps again. */
static void
send_jobs(struct sim *s, size_t first, size_t n)
{
	struct fr_op *op = op_new(FR_OP_CREATE);
	size_t i;

	op->u.create.n = n;
	op->u.create.jobs =
	    fr_arena_calloc(op->arena, n, sizeof(struct fr_job));
	op->u.create.out =
	    fr_arena_calloc(op->arena, n, sizeof(struct fr_created));
	for (i = 0; i < n; i++) {
		const struct job *j = job_at(s, first + i);

		op->u.create.jobs[i] = (struct fr_job){ .id = j->id,
			.type = fr_span_of(type_names[j->type]),
			.data = FR_SPAN("{\"n\":1}"),
			.state = j->delay_ms > 0 ? FR_STATE_SCHEDULED
						 : FR_STATE_QUEUED,
			.priority = (int32_t)j->type,
			.max_attempts = j->max_attempts,
			.created_ms = sim_wall(s),
			.run_at_ms = sim_wall(s) + j->delay_ms };
	}
	send(s, op);
}

/* What a person does to a job. */
static void
edit(struct sim *s, struct job *j)
{
	struct fr_op *op;

	op = op_new(chance(s, 2)   ? FR_OP_CANCEL
		    : chance(s, 2) ? FR_OP_RETRY
		    : chance(s, 4) ? FR_OP_REMOVE
				   : FR_OP_WAIT);
	if (op->kind == FR_OP_WAIT) {
		op->u.wait.id = j->id;
		op->u.wait.wait_ms = upto(s, 20000);
	} else {
		op->u.edit.id = j->id;
		j->edits++;
		if (op->kind == FR_OP_REMOVE)
			j->maybe_removed = true;
	}
	send(s, op);
}

static void
client(struct sim *s)
{
	const size_t first = s->jobs.n;
	struct job *j;
	size_t n;

	if (first == 0 || chance(s, 2)) {
		n = chance(s, 8) ? 1 + (size_t)upto(s, 20) : 1;
		while (s->jobs.n < first + n)
			job_new(s);
		trace("submit %zu", n);
		send_jobs(s, first, n);
		return;
	}
	n = (size_t)upto(s, (int64_t)first - 1);
	j = job_at(s, n);
	if (!j->acknowledged && !j->maybe_removed)
		send_jobs(s, n, 1); /* again, with the same id */
	else if (chance(s, 3))
		edit(s, j);
}

/* -------------------------------------------------------- the workers */

static void
drop_run(struct worker *w, size_t i)
{
	w->runs[i] = w->runs[--w->nruns];
}

static size_t
find_run(const struct worker *w, const struct fr_uuid *id)
{
	size_t i;

	for (i = 0; i < w->nruns; i++)
		if (fr_uuid_eq(&w->runs[i].id, id))
			break;
	return i;
}

static void
begin_run(struct sim *s, struct worker *w, const struct fr_job *job)
{
	struct job *j = job_find(s, &job->id);
	size_t i;

	if (j == NULL) {
		wrong("a job that nobody submitted was handed out");
		return;
	}
	if (job->attempt <= j->last_attempt)
		wrong("attempt %u was handed out after attempt %u",
		    job->attempt, j->last_attempt);
	j->last_attempt = job->attempt;
	if (fr_state_ended(j->seen) && j->seen_edits == j->edits)
		wrong("a job was handed out after its end (%s)",
		    fr_state_name(j->seen));
	i = find_run(w, &job->id); /* the same job again: the new lease */
	if (i < w->nruns)
		drop_run(w, i);
	if (w->nruns == w->slots) {
		wrong("%s got more jobs than it has slots", w->id);
		return;
	}
	j->started++;
	w->runs[w->nruns++] = (struct run){ .id = job->id,
		.token = job->lease,
		.attempt = job->attempt,
		.end_ms =
		    s->ms + (chance(s, 10) ? upto(s, 60000) : upto(s, 900)) };
	trace("%s runs attempt %u", w->id, job->attempt);
}

static void
end_runs(struct sim *s, struct worker *w)
{
	struct run *r;
	size_t i;

	for (i = 0; i < w->nruns; i++) {
		r = &w->runs[i];
		if (r->finished || r->end_ms > s->ms)
			continue;
		r->finished = true;
		r->how = chance(s, 5)    ? FR_FINISH_FAILED
			 : chance(s, 20) ? FR_FINISH_FINAL
			 : chance(s, 20) ? FR_FINISH_RELEASED
					 : FR_FINISH_COMPLETE;
		if (r->how == FR_FINISH_RELEASED)
			job_find(s, &r->id)->given_back++;
		(void)snprintf(r->value, sizeof(r->value),
		    r->how == FR_FINISH_COMPLETE ? "%u" : "\"%u\"", r->attempt);
		w->next_ms = s->ms;
	}
}

static void
fill_exchange(struct fr_op *op, const struct worker *w)
{
	struct fr_exchange *x = &op->u.work;
	size_t i;

	x->worker = fr_arena_dup(op->arena, fr_span_of(w->id));
	x->host = FR_SPAN("sim");
	x->pid = 1;
	x->types = fr_arena_calloc(op->arena, TYPES, sizeof(*x->types));
	for (i = 0; i < TYPES; i++)
		if (w->type_mask & 1U << i)
			x->types[x->ntypes++] = type_names[i];
	x->running = fr_arena_calloc(op->arena, w->nruns, sizeof(*x->running));
	x->finished =
	    fr_arena_calloc(op->arena, w->nruns, sizeof(*x->finished));
	for (i = 0; i < w->nruns; i++) {
		const struct run *r = &w->runs[i];

		if (!r->finished) {
			x->running[x->nrunning].id = r->id;
			x->running[x->nrunning++].token = r->token;
			continue;
		}
		x->finished[x->nfinished++] = (struct fr_finished){
			.id = r->id,
			.token = r->token,
			.how = r->how,
			.value = fr_arena_dup(op->arena, fr_span_of(r->value)),
		};
	}
}

static void
exchange(struct sim *s, struct worker *w, bool main_one)
{
	struct fr_op *op = op_new(FR_OP_WORK);

	fill_exchange(op, w);
	if (main_one && w->slots > w->nruns) {
		op->u.work.slots = w->slots - (uint32_t)w->nruns;
		op->u.work.wait_ms = 20000;
		w->open = op;
	}
	op->owner = w;
	w->next_ms = s->ms + LEASE_MS / 3;
	if (!s->calm && chance(s, 25))
		answered(s, op, false); /* the request is lost */
	else
		send(s, op);
}

static void
worker_start(struct sim *s, struct worker *w)
{
	memset(w, 0, sizeof(*w));
	(void)snprintf(w->id, sizeof(w->id), "w%u", ++s->worker_serial);
	w->slots = 1 + (uint32_t)upto(s, 7);
	w->type_mask = s->calm ? (1U << TYPES) - 1
			       : 1 + (unsigned)upto(s, (1 << TYPES) - 2);
	w->next_ms = s->ms;
}

/* kill -9 of a worker; its keeper may or may not be there to hand back. */
static void
worker_die(struct sim *s, struct worker *w)
{
	size_t i;

	trace("%s dies", w->id);
	if (w->open != NULL)
		w->open->owner = NULL;
	w->open = NULL;
	if (w->nruns > 0 && chance(s, 2)) {
		for (i = 0; i < w->nruns; i++)
			if (!w->runs[i].finished) {
				w->runs[i].finished = true;
				w->runs[i].how = FR_FINISH_LOST;
				w->runs[i].value[0] = '\0';
			}
		exchange(s, w, false);
	}
	worker_start(s, w);
	w->next_ms = s->ms + upto(s, 30000);
}

/* Whether a result was taken; one that was is the job's outcome. */
static void
note_told(struct sim *s, const struct fr_exchange *x, const struct run *r)
{
	struct job *j = job_find(s, &r->id);
	size_t i;

	for (i = 0; i < x->nrefused; i++)
		if (fr_uuid_eq(&x->refused[i], &r->id))
			return;
	if (r->how == FR_FINISH_COMPLETE)
		j->told_attempt = r->attempt;
}

static void
worker_heard(struct sim *s, struct worker *w, struct fr_op *op)
{
	const struct fr_exchange *x = &op->u.work;
	size_t i, at;

	for (i = 0; i < x->nfinished; i++) {
		at = find_run(w, &x->finished[i].id);
		if (at < w->nruns && w->runs[at].finished &&
		    fr_token_eq(&w->runs[at].token, &x->finished[i].token)) {
			note_told(s, x, &w->runs[at]);
			drop_run(w, at);
		}
	}
	s->stale += (unsigned)x->nrefused;
	for (i = 0; i < x->nstop; i++) {
		at = find_run(w, &x->stop[i]);
		if (at < w->nruns)
			drop_run(w, at);
	}
	for (i = 0; i < x->njobs; i++)
		begin_run(s, w, &x->jobs[i]);
	w->next_ms = s->ms;
}

static void
worker_act(struct sim *s, struct worker *w)
{
	if (s->ms < w->cut_until_ms)
		return;
	end_runs(s, w);
	if (s->ms < w->next_ms)
		return;
	if (w->open == NULL)
		exchange(s, w, true);
	else if (w->nruns > 0)
		exchange(s, w, false);
	else
		w->next_ms = s->ms + LEASE_MS / 3;
}

/* ------------------------------------------------------------ answers */

static void
heard_create(struct sim *s, const struct fr_op *op)
{
	struct job *j;
	size_t i;

	if (op->rc != FR_OK)
		return;
	for (i = 0; i < op->u.create.n; i++) {
		if (op->u.create.out[i].rc != FR_OK &&
		    op->u.create.out[i].rc != FR_EXISTS)
			wrong("a batch was accepted with a job that was not");
		j = job_find(s, &op->u.create.out[i].id);
		if (j == NULL)
			wrong("an id came back that nobody chose");
		else
			j->acknowledged = true;
	}
}

static void
heard_work(struct sim *s, struct fr_op *op, bool heard)
{
	struct worker *w = op->owner;

	/* The worker may have died, and another started in its place. */
	if (w == NULL || !fr_span_is(op->u.work.worker, w->id))
		return;
	if (w->open == op)
		w->open = NULL;
	if (heard && op->rc == FR_OK)
		worker_heard(s, w, op);
	else
		w->next_ms = s->ms + upto(s, 2000);
}

static void
answered(struct sim *s, struct fr_op *op, bool heard)
{
	if (!heard)
		s->lost_answers++;
	if (op->kind == FR_OP_WORK)
		heard_work(s, op, heard);
	else if (op->kind == FR_OP_CREATE && heard)
		heard_create(s, op);
	else if (op->kind == FR_OP_REMOVE && heard && op->rc == FR_OK)
		job_find(s, &op->u.edit.id)->removed = true;
	op_free(op);
}

/* ----------------------------------------------------------- judgment */

struct looked {
	struct sim *s;
	bool there;
};

static enum fr_rc
judge(void *arg, const struct fr_job *row)
{
	struct looked *l = arg;
	struct job *j = job_find(l->s, &row->id);
	char want[32];

	l->there = true;
	if (fr_state_ended(j->seen) && row->state != j->seen &&
	    j->seen_edits == j->edits)
		wrong("an outcome changed by itself: %s became %s",
		    fr_state_name(j->seen), fr_state_name(row->state));
	j->seen = row->state;
	j->seen_edits = j->edits;
	(void)snprintf(want, sizeof(want), "%u", row->attempt);
	if (row->state == FR_STATE_COMPLETE && !fr_span_is(row->result, want))
		wrong("a stale result is visible: attempt %u, result %.*s",
		    row->attempt, (int)row->result.len, row->result.p);
	if (row->state == FR_STATE_COMPLETE && row->error.len > 0)
		wrong("a completed job shows an error");
	if (j->edits == 0 && j->told_attempt > 0 &&
	    (row->state != FR_STATE_COMPLETE ||
		row->attempt != j->told_attempt))
		wrong("the result of attempt %u was taken, but the job is %s "
		      "by attempt %u",
		    j->told_attempt, fr_state_name(row->state), row->attempt);
	if (row->fail_count > row->max_attempts)
		wrong("%u failures of %u", row->fail_count, row->max_attempts);
	if (j->edits == 0 && j->started > j->given_back + row->max_attempts)
		wrong("a job was run %u times, given back %u, allowed %u",
		    j->started, j->given_back, row->max_attempts);
	return FR_OK;
}

static enum fr_rc
show_stats(void *arg, const struct fr_type_stats *t)
{
	struct sim *s = arg;
	int64_t n = -1;

	(void)s->queue->ops->length(s->queue, t->type, &n, NULL);
	printf("# %s: queued %" PRId64 ", in the queue %" PRId64
	       ", running %" PRId64 "%s\n",
	    t->type, t->n[FR_STATE_QUEUED], n, t->n[FR_STATE_RUNNING],
	    t->paused ? ", paused" : "");
	return FR_OK;
}

static void
judge_all(struct sim *s, bool at_the_end)
{
	struct fr_err err = FR_ERR_INIT;
	struct looked l;
	struct job *j;
	size_t i;

	for (i = 0; i < s->jobs.n && !s->failed; i++) {
		j = job_at(s, i);
		l = (struct looked){ s, false };
		if (s->inner->get(s->store, &j->id, 1, judge, &l, &err) !=
		    FR_OK)
			wrong("get: %s", err.msg);
		j->there = l.there;
		if (!l.there && j->acknowledged && !j->maybe_removed)
			wrong("an acknowledged job is gone");
		if (at_the_end && l.there && !fr_state_ended(j->seen))
			wrong("a job never ended: it is %s",
			    fr_state_name(j->seen));
	}
}

static void
fault(struct sim *s)
{
	struct fr_err err = FR_ERR_INIT;
	struct worker *w;

	switch (upto(s, 9)) {
	case 0:
		crash(s);
		break;
	case 1:
	case 2:
		worker_die(s, &s->w[upto(s, WORKERS - 1)]);
		break;
	case 3:
		trace("queue flushed");
		(void)s->queue->ops->empty(s->queue, &err);
		break;
	case 4:
		s->queue_down_until_ms = s->ms + upto(s, 20000);
		break;
	case 5:
		s->disk_full_until_ms = s->ms + upto(s, 20000);
		break;
	case 6:
		s->wall_skew_ms += upto(s, 7200000) - 1800000;
		break;
	case 7: /* the machine is suspended */
		s->ms += upto(s, 600000);
		break;
	case 8: /* its runs go on, and it reports when its leases are over */
		w = &s->w[upto(s, WORKERS - 1)];
		trace("%s is cut off", w->id);
		w->cut_until_ms = s->ms + upto(s, 3 * LEASE_MS);
		break;
	default:
		break;
	}
}

static int64_t
next_event(const struct sim *s, int64_t until)
{
	const struct worker *w;
	int64_t next = s->next_ms < until ? s->next_ms : until;
	size_t i, k;

	for (i = 0; i < WORKERS; i++) {
		w = &s->w[i];
		if (w->cut_until_ms > s->ms) {
			if (w->cut_until_ms < next)
				next = w->cut_until_ms;
			continue;
		}
		if (w->next_ms < next)
			next = w->next_ms;
		for (k = 0; k < w->nruns; k++)
			if (!w->runs[k].finished && w->runs[k].end_ms < next)
				next = w->runs[k].end_ms;
	}
	return next > s->ms ? next : s->ms + 1;
}

static void
pass(struct sim *s, int64_t ms)
{
	const int64_t until = s->ms + ms;
	size_t i;

	turn(s);
	while (s->ms < until && !s->failed) {
		s->ms = next_event(s, until);
		for (i = 0; i < WORKERS; i++)
			worker_act(s, &s->w[i]);
		turn(s);
	}
}

static bool
all_ended(struct sim *s)
{
	size_t i;

	for (i = 0; i < s->jobs.n; i++)
		if (job_at(s, i)->there && !fr_state_ended(job_at(s, i)->seen))
			return false;
	return true;
}

static void
day(struct sim *s)
{
	const int actions = s->nth > 0 ? ACTIONS / 15 : ACTIONS;
	int i;

	for (i = 0; i < actions && !s->failed; i++) {
		client(s);
		if (s->nth == 0 && chance(s, 15))
			fault(s);
		pass(s, s->nth == 0 && chance(s, 50) ? upto(s, 5000000)
			: chance(s, 10)              ? upto(s, 20000)
						     : upto(s, 300));
		if (chance(s, 10))
			judge_all(s, false);
	}
	/* The faults are gone; and then everything ends. */
	s->calm = true;
	s->queue_down_until_ms = s->disk_full_until_ms = 0;
	for (i = 0; i < WORKERS; i++)
		worker_die(s, &s->w[i]);
	for (i = 0; i < 200 && !s->failed; i++) {
		pass(s, 60000);
		judge_all(s, false);
		if (all_ended(s))
			break;
	}
	judge_all(s, true);
}

static void
sim_end(struct sim *s)
{
	struct fr_err err = FR_ERR_INIT;
	size_t i;

	fr_engine_stop(s->engine);
	(void)fr_engine_run(s->engine, &err);
	take_answers(s, false);
	fr_engine_free(s->engine);
	s->store->ops = s->inner;
	s->inner->close(s->store);
	s->queue->ops->close(s->queue);
	for (i = 0; i < s->jobs.n; i++)
		free(job_at(s, i));
	fr_vec_fini(&s->jobs);
	fr_map_free(s->by_id);
}

static bool
sim_run(uint64_t seed, uint64_t nth, enum fr_rc nth_rc, int64_t nth_ms)
{
	struct sim s = { .seed = seed,
		.nth = nth,
		.nth_rc = nth_rc,
		.nth_ms = nth_ms,
		.jobs = FR_VEC_OF(struct job *) };
	struct fr_err err = FR_ERR_INIT;
	char url[64];
	size_t i;

	the = &s;
	fr_rand_seed(&s.rand, seed);
	fr_rand_seed(&s.engine_rand, ~seed);
	s.ms = 1000000;
	s.clock = (struct fr_clock){ sim_wall, sim_mono, &s };
	s.by_id = fr_map_new();
	(void)snprintf(
	    url, sizeof(url), "memory:sim-%" PRIu64 "-%" PRIu64, seed, nth);
	if (s.by_id == NULL ||
	    fr_registry_store(&s.store, url, 0, &err) != FR_OK)
		abort();
	patch_store(&s);
	open_queue(&s);
	boot(&s);
	for (i = 0; i < WORKERS; i++)
		worker_start(&s, &s.w[i]);
	day(&s);
	if (s.failed)
		(void)s.inner->stats(s.store, show_stats, &s, &err);
	if (trace_on || s.failed)
		printf("# seed %" PRIu64 ": %zu jobs, %.1f h, %u crashes, "
		       "%u commits, %u stale reports, %u lost answers\n",
		    seed, s.jobs.n, (double)(s.ms - 1000000) / 3600000,
		    s.crashes, s.commits, s.stale, s.lost_answers);
	sim_end(&s);
	return !s.failed;
}

/* Call after call of the store fails, in each way, in a short day. */
static int64_t
nth_run(int64_t first, int64_t count)
{
	static const struct {
		enum fr_rc rc;
		int64_t ms;
	} how[] = { { FR_AGAIN, 0 }, { FR_NOSPACE, 0 }, { FR_IO, 0 },
		{ FR_AGAIN, 30000 }, { FR_NOSPACE, 30000 }, { FR_IO, 30000 } };
	int64_t n, bad = 0;
	size_t i;

	for (n = first; n < first + count; n++)
		for (i = 0; i < sizeof(how) / sizeof(how[0]); i++)
			if (!sim_run((uint64_t)n % 7, (uint64_t)n, how[i].rc,
				how[i].ms)) {
				printf("# call %" PRId64 " with %s for %" PRId64
				       " ms\n",
				    n, fr_rc_name(how[i].rc), how[i].ms);
				bad++;
			}
	return bad;
}

int
main(int argc, char *argv[])
{
	const bool nth = argc > 1 && strcmp(argv[1], "nth") == 0;
	int64_t first = 1, count = 1, i, bad = 0;

	argc -= nth;
	argv += nth;
	if (argc > 3 ||
	    (argc > 1 && fr_str_i64(fr_span_of(argv[1]), 0, INT64_MAX / 2,
			     &first) != FR_OK) ||
	    (argc > 2 && fr_str_i64(fr_span_of(argv[2]), 1, 1000000000,
			     &count) != FR_OK)) {
		fprintf(stderr, "usage: sim [nth] [FIRST [COUNT]]\n");
		return 64;
	}
	trace_on = getenv("SIM_TRACE") != NULL;
	if (nth)
		bad = nth_run(first, count);
	for (i = 0; !nth && i < count; i++)
		if (!sim_run((uint64_t)(first + i), 0, FR_OK, 0))
			bad++;
	printf("1..1\n%sok 1 - %s %" PRId64 " to %" PRId64 ": %s\n",
	    bad > 0 ? "not " : "", nth ? "the store's call" : "the day of seed",
	    first, first + count - 1,
	    nth ? "if it fails, once or for a while, nothing is lost"
		: "every promise is kept");
	return bad > 0;
}
