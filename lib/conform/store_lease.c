/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "on_store.h"

static struct fr_grant
grant(struct fr_check *c, struct fr_uuid id)
{
	return (struct fr_grant){ .id = id,
		.token = fr_check_token(c),
		.worker = FR_SPAN("worker-2"),
		.now_ms = c->t0 + 3,
		.until_ms = c->t0 + 4000 };
}

static void
makes_running(struct fr_check *c)
{
	struct fr_seen_jobs seen = { .c = c };
	struct fr_job want = fr_st_job(c);
	struct fr_grant g = grant(c, want.id);

	want.data = FR_SPAN("{\"n\":1}");
	want.key = FR_SPAN("k");
	want.priority = 4;
	fr_st_create(c, &want, 1);
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->lease(c->s, &g, 1, fr_see_job, &seen, &c->err));
	fr_st_commit(c, c->s);
	want.state = FR_STATE_RUNNING;
	want.attempt = 1;
	want.started_ms = g.now_ms;
	want.lease = g.token;
	want.lease_until_ms = g.until_ms;
	want.worker = g.worker;
	WANT_INT(c, seen.n, 1);
	fr_st_same(c, &seen.v[0], &want);
	fr_st_same(c, fr_st_get(c, want.id), &want);
}

static void
not_twice(struct fr_check *c)
{
	struct fr_uuid id = fr_st_new(c);
	struct fr_grant g = grant(c, id);
	const struct fr_job *was;

	(void)fr_st_lease(c, id);
	was = fr_st_get(c, id);
	WANT_INT(c, fr_st_try_lease(c, &g, 1), 0);
	fr_st_same(c, fr_st_get(c, id), was);
}

static void
not_twice_in_batch(struct fr_check *c)
{
	struct fr_uuid id = fr_st_new(c);
	struct fr_grant g[2] = { grant(c, id), grant(c, id) };
	const struct fr_job *j;

	WANT_INT(c, fr_st_try_lease(c, g, 2), 1);
	j = fr_st_in(c, id, FR_STATE_RUNNING);
	WANT_INT(c, j->attempt, 1);
	WANT(c, fr_token_eq(&j->lease, &g[0].token));
}

static void
only_queued(struct fr_check *c)
{
	const struct fr_job *was[FR_STATES];
	struct fr_grant g[FR_STATES + 1];
	unsigned s;

	for (s = 0; s < FR_STATES; s++) {
		was[s] = fr_st_get(c, fr_st_make(c, (enum fr_state)s, NULL));
		g[s] = grant(c, was[s]->id);
	}
	g[FR_STATES] = grant(c, fr_check_id(c));
	WANT_INT(c, fr_st_try_lease(c, g, FR_STATES + 1), 1);
	for (s = 0; s < FR_STATES; s++)
		if (s != FR_STATE_QUEUED)
			fr_st_same(c, fr_st_get(c, was[s]->id), was[s]);
	(void)fr_st_in(c, was[FR_STATE_QUEUED]->id, FR_STATE_RUNNING);
}

static void
batch_order(struct fr_check *c)
{
	struct fr_seen_jobs seen = { .c = c };
	struct fr_grant g[40];
	size_t i, k;

	for (i = 0; i < 40; i++)
		g[i] = grant(c, fr_st_new(c));
	for (i = 40; i-- > 1;) {
		struct fr_grant t = g[i];

		k = fr_rand_below(&c->rand, i + 1);
		g[i] = g[k];
		g[k] = t;
	}
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->lease(c->s, g, 40, fr_see_job, &seen, &c->err));
	fr_st_commit(c, c->s);
	WANT_INT(c, seen.n, 40);
	for (i = 0; i < 40; i++) {
		WANT(c, fr_uuid_eq(&seen.v[i].id, &g[i].id));
		WANT(c, fr_token_eq(&seen.v[i].lease, &g[i].token));
		WANT_SPAN(c, seen.v[i].data, FR_SPAN("null"));
	}
}

static void
attempt_grows(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	fr_store_report_fn *const end[] = { ops->release, ops->count_failed,
		ops->release, ops->failed, ops->complete };
	struct fr_uuid id = fr_st_new(c);
	struct fr_edit e;
	uint32_t i;

	for (i = 0; i < 5; i++) {
		MUST(c, fr_st_report(c, end[i], id, fr_st_lease(c, id)));
		WANT_INT(c, fr_st_get(c, id)->attempt, i + 1);
		if (i >= 3)
			MUST(c, fr_st_edit(c, ops->retry, id, &e));
		WANT_INT(c, fr_st_get(c, id)->attempt, i + 1);
	}
	(void)fr_st_lease(c, id);
	MUST(c, fr_st_edit(c, ops->cancel, id, &e));
	WANT_INT(c, fr_st_get(c, id)->attempt, 6);
}

static void
progress_goes(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_uuid id = fr_st_new(c);
	struct fr_token t = fr_st_lease(c, id);

	MUST(c, fr_st_report(c, ops->progress, id, t));
	WANT_SPAN(c, fr_st_get(c, id)->progress, FR_SPAN("\"said\""));
	MUST(c, fr_st_report(c, ops->release, id, t));
	(void)fr_st_lease(c, id);
	WANT_INT(c, fr_st_get(c, id)->progress.len, 0);
}

