/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <fr/backend.h>

#include "backends/registry.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"
#include "rows.h"
#include "store.h"

/*
 * A store that is another program. Whatever it was at when it failed is void
 * unless a commit was on its way: then the child that comes after it is
 * asked, if it can tell.
 */

#define MAGIC 0x66727873U
#define RESOLVE_MS 10000

struct fr_exec_store *
fr_exec_self(struct fr_store *s)
{
	struct fr_exec_store *x = (struct fr_exec_store *)s;

	fr_assert(x != NULL && x->magic == MAGIC);
	return x;
}

static void
xs_close(struct fr_store *base)
{
	struct fr_exec_store *s;

	if (base == NULL)
		return;
	s = fr_exec_self(base);
	fr_exec_fini(&s->peer);
	s->magic = 0;
	free(s);
}

static enum fr_rc
xs_open(
    struct fr_store **out, const char *args, unsigned flags, struct fr_err *err)
{
	struct fr_exec_store *s = calloc(1, sizeof(*s));
	enum fr_rc rc;

	if (s == NULL)
		return fr_fail(err, FR_NOMEM, "exec store: out of memory");
	s->ops = fr_store_exec;
	s->store.ops = &s->ops;
	s->magic = MAGIC;
	rc = fr_exec_init(
	    &s->peer, "store", args, (flags & FR_STORE_READONLY) != 0, err);
	if (rc == FR_OK)
		rc = fr_exec_start(&s->peer, err);
	if (rc != FR_OK) {
		xs_close(&s->store);
		return rc;
	}
	s->ops.caps = (s->peer.durable ? FR_STORE_DURABLE : 0) |
		      (s->peer.shared ? FR_STORE_SHARED : 0);
	*out = &s->store;
	return FR_OK;
}

static const char *
xs_describe(struct fr_store *base)
{
	struct fr_exec_store *s = fr_exec_self(base);

	if (!fr_str_format(s->about, sizeof(s->about),
		"exec:%.100s%s%.150s: %s", s->peer.command,
		s->peer.name[0] != '\0' ? ", " : "", s->peer.name,
		s->peer.durable ? "says that an accepted job survives a "
				  "power cut"
				: "does not say that it survives a power cut"))
		s->about[sizeof(s->about) - 1] = '\0';
	return s->about;
}

enum fr_rc
fr_exec_call(struct fr_exec_store *s, const char *call, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;

	if (!s->in_tx)
		rc = fr_exec_start(&s->peer, err);
	else if (s->peer.pid == 0)
		rc = fr_fail(err, FR_AGAIN, "%s", s->peer.why.msg);
	if (rc == FR_OK)
		fr_exec_request(&s->peer, call);
	return rc;
}

static enum fr_rc
xs_begin(struct fr_store *base, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_span answer;
	enum fr_rc rc;

	fr_assert(!s->in_tx);
	if (s->peer.readonly)
		return fr_fail(
		    err, FR_DENIED, "change exec store: opened read-only");
	rc = fr_exec_call(s, "begin", err);
	if (rc == FR_OK)
		rc = fr_exec_answer(&s->peer, &answer, err);
	s->in_tx = rc == FR_OK;
	return rc;
}

static void
xs_rollback(struct fr_store *base)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_span answer;

	if (!s->in_tx)
		return;
	if (fr_exec_call(s, "rollback", NULL) == FR_OK &&
	    fr_exec_answer(&s->peer, &answer, NULL) != FR_OK &&
	    s->peer.pid != 0)
		(void)fr_exec_broken(&s->peer, NULL, "cannot roll back");
	s->in_tx = false;
}

