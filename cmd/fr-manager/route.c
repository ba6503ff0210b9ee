/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "auth.h"
#include "base/assert.h"
#include "base/str.h"
#include "base/time.h"
#include "base/url.h"
#include "base/uuid.h"
#include "manager.h"

/* Which call a request is, who may make it, and with what body. */

#define SUBMIT FR_ROLE_SUBMIT
#define WORK FR_ROLE_WORK
#define READ FR_ROLE_READ
#define ADMIN FR_ROLE_ADMIN
#define NONE FR_BODY_NONE

static const struct fr_route routes[] = {
	{ "POST", "/v1/jobs", SUBMIT, FR_BODY_JOBS, fr_jobs_post },
	{ "POST", "/v1/work", WORK, FR_BODY_JSON, fr_work_post },
	{ "GET", "/v1/jobs", READ, NONE, fr_jobs_list },
	{ "GET", "/v1/jobs/{id}", READ, NONE, fr_jobs_get },
	{ "DELETE", "/v1/jobs/{id}", ADMIN, NONE, fr_jobs_remove },
	{ "POST", "/v1/jobs/{id}/cancel", SUBMIT, NONE, fr_jobs_cancel },
	{ "POST", "/v1/jobs/{id}/retry", SUBMIT, NONE, fr_jobs_retry },
	{ "POST", "/v1/purge", ADMIN, NONE, fr_purge_post },
	{ "GET", "/v1/types", READ, NONE, fr_types_list },
	{ "POST", "/v1/types/{type}/pause", ADMIN, NONE, fr_types_pause },
	{ "POST", "/v1/types/{type}/resume", ADMIN, NONE, fr_types_resume },
	{ "GET", "/v1/workers", READ, NONE, fr_workers_get },
	{ "GET", "/v1/events", READ, NONE, fr_events_get },
	{ "GET", "/metrics", READ, NONE, fr_metrics_get },
	{ "GET", "/healthz", 0, NONE, fr_healthz_get },
	{ "GET", "/readyz", 0, NONE, fr_readyz_get },
};
#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static const char *
role_name(unsigned role)
{
	return role == SUBMIT  ? "submit"
	       : role == WORK  ? "work"
	       : role == READ  ? "read"
	       : role == ADMIN ? "admin"
			       : "anybody";
}

void
fr_route_dump(struct fr_buf *b)
{
	size_t i;

	for (i = 0; i < ROUTES; i++)
		fr_buf_addf(b, "%s %s %s\n", routes[i].method, routes[i].path,
		    role_name(routes[i].role));
}

bool
fr_route_overlaps(const struct fr_head *head)
{
	return fr_span_is(head->path, "/v1/jobs") &&
	       fr_span_is(head->method, "POST");
}

enum fr_rank
fr_route_rank(const struct fr_head *head)
{
	if (fr_span_is(head->path, "/v1/work"))
		return FR_RANK_URGENT;
	if (fr_span_is(head->path, "/healthz") ||
	    fr_span_is(head->path, "/readyz") ||
	    fr_span_is(head->path, "/metrics"))
		return FR_RANK_ALWAYS;
	return FR_RANK_USUAL;
}

/* Whether path is of this pattern; *part becomes what stands for {...}. */
static bool
matches(const char *pattern, struct fr_span path, struct fr_span *part)
{
	const char *brace = strchr(pattern, '{'), *rest, *p, *end;
	size_t n;

	*part = (struct fr_span){ NULL, 0 };
	if (brace == NULL)
		return fr_span_is(path, pattern);
	n = (size_t)(brace - pattern);
	if (path.len < n || memcmp(path.p, pattern, n) != 0)
		return false;
	rest = strchr(brace, '}') + 1;
	p = path.p + n;
	end = path.p + path.len;
	while (p < end && *p != '/')
		p++;
	*part = (struct fr_span){ path.p + n, (size_t)(p - path.p) - n };
	return part->len > 0 &&
	       fr_span_is((struct fr_span){ p, (size_t)(end - p) }, rest);
}

static bool
method_is(const struct fr_route *rt, struct fr_span method)
{
	return fr_span_is(method, rt->method) ||
	       (fr_span_is(method, "HEAD") && strcmp(rt->method, "GET") == 0);
}

/* The header line Allow of a path, in the arena. */
static const char *
allowed(struct fr_request *q, struct fr_span path)
{
	struct fr_span part;
	struct fr_buf b;
	const char *line;
	size_t i;

	fr_buf_init(&b, 0);
	for (i = 0; i < ROUTES; i++) {
		if (!matches(routes[i].path, path, &part))
			continue;
		fr_buf_adds(&b, b.len == 0 ? "Allow: " : ", ");
		fr_buf_adds(&b, routes[i].method);
		if (strcmp(routes[i].method, "GET") == 0)
			fr_buf_adds(&b, ", HEAD");
	}
	fr_buf_adds(&b, "\r\n");
	line = fr_arena_dupz(q->http.arena, fr_buf_span(&b));
	fr_buf_fini(&b);
	return line;
}

