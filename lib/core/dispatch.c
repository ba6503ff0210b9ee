/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/turn.h"

/*
 * Jobs to those who wait for them: tickets are popped from the queue, the
 * store leases what is really queued, and after the commit the jobs leave.
 * Several who wait share what is there, so that a worker with many slots does
 * not starve the others.
 */

#define GRANTS_MAX 4096 /* in one turn */
/* Of data, beyond the first job: to one taker, and in one turn. */
#define TAKER_BYTES ((size_t)8 << 20)
#define TURN_BYTES ((size_t)64 << 20)

/* How many jobs taker k may get of what waits for it and its like. */
static size_t
share(struct fr_engine *e, const struct fr_taker *k, const struct fr_type *t)
{
	const size_t slots = k->op->u.work.slots;
	int64_t n, sum = 0;
	size_t i, part;

	if (t->nwaiting < 2 || slots == 1)
		return slots;
	/* Every length would be a round trip. */
	if (e->c.queue->ops->caps(e->c.queue) & FR_QUEUE_SHARED)
		return slots;
	for (i = 0; i < k->op->u.work.ntypes; i++) {
		if (k->links[i].type->paused)
			continue;
		if (e->c.queue->ops->length(
			e->c.queue, k->links[i].type->name, &n, NULL) == FR_OK)
			sum += n;
	}
	part = ((size_t)sum + t->nwaiting - 1) / t->nwaiting;
	if (part < 1)
		part = 1;
	return part < slots ? part : slots;
}

static size_t
open_types(struct fr_taker *k)
{
	size_t i, n = 0;

	for (i = 0; i < k->op->u.work.ntypes; i++)
		if (!k->links[i].type->paused)
			k->names[n++] = k->links[i].type->name;
	return n;
}

static enum fr_rc
add_popped(struct fr_engine *e, struct fr_taker *k, const struct fr_ticket *t)
{
	struct fr_popped *p = fr_vec_add(&e->turn.popped);

	if (p == NULL)
		return FR_NOMEM;
	p->grant.id = t->id;
	fr_rand_fill(e->c.rand, p->grant.token.b, sizeof(p->grant.token.b));
	p->grant.worker = k->op->u.work.worker;
	p->grant.now_ms = e->turn.now_ms;
	p->grant.until_ms = e->turn.now_ms + e->c.lease_ms;
	p->taker = k;
	p->type = fr_types_find(&e->types, fr_span_of(t->type));
	p->priority = t->priority;
	k->got++;
	return p->type == NULL ? FR_BROKEN : FR_OK;
}

struct from_store {
	struct fr_engine *e;
	struct fr_taker *k;
};

static enum fr_rc
pop_row(void *arg, const struct fr_ticket *t)
{
	struct from_store *f = arg;

	return add_popped(f->e, f->k, t);
}

/*
 * The queue is away: the store knows what is queued, too. Each call asks for
 * no more than is wanted, GRANTS_MAX at most, and a type that gave less is not
 * asked about again until something of it comes. A store without an index by
 * type (SQLite) looks through all that is queued to find the first ones: a
 * second with eight million. That is the price of a shared queue that is away
 * before a store that is not shared, and is paid nowhere else.
 */
static enum fr_rc
pop_store(struct fr_engine *e, struct fr_taker *k, size_t want, size_t *got,
    struct fr_err *err)
{
	struct from_store f = { e, k };
	const uint32_t before = k->got;
	int64_t cursor = 0;
	enum fr_rc rc = FR_OK;
	size_t i, n;

	fr_assert(want <= GRANTS_MAX);
	for (i = 0; i < k->op->u.work.ntypes && k->got - before < want; i++) {
		if (k->links[i].type->paused)
			continue;
		n = want - (k->got - before);
		rc = e->c.store->ops->get_queue(e->c.store,
		    k->links[i].type->name, false, &cursor, &n, pop_row, &f,
		    err);
		if (rc != FR_OK)
			break;
	}
	*got = k->got - before;
	return rc;
}

static void
queue_failed(struct fr_engine *e, const struct fr_err *err)
{
	if (!e->degraded)
		fr_log(FR_LOG_WARN,
		    "queue fails, jobs come straight from the store: %s",
		    err->msg);
	e->degraded = true;
	__atomic_store_n(&e->counters.degraded, 1, __ATOMIC_RELAXED);
}

