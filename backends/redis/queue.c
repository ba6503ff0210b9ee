/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fr/backend.h>

#include "backends/registry.h"
#include "backends/weigh.h"
#include "base/assert.h"
#include "base/io.h"
#include "base/map.h"
#include "base/str.h"
#include "conn.h"

/*
 * Every call is one Lua script on the server, and so happens as a whole; the
 * scripts are in share/lua, and redis-push.lua says what is kept. All keys
 * are under prefix:order:, with the prefix in braces, so that they would be
 * on one node of a cluster. What another program does to our keys, and a
 * flush, lose hints only; a key that is not what it should be is deleted.
 */

#define MAGIC 0x66727271U
#define TYPES_MAX 1024 /* of one call */

enum script { PUSH, POP, REMOVE, ALL, PLACE, SCRIPTS };

static const char *const script_text[SCRIPTS] = {
	[PUSH] =
#include "lua/redis-push.lua.h"
	    ,
	[POP] =
#include "lua/redis-pop.lua.h"
	    ,
	[REMOVE] =
#include "lua/redis-remove.lua.h"
	    ,
	[ALL] =
#include "lua/redis-all.lua.h"
	    ,
	[PLACE] =
#include "lua/redis-place.lua.h"
	    ,
};

struct rq {
	struct fr_queue q;
	uint32_t magic;
	struct fr_redis_conn conn;
	bool drawn; /* random or weighted */
	bool weighted;
	struct fr_weigh *weigh;
	char command[1024]; /* of weigh */
	char order[16];
	char base[160]; /* "{prefix}:order:" */
	char about[320];
	char sha[SCRIPTS][41]; /* on this connection's server */
	unsigned loaded;       /* the generation that has them */
	double *weight;
	size_t nweight;
	const char **types; /* those of a batch */
	size_t ntypes;
	uint32_t *type_of; /* by ticket: number in types */
	size_t nmapped;
};

static struct rq *
self(struct fr_queue *q)
{
	struct rq *r = (struct rq *)q;

	fr_assert(r != NULL && r->magic == MAGIC);
	return r;
}

static enum fr_rc
no_memory(struct fr_err *err)
{
	return fr_fail(err, FR_NOMEM, "redis queue: out of memory");
}

static enum fr_rc
password_file(struct rq *q, const char *path, struct fr_err *err)
{
	struct fr_buf b;
	enum fr_rc rc;

	fr_buf_init(&b, sizeof(q->conn.password));
	rc = fr_io_read_file(path, &b, err);
	while (
	    rc == FR_OK && b.len > 0 && isspace((unsigned char)b.p[b.len - 1]))
		b.len--;
	if (rc == FR_OK && !fr_str_copy(q->conn.password,
			       sizeof(q->conn.password), fr_buf_span(&b)))
		rc = fr_fail(err, FR_TOOBIG, "%s: too long", path);
	if (b.p != NULL)
		explicit_bzero(b.p, b.cap);
	fr_buf_fini(&b);
	return rc;
}

static enum fr_rc
set_order(struct rq *q, const char *order, struct fr_err *err)
{
	q->weighted = strcmp(order, "weighted") == 0;
	q->drawn = q->weighted || strcmp(order, "random") == 0;
	if ((!q->drawn && strcmp(order, "fifo") != 0) ||
	    !fr_str_copy(q->order, sizeof(q->order), fr_span_of(order)))
		return fr_fail(
		    err, FR_USAGE, "redis: order is fifo, random or weighted");
	return FR_OK;
}

