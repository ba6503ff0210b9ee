/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <fr/backend.h>

#include "backends/registry.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "rows.h"

/* A queue that is another program. */

#define MAGIC 0x66727871U

struct xq {
	struct fr_queue q;
	uint32_t magic;
	struct fr_exec_peer peer;
	char about[320];
};

static struct xq *
self(struct fr_queue *q)
{
	struct xq *x = (struct xq *)q;

	fr_assert(x != NULL && x->magic == MAGIC);
	return x;
}

static void
xq_close(struct fr_queue *base)
{
	struct xq *q;

	if (base == NULL)
		return;
	q = self(base);
	fr_exec_fini(&q->peer);
	q->magic = 0;
	free(q);
}

static enum fr_rc
xq_open(struct fr_queue **out, const char *args, struct fr_err *err)
{
	struct xq *q = calloc(1, sizeof(*q));
	enum fr_rc rc;

	if (q == NULL)
		return fr_fail(err, FR_NOMEM, "exec queue: out of memory");
	q->q.ops = &fr_queue_exec;
	q->magic = MAGIC;
	rc = fr_exec_init(&q->peer, "queue", args, false, err);
	if (rc == FR_OK)
		rc = fr_exec_start(&q->peer, err);
	if (rc != FR_OK) {
		xq_close(&q->q);
		return rc;
	}
	*out = &q->q;
	return FR_OK;
}

static uint32_t
xq_caps(struct fr_queue *base)
{
	const struct fr_exec_peer *p = &self(base)->peer;

	return (p->shared ? FR_QUEUE_SHARED : 0) |
	       (p->wants_data ? FR_QUEUE_WANTS_DATA : 0);
}

static const char *
xq_describe(struct fr_queue *base)
{
	struct xq *q = self(base);

	if (!fr_str_format(q->about, sizeof(q->about), "exec:%.100s%s%.150s",
		q->peer.command, q->peer.name[0] != '\0' ? ", " : "",
		q->peer.name))
		q->about[sizeof(q->about) - 1] = '\0';
	return q->about;
}

/* push, requeue and remove: tickets there, nothing back. */
static enum fr_rc
tickets(struct fr_queue *base, const char *call, const struct fr_ticket *t,
    size_t n, struct fr_err *err)
{
	struct fr_exec_peer *p = &self(base)->peer;
	struct fr_span answer;
	enum fr_rc rc;
	size_t i;

	if (n == 0)
		return FR_OK;
	rc = fr_exec_start(p, err);
	if (rc != FR_OK)
		return rc;
	fr_exec_request(p, call);
	fr_jsonw_key(&p->tx, "tickets");
	fr_jsonw_open(&p->tx, '[');
	for (i = 0; i < n; i++)
		fr_exec_put_ticket(&p->tx, &t[i], p->wants_data);
	fr_jsonw_close(&p->tx, ']');
	return fr_exec_answer(p, &answer, err);
}

static enum fr_rc
xq_push(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	return tickets(q, "push", t, n, err);
}

static enum fr_rc
xq_requeue(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	return tickets(q, "requeue", t, n, err);
}

static enum fr_rc
xq_remove(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	return tickets(q, "remove", t, n, err);
}

struct popping {
	const char *const *types;
	size_t ntypes;
	struct fr_ticket *t;
};

/* One that was not asked for would go to a worker that cannot do it. */
static enum fr_rc
popped(void *arg, const struct fr_ticket *t)
{
	struct popping *pop = arg;
	size_t i;

	for (i = 0; i < pop->ntypes; i++)
		if (strcmp(pop->types[i], t->type) == 0)
			break;
	if (i == pop->ntypes)
		return FR_BROKEN;
	*pop->t = *t;
	pop->t->type = pop->types[i];
	pop->t++;
	return FR_OK;
}

static enum fr_rc
xq_pop(struct fr_queue *base, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t *n, struct fr_err *err)
{
	struct fr_exec_peer *p = &self(base)->peer;
	struct popping pop = { types, ntypes, t };
	const size_t most = *n;
	struct fr_span answer;
	enum fr_rc rc;
	size_t i;

	*n = 0;
	if (most == 0 || ntypes == 0)
		return FR_OK;
	rc = fr_exec_start(p, err);
	if (rc != FR_OK)
		return rc;
	fr_exec_request(p, "pop");
	fr_jsonw_key(&p->tx, "types");
	fr_jsonw_open(&p->tx, '[');
	for (i = 0; i < ntypes; i++)
		fr_jsonw_strz(&p->tx, types[i]);
	fr_jsonw_close(&p->tx, ']');
	fr_exec_put_i64(&p->tx, "limit", (int64_t)most);
	rc = fr_exec_answer(p, &answer, err);
	if (rc != FR_OK)
		return rc;
	*n = most;
	rc = fr_exec_tickets(p, answer, false, n, popped, &pop, err);
	if (rc == FR_BROKEN)
		rc = fr_exec_broken(p, err, "a ticket nobody asked for");
	if (rc != FR_OK)
		*n = 0;
	return rc;
}

static enum fr_rc
xq_length(
    struct fr_queue *base, const char *type, int64_t *n, struct fr_err *err)
{
	struct fr_exec_peer *p = &self(base)->peer;
	struct fr_span answer;
	enum fr_rc rc = fr_exec_start(p, err);

	if (rc != FR_OK)
		return rc;
	fr_exec_request(p, "length");
	fr_jsonw_key(&p->tx, "type");
	if (type != NULL)
		fr_jsonw_strz(&p->tx, type);
	else
		fr_jsonw_null(&p->tx);
	rc = fr_exec_answer(p, &answer, err);
	if (rc == FR_OK && (!fr_exec_i64(answer, "length", n) || *n < 0))
		rc = fr_exec_broken(p, err, "an answer without a length");
	return rc;
}

static enum fr_rc
xq_empty(struct fr_queue *base, struct fr_err *err)
{
	struct fr_exec_peer *p = &self(base)->peer;
	struct fr_span answer;
	enum fr_rc rc = fr_exec_start(p, err);

	if (rc != FR_OK)
		return rc;
	fr_exec_request(p, "empty");
	return fr_exec_answer(p, &answer, err);
}

static enum fr_rc
xq_place(struct fr_queue *base, const struct fr_ticket *t, int64_t *ahead,
    struct fr_err *err)
{
	struct fr_exec_peer *p = &self(base)->peer;
	struct fr_span answer;
	enum fr_rc rc = fr_exec_start(p, err);

	if (rc != FR_OK)
		return rc;
	fr_exec_request(p, "place");
	fr_jsonw_key(&p->tx, "type");
	fr_jsonw_strz(&p->tx, t->type);
	fr_exec_put_id(&p->tx, "id", &t->id);
	rc = fr_exec_answer(p, &answer, err);
	if (rc == FR_OK && (!fr_exec_i64(answer, "ahead", ahead) || *ahead < 0))
		rc = fr_exec_broken(p, err, "an answer without a place");
	return rc;
}

const struct fr_queue_ops fr_queue_exec = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_queue_ops),
	.scheme = "exec",
	.open = xq_open,
	.close = xq_close,
	.caps = xq_caps,
	.describe = xq_describe,
	.push = xq_push,
	.pop = xq_pop,
	.requeue = xq_requeue,
	.remove = xq_remove,
	.length = xq_length,
	.empty = xq_empty,
	.place = xq_place,
};
