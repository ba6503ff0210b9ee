/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "on_store.h"

static void
not_before_commit(struct fr_check *c)
{
	struct fr_store *other = fr_st_open(c, FR_STORE_READONLY);
	struct fr_job j = fr_st_job(c);
	struct fr_uuid id = fr_st_new(c);
	struct fr_edit e = { .id = id, .now_ms = c->t0 };

	fr_st_begin(c, c->s);
	fr_st_put(c, &j, 1);
	MUST(c, c->s->ops->cancel(c->s, &e, 1, &c->err));
	WANT(c, fr_st_find_by(c, other, j.id) == NULL);
	WANT_INT(c, fr_st_get_by(c, other, id)->state, FR_STATE_QUEUED);
	fr_st_commit(c, c->s);
	WANT(c, fr_st_find_by(c, other, j.id) != NULL);
	WANT_INT(c, fr_st_get_by(c, other, id)->state, FR_STATE_CANCELLED);
}

static void
read_only_sees(struct fr_check *c)
{
	struct fr_store *other = fr_st_open(c, FR_STORE_READONLY);
	struct fr_seen_jobs seen = { .c = c };
	struct fr_list l = {
		.states = FR_STATE_ALL, .type = fr_span_of(c->type), .limit = 10
	};
	struct fr_job j = fr_st_job(c);

	WANT(c, fr_st_find_by(c, other, j.id) == NULL);
	fr_st_begin(c, c->s);
	fr_st_put(c, &j, 1);
	MUST(c, other->ops->list(other, &l, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 0);
	fr_st_commit(c, c->s);
	MUST(c, other->ops->list(other, &l, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 1);
	fr_st_same(c, fr_st_get_by(c, other, j.id), &j);
}

static void
read_only_writes_not(struct fr_check *c)
{
	struct fr_store *other = fr_st_open(c, FR_STORE_READONLY);
	struct fr_job j = fr_st_job(c);
	struct fr_created out;
	enum fr_rc rc;

	fr_st_note(c, &j.id);
	rc = other->ops->begin(other, &c->err);
	if (rc == FR_OK) {
		rc = other->ops->create(other, &j, 1, &out, &c->err);
		if (rc == FR_OK)
			rc = other->ops->commit(other, &c->err);
		else
			other->ops->rollback(other);
	}
	WANT(c, rc != FR_OK);
	WANT(c, fr_st_find(c, j.id) == NULL);
}

static void
empty_one(struct fr_check *c)
{
	int i;

	for (i = 0; i < 3; i++) {
		fr_st_begin(c, c->s);
		fr_st_commit(c, c->s);
		fr_st_begin(c, c->s);
		c->s->ops->rollback(c->s);
	}
}

static void
empty_batches(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_seen_jobs seen = { .c = c };

	fr_st_begin(c, c->s);
	MUST(c, ops->create(c->s, NULL, 0, NULL, &c->err));
	MUST(c, ops->lease(c->s, NULL, 0, fr_see_job, &seen, &c->err));
	MUST(c, ops->renew(c->s, NULL, 0, &c->err));
	MUST(c, ops->progress(c->s, NULL, 0, &c->err));
	MUST(c, ops->complete(c->s, NULL, 0, &c->err));
	MUST(c, ops->count_failed(c->s, NULL, 0, &c->err));
	MUST(c, ops->failed(c->s, NULL, 0, &c->err));
	MUST(c, ops->release(c->s, NULL, 0, &c->err));
	MUST(c, ops->cancel(c->s, NULL, 0, &c->err));
	MUST(c, ops->retry(c->s, NULL, 0, &c->err));
	MUST(c, ops->remove(c->s, NULL, 0, &c->err));
	MUST(c, ops->outbox_put(c->s, NULL, 0, &c->err));
	MUST(c, ops->outbox_done(c->s, NULL, 0, &c->err));
	fr_st_commit(c, c->s);
	MUST(c, ops->get(c->s, NULL, 0, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 0);
}

static void
rolled_back_create(struct fr_check *c)
{
	struct fr_job *j = fr_check_alloc(c, 50, sizeof(*j));
	size_t i;

	for (i = 0; i < 50; i++) {
		j[i] = fr_st_job(c);
		j[i].key = fr_check_text(c, "key %zu", i);
	}
	fr_st_begin(c, c->s);
	fr_st_put(c, j, 50);
	c->s->ops->rollback(c->s);
	for (i = 0; i < 50; i++)
		WANT(c, fr_st_find(c, j[i].id) == NULL);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_QUEUED], 0);
	/* Ids and keys are free, as if nothing had been. */
	fr_st_create(c, j, 50);
}

/* Everything that changes a job, undone. */
static void
rolled_back_changes(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	fr_store_report_fn *const reports[] = { ops->progress, ops->complete,
		ops->count_failed, ops->failed, ops->release };
	fr_store_edit_fn *const edits[] = { ops->cancel, ops->retry,
		ops->remove };
	const struct fr_job *was[FR_STATES];
	struct fr_token token[FR_STATES];
	struct fr_counts before, after;
	struct fr_report r = { .value = FR_SPAN("1"), .now_ms = c->t0 };
	struct fr_renewal w;
	struct fr_edit e;
	unsigned s, i;

	for (s = 0; s < FR_STATES; s++)
		was[s] =
		    fr_st_get(c, fr_st_make(c, (enum fr_state)s, &token[s]));
	before = fr_st_stats(c, c->type);
	for (i = 0; i < 9; i++) {
		fr_st_begin(c, c->s);
		for (s = 0; s < FR_STATES; s++) {
			r.id = e.id = w.id = was[s]->id;
			r.token = w.token = token[s];
			w.until_ms = c->t0 + 99999;
			e.now_ms = c->t0;
			if (i < 5)
				MUST(c, reports[i](c->s, &r, 1, &c->err));
			else if (i < 8)
				MUST(c, edits[i - 5](c->s, &e, 1, &c->err));
			else
				MUST(c, ops->renew(c->s, &w, 1, &c->err));
		}
		ops->rollback(c->s);
		for (s = 0; s < FR_STATES; s++)
			fr_st_same(c, fr_st_get(c, was[s]->id), was[s]);
	}
	after = fr_st_stats(c, c->type);
	WANT(c, memcmp(after.n, before.n, sizeof(before.n)) == 0);
}

static void
rolled_back_lease(struct fr_check *c)
{
	struct fr_seen_jobs seen = { .c = c };
	struct fr_uuid id = fr_st_new(c);
	const struct fr_job *was = fr_st_get(c, id);
	struct fr_grant g = { .id = id,
		.token = fr_check_token(c),
		.worker = FR_SPAN("w"),
		.now_ms = c->t0,
		.until_ms = c->t0 + 1 };

	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->lease(c->s, &g, 1, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 1);
	c->s->ops->rollback(c->s);
	fr_st_same(c, fr_st_get(c, id), was);
	WANT_RC(c, fr_st_report(c, c->s->ops->complete, id, g.token), FR_STALE);
	(void)fr_st_lease(c, id);
}

static void
rolled_back_promote(struct fr_check *c)
{
	struct fr_uuid id = fr_st_make(c, FR_STATE_SCHEDULED, NULL);
	const struct fr_job *was = fr_st_get(c, id);
	struct fr_seen_tickets seen = { .c = c };

	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->promote(
		    c->s, was->run_at_ms, 1000, fr_see_ticket, &seen, &c->err));
	WANT_INT(c, seen.n, 1);
	MUST(c, c->s->ops->pause(c->s, c->type, true, &c->err));
	c->s->ops->rollback(c->s);
	fr_st_same(c, fr_st_get(c, id), was);
	WANT(c, !fr_st_stats(c, c->type).paused);
}

