/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "on_store.h"

#define KINDS 5

struct kinds {
	fr_store_report_fn *fn[KINDS]; /* progress first */
};

static struct kinds
all_kinds(const struct fr_store_ops *ops)
{
	return (struct kinds){ { ops->progress, ops->complete,
	    ops->count_failed, ops->failed, ops->release } };
}

static struct fr_report
report(struct fr_check *c, struct fr_uuid id, struct fr_token token)
{
	return (struct fr_report){ .id = id,
		.token = token,
		.value = FR_SPAN("{\"v\":1}"),
		.log = FR_SPAN("\"the log\""),
		.now_ms = c->t0 + 50,
		.run_at_ms = c->t0 + 5050 };
}

static void
completes(struct fr_check *c)
{
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_RUNNING, &t);
	const struct fr_report r = report(c, id, t);
	struct fr_job want = *fr_st_get(c, id);

	want.state = FR_STATE_COMPLETE;
	want.result = r.value;
	want.log = r.log;
	want.finished_ms = r.now_ms;
	MUST(c, fr_st_report_with(c, c->s->ops->complete, r));
	fr_st_same(c, fr_st_get(c, id), &want);
}

static void
fails(struct fr_check *c)
{
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_RUNNING, &t);
	const struct fr_report r = report(c, id, t);
	struct fr_job want = *fr_st_get(c, id);

	want.state = FR_STATE_FAILED;
	want.error = r.value;
	want.log = r.log;
	want.fail_count = 1;
	want.finished_ms = r.now_ms;
	MUST(c, fr_st_report_with(c, c->s->ops->failed, r));
	fr_st_same(c, fr_st_get(c, id), &want);
}

/* count_failed with this next time. */
static void
counts(struct fr_check *c, int64_t run_at_ms, enum fr_state state)
{
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_RUNNING, &t);
	struct fr_report r = report(c, id, t);
	struct fr_job want = *fr_st_get(c, id);

	r.run_at_ms = run_at_ms;
	want.state = state;
	want.error = r.value;
	want.log = r.log;
	want.fail_count = 1;
	want.run_at_ms = run_at_ms;
	MUST(c, fr_st_report_with(c, c->s->ops->count_failed, r));
	fr_st_same(c, fr_st_get(c, id), &want);
}

static void
counts_later(struct fr_check *c)
{
	counts(c, c->t0 + 51, FR_STATE_SCHEDULED);
	counts(c, c->t0 + 9999, FR_STATE_SCHEDULED);
}

static void
counts_now(struct fr_check *c)
{
	counts(c, c->t0 + 50, FR_STATE_QUEUED);
	counts(c, c->t0 - 5, FR_STATE_QUEUED);
}

static void
fail_count_adds_up(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_uuid id = fr_st_new(c);
	uint32_t i;

	for (i = 0; i < 5; i++) {
		MUST(c,
		    fr_st_report(c, ops->count_failed, id, fr_st_lease(c, id)));
		WANT_INT(
		    c, fr_st_in(c, id, FR_STATE_QUEUED)->fail_count, i + 1);
		MUST(c, fr_st_report(c, ops->release, id, fr_st_lease(c, id)));
		WANT_INT(c, fr_st_get(c, id)->fail_count, i + 1);
	}
	MUST(c, fr_st_report(c, ops->failed, id, fr_st_lease(c, id)));
	WANT_INT(c, fr_st_in(c, id, FR_STATE_FAILED)->fail_count, 6);
}

static void
complete_keeps_fail_count(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_uuid id = fr_st_new(c);

	MUST(c, fr_st_report(c, ops->count_failed, id, fr_st_lease(c, id)));
	MUST(c, fr_st_report(c, ops->complete, id, fr_st_lease(c, id)));
	WANT_INT(c, fr_st_in(c, id, FR_STATE_COMPLETE)->fail_count, 1);
}

