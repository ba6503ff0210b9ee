/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdlib.h>

#include "base/str.h"
#include "base/time.h"
#include "on_store.h"

/* What only some stores have. */

static void
clock_is_near(struct fr_check *c)
{
	const int64_t day_ms = 86400000;
	int64_t a = 0, b = 0, ours = fr_time_wall_ms();

	if (c->s->ops->now == NULL)
		fr_check_skip(c, "the store has no clock of its own");
	MUST(c, c->s->ops->now(c->s, &a, &c->err));
	MUST(c, c->s->ops->now(c->s, &b, &c->err));
	WANT(c, b >= a);
	WANT(c, llabs(a - ours) < day_ms);
}

struct seen_worker {
	struct fr_check *c;
	struct fr_span id;
	struct fr_span json;
	int64_t seen_ms;
	int n;
};

static enum fr_rc
see_worker(void *arg, const struct fr_seen *w)
{
	struct seen_worker *s = arg;

	if (!fr_span_eq(w->id, s->id))
		return FR_OK;
	s->n++;
	s->seen_ms = w->seen_ms;
	s->json = fr_arena_dup(s->c->arena, w->json);
	return s->json.p != NULL ? FR_OK : FR_NOMEM;
}

static void
remembers_workers(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct seen_worker s = { .c = c,
		.id = fr_check_text(c, "%s", c->type) };
	struct fr_seen w = {
		.id = s.id, .json = FR_SPAN("{\"a\":1}"), .seen_ms = 100
	};
	int i;

	if (ops->seen == NULL || ops->workers == NULL)
		fr_check_skip(c, "the store keeps no workers");
	for (i = 0; i < 2; i++) {
		fr_st_begin(c, c->s);
		MUST(c, ops->seen(c->s, &w, 1, &c->err));
		fr_st_commit(c, c->s);
		w.json = FR_SPAN("{\"a\":2}");
		w.seen_ms = 200;
	}
	fr_st_begin(c, c->s);
	MUST(c, ops->workers(c->s, 150, see_worker, &s, &c->err));
	fr_st_commit(c, c->s);
	WANT_INT(c, s.n, 1);
	WANT_INT(c, s.seen_ms, 200);
	WANT_SPAN(c, s.json, w.json);
	fr_st_begin(c, c->s);
	MUST(c, ops->workers(c->s, 201, see_worker, &s, &c->err));
	fr_st_commit(c, c->s);
	WANT_INT(c, s.n, 1);
}

struct news {
	const char *type;
	bool met;
};

static enum fr_rc
see_news(void *arg, const struct fr_news *n)
{
	struct news *w = arg;

	/* An empty type: anything may have happened. */
	if (n->type[0] == '\0' || strcmp(n->type, w->type) == 0)
		w->met = true;
	return FR_OK;
}

static void
hears_of_others(struct fr_check *c)
{
	struct fr_store *other;
	struct news n = { .type = c->type };
	const int64_t end_ms = fr_time_mono_ms() + 10000;
	struct pollfd fd = { .events = POLLIN };
	struct fr_job j = fr_st_job(c);
	struct fr_created out;

	if (c->s->ops->watch == NULL || c->s->ops->watch_fd == NULL)
		fr_check_skip(c, "the store has no news");
	other = fr_st_open(c, 0);
	fd.fd = c->s->ops->watch_fd(c->s);
	WANT(c, fd.fd >= 0);
	MUST(c, c->s->ops->watch(c->s, see_news, &n, &c->err));
	n.met = false;
	fr_st_note(c, &j.id);
	fr_st_begin(c, other);
	MUST(c, other->ops->create(other, &j, 1, &out, &c->err));
	fr_st_commit(c, other);
	while (!n.met && fr_time_mono_ms() < end_ms) {
		(void)poll(&fd, 1, 1000);
		MUST(c, c->s->ops->watch(c->s, see_news, &n, &c->err));
	}
	WANT(c, n.met);
	WANT_INT(c, c->s->ops->watch_fd(c->s), fd.fd);
}

const struct fr_case fr_cases_shared[] = {
	{ "the store's own clock is near ours and never goes back",
	    clock_is_near, 0 },
	{ "workers that were seen are remembered until they are too old",
	    remembers_workers, FR_NEED_SHARED },
	{ "a handle hears of what another has committed", hears_of_others,
	    FR_NEED_SHARED },
	{ NULL, NULL, 0 },
};