/* One parameter of the URL. */
static enum fr_rc
param(struct rq *q, struct fr_span query, struct fr_span name, char *prefix,
    size_t prefix_size, struct fr_err *err)
{
	static const char *const known[] = { "prefix", "order", "weigh",
		"password-file", "cacert", "cert", "key", "db", "timeout" };
	char value[1024];
	int64_t v;
	size_t i;
	bool ok = true;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (fr_span_is(name, known[i]))
			break;
	if (i == sizeof(known) / sizeof(*known))
		return fr_fail(err, FR_USAGE, "redis: unknown parameter %.*s",
		    (int)name.len, name.p);
	if (fr_url_param(query, known[i], value, sizeof(value)) != FR_OK ||
	    value[0] == '\0')
		return fr_fail(err, FR_USAGE, "redis: bad %s", known[i]);
	switch (i) {
	case 0:
		ok = strpbrk(value, "{} \r\n") == NULL &&
		     fr_str_copy(prefix, prefix_size, fr_span_of(value));
		break;
	case 1:
		return set_order(q, value, err);
	case 2:
		ok = fr_str_copy(
		    q->command, sizeof(q->command), fr_span_of(value));
		break;
	case 3:
		return password_file(q, value, err);
	case 4:
		ok = fr_str_copy(
		    q->conn.cacert, sizeof(q->conn.cacert), fr_span_of(value));
		break;
	case 5:
		ok = fr_str_copy(
		    q->conn.cert, sizeof(q->conn.cert), fr_span_of(value));
		break;
	case 6:
		ok = fr_str_copy(
		    q->conn.key, sizeof(q->conn.key), fr_span_of(value));
		break;
	case 7:
		ok = fr_str_i64(fr_span_of(value), 0, 1 << 20, &v) == FR_OK;
		q->conn.db = ok ? (int)v : 0;
		break;
	default:
		ok = fr_str_duration(fr_span_of(value), &v) == FR_OK && v > 0 &&
		     v <= 600000;
		q->conn.answer_ms = ok ? v : FR_REDIS_ANSWER_MS;
		break;
	}
	return ok ? FR_OK : fr_fail(err, FR_USAGE, "redis: bad %s", known[i]);
}

static enum fr_rc
configure(struct rq *q, const char *args, bool tls, struct fr_err *err)
{
	char prefix[100] = "forerunner";
	struct fr_span query, name, value;
	struct fr_buf text;
	struct fr_url url;
	enum fr_rc rc;

	q->conn.tls = tls;
	fr_buf_init(&text, 0);
	fr_buf_adds(&text, "redis:");
	if (strncmp(args, "//", 2) != 0)
		fr_buf_adds(&text, "//");
	fr_buf_adds(&text, args);
	rc = fr_url_parse(fr_buf_cstr(&text), &url, err);
	if (rc != FR_OK)
		q->conn.fd = -1;
	else
		rc = fr_redis_conf(&q->conn, &url, err);
	if (rc == FR_OK) {
		rc = set_order(q, "fifo", err);
		query = url.query;
		while (rc == FR_OK && fr_url_next_param(&query, &name, &value))
			rc = param(
			    q, url.query, name, prefix, sizeof(prefix), err);
	}
	explicit_bzero(&url, sizeof(url));
	if (text.p != NULL)
		explicit_bzero(text.p, text.cap);
	fr_buf_fini(&text);
	if (rc == FR_OK && q->command[0] != '\0' && !q->weighted)
		return fr_fail(
		    err, FR_USAGE, "redis: weigh is for order=weighted");
	if (rc == FR_OK && !fr_str_format(q->base, sizeof(q->base),
			       "{%s}:%s:", prefix, q->order))
		rc = fr_fail(err, FR_USAGE, "redis: prefix too long");
	return rc;
}

static void
rq_close(struct fr_queue *base)
{
	struct rq *q;

	if (base == NULL)
		return;
	q = self(base);
	fr_redis_fini(&q->conn);
	fr_weigh_free(q->weigh);
	free(q->weight);
	free(q->types);
	free(q->type_of);
	q->magic = 0;
	free(q);
}

static uint32_t
rq_caps(struct fr_queue *base)
{
	return FR_QUEUE_SHARED |
	       (self(base)->weigh != NULL ? FR_QUEUE_WANTS_DATA : 0);
}

static const char *
rq_describe(struct fr_queue *base)
{
	struct rq *q = self(base);
	const char *order = "higher priority first, then first in, first out";

	if (q->drawn)
		order = !q->weighted       ? "drawn by chance"
			: q->weigh != NULL ? "drawn by a command's weight"
					   : "drawn by weight: the priority";
	if (!fr_str_format(q->about, sizeof(q->about),
		"%s %s%s, keys %s*, %s%s%s",
		q->conn.valkey ? "Valkey" : "Redis",
		q->conn.version[0] != '\0' ? q->conn.version : "(unknown)",
		q->conn.fd == -1 ? " (not reachable now)" : "", q->base, order,
		q->conn.evicts[0] != '\0' ? "; drops keys when full: " : "",
		q->conn.evicts))
		q->about[sizeof(q->about) - 1] = '\0';
	return q->about;
}

