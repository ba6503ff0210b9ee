/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/str.h"
#include "core/turn.h"

#define FULL_SAID_MS 60000 /* between two lines in the log about it */

/* What becomes of a turn whose transaction is lost. */

void
fr_refuse(struct fr_engine *e, struct fr_op *op, enum fr_rc rc,
    const struct fr_err *why)
{
	if (why != NULL)
		op->err = *why;
	else if (op->err.msg[0] == '\0')
		(void)fr_fail(&op->err, rc, "no memory");
	if (op->kind == FR_OP_WORK)
		fr_dispatch_answer(e, op, rc);
	else
		fr_answer(e, op, rc);
}

static void
put_back(struct fr_engine *e, struct fr_vec *ops)
{
	struct fr_op *op;
	size_t i = ops->n;

	/* In their order, in front of those that are there. */
	while (i-- > 0) {
		op = *(struct fr_op **)fr_vec_at(ops, i);
		if (op->waiting)
			continue; /* it has nothing to change */
		if (op->kind == FR_OP_PURGE) {
			op->u.purge.count -= op->u.purge.last;
			op->u.purge.last = 0;
		}
		op->next = e->redo;
		e->redo = op;
	}
}

/* Answers of this turn that are not true any more. */
static void
recall_answers(struct fr_engine *e, enum fr_rc rc, const struct fr_err *why)
{
	struct fr_op *op;

	for (op = e->done.first; op != NULL; op = op->next)
		if (op->rc == FR_OK || op->rc == FR_EXISTS) {
			op->rc = rc;
			op->err = *why;
		}
}

void
fr_refuse_all(struct fr_engine *e, struct fr_vec *ops, enum fr_rc rc,
    const struct fr_err *why)
{
	struct fr_op *op;
	size_t i;

	for (i = 0; i < ops->n; i++) {
		op = *(struct fr_op **)fr_vec_at(ops, i);
		if (!op->answered && !op->waiting)
			fr_refuse(e, op, rc, why);
	}
}

static void
refuse_line(struct fr_engine *e, struct fr_line *l, enum fr_rc rc,
    const struct fr_err *why)
{
	struct fr_op *op;

	while ((op = l->first) != NULL) {
		l->first = op->next;
		fr_refuse(e, op, rc, why);
	}
}

void
fr_refuse_lines(struct fr_engine *e, enum fr_rc rc, const struct fr_err *why)
{
	refuse_line(e, &e->prompt, rc, why);
	refuse_line(e, &e->bulk, rc, why);
}

static void
unsure_of_all(struct fr_engine *e)
{
	size_t pos = 0;
	void *w;

	while (fr_map_next(e->workers.by_id, &pos, NULL, &w)) {
		((struct fr_worker *)w)->unsure = true;
		((struct fr_worker *)w)->told_ms = 0;
	}
}

/*
 * Leases whose commit may have happened, and of which nobody has heard: if
 * they are there, the next turn that succeeds gives them back, uncounted.
 * Without memory they run out, as those of a lost worker do.
 */
static void
doubt(struct fr_engine *e)
{
	const struct fr_popped *p;
	struct fr_report *r;
	size_t i;

	for (i = 0; i < e->turn.popped.n; i++) {
		p = fr_vec_at(&e->turn.popped, i);
		r = fr_vec_add(&e->doubtful);
		if (r == NULL)
			return;
		r->id = p->grant.id;
		r->token = p->grant.token;
		r->unsaid = true;
	}
}

/*
 * The transaction is lost, or nobody knows. Nothing was pushed and nothing
 * was answered yet, so that all of it can be taken back.
 */
