/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "on_store.h"

#define N 25

static void
list(struct fr_check *c, struct fr_seen_jobs *seen, unsigned states,
    const char *type, const struct fr_uuid *after, size_t limit)
{
	const struct fr_list l = { .states = states,
		.type = fr_span_of(type),
		.after = after,
		.limit = limit };

	*seen = (struct fr_seen_jobs){ .c = c };
	MUST(c, c->s->ops->list(c->s, &l, fr_see_job, seen, &c->err));
}

static void
make(struct fr_check *c, struct fr_uuid *id, size_t n)
{
	struct fr_job *j = fr_check_alloc(c, n, sizeof(*j));
	size_t i;

	for (i = 0; i < n; i++) {
		j[i] = fr_st_job(c);
		id[i] = j[i].id;
	}
	/* Some alone, some in a batch. */
	fr_st_create(c, j, 1);
	fr_st_create(c, j + 1, n / 2);
	fr_st_create(c, j + 1 + n / 2, n - 1 - n / 2);
}

static void
newest_first(struct fr_check *c)
{
	struct fr_seen_jobs seen;
	struct fr_uuid id[N];
	size_t i;

	make(c, id, N);
	list(c, &seen, FR_STATE_ALL, c->type, NULL, 1000);
	WANT_INT(c, seen.n, N);
	for (i = 0; i < N; i++)
		WANT(c, fr_uuid_eq(&seen.v[i].id, &id[N - 1 - i]));
	fr_st_same(c, fr_st_get(c, id[3]), &seen.v[N - 4]);
}

static void
by_creation(struct fr_check *c)
{
	struct fr_seen_jobs seen;
	struct fr_uuid id[N];

	/* What happens to a job later does not move it. */
	make(c, id, N);
	(void)fr_st_lease(c, id[2]);
	MUST(c,
	    fr_st_report(c, c->s->ops->complete, id[4], fr_st_lease(c, id[4])));
	list(c, &seen, FR_STATE_ALL, c->type, NULL, 1000);
	WANT_INT(c, seen.n, N);
	WANT(c, fr_uuid_eq(&seen.v[N - 3].id, &id[2]));
	WANT(c, fr_uuid_eq(&seen.v[N - 5].id, &id[4]));
	WANT_INT(c, seen.v[N - 5].state, FR_STATE_COMPLETE);
}

static void
pages(struct fr_check *c)
{
	static const size_t sizes[] = { 1, 2, 7, N, N + 1 };
	struct fr_seen_jobs seen;
	struct fr_uuid id[N], after;
	size_t i, k, got;

	make(c, id, N);
	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		got = 0;
		do {
			list(c, &seen, FR_STATE_ALL, c->type,
			    got > 0 ? &after : NULL, sizes[k]);
			WANT(c, seen.n <= sizes[k]);
			for (i = 0; i < seen.n; i++, got++) {
				WANT(c, got < N);
				WANT(c, fr_uuid_eq(
					    &seen.v[i].id, &id[N - 1 - got]));
				after = seen.v[i].id;
			}
		} while (seen.n == sizes[k]);
		WANT_INT(c, got, N);
	}
}

static void
page_after_new(struct fr_check *c)
{
	struct fr_seen_jobs seen;
	struct fr_uuid id[N], after;
	size_t i;

	make(c, id, N);
	list(c, &seen, FR_STATE_ALL, c->type, NULL, 10);
	after = seen.v[9].id;
	(void)fr_st_new(c);
	list(c, &seen, FR_STATE_ALL, c->type, &after, 1000);
	WANT_INT(c, seen.n, N - 10);
	for (i = 0; i < seen.n; i++)
		WANT(c, fr_uuid_eq(&seen.v[i].id, &id[N - 11 - i]));
}

static void
page_after_gone(struct fr_check *c)
{
	struct fr_seen_jobs seen;
	struct fr_uuid id[N], after;
	struct fr_edit e;

	make(c, id, N);
	list(c, &seen, FR_STATE_ALL, c->type, NULL, 10);
	after = seen.v[9].id;
	MUST(c, fr_st_edit(c, c->s->ops->cancel, after, &e));
	MUST(c, fr_st_edit(c, c->s->ops->remove, after, &e));
	list(c, &seen, FR_STATE_ALL, c->type, &after, 1000);
	WANT_INT(c, seen.n, N - 10);
	WANT(c, fr_uuid_eq(&seen.v[0].id, &id[N - 11]));
	WANT(c, fr_uuid_eq(&seen.v[seen.n - 1].id, &id[0]));
}

