/* SPDX-License-Identifier: MIT */
#include "mq_index.h"

#include <string.h>

#include "base/assert.h"

/*
 * Linear hashing (Litwin 1980): the table grows by one bucket for each entry
 * that is added, by splitting the next bucket in turn, and shrinks the same
 * way. So no call ever stops to rehash, and the row of buckets grows in
 * pieces. Chains go through the entries. The hash is keyed, since clients
 * choose ids.
 */
#define LEAST 64U

bool
fr_mq_index_init(
    struct fr_mq_index *x, struct fr_mq_pool *pool, struct fr_rand *r)
{
	*x = (struct fr_mq_index){ .pool = pool, .low = LEAST };
	x->key[0] = fr_rand_u64(r);
	x->key[1] = fr_rand_u64(r);
	return fr_mq_row_grow(&x->bucket, LEAST);
}

void
fr_mq_index_fini(struct fr_mq_index *x)
{
	fr_mq_row_fini(&x->bucket);
}

uint64_t
fr_mq_index_hash(const struct fr_mq_index *x, const struct fr_uuid *id)
{
	unsigned __int128 m;
	uint64_t a, b;

	memcpy(&a, id->b, sizeof(a));
	memcpy(&b, id->b + sizeof(a), sizeof(b));
	m = (unsigned __int128)(a ^ x->key[0]) * (b ^ x->key[1]);
	a = (uint64_t)m ^ (uint64_t)(m >> 64);
	m = (unsigned __int128)a * UINT64_C(0x9e3779b97f4a7c15);
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint32_t *
bucket(const struct fr_mq_index *x, uint64_t hash)
{
	size_t b = hash & (2 * x->low - 1);

	if (b >= x->low + x->split)
		b &= x->low - 1;
	return fr_mq_row_at(&x->bucket, b);
}

static struct fr_mq_entry *
at(const struct fr_mq_index *x, uint32_t e)
{
	return fr_mq_pool_at(x->pool, e);
}

/*
 * With ten million entries nothing is in the processor's cache. What an add
 * will touch is fetched in three steps, one link of a chain further each: the
 * chain of its bucket, and the one that will be split by then.
 */
static void
fetch_link(const struct fr_mq_index *x, uint32_t e, int links)
{
	while (links-- > 0 && e != MQ_NONE)
		e = at(x, e)->chain;
	if (e != MQ_NONE)
		__builtin_prefetch(at(x, e));
}

void
fr_mq_index_prefetch(
    const struct fr_mq_index *x, uint64_t hash, size_t ahead, int step)
{
	const uint32_t *b = bucket(x, hash);

	if (step == 0)
		__builtin_prefetch(b);
	else
		fetch_link(x, *b - 1, step - 1);
	if (x->split + ahead < x->low)
		fetch_link(
		    x, *fr_mq_row_at(&x->bucket, x->split + ahead) - 1, step);
}

uint32_t
fr_mq_index_find(
    const struct fr_mq_index *x, uint64_t hash, const struct fr_uuid *id)
{
	uint32_t e = *bucket(x, hash) - 1;

	while (e != MQ_NONE && memcmp(&at(x, e)->id, id, sizeof(*id)) != 0)
		e = at(x, e)->chain;
	return e;
}

static void
link_in(struct fr_mq_index *x, uint32_t *first, uint32_t e)
{
	at(x, e)->chain = *first - 1;
	*first = e + 1;
}

/* Moves the entries of one chain to where they belong now. */
static void
deal(struct fr_mq_index *x, uint32_t e)
{
	uint32_t next;

	for (; e != MQ_NONE; e = next) {
		next = at(x, e)->chain;
		link_in(x, bucket(x, fr_mq_index_hash(x, &at(x, e)->id)), e);
	}
}

static void
grow(struct fr_mq_index *x)
{
	uint32_t *old;
	uint32_t e;

	if (!fr_mq_row_grow(&x->bucket, x->low + x->split + 1))
		return;
	*fr_mq_row_at(&x->bucket, x->low + x->split) = 0;
	old = fr_mq_row_at(&x->bucket, x->split);
	e = *old - 1;
	*old = 0;
	x->split++;
	deal(x, e);
	if (x->split == x->low) {
		x->low *= 2;
		x->split = 0;
	}
}

static void
shrink(struct fr_mq_index *x)
{
	uint32_t *last;
	uint32_t e;

	if (x->split == 0) {
		x->low /= 2;
		x->split = x->low;
	}
	x->split--;
	last = fr_mq_row_at(&x->bucket, x->low + x->split);
	e = *last - 1;
	*last = 0;
	deal(x, e);
	fr_mq_row_shrink(&x->bucket, x->low + x->split);
}

void
fr_mq_index_add(struct fr_mq_index *x, uint64_t hash, uint32_t e)
{
	link_in(x, bucket(x, hash), e);
	if (++x->count > x->low + x->split)
		grow(x);
}

void
fr_mq_index_remove(struct fr_mq_index *x, uint32_t e)
{
	uint32_t *first = bucket(x, fr_mq_index_hash(x, &at(x, e)->id));
	uint32_t i = *first - 1;
	int n;

	if (i == e) {
		*first = at(x, e)->chain + 1;
	} else {
		while (at(x, i)->chain != e)
			i = at(x, i)->chain;
		at(x, i)->chain = at(x, e)->chain;
	}
	fr_assert(x->count > 0);
	x->count--;
	/* Up to three, so that it has shrunk by the time it is empty. */
	for (n = 0; n < 3; n++)
		if (x->low + x->split > LEAST &&
		    x->count < (x->low + x->split) / 2)
			shrink(x);
}
