/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/uuid.h"

/*
 * A set-wise UPDATE sees a row once, however often the batch names it. So an
 * item goes into wave k if k items before it name the same job, and each
 * wave is a statement of its own. Almost always there is one wave.
 */

static const struct fr_uuid *
id_of(const void *items, size_t size, size_t i)
{
	return (const void *)((const char *)items + i * size);
}

static size_t
hash_of(const struct fr_uuid *id)
{
	uint64_t a, b;

	memcpy(&a, id->b, sizeof(a));
	memcpy(&b, id->b + sizeof(a), sizeof(b));
	a = (a ^ (b * UINT64_C(0x9e3779b97f4a7c15))) *
	    UINT64_C(0xff51afd7ed558ccd);
	return (size_t)(a ^ (a >> 31));
}

static size_t
slots_for(size_t n)
{
	size_t slots = 64;

	while (slots < 2 * n)
		slots *= 2;
	return slots;
}

static bool
reserve(struct fr_pg *s, size_t n)
{
	if (n <= s->norder)
		return true;
	fr_pg_waves_fini(s);
	s->order = calloc(n, sizeof(*s->order));
	s->wave = calloc(n, sizeof(*s->wave));
	s->group = calloc(n, sizeof(*s->group));
	s->slots = calloc(slots_for(n), sizeof(*s->slots));
	if (s->order == NULL || s->wave == NULL || s->group == NULL ||
	    s->slots == NULL) {
		fr_pg_waves_fini(s);
		return false;
	}
	s->norder = n;
	return true;
}

void
fr_pg_waves_fini(struct fr_pg *s)
{
	free(s->order);
	free(s->wave);
	free(s->group);
	free(s->slots);
	s->order = s->wave = s->group = s->slots = NULL;
	s->norder = 0;
}

struct sorting {
	const struct fr_pg *s;
	const void *items;
	size_t size;
	bool by_id;
};

static int
cmp(const void *x, const void *y, void *arg)
{
	const struct sorting *so = arg;
	const uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	if (so->s->wave[a] != so->s->wave[b])
		return so->s->wave[a] < so->s->wave[b] ? -1 : 1;
	if (so->by_id)
		return fr_uuid_cmp(id_of(so->items, so->size, a),
		    id_of(so->items, so->size, b));
	return a < b ? -1 : a > b;
}

/* Fills in wave[]. */
static void
find_waves(struct fr_pg *s, const void *items, size_t n, size_t size)
{
	const size_t mask = slots_for(n) - 1;
	const struct fr_uuid *id;
	size_t i, h;

	memset(s->slots, 0, (mask + 1) * sizeof(*s->slots));
	for (i = 0; i < n; i++) {
		id = id_of(items, size, i);
		s->wave[i] = 0;
		for (h = hash_of(id) & mask; s->slots[h] != 0;
		     h = (h + 1) & mask) {
			if (!fr_uuid_eq(
				id, id_of(items, size, s->slots[h] - 1)))
				continue;
			s->wave[i] = s->wave[s->slots[h] - 1] + 1;
			break;
		}
		s->slots[h] = (uint32_t)i + 1;
	}
}

enum fr_rc
fr_pg_waves(struct fr_pg *s, const void *items, size_t n, size_t size,
    bool by_id, struct fr_err *err)
{
	struct sorting so = { s, items, size, by_id };
	bool sorted = true;
	uint32_t i;

	fr_assert(n < UINT32_MAX / 2);
	if (!reserve(s, n))
		return fr_fail(err, FR_NOMEM, "batch: out of memory");
	find_waves(s, items, n, size);
	for (i = 0; i < n; i++) {
		s->order[i] = i;
		if (i > 0 && cmp(&s->order[i - 1], &s->order[i], &so) > 0)
			sorted = false;
	}
	if (!sorted)
		qsort_r(s->order, n, sizeof(*s->order), cmp, &so);
	return FR_OK;
}

bool
fr_pg_in_order(const struct fr_pg *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s->order[i] != i || s->wave[i] != 0)
			return false;
	return true;
}

size_t
fr_pg_wave(const struct fr_pg *s, size_t n, size_t i)
{
	const uint32_t wave = s->wave[s->order[i]];

	while (i < n && s->wave[s->order[i]] == wave)
		i++;
	return i;
}

size_t
fr_pg_part(const struct fr_pg *s, size_t n, size_t i)
{
	const uint32_t wave = s->wave[s->order[i]];
	const size_t most = n - i > FR_PG_CHUNK ? i + FR_PG_CHUNK : n;

	while (i < most && s->wave[s->order[i]] == wave)
		i++;
	return i;
}
