/* SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "base/str.h"
#include "on_store.h"

static void
every_field(struct fr_check *c)
{
	struct fr_job j = fr_st_job(c);

	j.data = FR_SPAN("{\"n\":1}");
	j.key = FR_SPAN("a key");
	j.state = FR_STATE_SCHEDULED;
	j.priority = -7;
	j.max_attempts = 5;
	j.timeout_ms = 12345;
	j.run_at_ms = c->t0 + 3600000;
	fr_st_create(c, &j, 1);
	fr_st_same(c, fr_st_get(c, j.id), &j);
}

static void
ends_of_ranges(struct fr_check *c)
{
	struct fr_job j[3];
	char key[FR_KEY_MAX];
	char type[FR_TYPE_MAX + 1];
	size_t i;

	memset(key, 'k', sizeof(key));
	for (i = 0; i < 3; i++) {
		j[i] = fr_st_job(c);
		j[i].priority = i == 0 ? INT32_MIN : INT32_MAX;
		j[i].max_attempts = i == 0 ? 1 : INT32_MAX;
		j[i].timeout_ms = i == 0 ? 1 : INT64_C(864000000000000);
		j[i].run_at_ms = i == 0 ? 1 : INT64_C(253402300799999);
	}
	j[1].key = (struct fr_span){ key, sizeof(key) };
	/* The longest name, which still begins like this check's own. */
	memset(type, 'x', sizeof(type));
	memcpy(type, c->type, strlen(c->type));
	type[FR_TYPE_MAX] = '\0';
	j[2].type = (struct fr_span){ type, FR_TYPE_MAX };
	fr_st_create(c, j, 3);
	fr_st_same(c, fr_st_get(c, j[0].id), &j[0]);
	fr_st_same(c, fr_st_get(c, j[1].id), &j[1]);
	WANT_INT(c, fr_st_stats(c, type).n[FR_STATE_QUEUED], 1);
}

static void
same_again(struct fr_check *c)
{
	struct fr_job j = fr_st_job(c);
	const struct fr_job *was;
	struct fr_uuid id;

	j.data = FR_SPAN("[1,2]");
	fr_st_create(c, &j, 1);
	was = fr_st_get(c, j.id);
	j.priority = 9; /* told apart by type and data alone */
	WANT_RC(c, fr_st_try(c, &j, &id), FR_EXISTS);
	WANT(c, fr_uuid_eq(&id, &j.id));
	fr_st_same(c, fr_st_get(c, j.id), was);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_QUEUED], 1);
}

static void
same_after_end(struct fr_check *c)
{
	struct fr_uuid id = fr_st_make(c, FR_STATE_COMPLETE, NULL);
	struct fr_job j = fr_st_job(c);

	j.id = id;
	WANT_RC(c, fr_st_try(c, &j, NULL), FR_EXISTS);
	(void)fr_st_in(c, id, FR_STATE_COMPLETE);
}

static void
other_data(struct fr_check *c)
{
	struct fr_job j = fr_st_job(c);
	const struct fr_job *was;

	j.data = FR_SPAN("{\"a\":1}");
	fr_st_create(c, &j, 1);
	was = fr_st_get(c, j.id);
	j.data = FR_SPAN("{\"a\":2}");
	WANT_RC(c, fr_st_try(c, &j, NULL), FR_CONFLICT);
	j.data = FR_SPAN("{\"a\":1.0}");
	WANT_RC(c, fr_st_try(c, &j, NULL), FR_CONFLICT);
	fr_st_same(c, fr_st_get(c, j.id), was);
}

static void
other_type(struct fr_check *c)
{
	struct fr_job j = fr_st_job(c);
	const struct fr_job *was;

	fr_st_create(c, &j, 1);
	was = fr_st_get(c, j.id);
	j.type = fr_span_of(c->type2);
	WANT_RC(c, fr_st_try(c, &j, NULL), FR_CONFLICT);
	fr_st_same(c, fr_st_get(c, j.id), was);
}

static void
try_all(struct fr_check *c, const struct fr_job *j, size_t n,
    struct fr_created *out)
{
	size_t i;

