/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "manager.h"

/* Types, workers, purging, and whether all is well. */

static const char *const none[] = { NULL };

/* ---- types -------------------------------------------------------------- */

static int64_t
count_workers(const struct fr_request *q, const char *type)
{
	int64_t n = 0;
	size_t i;

	if (q->op.rc == FR_OK)
		for (i = 0; i < q->op.u.workers.n; i++)
			n += fr_worker_has_type(&q->op.u.workers.v[i], type);
	return n;
}

static void
put_type(struct fr_request *q, const struct fr_type_stats *t)
{
	struct fr_buf *b = &q->answer;
	int s;

	fr_jsonw_key(b, t->type);
	fr_jsonw_open(b, '{');
	for (s = 0; s < FR_STATES; s++) {
		fr_jsonw_key(b, fr_state_name((enum fr_state)s));
		fr_jsonw_i64(b, t->n[s]);
	}
	fr_jsonw_key(b, "paused");
	fr_jsonw_bool(b, t->paused);
	fr_jsonw_key(b, "workers");
	fr_jsonw_i64(b, count_workers(q, t->type));
	fr_jsonw_close(b, '}');
}

static enum fr_rc
emit_type(void *arg, const struct fr_type_stats *t)
{
	put_type(arg, t);
	return FR_OK;
}

/* Whether the answer, as far as it is written, has this type. */
static bool
has_key(const struct fr_buf *b, const char *type)
{
	char key[FR_TYPE_MAX + 8];

	return fr_str_format(key, sizeof(key), "\"%s\":{", type) &&
	       memmem(b->p, b->len, key, strlen(key)) != NULL;
}

static void
put_other(struct fr_request *q, const char *type)
{
	struct fr_type_stats t = { .type = type };

	if (!has_key(&q->answer, type))
		put_type(q, &t);
}

/* Those of a worker at another manager, of which only its JSON is known. */
static void
put_elsewhere(struct fr_request *q, struct fr_span json)
{
	struct fr_json_iter it = fr_worker_types(json);
	char type[FR_TYPE_MAX + 1];
	struct fr_span item;

	while (fr_json_element(&it, &item))
		if (item.len > 2 &&
		    fr_str_copy(type, sizeof(type),
			(struct fr_span){ item.p + 1, item.len - 2 }) &&
		    fr_type_valid(fr_span_of(type)))
			put_other(q, type);
}

/* Types that only workers know have no jobs. */
static void
put_others(struct fr_request *q)
{
	const struct fr_worker_view *v;
	size_t i, k;

	if (q->op.rc != FR_OK)
		return;
	for (i = 0; i < q->op.u.workers.n; i++) {
		v = &q->op.u.workers.v[i];
		for (k = 0; k < v->ntypes; k++)
			put_other(q, v->types[k]);
		if (v->json.len > 0)
			put_elsewhere(q, v->json);
	}
}

static enum fr_rc
read_types(struct fr_store *s, struct fr_request *q)
{
	enum fr_rc rc;

	fr_jsonw_open(&q->answer, '{');
	rc = s->ops->stats(s, emit_type, q, &q->err);
	put_others(q);
	fr_jsonw_close(&q->answer, '}');
	return rc;
}

static void
answer_read(struct fr_request *q)
{
	if (q->rc != FR_OK)
		fr_answer_failed(q, q->rc, &q->err);
	else
		fr_answer_json(q, 200, &q->answer);
}

static void
types_workers(struct fr_request *q)
{
	fr_ask_reader(q, read_types, answer_read);
}

void
fr_types_list(struct fr_request *q)
{
	if (!fr_params_known(q, none))
		return;
	q->op.kind = FR_OP_WORKERS;
	fr_ask_engine(q, false, types_workers);
}

static void
paused(struct fr_request *q)
{
	struct fr_buf b;

	if (q->op.rc != FR_OK && q->op.rc != FR_EXISTS) {
		fr_answer_failed(q, q->op.rc, &q->op.err);
		return;
	}
	fr_buf_init(&b, 0);
	fr_jsonw_open(&b, '{');
	fr_jsonw_key(&b, "type");
	fr_jsonw_strz(&b, q->type);
	fr_jsonw_key(&b, "paused");
	fr_jsonw_bool(&b, q->op.kind == FR_OP_PAUSE);
	fr_jsonw_close(&b, '}');
	fr_answer_json(q, 200, &b);
}

static void
ask_pause(struct fr_request *q, enum fr_op_kind kind)
{
	if (!fr_params_known(q, none))
		return;
	q->op.kind = kind;
	q->op.u.pause.type = q->type;
	fr_ask_engine(q, false, paused);
}

void
fr_types_pause(struct fr_request *q)
{
	ask_pause(q, FR_OP_PAUSE);
}

