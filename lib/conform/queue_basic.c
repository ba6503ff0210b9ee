/* SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "base/str.h"
#include "on_queue.h"

/* What every queue does, whatever its order. */
#define MANY 10000

static void
comes_back(struct fr_check *c)
{
	struct fr_ticket t = fr_qu_ticket(c), got;

	t.priority = 7;
	fr_qu_push(c, &t, 1);
	WANT_INT(c, fr_qu_length(c, c->type), 1);
	WANT_INT(c, fr_qu_pop(c, &got, 1), 1);
	fr_qu_same(c, &got, 1, &t, 1);
	WANT_INT(c, fr_qu_length(c, c->type), 0);
	WANT_INT(c, fr_qu_pop(c, &got, 1), 0);
}

static void
none_waits(struct fr_check *c)
{
	const char *types[] = { c->type, c->type2 };
	struct fr_ticket got[4];

	WANT_INT(c, fr_qu_pop_of(c, types, 2, got, 4), 0);
	WANT_INT(c, fr_qu_pop_of(c, types, 0, got, 4), 0);
	WANT_INT(c, fr_qu_length(c, c->type), 0);
}

static void
count_limit(struct fr_check *c)
{
	static const size_t counts[] = { 1, 3, 0, 2, 5, 1, 20 };
	struct fr_ticket *t = fr_qu_tickets(c, 20), got[20];
	size_t i, n, sum = 0;

	fr_qu_push(c, t, 20);
	for (i = 0; i < 7; i++) {
		n = fr_qu_pop(
		    c, got + sum, counts[i] < 20 - sum ? counts[i] : 20 - sum);
		WANT(c, n <= counts[i]);
		WANT(c, n == counts[i] || i == 6);
		sum += n;
		WANT_INT(c, fr_qu_length(c, c->type), 20 - (int64_t)sum);
	}
	fr_qu_same(c, got, sum, t, 20);
}

static void
more_than_there(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 3), got[50];

	fr_qu_push(c, t, 3);
	fr_qu_same(c, got, fr_qu_pop(c, got, 50), t, 3);
}

static void
only_asked_types(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 10), got[10];
	const char *second = c->type2;
	size_t i;

	for (i = 0; i < 5; i++) {
		t[i].type = c->type2;
		t[i].priority = 100;
	}
	fr_qu_push(c, t, 10);
	fr_qu_drain(c, t + 5, 5);
	WANT_INT(c, fr_qu_length(c, c->type2), 5);
	fr_qu_same(c, got, fr_qu_pop_of(c, &second, 1, got, 10), t, 5);
}

static void
held_up_by_none(struct fr_check *c)
{
	struct fr_ticket *other = fr_qu_tickets(c, 500);
	struct fr_ticket t = fr_qu_ticket(c);
	size_t i;

	/* In front in every way, but nobody asks for them. */
	for (i = 0; i < 500; i++) {
		other[i].type = c->type2;
		other[i].priority = INT32_MAX;
	}
	fr_qu_push(c, other, 500);
	t.priority = INT32_MIN;
	fr_qu_push(c, &t, 1);
	fr_qu_drain(c, &t, 1);
	WANT_INT(c, fr_qu_length(c, c->type2), 500);
}

static void
names_of_types(struct fr_check *c)
{
	char name[4][FR_TYPE_MAX + 1];
	struct fr_ticket *t = fr_qu_tickets(c, 4), got[4];
	const char *type;
	size_t i;

	for (i = 0; i < 4; i++) {
		memset(name[i], 'x', FR_TYPE_MAX);
		name[i][FR_TYPE_MAX] = '\0';
		memcpy(name[i], c->type, strlen(c->type));
	}
	name[1][FR_TYPE_MAX - 1] = 'X';
	name[2][FR_TYPE_MAX - 1] = '\0';
	memcpy(name[3] + 30, "._-A", 5);
	for (i = 0; i < 4; i++)
		t[i].type = name[i];
	fr_qu_push(c, t, 4);
	for (i = 0; i < 4; i++) {
		type = name[i];
		WANT_INT(c, fr_qu_length(c, type), 1);
		fr_qu_same(c, got, fr_qu_pop_of(c, &type, 1, got, 4), &t[i], 1);
	}
}

