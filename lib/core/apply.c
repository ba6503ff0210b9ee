/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/str.h"
#include "core/turn.h"

/* What people ask for: create, cancel, retry, remove, pause, purge, wait. */

#define CREATE_MAX 20000 /* jobs in one call of the store */

/* The jobs of one request: FR_CONFLICT in a batch undoes all of it. */
static void
judge_create(struct fr_op *op)
{
	size_t i;

	op->rc = FR_OK;
	for (i = 0; i < op->u.create.n; i++)
		if (op->u.create.out[i].rc == FR_CONFLICT) {
			op->rc = FR_CONFLICT;
			op->u.create.bad = i;
			return;
		}
}

static enum fr_rc
note_created(struct fr_engine *e, const struct fr_job *job)
{
	struct fr_turn *t = &e->turn;
	struct fr_type *type;
	struct fr_job seen = *job;

	seen.attempt = 0;
	type = fr_types_get(&e->types, job->type);
	if (type == NULL)
		return FR_NOMEM;
	if (job->state == FR_STATE_SCHEDULED) {
		if (job->run_at_ms < e->next_run_ms)
			e->next_run_ms = job->run_at_ms;
	} else if (!e->loading && !fr_turn_ticket(&t->push, &job->id, type,
				      job->priority, job->data)) {
		/* While the queue is being filled, the walk meets the job in
		 * its place. */
		return FR_NOMEM;
	}
	return fr_turn_tell(e, FR_EVENT_CREATED, type, &seen) ? FR_OK
							      : FR_NOMEM;
}

static enum fr_rc
create_some(struct fr_engine *e, struct fr_op *first, size_t n, bool *again,
    struct fr_err *err)
{
	struct fr_store *s = e->c.store;
	struct fr_vec jobs = FR_VEC_OF(struct fr_job);
	struct fr_vec out = FR_VEC_OF(struct fr_created);
	struct fr_op *op, *end = first;
	enum fr_rc rc = FR_NOMEM;
	size_t i, at = 0;

	/* One request alone is handed on as it is; several become one call. */
	if (n == 1) {
		rc = s->ops->create(s, first->u.create.jobs, first->u.create.n,
		    first->u.create.out, err);
		if (rc == FR_OK)
			judge_create(first);
		goto out;
	}
	for (op = first, i = 0; i < n; i++, op = op->next) {
		const size_t m = op->u.create.n;

		if (!fr_vec_reserve(&jobs, m))
			goto out;
		memcpy((struct fr_job *)jobs.p + jobs.n, op->u.create.jobs,
		    m * sizeof(struct fr_job));
		jobs.n += m;
		end = op->next;
	}
	if (!fr_vec_reserve(&out, jobs.n))
		goto out;
	out.n = jobs.n;
	rc = s->ops->create(s, jobs.p, jobs.n, out.p, err);
	if (rc != FR_OK)
		goto out;
	for (op = first; op != end; op = op->next) {
		memcpy(op->u.create.out, fr_vec_at(&out, at),
		    op->u.create.n * sizeof(struct fr_created));
		at += op->u.create.n;
		judge_create(op);
	}
out:
	for (op = first, i = 0; rc == FR_OK && i < n; i++, op = op->next)
		if (op->rc == FR_CONFLICT && op->u.create.n > 1)
			*again = true;
	fr_vec_fini(&jobs);
	fr_vec_fini(&out);
	return rc;
}

/* Takes the requests that have failed out of the list and answers them. */
static void
drop_conflicts(struct fr_engine *e)
{
	struct fr_turn *t = &e->turn;
	struct fr_op *op = t->creates.first, *next;

	t->creates.first = NULL;
	for (; op != NULL; op = next) {
		next = op->next;
		op->next = NULL;
		if (op->rc == FR_CONFLICT) {
			fr_fail(&op->err, FR_CONFLICT,
			    "a job with this id is there already, "
			    "with another type or data");
			fr_answer(e, op, FR_CONFLICT);
			continue;
		}
		fr_line_add(&t->creates, op);
	}
}

enum fr_rc
fr_apply_creates(struct fr_engine *e, bool *again, struct fr_err *err)
{
	struct fr_op *op, *first;
	enum fr_rc rc;
	size_t i, n, jobs;

	*again = false;
	for (op = first = e->turn.creates.first; op != NULL; first = op) {
		for (n = jobs = 0; op != NULL; op = op->next, n++) {
			if (n > 0 && jobs + op->u.create.n > CREATE_MAX)
				break;
			jobs += op->u.create.n;
		}
		rc = create_some(e, first, n, again, err);
		if (rc != FR_OK)
			return rc;
		e->turn.wrote = true;
	}
	/*
	 * A batch with a conflict is refused whole, so that what the others
	 * of it made has to go: the caller rolls back and comes again
	 * without it.
	 */
	drop_conflicts(e);
	if (*again)
		return FR_OK;
	for (op = e->turn.creates.first; op != NULL; op = op->next)
		for (i = 0; i < op->u.create.n; i++) {
			if (op->u.create.out[i].rc != FR_OK)
				continue;
			rc = note_created(e, &op->u.create.jobs[i]);
			if (rc != FR_OK)
				return rc;
		}
	return FR_OK;
}

