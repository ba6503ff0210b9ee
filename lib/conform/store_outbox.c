/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "on_store.h"

#define ALL 100000

/* What a take handed out: ours are copied, others' are given back. */
struct taken {
	struct fr_check *c;
	struct fr_outbox_event v[64];
	size_t n;
	int64_t foreign[64];
	size_t nforeign;
};

static enum fr_rc
see_event(void *arg, const struct fr_outbox_event *ev)
{
	struct taken *t = arg;
	struct fr_outbox_event *k;

	if (!fr_span_is(ev->type, t->c->type)) {
		if (t->nforeign < 64)
			t->foreign[t->nforeign++] = ev->number;
		return FR_OK;
	}
	if (t->n == 64)
		return FR_TOOBIG;
	k = &t->v[t->n++];
	*k = *ev;
	k->type = fr_arena_dup(t->c->arena, ev->type);
	k->json = fr_arena_dup(t->c->arena, ev->json);
	return k->type.p != NULL && k->json.p != NULL ? FR_OK : FR_NOMEM;
}

static void
take_in(struct fr_check *c, struct taken *t, int64_t now_ms, int64_t until_ms,
    size_t limit)
{
	size_t i;

	*t = (struct taken){ .c = c };
	MUST(c, c->s->ops->outbox_take(
		    c->s, now_ms, until_ms, limit, see_event, t, &c->err));
	for (i = 0; i < t->nforeign; i++)
		MUST(c,
		    c->s->ops->outbox_retry(c->s, t->foreign[i], 0, &c->err));
}

static void
take(struct fr_check *c, struct taken *t, int64_t now_ms, int64_t until_ms,
    size_t limit)
{
	fr_st_begin(c, c->s);
	take_in(c, t, now_ms, until_ms, limit);
	fr_st_commit(c, c->s);
}

static void
fill(struct fr_check *c, struct fr_outbox_event *ev, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		ev[i] = (struct fr_outbox_event){
			.kind = (enum fr_event_kind)(i % FR_EVENTS),
			.type = fr_span_of(c->type),
			.json = fr_check_text(c, "{\"n\":%zu,\"x\":1e400}", i),
		};
}

static void
put(struct fr_check *c, struct fr_outbox_event *ev, size_t n)
{
	fill(c, ev, n);
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->outbox_put(c->s, ev, n, &c->err));
	fr_st_commit(c, c->s);
}

static void
done(struct fr_check *c, const struct fr_outbox_event *ev, size_t n)
{
	int64_t *numbers = fr_check_alloc(c, n, sizeof(*numbers));
	size_t i;

	for (i = 0; i < n; i++)
		numbers[i] = ev[i].number;
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->outbox_done(c->s, numbers, n, &c->err));
	fr_st_commit(c, c->s);
}

static void
retry(struct fr_check *c, int64_t number, int64_t at_ms)
{
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->outbox_retry(c->s, number, at_ms, &c->err));
	fr_st_commit(c, c->s);
}

static void
takes_whole(struct fr_check *c)
{
	struct fr_outbox_event ev[14];
	struct taken t;
	size_t i;

	put(c, ev, 7);
	put(c, ev + 7, 7);
	for (i = 1; i < 14; i++)
		WANT(c, ev[i].number > ev[i - 1].number);
	take(c, &t, c->t0, c->t0 + 100, ALL);
	WANT_INT(c, t.n, 14);
	for (i = 0; i < 14; i++) {
		WANT_INT(c, t.v[i].number, ev[i].number);
		WANT_INT(c, t.v[i].kind, ev[i].kind);
		WANT_SPAN(c, t.v[i].type, ev[i].type);
		WANT_SPAN(c, t.v[i].json, ev[i].json);
		WANT_INT(c, t.v[i].tries, 1);
	}
	done(c, ev, 14);
}

static void
claims(struct fr_check *c)
{
	struct fr_outbox_event ev[4];
	struct taken t;

	put(c, ev, 4);
	take(c, &t, c->t0, c->t0 + 100, ALL);
	WANT_INT(c, t.n, 4);
	take(c, &t, c->t0 + 99, c->t0 + 200, ALL);
	WANT_INT(c, t.n, 0);
	take(c, &t, c->t0 + 101, c->t0 + 200, ALL);
	WANT_INT(c, t.n, 4);
	WANT_INT(c, t.v[0].number, ev[0].number);
	WANT_INT(c, t.v[0].tries, 2);
	done(c, ev, 4);
}

static void
forgets_done(struct fr_check *c)
{
	struct fr_outbox_event ev[6];
	struct taken t;

	put(c, ev, 6);
	done(c, ev + 1, 4);
	take(c, &t, c->t0, c->t0 + 1, ALL);
	WANT_INT(c, t.n, 2);
	WANT_INT(c, t.v[0].number, ev[0].number);
	WANT_INT(c, t.v[1].number, ev[5].number);
	done(c, ev, 6); /* some are gone already: no error */
	take(c, &t, c->t0 + 1000, c->t0 + 1001, ALL);
	WANT_INT(c, t.n, 0);
}