static void
many_types(struct fr_check *c)
{
	const size_t n = 200;
	struct fr_ticket *t = fr_qu_tickets(c, n);
	struct fr_ticket *got = fr_check_alloc(c, n, sizeof(*got));
	const char **types = fr_check_alloc(c, n, sizeof(*types));
	size_t i;

	for (i = 0; i < n; i++)
		types[i] = t[i].type = fr_check_type(c);
	fr_qu_push(c, t, n);
	fr_qu_same(c, got, fr_qu_pop_of(c, types, n, got, n), t, n);
}

static void
type_asked_twice(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 6), got[12];
	const char *types[] = { c->type, c->type, c->type2, c->type };

	fr_qu_push(c, t, 6);
	fr_qu_same(c, got, fr_qu_pop_of(c, types, 4, got, 12), t, 6);
}

static void
not_doubled(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 6);

	t[2] = t[1];
	fr_qu_push(c, t, 6);
	fr_qu_push(c, t, 6);
	fr_qu_push(c, t + 3, 2);
	WANT_INT(c, fr_qu_length(c, c->type), 5);
	memmove(t + 2, t + 3, 3 * sizeof(*t));
	fr_qu_drain(c, t, 5);
}

static void
pushed_again(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 3);
	int i;

	for (i = 0; i < 5; i++) {
		fr_qu_push(c, t, 3);
		fr_qu_drain(c, t, 3);
	}
}

static void
requeued_is_there(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 4), got[4];

	fr_qu_push(c, t, 4);
	WANT_INT(c, fr_qu_pop(c, got, 2), 2);
	fr_qu_requeue(c, got, 2);
	WANT_INT(c, fr_qu_length(c, c->type), 4);
	fr_qu_drain(c, t, 4);
}

static void
requeued_not_doubled(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 5), got[5];

	fr_qu_push(c, t, 5);
	fr_qu_requeue(c, t, 5);
	fr_qu_requeue(c, t, 2);
	WANT_INT(c, fr_qu_length(c, c->type), 5);
	WANT_INT(c, fr_qu_pop(c, got, 1), 1);
	fr_qu_requeue(c, got, 1);
	fr_qu_push(c, t, 5); /* as a sweep does */
	WANT_INT(c, fr_qu_length(c, c->type), 5);
	fr_qu_drain(c, t, 5);
}

static void
requeue_of_unknown(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 3);

	t[1].priority = t[0].priority = t[2].priority = -5;
	fr_qu_requeue(c, t, 3);
	fr_qu_drain(c, t, 3);
}

static void
removed_is_gone(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 9), gone[3];

	fr_qu_push(c, t, 9);
	gone[0] = t[0];
	gone[1] = t[4];
	gone[2] = t[8];
	fr_qu_remove(c, gone, 3);
	WANT_INT(c, fr_qu_length(c, c->type), 6);
	memmove(t, t + 1, 3 * sizeof(*t));
	memmove(t + 3, t + 5, 3 * sizeof(*t));
	fr_qu_drain(c, t, 6);
}

static void
removed_not_there(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 3);
	struct fr_ticket wrong = t[1], got;

	fr_qu_push(c, t, 2);
	fr_qu_remove(c, t + 2, 1);
	fr_qu_remove(c, t, 1);
	fr_qu_remove(c, t, 1);
	WANT_INT(c, fr_qu_length(c, c->type), 1);
	wrong.id = fr_check_id(c);
	fr_qu_remove(c, &wrong, 1);
	WANT_INT(c, fr_qu_length(c, c->type), 1);
	WANT_INT(c, fr_qu_pop(c, &got, 1), 1);
	fr_qu_remove(c, t, 3);
	WANT_INT(c, fr_qu_length(c, c->type), 0);
}

static void
removed_comes_again(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 4);

	fr_qu_push(c, t, 3);
	fr_qu_remove(c, t, 1);
	fr_qu_push(c, t, 1);
	t[3] = t[0];
	fr_qu_drain(c, t + 1, 3);
}

