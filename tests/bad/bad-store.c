/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <fr/backend.h>

#include "backends/registry.h"
#include "base/str.h"
#include "base/uuid.h"

/*
 * A store that is wrong in one way: FAULT or FAULT,PATH. It stands in front
 * of a good one, memory: or sqlite:PATH. tests/backend/bad-stores.t demands
 * that the judge finds each; none and forgets-leases (of ended jobs) are not
 * wrong.
 */
#define FAULTS(X)                                                              \
	X(NONE, "none")                                                        \
	X(ATTEMPT_STUCK, "attempt-stuck")                                      \
	X(CALLBACK_IGNORED, "callback-ignored")                                \
	X(CANCEL_ENDED, "cancel-ended")                                        \
	X(CANONICAL, "canonical")                                              \
	X(CONFLICT_BLIND, "conflict-blind")                                    \
	X(DROPS_LAST, "drops-last")                                            \
	X(EARLY_COMMIT, "early-commit")                                        \
	X(EXPIRED_EARLY, "expired-early")                                      \
	X(FIND_EVEN, "find-even")                                              \
	X(FORGETS_FAILS, "forgets-fails")                                      \
	X(FORGETS_LEASES, "forgets-leases")                                    \
	X(HALF_TOKEN, "half-token")                                            \
	X(IGNORES_KEY, "ignores-key")                                          \
	X(LAZY_COMMIT, "lazy-commit")                                          \
	X(LEASES_TWICE, "leases-twice")                                        \
	X(LOSES_ROLLBACK, "loses-rollback")                                    \
	X(MISCOUNTS, "miscounts")                                              \
	X(NEXT_DUE_LATE, "next-due-late")                                      \
	X(NO_REOPEN, "no-reopen")                                              \
	X(OUTBOX_DROPS, "outbox-drops")                                        \
	X(OUTBOX_UNCLAIMED, "outbox-unclaimed")                                \
	X(PAGE_REPEATS, "page-repeats")                                        \
	X(PAUSE_FORGETS, "pause-forgets")                                      \
	X(PROMOTES_ALL, "promotes-all")                                        \
	X(PURGES_UNFINISHED, "purges-unfinished")                              \
	X(READONLY_WRITES, "readonly-writes")                                  \
	X(RELEASE_COUNTS, "release-counts")                                    \
	X(REMOVES_RUNNING, "removes-running")                                  \
	X(REMEMBERS_UNSAID, "remembers-unsaid")                                \
	X(RENEW_ANY, "renew-any")                                              \
	X(RENEW_ALL_SHORTENS, "renew-all-shortens")                            \
	X(REPEAT_COUNTS, "repeat-counts")                                      \
	X(RETRIES_RUNNING, "retries-running")                                  \
	X(RUNNING_OF_ALL, "running-of-all")                                    \
	X(STALE_LEASE, "stale-lease")                                          \
	X(TORN_BATCH, "torn-batch")                                            \
	X(TRUNCATES, "truncates")                                              \
	X(UNKNOWN_COMPLETE, "unknown-complete")                                \
	X(WALK_SKIPS, "walk-skips")

#define ENUM(e, name) e,
#define NAME(e, name) name,
enum fault { FAULTS(ENUM) };
static const char *const fault_names[] = { FAULTS(NAME) };
#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

struct bad {
	struct fr_store base;
	struct fr_store *in;
	enum fault fault;
	bool pending; /* lazy-commit: of the transaction before */
	unsigned commits;
};

static const struct fr_store_ops ops_plain, ops_durable;

static struct bad *
self(struct fr_store *s)
{
	return (struct bad *)s;
}

static bool
find_fault(const char *args, enum fault *f, const char **path)
{
	const size_t len = strcspn(args, ",");
	size_t i;

	*path = args[len] == ',' ? args + len + 1 : NULL;
	for (i = 0; i < COUNT(fault_names); i++) {
		if (strlen(fault_names[i]) != len ||
		    memcmp(fault_names[i], args, len) != 0)
			continue;
		*f = (enum fault)i;
		return true;
	}
	return false;
}

