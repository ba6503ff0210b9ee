/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "on_store.h"

static void
promotes(struct fr_check *c)
{
	struct fr_seen_tickets seen = { .c = c };
	struct fr_job j[6];
	size_t i;

	for (i = 0; i < 6; i++) {
		j[i] = fr_st_job(c);
		j[i].state = FR_STATE_SCHEDULED;
		j[i].run_at_ms = c->t0 + 100 * (int64_t)i;
		j[i].priority = (int32_t)i - 3;
	}
	fr_st_create(c, j, 6);
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->promote(
		    c->s, c->t0 + 300, 1000000, fr_see_ticket, &seen, &c->err));
	fr_st_commit(c, c->s);
	WANT_INT(c, seen.n, 4);
	for (i = 0; i < 6; i++) {
		if (i <= 3)
			j[i].state = FR_STATE_QUEUED;
		fr_st_same(c, fr_st_get(c, j[i].id), &j[i]);
	}
	for (i = 0; i < 4; i++) {
		size_t k = (size_t)seen.v[i].priority + 3;

		WANT(c, k < 4 && fr_uuid_eq(&seen.v[i].id, &j[k].id));
		WANT(c, strcmp(seen.v[i].type, c->type) == 0);
	}
	(void)fr_st_lease(c, j[0].id);
}

static void
promotes_up_to(struct fr_check *c)
{
	struct fr_seen_tickets seen = { .c = c };
	struct fr_job j[20];
	size_t i, before;

	for (i = 0; i < 20; i++) {
		j[i] = fr_st_job(c);
		j[i].state = FR_STATE_SCHEDULED;
		j[i].run_at_ms = 1 + (int64_t)i % 3;
	}
	fr_st_create(c, j, 20);
	do {
		before = seen.n;
		fr_st_begin(c, c->s);
		MUST(c, c->s->ops->promote(
			    c->s, 1000, 7, fr_see_ticket, &seen, &c->err));
		fr_st_commit(c, c->s);
		WANT(c, seen.n - before <= 7);
	} while (seen.n < 20 && seen.n > before);
	WANT_INT(c, seen.n, 20);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_QUEUED], 20);
}

static void
finds_expired(struct fr_check *c)
{
	struct fr_seen_jobs seen = { .c = c };
	struct fr_uuid id[8];
	size_t i;

	for (i = 0; i < 8; i++) {
		id[i] = fr_st_new(c);
		/* 3 6 1 4 7 2 5 0 */
		(void)fr_st_lease_until(
		    c, id[i], c->t0 + 100 * (int64_t)((i * 3 + 3) % 8));
	}
	MUST(c, c->s->ops->expired(
		    c->s, c->t0 + 500, 1000000, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 6);
	for (i = 0; i < 6; i++) {
		WANT_INT(c, seen.v[i].lease_until_ms, c->t0 + 100 * (int64_t)i);
		fr_st_same(c, fr_st_get(c, seen.v[i].id), &seen.v[i]);
		WANT_INT(c, seen.v[i].state, FR_STATE_RUNNING);
	}
}

static void
expired_up_to(struct fr_check *c)
{
	struct fr_seen_jobs seen = { .c = c };
	size_t i;

	for (i = 0; i < 10; i++)
		(void)fr_st_lease_until(c, fr_st_new(c), 100 - (int64_t)i);
	MUST(c, c->s->ops->expired(c->s, 200, 4, fr_see_job, &seen, &c->err));
	WANT(c, seen.n <= 4);
	seen.n = 0;
	MUST(c,
	    c->s->ops->expired(c->s, 200, 1000000, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 10);
	seen.n = 0;
	MUST(c, c->s->ops->expired(c->s, 200, 0, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 0);
}

static void
expired_is_reported(struct fr_check *c)
{
	struct fr_seen_jobs seen = { .c = c };
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_RUNNING, &t);

	/* As the engine does it; then the worker comes back, too late. */
	MUST(c, c->s->ops->expired(
		    c->s, c->t0 + 1000, 1000000, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 1);
	MUST(c, fr_st_report(c, c->s->ops->count_failed, id, seen.v[0].lease));
	(void)fr_st_in(c, id, FR_STATE_QUEUED);
	seen.n = 0;
	MUST(c, c->s->ops->expired(
		    c->s, c->t0 + 1000, 1000000, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 0);
	(void)fr_st_lease(c, id);
	WANT(c, fr_st_report(c, c->s->ops->complete, id, t) != FR_OK);
	(void)fr_st_in(c, id, FR_STATE_RUNNING);
}

static void
next(struct fr_check *c, int64_t *run, int64_t *lease)
{
	*run = *lease = -1;
	MUST(c, c->s->ops->next_due(c->s, run, lease, &c->err));
}

static void
next_is_earliest(struct fr_check *c)
{
	const int64_t far = INT64_C(4000000000000);
	int64_t run, lease, r, l;
	struct fr_job j[2];
	struct fr_edit e;
	struct fr_uuid id[2];

	next(c, &r, &l);
	r = r < far ? r : far;
	l = l < far ? l : far;
	WANT(c, r > 10 && l > 10);
	j[0] = fr_st_job(c);
	j[0].state = FR_STATE_SCHEDULED;
	j[1] = j[0];
	j[1].id = fr_check_id(c);
	j[0].run_at_ms = r - 2;
	j[1].run_at_ms = r - 1;
	fr_st_create(c, j, 2);
	id[0] = fr_st_new(c);
	id[1] = fr_st_new(c);
	(void)fr_st_lease_until(c, id[0], l - 1);
	(void)fr_st_lease_until(c, id[1], l - 2);
	next(c, &run, &lease);
	WANT_INT(c, run, r - 2);
	WANT_INT(c, lease, l - 2);
	MUST(c, fr_st_edit(c, c->s->ops->cancel, j[0].id, &e));
	MUST(c, fr_st_edit(c, c->s->ops->cancel, id[1], &e));
	next(c, &run, &lease);
	WANT_INT(c, run, r - 1);
	WANT_INT(c, lease, l - 1);
}

static void
next_after_count_failed(struct fr_check *c)
{
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_RUNNING, &t);
	struct fr_report r = { .id = id,
		.token = t,
		.value = FR_SPAN("1"),
		.now_ms = 2,
		.run_at_ms = 3 };
	int64_t run, lease;

	MUST(c, fr_st_report_with(c, c->s->ops->count_failed, r));
	next(c, &run, &lease);
	WANT(c, run <= 3);
	WANT(c, lease > 3);
}

const struct fr_case fr_cases_due[] = {
	{ "scheduled jobs whose time has come are queued, and no others",
	    promotes, 0 },
	{ "no more jobs are promoted at once than was asked", promotes_up_to,
	    0 },
	{ "leases that have ended are found, the oldest end first",
	    finds_expired, 0 },
	{ "no more ended leases are handed out than was asked", expired_up_to,
	    0 },
	{ "a lost worker's job is queued again and its late word is refused",
	    expired_is_reported, 0 },
	{ "the earliest time and the earliest end of a lease are known",
	    next_is_earliest, 0 },
	{ "a job waiting to be retried is due at its time",
	    next_after_count_failed, 0 },
	{ NULL, NULL, 0 },
};