static enum fr_rc
pop(struct fr_engine *e, struct fr_taker *k, size_t want, size_t *got,
    struct fr_err *err)
{
	struct fr_ticket t[256];
	const size_t ntypes = open_types(k);
	struct fr_err why = FR_ERR_INIT;
	enum fr_rc rc;
	size_t i, n;

	*got = 0;
	if (e->degraded)
		return pop_store(e, k, want, got, err);
	while (*got < want) {
		n = want - *got;
		if (n > sizeof(t) / sizeof(t[0]))
			n = sizeof(t) / sizeof(t[0]);
		i = n;
		rc = e->c.queue->ops->pop(
		    e->c.queue, k->names, ntypes, t, &n, &why);
		if (rc != FR_OK) {
			queue_failed(e, &why);
			return *got > 0 ? FR_OK
					: pop_store(e, k, want, got, err);
		}
		fr_assert(n <= i);
		*got += n;
		for (i = 0; i < n; i++) {
			rc = add_popped(e, k, &t[i]);
			if (rc != FR_OK)
				return fr_fail(err, rc, "take from the queue");
		}
		if (n == 0)
			break;
	}
	return FR_OK;
}

struct leasing {
	struct fr_engine *e;
	size_t at; /* in turn.popped */
	size_t bytes;
	struct fr_vec over; /* struct fr_report: more than an answer holds */
};

static bool
copy_job(struct fr_arena *a, const struct fr_job *from, struct fr_job *to)
{
	*to = *from;
	to->type = fr_arena_dup(a, from->type);
	to->data = fr_arena_dup(a, from->data);
	to->worker = to->key = to->progress = to->result = to->error = to->log =
	    (struct fr_span){ NULL, 0 };
	return to->type.p != NULL && to->data.p != NULL;
}

static bool
too_much(const struct leasing *l, const struct fr_taker *k, size_t more)
{
	return k->bytes + more > TAKER_BYTES || l->bytes + more > TURN_BYTES;
}

/* A job too many for one answer: leased already, so given back uncounted. */
static enum fr_rc
give_back(struct leasing *l, const struct fr_job *job)
{
	struct fr_report *r = fr_vec_add(&l->over);

	if (r == NULL)
		return FR_NOMEM;
	r->id = job->id;
	r->token = job->lease;
	r->now_ms = l->e->turn.now_ms;
	return FR_OK;
}

static enum fr_rc
leased(void *arg, const struct fr_job *job)
{
	struct leasing *l = arg;
	struct fr_popped *p;
	struct fr_exchange *x;
	struct fr_job seen;

	/* Rows come in the order of the batch, with some left out. */
	do {
		if (l->at >= l->e->turn.popped.n)
			return FR_BROKEN;
		p = fr_vec_at(&l->e->turn.popped, l->at++);
	} while (!fr_uuid_eq(&p->grant.id, &job->id));
	x = &p->taker->op->u.work;
	if (x->njobs > 0 && too_much(l, p->taker, job->data.len))
		return give_back(l, job);
	l->bytes += job->data.len;
	p->taker->bytes += job->data.len;
	if (x->jobs == NULL) {
		x->jobs = fr_arena_calloc(
		    p->taker->op->arena, p->taker->got, sizeof(*x->jobs));
		if (x->jobs == NULL)
			return FR_NOMEM;
	}
	p->job = &x->jobs[x->njobs++];
	p->granted = true;
	if (!copy_job(p->taker->op->arena, job, p->job))
		return FR_NOMEM;
	seen = *p->job;
	seen.worker = x->worker;
	if (!fr_turn_tell(l->e, FR_EVENT_STAGED, p->type, &seen))
		return FR_NOMEM;
	return FR_OK;
}

