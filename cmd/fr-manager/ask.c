/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "base/url.h"
#include "hook.h"
#include "manager.h"
#include "reader.h"
#include "wire/problem.h"

/*
 * A request's way: to the engine or to the reader, back, and out.
 */

/* Answers take turns with requests: so many are sent together, for so long. */
#define AT_ONCE 16
#define SHARE_US 150

void
fr_ask_engine(struct fr_request *q, bool parked, fr_handler_fn *next)
{
	struct fr_manager *m = fr_manager_of(q);
	enum fr_rc rc;

	if (!fr_http_count(&q->http)) {
		fr_answer_problem(
		    q, 503, "about:blank", "too much to do at the moment");
		return;
	}
	q->op.arena = q->http.arena;
	q->op.owner = q;
	q->next = next;
	fr_http_lend(&q->http, parked);
	rc = fr_engine_put(m->engine, &q->op);
	if (rc == FR_OK)
		return;
	fr_http_back(&q->http);
	q->http.parked = false;
	(void)fr_fail(&q->err, rc,
	    rc == FR_AGAIN ? "too much to do at the moment"
			   : "the manager is stopping");
	fr_answer_failed(q, FR_AGAIN, &q->err);
}

static void
ask_reader(
    struct fr_request *q, fr_read_fn *read, fr_handler_fn *next, bool slow)
{
	q->read = read;
	q->next = next;
	fr_http_lend(&q->http, false);
	if (fr_reader_ask(fr_manager_of(q)->reader, q, slow))
		return;
	fr_http_back(&q->http);
	fr_answer_problem(q, 503, "about:blank",
	    fr_manager_of(q)->stopping ? "the manager is stopping"
				       : "too many lists to be read");
}

void
fr_ask_reader(struct fr_request *q, fr_read_fn *read, fr_handler_fn *next)
{
	ask_reader(q, read, next, false);
}

void
fr_ask_list(struct fr_request *q, fr_read_fn *read, fr_handler_fn *next)
{
	ask_reader(q, read, next, true);
}

/* ---- ids that are not whole --------------------------------------------- */

static enum fr_rc
found(void *arg, const struct fr_job *job)
{
	struct fr_request *q = arg;

	q->id = job->id;
	q->count++;
	return FR_OK;
}

static enum fr_rc
find(struct fr_store *s, struct fr_request *q)
{
	enum fr_rc rc;

	q->count = 0;
	rc = s->ops->find(s, q->prefix, 2, found, q, &q->err);
	if (rc != FR_OK)
		return rc;
	if (q->count == 0)
		return fr_fail(&q->err, FR_NOTFOUND, "no such job");
	if (q->count > 1)
		return fr_fail(&q->err, FR_CONFLICT,
		    "several jobs have ids that begin so: give more of it");
	q->prefix[0] = '\0';
	return FR_OK;
}

/* The read is back: on to what needed the id. */
static void
found_whole(struct fr_request *q)
{
	if (q->rc == FR_OK)
		q->after_find(q);
	else if (q->rc == FR_CONFLICT)
		fr_answer_problem(q, 409, "ambiguous-id", "%s", q->err.msg);
	else
		fr_answer_failed(q, q->rc, &q->err);
}

void
fr_ask_whole(struct fr_request *q, fr_handler_fn *next)
{
	if (q->prefix[0] == '\0') {
		next(q);
		return;
	}
	q->after_find = next;
	fr_ask_reader(q, find, found_whole);
}

/* ---- back --------------------------------------------------------------- */

/* In the order in which they came, but those of workers before all others. */
static void
sort_answers(struct fr_manager *m)
{
	struct fr_op *op, *next;

	for (op = fr_engine_take(m->engine); op != NULL; op = next) {
		const struct fr_request *q = op->owner;

		next = op->next;
		if (op->kind == FR_OP_OUTBOX) {
			fr_hooks_answered(m->hooks, op);
			continue;
		}
		if (q == NULL) { /* nobody waits for it */
			fr_arena_free(op->arena);
			continue;
		}
		fr_line_add(
		    q->http.rank == FR_RANK_USUAL ? &m->usual : &m->urgent, op);
	}
}

/* Some of them. */
static void
answer_some(struct fr_manager *m, struct fr_line *l)
{
	struct fr_request *q;
	struct fr_op *op;
	int i;

	for (i = 0; i < AT_ONCE && (op = l->first) != NULL; i++) {
		l->first = op->next;
		q = op->owner;
		fr_http_back(&q->http);
		q->next(q);
	}
	fr_http_settle(m->http);
}

bool
fr_ask_answers(struct fr_manager *m, bool all)
{
	const int64_t until = fr_time_mono_us() + SHARE_US;
	struct fr_request *q, *next;

	sort_answers(m);
	while (m->urgent.first != NULL)
		answer_some(m, &m->urgent);
	for (q = fr_reader_take(m->reader); q != NULL; q = next) {
		next = q->read_next;
		fr_http_back(&q->http);
		q->next(q);
	}
	while (m->usual.first != NULL) {
		answer_some(m, &m->usual);
		if (!all && fr_time_mono_us() >= until)
			break;
	}
	fr_http_settle(m->http);
	return m->usual.first != NULL;
}

/* ---- answers ------------------------------------------------------------ */

static void
log_request(struct fr_request *q, int status)
{
	fr_log(FR_LOG_DEBUG, "request method=%s path=%s status=%d us=%lld",
	    q->route == NULL ? "?" : q->route->method,
	    q->route == NULL ? "?" : q->route->path, status,
	    (long long)(fr_time_mono_us() - q->started_us));
}