	for (i = 0; i < n; i++)
		fr_st_note(c, &j[i].id);
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->create(c->s, j, n, out, &c->err));
	fr_st_commit(c, c->s);
}

static void
twice_in_batch(struct fr_check *c)
{
	struct fr_job j[4];
	struct fr_created out[4];

	j[0] = j[1] = j[2] = fr_st_job(c);
	j[2].data = FR_SPAN("1");
	j[3] = fr_st_job(c);
	try_all(c, j, 4, out);
	WANT_RC(c, out[0].rc, FR_OK);
	WANT_RC(c, out[1].rc, FR_EXISTS);
	WANT_RC(c, out[2].rc, FR_CONFLICT);
	WANT_RC(c, out[3].rc, FR_OK);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_QUEUED], 2);
}

/* The first one is not made, for another job holds its key; so the second may
 * be what it likes. */
static void
twice_with_held_key(struct fr_check *c)
{
	struct fr_job j[3] = { fr_st_job(c), fr_st_job(c), fr_st_job(c) };
	struct fr_created out[2];

	j[0].key = j[1].key = FR_SPAN("held");
	fr_st_create(c, &j[0], 1);
	j[2].id = j[1].id;
	j[2].data = FR_SPAN("\"other\"");
	fr_st_note(c, &j[1].id);
	fr_st_begin(c, c->s);
	MUST(c, c->s->ops->create(c->s, &j[1], 2, out, &c->err));
	fr_st_commit(c, c->s);
	WANT_RC(c, out[0].rc, FR_EXISTS);
	WANT(c, fr_uuid_eq(&out[0].id, &j[0].id));
	WANT_RC(c, out[1].rc, FR_OK);
	WANT_SPAN(c, fr_st_get(c, j[2].id)->data, j[2].data);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_QUEUED], 2);
}

static void
one_by_key(struct fr_check *c)
{
	struct fr_job a = fr_st_job(c), b = fr_st_job(c);
	struct fr_uuid id;

	a.key = b.key = FR_SPAN("order/17");
	b.data = FR_SPAN("\"other\"");
	fr_st_create(c, &a, 1);
	WANT_RC(c, fr_st_try(c, &b, &id), FR_EXISTS);
	WANT(c, fr_uuid_eq(&id, &a.id));
	WANT(c, fr_st_find(c, b.id) == NULL);
	(void)fr_st_lease(c, a.id);
	WANT_RC(c, fr_st_try(c, &b, &id), FR_EXISTS);
	WANT(c, fr_uuid_eq(&id, &a.id));
}

static void
key_of_scheduled(struct fr_check *c)
{
	struct fr_job a = fr_st_job(c), b = fr_st_job(c);
	struct fr_uuid id;

	a.key = b.key = FR_SPAN("later");
	a.state = FR_STATE_SCHEDULED;
	a.run_at_ms = c->t0 + 1000;
	fr_st_create(c, &a, 1);
	WANT_RC(c, fr_st_try(c, &b, &id), FR_EXISTS);
	WANT(c, fr_uuid_eq(&id, &a.id));
}

static void
key_per_type(struct fr_check *c)
{
	struct fr_job j[2];

	j[0] = fr_st_job(c);
	j[1] = fr_st_job(c);
	j[0].key = j[1].key = FR_SPAN("k");
	j[1].type = fr_span_of(c->type2);
	fr_st_create(c, j, 2);
}

static void
keys_differ(struct fr_check *c)
{
	struct fr_job j[4];
	size_t i;

	for (i = 0; i < 4; i++)
		j[i] = fr_st_job(c);
	j[0].key = FR_SPAN("k");
	j[1].key = FR_SPAN("K");
	j[2].key = FR_SPAN("k ");
	j[3].key = FR_SPAN("k\xc3\xa9");
	fr_st_create(c, j, 4);
	for (i = 0; i < 4; i++)
		fr_st_same(c, fr_st_get(c, j[i].id), &j[i]);
}