static bool
find_route(
    struct fr_request *q, const struct fr_head *head, struct fr_span *part)
{
	bool path = false;
	size_t i;

	for (i = 0; i < ROUTES; i++) {
		if (!matches(routes[i].path, head->path, part))
			continue;
		path = true;
		if (method_is(&routes[i], head->method)) {
			q->route = &routes[i];
			return true;
		}
	}
	if (!path) {
		fr_answer_problem(q, 404, "about:blank", "no such path");
		return false;
	}
	q->allow = allowed(q, head->path);
	fr_answer_problem(q, 405, "about:blank", "this path has no method %.*s",
	    (int)head->method.len, head->method.p);
	return false;
}

/* What stands for {id} or {type}. */
static bool
take_part(struct fr_request *q, struct fr_span part)
{
	char text[FR_TYPE_MAX + 1];

	if (part.p == NULL)
		return true;
	if (fr_url_decode(part, text, sizeof(text)) != FR_OK)
		text[0] = '\0';
	if (strstr(q->route->path, "{type}") != NULL) {
		if (!fr_type_valid(fr_span_of(text))) {
			fr_answer_problem(
			    q, 404, "about:blank", "no name of a type");
			return false;
		}
		memcpy(q->type, text, sizeof(text));
		return true;
	}
	if (!fr_uuid_prefix(fr_span_of(text), q->prefix)) {
		fr_answer_problem(q, 404, "about:blank",
		    "no id, nor the beginning of one (4 to 36 characters)");
		return false;
	}
	if (strlen(q->prefix) == 32) {
		(void)fr_hex_decode(q->id.b, sizeof(q->id.b),
		    (struct fr_span){ q->prefix, 32 });
		q->prefix[0] = '\0';
	}
	return true;
}

/* "application/json" also with parameters behind it. */
static bool
media_is(struct fr_span v, const char *z)
{
	const size_t n = strlen(z);

	return v.len >= n && strncasecmp(v.p, z, n) == 0 &&
	       (v.len == n || v.p[n] == ';' || v.p[n] == ' ');
}

static bool
check_media(struct fr_request *q, const struct fr_head *head)
{
	const enum fr_body body = q->route->body;

	if (body == FR_BODY_NONE ||
	    media_is(head->content_type, "application/json"))
		return true;
	if (body == FR_BODY_JOBS) {
		q->ndjson =
		    media_is(head->content_type, "application/x-ndjson") ||
		    media_is(head->content_type, "application/ndjson") ||
		    media_is(head->content_type, "application/jsonl");
		if (q->ndjson)
			return true;
	}
	fr_answer_problem(q, 415, "about:blank",
	    body == FR_BODY_JOBS ? "Content-Type must be application/json or "
				   "application/x-ndjson"
				 : "Content-Type must be application/json");
	return false;
}

static bool
wants_ndjson(struct fr_span accept)
{
	return memmem(accept.p == NULL ? "" : accept.p, accept.len, "ndjson",
		   6) != NULL ||
	       memmem(accept.p == NULL ? "" : accept.p, accept.len, "jsonl",
		   5) != NULL;
}

bool
fr_route_begin(struct fr_req *r, const struct fr_head *head)
{
	struct fr_request *q = (struct fr_request *)r;
	struct fr_manager *m = fr_manager_of(q);
	struct fr_span part;
	int64_t n;

	if (m->debug)
		q->started_us = fr_time_mono_us();
	if (!find_route(q, head, &part) ||
	    !fr_auth_allows(m->auth, q, head->authorization) ||
	    !take_part(q, part) || !check_media(q, head))
		return false;
	if (head->query.len > 0) {
		q->query = fr_arena_dup(r->arena, head->query);
		if (q->query.p == NULL) {
			fr_answer_problem(
			    q, 503, "about:blank", "out of memory");
			return false;
		}
	}
	if (q->route->body == FR_BODY_NONE)
		q->ndjson = wants_ndjson(head->accept);
	q->last_event = -1;
	if (head->last_event_id.len > 0 &&
	    fr_str_i64(head->last_event_id, 0, INT64_MAX, &n) == FR_OK)
		q->last_event = n;
	return true;
}

void
fr_route_handle(struct fr_req *r)
{
	struct fr_request *q = (struct fr_request *)r;

	fr_assert(q->route != NULL);
	q->route->handle(q);
}

void
fr_route_gone(struct fr_req *r)
{
	struct fr_request *q = (struct fr_request *)r;

	if (r->streaming) {
		fr_events_gone(q);
	} else if (r->parked && !q->abandoned) {
		q->abandoned = true;
		fr_engine_abandon(fr_manager_of(q)->engine, &q->op);
	}
}
