/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "on_store.h"

#define N 60

static struct fr_job *
make(struct fr_check *c, size_t n)
{
	struct fr_job *j = fr_check_alloc(c, n, sizeof(*j));
	size_t i;

	for (i = 0; i < n; i++) {
		j[i] = fr_st_job(c);
		j[i].data = fr_check_text(c, "{\"i\":%zu}", i);
		j[i].priority = (int32_t)fr_rand_below(&c->rand, 7) - 3;
	}
	fr_st_create(c, j, n);
	return j;
}

/* One step of a walk; false at its end. */
static bool
step(struct fr_check *c, int64_t *cursor, size_t n, bool with_data,
    struct fr_seen_tickets *seen)
{
	size_t got = n;

	MUST(c, c->s->ops->get_queue(c->s, NULL, with_data, cursor, &got,
		    fr_see_ticket, seen, &c->err));
	WANT(c, got <= n);
	return got == n;
}

static void
complete_walk(struct fr_check *c)
{
	static const size_t sizes[] = { 1, 7, N, 1000 };
	struct fr_job *j = make(c, N);
	struct fr_seen_tickets seen;
	int64_t cursor;
	size_t i, k;

	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		seen = (struct fr_seen_tickets){ .c = c };
		cursor = 0;
		while (step(c, &cursor, sizes[k], false, &seen))
			;
		WANT_INT(c, seen.n, N);
		for (i = 0; i < N; i++) {
			WANT(c, fr_uuid_eq(&seen.v[i].id, &j[i].id));
			WANT_INT(c, seen.v[i].priority, j[i].priority);
			WANT(c, strcmp(seen.v[i].type, c->type) == 0);
		}
	}
}

static void
walk_with_data(struct fr_check *c)
{
	struct fr_job *j = make(c, 10);
	struct fr_seen_tickets seen = { .c = c };
	int64_t cursor = 0;
	size_t i, n = 100;

	while (step(c, &cursor, 3, true, &seen))
		;
	WANT_INT(c, seen.n, 10);
	for (i = 0; i < 10; i++)
		WANT_SPAN(c, seen.v[i].data, j[i].data);
	seen.n = 0;
	MUST(c, c->s->ops->get_queue(c->s, c->type, true, &cursor, &n,
		    fr_see_ticket, &seen, &c->err));
	WANT_INT(c, seen.n, 10);
	for (i = 0; i < 10; i++)
		WANT(c, seen.v[i].data.len > 0);
}

static void
walk_of_queued(struct fr_check *c)
{
	struct fr_seen_tickets seen = { .c = c };
	struct fr_uuid id[FR_STATES];
	int64_t cursor = 0;
	unsigned s;

	for (s = 0; s < FR_STATES; s++)
		id[s] = fr_st_make(c, (enum fr_state)s, NULL);
	while (step(c, &cursor, 100, false, &seen))
		;
	WANT_INT(c, seen.n, 1);
	WANT(c, fr_uuid_eq(&seen.v[0].id, &id[FR_STATE_QUEUED]));
}

static size_t
times_seen(const struct fr_seen_tickets *seen, const struct fr_uuid *id)
{
	size_t i, n = 0;

	for (i = 0; i < seen->n; i++)
		n += fr_uuid_eq(&seen->v[i].id, id);
	return n;
}

/* Jobs leave, come back and are created while the walk goes on. */
static void
walk_while_changing(struct fr_check *c)
{
	struct fr_job *j = make(c, N);
	struct fr_seen_tickets seen = { .c = c };
	bool left[N] = { false };
	int64_t cursor = 0;
	struct fr_uuid fresh[N];
	size_t i, k = 0;
	bool more;

	do {
		more = step(c, &cursor, 5, false, &seen);
		i = fr_rand_below(&c->rand, N);
		if (k < 8 && !left[i]) {
			(void)fr_st_lease(c, j[i].id);
			left[i] = true;
		}
		if (k < 8 && more)
			fresh[k++] = fr_st_new(c);
	} while (more);
	for (i = 0; i < N; i++) {
		WANT(c, times_seen(&seen, &j[i].id) <= 1);
		if (!left[i])
			WANT_INT(c, times_seen(&seen, &j[i].id), 1);
	}
	for (i = 0; i < k; i++)
		WANT_INT(c, times_seen(&seen, &fresh[i]), 1);
}