static bool
error_is(const redisReply *r, const char *with)
{
	return r->type == REDIS_REPLY_ERROR &&
	       strncmp(r->str, with, strlen(with)) == 0;
}

/* Has the server keep the scripts; once a connection. */
static enum fr_rc
load_scripts(struct rq *q, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;
	redisReply *r;
	int i;

	for (i = 0; i < SCRIPTS; i++) {
		fr_redis_command(&q->conn, 3);
		fr_redis_argz(&q->conn, "SCRIPT");
		fr_redis_argz(&q->conn, "LOAD");
		fr_redis_argz(&q->conn, script_text[i]);
	}
	for (i = 0; i < SCRIPTS && rc == FR_OK; i++) {
		rc = fr_redis_reply(&q->conn, &r, err);
		if (rc == FR_OK && r->type == REDIS_REPLY_ERROR)
			rc = fr_redis_refused(&q->conn, r, err);
		else if (rc == FR_OK &&
			 (r->type != REDIS_REPLY_STRING ||
			     !fr_str_copy(q->sha[i], sizeof(q->sha[i]),
				 (struct fr_span){ r->str, (size_t)r->len })))
			rc = fr_fail(err, FR_BROKEN,
			    "redis: SCRIPT LOAD: not the digest");
		freeReplyObject(r);
	}
	if (rc == FR_OK)
		q->loaded = q->conn.generation;
	else
		fr_redis_drop(&q->conn); /* replies may be left */
	return rc;
}

static enum fr_rc
ready(struct rq *q, struct fr_err *err)
{
	enum fr_rc rc = fr_redis_ready(&q->conn, err);

	if (rc == FR_OK && q->loaded != q->conn.generation)
		rc = load_scripts(q, err);
	return rc;
}

static void
key(struct rq *q, const char *kind, const char *type)
{
	char name[sizeof(q->base) + FR_TYPE_MAX + 16];

	if (fr_str_format(name, sizeof(name), "%s%s%s", q->base, kind, type))
		fr_redis_argz(&q->conn, name);
}

/* The beginning of a script's call; its keys and arguments follow. */
static void
call(struct rq *q, enum script s, size_t nkeys, size_t nargs)
{
	fr_redis_command(&q->conn, 3 + nkeys + nargs);
	fr_redis_argz(&q->conn, "EVALSHA");
	fr_redis_argz(&q->conn, q->sha[s]);
	fr_redis_argi(&q->conn, (long long)nkeys);
}

static void
type_keys(struct rq *q, const char *const *types, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		key(q, "queue:", types[i]);
		key(q, "index:", types[i]);
	}
}

/* Somebody's garbage under our names: away with it. The sweep refills. */
static void
clean(struct rq *q, const char *const *types, size_t n)
{
	redisReply *r = NULL;

	fr_redis_command(&q->conn, 3 + 2 * n);
	fr_redis_argz(&q->conn, "UNLINK");
	key(q, "counters", "");
	key(q, "types", "");
	type_keys(q, types, n);
	(void)fr_redis_reply(&q->conn, &r, NULL);
	freeReplyObject(r);
}

/*
 * The reply of the call just made, of the type that it must have. FR_EXISTS:
 * the server has forgotten the scripts; they are loaded, call again.
 */
static enum fr_rc
answer(struct rq *q, int type, const char *const *types, size_t ntypes,
    redisReply **out, struct fr_err *err)
{
	redisReply *r;
	enum fr_rc rc = fr_redis_reply(&q->conn, &r, err);

	if (rc == FR_OK && r->type == type) {
		*out = r;
		return FR_OK;
	}
	if (rc != FR_OK)
		return rc;
	if (error_is(r, "NOSCRIPT")) {
		rc = load_scripts(q, err);
		if (rc == FR_OK)
			rc = FR_EXISTS;
	} else if (r->type == REDIS_REPLY_ERROR &&
		   strstr(r->str, "WRONGTYPE") != NULL) {
		clean(q, types, ntypes);
		rc = fr_fail(err, FR_AGAIN,
		    "redis: keys under %s were not ours: deleted", q->base);
	} else if (r->type == REDIS_REPLY_ERROR) {
		rc = fr_redis_refused(&q->conn, r, err);
	} else {
		rc = fr_fail(err, FR_BROKEN,
		    "redis: a script's answer has type %d, not %d", r->type,
		    type);
		fr_redis_drop(&q->conn);
	}
	freeReplyObject(r);
	return rc;
}

