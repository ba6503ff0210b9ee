/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "on_store.h"

/* What an edit says of the job besides its answer. */
static void
tells(struct fr_check *c, const struct fr_edit *e, const struct fr_job *was)
{
	WANT_INT(c, e->before, was->state);
	WANT_INT(c, e->priority, was->priority);
	WANT_INT(c, e->attempt, was->attempt);
	WANT_SPAN(c, fr_span_of(e->type), was->type);
}

static void
cancels(struct fr_check *c)
{
	static const enum fr_state states[] = { FR_STATE_SCHEDULED,
		FR_STATE_QUEUED, FR_STATE_RUNNING };
	struct fr_job want;
	struct fr_uuid id;
	struct fr_edit e;
	size_t i;

	for (i = 0; i < 3; i++) {
		id = fr_st_make(c, states[i], NULL);
		want = *fr_st_get(c, id);
		MUST(c, fr_st_edit(c, c->s->ops->cancel, id, &e));
		tells(c, &e, &want);
		want.state = FR_STATE_CANCELLED;
		want.finished_ms = e.now_ms;
		fr_st_same(c, fr_st_get(c, id), &want);
	}
}

static void
cancels_not(struct fr_check *c)
{
	static const enum fr_state states[] = { FR_STATE_COMPLETE,
		FR_STATE_FAILED, FR_STATE_CANCELLED };
	const struct fr_job *was;
	struct fr_uuid id;
	struct fr_edit e;
	size_t i;

	for (i = 0; i < 3; i++) {
		id = fr_st_make(c, states[i], NULL);
		was = fr_st_get(c, id);
		WANT_RC(c, fr_st_edit(c, c->s->ops->cancel, id, &e),
		    states[i] == FR_STATE_CANCELLED ? FR_EXISTS : FR_CONFLICT);
		tells(c, &e, was);
		fr_st_same(c, fr_st_get(c, id), was);
	}
}

static void
cancelled_stays(struct fr_check *c)
{
	static const enum fr_state states[] = { FR_STATE_SCHEDULED,
		FR_STATE_QUEUED };
	struct fr_seen_tickets seen = { .c = c };
	struct fr_grant g = {
		.worker = FR_SPAN("w"), .now_ms = c->t0, .until_ms = c->t0 + 1
	};
	struct fr_edit e;
	size_t i, n = 1000;
	int64_t cursor = 0;

	for (i = 0; i < 2; i++) {
		g.id = fr_st_make(c, states[i], NULL);
		g.token = fr_check_token(c);
		MUST(c, fr_st_edit(c, c->s->ops->cancel, g.id, &e));
		WANT_INT(c, fr_st_try_lease(c, &g, 1), 0);
	}
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->promote(c->s, c->t0 + 9999, 1000000, fr_see_ticket,
		    &seen, &c->err));
	fr_st_commit(c, c->s);
	MUST(c, c->s->ops->get_queue(c->s, c->type, false, &cursor, &n,
		    fr_see_ticket, &seen, &c->err));
	WANT_INT(c, seen.n, 0);
}

static void
retries(struct fr_check *c)
{
	static const enum fr_state states[] = { FR_STATE_COMPLETE,
		FR_STATE_FAILED, FR_STATE_CANCELLED };
	const struct fr_job *was, *j;
	struct fr_uuid id;
	struct fr_edit e;
	size_t i;

	for (i = 0; i < 3; i++) {
		id = fr_st_make(c, states[i], NULL);
		was = fr_st_get(c, id);
		MUST(c, fr_st_edit(c, c->s->ops->retry, id, &e));
		tells(c, &e, was);
		j = fr_st_in(c, id, FR_STATE_QUEUED);
		WANT_INT(c, j->run_at_ms, e.now_ms);
		WANT_INT(c, j->fail_count, 0);
		WANT_INT(c, j->attempt, was->attempt);
		WANT_INT(c, j->finished_ms, 0);
		WANT_INT(c, j->result.len, 0);
		WANT_INT(c, j->error.len, 0);
		WANT_INT(c, j->progress.len, 0);
		WANT_SPAN(c, j->data, was->data);
		MUST(c, fr_st_report(
			    c, c->s->ops->complete, id, fr_st_lease(c, id)));
	}
}

static void
retries_not(struct fr_check *c)
{
	static const enum fr_state states[] = { FR_STATE_SCHEDULED,
		FR_STATE_QUEUED, FR_STATE_RUNNING };
	const struct fr_job *was;
	struct fr_uuid id;
	struct fr_edit e;
	size_t i;

	for (i = 0; i < 3; i++) {
		id = fr_st_make(c, states[i], NULL);
		was = fr_st_get(c, id);
		WANT_RC(
		    c, fr_st_edit(c, c->s->ops->retry, id, &e), FR_CONFLICT);
		tells(c, &e, was);
		fr_st_same(c, fr_st_get(c, id), was);
	}
}