static void
walk_goes_on(struct fr_check *c)
{
	struct fr_job *j = make(c, 20);
	struct fr_seen_tickets seen = { .c = c };
	int64_t cursor = 0;
	size_t i;

	/* What was met already and is queued again must not stop the rest. */
	(void)step(c, &cursor, 10, false, &seen);
	for (i = 0; i < 10; i++)
		MUST(c, fr_st_report(c, c->s->ops->release, j[i].id,
			    fr_st_lease(c, j[i].id)));
	while (step(c, &cursor, 10, false, &seen))
		;
	for (i = 0; i < 20; i++)
		WANT(c, times_seen(&seen, &j[i].id) >= 1);
}

static void
walk_of_type(struct fr_check *c)
{
	struct fr_job *j = make(c, N), other = fr_st_job(c);
	struct fr_seen_tickets seen = { .c = c };
	int64_t cursor = 0;
	size_t i, k, n = 1000;

	other.type = fr_span_of(c->type2);
	other.priority = 100;
	fr_st_create(c, &other, 1);
	MUST(c, c->s->ops->get_queue(c->s, c->type, false, &cursor, &n,
		    fr_see_ticket, &seen, &c->err));
	WANT_INT(c, n, N);
	WANT_INT(c, seen.n, N);
	for (i = 0; i < N; i++) {
		for (k = 0; !fr_uuid_eq(&j[k].id, &seen.v[i].id); k++)
			WANT(c, k + 1 < N);
		WANT_INT(c, seen.v[i].priority, j[k].priority);
		if (i == 0)
			continue;
		WANT(c, seen.v[i - 1].priority >= seen.v[i].priority);
		if (seen.v[i - 1].priority == seen.v[i].priority)
			WANT(c,
			    fr_uuid_cmp(&seen.v[i - 1].id, &seen.v[i].id) < 0);
	}
	seen.n = 0;
	n = 4;
	MUST(c, c->s->ops->get_queue(c->s, c->type, false, &cursor, &n,
		    fr_see_ticket, &seen, &c->err));
	WANT_INT(c, n, 4);
	WANT_INT(c, seen.n, 4);
}

static void
running_of(struct fr_check *c)
{
	static const char *const workers[] = { "w-1", "w-2", "w-" };
	struct fr_seen_jobs seen = { .c = c };
	struct fr_grant g = { .now_ms = c->t0, .until_ms = c->t0 + 1000 };
	size_t i, k;

	for (i = 0; i < 9; i++) {
		g.id = fr_st_new(c);
		g.token = fr_check_token(c);
		g.worker = fr_check_text(c, "%s-%s", c->type, workers[i % 3]);
		WANT_INT(c, fr_st_try_lease(c, &g, 1), 1);
		if (i >= 6)
			MUST(c, fr_st_report(
				    c, c->s->ops->complete, g.id, g.token));
	}
	for (i = 0; i < 3; i++) {
		g.worker = fr_check_text(c, "%s-%s", c->type, workers[i]);
		seen.n = 0;
		MUST(c, c->s->ops->running(
			    c->s, g.worker, fr_see_job, &seen, &c->err));
		WANT_INT(c, seen.n, 2);
		for (k = 0; k < 2; k++) {
			WANT_SPAN(c, seen.v[k].worker, g.worker);
			fr_st_same(c, fr_st_get(c, seen.v[k].id), &seen.v[k]);
		}
	}
	seen.n = 0;
	g.worker.len = 0;
	MUST(c, c->s->ops->running(c->s, g.worker, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 6);
}

/* Jobs that ended in 1970, so that nobody else's are purged. */
static struct fr_uuid
ended_at(struct fr_check *c, enum fr_state s, int64_t at_ms)
{
	struct fr_token t;
	struct fr_uuid id = fr_st_make(c, FR_STATE_RUNNING, &t);
	struct fr_report r = {
		.id = id, .token = t, .value = FR_SPAN("1"), .now_ms = at_ms
	};
	struct fr_edit e = { .id = id, .now_ms = at_ms };

	fr_st_begin(c, c->s);
	if (s == FR_STATE_CANCELLED)
		MUST(c, c->s->ops->cancel(c->s, &e, 1, &c->err));
	else
		MUST(c, fr_st_say(c,
			    s == FR_STATE_COMPLETE ? c->s->ops->complete
						   : c->s->ops->failed,
			    r));
	fr_st_commit(c, c->s);
	return id;
}

static size_t
purge(struct fr_check *c, unsigned states, int64_t before_ms, size_t most)
{
	size_t n = most;

	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->purge(c->s, states, before_ms, &n, &c->err));
	fr_st_commit(c, c->s);
	WANT(c, n <= most);
	return n;
}