/* ------------------------------------------------------------------ */

static enum fr_rc
note_edit(struct fr_engine *e, struct fr_op *op)
{
	struct fr_turn *t = &e->turn;
	const struct fr_edit *d = &op->u.edit;
	const struct fr_job job = {
		.id = d->id, .type = fr_span_of(d->type), .attempt = d->attempt
	};
	struct fr_type *type;
	bool ok = true;

	type = fr_types_get(&e->types, job.type);
	if (type == NULL)
		return FR_NOMEM;
	if (op->kind == FR_OP_CANCEL) {
		ok = fr_turn_id(&t->ended, &d->id) &&
		     fr_turn_tell(e, FR_EVENT_CANCELLED, type, &job);
		if (ok && d->before == FR_STATE_QUEUED)
			ok = fr_turn_ticket(&t->removed, &d->id, type,
			    d->priority, (struct fr_span){ 0 });
		if (ok && d->before == FR_STATE_RUNNING)
			ok = fr_turn_id(&t->cancelled, &d->id);
	} else if (op->kind == FR_OP_RETRY) {
		ok = fr_turn_back(e, &t->push, &d->id, type, d->priority);
	}
	return ok ? FR_OK : FR_NOMEM;
}

static enum fr_rc
edit_failed(struct fr_op *op)
{
	const enum fr_rc rc = op->u.edit.rc;

	if (rc == FR_NOTFOUND)
		return fr_fail(&op->err, rc, "there is no job with this id");
	if (op->kind == FR_OP_CANCEL)
		return fr_fail(&op->err, rc, "the job has ended already: %s",
		    fr_state_name(op->u.edit.before));
	if (op->kind == FR_OP_RETRY && fr_state_ended(op->u.edit.before))
		return fr_fail(
		    &op->err, rc, "another unfinished job has the same key");
	return fr_fail(&op->err, rc, "the job has not ended: %s",
	    fr_state_name(op->u.edit.before));
}

enum fr_rc
fr_apply_edits(struct fr_engine *e, struct fr_err *err)
{
	const struct fr_store_ops *ops = e->c.store->ops;
	struct fr_op *op;
	enum fr_rc rc;
	size_t i;

	for (i = 0; i < e->turn.edits.n; i++) {
		op = *(struct fr_op **)fr_vec_at(&e->turn.edits, i);
		op->u.edit.now_ms = e->turn.now_ms;
		if (op->kind == FR_OP_CANCEL)
			rc = ops->cancel(e->c.store, &op->u.edit, 1, err);
		else if (op->kind == FR_OP_RETRY)
			rc = ops->retry(e->c.store, &op->u.edit, 1, err);
		else
			rc = ops->remove(e->c.store, &op->u.edit, 1, err);
		if (rc != FR_OK)
			return rc;
		rc = op->u.edit.rc;
		if (rc == FR_OK) {
			e->turn.wrote = true;
			if (note_edit(e, op) != FR_OK)
				return FR_NOMEM;
		} else if (rc != FR_EXISTS) {
			rc = edit_failed(op);
		}
		fr_answer(e, op, rc == FR_EXISTS ? FR_OK : rc);
	}
	return FR_OK;
}

/* ------------------------------------------------------------------ */

static enum fr_rc
apply_pause(struct fr_engine *e, struct fr_op *op, struct fr_err *err)
{
	enum fr_rc rc;

	rc = e->c.store->ops->pause(
	    e->c.store, op->u.pause.type, op->kind == FR_OP_PAUSE, err);
	if (rc != FR_OK)
		return rc;
	e->turn.wrote = true;
	fr_answer(e, op, FR_OK);
	return FR_OK;
}

static enum fr_rc
apply_purge(struct fr_engine *e, struct fr_op *op, struct fr_err *err)
{
	const int64_t limit = op->u.purge.limit;
	size_t n = limit > 0 ? (size_t)(limit - op->u.purge.count) : SIZE_MAX;
	enum fr_rc rc;
	bool all;

	rc = fr_purge_some(e, op->u.purge.states,
	    e->turn.now_ms - op->u.purge.older_ms, &n, &all, err);
	if (rc != FR_OK)
		return rc;
	op->u.purge.last = (int64_t)n;
	op->u.purge.count += (int64_t)n;
	if (all || (limit > 0 && op->u.purge.count == limit)) {
		fr_answer(e, op, FR_OK);
		return FR_OK;
	}
	/* The rest in the turns that follow, so that nobody waits long. */
	op->next = e->purges;
	e->purges = op;
	return FR_OK;
}

struct wait_state {
	bool there, ended;
};

static enum fr_rc
see_state(void *arg, const struct fr_job *job)
{
	struct wait_state *w = arg;

	w->there = true;
	w->ended = fr_state_ended(job->state);
	return FR_OK;
}