/* Asks the next child what became of the last one's commit. */
static enum fr_rc
resolve(struct fr_exec_store *s, struct fr_err *err)
{
	const int64_t until_ms = fr_time_mono_ms() + RESOLVE_MS;
	struct fr_span answer;
	bool committed;
	enum fr_rc rc;

	if (!s->peer.resolves)
		return fr_fail(err, FR_UNKNOWN,
		    "%s; the commit may or may not have happened",
		    s->peer.why.msg);
	do {
		rc = fr_exec_call(s, "resolve", err);
		if (rc == FR_OK) {
			fr_exec_put_i64(&s->peer.tx, "number", s->number);
			rc = fr_exec_answer(&s->peer, &answer, err);
		}
		if (rc == FR_OK &&
		    fr_exec_bool(answer, "committed", &committed))
			return committed ? FR_OK
					 : fr_fail(err, FR_AGAIN, "%s",
					       s->peer.why.msg);
		(void)poll(NULL, 0, 50);
	} while (fr_time_mono_ms() < until_ms);
	return fr_fail(err, FR_UNKNOWN,
	    "%s; the commit may or may not have happened", s->peer.why.msg);
}

static enum fr_rc
xs_commit(struct fr_store *base, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_span answer;
	enum fr_rc rc;

	fr_assert(s->in_tx);
	rc = fr_exec_call(s, "commit", err);
	if (rc == FR_OK) {
		fr_exec_put_i64(&s->peer.tx, "number", ++s->number);
		rc = fr_exec_answer(&s->peer, &answer, err);
		if (rc != FR_OK && s->peer.pid == 0) {
			s->in_tx = false;
			return resolve(s, err);
		}
	}
	if (rc != FR_OK)
		xs_rollback(base); /* what it has begun is still open */
	s->in_tx = false;
	return rc;
}

void
fr_exec_open_list(struct fr_exec_store *s, const char *key)
{
	fr_jsonw_key(&s->peer.tx, key);
	fr_jsonw_open(&s->peer.tx, '[');
}

void
fr_exec_close_list(struct fr_exec_store *s)
{
	fr_jsonw_close(&s->peer.tx, ']');
}

/* The answer's list of n elements. */
static enum fr_rc
list_of(struct fr_exec_store *s, const char *key, size_t n,
    struct fr_json_iter *it, struct fr_err *err)
{
	struct fr_span answer, list;
	enum fr_rc rc = fr_exec_answer(&s->peer, &answer, err);
	size_t found;

	if (rc != FR_OK)
		return rc;
	if (!fr_exec_array(answer, key, &list, &found) || found != n)
		return fr_exec_broken(
		    &s->peer, err, "an answer with too few or many items");
	*it = fr_json_iter(list);
	return FR_OK;
}

static enum fr_rc
xs_create(struct fr_store *base, const struct fr_job *jobs, size_t n,
    struct fr_created *out, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_json_iter it;
	struct fr_span row;
	enum fr_rc rc;
	size_t i;

	fr_assert(s->in_tx);
	rc = fr_exec_call(s, "create", err);
	if (rc != FR_OK)
		return rc;
	fr_exec_open_list(s, "jobs");
	for (i = 0; i < n; i++)
		fr_exec_put_job(&s->peer.tx, &jobs[i]);
	fr_exec_close_list(s);
	rc = list_of(s, "created", n, &it, err);
	for (i = 0; rc == FR_OK && i < n; i++) {
		out[i].id = jobs[i].id;
		if (!fr_json_element(&it, &row) ||
		    fr_json_type(row) != FR_JSON_OBJECT ||
		    !fr_exec_rc(fr_json_get(row, "rc"), &out[i].rc) ||
		    (out[i].rc == FR_EXISTS &&
			!fr_exec_id(row, "id", &out[i].id)) ||
		    (out[i].rc != FR_OK && out[i].rc != FR_EXISTS &&
			out[i].rc != FR_CONFLICT))
			rc = fr_exec_broken(&s->peer, err,
			    "what it says it created makes no sense");
	}
	return rc;
}

enum fr_rc
fr_exec_jobs_answer(struct fr_exec_store *s, fr_job_emit_fn *emit, void *arg,
    struct fr_err *err)
{
	struct fr_span answer;
	enum fr_rc rc = fr_exec_answer(&s->peer, &answer, err);