static void
lengths(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 30), got[4];
	int64_t before = fr_qu_length(c, NULL), all;
	size_t i;

	for (i = 0; i < 10; i++)
		t[i].type = c->type2;
	fr_qu_push(c, t, 30);
	WANT_INT(c, fr_qu_length(c, c->type), 20);
	WANT_INT(c, fr_qu_length(c, c->type2), 10);
	all = fr_qu_length(c, NULL);
	/* Others may share the queue. */
	if ((c->q->ops->caps(c->q) & FR_QUEUE_SHARED) == 0)
		WANT_INT(c, all, before + 30);
	WANT(c, all >= 30);
	WANT_INT(c, fr_qu_pop(c, got, 4), 4);
	WANT_INT(c, fr_qu_length(c, c->type), 16);
	fr_qu_requeue(c, got, 2);
	WANT_INT(c, fr_qu_length(c, c->type), 18);
	fr_qu_remove(c, t, 30);
	WANT_INT(c, fr_qu_length(c, c->type), 0);
	WANT_INT(c, fr_qu_length(c, c->type2), 0);
}

static void
emptied(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 40), got[1];
	size_t i;

	if (fr_qu_length(c, NULL) != 0)
		fr_check_skip(c, "others use this queue");
	for (i = 0; i < 20; i++)
		t[i].type = c->type2;
	fr_qu_push(c, t, 40);
	MUST(c, c->q->ops->empty(c->q, &c->err));
	WANT_INT(c, fr_qu_length(c, NULL), 0);
	WANT_INT(c, fr_qu_length(c, c->type2), 0);
	WANT_INT(c, fr_qu_pop(c, got, 1), 0);
	MUST(c, c->q->ops->empty(c->q, &c->err));
	fr_qu_push(c, t + 20, 20);
	fr_qu_drain(c, t + 20, 20);
}

static void
empty_batches(struct fr_check *c)
{
	fr_qu_push(c, NULL, 0);
	fr_qu_requeue(c, NULL, 0);
	fr_qu_remove(c, NULL, 0);
	WANT_INT(c, fr_qu_length(c, c->type), 0);
}

static void
batch_sizes(struct fr_check *c)
{
	static const size_t sizes[] = { 1, 2, 3, 10, 999, 2000 };
	struct fr_ticket *t;
	size_t i;

	for (i = 0; i < 6; i++) {
		t = fr_qu_tickets(c, sizes[i]);
		fr_qu_push(c, t, sizes[i]);
		WANT_INT(c, fr_qu_length(c, c->type), sizes[i]);
		fr_qu_drain(c, t, sizes[i]);
	}
}

static void
ten_thousand(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, MANY);
	size_t i;

	for (i = 0; i < MANY; i += 500)
		fr_qu_push(c, t + i, 500);
	WANT_INT(c, fr_qu_length(c, c->type), MANY);
	fr_qu_drain(c, t, MANY);
}

static void
ids_alike(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 128);
	size_t i;

	/* Each differs from the first in one bit. */
	for (i = 1; i < 128; i++) {
		t[i].id = t[0].id;
		t[i].id.b[i / 8] ^= (unsigned char)(1U << i % 8);
	}
	fr_qu_push(c, t, 128);
	WANT_INT(c, fr_qu_length(c, c->type), 128);
	fr_qu_remove(c, t + 64, 64);
	fr_qu_drain(c, t, 64);
}

static void
odd_ids(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 3);

	memset(t[0].id.b, 0, sizeof(t[0].id.b));
	memset(t[1].id.b, 0xff, sizeof(t[1].id.b));
	memcpy(t[2].id.b, "\r\n\0 '\"$-1\r\n*%:{}", 16);
	fr_qu_push(c, t, 3);
	fr_qu_drain(c, t, 3);
}