static void
complete_clears_error(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_uuid id = fr_st_new(c);
	struct fr_report r;

	MUST(c, fr_st_report(c, ops->count_failed, id, fr_st_lease(c, id)));
	WANT_SPAN(c, fr_st_get(c, id)->error, FR_SPAN("\"said\""));
	r = report(c, id, fr_st_lease(c, id));
	WANT_SPAN(c, fr_st_get(c, id)->error, FR_SPAN("\"said\""));
	MUST(c, fr_st_report_with(c, ops->complete, r));
	WANT_SPAN(c, fr_st_in(c, id, FR_STATE_COMPLETE)->error, FR_SPAN(""));
	WANT_SPAN(c, fr_st_get(c, id)->result, r.value);
	WANT_SPAN(c, fr_st_get(c, id)->log, r.log);
}

static void
releases(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_RUNNING, &t);
	struct fr_report r = report(c, id, t);
	const struct fr_job *j;

	MUST(c, fr_st_report_with(c, ops->release, r));
	j = fr_st_in(c, id, FR_STATE_QUEUED);
	WANT_INT(c, j->fail_count, 0);
	WANT_INT(c, j->attempt, 1);
	WANT_INT(c, j->finished_ms, 0);
	WANT_SPAN(c, j->log, r.log);
	/* No log: the one before is kept. */
	r.token = fr_st_lease(c, id);
	r.log.len = 0;
	MUST(c, fr_st_report_with(c, ops->release, r));
	j = fr_st_in(c, id, FR_STATE_QUEUED);
	WANT_SPAN(c, j->log, FR_SPAN("\"the log\""));
	WANT_INT(c, j->attempt, 2);
}

static void
progresses(struct fr_check *c)
{
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_RUNNING, &t);
	struct fr_job want = *fr_st_get(c, id);
	struct fr_report r = report(c, id, t);

	r.log.len = 0;
	MUST(c, fr_st_report_with(c, c->s->ops->progress, r));
	r.value = FR_SPAN("0.5");
	MUST(c, fr_st_report_with(c, c->s->ops->progress, r));
	want.progress = r.value;
	fr_st_same(c, fr_st_get(c, id), &want);
}

static void
wrong_token(struct fr_check *c)
{
	const struct kinds k = all_kinds(c->s->ops);
	struct fr_uuid id = fr_st_make(c, FR_STATE_RUNNING, NULL);
	const struct fr_job *was = fr_st_get(c, id);
	struct fr_token t;
	size_t i;

	for (i = 0; i < KINDS; i++) {
		t = was->lease;
		t.b[i * 3] ^= 1;
		WANT_RC(c, fr_st_report(c, k.fn[i], id, t), FR_STALE);
		fr_st_same(c, fr_st_get(c, id), was);
	}
}

static void
unknown_id(struct fr_check *c)
{
	const struct kinds k = all_kinds(c->s->ops);
	struct fr_uuid id = fr_check_id(c);
	size_t i;

	for (i = 0; i < KINDS; i++) {
		WANT_RC(c, fr_st_report(c, k.fn[i], id, fr_check_token(c)),
		    FR_STALE);
		WANT(c, fr_st_find(c, id) == NULL);
	}
}

static void
no_lease(struct fr_check *c)
{
	const struct kinds k = all_kinds(c->s->ops);
	const struct fr_token zero = { { 0 } };
	static const enum fr_state states[] = { FR_STATE_SCHEDULED,
		FR_STATE_QUEUED };
	const struct fr_job *was;
	struct fr_uuid id;
	size_t i, s;

	for (s = 0; s < 2; s++) {
		id = fr_st_make(c, states[s], NULL);
		was = fr_st_get(c, id);
		for (i = 0; i < KINDS; i++) {
			WANT_RC(
			    c, fr_st_report(c, k.fn[i], id, zero), FR_STALE);
			WANT_RC(c,
			    fr_st_report(c, k.fn[i], id, fr_check_token(c)),
			    FR_STALE);
			fr_st_same(c, fr_st_get(c, id), was);
		}
	}
}

