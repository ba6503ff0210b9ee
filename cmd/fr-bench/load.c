/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "bench.h"
#include "wire/work.h"

/* Those who submit, and those who take and finish, over raw connections. */

/* ---------------------------------------------------------- producers */

static void
producer_next(struct producer *p, struct conn *c)
{
	if (p->left <= 0)
		return;
	p->left -= p->per_request;
	p->unanswered++;
	conn_send(c, p->request.p, p->request.len);
}

static void
accepted(struct conn *c, int status, struct fr_span body)
{
	struct producer *p = c->owner;
	int64_t *t;

	if (status != 201 && status != 200) {
		bench_fail(p->b, "submit", status, body);
		return;
	}
	t = fr_vec_add(&p->times_us);
	if (t != NULL)
		*t = fr_time_mono_us() - c->sent_us;
	p->accepted += p->per_request;
	p->unanswered--;
	producer_next(p, c);
	if (p->left <= 0 && p->unanswered == 0)
		p->done(p);
}

static void
make_request(struct producer *p)
{
	struct fr_buf body;
	int64_t i;

	fr_buf_init(&body, 0);
	for (i = 0; i < p->per_request; i++) {
		fr_buf_addf(&body, "{\"type\":\"%s\",\"data\":", p->b->type);
		fr_buf_addspan(&body, fr_buf_span(&p->b->data));
		fr_buf_adds(&body, p->per_request > 1 ? "}\n" : "}");
	}
	fr_buf_init(&p->request, 0);
	conn_request(&p->request, &p->b->target, "POST", "/v1/jobs",
	    p->per_request > 1 ? "application/x-ndjson" : "application/json",
	    fr_buf_span(&body));
	fr_buf_fini(&body);
}

enum fr_rc
producer_open(
    struct producer *p, struct bench *b, size_t conns, int64_t per_request)
{
	enum fr_rc rc = FR_OK;
	size_t i;

	*p = (struct producer){ .b = b,
		.per_request = per_request,
		.times_us = FR_VEC_OF(int64_t) };
	p->conns = calloc(conns, sizeof(*p->conns));
	if (p->conns == NULL)
		return fr_fail(&b->err, FR_NOMEM, "no memory");
	for (i = 0; i < conns && rc == FR_OK; i++) {
		rc = conn_open(&p->conns[i], &b->target, b->base, &b->err);
		p->conns[i].answer = accepted;
		p->conns[i].owner = p;
		p->n++;
	}
	make_request(p);
	if (rc == FR_OK && !fr_buf_ok(&p->request))
		rc = fr_fail(&b->err, FR_NOMEM, "no memory");
	return rc;
}

void
producer_run(struct producer *p, int64_t jobs)
{
	size_t i;

	p->left = jobs;
	for (i = 0; i < p->n; i++)
		producer_next(p, &p->conns[i]);
}

void
producer_close(struct producer *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		conn_close(&p->conns[i]);
	free(p->conns);
	fr_buf_fini(&p->request);
	fr_vec_fini(&p->times_us);
}

/* ---------------------------------------------------------- consumers */

struct worker {
	char id[48];
	struct fr_vec finished; /* struct fr_finished: not acknowledged */
	struct fr_buf body, request;
	struct fr_arena *arena;
};

static void
ask(struct consumer *k, struct conn *c)
{
	struct worker *w = &k->w[c->index];
	const char *type = k->b->type;
	struct fr_exchange x = { .worker = fr_span_of(w->id),
		.host = FR_SPAN("fr-bench"),
		.pid = getpid(),
		.types = &type,
		.ntypes = 1,
		.slots = (uint32_t)k->slots,
		.wait_ms = k->wait_s * 1000,
		.finished = w->finished.p,
		.nfinished = w->finished.n };

	fr_buf_reset(&w->body);
	fr_buf_reset(&w->request);
	fr_wire_work_request(&w->body, &x);
	conn_request(&w->request, &k->b->target, "POST", "/v1/work",
	    "application/json", fr_buf_span(&w->body));
	conn_send(c, w->request.p, w->request.len);
}

static void
take(struct consumer *k, struct worker *w, const struct fr_exchange *x)
{
	struct fr_finished *f;
	size_t i;

	w->finished.n = 0;
	for (i = 0; i < x->njobs; i++) {
		f = fr_vec_add(&w->finished);
		if (f == NULL) {
			(void)fr_fail(&k->b->err, FR_NOMEM, "no memory");
			bench_done(k->b);
			return;
		}
		f->id = x->jobs[i].id;
		f->token = x->jobs[i].lease;
		f->how = FR_FINISH_COMPLETE;
		f->value = FR_SPAN("{\"ok\":true}");
	}
}

static void
worked(struct conn *c, int status, struct fr_span body)
{
	struct consumer *k = c->owner;
	struct worker *w = &k->w[c->index];
	struct fr_exchange x = { .njobs = 0 };

	if (status != 200) {
		bench_fail(k->b, "work", status, body);
		return;
	}
	k->finished += (int64_t)w->finished.n;
	fr_arena_free(w->arena);
	w->arena = fr_arena_new(0);
	if (w->arena == NULL ||
	    fr_wire_work_read(body, w->arena, &x, &k->b->err) != FR_OK) {
		bench_fail(k->b, "work", 0, fr_span_of(k->b->err.msg));
		return;
	}
	take(k, w, &x);
	if (k->finished >= k->want) {
		k->done(k);
		return;
	}
	if (k->seen != NULL && !k->seen(k, x.njobs))
		return;
	ask(k, c);
}

enum fr_rc
consumer_open(struct consumer *k, struct bench *b, size_t conns, int64_t slots)
{
	struct fr_rand r;
	enum fr_rc rc = FR_OK;
	size_t i;

	*k = (struct consumer){ .b = b, .slots = slots, .wait_s = 30 };
	fr_rand_init(&r);
	k->conns = calloc(conns, sizeof(*k->conns));
	k->w = calloc(conns, sizeof(*k->w));
	if (k->conns == NULL || k->w == NULL)
		return fr_fail(&b->err, FR_NOMEM, "no memory");
	for (i = 0; i < conns && rc == FR_OK; i++) {
		rc = conn_open(&k->conns[i], &b->target, b->base, &b->err);
		k->conns[i].answer = worked;
		k->conns[i].owner = k;
		k->conns[i].index = i;
		if (!fr_str_format(k->w[i].id, sizeof(k->w[i].id),
			"bench-%016llx", (unsigned long long)fr_rand_u64(&r)))
			rc = fr_fail(&b->err, FR_BROKEN, "a name too long");
		k->w[i].finished.each = sizeof(struct fr_finished);
		fr_buf_init(&k->w[i].body, 0);
		fr_buf_init(&k->w[i].request, 0);
		k->n++;
	}
	return rc;
}

void
consumer_run(struct consumer *k, int64_t want)
{
	size_t i;

	k->want = k->finished + want;
	for (i = 0; i < k->n; i++)
		ask(k, &k->conns[i]);
}

void
consumer_close(struct consumer *k)
{
	size_t i;

	for (i = 0; i < k->n; i++) {
		conn_close(&k->conns[i]);
		fr_vec_fini(&k->w[i].finished);
		fr_buf_fini(&k->w[i].body);
		fr_buf_fini(&k->w[i].request);
		fr_arena_free(k->w[i].arena);
	}
	free(k->conns);
	free(k->w);
}
