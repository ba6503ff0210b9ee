/* SPDX-License-Identifier: MIT */
#include "backends/registry.h"

#include <stdlib.h>
#include <string.h>

#include <fr/store.h>

#include "base/assert.h"
#include "base/str.h"

/*
 * A store whose calls fail when a test wants it: fault:URL?fail=RULE[,RULE…]
 *
 * A RULE is CALL:N[+][:RC[:done]]: the N-th CALL (a name of the table, or
 * "any") fails, with a + each one from then on, with RC as fr_rc_name writes
 * it ("unknown" for commit and "io" for all others if it is left out). It is
 * not made at all, or, with :done, made first and then denied. A commit that
 * is not made is rolled back.
 *
 * Nothing in a release links it: the registry knows it only in builds with
 * FR_FAULT, and unit tests name it themselves.
 */

#define MAGIC 0x6661756cU
#define RULES_MAX 8

struct rule {
	char call[32];
	int64_t nth;
	int64_t seen;
	bool onwards;
	bool done;
	enum fr_rc rc;
};

struct fault {
	struct fr_store store;
	struct fr_store_ops ops; /* ours, as far as the other has them */
	uint32_t magic;
	struct fr_store *in;
	struct rule rules[RULES_MAX];
	size_t nrules;
	char about[256];
};

static struct fault *
fault_of(struct fr_store *s)
{
	struct fault *f = (struct fault *)s;

	fr_assert(f != NULL && f->magic == MAGIC);
	return f;
}

/* The rule that makes this call fail, or NULL. Counts it for all rules. */
static const struct rule *
hit(struct fault *f, const char *call)
{
	const struct rule *found = NULL;
	struct rule *r;
	size_t i;

	for (i = 0; i < f->nrules; i++) {
		r = &f->rules[i];
		if (strcmp(r->call, call) != 0 && strcmp(r->call, "any") != 0)
			continue;
		r->seen++;
		if (r->seen == r->nth || (r->onwards && r->seen > r->nth))
			found = r;
	}
	return found;
}

static enum fr_rc
failed(const struct rule *r, const char *call, struct fr_err *err)
{
	return fr_fail(err, r->rc, "%s: made to fail as %s%s", call,
	    fr_rc_name(r->rc), r->done ? " after it was done" : "");
}