	return rc == FR_OK ? fr_exec_jobs(&s->peer, answer, emit, arg, err)
			   : rc;
}

static enum fr_rc
xs_lease(struct fr_store *base, const struct fr_grant *g, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_buf *b = &s->peer.tx;
	enum fr_rc rc;
	size_t i;

	fr_assert(s->in_tx);
	rc = fr_exec_call(s, "lease", err);
	if (rc != FR_OK)
		return rc;
	fr_exec_open_list(s, "grants");
	for (i = 0; i < n; i++) {
		fr_jsonw_open(b, '{');
		fr_exec_put_id(b, "id", &g[i].id);
		fr_exec_put_token(b, "token", &g[i].token);
		fr_exec_put_text(b, "worker", g[i].worker);
		fr_exec_put_i64(b, "now_ms", g[i].now_ms);
		fr_exec_put_i64(b, "until_ms", g[i].until_ms);
		fr_jsonw_close(b, '}');
	}
	fr_exec_close_list(s);
	return fr_exec_jobs_answer(s, emit, arg, err);
}

/* One result out of a list of them, one of ok, stale and maybe exists. */
static enum fr_rc
item_rc(struct fr_exec_store *s, struct fr_json_iter *it, bool exists,
    enum fr_rc *out, struct fr_err *err)
{
	struct fr_span token;

	if (fr_json_element(it, &token) && fr_exec_rc(token, out) &&
	    (*out == FR_OK || *out == FR_STALE ||
		(exists && *out == FR_EXISTS)))
		return FR_OK;
	return fr_exec_broken(&s->peer, err, "a result that makes no sense");
}

static enum fr_rc
xs_renew(
    struct fr_store *base, struct fr_renewal *r, size_t n, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_buf *b = &s->peer.tx;
	struct fr_json_iter it;
	enum fr_rc rc;
	size_t i;

	fr_assert(s->in_tx);
	rc = fr_exec_call(s, "renew", err);
	if (rc != FR_OK)
		return rc;
	fr_exec_open_list(s, "renewals");
	for (i = 0; i < n; i++) {
		fr_jsonw_open(b, '{');
		fr_exec_put_id(b, "id", &r[i].id);
		fr_exec_put_token(b, "token", &r[i].token);
		fr_exec_put_i64(b, "until_ms", r[i].until_ms);
		fr_jsonw_close(b, '}');
	}
	fr_exec_close_list(s);
	rc = list_of(s, "rcs", n, &it, err);
	for (i = 0; rc == FR_OK && i < n; i++)
		rc = item_rc(s, &it, false, &r[i].rc, err);
	return rc;
}

/* A call whose answer says no more than that it was done. */
static enum fr_rc
done(struct fr_exec_store *s, struct fr_err *err)
{
	struct fr_span answer;

	return fr_exec_answer(&s->peer, &answer, err);
}

static enum fr_rc
xs_renew_all(struct fr_store *base, int64_t until_ms, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	enum fr_rc rc = fr_exec_call(s, "renew_all", err);

	fr_assert(s->in_tx);
	if (rc != FR_OK)
		return rc;
	fr_exec_put_i64(&s->peer.tx, "until_ms", until_ms);
	return done(s, err);
}