static enum fr_rc
renew(
    struct fr_check *c, struct fr_uuid id, struct fr_token t, int64_t until_ms)
{
	struct fr_renewal r = {
		.id = id, .token = t, .until_ms = until_ms, .rc = FR_BROKEN
	};

	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->renew(c->s, &r, 1, &c->err));
	fr_st_commit(c, c->s);
	return r.rc;
}

static void
renews(struct fr_check *c)
{
	struct fr_uuid id;
	struct fr_token t;
	struct fr_job want;

	id = fr_st_make(c, FR_STATE_RUNNING, &t);
	want = *fr_st_get(c, id);
	want.lease_until_ms = c->t0 + 7777;
	MUST(c, renew(c, id, t, want.lease_until_ms));
	fr_st_same(c, fr_st_get(c, id), &want);
}

static void
renews_not(struct fr_check *c)
{
	const struct fr_job *was;
	struct fr_token t;
	struct fr_uuid id;
	unsigned s;

	WANT_RC(c, renew(c, fr_check_id(c), fr_check_token(c), c->t0 + 9),
	    FR_STALE);
	for (s = 0; s < FR_STATES; s++) {
		id = fr_st_make(c, (enum fr_state)s, &t);
		was = fr_st_get(c, id);
		/* Its last token, or all zero; while running, a wrong one. */
		if (s == FR_STATE_RUNNING)
			t = fr_check_token(c);
		WANT_RC(c, renew(c, id, t, c->t0 + 8888), FR_STALE);
		fr_st_same(c, fr_st_get(c, id), was);
	}
}

static void
renews_not_earlier_lease(struct fr_check *c)
{
	struct fr_uuid id = fr_st_new(c);
	struct fr_token a = fr_st_lease(c, id), b;

	MUST(c, fr_st_report(c, c->s->ops->release, id, a));
	b = fr_st_lease(c, id);
	WANT_RC(c, renew(c, id, a, c->t0 + 8888), FR_STALE);
	WANT_INT(c, fr_st_get(c, id)->lease_until_ms, c->t0 + 1000);
	MUST(c, renew(c, id, b, c->t0 + 8888));
}

static void
renews_each(struct fr_check *c)
{
	struct fr_renewal r[30];
	int64_t until_ms;
	size_t i;

	for (i = 0; i < 30; i++) {
		r[i].id = fr_st_make(c, FR_STATE_RUNNING, &r[i].token);
		r[i].until_ms = c->t0 + 2000 + (int64_t)i;
		r[i].rc = FR_BROKEN;
		if (i % 3 == 1)
			r[i].token = fr_check_token(c);
	}
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->renew(c->s, r, 30, &c->err));
	fr_st_commit(c, c->s);
	for (i = 0; i < 30; i++) {
		WANT_RC(c, r[i].rc, i % 3 == 1 ? FR_STALE : FR_OK);
		until_ms = fr_st_get(c, r[i].id)->lease_until_ms;
		WANT_INT(
		    c, until_ms, i % 3 == 1 ? c->t0 + 1000 : r[i].until_ms);
	}
}

static void
renews_all(struct fr_check *c)
{
	const struct fr_job *was[FR_STATES];
	struct fr_uuid a, b;
	unsigned s;

	for (s = 0; s < FR_STATES; s++)
		was[s] = fr_st_get(c, fr_st_make(c, (enum fr_state)s, NULL));
	a = fr_st_new(c);
	b = fr_st_new(c);
	(void)fr_st_lease_until(c, a, c->t0 + 10);
	(void)fr_st_lease_until(c, b, c->t0 + 90000);
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->renew_all(c->s, c->t0 + 5000, &c->err));
	fr_st_commit(c, c->s);
	WANT_INT(c, fr_st_get(c, a)->lease_until_ms, c->t0 + 5000);
	WANT_INT(c, fr_st_get(c, b)->lease_until_ms, c->t0 + 90000);
	for (s = 0; s < FR_STATES; s++)
		if (s != FR_STATE_RUNNING)
			fr_st_same(c, fr_st_get(c, was[s]->id), was[s]);
}

const struct fr_case fr_cases_lease[] = {
	{ "a lease makes a queued job running and hands it out whole",
	    makes_running, 0 },
	{ "a job that is leased is not leased again", not_twice, 0 },
	{ "a job named twice in one batch is leased once", not_twice_in_batch,
	    0 },
	{ "only queued jobs are leased; others are left as they are",
	    only_queued, 0 },
	{ "jobs are leased in the order of the batch", batch_order, 0 },
	{ "the number of an attempt only grows", attempt_grows, 0 },
	{ "the progress of the attempt before goes with a new lease",
	    progress_goes, 0 },
	{ "the current lease can be renewed", renews, 0 },
	{ "a wrong, ended or unknown lease cannot be renewed", renews_not, 0 },
	{ "an earlier lease cannot be renewed", renews_not_earlier_lease, 0 },
	{ "each renewal of a batch has its own answer", renews_each, 0 },
	{ "a fresh term for all lengthens what ends earlier and shortens "
	  "nothing",
	    renews_all, 0 },
	{ NULL, NULL, 0 },
};