static void
by_state(struct fr_check *c)
{
	struct fr_seen_jobs seen;
	unsigned s, bits;
	size_t i;

	for (s = 0; s < FR_STATES; s++)
		(void)fr_st_make(c, (enum fr_state)s, NULL);
	for (bits = 0; bits <= FR_STATE_ALL; bits++) {
		list(c, &seen, bits, c->type, NULL, 1000);
		WANT_INT(c, seen.n, __builtin_popcount(bits));
		for (i = 0; i < seen.n; i++)
			WANT(c, (bits & FR_STATE_BIT(seen.v[i].state)) != 0);
	}
}

static void
by_type(struct fr_check *c)
{
	struct fr_seen_jobs seen;
	struct fr_job j = fr_st_job(c);
	struct fr_uuid a = fr_st_new(c);
	size_t i, n = 0;

	j.type = fr_span_of(c->type2);
	fr_st_create(c, &j, 1);
	list(c, &seen, FR_STATE_ALL, c->type, NULL, 1000);
	WANT_INT(c, seen.n, 1);
	WANT(c, fr_uuid_eq(&seen.v[0].id, &a));
	list(c, &seen, FR_STATE_ALL, c->type2, NULL, 1000);
	WANT_INT(c, seen.n, 1);
	WANT(c, fr_uuid_eq(&seen.v[0].id, &j.id));
	list(c, &seen, FR_STATE_ALL, fr_check_type(c), NULL, 1000);
	WANT_INT(c, seen.n, 0);
	/* Any type: both are among them, if nobody else is busy here. */
	list(c, &seen, FR_STATE_ALL, NULL, NULL, 100);
	for (i = 0; i < seen.n; i++)
		n += fr_uuid_eq(&seen.v[i].id, &a) ||
		     fr_uuid_eq(&seen.v[i].id, &j.id);
	WANT_INT(c, n, 2);
}

static void
page_of_state(struct fr_check *c)
{
	struct fr_seen_jobs seen;
	struct fr_uuid id[N], after;
	size_t i, got = 0;

	make(c, id, N);
	for (i = 0; i < N; i += 2)
		(void)fr_st_lease(c, id[i]);
	do {
		list(c, &seen, FR_STATE_BIT(FR_STATE_QUEUED), c->type,
		    got > 0 ? &after : NULL, 5);
		for (i = 0; i < seen.n; i++, got++) {
			WANT(c, got < N / 2);
			after = seen.v[i].id;
			WANT(c, fr_uuid_eq(&after, &id[N - 2 - 2 * got]));
		}
	} while (seen.n == 5);
	WANT_INT(c, got, N / 2);
}

/* A store may go from priority to priority, if there are not too many. */
static void
of_all_priorities(struct fr_check *c)
{
	enum { MANY = 300 };
	static const int32_t kinds[] = { 3, MANY };
	struct fr_job *j = fr_check_alloc(c, MANY, sizeof(*j));
	struct fr_seen_jobs seen;
	const struct fr_uuid *after;
	struct fr_uuid last;
	size_t i, k, size, got;

	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const char *type = k == 0 ? c->type : c->type2;

		for (i = 0; i < MANY; i++) {
			j[i] = fr_st_job(c);
			j[i].type = fr_span_of(type);
			j[i].priority = (int32_t)(i * 7919) % kinds[k] - 1;
		}
		fr_st_begin(c, c->s);
		fr_st_put(c, j, MANY);
		list(c, &seen, FR_STATE_ALL, type, NULL, 10 * MANY);
		WANT_INT(c, seen.n, MANY);
		fr_st_commit(c, c->s);
		for (size = 7; size <= 10 * MANY; size *= 100) {
			for (got = 0, after = NULL; got < MANY; after = &last) {
				list(c, &seen, FR_STATE_BIT(FR_STATE_QUEUED),
				    type, after, size);
				WANT(c, seen.n > 0 && seen.n <= size);
				for (i = 0; i < seen.n; i++, got++)
					WANT(c, fr_uuid_eq(&seen.v[i].id,
						    &j[MANY - 1 - got].id));
				last = seen.v[seen.n - 1].id;
			}
			list(c, &seen, FR_STATE_ALL, type, &last, size);
			WANT_INT(c, seen.n, 0);
		}
	}
}