static enum fr_rc
report(struct fr_store *base, const char *call, struct fr_report *r, size_t n,
    struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_buf *b = &s->peer.tx;
	struct fr_json_iter it;
	enum fr_rc rc;
	size_t i;

	fr_assert(s->in_tx);
	rc = fr_exec_call(s, call, err);
	if (rc != FR_OK)
		return rc;
	fr_exec_open_list(s, "reports");
	for (i = 0; i < n; i++) {
		fr_jsonw_open(b, '{');
		fr_exec_put_id(b, "id", &r[i].id);
		fr_exec_put_token(b, "token", &r[i].token);
		fr_exec_put_text(b, "value", r[i].value);
		fr_exec_put_text(b, "log", r[i].log);
		fr_exec_put_i64(b, "now_ms", r[i].now_ms);
		fr_exec_put_i64(b, "run_at_ms", r[i].run_at_ms);
		fr_jsonw_key(b, "unsaid");
		fr_jsonw_bool(b, r[i].unsaid);
		fr_jsonw_close(b, '}');
	}
	fr_exec_close_list(s);
	rc = list_of(s, "rcs", n, &it, err);
	for (i = 0; rc == FR_OK && i < n; i++)
		rc = item_rc(s, &it, true, &r[i].rc, err);
	return rc;
}

static enum fr_rc
xs_progress(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, "progress", r, n, err);
}

static enum fr_rc
xs_complete(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, "complete", r, n, err);
}

static enum fr_rc
xs_count_failed(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, "count_failed", r, n, err);
}

static enum fr_rc
xs_failed(struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, "failed", r, n, err);
}

static enum fr_rc
xs_release(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err)
{
	return report(s, "release", r, n, err);
}

static bool
get_edit(struct fr_span row, struct fr_edit *e)
{
	int64_t priority = 0, attempt = 0;
	char state[16], type[FR_TYPE_MAX + 3];

	if (fr_json_type(row) != FR_JSON_OBJECT ||
	    !fr_exec_rc(fr_json_get(row, "rc"), &e->rc))
		return false;
	if (e->rc == FR_NOTFOUND)
		return true;
	if ((e->rc != FR_OK && e->rc != FR_EXISTS && e->rc != FR_CONFLICT) ||
	    !fr_exec_word(row, "before", state, sizeof(state)) ||
	    !fr_state_parse(fr_span_of(state), &e->before) ||
	    !fr_exec_word(row, "type", type, sizeof(type)) ||
	    !fr_exec_i64(row, "priority", &priority) ||
	    !fr_exec_i64(row, "attempt", &attempt))
		return false;
	e->priority = (int32_t)priority;
	e->attempt = (uint32_t)attempt;
	return fr_str_copy(e->type, sizeof(e->type), fr_span_of(type));
}

static enum fr_rc
edit(struct fr_store *base, const char *call, struct fr_edit *e, size_t n,
    struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_json_iter it;
	struct fr_span row;
	enum fr_rc rc;
	size_t i;

	fr_assert(s->in_tx);
	rc = fr_exec_call(s, call, err);
	if (rc != FR_OK)
		return rc;
	fr_exec_open_list(s, "edits");
	for (i = 0; i < n; i++) {
		fr_jsonw_open(&s->peer.tx, '{');
		fr_exec_put_id(&s->peer.tx, "id", &e[i].id);
		fr_exec_put_i64(&s->peer.tx, "now_ms", e[i].now_ms);
		fr_jsonw_close(&s->peer.tx, '}');
	}
	fr_exec_close_list(s);
	rc = list_of(s, "edits", n, &it, err);
	for (i = 0; rc == FR_OK && i < n; i++)
		if (!fr_json_element(&it, &row) || !get_edit(row, &e[i]))
			rc = fr_exec_broken(
			    &s->peer, err, "an edit that makes no sense");
	return rc;
}

static enum fr_rc
xs_cancel(struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, "cancel", e, n, err);
}

static enum fr_rc
xs_retry(struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, "retry", e, n, err);
}

static enum fr_rc
xs_remove(struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err)
{
	return edit(s, "remove", e, n, err);
}