static enum fr_rc
bad_open(
    struct fr_store **out, const char *args, unsigned flags, struct fr_err *err)
{
	const struct fr_store_ops *in;
	struct bad *b = calloc(1, sizeof(*b));
	const char *path;
	enum fr_rc rc;

	if (b == NULL || !find_fault(args, &b->fault, &path)) {
		free(b);
		return fr_fail(err, FR_USAGE, "no such fault: %s", args);
	}
	in = path != NULL ? &fr_store_sqlite : &fr_store_memory;
	if (b->fault == READONLY_WRITES)
		flags = 0;
	rc = in->open(&b->in, path != NULL ? path : "bad", flags, err);
	if (rc != FR_OK) {
		free(b);
		return rc;
	}
	b->base.ops =
	    path != NULL || b->fault == NO_REOPEN ? &ops_durable : &ops_plain;
	*out = &b->base;
	return FR_OK;
}

static void
bad_close(struct fr_store *s)
{
	struct bad *b = self(s);

	if (s == NULL)
		return;
	if (b->pending)
		(void)b->in->ops->commit(b->in, NULL);
	b->in->ops->close(b->in);
	free(b);
}

static const char *
bad_describe(struct fr_store *s)
{
	(void)s;
	return "a store with a fault, for tests of the judge";
}

static enum fr_rc
bad_begin(struct fr_store *s, struct fr_err *err)
{
	struct bad *b = self(s);

	if (b->pending)
		return FR_OK;
	return b->in->ops->begin(b->in, err);
}

static enum fr_rc
bad_commit(struct fr_store *s, struct fr_err *err)
{
	struct bad *b = self(s);

	b->pending = b->fault == LAZY_COMMIT && ++b->commits % 8 != 0;
	if (b->pending)
		return FR_OK;
	return b->in->ops->commit(b->in, err);
}

static void
bad_rollback(struct fr_store *s)
{
	struct bad *b = self(s);

	b->pending = false;
	if (b->fault == LOSES_ROLLBACK)
		(void)b->in->ops->commit(b->in, NULL);
	else
		b->in->ops->rollback(b->in);
}

/* Rows on their way out, and what a callback said. */
struct through {
	struct bad *b;
	fr_job_emit_fn *emit;
	void *arg;
	struct fr_job *keep; /* instead of emit: a copy of plain fields */
};

static enum fr_rc
pass_job(void *arg, const struct fr_job *job)
{
	struct through *t = arg;
	const enum fault f = t->b->fault;
	struct fr_job j = *job;
	enum fr_rc rc;

	if (f == FORGETS_FAILS && j.fail_count > 1)
		j.fail_count = 1;
	if (f == ATTEMPT_STUCK && j.attempt > 1)
		j.attempt = 1;
	if (f == CANONICAL && fr_span_is(j.data, "1E+2"))
		j.data = FR_SPAN("100");
	if (f == FORGETS_LEASES && fr_state_ended(j.state))
		memset(&j.lease, 0, sizeof(j.lease));
	if (f == TRUNCATES && j.result.len > 65536)
		j.result.len = 65536;
	rc = t->emit(t->arg, &j);
	return f == CALLBACK_IGNORED ? FR_OK : rc;
}

static enum fr_rc
keep_job(void *arg, const struct fr_job *job)
{
	struct through *t = arg;

	*t->keep = *job;
	return FR_OK;
}

/* The job as it is, without its spans; false: not there. */
static bool
look(struct bad *b, const struct fr_uuid *id, struct fr_job *j)
{
	struct through t = { .b = b, .keep = j };

	memset(j, 0, sizeof(*j));
	(void)b->in->ops->get(b->in, id, 1, keep_job, &t, NULL);
	return j->type.len > 0;
}