static void
complete_twice(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_COMPLETE, &t);
	const struct fr_job *was = fr_st_get(c, id);
	struct fr_report r = report(c, id, t);

	WANT_RC(c, fr_st_report_with(c, ops->complete, r), FR_EXISTS);
	fr_st_same(c, fr_st_get(c, id), was);
	WANT_RC(c, fr_st_report_with(c, ops->complete, r), FR_EXISTS);
	fr_st_same(c, fr_st_get(c, id), was);
}

/* What ended by one report is not changed by another with the same lease. */
static void
ended_stays(struct fr_check *c)
{
	const struct kinds k = all_kinds(c->s->ops);
	const struct fr_job *was;
	struct fr_uuid id;
	struct fr_token t;
	enum fr_rc rc;
	size_t i, n;

	for (i = 1; i < KINDS; i++) {
		id = fr_st_new(c);
		t = fr_st_lease(c, id);
		MUST(c, fr_st_report(c, k.fn[i], id, t));
		was = fr_st_get(c, id);
		for (n = 0; n < KINDS; n++) {
			rc = fr_st_report_with(c, k.fn[n], report(c, id, t));
			if (n > 0)
				WANT_RC(c, rc, FR_EXISTS);
			WANT(c, rc == FR_EXISTS || rc == FR_STALE);
			fr_st_same(c, fr_st_get(c, id), was);
		}
	}
}

static void
complete_after_failed(struct fr_check *c)
{
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_FAILED, &t);
	const struct fr_job *was = fr_st_get(c, id);

	WANT_RC(c, fr_st_report(c, c->s->ops->complete, id, t), FR_EXISTS);
	WANT_RC(c, fr_st_report(c, c->s->ops->complete, id, fr_check_token(c)),
	    FR_STALE);
	fr_st_same(c, fr_st_get(c, id), was);
}

static void
repeat_beside_next(struct fr_check *c)
{
	const struct fr_uuid id = fr_st_new(c);
	struct fr_report r[2] = { { .id = id }, { .id = id } };

	r[0].token = fr_st_lease(c, id);
	r[0].value = r[1].value = FR_SPAN("1");
	WANT_RC(c, fr_st_report(c, c->s->ops->release, id, r[0].token), FR_OK);
	r[1].token = fr_st_lease(c, id);
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->complete(c->s, r, 2, &c->err));
	fr_st_commit(c, c->s);
	WANT_RC(c, r[0].rc, FR_EXISTS);
	WANT_RC(c, r[1].rc, FR_OK);
	(void)fr_st_in(c, id, FR_STATE_COMPLETE);
}

static void
repeat_after_lease(struct fr_check *c)
{
	const struct kinds k = all_kinds(c->s->ops);
	const struct fr_job *was;
	struct fr_uuid id;
	struct fr_token a;
	size_t i;

	for (i = 2; i < KINDS; i++) {
		if (k.fn[i] == c->s->ops->failed)
			continue;
		id = fr_st_new(c);
		a = fr_st_lease(c, id);
		MUST(c, fr_st_report(c, k.fn[i], id, a));
		(void)fr_st_lease(c, id);
		was = fr_st_get(c, id);
		WANT_RC(c, fr_st_report(c, k.fn[i], id, a), FR_EXISTS);
		WANT_RC(
		    c, fr_st_report(c, c->s->ops->complete, id, a), FR_EXISTS);
		fr_st_same(c, fr_st_get(c, id), was);
	}
}