static size_t
find(struct fr_check *c, struct fr_seen_jobs *seen, const char *hex,
    size_t limit)
{
	*seen = (struct fr_seen_jobs){ .c = c };
	MUST(c, c->s->ops->find(c->s, hex, limit, fr_see_job, seen, &c->err));
	return seen->n;
}

/* Jobs whose ids share a beginning that is as good as nobody else's. */
static void
make_alike(struct fr_check *c, struct fr_job *j, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		j[i] = fr_st_job(c);
		if (i > 0)
			memcpy(j[i].id.b, j[0].id.b, 12);
		j[i].id.b[12] = (unsigned char)(0x10 * i);
	}
	fr_st_create(c, j, n);
}

static void
finds(struct fr_check *c)
{
	struct fr_seen_jobs seen;
	struct fr_job j[5];
	char hex[33];
	size_t len, i;

	make_alike(c, j, 5);
	fr_hex_encode(hex, j[3].id.b, sizeof(j[3].id.b));
	hex[32] = '\0';
	for (len = 32; len >= 20; len--) {
		hex[len] = '\0';
		WANT_INT(c, find(c, &seen, hex, 100), len > 24 ? 1 : 5);
		for (i = 0; i < seen.n; i++)
			fr_st_same(c, &seen.v[i],
			    len > 24 ? &j[3] : fr_st_get(c, seen.v[i].id));
	}
}

static void
finds_up_to(struct fr_check *c)
{
	struct fr_seen_jobs seen;
	struct fr_job j[5];
	char hex[33];

	make_alike(c, j, 5);
	fr_hex_encode(hex, j[0].id.b, sizeof(j[0].id.b));
	hex[24] = '\0';
	WANT_INT(c, find(c, &seen, hex, 2), 2);
	WANT(c, !fr_uuid_eq(&seen.v[0].id, &seen.v[1].id));
	WANT_INT(c, find(c, &seen, hex, 5), 5);
	hex[23] = hex[23] == '0' ? '1' : '0';
	WANT_INT(c, find(c, &seen, hex, 5), 0);
}

static void
finds_at_the_end(struct fr_check *c)
{
	struct fr_seen_jobs seen;
	struct fr_job j = fr_st_job(c);
	char hex[33];

	/* Behind ff.. there is no next beginning. */
	memset(j.id.b, 0xff, 8);
	fr_st_create(c, &j, 1);
	fr_hex_encode(hex, j.id.b, sizeof(j.id.b));
	hex[16] = '\0';
	WANT(c, find(c, &seen, hex, 1000) >= 1);
	hex[16] = '0';
	fr_hex_encode(hex, j.id.b, sizeof(j.id.b));
	hex[32] = '\0';
	WANT_INT(c, find(c, &seen, hex, 1000), 1);
}

const struct fr_case fr_cases_list[] = {
	{ "jobs are listed newest first", newest_first, 0 },
	{ "what happens to a job does not move it in the list", by_creation,
	    0 },
	{ "pages of any size neither skip nor repeat", pages, 0 },
	{ "the next page is the same when a job was created meanwhile",
	    page_after_new, 0 },
	{ "a page goes on after a job that is gone by now", page_after_gone,
	    0 },
	{ "a list may be of any set of states", by_state, 0 },
	{ "a list may be of one type", by_type, 0 },
	{ "a list of queued jobs is newest first, whatever their priorities",
	    of_all_priorities, 0 },
	{ "pages of one state neither skip nor repeat", page_of_state, 0 },
	{ "a job is found by any beginning of its id", finds, 0 },
	{ "no more jobs are found than was asked", finds_up_to, 0 },
	{ "ids at the end of their range are found", finds_at_the_end, 0 },
	{ NULL, NULL, 0 },
};