static void
key_freed(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	fr_store_report_fn *const end[] = { ops->complete, ops->failed };
	struct fr_job j = fr_st_job(c);
	struct fr_edit e;
	size_t i;

	j.key = FR_SPAN("again");
	fr_st_create(c, &j, 1);
	for (i = 0; i < 2; i++) {
		MUST(c, fr_st_report(c, end[i], j.id, fr_st_lease(c, j.id)));
		j.id = fr_check_id(c);
		fr_st_create(c, &j, 1);
	}
	MUST(c, fr_st_edit(c, ops->cancel, j.id, &e));
	j.id = fr_check_id(c);
	fr_st_create(c, &j, 1);
}

static void
key_in_batch(struct fr_check *c)
{
	struct fr_job j[3];
	struct fr_created out[3];
	size_t i;

	for (i = 0; i < 3; i++) {
		j[i] = fr_st_job(c);
		j[i].key = FR_SPAN("once");
	}
	try_all(c, j, 3, out);
	WANT_RC(c, out[0].rc, FR_OK);
	for (i = 1; i < 3; i++) {
		WANT_RC(c, out[i].rc, FR_EXISTS);
		WANT(c, fr_uuid_eq(&out[i].id, &j[0].id));
		WANT(c, fr_st_find(c, j[i].id) == NULL);
	}
}

static struct fr_job *
many(struct fr_check *c, size_t n)
{
	struct fr_job *j = fr_check_alloc(c, n, sizeof(*j));
	size_t i;

	for (i = 0; i < n; i++) {
		j[i] = fr_st_job(c);
		j[i].data = fr_check_text(c, "{\"i\":%zu}", i);
		j[i].priority = (int32_t)i;
	}
	return j;
}

static void
whole_batch(struct fr_check *c)
{
	static const size_t sizes[] = { 1, 2, 3, 100, 501 };
	struct fr_job *j;
	size_t i, k;

	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		j = many(c, sizes[k]);
		fr_st_create(c, j, sizes[k]);
		for (i = 0; i < sizes[k]; i++)
			fr_st_same(c, fr_st_get(c, j[i].id), &j[i]);
	}
}

/* What job number i of the batch below is. */
enum { FRESH, KNOWN, OTHER, AGAIN, LATER, KEYED, KINDS };

static int
kind_of(size_t i)
{
	/* Runs of fresh ones in between, long and short. */
	if (i % 40 < 4 || (i >= 120 && i < 180))
		return FRESH;
	return (int)(i * 7 % 11 % KINDS);
}

static struct fr_job
of_kind(struct fr_check *c, int kind, struct fr_job *was, size_t i)
{
	struct fr_job j = was[i];

	if (kind == OTHER)
		j.data = FR_SPAN("\"other\"");
	if (kind == KNOWN || kind == OTHER)
		return j;
	if (kind == AGAIN) /* the first of this batch, which is fresh */
		return was[0];
	j.id = i == 0 ? was[0].id : fr_check_id(c);
	j.type = i % 3 == 0 ? fr_span_of(c->type2) : j.type;
	if (kind == LATER)
		j.state = FR_STATE_SCHEDULED;
	if (kind == KEYED)
		j.key = FR_SPAN("once");
	return j;
}

static int64_t
sum_of(struct fr_check *c, enum fr_state state)
{
	return fr_st_stats(c, c->type).n[state] +
	       fr_st_stats(c, c->type2).n[state];
}

static void
each_its_answer(struct fr_check *c)
{
	static const enum fr_rc want[KINDS] = { FR_OK, FR_EXISTS, FR_CONFLICT,
		FR_EXISTS, FR_OK, FR_OK };
	const size_t n = 200;
	struct fr_job *j = many(c, n);
	struct fr_created *out = fr_check_alloc(c, n, sizeof(*out));
	int64_t queued = 0, later = 0;
	bool keyed[2] = { false, false };
	size_t i;

	/* The first one is not there before. */
	fr_st_create(c, j + 1, n - 1);
	for (i = 0; i < n; i++)
		j[i] = of_kind(c, kind_of(i), j, i);
	try_all(c, j, n, out);
	for (i = 0; i < n; i++) {
		const int kind = kind_of(i);
		bool *held = &keyed[i % 3 == 0];

		if (kind == KEYED && *held) {
			WANT_RC(c, out[i].rc, FR_EXISTS);
			WANT(c, fr_st_find(c, j[i].id) == NULL);
			continue;
		}
		*held = *held || kind == KEYED;
		WANT_RC(c, out[i].rc, want[kind]);
		WANT(c, fr_uuid_eq(&out[i].id, &j[i].id));
		if (out[i].rc != FR_OK)
			continue;
		fr_st_same(c, fr_st_get(c, j[i].id), &j[i]);
		if (kind == LATER)
			later++;
		else
			queued++;
	}
	WANT_INT(c, sum_of(c, FR_STATE_QUEUED), queued + (int64_t)n - 1);
	WANT_INT(c, sum_of(c, FR_STATE_SCHEDULED), later);
}