/* Leases what was popped and not leased yet. */
static enum fr_rc
lease_popped(struct fr_engine *e, struct leasing *l, struct fr_err *err)
{
	struct fr_vec grants = FR_VEC_OF(struct fr_grant);
	struct fr_popped *p;
	struct fr_grant *g;
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = l->at; i < e->turn.popped.n; i++) {
		p = fr_vec_at(&e->turn.popped, i);
		g = fr_vec_add(&grants);
		if (g == NULL) {
			rc = FR_NOMEM;
			goto out;
		}
		*g = p->grant;
		if (i == l->at || p->taker != p[-1].taker) {
			p->taker->op->u.work.jobs = NULL;
			p->taker->op->u.work.njobs = 0;
			p->taker->bytes = 0;
		}
	}
	if (grants.n == 0)
		goto out;
	e->turn.wrote = true;
	rc = e->c.store->ops->lease(
	    e->c.store, grants.p, grants.n, leased, l, err);
	l->at = e->turn.popped.n;
out:
	fr_vec_fini(&grants);
	return rc;
}

/* Pops for everybody who waits for something that may be there. */
static enum fr_rc
pop_all(struct fr_engine *e, struct leasing *l, struct fr_err *err)
{
	struct fr_taker *k;
	struct fr_type *t;
	size_t i, got, want, left = GRANTS_MAX;
	enum fr_rc rc;

	while (left > 0 && (t = fr_types_ready(&e->types)) != NULL) {
		k = t->first->taker;
		want = share(e, k, t);
		if (want > left)
			want = left;
		rc = pop(e, k, want, &got, err);
		if (rc != FR_OK)
			return rc;
		left -= got;
		if (got < want)
			for (i = 0; i < k->op->u.work.ntypes; i++)
				if (!k->links[i].type->paused)
					fr_type_set_maybe(
					    &e->types, k->links[i].type, false);
		if (got > 0)
			fr_taker_unlink(&e->types, k);
		/* The next one must not see what this one has got. */
		if (e->degraded)
			rc = lease_popped(e, l, err);
		if (rc != FR_OK)
			return rc;
	}
	return FR_OK;
}

static struct fr_type *
type_of(const struct fr_engine *e, const struct fr_ticket *t)
{
	return fr_types_find(&e->types, fr_span_of(t->type));
}

/*
 * Whether the jobs that this turn brings into the queue would be the next
 * that are taken out, all of them: somebody waits for each, the queue has
 * nothing else for them, and none comes before another.
 */
static bool
nobody_is_passed(struct fr_engine *e)
{
	const struct fr_ticket *first = fr_vec_at(&e->turn.push, 0), *t;
	struct fr_type *type;
	bool ok = true;
	size_t i;

	for (i = 0; i < e->turn.push.n; i++) {
		t = fr_vec_at(&e->turn.push, i);
		type = type_of(e, t);
		if (type == NULL || type->paused || type->nwaiting == 0)
			continue; /* it stays in the queue */
		type->fresh++;
		ok = ok && !type->maybe && type->fresh <= type->nwaiting &&
		     t->priority == first->priority;
	}
	for (i = 0; i < e->turn.push.n; i++) {
		type = type_of(e, fr_vec_at(&e->turn.push, i));
		if (type != NULL)
			type->fresh = 0;
	}
	return ok;
}

/*
 * Then they need not go through the queue: they are leased in the same
 * transaction, and a worker that is idle has its job after one commit instead
 * of two.
 */
static enum fr_rc
hand_over(struct fr_engine *e, struct fr_err *err)
{
	struct fr_vec *push = &e->turn.push;
	struct fr_ticket *t;
	struct fr_popped *p;
	struct fr_taker *k;
	struct fr_type *type;
	size_t i, kept = 0;
	enum fr_rc rc;

	if (push->n == 0 || push->n > e->types.nwaiting ||
	    push->n > GRANTS_MAX || e->degraded || e->loading ||
	    e->shared_queue || !nobody_is_passed(e))
		return FR_OK;
	for (i = 0; i < push->n; i++) {
		t = fr_vec_at(push, i);
		type = type_of(e, t);
		/* One who waited for several types may have got one. */
		if (type == NULL || type->paused || type->first == NULL) {
			*(struct fr_ticket *)fr_vec_at(push, kept++) = *t;
			continue;
		}
		k = type->first->taker;
		rc = add_popped(e, k, t);
		if (rc != FR_OK)
			return fr_fail(err, rc, "hand over a job");
		p = fr_vec_at(&e->turn.popped, e->turn.popped.n - 1);
		p->straight = true;
		fr_taker_unlink(&e->types, k);
	}
	push->n = kept;
	return FR_OK;
}

