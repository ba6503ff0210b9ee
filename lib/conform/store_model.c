/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "on_store.h"

/*
 * A random walk of transactions, of which some are rolled back, beside a
 * model of what the header says. After each the jobs and the counts are the
 * same in both.
 */
#define JOBS 24
#define STEPS 700
#define OPS 6 /* of one transaction */

struct row {
	struct fr_job job;
	struct fr_token reported; /* the last lease that a report ended */
	struct fr_token older;    /* some lease that a report ended before */
	struct fr_token unsaid;   /* the last lease that ended without one */
	bool blurred; /* since it was reported another ended unsaid */
	bool there;
	bool leased; /* has ever been */
};

struct model {
	struct row row[JOBS];
};

struct walk {
	struct fr_check *c;
	struct model m;
	int64_t now_ms;
	unsigned steps;
};

static struct row *
holder(struct walk *w, struct fr_span key)
{
	struct row *r = w->m.row;
	size_t i;

	for (i = 0; key.len > 0 && i < JOBS; i++)
		if (r[i].there && !fr_state_ended(r[i].job.state) &&
		    fr_span_eq(r[i].job.key, key))
			return &r[i];
	return NULL;
}

static bool
chance(struct walk *w, unsigned percent)
{
	return fr_rand_below(&w->c->rand, 100) < percent;
}

static void
do_create(struct walk *w, struct row *r)
{
	static const char *const keys[] = { "", "", "a", "b", "c" };
	struct fr_check *c = w->c;
	struct fr_job j = fr_st_job(c);
	const struct row *h;
	struct fr_created out = { .rc = FR_BROKEN };

	if (r->there) {
		j.id = r->job.id;
		j.data = chance(w, 50) ? r->job.data : FR_SPAN("\"other\"");
	} else {
		j.data = fr_check_text(c, "%u", w->steps);
	}
	j.key = fr_span_of(keys[fr_rand_below(&c->rand, 5)]);
	j.priority = (int32_t)fr_rand_below(&c->rand, 5);
	if (chance(w, 30)) {
		j.state = FR_STATE_SCHEDULED;
		j.run_at_ms =
		    w->now_ms + 1 + (int64_t)fr_rand_below(&c->rand, 50);
	}
	fr_st_note(c, &j.id);
	MUST(c, c->s->ops->create(c->s, &j, 1, &out, &c->err));
	h = holder(w, j.key);
	if (r->there) {
		WANT_RC(c, out.rc,
		    fr_span_eq(j.data, r->job.data) ? FR_EXISTS : FR_CONFLICT);
	} else if (h != NULL) {
		WANT_RC(c, out.rc, FR_EXISTS);
		WANT(c, fr_uuid_eq(&out.id, &h->job.id));
	} else {
		WANT_RC(c, out.rc, FR_OK);
		*r = (struct row){ .job = j, .there = true };
	}
}

static void
do_lease(struct walk *w, struct row *r)
{
	struct fr_check *c = w->c;
	struct fr_seen_jobs seen = { .c = c };
	struct fr_grant g = { .id = r->job.id,
		.token = fr_check_token(c),
		.worker = fr_check_text(c, "w%u", w->steps),
		.now_ms = w->now_ms,
		.until_ms = w->now_ms + 30 };
	struct fr_job *j = &r->job;

	MUST(c, c->s->ops->lease(c->s, &g, 1, fr_see_job, &seen, &c->err));
	if (!r->there || j->state != FR_STATE_QUEUED) {
		WANT_INT(c, seen.n, 0);
		return;
	}
	j->state = FR_STATE_RUNNING;
	j->attempt++;
	j->started_ms = g.now_ms;
	j->lease = g.token;
	j->lease_until_ms = g.until_ms;
	j->worker = g.worker;
	j->progress = (struct fr_span){ NULL, 0 };
	r->leased = true;
	WANT_INT(c, seen.n, 1);
	fr_st_same(c, &seen.v[0], j);
}

/* The right token, one of an earlier lease, or a wrong one. */
static struct fr_token
some_token(struct walk *w, const struct row *r)
{
	if (r->leased && chance(w, 60))
		return r->job.lease;
	if (r->leased && chance(w, 60))
		return chance(w, 40)   ? r->reported
		       : chance(w, 50) ? r->unsaid
				       : r->older;
	return fr_check_token(w->c);
}

static bool
is_current(const struct row *r, const struct fr_token *t)
{
	return r->there && r->job.state == FR_STATE_RUNNING &&
	       fr_token_eq(&r->job.lease, t);
}