static enum fr_rc
xs_promote(struct fr_store *base, int64_t now_ms, size_t limit,
    fr_ticket_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_span answer;
	enum fr_rc rc = fr_exec_call(s, "promote", err);

	fr_assert(s->in_tx);
	if (rc != FR_OK)
		return rc;
	fr_exec_put_i64(&s->peer.tx, "now_ms", now_ms);
	fr_exec_put_i64(&s->peer.tx, "limit", (int64_t)limit);
	rc = fr_exec_answer(&s->peer, &answer, err);
	if (rc != FR_OK)
		return rc;
	return fr_exec_tickets(&s->peer, answer, false, &limit, emit, arg, err);
}

static enum fr_rc
xs_expired(struct fr_store *base, int64_t now_ms, size_t limit,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	enum fr_rc rc = fr_exec_call(s, "expired", err);

	if (rc != FR_OK)
		return rc;
	fr_exec_put_i64(&s->peer.tx, "now_ms", now_ms);
	fr_exec_put_i64(&s->peer.tx, "limit", (int64_t)limit);
	return fr_exec_jobs_answer(s, emit, arg, err);
}

/* A time, or null for none. */
static bool
due(struct fr_span answer, const char *key, int64_t *at_ms)
{
	const struct fr_span x = fr_json_get(answer, key);

	*at_ms = INT64_MAX;
	return x.p == NULL || fr_json_type(x) == FR_JSON_NULL ||
	       fr_exec_i64(answer, key, at_ms);
}

static enum fr_rc
xs_next_due(struct fr_store *base, int64_t *run_at_ms, int64_t *lease_until_ms,
    struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_span answer;
	enum fr_rc rc = fr_exec_call(s, "next_due", err);

	if (rc == FR_OK)
		rc = fr_exec_answer(&s->peer, &answer, err);
	if (rc == FR_OK && (!due(answer, "run_at_ms", run_at_ms) ||
			       !due(answer, "lease_until_ms", lease_until_ms)))
		rc = fr_exec_broken(&s->peer, err, "a time that is none");
	return rc;
}

static enum fr_rc
xs_pause(
    struct fr_store *base, const char *type, bool paused, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	enum fr_rc rc = fr_exec_call(s, "pause", err);

	fr_assert(s->in_tx);
	if (rc != FR_OK)
		return rc;
	fr_jsonw_key(&s->peer.tx, "type");
	fr_jsonw_strz(&s->peer.tx, type);
	fr_jsonw_key(&s->peer.tx, "paused");
	fr_jsonw_bool(&s->peer.tx, paused);
	return done(s, err);
}

static enum fr_rc
xs_outbox_put(struct fr_store *base, struct fr_outbox_event *ev, size_t n,
    struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_buf *b = &s->peer.tx;
	struct fr_json_iter it;
	struct fr_span number;
	enum fr_rc rc;
	size_t i;

	fr_assert(s->in_tx);
	rc = fr_exec_call(s, "outbox_put", err);
	if (rc != FR_OK)
		return rc;
	fr_exec_open_list(s, "events");
	for (i = 0; i < n; i++) {
		fr_jsonw_open(b, '{');
		fr_jsonw_key(b, "kind");
		fr_jsonw_strz(b, fr_event_name(ev[i].kind));
		fr_jsonw_key(b, "type");
		fr_jsonw_str(b, ev[i].type);
		fr_jsonw_key(b, "json");
		fr_jsonw_str(b, ev[i].json);
		fr_jsonw_close(b, '}');
	}
	fr_exec_close_list(s);
	rc = list_of(s, "numbers", n, &it, err);
	for (i = 0; rc == FR_OK && i < n; i++)
		if (!fr_json_element(&it, &number) ||
		    fr_json_i64(number, 0, INT64_MAX, &ev[i].number) != FR_OK)
			rc = fr_exec_broken(
			    &s->peer, err, "a number that is none");
	return rc;
}

static bool
get_event(
    struct fr_exec_store *s, struct fr_span row, struct fr_outbox_event *ev)
{
	char kind[24];
	int64_t tries = 0;