static void
keeps_copies(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 20), *mine;
	char name[sizeof(c->type)], data[] = "{\"a\":1}";
	size_t i;

	mine = fr_check_alloc(c, 20, sizeof(*mine));
	memcpy(name, c->type, sizeof(name));
	for (i = 0; i < 20; i++) {
		mine[i] = t[i];
		mine[i].type = name;
		mine[i].data = fr_span_of(data);
	}
	fr_qu_push(c, mine, 20);
	memset(mine, 0x55, 20 * sizeof(*mine));
	memset(name, 'z', sizeof(name) - 1);
	memset(data, 'z', sizeof(data) - 1);
	fr_qu_drain(c, t, 20);
}

static void
any_priority(struct fr_check *c)
{
	static const int32_t p[] = { INT32_MIN, -1, 0, 1, INT32_MAX };
	struct fr_ticket *t = fr_qu_tickets(c, 5), got[5];
	size_t i, k;

	for (i = 0; i < 5; i++)
		t[i].priority = p[i];
	fr_qu_push(c, t, 5);
	WANT_INT(c, fr_qu_pop(c, got, 5), 5);
	for (i = 0; i < 5; i++) {
		for (k = 0; k < 5 && !fr_uuid_eq(&got[i].id, &t[k].id); k++)
			;
		WANT(c, k < 5);
		WANT_INT(c, got[i].priority, p[k]);
	}
}

static void
places(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 6);
	int64_t ahead = -1;
	enum fr_rc rc;
	size_t i;

	if (c->q->ops->place == NULL)
		fr_check_skip(c, "the queue tells no places");
	rc = c->q->ops->place(c->q, t, &ahead, &c->err);
	WANT(c, rc == FR_NOTFOUND ||
		    (rc == FR_INVALID && c->conf->order != FR_ORDER_FIFO));
	for (i = 0; i < 6; i++)
		t[i].priority = i < 4 ? 0 : 5;
	fr_qu_push(c, t, 6);
	for (i = 0; i < 6; i++) {
		rc = c->q->ops->place(c->q, &t[i], &ahead, &c->err);
		if (c->conf->order != FR_ORDER_FIFO && rc != FR_OK)
			continue;
		WANT_RC(c, rc, FR_OK);
		if (c->conf->order == FR_ORDER_FIFO)
			WANT_INT(c, ahead, i < 4 ? i + 2 : i - 4);
	}
}

static void
describes(struct fr_check *c)
{
	const uint32_t caps = c->q->ops->caps(c->q);
	const char *text = c->q->ops->describe(c->q);

	WANT(c, text != NULL && text[0] != '\0');
	WANT(c, strchr(text, '\n') == NULL);
	WANT_INT(c, c->q->ops->caps(c->q), caps);
	c->q->ops->close(NULL);
}

/*
 * A random walk of calls beside a plain list. In a queue drawn by chance only
 * what is there is compared, not the order.
 */
#define WALK_IDS 60
#define WALK_STEPS 1500

struct walk_row {
	struct fr_ticket t;
	bool there;
	int64_t seq;
};

static int
first_of(const struct walk_row *r, const char *a, const char *b)
{
	int best = -1, i;

	for (i = 0; i < WALK_IDS; i++) {
		if (!r[i].there || (r[i].t.type != a && r[i].t.type != b))
			continue;
		if (best == -1 || r[i].t.priority > r[best].t.priority ||
		    (r[i].t.priority == r[best].t.priority &&
			r[i].seq < r[best].seq))
			best = i;
	}
	return best;
}

static void
walk_pop(struct fr_check *c, struct walk_row *r)
{
	const char *types[] = { c->type, c->type2 };
	const uint64_t which = fr_rand_below(&c->rand, 3);
	const char *a = which == 1 ? c->type2 : c->type;
	const char *b = which == 2 ? c->type2 : a;
	struct fr_ticket got[6];
	size_t n = fr_rand_below(&c->rand, 6), k, i;
	int j;

	k = fr_qu_pop_of(
	    c, which == 1 ? types + 1 : types, which == 2 ? 2 : 1, got, n);
	for (i = 0; i < k; i++) {
		if (c->conf->order == FR_ORDER_FIFO) {
			j = first_of(r, a, b);
		} else {
			for (j = WALK_IDS - 1; j >= 0; j--)
				if (fr_uuid_eq(&r[j].t.id, &got[i].id))
					break;
			WANT(c, j >= 0 && r[j].there);
			WANT(c, r[j].t.type == a || r[j].t.type == b);
		}
		WANT(c, j >= 0);
		fr_qu_same(c, &got[i], 1, &r[j].t, 1);
		r[j].there = false;
	}
	if (k < n)
		WANT(c, first_of(r, a, b) == -1);
}