static void
do_renew(struct walk *w, struct row *r)
{
	struct fr_check *c = w->c;
	struct fr_renewal n = { .id = r->job.id,
		.token = some_token(w, r),
		.until_ms = w->now_ms + 60,
		.rc = FR_BROKEN };
	const bool good = is_current(r, &n.token);

	MUST(c, c->s->ops->renew(c->s, &n, 1, &c->err));
	WANT_RC(c, n.rc, good ? FR_OK : FR_STALE);
	if (good)
		r->job.lease_until_ms = n.until_ms;
}

static void
ended(struct row *r, const struct fr_report *p)
{
	r->blurred = p->unsaid;
	if (p->unsaid) {
		r->unsaid = p->token;
		return;
	}
	r->older = r->reported;
	r->reported = p->token;
}

static void
apply(struct row *r, const struct fr_report *p, int kind)
{
	struct fr_job *j = &r->job;

	if (kind == 0) {
		j->progress = p->value;
		return;
	}
	ended(r, p);
	if (kind != 4 || p->log.len > 0)
		j->log = p->log;
	switch (kind) {
	case 1:
		j->state = FR_STATE_COMPLETE;
		j->result = p->value;
		j->error.len = 0;
		j->finished_ms = p->now_ms;
		break;
	case 2:
		j->state = p->run_at_ms > p->now_ms ? FR_STATE_SCHEDULED
						    : FR_STATE_QUEUED;
		j->run_at_ms = p->run_at_ms;
		j->error = p->value;
		j->fail_count++;
		break;
	case 3:
		j->state = FR_STATE_FAILED;
		j->error = p->value;
		j->finished_ms = p->now_ms;
		j->fail_count++;
		break;
	default:
		j->state = FR_STATE_QUEUED;
		break;
	}
}

static void
do_report(struct walk *w, struct row *r)
{
	const struct fr_store_ops *ops = w->c->s->ops;
	fr_store_report_fn *const fn[] = { ops->progress, ops->complete,
		ops->count_failed, ops->failed, ops->release };
	struct fr_check *c = w->c;
	const int kind = (int)fr_rand_below(&c->rand, 5);
	struct fr_report p = { .id = r->job.id,
		.token = some_token(w, r),
		.value = fr_check_text(c, "[%u]", w->steps),
		.now_ms = w->now_ms };
	enum fr_rc rc;

	p.run_at_ms = w->now_ms + (chance(w, 50) ? 20 : 0);
	if (kind != 0 && chance(w, 50))
		p.log = FR_SPAN("\"log\"");
	p.unsaid = kind > 1 && chance(w, 30);
	rc = fr_st_say(c, fn[kind], p);
	if (is_current(r, &p.token)) {
		WANT_RC(c, rc, FR_OK);
		apply(r, &p, kind);
	} else if (r->there && kind != 0 && !fr_token_zero(&p.token) &&
		   fr_token_eq(&p.token, &r->reported) && !r->blurred) {
		WANT_RC(c, rc, FR_EXISTS);
	} else if (fr_token_eq(&p.token, &r->unsaid)) {
		WANT_RC(c, rc, FR_STALE);
	} else {
		WANT(c, rc == FR_STALE || rc == FR_EXISTS);
	}
}

static void
do_edit(struct walk *w, struct row *r)
{
	const struct fr_store_ops *ops = w->c->s->ops;
	fr_store_edit_fn *const fn[] = { ops->cancel, ops->retry, ops->remove };
	struct fr_check *c = w->c;
	const int kind = (int)fr_rand_below(&c->rand, 3);
	const bool over = fr_state_ended(r->job.state);
	struct fr_edit e = {
		.id = r->job.id, .now_ms = w->now_ms, .rc = FR_BROKEN
	};
	struct fr_job *j = &r->job;
	bool good = kind == 0 ? !over : over;

	if (kind == 1 && holder(w, j->key) != NULL)
		good = false;
	MUST(c, fn[kind](c->s, &e, 1, &c->err));
	if (!r->there) {
		WANT_RC(c, e.rc, FR_NOTFOUND);
		return;
	}
	WANT_INT(c, e.before, j->state);
	WANT_RC(c, e.rc,
	    good                                          ? FR_OK
	    : kind == 0 && j->state == FR_STATE_CANCELLED ? FR_EXISTS
							  : FR_CONFLICT);
	if (!good)
		return;
	if (kind == 0) {
		j->state = FR_STATE_CANCELLED;
		j->finished_ms = w->now_ms;
	} else if (kind == 1) {
		j->state = FR_STATE_QUEUED;
		j->run_at_ms = w->now_ms;
		j->fail_count = 0;
		j->finished_ms = 0;
		j->result.len = j->error.len = j->progress.len = 0;
	} else {
		r->there = false;
	}
}