/* Answers that are never refused for want of memory. */
#define SMALL ((size_t)64 * 1024)

void
fr_answer_as(struct fr_request *q, int status, const char *type,
    struct fr_buf *body, const char *more)
{
	if (fr_manager_of(q)->debug)
		log_request(q, status);
	if (!fr_buf_ok(body)) {
		fr_buf_fini(body);
		fr_answer_problem(q, 503, "about:blank", "out of memory");
		return;
	}
	/* What was only read can be read again. */
	if (q->read != NULL && body->len > SMALL &&
	    fr_http_full(q->http.http, body->len)) {
		fr_buf_fini(body);
		fr_answer_problem(q, 503, "about:blank",
		    "too many answers wait for their readers");
		return;
	}
	fr_http_reply(&q->http, status, type, fr_buf_span(body), more);
	fr_buf_fini(body);
}

void
fr_answer_json(struct fr_request *q, int status, struct fr_buf *json)
{
	fr_buf_addc(json, '\n');
	fr_answer_as(q, status, "application/json", json, NULL);
}

void
fr_problem_body(struct fr_buf *body, int status, const char *detail)
{
	fr_wire_problem_write(body, status, "about:blank", detail);
	fr_buf_addc(body, '\n');
}

void
fr_answer_problem(
    struct fr_request *q, int status, const char *type, const char *fmt, ...)
{
	char detail[FR_ERR_MAX + 128];
	const char *more = NULL;
	struct fr_buf body;
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(detail, sizeof(detail), fmt, ap) < 0)
		detail[0] = '\0';
	va_end(ap);
	if (status == 503 || status == 429)
		more = "Retry-After: 1\r\n";
	else if (status == 401)
		more = "WWW-Authenticate: Bearer realm=\"forerunner\"\r\n";
	else if (status == 405)
		more = q->allow;
	if (fr_manager_of(q)->debug)
		log_request(q, status);
	fr_buf_init(&body, 0);
	fr_wire_problem_write(&body, status, type, detail);
	fr_buf_addc(&body, '\n');
	fr_http_reply(&q->http, status, "application/problem+json",
	    fr_buf_span(&body), more);
	fr_buf_fini(&body);
}

static int
status_of(enum fr_rc rc)
{
	switch (rc) {
	case FR_OK:
	case FR_EXISTS:
		return 200;
	case FR_SYNTAX:
		return 400;
	case FR_DENIED:
		return 403;
	case FR_NOTFOUND:
		return 404;
	case FR_CONFLICT:
	case FR_STALE:
		return 409;
	case FR_TOOBIG:
		return 413;
	case FR_INVALID:
	case FR_USAGE:
		return 422;
	case FR_AGAIN:
	case FR_UNKNOWN:
	case FR_UNREACHABLE:
	case FR_TIMEOUT:
	case FR_NOMEM:
		return 503;
	case FR_NOSPACE:
		return 507;
	case FR_IO:
	case FR_BROKEN:
	case FR_JOBFAILED:
		return 500;
	}
	return 500;
}

void
fr_answer_failed(struct fr_request *q, enum fr_rc rc, const struct fr_err *err)
{
	const char *type = "about:blank";

	if (rc == FR_CONFLICT)
		type = "wrong-state";
	if (rc == FR_UNKNOWN)
		type = "unknown-outcome";
	fr_buf_fini(&q->answer);
	fr_answer_problem(q, status_of(rc), type, "%s",
	    err->msg[0] != '\0' ? err->msg : fr_rc_name(rc));
}

/* ---- the query ---------------------------------------------------------- */

enum fr_rc
fr_param(struct fr_request *q, const char *name, char *dst, size_t size)
{
	const enum fr_rc rc = fr_url_param(q->query, name, dst, size);

	if (rc != FR_OK && rc != FR_NOTFOUND)
		fr_answer_problem(q, 422, "about:blank",
		    "parameter `%s`: cannot be read", name);
	return rc;
}

bool
fr_params_known(struct fr_request *q, const char *const *names)
{
	struct fr_span rest = q->query, name, value;
	size_t i;

	while (fr_url_next_param(&rest, &name, &value)) {
		for (i = 0; names[i] != NULL; i++)
			if (fr_span_is(name, names[i]))
				break;
		if (names[i] == NULL) {
			fr_answer_problem(q, 422, "about:blank",
			    "parameter `%.*s`: is not known",
			    (int)(name.len < 64 ? name.len : 64), name.p);
			return false;
		}
	}
	return true;
}

enum fr_rc
fr_param_ms(struct fr_request *q, const char *name, int64_t *ms)
{
	char text[64];
	const enum fr_rc rc = fr_param(q, name, text, sizeof(text));

	if (rc != FR_OK)
		return rc;
	if (fr_str_duration(fr_span_of(text), ms) == FR_OK)
		return FR_OK;
	fr_answer_problem(
	    q, 422, "about:blank", "parameter `%s`: must be a duration", name);
	return FR_INVALID;
}

enum fr_rc
fr_param_int(struct fr_request *q, const char *name, int64_t max, int64_t *n)
{
	char text[32];
	const enum fr_rc rc = fr_param(q, name, text, sizeof(text));

	if (rc != FR_OK)
		return rc;
	if (fr_str_i64(fr_span_of(text), 1, max, n) == FR_OK)
		return FR_OK;
	fr_answer_problem(q, 422, "about:blank",
	    "parameter `%s`: must be from 1 to %lld", name, (long long)max);
	return FR_INVALID;
}
