/* SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "base/str.h"
#include "on_queue.h"

/* Higher priority first, then first in, first out. */

static void
first_in_first_out(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 50);
	size_t i, k;

	/* Not in the order of their ids. */
	for (i = 50; i-- > 1;) {
		struct fr_ticket x = t[i];

		k = fr_rand_below(&c->rand, i + 1);
		t[i] = t[k];
		t[k] = x;
	}
	for (i = 0; i < 20; i++)
		fr_qu_push(c, t + i, 1);
	fr_qu_push(c, t + 20, 30);
	fr_qu_drain(c, t, 50);
}

static void
interleaved(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 90), got[60];
	size_t in = 0, out = 0;

	while (in < 90) {
		fr_qu_push(c, t + in, 3);
		in += 3;
		WANT_INT(c, fr_qu_pop(c, got, 2), 2);
		fr_qu_same(c, got, 2, t + out, 2);
		out += 2;
	}
	fr_qu_drain(c, t + out, 90 - out);
}

static void
higher_first(struct fr_check *c)
{
	static const int32_t p[] = { 0, 5, -5, INT32_MAX, 5, INT32_MIN, 0, 1 };
	static const size_t want[] = { 3, 1, 4, 7, 0, 6, 2, 5 };
	struct fr_ticket *t = fr_qu_tickets(c, 8), w[8];
	size_t i;

	for (i = 0; i < 8; i++)
		t[i].priority = p[i];
	fr_qu_push(c, t, 8);
	for (i = 0; i < 8; i++)
		w[i] = t[want[i]];
	fr_qu_drain(c, w, 8);
}

static void
many_priorities(struct fr_check *c)
{
	const size_t n = 500;
	struct fr_ticket *t = fr_qu_tickets(c, n);
	struct fr_ticket *w = fr_check_alloc(c, n, sizeof(*w));
	size_t i;

	/* 7 * i mod 500 is a permutation. */
	for (i = 0; i < n; i++) {
		t[i].priority = (int32_t)(7 * i % n) * 1000003 - 250000000;
		w[n - 1 - 7 * i % n] = t[i];
	}
	for (i = 0; i < n; i += 50)
		fr_qu_push(c, t + i, 50);
	fr_qu_drain(c, w, n);
}

static void
later_but_higher(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 30), got[10], w[20];
	size_t i;

	fr_qu_push(c, t, 20);
	WANT_INT(c, fr_qu_pop(c, got, 5), 5);
	for (i = 20; i < 25; i++)
		t[i].priority = 1;
	fr_qu_push(c, t + 20, 5);
	memcpy(w, t + 20, 5 * sizeof(*w));
	memcpy(w + 5, t + 5, 15 * sizeof(*w));
	fr_qu_drain(c, w, 20);
}

static void
over_types(struct fr_check *c)
{
	const char *types[] = { c->type2, c->type };
	struct fr_ticket *t = fr_qu_tickets(c, 40), got[40], w[40];
	size_t i, n = 0;

	for (i = 0; i < 40; i++) {
		t[i].type = i % 3 == 0 ? c->type2 : c->type;
		t[i].priority = i % 5 == 0;
	}
	for (i = 0; i < 40; i += 4)
		fr_qu_push(c, t + i, 4);
	for (i = 0; i < 40; i++)
		if (i % 5 == 0)
			w[n++] = t[i];
	for (i = 0; i < 40; i++)
		if (i % 5 != 0)
			w[n++] = t[i];
	n = fr_qu_pop_of(c, types, 2, got, 7);
	n += fr_qu_pop_of(c, types, 2, got + n, 40 - n);
	fr_qu_same(c, got, n, w, 40);
}

static void
left_where_it_is(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 5), again;

	fr_qu_push(c, t, 5);
	again = t[1];
	again.priority = 9;
	fr_qu_push(c, &again, 1);
	fr_qu_push(c, t + 3, 1);
	fr_qu_push(c, t, 2);
	fr_qu_drain(c, t, 5);
}

static void
requeue_to_front(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 6), got[1];

	fr_qu_push(c, t, 6);
	WANT_INT(c, fr_qu_pop(c, got, 1), 1);
	fr_qu_requeue(c, got, 1);
	fr_qu_drain(c, t, 6);
}