static void
do_promote(struct walk *w)
{
	struct fr_check *c = w->c;
	struct fr_seen_tickets seen = { .c = c };
	size_t n = 0, i;

	MUST(c, c->s->ops->promote(
		    c->s, w->now_ms, 1000000, fr_see_ticket, &seen, &c->err));
	for (i = 0; i < JOBS; i++) {
		struct fr_job *j = &w->m.row[i].job;

		if (!w->m.row[i].there || j->state != FR_STATE_SCHEDULED ||
		    j->run_at_ms > w->now_ms)
			continue;
		j->state = FR_STATE_QUEUED;
		n++;
	}
	WANT_INT(c, seen.n, n);
}

static void
compare(struct walk *w)
{
	struct fr_check *c = w->c;
	int64_t n[FR_STATES] = { 0 };
	struct fr_counts counts = fr_st_stats(c, c->type);
	const struct fr_job *got;
	size_t i;

	for (i = 0; i < JOBS; i++) {
		const struct row *r = &w->m.row[i];

		if (r->there)
			n[r->job.state]++;
		if (!r->there && r->job.id.b[0] == 0)
			continue;
		got = fr_st_find(c, r->job.id);
		WANT(c, (got != NULL) == r->there);
		/* The log of a job that is run again may stay or go. */
		if (got != NULL)
			fr_st_same(c, got, &r->job);
	}
	for (i = 0; i < FR_STATES; i++)
		WANT_INT(c, counts.n[i], n[i]);
}

static void
one_op(struct walk *w)
{
	struct row *r = &w->m.row[fr_rand_below(&w->c->rand, JOBS)];

	w->steps++;
	w->now_ms += (int64_t)fr_rand_below(&w->c->rand, 5);
	switch (fr_rand_below(&w->c->rand, 10)) {
	case 0:
	case 1:
		do_create(w, r);
		break;
	case 2:
	case 3:
		do_lease(w, r);
		break;
	case 4:
		do_renew(w, r);
		break;
	case 5:
	case 6:
	case 7:
		do_report(w, r);
		break;
	case 8:
		do_edit(w, r);
		break;
	default:
		do_promote(w);
		break;
	}
}

static void
walks(struct fr_check *c)
{
	struct walk *w = fr_check_alloc(c, 1, sizeof(*w));
	struct model *saved = fr_check_alloc(c, 1, sizeof(*saved));
	uint64_t i, n;
	bool undo;

	w->c = c;
	w->now_ms = c->t0;
	while (w->steps < STEPS) {
		*saved = w->m;
		undo = chance(w, 25);
		n = 1 + fr_rand_below(&c->rand, OPS);
		fr_st_begin(c, c->s);
		for (i = 0; i < n; i++)
			one_op(w);
		if (undo) {
			c->s->ops->rollback(c->s);
			w->m = *saved;
		} else {
			fr_st_commit(c, c->s);
		}
		if (undo || chance(w, 30))
			compare(w);
	}
	compare(w);
}

static void
pauses(struct fr_check *c)
{
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->pause(c->s, c->type, true, &c->err));
	MUST(c, c->s->ops->pause(c->s, c->type, true, &c->err));
	fr_st_commit(c, c->s);
	WANT(c, fr_st_stats(c, c->type).paused);
	WANT(c, !fr_st_stats(c, c->type2).paused);
	(void)fr_st_new(c);
	WANT(c, fr_st_stats(c, c->type).paused);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_QUEUED], 1);
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->pause(c->s, c->type, false, &c->err));
	MUST(c, c->s->ops->pause(c->s, c->type, false, &c->err));
	fr_st_commit(c, c->s);
	WANT(c, !fr_st_stats(c, c->type).paused);
}

static void
stats_by_type(struct fr_check *c)
{
	struct fr_counts a, b;
	struct fr_job j = fr_st_job(c);
	unsigned s;

	for (s = 0; s < 2 * FR_STATES; s++)
		(void)fr_st_make(c, (enum fr_state)(s / 2), NULL);
	j.type = fr_span_of(c->type2);
	fr_st_create(c, &j, 1);
	a = fr_st_stats(c, c->type);
	b = fr_st_stats(c, c->type2);
	for (s = 0; s < FR_STATES; s++) {
		WANT_INT(c, a.n[s], 2);
		WANT_INT(c, b.n[s], s == FR_STATE_QUEUED);
	}
}

const struct fr_case fr_cases_model[] = {
	{ "jobs are counted by type and state", stats_by_type, 0 },
	{ "a type can be paused and resumed, and twice is no error", pauses,
	    0 },
	{ "after a random walk of changes jobs and counts are exact", walks,
	    0 },
	{ NULL, NULL, 0 },
};