static void
walks(struct fr_check *c)
{
	struct walk_row r[WALK_IDS];
	int64_t last = 0, first = 0, n;
	struct walk_row *w;
	int i, k;

	for (i = 0; i < WALK_IDS; i++) {
		r[i] = (struct walk_row){ .t = fr_qu_ticket(c) };
		r[i].t.type = i % 3 == 0 ? c->type2 : c->type;
		r[i].t.priority = i % 4 - 1;
	}
	for (i = 0; i < WALK_STEPS; i++) {
		w = &r[fr_rand_below(&c->rand, WALK_IDS)];
		switch (fr_rand_below(&c->rand, 8)) {
		case 0:
			fr_qu_requeue(c, &w->t, 1);
			w->there = true;
			w->seq = --first;
			break;
		case 1:
			fr_qu_remove(c, &w->t, 1);
			w->there = false;
			break;
		case 2:
			walk_pop(c, r);
			break;
		default:
			fr_qu_push(c, &w->t, 1);
			if (!w->there)
				w->seq = ++last;
			w->there = true;
			break;
		}
		if (i % 10 != 0)
			continue;
		for (n = 0, k = 0; k < WALK_IDS; k++)
			n += r[k].there && r[k].t.type == c->type;
		WANT_INT(c, fr_qu_length(c, c->type), n);
	}
}

const struct fr_case fr_cases_queue[] = {
	{ "what is pushed comes back with its id, type and priority, once",
	    comes_back, 0 },
	{ "that none waits is no error", none_waits, 0 },
	{ "no more are handed out than was asked", count_limit, 0 },
	{ "asking for more than there is gives all there is", more_than_there,
	    0 },
	{ "only jobs of the asked types are handed out", only_asked_types, 0 },
	{ "a type that nobody asks for holds nobody up", held_up_by_none, 0 },
	{ "types are told apart in case, in length and to their last byte",
	    names_of_types, 0 },
	{ "two hundred types can be asked for at once", many_types, 0 },
	{ "a type asked for twice is no different", type_asked_twice, 0 },
	{ "what is pushed twice is handed out once", not_doubled, 0 },
	{ "what was handed out can be pushed again", pushed_again, 0 },
	{ "what is requeued is handed out again", requeued_is_there, 0 },
	{ "what is requeued and pushed is handed out once",
	    requeued_not_doubled, 0 },
	{ "what the queue has never seen can be requeued", requeue_of_unknown,
	    0 },
	{ "what is removed is not handed out", removed_is_gone, 0 },
	{ "removing what is not there is no error and removes nothing else",
	    removed_not_there, 0 },
	{ "what was removed can be pushed again", removed_comes_again, 0 },
	{ "the length is exact, by type and in all", lengths, 0 },
	{ "an emptied queue is empty, and can be used", emptied, 0 },
	{ "empty batches are no error", empty_batches, 0 },
	{ "a batch of any size is pushed whole", batch_sizes, 0 },
	{ "ten thousand jobs are handed out once each", ten_thousand, 0 },
	{ "ids that differ in one bit are different jobs", ids_alike, 0 },
	{ "an id may be any sixteen bytes", odd_ids, 0 },
	{ "the queue keeps copies of what it was given", keeps_copies, 0 },
	{ "priorities come back as they were, up to the ends of their range",
	    any_priority, 0 },
	{ "a job's place is the number of those before it", places, 0 },
	{ "the queue describes itself in one line", describes, 0 },
	{ "a random walk of calls loses nothing and doubles nothing", walks,
	    0 },
	{ NULL, NULL, 0 },
};