static void
stale_after_lease(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	const struct kinds k = all_kinds(ops);
	struct fr_uuid id = fr_st_new(c);
	struct fr_token a = fr_st_lease(c, id), b;
	const struct fr_job *was;
	struct fr_edit e;
	size_t i;

	/* The lease a ends without a report. */
	MUST(c, fr_st_edit(c, ops->cancel, id, &e));
	MUST(c, fr_st_edit(c, ops->retry, id, &e));
	b = fr_st_lease(c, id);
	was = fr_st_get(c, id);
	for (i = 0; i < KINDS; i++) {
		WANT_RC(c, fr_st_report(c, k.fn[i], id, a), FR_STALE);
		fr_st_same(c, fr_st_get(c, id), was);
	}
	MUST(c, fr_st_report(c, ops->complete, id, b));
	was = fr_st_get(c, id);
	for (i = 0; i < KINDS; i++) {
		WANT_RC(c, fr_st_report(c, k.fn[i], id, a), FR_STALE);
		fr_st_same(c, fr_st_get(c, id), was);
	}
}

/* Every word under t is stale, and changes nothing. */
static void
all_stale(struct fr_check *c, struct fr_uuid id, struct fr_token t)
{
	const struct kinds k = all_kinds(c->s->ops);
	const struct fr_job *was = fr_st_get(c, id);
	size_t i;

	for (i = 0; i < KINDS; i++) {
		WANT_RC(c, fr_st_report_with(c, k.fn[i], report(c, id, t)),
		    FR_STALE);
		fr_st_same(c, fr_st_get(c, id), was);
	}
}

/* The lease of a job that may have had another, whose end was reported. */
static struct fr_token
ends_unsaid(struct fr_check *c, fr_store_report_fn *fn, bool again,
    struct fr_uuid *id, enum fr_state *state)
{
	struct fr_report r;

	*id = fr_st_new(c);
	if (again)
		MUST(c, fr_st_report(c, c->s->ops->count_failed, *id,
			    fr_st_lease(c, *id)));
	r = report(c, *id, fr_st_lease(c, *id));
	r.run_at_ms = r.now_ms;
	r.unsaid = true;
	MUST(c, fr_st_report_with(c, fn, r));
	*state = fr_st_get(c, *id)->state;
	return r.token;
}

static void
unsaid_is_stale(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	fr_store_report_fn *const fn[] = { ops->count_failed, ops->failed,
		ops->release };
	struct fr_token a, b;
	enum fr_state state;
	struct fr_uuid id;
	struct fr_edit e;
	size_t i;

	for (i = 0; i < 6; i++) {
		a = ends_unsaid(c, fn[i % 3], i >= 3, &id, &state);
		WANT_INT(
		    c, state, i % 3 == 1 ? FR_STATE_FAILED : FR_STATE_QUEUED);
		all_stale(c, id, a);
		if (i % 3 == 1)
			MUST(c, fr_st_edit(c, ops->retry, id, &e));
		b = fr_st_lease(c, id);
		all_stale(c, id, a);
		MUST(c, fr_st_report(c, ops->complete, id, b));
		all_stale(c, id, a);
		WANT_RC(c, fr_st_report(c, ops->complete, id, b), FR_EXISTS);
	}
}

/* It changes the job as the same report would that somebody said. */
static void
unsaid_counts(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	const struct fr_job *j;
	enum fr_state state;
	struct fr_uuid id;

	(void)ends_unsaid(c, ops->count_failed, false, &id, &state);
	j = fr_st_in(c, id, FR_STATE_QUEUED);
	WANT_INT(c, j->fail_count, 1);
	WANT_SPAN(c, j->error, FR_SPAN("{\"v\":1}"));
	(void)ends_unsaid(c, ops->failed, true, &id, &state);
	j = fr_st_in(c, id, FR_STATE_FAILED);
	WANT_INT(c, j->fail_count, 2);
	WANT_INT(c, j->finished_ms, c->t0 + 50);
	(void)ends_unsaid(c, ops->release, true, &id, &state);
	j = fr_st_in(c, id, FR_STATE_QUEUED);
	WANT_INT(c, j->fail_count, 1);
	WANT_INT(c, j->attempt, 2);
}

