/* SPDX-License-Identifier: MIT */
#include "on_store.h"

#include <stdlib.h>
#include <time.h>

#include "base/str.h"
#include "base/time.h"

static bool
own_type(const struct fr_check *c, struct fr_span type)
{
	return fr_span_is(type, c->type) || fr_span_is(type, c->type2);
}

static void *
more(struct fr_check *c, void *v, size_t n, size_t *cap, size_t each)
{
	void *p = v;

	if (n == *cap) {
		*cap = *cap == 0 ? 64 : *cap * 2;
		p = fr_arena_calloc(c->arena, *cap, each);
		if (p != NULL && n > 0)
			memcpy(p, v, n * each);
	}
	return p;
}

static bool
copy(struct fr_check *c, struct fr_span *s)
{
	if (s->len == 0)
		return true;
	*s = fr_arena_dup(c->arena, *s);
	return s->p != NULL;
}

/* Nothing here may leave by longjmp: the store is in the middle of a call. */
enum fr_rc
fr_see_job(void *arg, const struct fr_job *job)
{
	struct fr_seen_jobs *seen = arg;
	struct fr_check *c = seen->c;
	struct fr_job *j;

	if (!own_type(c, job->type))
		return FR_OK;
	seen->v = more(c, seen->v, seen->n, &seen->cap, sizeof(*seen->v));
	if (seen->v == NULL)
		return FR_NOMEM;
	j = &seen->v[seen->n++];
	*j = *job;
	if (!copy(c, &j->type) || !copy(c, &j->data) || !copy(c, &j->key) ||
	    !copy(c, &j->progress) || !copy(c, &j->result) ||
	    !copy(c, &j->error) || !copy(c, &j->log) || !copy(c, &j->worker))
		return FR_NOMEM;
	return FR_OK;
}

enum fr_rc
fr_see_ticket(void *arg, const struct fr_ticket *t)
{
	struct fr_seen_tickets *seen = arg;
	struct fr_check *c = seen->c;
	struct fr_ticket *k;

	if (!own_type(c, fr_span_of(t->type)))
		return FR_OK;
	seen->v = more(c, seen->v, seen->n, &seen->cap, sizeof(*seen->v));
	if (seen->v == NULL)
		return FR_NOMEM;
	k = &seen->v[seen->n++];
	*k = *t;
	k->type = strcmp(t->type, c->type) == 0 ? c->type : c->type2;
	return copy(c, &k->data) ? FR_OK : FR_NOMEM;
}

void
fr_st_begin(struct fr_check *c, struct fr_store *s)
{
	const struct timespec nap = { .tv_nsec = 2000000 };
	const int64_t end_ms = fr_time_mono_ms() + 20000;
	enum fr_rc rc;

	while ((rc = s->ops->begin(s, &c->err)) == FR_AGAIN &&
	       fr_time_mono_ms() < end_ms)
		(void)nanosleep(&nap, NULL);
	WANT_RC(c, rc, FR_OK);
}

void
fr_st_commit(struct fr_check *c, struct fr_store *s)
{
	MUST(c, s->ops->commit(s, &c->err));
}

struct fr_store *
fr_st_open(struct fr_check *c, unsigned flags)
{
	struct fr_store **slot = c->also;
	enum fr_rc rc;

	while (*slot != NULL)
		slot++;
	rc = c->conf->open_store(slot, c->conf->url, flags, &c->err);
	if (rc == FR_CONFLICT && (flags & FR_STORE_READONLY) == 0 &&
	    (c->s->ops->caps & FR_STORE_SHARED) == 0)
		fr_check_skip(c, "the store has one writer at a time");
	WANT_RC(c, rc, FR_OK);
	return *slot;
}

void
fr_st_close_all(struct fr_check *c)
{
	size_t i;

	for (i = 0; i < FR_CHECK_HANDLES; i++) {
		if (c->also[i] != NULL)
			c->also[i]->ops->close(c->also[i]);
		c->also[i] = NULL;
	}
	if (c->s != NULL)
		c->s->ops->close(c->s);
	c->s = NULL;
}

void
fr_st_reopen(struct fr_check *c)
{
	fr_st_close_all(c);
	MUST(c, c->conf->open_store(&c->s, c->conf->url, 0, &c->err));
}

struct fr_job
fr_st_job(struct fr_check *c)
{
	struct fr_job j = { .id = fr_check_id(c),
		.type = fr_span_of(c->type),
		.data = FR_SPAN("null"),
		.state = FR_STATE_QUEUED,
		.max_attempts = 3 };

	j.created_ms = j.run_at_ms = fr_time_wall_ms();
	return j;
}