static enum fr_rc
create_torn(struct bad *b, const struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++) {
		rc = b->in->ops->create(b->in, &jobs[i], 1, &out[i], err);
		if (rc == FR_OK && i + 1 < n) {
			rc = b->in->ops->commit(b->in, err);
			if (rc == FR_OK)
				rc = b->in->ops->begin(b->in, err);
		}
	}
	return rc;
}

static enum fr_rc
create_keyless(struct bad *b, const struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_err *err)
{
	struct fr_job j;
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n && rc == FR_OK; i++) {
		j = jobs[i];
		j.key.len = 0;
		rc = b->in->ops->create(b->in, &j, 1, &out[i], err);
	}
	return rc;
}

static enum fr_rc
bad_create(struct fr_store *s, const struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_err *err)
{
	struct bad *b = self(s);
	enum fr_rc rc;
	size_t i;

	if (b->fault == IGNORES_KEY)
		return create_keyless(b, jobs, n, out, err);
	if (b->fault == TORN_BATCH)
		return create_torn(b, jobs, n, out, err);
	if (b->fault == DROPS_LAST && n > 100) {
		out[n - 1] = (struct fr_created){ jobs[n - 1].id, FR_OK };
		return b->in->ops->create(b->in, jobs, n - 1, out, err);
	}
	rc = b->in->ops->create(b->in, jobs, n, out, err);
	for (i = 0; b->fault == CONFLICT_BLIND && i < n; i++)
		if (out[i].rc == FR_CONFLICT)
			out[i].rc = FR_EXISTS;
	if (rc == FR_OK && b->fault == EARLY_COMMIT) {
		rc = b->in->ops->commit(b->in, err);
		if (rc == FR_OK)
			rc = b->in->ops->begin(b->in, err);
	}
	return rc;
}

static enum fr_rc
bad_lease(struct fr_store *s, const struct fr_grant *g, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct bad *b = self(s);
	struct through t = { .b = b, .emit = emit, .arg = arg };
	struct fr_job j;
	size_t i;

	for (i = 0; b->fault == LEASES_TWICE && i < n; i++)
		if (look(b, &g[i].id, &j) && j.state == FR_STATE_RUNNING)
			(void)b->in->ops->get(
			    b->in, &g[i].id, 1, pass_job, &t, err);
	return b->in->ops->lease(b->in, g, n, pass_job, &t, err);
}

static enum fr_rc
bad_renew(
    struct fr_store *s, struct fr_renewal *r, size_t n, struct fr_err *err)
{
	struct bad *b = self(s);
	enum fr_rc rc = b->in->ops->renew(b->in, r, n, err);
	size_t i;

	for (i = 0; b->fault == RENEW_ANY && i < n; i++)
		r[i].rc = FR_OK;
	return rc;
}

struct shorten {
	struct fr_renewal r[64];
	size_t n;
	int64_t until_ms;
};

static enum fr_rc
shorten_one(void *arg, const struct fr_job *j)
{
	struct shorten *s = arg;

	if (s->n < 64)
		s->r[s->n++] =
		    (struct fr_renewal){ j->id, j->lease, s->until_ms, FR_OK };
	return FR_OK;
}

static enum fr_rc
bad_renew_all(struct fr_store *s, int64_t until_ms, struct fr_err *err)
{
	struct bad *b = self(s);
	struct shorten x = { .until_ms = until_ms };

	if (b->fault != RENEW_ALL_SHORTENS)
		return b->in->ops->renew_all(b->in, until_ms, err);
	(void)b->in->ops->running(
	    b->in, (struct fr_span){ NULL, 0 }, shorten_one, &x, err);
	return b->in->ops->renew(b->in, x.r, x.n, err);
}

/* The token that will be believed, if the fault wants it so. */
static void
bend(struct bad *b, struct fr_report *r)
{
	struct fr_job j;

	if (!look(b, &r->id, &j) || j.state != FR_STATE_RUNNING)
		return;
	if (b->fault == STALE_LEASE && !fr_token_zero(&r->token))
		r->token = j.lease;
	if (b->fault == HALF_TOKEN &&
	    memcmp(r->token.b, j.lease.b, sizeof(r->token.b) / 2) == 0)
		r->token = j.lease;
}