static void
lost(struct fr_engine *e, enum fr_rc rc, const struct fr_err *why)
{
	struct fr_turn *t = &e->turn;
	struct fr_op *op, *next, *purges = e->purges;

	fr_count(&e->counters.failed_commits, 1);
	recall_answers(e, rc, why);
	if (rc == FR_UNKNOWN)
		doubt(e);
	fr_dispatch_undo(e);
	for (e->purges = NULL, op = purges; op != NULL; op = next) {
		next = op->next;
		fr_refuse(e, op, rc, why);
	}
	for (op = t->creates.first; op != NULL; op = next) {
		next = op->next;
		op->err = *why;
		fr_answer(e, op, rc);
	}
	/* These were not tried at all. */
	fr_refuse_lines(e, rc == FR_NOSPACE ? FR_NOSPACE : FR_AGAIN, why);
	fr_refuse_all(e, &t->works, rc, why);
	fr_refuse_all(e, &t->edits, rc, why);
	fr_refuse_all(e, &t->others, rc, why);
	unsure_of_all(e);
	/* What the walk has read was not pushed. */
	e->loading = t->loading;
	e->cursor = t->cursor;
	e->next_sweep_ms = t->mono_ms;
}

/* Answers of this turn that will be given by the next one. */
static void
unanswer(struct fr_engine *e)
{
	struct fr_op *op = e->done.first, *next;

	e->done.first = NULL;
	for (; op != NULL; op = next) {
		next = op->next;
		op->answered = false;
		/* A conflict of ids stays one. */
		if (op->kind == FR_OP_CREATE)
			fr_answer(e, op, op->rc);
	}
}

/* Whether anything of this turn would free the disk. */
static bool
frees(const struct fr_turn *t)
{
	size_t i;

	for (i = 0; i < t->edits.n; i++)
		if (fr_op_frees(*(struct fr_op **)fr_vec_at(&t->edits, i)))
			return true;
	for (i = 0; i < t->others.n; i++)
		if (fr_op_frees(*(struct fr_op **)fr_vec_at(&t->others, i)))
			return true;
	return false;
}

/*
 * The disk is full. New jobs are what can be refused; the end of a job frees
 * nobody's disk, but it must not be lost behind them, so that the rest is
 * tried again alone. And so is what does free the disk.
 */
static void
disk_full(struct fr_engine *e, const struct fr_err *why)
{
	struct fr_turn *t = &e->turn;
	struct fr_op *op, *next;

	e->full = true;
	/* It may come and go with the size of what is written. */
	if (e->full_said_ms == 0 ||
	    t->mono_ms - e->full_said_ms >= FULL_SAID_MS) {
		fr_log(FR_LOG_ERROR, "new jobs are refused: %s", why->msg);
		e->full_said_ms = t->mono_ms;
	}
	if (t->creates.first == NULL && (t->freeing || !frees(t))) {
		lost(e, FR_NOSPACE, why);
		return;
	}
	fr_count(&e->counters.failed_commits, 1);
	fr_dispatch_undo(e);
	unanswer(e);
	for (op = t->creates.first; op != NULL; op = next) {
		next = op->next;
		op->err = *why;
		fr_answer(e, op, FR_NOSPACE);
	}
	fr_refuse_lines(e, FR_NOSPACE, why);
	e->purges = NULL; /* they stand among the others */
	put_back(e, &t->others);
	put_back(e, &t->edits);
	put_back(e, &t->works);
	unsure_of_all(e);
	e->loading = t->loading;
	e->cursor = t->cursor;
}

static bool
believable(const struct fr_engine *e, enum fr_rc rc)
{
	if (rc == FR_NOSPACE || rc == FR_AGAIN || rc == FR_NOMEM)
		return true;
	/* A server that went away comes back and can be asked. */
	return e->shared && rc != FR_BROKEN;
}

void
fr_turn_failed(struct fr_engine *e, enum fr_rc rc, struct fr_err *why)
{
	const struct fr_turn *t = &e->turn;

	if (why->msg[0] == '\0')
		(void)fr_fail(why, rc, "the store failed: %s", fr_rc_name(rc));
	if (!believable(e, rc)) {
		e->fatal = true;
		e->fatal_err = *why;
		lost(e, FR_UNKNOWN, why);
		return;
	}
	if (rc == FR_NOSPACE) {
		disk_full(e, why);
		return;
	}
	if (rc == FR_NOMEM)
		rc = FR_AGAIN;
	lost(e, rc == FR_UNKNOWN ? FR_UNKNOWN : FR_AGAIN, why);
	if (e->away_since_ms == 0) {
		fr_log(FR_LOG_WARN, "the store is away: %s", why->msg);
		e->away_since_ms = t->mono_ms;
	}
	e->fresh = true;
}
