/* SPDX-License-Identifier: MIT */
/*
 * The engine and the runner talk as a manager and a worker do, with the same
 * op; only that here it is a call. What has ended is printed and forgotten.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"
#include "run.h"
#include "wire/job.h"

bool
report_begin(struct run *r)
{
	struct report *n = &r->next;

	memset(n, 0, sizeof(*n));
	n->arena = fr_arena_new((size_t)16 << 10);
	if (n->arena == NULL)
		return false;
	n->finished = fr_arena_calloc(n->arena, r->most, sizeof(*n->finished));
	/* Of each that ends and of each that comes after it. */
	n->progress =
	    fr_arena_calloc(n->arena, 2 * r->most, sizeof(*n->progress));
	return n->finished != NULL && n->progress != NULL;
}

/*
 * An answer may take more than one turn: what is on its way to the queue is
 * waited for, a millisecond at most.
 */
bool
engine_do(struct run *r, struct fr_op *op)
{
	const struct timespec pause = { .tv_nsec = 500000L };
	struct fr_err err = FR_ERR_INIT;
	struct fr_op *got = NULL;
	enum fr_rc rc;
	int turns;

	rc = fr_engine_submit(r->engine, op);
	if (rc != FR_OK)
		(void)fr_fail(&err, rc, "the engine takes no more");
	for (turns = 0; rc == FR_OK && got == NULL; turns++) {
		if (turns > 1)
			(void)nanosleep(&pause, NULL);
		rc = fr_engine_step(r->engine, &r->engine_ms, &err);
		got = fr_engine_take(r->engine);
	}
	fr_assert(got == NULL || (got == op && op->next == NULL));
	if (rc != FR_OK)
		give_up(r, &err);
	return rc == FR_OK;
}

static void
unlink_running(struct run *r, struct running *j)
{
	if (j->prev != NULL)
		j->prev->next = j->next;
	else
		r->first = j->next;
	if (j->next != NULL)
		j->next->prev = j->prev;
	r->nrunning--;
	fr_buf_fini(&j->progress);
}

/* Notes the end of an attempt; how and value are what the engine will hear. */
static void
finish(struct run *r, const struct fr_uuid *id, const struct fr_token *token,
    enum fr_finish how, struct fr_span value, struct fr_span log)
{
	struct fr_finished *f;

	fr_assert(r->next.nfinished < r->most);
	f = &r->next.finished[r->next.nfinished++];
	f->id = *id;
	f->token = *token;
	f->how = how;
	f->value = fr_arena_dup(r->next.arena, value);
	f->log = fr_arena_dup(r->next.arena, log);
}

/* A type that cannot be run here will not be run later: its jobs fail. */
static void
finish_withdrawn(struct run *r, const struct fr_uuid *id,
    const struct fr_token *token, struct fr_span type)
{
	const struct fr_handlers *hs = &r->conf->handling.handlers;
	const char *reason = "";
	struct fr_buf text, json;
	size_t i;

	for (i = 0; i < hs->n; i++)
		if (fr_span_is(type, hs->v[i]->type))
			reason = hs->v[i]->reason;
	fr_buf_init(&text, 0);
	fr_buf_init(&json, 0);
	fr_buf_addf(&text, "cannot be run here: %s", reason);
	fr_jsonw_str(&json, fr_buf_span(&text));
	finish(r, id, token, FR_FINISH_FINAL, fr_buf_span(&json),
	    (struct fr_span){ NULL, 0 });
	fr_buf_fini(&text);
	fr_buf_fini(&json);
}

/* Adds what a handler said last, if the engine has not had it. */
static void
take_progress(struct run *r, struct running *j)
{
	struct fr_progressed *p;

	if (j->progress.len == 0)
		return;
	p = &r->next.progress[r->next.nprogress++];
	p->id = j->task.id;
	p->token = j->token;
	p->value = fr_arena_dup(r->next.arena, fr_buf_span(&j->progress));
	fr_buf_reset(&j->progress);
}

void
on_done(void *arg, struct fr_task *t, const struct fr_ending *e)
{
	static const struct fr_span none = { NULL, 0 };
	struct run *r = arg;
	struct running *j = t->user;

	take_progress(r, j);
	switch (e->fate) {
	case FR_FATE_COMPLETE:
		finish(
		    r, &t->id, &j->token, FR_FINISH_COMPLETE, e->value, e->log);
		break;
	case FR_FATE_FAILED:
		finish(
		    r, &t->id, &j->token, FR_FINISH_FAILED, e->value, e->log);
		break;
	case FR_FATE_FINAL:
		finish(r, &t->id, &j->token, FR_FINISH_FINAL, e->value, e->log);
		break;
	case FR_FATE_RELEASED:
		if (fr_handlers_find(&r->conf->handling.handlers, t->type) ==
		    NULL) {
			finish_withdrawn(r, &t->id, &j->token, t->type);
			break;
		}
		finish(r, &t->id, &j->token, FR_FINISH_RELEASED, none, none);
		break;
	case FR_FATE_STOPPED:
		finish(r, &t->id, &j->token, FR_FINISH_RELEASED, none, none);
		break;
	}
	unlink_running(r, j);
	free(j);
}

void
on_progress(void *arg, struct fr_task *t, struct fr_span json)
{
	struct running *j = t->user;

	(void)arg;
	fr_buf_reset(&j->progress);
	fr_buf_addspan(&j->progress, json);
}