void
fr_st_note(struct fr_check *c, const struct fr_uuid *id)
{
	size_t cap = c->cap == 0 ? 1024 : c->cap * 2;
	struct fr_uuid *v;

	if (c->nids == c->cap) {
		v = reallocarray(c->ids, cap, sizeof(*v));
		WANT(c, v != NULL);
		c->ids = v;
		c->cap = cap;
	}
	c->ids[c->nids++] = *id;
}

static struct fr_created *
put(struct fr_check *c, const struct fr_job *jobs, size_t n)
{
	struct fr_created *out = fr_check_alloc(c, n, sizeof(*out));
	size_t i;

	for (i = 0; i < n; i++)
		fr_st_note(c, &jobs[i].id);
	MUST(c, c->s->ops->create(c->s, jobs, n, out, &c->err));
	return out;
}

void
fr_st_put(struct fr_check *c, const struct fr_job *jobs, size_t n)
{
	const struct fr_created *out = put(c, jobs, n);
	size_t i;

	for (i = 0; i < n; i++) {
		WANT_RC(c, out[i].rc, FR_OK);
		WANT(c, fr_uuid_eq(&out[i].id, &jobs[i].id));
	}
}

void
fr_st_create(struct fr_check *c, const struct fr_job *jobs, size_t n)
{
	fr_st_begin(c, c->s);
	fr_st_put(c, jobs, n);
	fr_st_commit(c, c->s);
}

enum fr_rc
fr_st_try(struct fr_check *c, const struct fr_job *job, struct fr_uuid *id)
{
	const struct fr_created *out;

	fr_st_begin(c, c->s);
	out = put(c, job, 1);
	fr_st_commit(c, c->s);
	if (id != NULL)
		*id = out->id;
	return out->rc;
}

struct fr_uuid
fr_st_new(struct fr_check *c)
{
	const struct fr_job j = fr_st_job(c);

	fr_st_create(c, &j, 1);
	return j.id;
}

const struct fr_job *
fr_st_find_by(struct fr_check *c, struct fr_store *s, struct fr_uuid id)
{
	struct fr_seen_jobs seen = { .c = c };

	MUST(c, s->ops->get(s, &id, 1, fr_see_job, &seen, &c->err));
	WANT(c, seen.n <= 1);
	if (seen.n == 1)
		WANT(c, fr_uuid_eq(&seen.v->id, &id));
	return seen.n == 1 ? seen.v : NULL;
}

const struct fr_job *
fr_st_get_by(struct fr_check *c, struct fr_store *s, struct fr_uuid id)
{
	const struct fr_job *j = fr_st_find_by(c, s, id);

	if (j == NULL)
		fr_check_fail(c, __FILE__, __LINE__, "the job is not there");
	return j;
}

const struct fr_job *
fr_st_find(struct fr_check *c, struct fr_uuid id)
{
	return fr_st_find_by(c, c->s, id);
}

const struct fr_job *
fr_st_get(struct fr_check *c, struct fr_uuid id)
{
	return fr_st_get_by(c, c->s, id);
}

const struct fr_job *
fr_st_in(struct fr_check *c, struct fr_uuid id, enum fr_state state)
{
	const struct fr_job *j = fr_st_get(c, id);

	WANT_INT(c, j->state, state);
	return j;
}

void
fr_st_same(
    struct fr_check *c, const struct fr_job *got, const struct fr_job *want)
{
	WANT(c, fr_uuid_eq(&got->id, &want->id));
	WANT_SPAN(c, got->type, want->type);
	WANT_SPAN(c, got->data, want->data);
	WANT_SPAN(c, got->key, want->key);
	WANT_SPAN(c, got->progress, want->progress);
	WANT_SPAN(c, got->result, want->result);
	WANT_SPAN(c, got->error, want->error);
	WANT_SPAN(c, got->log, want->log);
	WANT_SPAN(c, got->worker, want->worker);
	WANT_INT(c, got->state, want->state);
	WANT_INT(c, got->priority, want->priority);
	WANT_INT(c, got->attempt, want->attempt);
	WANT_INT(c, got->max_attempts, want->max_attempts);
	WANT_INT(c, got->fail_count, want->fail_count);
	WANT_INT(c, got->timeout_ms, want->timeout_ms);
	WANT_INT(c, got->created_ms, want->created_ms);
	WANT_INT(c, got->run_at_ms, want->run_at_ms);
	WANT_INT(c, got->started_ms, want->started_ms);
	WANT_INT(c, got->finished_ms, want->finished_ms);
	if (want->state == FR_STATE_RUNNING) {
		WANT(c, fr_token_eq(&got->lease, &want->lease));
		WANT_INT(c, got->lease_until_ms, want->lease_until_ms);
	}
}

