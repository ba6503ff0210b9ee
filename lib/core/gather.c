/* SPDX-License-Identifier: MIT */
#include "core/turn.h"

/* What a turn takes of all that has arrived. */

/* A worker's exchange: noted, and made a taker if it can take something. */
static bool
enter_work(struct fr_engine *e, struct fr_op *op)
{
	struct fr_exchange *x = &op->u.work;
	struct fr_worker *w;

	w = fr_workers_note(
	    &e->workers, x, e->shared, e->turn.mono_ms, e->turn.now_ms);
	if (w == NULL)
		return false;
	if (w->told_ms == 0 || x->leaving)
		e->arrivals = e->shared;
	/* What it asked for before it went it has given up, and a job that
	 * went there now would be lost on the way. */
	if (x->leaving && w->open != NULL && w->open != op &&
	    w->open->u.work.slots > 0)
		fr_dispatch_answer(e, w->open, FR_AGAIN);
	/*
	 * A manager that it left may have given it something since, on a
	 * connection that is dead.
	 */
	if (e->shared && e->turn.mono_ms - w->read_ms > e->c.lease_ms / 3)
		w->unsure = true;
	op->now = x->wait_ms <= 0 || x->nfinished > 0 ||
		  (x->slots > 0 ? x->ntypes == 0 : w->open != NULL);
	/* One that has nothing to take waits to hear of a cancelled job. */
	if (x->slots == 0 && (w->open == op || !op->now)) {
		op->now = false;
		w->open = op;
		return true;
	}
	if (x->slots == 0 || x->ntypes == 0 || op->taker != NULL)
		return true;
	/* The one before is dead, or it would not send another; unless it only
	 * waits to hear. */
	if (w->open != NULL)
		fr_dispatch_answer(
		    e, w->open, w->open->u.work.slots > 0 ? FR_AGAIN : FR_OK);
	op->taker = fr_taker_new(&e->types, op, w);
	if (op->taker == NULL)
		return false;
	fr_taker_link(&e->types, op->taker);
	w->open = op;
	return true;
}

/*
 * What one turn takes of new jobs; a job counts as so many bytes more. The
 * rest waits, so that the reports and leases of those who work, and those who
 * submit a job with little data, are not behind large batches: where both come
 * batches have half of the time, in small shares.
 */
#define TURN_BYTES ((int64_t)16 << 20)
#define BULK_SHARE ((int64_t)1 << 20)
#define JOB_BYTES 1024
#define PROMPT_BYTES ((size_t)64 << 10)
#define REST_MOST_MS 1000
#define QUIET_MS 100 /* so long after the last of the others bulk is alone */

static void
sort_op(struct fr_engine *e, struct fr_op *op)
{
	struct fr_turn *t = &e->turn;
	struct fr_vec *v = &t->others;
	struct fr_op **to;

	op->next = NULL;
	if (op->kind == FR_OP_PURGE)
		op->u.purge.last = 0;
	if (op->kind == FR_OP_CREATE) {
		fr_line_add(&t->creates, op);
		return;
	}
	if (op->kind == FR_OP_WORK)
		v = &t->works;
	else if (op->kind == FR_OP_CANCEL || op->kind == FR_OP_RETRY ||
		 op->kind == FR_OP_REMOVE)
		v = &t->edits;
	if (op->kind == FR_OP_WORK && !enter_work(e, op)) {
		fr_refuse(e, op, FR_NOMEM, NULL);
		return;
	}
	to = fr_vec_add(v);
	if (to == NULL)
		fr_refuse(e, op, FR_NOMEM, NULL);
	else
		*to = op;
	op->listed = to != NULL && v == &t->works;
}

bool
fr_op_prompt(const struct fr_op *op)
{
	return op->kind == FR_OP_CREATE && op->u.create.n == 1 &&
	       op->u.create.jobs[0].data.len <= PROMPT_BYTES;
}

static int64_t
cost(const struct fr_op *op)
{
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < op->u.create.n; i++)
		sum += (int64_t)op->u.create.jobs[i].data.len + JOB_BYTES;
	return sum;
}

