/* SPDX-License-Identifier: MIT */
#include "base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/rand.h"
#include "base/str.h"

/*
 * Entries stand in the order of their coming in one array, and a table of
 * their numbers, found by open addressing, leads to them. So a walk gives the
 * same order every time, whatever the hash, which is seeded by the kernel to
 * keep chosen keys from colliding. Deleted entries stay as holes until the
 * array is full; in the table, what stood behind a deleted one moves up.
 */

#define INLINE_KEY 24

struct entry {
	void *value; /* NULL: a hole */
	uint64_t hash;
	size_t len;
	union {
		char here[INLINE_KEY];
		char *there;
	} key;
};

struct fr_map {
	struct entry *v;
	uint32_t *slot; /* number of the entry + 1; 0: free */
	size_t n;       /* entries in v, holes too */
	size_t cap;     /* of v; slot has 2 * cap */
	size_t count;
	uint64_t seed;
};

static uint64_t
mix(uint64_t a, uint64_t b)
{
	const unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t
hash(const struct fr_map *m, struct fr_span key)
{
	uint64_t h = m->seed ^ key.len, x;
	size_t i;

	for (i = 0; i + sizeof(x) <= key.len; i += sizeof(x)) {
		memcpy(&x, key.p + i, sizeof(x));
		h = mix(h ^ x, 0x9e3779b97f4a7c15);
	}
	x = 0;
	if (i < key.len)
		memcpy(&x, key.p + i, key.len - i);
	return mix(h ^ x ^ 0xd1b54a32d192ed03, m->seed | 1);
}

static const char *
key_of(const struct entry *e)
{
	return e->len <= INLINE_KEY ? e->key.here : e->key.there;
}

struct fr_map *
fr_map_new(void)
{
	struct fr_map *m = calloc(1, sizeof(*m));
	struct fr_rand r;

	if (m == NULL)
		return NULL;
	fr_rand_init(&r);
	m->seed = fr_rand_u64(&r);
	return m;
}

static void
free_key(struct entry *e)
{
	if (e->len > INLINE_KEY)
		free(e->key.there);
}

void
fr_map_free(struct fr_map *m)
{
	size_t i;

	if (m == NULL)
		return;
	for (i = 0; i < m->n; i++)
		if (m->v[i].value != NULL)
			free_key(&m->v[i]);
	free(m->v);
	free(m->slot);
	free(m);
}

size_t
fr_map_count(const struct fr_map *m)
{
	return m->count;
}

/* The slot that leads to key, or the free one where it would be. */
static size_t
find(const struct fr_map *m, struct fr_span key, uint64_t h)
{
	const size_t mask = m->cap * 2 - 1;
	const struct entry *e;
	size_t i;

	for (i = h & mask; m->slot[i] != 0; i = (i + 1) & mask) {
		e = &m->v[m->slot[i] - 1];
		if (e->hash == h && e->len == key.len &&
		    (key.len == 0 || memcmp(key_of(e), key.p, key.len) == 0))
			break;
	}
	return i;
}

void *
fr_map_get(const struct fr_map *m, struct fr_span key)
{
	size_t i;

	if (m->count == 0)
		return NULL;
	i = find(m, key, hash(m, key));
	return m->slot[i] == 0 ? NULL : m->v[m->slot[i] - 1].value;
}

/* Closes the holes and leaves as much room again as there are entries. */
static bool
rebuild(struct fr_map *m)
{
	size_t cap = 8, i, j, n = 0;
	struct entry *v;
	uint32_t *slot;

	while (cap < m->count * 2)
		cap *= 2;
	if (cap > UINT32_MAX / 2)
		return false;
	v = malloc(cap * sizeof(*v));
	slot = calloc(cap * 2, sizeof(*slot));
	if (v == NULL || slot == NULL) {
		free(v);
		free(slot);
		return false;
	}
	for (i = 0; i < m->n; i++) {
		if (m->v[i].value == NULL)
			continue;
		v[n] = m->v[i];
		j = v[n].hash & (cap * 2 - 1);
		while (slot[j] != 0)
			j = (j + 1) & (cap * 2 - 1);
		slot[j] = (uint32_t)++n;
	}
	fr_assert(n == m->count);
	free(m->v);
	free(m->slot);
	m->v = v;
	m->slot = slot;
	m->n = n;
	m->cap = cap;
	return true;
}

bool
fr_map_put(struct fr_map *m, struct fr_span key, void *value)
{
	const uint64_t h = hash(m, key);
	struct entry *e;
	size_t i;

	fr_assert(value != NULL);
	if (m->cap > 0) {
		i = find(m, key, h);
		if (m->slot[i] != 0) {
			m->v[m->slot[i] - 1].value = value;
			return true;
		}
	}
	if (m->n == m->cap && !rebuild(m))
		return false;
	e = &m->v[m->n];
	*e = (struct entry){ .value = value, .hash = h, .len = key.len };
	if (key.len > INLINE_KEY) {
		e->key.there = malloc(key.len);
		if (e->key.there == NULL)
			return false;
		memcpy(e->key.there, key.p, key.len);
	} else if (key.len > 0)
		memcpy(e->key.here, key.p, key.len);
	m->slot[find(m, key, h)] = (uint32_t)++m->n;
	m->count++;
	return true;
}

/* Frees slot i and moves up those behind it that were pushed past it. */
static void
unlink_slot(struct fr_map *m, size_t i)
{
	const size_t mask = m->cap * 2 - 1;
	size_t j = i, home;

	for (;;) {
		j = (j + 1) & mask;
		if (m->slot[j] == 0)
			break;
		home = m->v[m->slot[j] - 1].hash & mask;
		if (((j - home) & mask) < ((j - i) & mask))
			continue;
		m->slot[i] = m->slot[j];
		i = j;
	}
	m->slot[i] = 0;
}

void *
fr_map_del(struct fr_map *m, struct fr_span key)
{
	struct entry *e;
	void *value;
	size_t i;

	if (m->count == 0)
		return NULL;
	i = find(m, key, hash(m, key));
	if (m->slot[i] == 0)
		return NULL;
	e = &m->v[m->slot[i] - 1];
	unlink_slot(m, i);
	value = e->value;
	e->value = NULL;
	free_key(e);
	m->count--;
	while (m->n > 0 && m->v[m->n - 1].value == NULL)
		m->n--;
	return value;
}

bool
fr_map_next(
    const struct fr_map *m, size_t *pos, struct fr_span *key, void **value)
{
	const struct entry *e;

	while (*pos < m->n) {
		e = &m->v[(*pos)++];
		if (e->value == NULL)
			continue;
		if (key != NULL)
			*key = (struct fr_span){ key_of(e), e->len };
		*value = e->value;
		return true;
	}
	return false;
}