/* Hands a job to the runner. */
static void
start(struct run *r, const struct fr_job *job)
{
	struct fr_err err = FR_ERR_INIT;
	struct running *j;
	char *p;

	if (fr_handlers_find(&r->conf->handling.handlers, job->type) == NULL) {
		finish_withdrawn(r, &job->id, &job->lease, job->type);
		return;
	}
	j = calloc(1, sizeof(*j) + job->type.len + job->data.len);
	if (j == NULL) {
		(void)fr_fail(&err, FR_NOMEM, "out of memory");
		give_up(r, &err);
		return;
	}
	p = (char *)(j + 1);
	memcpy(p, job->type.p, job->type.len);
	memcpy(p + job->type.len, job->data.p, job->data.len);
	fr_buf_init(&j->progress, 0);
	j->token = job->lease;
	j->task.id = job->id;
	j->task.type = (struct fr_span){ p, job->type.len };
	j->task.data = (struct fr_span){ p + job->type.len, job->data.len };
	j->task.attempt = job->attempt;
	j->task.max_attempts = job->max_attempts;
	j->task.timeout_ms = job->timeout_ms;
	j->task.user = j;
	j->next = r->first;
	if (r->first != NULL)
		r->first->prev = j;
	r->first = j;
	r->nrunning++;
	fr_runner_add(r->runner, &j->task);
}

/* What an exchange says: all that is running, what it said, what has ended. */
static void
compose(struct run *r, struct fr_exchange *x)
{
	const struct fr_handlers *hs = &r->conf->handling.handlers;
	struct running *j;
	size_t i;

	x->worker = FR_SPAN("fr-run");
	x->host = FR_SPAN("localhost");
	x->received_mono_ms = fr_time_mono_ms();
	x->types = r->types;
	/* Withdrawn ones, too: their jobs are failed. */
	for (i = 0; i < hs->n; i++)
		if (!hs->v[i]->gone && !hs->v[i]->hidden)
			x->types[x->ntypes++] = hs->v[i]->type;
	if (r->stopping == 0 && !print_full(r))
		x->slots = (uint32_t)(r->most - r->nrunning);
	x->finished = r->next.finished;
	x->nfinished = r->next.nfinished;
	x->running = r->held;
	for (j = r->first; j != NULL; j = j->next) {
		x->running[x->nrunning].id = j->task.id;
		x->running[x->nrunning++].token = j->token;
		take_progress(r, j);
	}
	x->progress = r->next.progress;
	x->nprogress = r->next.nprogress;
}

/* Those of an exchange that have ended for good. */
struct ended {
	struct run *run;
	struct fr_edit *gone; /* to be forgotten */
	size_t n;
};

/* The store has a job; print it if it has ended. */
static enum fr_rc
print_ended(void *arg, const struct fr_job *job)
{
	struct ended *e = arg;
	struct run *r = e->run;
	const struct fr_span key = { (const char *)job->id.b,
		sizeof(job->id.b) };

	if (!fr_state_ended(job->state))
		return FR_OK;
	r->ended++;
	if (job->state != FR_STATE_COMPLETE)
		r->worst = fr_worse(r->worst, FR_JOBFAILED);
	fr_wire_job_write(&r->out, job, NULL);
	fr_buf_addc(&r->out, '\n');
	if (r->chosen == NULL || fr_map_get(r->chosen, key) == NULL)
		e->gone[e->n++].id = job->id;
	return FR_OK;
}

/* Between two turns the store is ours; the engine keeps no ended jobs. */
static enum fr_rc
forget(struct run *r, struct fr_edit *gone, size_t n, struct fr_err *err)
{
	const struct fr_store_ops *ops = r->store->ops;
	enum fr_rc rc;

	if (n == 0)
		return FR_OK;
	rc = ops->begin(r->store, err);
	if (rc == FR_OK)
		rc = ops->remove(r->store, gone, n, err);
	if (rc == FR_OK)
		rc = ops->commit(r->store, err);
	return rc;
}

static void
look_at_ended(struct run *r, const struct fr_exchange *x)
{
	const size_t n = x->nfinished;
	struct ended e = { .run = r };
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc = FR_OK;
	struct fr_uuid *ids;
	size_t i;

	if (n == 0)
		return;
	ids = fr_arena_calloc(r->next.arena, n, sizeof(*ids));
	e.gone = fr_arena_calloc(r->next.arena, n, sizeof(*e.gone));
	if (ids == NULL || e.gone == NULL)
		rc = fr_fail(&err, FR_NOMEM, "out of memory");
	for (i = 0; rc == FR_OK && i < n; i++)
		ids[i] = x->finished[i].id;
	if (rc == FR_OK)
		rc =
		    r->store->ops->get(r->store, ids, n, print_ended, &e, &err);
	if (rc == FR_OK)
		rc = forget(r, e.gone, e.n, &err);
	if (rc != FR_OK)
		give_up(r, &err);
}

void
exchange(struct run *r)
{
	struct fr_op op = { .kind = FR_OP_WORK, .arena = r->next.arena };
	struct fr_err err = FR_ERR_INIT;
	size_t i;

	compose(r, &op.u.work);
	if (!engine_do(r, &op))
		return;
	if (op.rc != FR_OK) {
		give_up(r, &op.err);
		return;
	}
	look_at_ended(r, &op.u.work);
	if (!report_begin(r)) {
		(void)fr_fail(&err, FR_NOMEM, "out of memory");
		give_up(r, &err);
	} else
		for (i = 0; i < op.u.work.njobs; i++)
			start(r, &op.u.work.jobs[i]);
	fr_arena_free(op.arena);
	fr_runner_kick(r->runner);
}