static void
get_many(struct fr_check *c)
{
	struct fr_seen_jobs seen = { .c = c };
	struct fr_job *j = many(c, 300);
	struct fr_uuid *ids = fr_check_alloc(c, 400, sizeof(*ids));
	bool *there = fr_check_alloc(c, 300, sizeof(*there));
	size_t i;

	fr_st_create(c, j, 300);
	for (i = 0; i < 400; i++)
		ids[i] = i % 4 == 3 ? fr_check_id(c) : j[i / 4 * 3 + i % 4].id;
	MUST(c, c->s->ops->get(c->s, ids, 400, fr_see_job, &seen, &c->err));
	WANT_INT(c, seen.n, 300);
	for (i = 0; i < seen.n; i++) {
		fr_st_same(c, &seen.v[i], &j[seen.v[i].priority]);
		WANT(c, !there[seen.v[i].priority]);
		there[seen.v[i].priority] = true;
	}
}

#define MANY 10000

static void
ten_thousand(struct fr_check *c)
{
	struct fr_job *j = many(c, MANY);
	struct fr_seen_tickets seen = { .c = c };
	int64_t cursor = 0;
	size_t i, n;

	for (i = 0; i < MANY; i += 1000)
		fr_st_create(c, j + i, 1000);
	WANT_INT(c, fr_st_stats(c, c->type).n[FR_STATE_QUEUED], MANY);
	do {
		n = 1000;
		MUST(c, c->s->ops->get_queue(c->s, NULL, false, &cursor, &n,
			    fr_see_ticket, &seen, &c->err));
	} while (n == 1000);
	WANT_INT(c, seen.n, MANY);
	for (i = 0; i < MANY; i++)
		WANT(c, fr_uuid_eq(&seen.v[i].id, &j[i].id));
}

const struct fr_case fr_cases_create[] = {
	{ "a created job is read back with every field it was given",
	    every_field, 0 },
	{ "priorities, times, keys and types at the ends of their range are "
	  "kept",
	    ends_of_ranges, 0 },
	{ "the same job sent again is answered as already there", same_again,
	    0 },
	{ "the same job sent again after its end does not run again",
	    same_after_end, 0 },
	{ "the same id with other data is a conflict and changes nothing",
	    other_data, 0 },
	{ "the same id with another type is a conflict and changes nothing",
	    other_type, 0 },
	{ "the same id twice in one batch is one job", twice_in_batch, 0 },
	{ "the jobs of a batch that name one id are made or met one after the "
	  "other",
	    twice_with_held_key, 0 },
	{ "of the unfinished jobs with one type and key there is only one",
	    one_by_key, 0 },
	{ "a scheduled job holds its key", key_of_scheduled, 0 },
	{ "one key in two types is two jobs", key_per_type, 0 },
	{ "keys that differ in case, a space or an accent are different keys",
	    keys_differ, 0 },
	{ "a key is free again when its job has ended", key_freed, 0 },
	{ "a key twice in one batch is one job", key_in_batch, 0 },
	{ "a batch creates all of its jobs, the first and the last too",
	    whole_batch, 0 },
	{ "each job of a large batch has its own answer, and what is there "
	  "already changes nothing",
	    each_its_answer, 0 },
	{ "get gives each of many jobs once and leaves out unknown ids",
	    get_many, 0 },
	{ "ten thousand jobs are created, counted and walked in order",
	    ten_thousand, 0 },
	{ NULL, NULL, 0 },
};