static enum fr_rc
report(struct fr_store *s, fr_store_report_fn *fn, struct fr_report *r,
    size_t n, struct fr_err *err)
{
	struct bad *b = self(s);
	struct fr_job j;
	enum fr_rc rc;
	size_t i;

	for (i = 0; i < n; i++) {
		bend(b, &r[i]);
		if (b->fault == REMEMBERS_UNSAID)
			r[i].unsaid = false;
	}
	rc = fn(b->in, r, n, err);
	for (i = 0; i < n; i++) {
		if (b->fault == REPEAT_COUNTS && r[i].rc == FR_EXISTS)
			r[i].rc = FR_OK;
		if (b->fault == UNKNOWN_COMPLETE && !look(b, &r[i].id, &j))
			r[i].rc = FR_OK;
	}
	return rc;
}

#define REPORT(name)                                                           \
	static enum fr_rc bad_##name(struct fr_store *s, struct fr_report *r,  \
	    size_t n, struct fr_err *err)                                      \
	{                                                                      \
		return report(s, self(s)->in->ops->name, r, n, err);           \
	}
REPORT(progress)
REPORT(complete)
REPORT(count_failed)
REPORT(failed)

static enum fr_rc
bad_release(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	struct bad *b = self(s);

	return report(s,
	    b->fault == RELEASE_COUNTS ? b->in->ops->count_failed
				       : b->in->ops->release,
	    r, n, err);
}

static enum fr_rc
bad_cancel(struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	struct bad *b = self(s);
	enum fr_rc rc = b->in->ops->cancel(b->in, e, n, err);
	size_t i;

	for (i = 0; b->fault == CANCEL_ENDED && i < n; i++)
		if (e[i].rc == FR_CONFLICT)
			e[i].rc = FR_OK;
	return rc;
}

/* Cancels first, so that what runs can be retried or removed. */
static enum fr_rc
force(struct bad *b, fr_store_edit_fn *fn, struct fr_edit *e, size_t n,
    bool first, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;

	if (first)
		rc = b->in->ops->cancel(b->in, e, n, err);
	return rc == FR_OK ? fn(b->in, e, n, err) : rc;
}

static enum fr_rc
bad_retry(struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	struct bad *b = self(s);

	return force(
	    b, b->in->ops->retry, e, n, b->fault == RETRIES_RUNNING, err);
}

static enum fr_rc
bad_remove(struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	struct bad *b = self(s);

	return force(
	    b, b->in->ops->remove, e, n, b->fault == REMOVES_RUNNING, err);
}

struct through_ticket {
	struct bad *b;
	fr_ticket_emit_fn *emit;
	void *arg;
};

static enum fr_rc
pass_ticket(void *arg, const struct fr_ticket *k)
{
	struct through_ticket *t = arg;
	enum fr_rc rc = t->emit(t->arg, k);

	return t->b->fault == CALLBACK_IGNORED ? FR_OK : rc;
}

static enum fr_rc
bad_promote(struct fr_store *s, int64_t now_ms, size_t limit,
    fr_ticket_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct bad *b = self(s);
	struct through_ticket t = { b, emit, arg };

	if (b->fault == PROMOTES_ALL)
		limit = 1000000;
	return b->in->ops->promote(b->in, now_ms, limit, pass_ticket, &t, err);
}

static enum fr_rc
bad_expired(struct fr_store *s, int64_t now_ms, size_t limit,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct bad *b = self(s);
	struct through t = { .b = b, .emit = emit, .arg = arg };

	if (b->fault == EXPIRED_EARLY)
		now_ms += 150;
	return b->in->ops->expired(b->in, now_ms, limit, pass_job, &t, err);
}