static enum fr_rc
apply_wait(struct fr_engine *e, struct fr_op *op, struct fr_err *err)
{
	struct wait_state w = { false, false };
	enum fr_rc rc;

	rc = e->c.store->ops->get(
	    e->c.store, &op->u.wait.id, 1, see_state, &w, err);
	if (rc != FR_OK)
		return rc;
	op->u.wait.ended = w.ended;
	if (!w.there) {
		fr_fail(&op->err, FR_NOTFOUND, "there is no job with this id");
		fr_answer(e, op, FR_NOTFOUND);
	} else if (w.ended || op->u.wait.wait_ms <= 0 ||
		   !fr_wait_begin(e, op, op->u.wait.wait_ms)) {
		fr_answer(e, op, FR_OK);
	} else {
		fr_wait_job_add(e, op);
	}
	return FR_OK;
}

static enum fr_rc
keep_outbox(void *arg, const struct fr_outbox_event *ev)
{
	struct fr_op *op = arg;
	struct fr_outbox_event *to = &op->u.outbox.events[op->u.outbox.n];

	fr_assert(op->u.outbox.n < op->u.outbox.limit);
	*to = *ev;
	to->type = fr_arena_dup(op->arena, ev->type);
	to->json = fr_arena_dup(op->arena, ev->json);
	if (to->type.p == NULL || to->json.p == NULL)
		return FR_NOMEM;
	op->u.outbox.n++;
	return FR_OK;
}

static enum fr_rc
apply_outbox(struct fr_engine *e, struct fr_op *op, struct fr_err *err)
{
	const struct fr_store_ops *ops = e->c.store->ops;
	enum fr_rc rc = FR_OK;
	size_t i;

	op->u.outbox.n = 0;
	if (op->u.outbox.ndone > 0) {
		rc = ops->outbox_done(
		    e->c.store, op->u.outbox.done, op->u.outbox.ndone, err);
		e->turn.wrote = true;
	}
	for (i = 0; rc == FR_OK && i < op->u.outbox.nagain; i++) {
		rc = ops->outbox_retry(e->c.store, op->u.outbox.again[i],
		    e->turn.now_ms + op->u.outbox.again_ms[i], err);
		e->turn.wrote = true;
	}
	if (rc == FR_OK && op->u.outbox.limit > 0) {
		op->u.outbox.events = fr_arena_calloc(op->arena,
		    op->u.outbox.limit, sizeof(struct fr_outbox_event));
		if (op->u.outbox.events == NULL)
			return FR_NOMEM;
		rc = ops->outbox_take(e->c.store, e->turn.now_ms,
		    e->turn.now_ms + op->u.outbox.claim_ms, op->u.outbox.limit,
		    keep_outbox, op, err);
		e->turn.wrote = e->turn.wrote || op->u.outbox.n > 0;
	}
	if (rc == FR_OK)
		fr_answer(e, op, FR_OK);
	return rc;
}

enum fr_rc
fr_apply_others(struct fr_engine *e, struct fr_err *err)
{
	struct fr_op *op;
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; rc == FR_OK && i < e->turn.others.n; i++) {
		op = *(struct fr_op **)fr_vec_at(&e->turn.others, i);
		switch (op->kind) {
		case FR_OP_PAUSE:
		case FR_OP_RESUME:
			rc = apply_pause(e, op, err);
			break;
		case FR_OP_PURGE:
			rc = apply_purge(e, op, err);
			break;
		case FR_OP_WAIT:
			rc = apply_wait(e, op, err);
			break;
		case FR_OP_OUTBOX:
			rc = apply_outbox(e, op, err);
			break;
		case FR_OP_WORKERS:
			rc = fr_workers_view(e, op, err);
			if (rc == FR_OK)
				fr_answer(e, op, FR_OK);
			break;
		case FR_OP_READY:
			if (e->full)
				(void)fr_fail(&op->err, FR_NOSPACE,
				    "the store's disk is full");
			fr_answer(e, op, e->full ? FR_NOSPACE : FR_OK);
			break;
		case FR_OP_CREATE:
		case FR_OP_WORK:
		case FR_OP_CANCEL:
		case FR_OP_RETRY:
		case FR_OP_REMOVE:
			fr_assert(!"not one of the others");
			break;
		}
	}
	return rc;
}

enum fr_rc
fr_apply_outbox(struct fr_engine *e, struct fr_err *err)
{
	struct fr_vec out = FR_VEC_OF(struct fr_outbox_event);
	struct fr_outbox_event *ev;
	const struct fr_told *told;
	enum fr_rc rc = FR_OK;
	size_t i;

	if (!e->turn.hooks)
		return FR_OK;
	for (i = 0; i < e->turn.told.n; i++) {
		told = fr_vec_at(&e->turn.told, i);
		if (!told->hook)
			continue;
		ev = fr_vec_add(&out);
		if (ev == NULL) {
			rc = FR_NOMEM;
			goto out;
		}
		ev->kind = told->kind;
		ev->type = fr_span_of(told->type->name);
		ev->json =
		    (struct fr_span){ e->turn.text.p + told->at, told->len };
	}
	e->turn.wrote = true;
	rc = e->c.store->ops->outbox_put(e->c.store, out.p, out.n, err);
out:
	fr_vec_fini(&out);
	return rc;
}