enum fr_rc
fr_apply_dispatch(struct fr_engine *e, struct fr_err *err)
{
	struct leasing l = { .e = e, .over = FR_VEC_OF(struct fr_report) };
	enum fr_rc rc;

	rc = pop_all(e, &l, err);
	if (rc == FR_OK)
		rc = hand_over(e, err);
	if (rc == FR_OK)
		rc = lease_popped(e, &l, err);
	if (rc == FR_OK && l.over.n > 0)
		rc = fr_report_released(e, l.over.p, l.over.n, err);
	fr_vec_fini(&l.over);
	return rc;
}

void
fr_dispatch_undo(struct fr_engine *e)
{
	struct fr_vec back = FR_VEC_OF(struct fr_ticket);
	struct fr_popped *p;
	struct fr_err err = FR_ERR_INIT;
	size_t i;

	for (i = 0; i < e->turn.popped.n; i++) {
		p = fr_vec_at(&e->turn.popped, i);
		if (!p->straight &&
		    !fr_turn_ticket(&back, &p->grant.id, p->type, p->priority,
			(struct fr_span){ 0 }))
			break; /* the sweep finds them */
		if (!p->straight)
			fr_type_set_maybe(&e->types, p->type, true);
		p->taker->got = 0;
		p->taker->op->u.work.njobs = 0;
		p->taker->op->u.work.jobs = NULL;
		if (!p->taker->linked)
			fr_taker_link(&e->types, p->taker);
	}
	if (back.n > 0 && !e->degraded && !e->wants_data &&
	    e->c.queue->ops->requeue(e->c.queue, back.p, back.n, &err) != FR_OK)
		queue_failed(e, &err);
	if (e->wants_data && back.n > 0) {
		e->loading = true;
		e->cursor = 0;
	}
	e->turn.popped.n = 0;
	fr_vec_fini(&back);
}

void
fr_dispatch_done(struct fr_engine *e)
{
	struct fr_popped *p;
	struct fr_taker *k;
	size_t i;

	for (i = 0; i < e->turn.popped.n; i++) {
		p = fr_vec_at(&e->turn.popped, i);
		if (p->granted)
			(void)fr_lease_add(
			    &e->workers, p->taker->worker, p->type, p->job);
	}
	for (i = 0; i < e->turn.popped.n; i++) {
		k = ((struct fr_popped *)fr_vec_at(&e->turn.popped, i))->taker;
		if (k->got == 0)
			continue; /* seen already */
		k->got = 0;
		if (k->op->u.work.njobs > 0)
			fr_dispatch_answer(e, k->op, FR_OK);
		else /* all of its tickets were stale */
			fr_taker_link(&e->types, k);
	}
	e->turn.popped.n = 0;
}

void
fr_dispatch_answer(struct fr_engine *e, struct fr_op *op, enum fr_rc rc)
{
	struct fr_exchange *x = &op->u.work;
	struct fr_worker *w = fr_workers_find(&e->workers, x->worker);
	struct fr_lease *l;
	struct fr_uuid *stop;
	size_t i, gone = 0;

	if (op->taker != NULL)
		fr_taker_unlink(&e->types, op->taker);
	if (w != NULL && w->open == op)
		w->open = NULL;
	x->lease_ms = e->c.lease_ms;
	x->nrefused = 0;
	x->refused = x->nfinished == 0
			 ? NULL
			 : fr_arena_calloc(
			       op->arena, x->nfinished, sizeof(struct fr_uuid));
	for (i = 0; i < x->nfinished && x->refused != NULL; i++)
		if (x->finished[i].rc == FR_STALE)
			x->refused[x->nrefused++] = x->finished[i].id;
	for (l = w == NULL ? NULL : w->leases; l != NULL; l = l->next)
		gone += l->gone;
	if (gone > 0) {
		stop =
		    fr_arena_calloc(op->arena, gone + x->nstop, sizeof(*stop));
		for (i = 0; stop != NULL && i < x->nstop; i++)
			stop[i] = x->stop[i];
		for (l = w->leases; stop != NULL && l != NULL; l = l->next)
			if (l->gone)
				stop[i++] = l->id;
		if (stop != NULL) {
			x->stop = stop;
			x->nstop = i;
		}
	}
	fr_answer(e, op, rc);
}