static void
take_first(struct fr_engine *e, struct fr_line *l, int64_t *credit)
{
	struct fr_op *op = l->first;

	*credit -= cost(op);
	l->first = op->next;
	sort_op(e, op);
}

/* How much of the large batches this turn takes. */
static int64_t
bulk_share(struct fr_engine *e)
{
	const int64_t now = e->turn.mono_ms;

	if (e->prompt.first != NULL || e->turn.works.n > 0)
		e->others_ms = now;
	if (now - e->others_ms > QUIET_MS)
		return TURN_BYTES;
	return now < e->bulk_after_ms ? 0 : BULK_SHARE;
}

void
fr_gather_rest(struct fr_engine *e)
{
	int64_t now, took;

	if (!e->had_bulk)
		return;
	e->had_bulk = false;
	now = e->c.clock->mono_ms(e->c.clock->arg);
	took = now - e->turn.mono_ms;
	e->bulk_after_ms = now + (took < REST_MOST_MS ? took : REST_MOST_MS);
}

/* New jobs: in the order in which they came, as long as all of them fit. */
static size_t
gather_creates(struct fr_engine *e)
{
	struct fr_line *p = &e->prompt, *b = &e->bulk;
	int64_t prompt = TURN_BYTES, bulk = bulk_share(e);
	size_t n;

	for (n = 0;; n++) {
		const bool p_fits = p->first != NULL && prompt > 0;
		const bool b_fits = b->first != NULL && bulk > 0;

		if (p_fits &&
		    (!b_fits || p->first->serial < b->first->serial)) {
			take_first(e, p, &prompt);
		} else if (b_fits) {
			take_first(e, b, &bulk);
			e->had_bulk = true;
		} else {
			return n;
		}
	}
}

bool
fr_op_frees(const struct fr_op *op)
{
	return op->kind == FR_OP_PURGE || op->kind == FR_OP_REMOVE;
}

static bool
any_frees(const struct fr_op *op)
{
	for (; op != NULL; op = op->next)
		if (fr_op_frees(op))
			return true;
	return false;
}

/*
 * Whether this turn is one that only frees the disk, as every second may be
 * while that is full: nothing else that happens in it can keep it from that.
 */
static bool
is_freeing(const struct fr_engine *e, const struct fr_op *come)
{
	if (!e->full || e->freed)
		return false;
	return e->purges != NULL || any_frees(e->redo) || any_frees(come) ||
	       (e->c.retain_ms > 0 && e->turn.mono_ms >= e->next_sweep_ms);
}

/* All but new jobs, which wait in line, and what this turn has to leave. */
static size_t
gather_list(struct fr_engine *e, struct fr_op *op, struct fr_line *left)
{
	struct fr_op *next;
	size_t n = 0;

	for (; op != NULL; op = next) {
		next = op->next;
		if (op->kind == FR_OP_CREATE) {
			fr_line_add(
			    fr_op_prompt(op) ? &e->prompt : &e->bulk, op);
		} else if (e->turn.freeing && !fr_op_frees(op)) {
			fr_line_add(left, op);
		} else {
			sort_op(e, op);
			n++;
		}
	}
	return n;
}

size_t
fr_gather(struct fr_engine *e)
{
	struct fr_op *come, *redo = e->redo, *purges = e->purges;
	struct fr_line left = { NULL, NULL };
	uint64_t *serials;
	size_t i, n, nserials;

	come = fr_inbox_take(&e->inbox, &serials, &nserials);
	e->turn.freeing = is_freeing(e, come);
	e->redo = e->purges = NULL;
	n = gather_list(e, redo, &left);
	n += gather_list(e, come, &left);
	/* What frees the disk goes first. */
	if (redo == NULL && !e->turn.freeing)
		n += gather_creates(e);
	n += gather_list(e, purges, &left);
	e->redo = left.first;
	/* One that has arrived only now does not wait yet. */
	for (i = 0; i < nserials; i++)
		if (!fr_wait_abandoned(e, serials[i]))
			serials[e->nabandoned++] = serials[i];
	e->abandoned = serials;
	fr_count(&e->counters.ops, n);
	return n;
}