static void
earlier_never_counts(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_uuid id = fr_st_new(c);
	struct fr_token old[4];
	const struct fr_job *was;
	enum fr_rc rc;
	size_t i;

	for (i = 0; i < 4; i++) {
		old[i] = fr_st_lease(c, id);
		MUST(c, fr_st_report(c, ops->count_failed, id, old[i]));
	}
	(void)fr_st_lease(c, id);
	was = fr_st_get(c, id);
	for (i = 0; i < 4; i++) {
		rc = fr_st_report(c, ops->complete, id, old[i]);
		WANT(c, rc == FR_STALE || rc == FR_EXISTS);
		fr_st_same(c, fr_st_get(c, id), was);
	}
}

static void
after_cancel(struct fr_check *c)
{
	const struct kinds k = all_kinds(c->s->ops);
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_CANCELLED, &t);
	const struct fr_job *was = fr_st_get(c, id);
	size_t i;

	for (i = 0; i < KINDS; i++) {
		WANT_RC(c, fr_st_report(c, k.fn[i], id, t), FR_STALE);
		fr_st_same(c, fr_st_get(c, id), was);
	}
}

static void
in_order(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_RUNNING, &t);
	struct fr_report r[2] = { report(c, id, t), report(c, id, t) };

	r[1].value = FR_SPAN("\"second\"");
	fr_st_begin(c, c->s);
	MUST(c, ops->complete(c->s, r, 2, &c->err));
	fr_st_commit(c, c->s);
	WANT_RC(c, r[0].rc, FR_OK);
	WANT_RC(c, r[1].rc, FR_EXISTS);
	WANT_SPAN(c, fr_st_get(c, id)->result, r[0].value);
}

static void
each_its_own(struct fr_check *c)
{
	const struct kinds k = all_kinds(c->s->ops);
	struct fr_report r[31];
	size_t i, n;

	for (n = 0; n < KINDS; n++) {
		for (i = 0; i < 31; i++) {
			r[i] = report(c, fr_st_new(c), fr_check_token(c));
			r[i].rc = FR_BROKEN;
			r[i].value = fr_check_text(c, "%zu", i);
			if (i % 5 != 3)
				r[i].token = fr_st_lease(c, r[i].id);
		}
		fr_st_begin(c, c->s);
		MUST(c, k.fn[n](c->s, r, 31, &c->err));
		fr_st_commit(c, c->s);
		for (i = 0; i < 31; i++)
			WANT_RC(c, r[i].rc, i % 5 == 3 ? FR_STALE : FR_OK);
		for (i = 0; n == 1 && i < 31; i++)
			WANT_SPAN(c, fr_st_get(c, r[i].id)->result,
			    i % 5 == 3 ? FR_SPAN("") : r[i].value);
	}
}

/*
 * A store may know short ways for what is usual. Here some have a key, some
 * have said something before, some have a log or a long result, and one has
 * a lease before this one; all are leased and ended in one batch.
 */