static void
purges_by_age(struct fr_check *c)
{
	struct fr_uuid id[5];
	int64_t i;

	for (i = 0; i < 5; i++)
		id[i] = ended_at(c, FR_STATE_COMPLETE, 100 + i);
	WANT_INT(c, purge(c, FR_STATE_ENDED, 103, 100), 3);
	for (i = 0; i < 5; i++)
		WANT(c, (fr_st_find(c, id[i]) != NULL) == (i >= 3));
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_COMPLETE], 2);
	WANT_INT(c, purge(c, FR_STATE_ENDED, 103, 100), 0);
}

static void
purges_by_state(struct fr_check *c)
{
	struct fr_uuid id[3];
	unsigned i;

	for (i = 0; i < 3; i++)
		id[i] = ended_at(c, (enum fr_state)(3 + i), 100);
	for (i = 0; i < 3; i++) {
		WANT_INT(c, purge(c, FR_STATE_BIT(5 - i), 200, 100), 1);
		WANT(c, fr_st_find(c, id[2 - i]) == NULL);
		WANT_INT(c, fr_st_stats(c, c->type).n[5 - i], 0);
	}
}

static void
purges_up_to(struct fr_check *c)
{
	size_t i;

	for (i = 0; i < 11; i++)
		(void)ended_at(c, FR_STATE_FAILED, 100);
	WANT_INT(c, purge(c, FR_STATE_ENDED, 200, 4), 4);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_FAILED], 7);
	WANT_INT(c, purge(c, FR_STATE_ENDED, 200, 4), 4);
	WANT_INT(c, purge(c, FR_STATE_ENDED, 200, 4), 3);
	WANT_INT(c, purge(c, FR_STATE_ENDED, 200, 4), 0);
}

static void
purges_no_unfinished(struct fr_check *c)
{
	struct fr_job j[2];
	struct fr_uuid id;
	struct fr_token t;

	/* As old as can be, and even asked for by state. */
	j[0] = j[1] = fr_st_job(c);
	j[1].id = fr_check_id(c);
	j[1].state = FR_STATE_SCHEDULED;
	j[0].created_ms = j[0].run_at_ms = j[1].created_ms = 1;
	j[1].run_at_ms = 2;
	fr_st_create(c, j, 2);
	id = fr_st_make(c, FR_STATE_RUNNING, &t);
	WANT_INT(c, purge(c, FR_STATE_ALL, c->t0, 100), 0);
	WANT_INT(c,
	    purge(c, FR_STATE_ALL & ~(unsigned)FR_STATE_ENDED, c->t0, 100), 0);
	fr_st_same(c, fr_st_get(c, j[0].id), &j[0]);
	fr_st_same(c, fr_st_get(c, j[1].id), &j[1]);
	MUST(c, fr_st_report(c, c->s->ops->complete, id, t));
}

/* Stops each walk at its first row. */
static enum fr_rc
stop_job(void *arg, const struct fr_job *job)
{
	(void)job;
	++*(int *)arg;
	return FR_TIMEOUT;
}

static enum fr_rc
stop_ticket(void *arg, const struct fr_ticket *t)
{
	(void)t;
	++*(int *)arg;
	return FR_TIMEOUT;
}

static enum fr_rc
stop_stats(void *arg, const struct fr_type_stats *t)
{
	(void)t;
	++*(int *)arg;
	return FR_TIMEOUT;
}