/* A call that the rules may stop. s in args is the other store. */
#define WRAP(call, params, args)                                               \
	static enum fr_rc fault_##call params                                  \
	{                                                                      \
		struct fault *f = fault_of(s);                                 \
		const struct rule *r = hit(f, #call);                          \
		enum fr_rc rc = FR_OK;                                         \
                                                                               \
		s = f->in;                                                     \
		if (r == NULL || r->done)                                      \
			rc = s->ops->call args;                                \
		return r == NULL || rc != FR_OK ? rc : failed(r, #call, err);  \
	}

WRAP(begin, (struct fr_store * s, struct fr_err *err), (s, err))
WRAP(create,
    (struct fr_store * s, const struct fr_job *jobs, size_t n,
	struct fr_created *out, struct fr_err *err),
    (s, jobs, n, out, err))
WRAP(lease,
    (struct fr_store * s, const struct fr_grant *g, size_t n,
	fr_job_emit_fn *emit, void *arg, struct fr_err *err),
    (s, g, n, emit, arg, err))
WRAP(renew,
    (struct fr_store * s, struct fr_renewal *v, size_t n, struct fr_err *err),
    (s, v, n, err))
WRAP(renew_all, (struct fr_store * s, int64_t until_ms, struct fr_err *err),
    (s, until_ms, err))
#define REPORT(call)                                                           \
	WRAP(call,                                                             \
	    (struct fr_store * s, struct fr_report * v, size_t n,              \
		struct fr_err * err),                                          \
	    (s, v, n, err))
REPORT(progress)
REPORT(complete)
REPORT(count_failed)
REPORT(failed)
REPORT(release)
#define EDIT(call)                                                             \
	WRAP(call,                                                             \
	    (struct fr_store * s, struct fr_edit * e, size_t n,                \
		struct fr_err * err),                                          \
	    (s, e, n, err))
EDIT(cancel)
EDIT(retry)
EDIT(remove)
WRAP(promote,
    (struct fr_store * s, int64_t now_ms, size_t limit, fr_ticket_emit_fn *emit,
	void *arg, struct fr_err *err),
    (s, now_ms, limit, emit, arg, err))
WRAP(expired,
    (struct fr_store * s, int64_t now_ms, size_t limit, fr_job_emit_fn *emit,
	void *arg, struct fr_err *err),
    (s, now_ms, limit, emit, arg, err))
WRAP(next_due,
    (struct fr_store * s, int64_t *run_at_ms, int64_t *lease_until_ms,
	struct fr_err *err),
    (s, run_at_ms, lease_until_ms, err))
WRAP(get,
    (struct fr_store * s, const struct fr_uuid *ids, size_t n,
	fr_job_emit_fn *emit, void *arg, struct fr_err *err),
    (s, ids, n, emit, arg, err))
WRAP(find,
    (struct fr_store * s, const char *hex, size_t limit, fr_job_emit_fn *emit,
	void *arg, struct fr_err *err),
    (s, hex, limit, emit, arg, err))
WRAP(list,
    (struct fr_store * s, const struct fr_list *l, fr_job_emit_fn *emit,
	void *arg, struct fr_err *err),
    (s, l, emit, arg, err))
WRAP(get_queue,
    (struct fr_store * s, const char *type, bool with_data, int64_t *cursor,
	size_t *n, fr_ticket_emit_fn *emit, void *arg, struct fr_err *err),
    (s, type, with_data, cursor, n, emit, arg, err))
WRAP(running,
    (struct fr_store * s, struct fr_span worker, fr_job_emit_fn *emit,
	void *arg, struct fr_err *err),
    (s, worker, emit, arg, err))
WRAP(purge,
    (struct fr_store * s, unsigned states, int64_t before_ms, size_t *n,
	struct fr_err *err),
    (s, states, before_ms, n, err))
WRAP(stats,
    (struct fr_store * s, fr_stats_emit_fn *emit, void *arg,
	struct fr_err *err),
    (s, emit, arg, err))
WRAP(pause,
    (struct fr_store * s, const char *type, bool paused, struct fr_err *err),
    (s, type, paused, err))
WRAP(outbox_put,
    (struct fr_store * s, struct fr_outbox_event *ev, size_t n,
	struct fr_err *err),
    (s, ev, n, err))
WRAP(outbox_take,
    (struct fr_store * s, int64_t now_ms, int64_t until_ms, size_t limit,
	fr_outbox_emit_fn *emit, void *arg, struct fr_err *err),
    (s, now_ms, until_ms, limit, emit, arg, err))
WRAP(outbox_done,
    (struct fr_store * s, const int64_t *numbers, size_t n, struct fr_err *err),
    (s, numbers, n, err))
WRAP(outbox_retry,
    (struct fr_store * s, int64_t number, int64_t at_ms, struct fr_err *err),
    (s, number, at_ms, err))
WRAP(now, (struct fr_store * s, int64_t *now_ms, struct fr_err *err),
    (s, now_ms, err))
WRAP(watch,
    (struct fr_store * s, fr_news_emit_fn *emit, void *arg, struct fr_err *err),
    (s, emit, arg, err))
WRAP(seen,
    (struct fr_store * s, const struct fr_seen *w, size_t n,
	struct fr_err *err),
    (s, w, n, err))
WRAP(workers,
    (struct fr_store * s, int64_t before_ms, fr_seen_emit_fn *emit, void *arg,
	struct fr_err *err),
    (s, before_ms, emit, arg, err))

static enum fr_rc
fault_commit(struct fr_store *s, struct fr_err *err)
{
	struct fault *f = fault_of(s);
	const struct rule *r = hit(f, "commit");
	enum fr_rc rc = FR_OK;

	if (r == NULL || r->done)
		rc = f->in->ops->commit(f->in, err);
	else
		f->in->ops->rollback(f->in);
	return r == NULL || rc != FR_OK ? rc : failed(r, "commit", err);
}

static void
fault_rollback(struct fr_store *s)
{
	struct fault *f = fault_of(s);

	f->in->ops->rollback(f->in);
}

static int
fault_watch_fd(struct fr_store *s)
{
	struct fault *f = fault_of(s);

	return f->in->ops->watch_fd(f->in);
}

static const char *
fault_describe(struct fr_store *s)
{
	struct fault *f = fault_of(s);

	if (!fr_str_format(f->about, sizeof(f->about), "made to fail: %s",
		f->in->ops->describe(f->in)))
		f->about[0] = '\0';
	return f->about;
}

static void
fault_close(struct fr_store *s)
{
	struct fault *f;

	if (s == NULL)
		return;
	f = fault_of(s);
	f->in->ops->close(f->in);
	f->magic = 0;
	free(f);
}

/* Cuts the part in front of the next sep off *s. */
static struct fr_span
cut(struct fr_span *s, char sep)
{
	const char *p = s->len > 0 ? memchr(s->p, sep, s->len) : NULL;
	struct fr_span part = *s;

	if (p == NULL) {
		s->p = NULL;
		s->len = 0;
		return part;
	}
	part.len = (size_t)(p - s->p);
	s->p = p + 1;
	s->len -= part.len + 1;
	return part;
}

static bool
rc_parse(struct fr_span name, enum fr_rc *rc)
{
	int i;

	for (i = FR_OK + 1; i <= FR_BROKEN; i++) {
		if (fr_span_is(name, fr_rc_name((enum fr_rc)i))) {
			*rc = (enum fr_rc)i;
			return true;
		}
	}
	return false;
}

static bool
rule_parse(struct fr_span text, struct rule *r)
{
	const struct fr_span call = cut(&text, ':');
	struct fr_span nth = cut(&text, ':'), rc = cut(&text, ':');

	if (call.len == 0 || !fr_str_copy(r->call, sizeof(r->call), call))
		return false;
	r->onwards = nth.len > 0 && nth.p[nth.len - 1] == '+';
	nth.len -= r->onwards;
	if (fr_str_i64(nth, 1, INT64_MAX, &r->nth) != FR_OK)
		return false;
	r->rc = fr_span_is(call, "commit") ? FR_UNKNOWN : FR_IO;
	r->done = fr_span_is(text, "done");
	return (rc.len == 0 || rc_parse(rc, &r->rc)) &&
	       (text.len == 0 || r->done);
}

static enum fr_rc
rules_parse(struct fault *f, struct fr_span text, struct fr_err *err)
{
	while (text.len > 0) {
		if (f->nrules == RULES_MAX ||
		    !rule_parse(cut(&text, ','), &f->rules[f->nrules]))
			return fr_fail(err, FR_USAGE,
			    "open store: fail=: not CALL:N[+][:RC[:done]]");
		f->nrules++;
	}
	return FR_OK;
}

/* What the other store has, through us. */
static void
ops_fill(struct fault *f)
{
	const struct fr_store_ops *in = f->in->ops;

	f->ops = fr_store_fault;
	f->ops.caps = in->caps;
	if (in->now == NULL)
		f->ops.now = NULL;
	if (in->watch_fd == NULL)
		f->ops.watch_fd = NULL;
	if (in->watch == NULL)
		f->ops.watch = NULL;
	if (in->seen == NULL)
		f->ops.seen = NULL;
	if (in->workers == NULL)
		f->ops.workers = NULL;
	f->store.ops = &f->ops;
}

static enum fr_rc
fault_open(
    struct fr_store **out, const char *args, unsigned flags, struct fr_err *err)
{
	static const char mark[] = "?fail=";
	const char *rules = strstr(args, mark);
	struct fault *f = calloc(1, sizeof(*f));
	char url[4200];
	enum fr_rc rc;

	if (f == NULL)
		return fr_fail(err, FR_NOMEM, "open store: out of memory");
	f->magic = MAGIC;
	rc = fr_str_copy(url, sizeof(url),
		 (struct fr_span){ args,
		     rules != NULL ? (size_t)(rules - args) : strlen(args) })
		 ? FR_OK
		 : fr_fail(err, FR_INVALID, "open store: URL too long");
	if (rc == FR_OK && rules != NULL)
		rc = rules_parse(f, fr_span_of(rules + sizeof(mark) - 1), err);
	if (rc == FR_OK)
		rc = fr_registry_store(&f->in, url, flags, err);
	if (rc != FR_OK) {
		free(f);
		return rc;
	}
	ops_fill(f);
	*out = &f->store;
	return FR_OK;
}

/* The file's only symbol. */
const struct fr_store_ops fr_store_fault = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_store_ops),
	.scheme = "fault",
	.open = fault_open,
	.close = fault_close,
	.describe = fault_describe,
	.begin = fault_begin,
	.commit = fault_commit,
	.rollback = fault_rollback,
	.create = fault_create,
	.lease = fault_lease,
	.renew = fault_renew,
	.renew_all = fault_renew_all,
	.progress = fault_progress,
	.complete = fault_complete,
	.count_failed = fault_count_failed,
	.failed = fault_failed,
	.release = fault_release,
	.cancel = fault_cancel,
	.retry = fault_retry,
	.remove = fault_remove,
	.promote = fault_promote,
	.expired = fault_expired,
	.next_due = fault_next_due,
	.get = fault_get,
	.find = fault_find,
	.list = fault_list,
	.get_queue = fault_get_queue,
	.running = fault_running,
	.purge = fault_purge,
	.stats = fault_stats,
	.pause = fault_pause,
	.outbox_put = fault_outbox_put,
	.outbox_take = fault_outbox_take,
	.outbox_done = fault_outbox_done,
	.outbox_retry = fault_outbox_retry,
	.now = fault_now,
	.watch_fd = fault_watch_fd,
	.watch = fault_watch,
	.seen = fault_seen,
	.workers = fault_workers,
};