size_t
fr_st_try_lease(struct fr_check *c, const struct fr_grant *g, size_t n)
{
	struct fr_seen_jobs seen = { .c = c };

	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->lease(c->s, g, n, fr_see_job, &seen, &c->err));
	fr_st_commit(c, c->s);
	return seen.n;
}

struct fr_token
fr_st_lease_until(struct fr_check *c, struct fr_uuid id, int64_t until_ms)
{
	struct fr_grant g = { .id = id,
		.token = fr_check_token(c),
		.worker = FR_SPAN("worker-1"),
		.now_ms = c->t0,
		.until_ms = until_ms };

	WANT_INT(c, fr_st_try_lease(c, &g, 1), 1);
	return g.token;
}

struct fr_token
fr_st_lease(struct fr_check *c, struct fr_uuid id)
{
	return fr_st_lease_until(c, id, c->t0 + 1000);
}

enum fr_rc
fr_st_say(struct fr_check *c, fr_store_report_fn *fn, struct fr_report r)
{
	r.rc = FR_BROKEN;
	MUST(c, fn(c->s, &r, 1, &c->err));
	return r.rc;
}

enum fr_rc
fr_st_report_with(
    struct fr_check *c, fr_store_report_fn *fn, struct fr_report r)
{
	enum fr_rc rc;

	fr_st_begin(c, c->s);
	rc = fr_st_say(c, fn, r);
	fr_st_commit(c, c->s);
	return rc;
}

enum fr_rc
fr_st_report(struct fr_check *c, fr_store_report_fn *fn, struct fr_uuid id,
    struct fr_token token)
{
	return fr_st_report_with(c, fn,
	    (struct fr_report){ .id = id,
		.token = token,
		.value = FR_SPAN("\"said\""),
		.log = FR_SPAN("\"logged\""),
		.now_ms = c->t0 + 10,
		.run_at_ms = c->t0 + 5 });
}

enum fr_rc
fr_st_edit(struct fr_check *c, fr_store_edit_fn *fn, struct fr_uuid id,
    struct fr_edit *e)
{
	*e =
	    (struct fr_edit){ .id = id, .now_ms = c->t0 + 20, .rc = FR_BROKEN };
	fr_st_begin(c, c->s);
	MUST(c, fn(c->s, e, 1, &c->err));
	fr_st_commit(c, c->s);
	return e->rc;
}

struct fr_uuid
fr_st_make(struct fr_check *c, enum fr_state state, struct fr_token *token)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_job j = fr_st_job(c);
	struct fr_token t = { { 0 } };
	struct fr_edit e;

	if (state == FR_STATE_SCHEDULED) {
		j.state = state;
		j.run_at_ms = c->t0 + 5000;
	}
	fr_st_create(c, &j, 1);
	switch (state) {
	case FR_STATE_SCHEDULED:
	case FR_STATE_QUEUED:
		break;
	case FR_STATE_RUNNING:
		t = fr_st_lease(c, j.id);
		break;
	case FR_STATE_COMPLETE:
		t = fr_st_lease(c, j.id);
		MUST(c, fr_st_report(c, ops->complete, j.id, t));
		break;
	case FR_STATE_FAILED:
		t = fr_st_lease(c, j.id);
		MUST(c, fr_st_report(c, ops->failed, j.id, t));
		break;
	case FR_STATE_CANCELLED:
		t = fr_st_lease(c, j.id);
		MUST(c, fr_st_edit(c, ops->cancel, j.id, &e));
		break;
	}
	if (token != NULL)
		*token = t;
	return j.id;
}

struct stats_arg {
	const char *type;
	struct fr_counts counts;
};

static enum fr_rc
see_stats(void *arg, const struct fr_type_stats *t)
{
	struct stats_arg *a = arg;

	if (strcmp(t->type, a->type) == 0) {
		memcpy(a->counts.n, t->n, sizeof(a->counts.n));
		a->counts.paused = t->paused;
	}
	return FR_OK;
}

struct fr_counts
fr_st_stats(struct fr_check *c, const char *type)
{
	struct stats_arg a = { .type = type };

	MUST(c, c->s->ops->stats(c->s, see_stats, &a, &c->err));
	return a.counts;
}