static void
retry_and_keys(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_job a = fr_st_job(c), b = fr_st_job(c), d = fr_st_job(c);
	const struct fr_job *was;
	struct fr_uuid id;
	struct fr_edit e;

	a.key = b.key = d.key = FR_SPAN("only one");
	fr_st_create(c, &a, 1);
	MUST(c, fr_st_edit(c, ops->cancel, a.id, &e));
	fr_st_create(c, &b, 1);
	was = fr_st_get(c, a.id);
	WANT_RC(c, fr_st_edit(c, ops->retry, a.id, &e), FR_CONFLICT);
	fr_st_same(c, fr_st_get(c, a.id), was);
	MUST(c, fr_st_edit(c, ops->cancel, b.id, &e));
	MUST(c, fr_st_edit(c, ops->retry, a.id, &e));
	/* And it holds the key again. */
	WANT_RC(c, fr_st_try(c, &d, &id), FR_EXISTS);
	WANT(c, fr_uuid_eq(&id, &a.id));
}

static void
removes(struct fr_check *c)
{
	static const enum fr_state states[] = { FR_STATE_COMPLETE,
		FR_STATE_FAILED, FR_STATE_CANCELLED };
	const struct fr_job *was;
	struct fr_job again;
	struct fr_uuid id;
	struct fr_edit e;
	size_t i;

	for (i = 0; i < 3; i++) {
		id = fr_st_make(c, states[i], NULL);
		was = fr_st_get(c, id);
		MUST(c, fr_st_edit(c, c->s->ops->remove, id, &e));
		tells(c, &e, was);
		WANT(c, fr_st_find(c, id) == NULL);
		WANT_INT(c, fr_st_stats(c, c->type).n[states[i]], 0);
		/* The id is free, and nothing of the old job is left. */
		again = fr_st_job(c);
		again.id = id;
		fr_st_create(c, &again, 1);
		fr_st_same(c, fr_st_get(c, id), &again);
	}
}

static void
removes_not(struct fr_check *c)
{
	static const enum fr_state states[] = { FR_STATE_SCHEDULED,
		FR_STATE_QUEUED, FR_STATE_RUNNING };
	const struct fr_job *was;
	struct fr_uuid id;
	struct fr_edit e;
	size_t i;

	for (i = 0; i < 3; i++) {
		id = fr_st_make(c, states[i], NULL);
		was = fr_st_get(c, id);
		WANT_RC(
		    c, fr_st_edit(c, c->s->ops->remove, id, &e), FR_CONFLICT);
		tells(c, &e, was);
		fr_st_same(c, fr_st_get(c, id), was);
	}
}

static void
unknown(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_edit e;
	struct fr_uuid id;

	WANT_RC(c, fr_st_edit(c, ops->cancel, fr_check_id(c), &e), FR_NOTFOUND);
	WANT_RC(c, fr_st_edit(c, ops->retry, fr_check_id(c), &e), FR_NOTFOUND);
	WANT_RC(c, fr_st_edit(c, ops->remove, fr_check_id(c), &e), FR_NOTFOUND);
	id = fr_st_make(c, FR_STATE_COMPLETE, NULL);
	MUST(c, fr_st_edit(c, ops->remove, id, &e));
	WANT_RC(c, fr_st_edit(c, ops->remove, id, &e), FR_NOTFOUND);
	WANT_RC(c, fr_st_edit(c, ops->cancel, id, &e), FR_NOTFOUND);
}

static void
in_order(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_edit e[4];
	struct fr_uuid a = fr_st_new(c), b = fr_st_new(c);
	size_t i;

	for (i = 0; i < 4; i++)
		e[i] = (struct fr_edit){
			.id = i == 2 ? b : a, .now_ms = c->t0, .rc = FR_BROKEN
		};
	e[3].id = fr_check_id(c);
	fr_st_begin(c, c->s);
	MUST(c, ops->cancel(c->s, e, 4, &c->err));
	WANT_RC(c, e[0].rc, FR_OK);
	WANT_INT(c, e[0].before, FR_STATE_QUEUED);
	WANT_RC(c, e[1].rc, FR_EXISTS);
	WANT_INT(c, e[1].before, FR_STATE_CANCELLED);
	WANT_RC(c, e[2].rc, FR_OK);
	WANT_RC(c, e[3].rc, FR_NOTFOUND);
	MUST(c, ops->retry(c->s, e, 2, &c->err));
	WANT_RC(c, e[0].rc, FR_OK);
	WANT_RC(c, e[1].rc, FR_CONFLICT);
	MUST(c, ops->cancel(c->s, e, 3, &c->err));
	MUST(c, ops->remove(c->s, e, 3, &c->err));
	WANT_RC(c, e[0].rc, FR_OK);
	WANT_RC(c, e[1].rc, FR_NOTFOUND);
	WANT_RC(c, e[2].rc, FR_OK);
	fr_st_commit(c, c->s);
	WANT(c, fr_st_find(c, a) == NULL && fr_st_find(c, b) == NULL);
}

const struct fr_case fr_cases_edit[] = {
	{ "what has not ended can be cancelled, also while it runs", cancels,
	    0 },
	{ "what has ended cannot be cancelled, and twice is known as such",
	    cancels_not, 0 },
	{ "a cancelled job is neither leased nor promoted nor walked",
	    cancelled_stays, 0 },
	{ "an ended job can be run again, with a clean slate", retries, 0 },
	{ "what has not ended cannot be retried", retries_not, 0 },
	{ "a retry must have its key for itself", retry_and_keys, 0 },
	{ "an ended job can be removed, and nothing of it is left", removes,
	    0 },
	{ "what has not ended cannot be removed", removes_not, 0 },
	{ "cancel, retry and remove know an unknown id", unknown, 0 },
	{ "edits of one batch about one job count in their order", in_order,
	    0 },
	{ NULL, NULL, 0 },
};