static void
many_kinds_in_batch(struct fr_check *c)
{
	enum { N = 50 };
	const struct fr_store_ops *ops = c->s->ops;
	static char text[700];
	struct fr_report r[N + 1];
	struct fr_grant g[N];
	struct fr_job j[N], again, want;
	char keys[N][8];
	size_t i;

	memset(text, '7', sizeof(text));
	for (i = 0; i < N; i++) {
		j[i] = fr_st_job(c);
		(void)snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		if (i % 3 == 0)
			j[i].key = fr_span_of(keys[i]);
		g[i] = (struct fr_grant){ .id = j[i].id,
			.token = fr_check_token(c),
			.worker = FR_SPAN("worker-3"),
			.now_ms = c->t0 + 2,
			.until_ms = c->t0 + 9000 };
	}
	fr_st_create(c, j, N);
	MUST(
	    c, fr_st_report(c, ops->release, j[8].id, fr_st_lease(c, j[8].id)));
	WANT_INT(c, fr_st_try_lease(c, g, N), N);
	for (i = 0; i < N; i++) {
		r[i] = (struct fr_report){ .id = j[i].id,
			.token = g[i].token,
			.value = { text, i % 6 == 5 ? sizeof(text) : i + 1 },
			.now_ms = c->t0 + 60 };
		if (i % 7 == 2)
			r[i].log = FR_SPAN("\"logged\"");
		if (i % 5 == 1)
			MUST(c, fr_st_report(
				    c, ops->progress, j[i].id, g[i].token));
	}
	r[17].token = fr_check_token(c);
	r[N] = r[30];
	fr_st_begin(c, c->s);
	MUST(c, ops->complete(c->s, r, N + 1, &c->err));
	fr_st_commit(c, c->s);
	for (i = 0; i < N; i++) {
		want = *fr_st_get(c, j[i].id);
		if (i == 17) {
			WANT_RC(c, r[i].rc, FR_STALE);
			WANT_INT(c, want.state, FR_STATE_RUNNING);
			continue;
		}
		WANT_RC(c, r[i].rc, FR_OK);
		WANT_INT(c, want.state, FR_STATE_COMPLETE);
		WANT_INT(c, want.attempt, i == 8 ? 2 : 1);
		WANT_INT(c, want.finished_ms, c->t0 + 60);
		WANT_SPAN(c, want.result, r[i].value);
		WANT_SPAN(c, want.log, r[i].log);
		WANT_INT(c, want.progress.len > 0, i % 5 == 1);
		if (i % 3 != 0)
			continue;
		again = fr_st_job(c);
		again.key = j[i].key;
		fr_st_create(c, &again, 1);
	}
	WANT_RC(c, r[N].rc, FR_EXISTS);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_RUNNING], 1);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_COMPLETE], N - 1);
}

const struct fr_case fr_cases_report[] = {
	{ "many ends of all kinds in one batch are each as they were said",
	    many_kinds_in_batch, 0 },
	{ "complete keeps the result, the log and the time", completes, 0 },
	{ "failed keeps the error, the log and the time, and counts", fails,
	    0 },
	{ "a failed attempt whose next time is to come makes the job scheduled",
	    counts_later, 0 },
	{ "a failed attempt whose next time has come makes the job queued",
	    counts_now, 0 },
	{ "failed attempts add up and those given back do not",
	    fail_count_adds_up, 0 },
	{ "a completed job remembers how often it failed",
	    complete_keeps_fail_count, 0 },
	{ "a completed job shows no error of an attempt before",
	    complete_clears_error, 0 },
	{ "what is given back is queued again, uncounted", releases, 0 },
	{ "the last progress is kept and changes nothing else", progresses, 0 },
	{ "a report with a wrong lease is stale and changes nothing",
	    wrong_token, 0 },
	{ "a report about an unknown id is stale and makes no job", unknown_id,
	    0 },
	{ "a report about a job without a lease is stale", no_lease, 0 },
	{ "complete twice is known as a repeat and counts once", complete_twice,
	    0 },
	{ "complete after failed is not believed", complete_after_failed, 0 },
	{ "an attempt that has ended is not ended again by any report",
	    ended_stays, 0 },
	{ "a report repeated after the next lease is known as a repeat",
	    repeat_after_lease, 0 },
	{ "a report repeated in front of that on the next lease is known as a "
	  "repeat",
	    repeat_beside_next, 0 },
	{ "a lease is stale when the job has been leased again",
	    stale_after_lease, 0 },
	{ "a lease that ended without a word is stale ever after",
	    unsaid_is_stale, 0 },
	{ "a lease that ended without a word counts as if one was said",
	    unsaid_counts, 0 },
	{ "no earlier lease ever counts again", earlier_never_counts, 0 },
	{ "a report about a cancelled job is stale and changes nothing",
	    after_cancel, 0 },
	{ "reports of one batch about one job count in their order", in_order,
	    0 },
	{ "each report of a batch has its own answer", each_its_own, 0 },
	{ NULL, NULL, 0 },
};