static enum fr_rc
bad_next_due(struct fr_store *s, int64_t *run_at_ms, int64_t *lease_until_ms,
    struct fr_err *err)
{
	struct bad *b = self(s);
	enum fr_rc rc =
	    b->in->ops->next_due(b->in, run_at_ms, lease_until_ms, err);

	if (b->fault == NEXT_DUE_LATE && *run_at_ms < INT64_MAX)
		++*run_at_ms;
	return rc;
}

static enum fr_rc
bad_get(struct fr_store *s, const struct fr_uuid *ids, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct bad *b = self(s);
	struct through t = { .b = b, .emit = emit, .arg = arg };

	return b->in->ops->get(b->in, ids, n, pass_job, &t, err);
}

static enum fr_rc
bad_find(struct fr_store *s, const char *hex, size_t limit,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct bad *b = self(s);
	struct through t = { .b = b, .emit = emit, .arg = arg };
	char even[33];

	(void)fr_str_copy(even, sizeof(even), fr_span_of(hex));
	if (b->fault == FIND_EVEN)
		even[strlen(even) & ~(size_t)1] = '\0';
	return b->in->ops->find(b->in, even, limit, pass_job, &t, err);
}

static enum fr_rc
bad_list(struct fr_store *s, const struct fr_list *l, fr_job_emit_fn *emit,
    void *arg, struct fr_err *err)
{
	struct bad *b = self(s);
	struct through t = { .b = b, .emit = emit, .arg = arg };
	struct fr_list rest = *l;

	if (b->fault == PAGE_REPEATS && l->after != NULL && l->limit > 0) {
		(void)b->in->ops->get(b->in, l->after, 1, pass_job, &t, err);
		rest.limit--;
	}
	return b->in->ops->list(b->in, &rest, pass_job, &t, err);
}

static enum fr_rc
bad_get_queue(struct fr_store *s, const char *type, bool with_data,
    int64_t *cursor, size_t *n, fr_ticket_emit_fn *emit, void *arg,
    struct fr_err *err)
{
	struct bad *b = self(s);
	struct through_ticket t = { b, emit, arg };

	if (b->fault == WALK_SKIPS && *cursor > 0)
		++*cursor;
	return b->in->ops->get_queue(
	    b->in, type, with_data, cursor, n, pass_ticket, &t, err);
}

static enum fr_rc
bad_running(struct fr_store *s, struct fr_span worker, fr_job_emit_fn *emit,
    void *arg, struct fr_err *err)
{
	struct bad *b = self(s);
	struct through t = { .b = b, .emit = emit, .arg = arg };

	if (b->fault == RUNNING_OF_ALL)
		worker.len = 0;
	return b->in->ops->running(b->in, worker, pass_job, &t, err);
}

struct old {
	struct fr_edit e[64];
	size_t n;
	int64_t before_ms;
};

static enum fr_rc
see_old(void *arg, const struct fr_job *j)
{
	struct old *o = arg;

	if (o->n < 64 && !fr_state_ended(j->state) &&
	    j->created_ms < o->before_ms)
		o->e[o->n++] = (struct fr_edit){ .id = j->id, .now_ms = 1 };
	return FR_OK;
}

static enum fr_rc
bad_purge(struct fr_store *s, unsigned states, int64_t before_ms, size_t *n,
    struct fr_err *err)
{
	struct bad *b = self(s);
	struct fr_list l = { .states = FR_STATE_ALL, .limit = 1000 };
	struct old o = { .before_ms = before_ms };

	if (b->fault == PURGES_UNFINISHED) {
		(void)b->in->ops->list(b->in, &l, see_old, &o, err);
		(void)b->in->ops->cancel(b->in, o.e, o.n, err);
	}
	return b->in->ops->purge(b->in, states, before_ms, n, err);
}

struct through_stats {
	struct bad *b;
	fr_stats_emit_fn *emit;
	void *arg;
};

