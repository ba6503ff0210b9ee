/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/assert.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/turn.h"

/* Requests that wait: for a job to do, or for the end of a job. */

static struct fr_span
serial_key(const uint64_t *serial)
{
	return (struct fr_span){ (const char *)serial, sizeof(*serial) };
}

static struct fr_span
id_key(const struct fr_uuid *id)
{
	return (struct fr_span){ (const char *)id->b, sizeof(id->b) };
}

bool
fr_wait_begin(struct fr_engine *e, struct fr_op *op, int64_t ms)
{
	int64_t at_ms;

	fr_assert(!op->waiting);
	if (ms > 24LL * 3600 * 1000)
		ms = 24LL * 3600 * 1000;
	at_ms = e->turn.mono_ms + ms;
	if (!fr_map_put(e->by_serial, serial_key(&op->serial), op))
		return false;
	if (!fr_heap_set(&e->timers, &op->timer, at_ms)) {
		(void)fr_map_del(e->by_serial, serial_key(&op->serial));
		return false;
	}
	op->waiting = true;
	__atomic_fetch_add(&e->counters.waiting, 1, __ATOMIC_RELAXED);
	return true;
}

void
fr_wait_end(struct fr_engine *e, struct fr_op *op)
{
	struct fr_op *next = op->list_next;

	if (!op->waiting)
		return;
	op->waiting = false;
	__atomic_fetch_sub(&e->counters.waiting, 1, __ATOMIC_RELAXED);
	(void)fr_map_del(e->by_serial, serial_key(&op->serial));
	fr_heap_remove(&e->timers, &op->timer);
	if (op->kind != FR_OP_WAIT)
		return;
	if (next != NULL)
		next->list_prev = op->list_prev;
	if (op->list_prev != NULL) {
		op->list_prev->list_next = next;
	} else {
		/* A key that is there can be given another value. */
		if (next == NULL)
			(void)fr_map_del(e->waits, id_key(&op->u.wait.id));
		else if (!fr_map_put(e->waits, id_key(&op->u.wait.id), next))
			fr_assert(!"a map cannot replace a value");
	}
	op->list_prev = op->list_next = NULL;
}

void
fr_wait_job_add(struct fr_engine *e, struct fr_op *op)
{
	struct fr_op *first = fr_map_get(e->waits, id_key(&op->u.wait.id));

	op->list_prev = op->list_next = NULL;
	if (first != NULL) { /* behind the first, which the map knows */
		op->list_prev = first;
		op->list_next = first->list_next;
		if (op->list_next != NULL)
			op->list_next->list_prev = op;
		first->list_next = op;
	} else if (!fr_map_put(e->waits, id_key(&op->u.wait.id), op)) {
		/* Then it is answered when its time is over. */
		op->list_prev = NULL;
	}
}

static void
answer_wait(struct fr_engine *e, struct fr_op *op, bool ended)
{
	op->u.wait.ended = ended;
	fr_answer(e, op, FR_OK);
}

void
fr_wait_job_ended(struct fr_engine *e, const struct fr_uuid *id)
{
	struct fr_op *op, *next;

	for (op = fr_map_get(e->waits, id_key(id)); op != NULL; op = next) {
		next = op->list_next;
		answer_wait(e, op, true);
	}
}

bool
fr_wait_abandoned(struct fr_engine *e, uint64_t serial)
{
	struct fr_op *op = fr_map_get(e->by_serial, serial_key(&serial));

	if (op == NULL)
		return false;
	fr_fail(&op->err, FR_AGAIN, "nobody waits for the answer");
	if (op->kind == FR_OP_WORK)
		fr_dispatch_answer(e, op, FR_AGAIN);
	else
		fr_answer(e, op, FR_AGAIN);
	return true;
}

void
fr_wait_timeouts(struct fr_engine *e, int64_t mono_ms)
{
	struct fr_heap_node *n;
	struct fr_op *op;

	while ((n = fr_heap_first(&e->timers)) != NULL && n->at_ms <= mono_ms) {
		op =
		    (struct fr_op *)((char *)n - offsetof(struct fr_op, timer));
		if (op->kind == FR_OP_WAIT)
			answer_wait(e, op, false);
		else
			fr_dispatch_answer(e, op, FR_OK);
	}
}

static enum fr_rc
note_ended(void *arg, const struct fr_job *job)
{
	struct fr_engine *e = arg;

	if (fr_state_ended(job->state) && !fr_turn_id(&e->turn.ended, &job->id))
		return FR_NOMEM;
	return FR_OK;
}

enum fr_rc
fr_wait_recheck(struct fr_engine *e, struct fr_err *err)
{
	struct fr_vec ids = FR_VEC_OF(struct fr_uuid);
	struct fr_op *op;
	enum fr_rc rc = FR_OK;
	void *v;
	size_t pos = 0;

	while (fr_map_next(e->waits, &pos, NULL, &v)) {
		op = v;
		if (!fr_turn_id(&ids, &op->u.wait.id))
			rc = FR_NOMEM;
	}
	if (rc == FR_OK && ids.n > 0)
		rc = e->c.store->ops->get(
		    e->c.store, ids.p, ids.n, note_ended, e, err);
	fr_vec_fini(&ids);
	return rc;
}