/* The types of a batch into q->types, and each ticket's into type_of. */
static enum fr_rc
map_types(struct rq *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	void *p;
	size_t i, k;

	if (q->types == NULL)
		q->types = calloc(TYPES_MAX, sizeof(*q->types));
	if (q->types == NULL)
		return no_memory(err);
	if (n > q->nmapped) {
		p = reallocarray(q->type_of, n, sizeof(*q->type_of));
		if (p == NULL)
			return no_memory(err);
		q->type_of = p;
		q->nmapped = n;
	}
	q->ntypes = 0;
	for (i = 0; i < n; i++) {
		/* Most often the same as the one before. */
		k = i > 0 ? q->type_of[i - 1] : 0;
		if (i == 0 || strcmp(q->types[k], t[i].type) != 0)
			for (k = 0; k < q->ntypes; k++)
				if (strcmp(q->types[k], t[i].type) == 0)
					break;
		if (k == TYPES_MAX)
			return fr_fail(err, FR_TOOBIG,
			    "redis queue: more than %d types in one call",
			    TYPES_MAX);
		if (k == q->ntypes)
			q->types[q->ntypes++] = t[i].type;
		q->type_of[i] = (uint32_t)k;
	}
	return FR_OK;
}

/* How far each ticket is from its turn; see redis-pop.lua. */
static enum fr_rc
weigh(struct rq *q, const struct fr_ticket *t, size_t n, bool front,
    struct fr_err *err)
{
	double u;
	void *p;
	size_t i;

	if (!q->drawn || front || n == 0)
		return FR_OK;
	if (n > q->nweight) {
		p = reallocarray(q->weight, n, sizeof(*q->weight));
		if (p == NULL)
			return no_memory(err);
		q->weight = p;
		q->nweight = n;
	}
	if (q->weigh != NULL)
		fr_weigh_ask(q->weigh, t, n, q->weight);
	for (i = 0; i < n; i++) {
		if (q->weigh == NULL)
			q->weight[i] = q->weighted ? fr_weigh_plain(&t[i]) : 1;
		if (!(q->weight[i] > 1e-12))
			q->weight[i] = 1e-12;
		u = 1 - fr_rand_unit(&q->conn.rand); /* in (0, 1] */
		q->weight[i] = -log(u) / q->weight[i];
	}
	return FR_OK;
}

static void
push_call(struct rq *q, const struct fr_ticket *t, size_t n, bool front)
{
	struct fr_redis_conn *c = &q->conn;
	char far[40];
	size_t i;

	call(q, PUSH, 2 + 2 * q->ntypes, 3 + q->ntypes + 4 * n);
	key(q, "counters", "");
	key(q, "types", "");
	type_keys(q, q->types, q->ntypes);
	fr_redis_argz(c, front ? "front" : "end");
	fr_redis_argz(c, q->drawn ? "drawn" : "fifo");
	fr_redis_argi(c, (long long)q->ntypes);
	for (i = 0; i < q->ntypes; i++)
		fr_redis_argz(c, q->types[i]);
	for (i = 0; i < n; i++) {
		fr_redis_argi(c, (long long)q->type_of[i] + 1);
		fr_redis_arg(c, t[i].id.b, sizeof(t[i].id.b));
		fr_redis_argi(c, t[i].priority);
		if (!q->drawn || front ||
		    !fr_str_format(far, sizeof(far), "%.17g", q->weight[i]))
			(void)fr_str_copy(far, sizeof(far), FR_SPAN("0"));
		fr_redis_argz(c, far);
	}
}

static enum fr_rc
push(struct fr_queue *base, const struct fr_ticket *t, size_t n, bool front,
    struct fr_err *err)
{
	struct rq *q = self(base);
	redisReply *r = NULL;
	enum fr_rc rc;
	int tries;

	rc = map_types(q, t, n, err);
	if (rc == FR_OK)
		rc = weigh(q, t, n, front, err);
	if (rc == FR_OK)
		rc = ready(q, err);
	for (tries = 0; rc == FR_OK && tries < 3; tries++) {
		push_call(q, t, n, front);
		rc = answer(
		    q, REDIS_REPLY_INTEGER, q->types, q->ntypes, &r, err);
		if (rc != FR_EXISTS)
			break;
		rc = FR_OK;
	}
	freeReplyObject(r);
	return rc;
}