static enum fr_rc
pass_stats(void *arg, const struct fr_type_stats *st)
{
	struct through_stats *t = arg;
	struct fr_type_stats x = *st;
	enum fr_rc rc;

	if (t->b->fault == MISCOUNTS && x.n[FR_STATE_CANCELLED] > 1)
		x.n[FR_STATE_CANCELLED]--;
	rc = t->emit(t->arg, &x);
	return t->b->fault == CALLBACK_IGNORED ? FR_OK : rc;
}

static enum fr_rc
bad_stats(
    struct fr_store *s, fr_stats_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct bad *b = self(s);
	struct through_stats t = { b, emit, arg };

	return b->in->ops->stats(b->in, pass_stats, &t, err);
}

static enum fr_rc
bad_pause(struct fr_store *s, const char *type, bool paused, struct fr_err *err)
{
	struct bad *b = self(s);

	if (b->fault == PAUSE_FORGETS)
		return FR_OK;
	return b->in->ops->pause(b->in, type, paused, err);
}

static enum fr_rc
bad_outbox_put(struct fr_store *s, struct fr_outbox_event *ev, size_t n,
    struct fr_err *err)
{
	struct bad *b = self(s);

	if (b->fault == OUTBOX_DROPS && n > 1) {
		ev[n - 1].number = INT64_MAX;
		n--;
	}
	return b->in->ops->outbox_put(b->in, ev, n, err);
}

static enum fr_rc
bad_outbox_take(struct fr_store *s, int64_t now_ms, int64_t until_ms,
    size_t limit, fr_outbox_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct bad *b = self(s);

	if (b->fault == OUTBOX_UNCLAIMED)
		until_ms = now_ms;
	return b->in->ops->outbox_take(
	    b->in, now_ms, until_ms, limit, emit, arg, err);
}

static enum fr_rc
bad_outbox_done(
    struct fr_store *s, const int64_t *numbers, size_t n, struct fr_err *err)
{
	struct bad *b = self(s);

	return b->in->ops->outbox_done(b->in, numbers, n, err);
}

static enum fr_rc
bad_outbox_retry(
    struct fr_store *s, int64_t number, int64_t at_ms, struct fr_err *err)
{
	struct bad *b = self(s);

	return b->in->ops->outbox_retry(b->in, number, at_ms, err);
}

#define TABLE(capabilities)                                                    \
	{                                                                      \
		.abi = FR_BACKEND_ABI, .size = sizeof(struct fr_store_ops),    \
		.caps = (capabilities), .scheme = "bad", .open = bad_open,     \
		.close = bad_close, .describe = bad_describe,                  \
		.begin = bad_begin, .commit = bad_commit,                      \
		.rollback = bad_rollback, .create = bad_create,                \
		.lease = bad_lease, .renew = bad_renew,                        \
		.renew_all = bad_renew_all, .progress = bad_progress,          \
		.complete = bad_complete, .count_failed = bad_count_failed,    \
		.failed = bad_failed, .release = bad_release,                  \
		.cancel = bad_cancel, .retry = bad_retry,                      \
		.remove = bad_remove, .promote = bad_promote,                  \
		.expired = bad_expired, .next_due = bad_next_due,              \
		.get = bad_get, .find = bad_find, .list = bad_list,            \
		.get_queue = bad_get_queue, .running = bad_running,            \
		.purge = bad_purge, .stats = bad_stats, .pause = bad_pause,    \
		.outbox_put = bad_outbox_put, .outbox_take = bad_outbox_take,  \
		.outbox_done = bad_outbox_done,                                \
		.outbox_retry = bad_outbox_retry                               \
	}
static const struct fr_store_ops ops_plain = TABLE(0);
static const struct fr_store_ops ops_durable = TABLE(FR_STORE_DURABLE);

extern const struct fr_module fr_module;
__attribute__((visibility("default"))) const struct fr_module fr_module = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_module),
	.store = &ops_plain,
};