static void
callback_stops_reads(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_list l = { .states = FR_STATE_ALL,
		.type = fr_span_of(c->type),
		.limit = 100 };
	struct fr_job j[3];
	char hex[33];
	int64_t cursor = 0;
	size_t n = 100;
	int calls = 0;

	make(c, 3);
	(void)fr_st_make(c, FR_STATE_RUNNING, NULL);
	(void)fr_st_make(c, FR_STATE_RUNNING, NULL);
	j[0] = fr_st_job(c);
	j[1] = fr_st_job(c);
	memcpy(j[1].id.b, j[0].id.b, 12);
	fr_st_create(c, j, 2);
	fr_hex_encode(hex, j[0].id.b, sizeof(j[0].id.b));
	hex[24] = '\0';
	WANT_RC(c, ops->get(c->s, c->ids, 5, stop_job, &calls, &c->err),
	    FR_TIMEOUT);
	WANT_INT(c, calls, 1);
	WANT_RC(c, ops->list(c->s, &l, stop_job, &calls, &c->err), FR_TIMEOUT);
	WANT_INT(c, calls, 2);
	WANT_RC(
	    c, ops->find(c->s, hex, 9, stop_job, &calls, &c->err), FR_TIMEOUT);
	WANT_INT(c, calls, 3);
	WANT_RC(c,
	    ops->get_queue(
		c->s, NULL, false, &cursor, &n, stop_ticket, &calls, &c->err),
	    FR_TIMEOUT);
	WANT_INT(c, calls, 4);
	WANT_RC(c,
	    ops->running(c->s, FR_SPAN("worker-1"), stop_job, &calls, &c->err),
	    FR_TIMEOUT);
	WANT_INT(c, calls, 5);
	WANT_RC(c,
	    ops->expired(c->s, c->t0 + 5000, 100, stop_job, &calls, &c->err),
	    FR_TIMEOUT);
	WANT_INT(c, calls, 6);
	WANT_RC(c, ops->stats(c->s, stop_stats, &calls, &c->err), FR_TIMEOUT);
	WANT_INT(c, calls, 7);
	/* And all is as before. */
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_QUEUED], 5);
}

static void
callback_stops_changes(struct fr_check *c)
{
	struct fr_grant g[3];
	struct fr_job j;
	int calls = 0, i;

	for (i = 0; i < 3; i++)
		g[i] = (struct fr_grant){ .id = fr_st_new(c),
			.token = fr_check_token(c),
			.worker = FR_SPAN("w"),
			.now_ms = c->t0,
			.until_ms = c->t0 + 1 };
	for (i = 0; i < 2; i++) {
		j = fr_st_job(c);
		j.state = FR_STATE_SCHEDULED;
		j.run_at_ms = 5;
		fr_st_create(c, &j, 1);
	}
	fr_st_begin(c, c->s);
	WANT_RC(c, c->s->ops->lease(c->s, g, 3, stop_job, &calls, &c->err),
	    FR_TIMEOUT);
	c->s->ops->rollback(c->s);
	WANT_INT(c, calls, 1);
	fr_st_begin(c, c->s);
	WANT_RC(c,
	    c->s->ops->promote(c->s, 5, 100, stop_ticket, &calls, &c->err),
	    FR_TIMEOUT);
	c->s->ops->rollback(c->s);
	WANT_INT(c, calls, 2);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_QUEUED], 3);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_SCHEDULED], 2);
}

const struct fr_case fr_cases_walk[] = {
	{ "the walk of what is queued is complete and in order of creation",
	    complete_walk, 0 },
	{ "the walk hands out the data if it is asked to", walk_with_data, 0 },
	{ "the walk meets queued jobs only", walk_of_queued, 0 },
	{ "a walk skips and repeats nothing while jobs come and go",
	    walk_while_changing, 0 },
	{ "a walk reaches its end although jobs are queued again behind it",
	    walk_goes_on, 0 },
	{ "the walk of one type is by priority, then by creation", walk_of_type,
	    0 },
	{ "what runs is listed by worker", running_of, 0 },
	{ "ended jobs are purged by age", purges_by_age, 0 },
	{ "ended jobs are purged by state", purges_by_state, 0 },
	{ "no more jobs are purged at once than was asked", purges_up_to, 0 },
	{ "what has not ended is never purged", purges_no_unfinished, 0 },
	{ "a callback that fails stops every walk at once",
	    callback_stops_reads, 0 },
	{ "a callback that fails stops leases and promotions at once",
	    callback_stops_changes, 0 },
	{ NULL, NULL, 0 },
};