	if (fr_json_type(row) != FR_JSON_OBJECT ||
	    !fr_exec_i64(row, "number", &ev->number) ||
	    !fr_exec_word(row, "kind", kind, sizeof(kind)) ||
	    !fr_event_parse(fr_span_of(kind), &ev->kind) ||
	    !fr_exec_i64(row, "tries", &tries))
		return false;
	ev->tries = (uint32_t)tries;
	return fr_exec_text(&s->peer, row, "type", &ev->type) &&
	       fr_exec_text(&s->peer, row, "json", &ev->json);
}

static enum fr_rc
xs_outbox_take(struct fr_store *base, int64_t now_ms, int64_t until_ms,
    size_t limit, fr_outbox_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_span answer, rows, row;
	struct fr_outbox_event ev;
	struct fr_json_iter it;
	enum fr_rc rc = fr_exec_call(s, "outbox_take", err);
	size_t n;

	fr_assert(s->in_tx);
	if (rc != FR_OK)
		return rc;
	fr_exec_put_i64(&s->peer.tx, "now_ms", now_ms);
	fr_exec_put_i64(&s->peer.tx, "until_ms", until_ms);
	fr_exec_put_i64(&s->peer.tx, "limit", (int64_t)limit);
	rc = fr_exec_answer(&s->peer, &answer, err);
	if (rc != FR_OK)
		return rc;
	if (!fr_exec_array(answer, "events", &rows, &n) || n > limit)
		return fr_exec_broken(
		    &s->peer, err, "no events, or more than it was asked");
	it = fr_json_iter(rows);
	while (rc == FR_OK && fr_json_element(&it, &row)) {
		if (!get_event(s, row, &ev))
			return fr_exec_broken(
			    &s->peer, err, "an event that is none");
		rc = emit(arg, &ev);
	}
	return rc;
}

static enum fr_rc
xs_outbox_done(
    struct fr_store *base, const int64_t *numbers, size_t n, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	enum fr_rc rc = fr_exec_call(s, "outbox_done", err);
	size_t i;

	fr_assert(s->in_tx);
	if (rc != FR_OK)
		return rc;
	fr_exec_open_list(s, "numbers");
	for (i = 0; i < n; i++)
		fr_jsonw_i64(&s->peer.tx, numbers[i]);
	fr_exec_close_list(s);
	return done(s, err);
}

static enum fr_rc
xs_outbox_retry(
    struct fr_store *base, int64_t number, int64_t at_ms, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	enum fr_rc rc = fr_exec_call(s, "outbox_retry", err);

	fr_assert(s->in_tx);
	if (rc != FR_OK)
		return rc;
	fr_exec_put_i64(&s->peer.tx, "number", number);
	fr_exec_put_i64(&s->peer.tx, "at_ms", at_ms);
	return done(s, err);
}

const struct fr_store_ops fr_store_exec = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_store_ops),
	.scheme = "exec",
	.open = xs_open,
	.close = xs_close,
	.describe = xs_describe,
	.begin = xs_begin,
	.commit = xs_commit,
	.rollback = xs_rollback,
	.create = xs_create,
	.lease = xs_lease,
	.renew = xs_renew,
	.renew_all = xs_renew_all,
	.progress = xs_progress,
	.complete = xs_complete,
	.count_failed = xs_count_failed,
	.failed = xs_failed,
	.release = xs_release,
	.cancel = xs_cancel,
	.retry = xs_retry,
	.remove = xs_remove,
	.promote = xs_promote,
	.expired = xs_expired,
	.next_due = xs_next_due,
	.get = fr_exec_get,
	.find = fr_exec_find,
	.list = fr_exec_list,
	.get_queue = fr_exec_get_queue,
	.running = fr_exec_running,
	.purge = fr_exec_purge,
	.stats = fr_exec_stats,
	.pause = xs_pause,
	.outbox_put = xs_outbox_put,
	.outbox_take = xs_outbox_take,
	.outbox_done = xs_outbox_done,
	.outbox_retry = xs_outbox_retry,
};