static void
requeue_batch(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 10), got[4], w[10];

	fr_qu_push(c, t, 10);
	WANT_INT(c, fr_qu_pop(c, got, 4), 4);
	fr_qu_requeue(c, got, 4);
	fr_qu_drain(c, t, 10);
	/* Twice: the later batch is in front of the earlier. */
	fr_qu_push(c, t + 8, 2);
	fr_qu_requeue(c, t + 4, 4);
	fr_qu_requeue(c, t, 4);
	memcpy(w, t, sizeof(w));
	fr_qu_drain(c, w, 10);
}

static void
requeue_within_priority(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 9), w[9];
	size_t i;

	for (i = 0; i < 9; i++)
		t[i].priority = i < 3 ? 2 : i < 6 ? 1 : 0;
	fr_qu_push(c, t, 8);
	fr_qu_remove(c, t + 4, 1);
	fr_qu_requeue(c, t + 4, 1);
	fr_qu_requeue(c, t + 8, 1);
	memcpy(w, t, sizeof(w));
	w[3] = t[4];
	w[4] = t[3];
	w[6] = t[8];
	w[7] = t[6];
	w[8] = t[7];
	fr_qu_drain(c, w, 9);
}

static void
requeue_moves(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 5), w[5];

	fr_qu_push(c, t, 5);
	fr_qu_requeue(c, t + 3, 1);
	w[0] = t[3];
	memcpy(w + 1, t, 3 * sizeof(*w));
	w[4] = t[4];
	fr_qu_drain(c, w, 5);
}

static void
requeue_over_types(struct fr_check *c)
{
	const char *types[] = { c->type, c->type2 };
	struct fr_ticket *t = fr_qu_tickets(c, 6), got[6], w[6];
	size_t i;

	for (i = 0; i < 6; i++)
		t[i].type = i % 2 == 0 ? c->type : c->type2;
	fr_qu_push(c, t, 4);
	fr_qu_requeue(c, t + 4, 2);
	memcpy(w, t + 4, 2 * sizeof(*w));
	memcpy(w + 2, t, 4 * sizeof(*w));
	fr_qu_same(c, got, fr_qu_pop_of(c, types, 2, got, 6), w, 6);
}

static void
pushed_after_requeue(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 8), got[2];

	fr_qu_push(c, t, 4);
	WANT_INT(c, fr_qu_pop(c, got, 2), 2);
	fr_qu_requeue(c, got, 2);
	fr_qu_push(c, t + 4, 4);
	fr_qu_drain(c, t, 8);
}

static void
removed_goes_to_end(struct fr_check *c)
{
	struct fr_ticket *t = fr_qu_tickets(c, 4), w[4];

	fr_qu_push(c, t, 4);
	fr_qu_remove(c, t + 1, 1);
	fr_qu_push(c, t + 1, 1);
	w[0] = t[0];
	w[1] = t[2];
	w[2] = t[3];
	w[3] = t[1];
	fr_qu_drain(c, w, 4);
}

const struct fr_case fr_cases_fifo[] = {
	{ "jobs of one priority go out first in, first out", first_in_first_out,
	    FR_NEED_FIFO },
	{ "first in, first out holds while jobs come and go", interleaved,
	    FR_NEED_FIFO },
	{ "a higher priority goes out first", higher_first, FR_NEED_FIFO },
	{ "five hundred priorities go out in their order", many_priorities,
	    FR_NEED_FIFO },
	{ "what comes later with a higher priority goes out before the rest",
	    later_but_higher, FR_NEED_FIFO },
	{ "over several types the order is by priority, then by arrival",
	    over_types, FR_NEED_FIFO },
	{ "what is pushed again stays where it is", left_where_it_is,
	    FR_NEED_FIFO },
	{ "what is requeued goes to the front", requeue_to_front,
	    FR_NEED_FIFO },
	{ "a batch goes to the front with its first foremost", requeue_batch,
	    FR_NEED_FIFO },
	{ "the front is that of its own priority", requeue_within_priority,
	    FR_NEED_FIFO },
	{ "what waits and is requeued moves to the front", requeue_moves,
	    FR_NEED_FIFO },
	{ "what is requeued is in front of other types as well",
	    requeue_over_types, FR_NEED_FIFO },
	{ "what is pushed after a requeue goes to the end",
	    pushed_after_requeue, FR_NEED_FIFO },
	{ "what was removed and is pushed again goes to the end",
	    removed_goes_to_end, FR_NEED_FIFO },
	{ NULL, NULL, 0 },
};