static void
moves_claim(struct fr_check *c)
{
	struct fr_outbox_event ev[3];
	struct taken t;

	put(c, ev, 3);
	take(c, &t, c->t0, c->t0 + 1000, ALL);
	WANT_INT(c, t.n, 3);
	retry(c, ev[1].number, c->t0 + 50);
	retry(c, ev[2].number, c->t0 + 5000);
	take(c, &t, c->t0 + 49, c->t0 + 60, ALL);
	WANT_INT(c, t.n, 0);
	take(c, &t, c->t0 + 51, c->t0 + 9000, ALL);
	WANT_INT(c, t.n, 1);
	WANT_INT(c, t.v[0].number, ev[1].number);
	take(c, &t, c->t0 + 1001, c->t0 + 9000, ALL);
	WANT_INT(c, t.n, 1);
	WANT_INT(c, t.v[0].number, ev[0].number);
	take(c, &t, c->t0 + 5001, c->t0 + 9000, ALL);
	WANT_INT(c, t.n, 1);
	WANT_INT(c, t.v[0].number, ev[2].number);
	done(c, ev, 3);
}

static void
takes_up_to(struct fr_check *c)
{
	struct fr_outbox_event ev[10];
	struct taken t, all;
	size_t got = 0, k;

	put(c, ev, 10);
	for (k = 0; k < 10000 && got < 10; k++) {
		take(c, &t, c->t0, c->t0 + 5000, 3);
		WANT(c, t.n + t.nforeign <= 3);
		if (t.nforeign > 0) /* another's; they would come first */
			break;
		WANT(c, t.n > 0);
		WANT_INT(c, t.v[0].number, ev[got].number);
		got += t.n;
	}
	take(c, &all, c->t0, c->t0 + 5000, ALL);
	WANT_INT(c, got + all.n, 10);
	done(c, ev, 10);
}

static void
rolled_back(struct fr_check *c)
{
	struct fr_outbox_event ev[3];
	struct taken t;

	fill(c, ev, 3);
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->outbox_put(c->s, ev, 3, &c->err));
	c->s->ops->rollback(c->s);
	take(c, &t, c->t0, c->t0 + 1, ALL);
	WANT_INT(c, t.n, 0);
	put(c, ev, 3);
	fr_st_begin(c, c->s);
	take_in(c, &t, c->t0, c->t0 + 1000, ALL);
	WANT_INT(c, t.n, 3);
	c->s->ops->rollback(c->s);
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->outbox_done(c->s, &ev[1].number, 1, &c->err));
	c->s->ops->rollback(c->s);
	take(c, &t, c->t0, c->t0 + 1000, ALL);
	WANT_INT(c, t.n, 3);
	WANT_INT(c, t.v[0].tries, 1);
	done(c, ev, 3);
}

static void
with_the_change(struct fr_check *c)
{
	struct fr_outbox_event ev[1];
	struct fr_job j = fr_st_job(c);
	struct fr_store *other = fr_st_open(c, FR_STORE_READONLY);
	struct taken t;

	fill(c, ev, 1);
	fr_st_begin(c, c->s);
	fr_st_put(c, &j, 1);
	MUST(c, c->s->ops->outbox_put(c->s, ev, 1, &c->err));
	WANT(c, fr_st_find_by(c, other, j.id) == NULL);
	fr_st_commit(c, c->s);
	WANT(c, fr_st_find_by(c, other, j.id) != NULL);
	take(c, &t, c->t0, c->t0 + 1, ALL);
	WANT_INT(c, t.n, 1);
	done(c, ev, 1);
}

static void
reopened(struct fr_check *c)
{
	struct fr_outbox_event ev[4];
	struct taken t;

	put(c, ev, 4);
	take(c, &t, c->t0, c->t0 + 100, ALL);
	done(c, ev, 1);
	fr_st_reopen(c);
	take(c, &t, c->t0 + 50, c->t0 + 100, ALL);
	WANT_INT(c, t.n, 0);
	take(c, &t, c->t0 + 150, c->t0 + 200, ALL);
	WANT_INT(c, t.n, 3);
	WANT_SPAN(c, t.v[0].json, ev[1].json);
	WANT_INT(c, t.v[0].tries, 2);
	done(c, ev, 4);
	put(c, ev + 1, 1);
	WANT(c, ev[1].number > t.v[2].number);
	done(c, ev + 1, 1);
}

const struct fr_case fr_cases_outbox[] = {
	{ "events are taken whole, the oldest first", takes_whole, 0 },
	{ "an event that is claimed is not handed out until the claim ends",
	    claims, 0 },
	{ "events that are done are forgotten", forgets_done, 0 },
	{ "the end of a claim can be moved", moves_claim, 0 },
	{ "no more events are taken than was asked", takes_up_to, 0 },
	{ "a rollback undoes events, claims and what was done", rolled_back,
	    0 },
	{ "an event is there when its change is, and not before",
	    with_the_change, 0 },
	{ "events and claims are there after reopening", reopened,
	    FR_NEED_DURABLE },
	{ NULL, NULL, 0 },
};