static void
own_changes_seen(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_seen_jobs seen = { .c = c };
	struct fr_job j = fr_st_job(c);
	struct fr_grant g = { .id = j.id,
		.token = fr_check_token(c),
		.worker = FR_SPAN("w"),
		.now_ms = c->t0,
		.until_ms = c->t0 + 1 };
	struct fr_report r = { .id = j.id,
		.token = g.token,
		.value = FR_SPAN("7"),
		.now_ms = c->t0 };

	/* As the engine does it: all in one transaction. */
	fr_st_begin(c, c->s);
	fr_st_put(c, &j, 1);
	MUST(c, ops->lease(c->s, &g, 1, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 1);
	MUST(c, fr_st_say(c, ops->complete, r));
	(void)fr_st_in(c, j.id, FR_STATE_COMPLETE);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_COMPLETE], 1);
	fr_st_commit(c, c->s);
	(void)fr_st_in(c, j.id, FR_STATE_COMPLETE);
}

/* With the only handle of a store that is durable; else another one. */
static void
dropped_on_close(struct fr_check *c)
{
	const bool alone = (c->s->ops->caps & FR_STORE_DURABLE) != 0;
	struct fr_store *s = alone ? c->s : fr_st_open(c, 0);
	struct fr_job j = fr_st_job(c);
	struct fr_created out;

	fr_st_note(c, &j.id);
	fr_st_begin(c, s);
	MUST(c, s->ops->create(s, &j, 1, &out, &c->err));
	if (alone) {
		fr_st_reopen(c);
	} else {
		c->also[0] = NULL;
		s->ops->close(s);
	}
	WANT(c, fr_st_find(c, j.id) == NULL);
	fr_st_create(c, &j, 1);
}

static void
describes(struct fr_check *c)
{
	const char *text = c->s->ops->describe(c->s);

	WANT(c, text != NULL && text[0] != '\0');
	WANT(c, strchr(text, '\n') == NULL);
}

static void
closes_nothing(struct fr_check *c)
{
	c->s->ops->close(NULL);
}

const struct fr_case fr_cases_transaction[] = {
	{ "what is not committed is not seen by another handle",
	    not_before_commit, 0 },
	{ "a read-only handle sees what is committed and no more",
	    read_only_sees, 0 },
	{ "a read-only handle cannot change anything", read_only_writes_not,
	    0 },
	{ "a transaction sees its own changes", own_changes_seen, 0 },
	{ "an empty transaction can be committed and rolled back", empty_one,
	    0 },
	{ "empty batches are no error", empty_batches, 0 },
	{ "a rollback undoes a whole batch of creates", rolled_back_create, 0 },
	{ "a rollback undoes reports, renewals and edits in every state",
	    rolled_back_changes, 0 },
	{ "a rollback undoes a lease", rolled_back_lease, 0 },
	{ "a rollback undoes a promotion and a pause", rolled_back_promote, 0 },
	{ "a transaction that is open when its handle closes is undone",
	    dropped_on_close, 0 },
	{ "the store describes itself in one line", describes, 0 },
	{ "closing no handle is harmless", closes_nothing, 0 },
	{ NULL, NULL, 0 },
};