void
fr_types_resume(struct fr_request *q)
{
	ask_pause(q, FR_OP_RESUME);
}

/* ---- workers ------------------------------------------------------------ */

static void
answer_workers(struct fr_request *q)
{
	struct fr_buf b;
	size_t i;

	if (q->op.rc != FR_OK) {
		fr_answer_failed(q, q->op.rc, &q->op.err);
		return;
	}
	fr_buf_init(&b, 0);
	fr_jsonw_open(&b, '[');
	for (i = 0; i < q->op.u.workers.n; i++)
		fr_worker_view_write(&b, &q->op.u.workers.v[i]);
	fr_jsonw_close(&b, ']');
	fr_answer_json(q, 200, &b);
}

void
fr_workers_get(struct fr_request *q)
{
	if (!fr_params_known(q, none))
		return;
	q->op.kind = FR_OP_WORKERS;
	fr_ask_engine(q, false, answer_workers);
}

/* ---- purging ------------------------------------------------------------ */

static void
purged(struct fr_request *q)
{
	struct fr_buf b;

	if (q->op.rc != FR_OK) {
		fr_answer_failed(q, q->op.rc, &q->op.err);
		return;
	}
	fr_buf_init(&b, 0);
	fr_jsonw_open(&b, '{');
	fr_jsonw_key(&b, "purged");
	fr_jsonw_i64(&b, q->op.u.purge.count);
	fr_jsonw_close(&b, '}');
	fr_answer_json(q, 200, &b);
}

/* ?state=complete&older=SECONDS; both are wanted, since it is for good. */
void
fr_purge_post(struct fr_request *q)
{
	static const char *const known[] = { "state", "older", "limit", NULL };
	enum fr_state state;
	int64_t ms, limit = 0;
	char text[64];
	enum fr_rc rc;

	if (!fr_params_known(q, known))
		return;
	rc = fr_param(q, "state", text, sizeof(text));
	if (rc != FR_OK && rc != FR_NOTFOUND)
		return;
	if (rc == FR_NOTFOUND || !fr_state_parse(fr_span_of(text), &state) ||
	    !fr_state_ended(state)) {
		fr_answer_problem(q, 422, "about:blank",
		    "parameter `state`: must be complete, failed or cancelled");
		return;
	}
	rc = fr_param_ms(q, "older", &ms);
	if (rc == FR_NOTFOUND)
		fr_answer_problem(
		    q, 422, "about:blank", "parameter `older`: is missing");
	if (rc != FR_OK)
		return;
	rc = fr_param_int(q, "limit", INT64_MAX, &limit);
	if (rc != FR_OK && rc != FR_NOTFOUND)
		return;
	q->op.kind = FR_OP_PURGE;
	q->op.u.purge.states = FR_STATE_BIT(state);
	q->op.u.purge.older_ms = ms;
	q->op.u.purge.limit = limit;
	fr_ask_engine(q, false, purged);
}

/* ---- health ------------------------------------------------------------- */

void
fr_healthz_get(struct fr_request *q)
{
	struct fr_buf b;

	fr_buf_init(&b, 0);
	fr_buf_adds(&b, "{\"alive\":true}");
	fr_answer_json(q, 200, &b);
}

static void
readied(struct fr_request *q)
{
	const struct fr_manager *m = fr_manager_of(q);
	const bool ready = q->op.rc == FR_OK && !m->stopping;
	struct fr_engine_counters c;
	struct fr_buf b;

	fr_engine_counters(m->engine, &c);
	fr_buf_init(&b, 0);
	fr_jsonw_open(&b, '{');
	fr_jsonw_key(&b, "ready");
	fr_jsonw_bool(&b, ready);
	if (!ready) {
		fr_jsonw_key(&b, "reason");
		fr_jsonw_strz(&b, m->stopping ? "stopping"
				  : q->op.err.msg[0] != '\0'
				      ? q->op.err.msg
				      : fr_rc_name(q->op.rc));
	}
	fr_jsonw_key(&b, "store");
	fr_jsonw_strz(&b, m->store_text);
	fr_jsonw_key(&b, "durable");
	fr_jsonw_bool(&b, m->durable);
	fr_jsonw_key(&b, "queue");
	fr_jsonw_strz(&b, m->queue_text);
	fr_jsonw_key(&b, "loading");
	fr_jsonw_bool(&b, c.loading != 0);
	fr_jsonw_key(&b, "degraded");
	fr_jsonw_bool(&b, c.degraded != 0);
	fr_jsonw_close(&b, '}');
	fr_answer_json(q, ready ? 200 : 503, &b);
}

void
fr_readyz_get(struct fr_request *q)
{
	q->op.kind = FR_OP_READY;
	fr_ask_engine(q, false, readied);
}