static enum fr_rc
rq_push(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	return n == 0 ? FR_OK : push(q, t, n, false, err);
}

static enum fr_rc
rq_requeue(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	return n == 0 ? FR_OK : push(q, t, n, true, err);
}

/* One ticket out of three elements; false: they are none. */
static bool
read_ticket(redisReply *const *e, const char *const *types, size_t ntypes,
    struct fr_ticket *t)
{
	int64_t type, priority;
	int i;

	for (i = 0; i < 3; i++)
		if (e[i]->type != REDIS_REPLY_STRING)
			return false;
	if (fr_str_i64((struct fr_span){ e[0]->str, (size_t)e[0]->len }, 1,
		(int64_t)ntypes, &type) != FR_OK ||
	    fr_str_i64((struct fr_span){ e[2]->str, (size_t)e[2]->len },
		INT32_MIN, INT32_MAX, &priority) != FR_OK ||
	    (size_t)e[1]->len != sizeof(t->id.b))
		return false;
	memcpy(t->id.b, e[1]->str, sizeof(t->id.b));
	t->type = types[type - 1];
	t->priority = (int32_t)priority;
	t->data = (struct fr_span){ NULL, 0 };
	return true;
}

static enum fr_rc
rq_pop(struct fr_queue *base, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t *n, struct fr_err *err)
{
	struct rq *q = self(base);
	const size_t most = *n;
	redisReply *r = NULL;
	enum fr_rc rc;
	size_t i;
	int tries;

	*n = 0;
	if (ntypes == 0 || most == 0)
		return FR_OK;
	if (ntypes > TYPES_MAX)
		return fr_fail(err, FR_TOOBIG,
		    "redis queue: more than %d types in one call", TYPES_MAX);
	rc = ready(q, err);
	for (tries = 0; rc == FR_OK && tries < 3; tries++) {
		call(q, POP, 1 + 2 * ntypes, 2 + ntypes);
		key(q, "counters", "");
		type_keys(q, types, ntypes);
		fr_redis_argi(&q->conn, (long long)most);
		fr_redis_argz(&q->conn, q->drawn ? "drawn" : "fifo");
		for (i = 0; i < ntypes; i++)
			fr_redis_argz(&q->conn, types[i]);
		rc = answer(q, REDIS_REPLY_ARRAY, types, ntypes, &r, err);
		if (rc != FR_EXISTS)
			break;
		rc = FR_OK;
	}
	for (i = 0;
	     rc == FR_OK && r != NULL && i + 2 < r->elements && *n < most;
	     i += 3)
		if (read_ticket(r->element + i, types, ntypes, &t[*n]))
			(*n)++;
	freeReplyObject(r);
	return rc;
}

static enum fr_rc
rq_remove(struct fr_queue *base, const struct fr_ticket *t, size_t n,
    struct fr_err *err)
{
	struct rq *q = self(base);
	redisReply *r = NULL;
	enum fr_rc rc;
	size_t i;
	int tries;

	if (n == 0)
		return FR_OK;
	rc = map_types(q, t, n, err);
	if (rc == FR_OK)
		rc = ready(q, err);
	for (tries = 0; rc == FR_OK && tries < 3; tries++) {
		call(q, REMOVE, 2 * q->ntypes, 2 * n);
		type_keys(q, q->types, q->ntypes);
		for (i = 0; i < n; i++) {
			fr_redis_argi(&q->conn, (long long)q->type_of[i] + 1);
			fr_redis_arg(&q->conn, t[i].id.b, sizeof(t[i].id.b));
		}
		rc = answer(
		    q, REDIS_REPLY_INTEGER, q->types, q->ntypes, &r, err);
		if (rc != FR_EXISTS)
			break;
		rc = FR_OK;
	}
	freeReplyObject(r);
	return rc;
}

/* A script over all types. */
static enum fr_rc
over_all(struct rq *q, const char *what, int64_t *n, struct fr_err *err)
{
	redisReply *r = NULL;
	enum fr_rc rc = ready(q, err);
	int tries;

	for (tries = 0; rc == FR_OK && tries < 3; tries++) {
		call(q, ALL, 2, 3);
		key(q, "counters", "");
		key(q, "types", "");
		fr_redis_argz(&q->conn, what);
		key(q, "queue:", "");
		key(q, "index:", "");
		rc = answer(q, REDIS_REPLY_INTEGER, NULL, 0, &r, err);
		if (rc != FR_EXISTS)
			break;
		rc = FR_OK;
	}
	if (rc == FR_OK && r != NULL)
		*n = r->integer;
	freeReplyObject(r);
	return rc;
}

static enum fr_rc
rq_length(
    struct fr_queue *base, const char *type, int64_t *n, struct fr_err *err)
{
	struct rq *q = self(base);
	redisReply *r = NULL;
	enum fr_rc rc;

	*n = 0;
	if (type == NULL)
		return over_all(q, "length", n, err);
	rc = ready(q, err);
	if (rc != FR_OK)
		return rc;
	fr_redis_command(&q->conn, 2);
	fr_redis_argz(&q->conn, "ZCARD");
	key(q, "queue:", type);
	rc = answer(q, REDIS_REPLY_INTEGER, &type, 1, &r, err);
	if (rc == FR_OK)
		*n = r->integer;
	freeReplyObject(r);
	return rc;
}

static enum fr_rc
rq_empty(struct fr_queue *base, struct fr_err *err)
{
	int64_t n;

	return over_all(self(base), "empty", &n, err);
}

static enum fr_rc
rq_place(struct fr_queue *base, const struct fr_ticket *t, int64_t *ahead,
    struct fr_err *err)
{
	struct rq *q = self(base);
	redisReply *r = NULL;
	enum fr_rc rc;

	if (q->drawn)
		return fr_fail(err, FR_INVALID,
		    "redis queue: what is drawn by chance has no place");
	rc = ready(q, err);
	if (rc != FR_OK)
		return rc;
	call(q, PLACE, 2, 1);
	type_keys(q, &t->type, 1);
	fr_redis_arg(&q->conn, t->id.b, sizeof(t->id.b));
	rc = fr_redis_reply(&q->conn, &r, err);
	if (rc == FR_OK && r->type == REDIS_REPLY_INTEGER)
		*ahead = r->integer;
	else if (rc == FR_OK && r->type == REDIS_REPLY_ERROR)
		rc = fr_redis_refused(&q->conn, r, err);
	else if (rc == FR_OK)
		rc = fr_fail(err, FR_NOTFOUND, "redis queue: no such job");
	freeReplyObject(r);
	return rc;
}

/*
 * A server that is away does not keep a manager from starting: it works from
 * the store until the server is there. One that does not let us in does.
 */
static enum fr_rc
open_with(struct fr_queue **out, const char *args, bool tls,
    const struct fr_queue_ops *ops, struct fr_err *err)
{
	struct rq *q = calloc(1, sizeof(*q));
	enum fr_rc rc;

	if (q == NULL)
		return no_memory(err);
	q->q.ops = ops;
	q->magic = MAGIC;
	rc = configure(q, args, tls, err);
	if (rc == FR_OK && q->command[0] != '\0') {
		q->weigh = fr_weigh_new(q->command);
		if (q->weigh == NULL)
			rc = no_memory(err);
	}
	/* Nothing is pushed as anything would be. */
	if (rc == FR_OK)
		rc = push(&q->q, NULL, 0, false, err);
	if (rc == FR_AGAIN)
		rc = FR_OK;
	if (rc != FR_OK) {
		rq_close(&q->q);
		return rc;
	}
	*out = &q->q;
	return FR_OK;
}

static enum fr_rc
rq_open(struct fr_queue **out, const char *args, struct fr_err *err)
{
	return open_with(out, args, false, &fr_queue_redis, err);
}

static enum fr_rc
rq_open_tls(struct fr_queue **out, const char *args, struct fr_err *err)
{
	return open_with(out, args, true, &fr_queue_rediss, err);
}

/* The folder's only symbols that others use. */
#define OPS(name, opener)                                                      \
	{                                                                      \
		.abi = FR_BACKEND_ABI, .size = sizeof(struct fr_queue_ops),    \
		.scheme = name, .open = opener, .close = rq_close,             \
		.caps = rq_caps, .describe = rq_describe, .push = rq_push,     \
		.pop = rq_pop, .requeue = rq_requeue, .remove = rq_remove,     \
		.length = rq_length, .empty = rq_empty, .place = rq_place,     \
	}
const struct fr_queue_ops fr_queue_redis = OPS("redis", rq_open);
const struct fr_queue_ops fr_queue_rediss = OPS("rediss", rq_open_tls);
