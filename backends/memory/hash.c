/* SPDX-License-Identifier: MIT */
#include "hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

bool
fr_mdb_hash_reserve(struct fr_mdb_hash *h)
{
	struct fr_mdb_link **slot, *l, *next;
	size_t n, i;

	if (h->n < h->nslots)
		return true;
	n = h->nslots == 0 ? 256 : h->nslots * 2;
	slot = calloc(n, sizeof(*slot));
	if (slot == NULL)
		return false;
	for (i = 0; i < h->nslots; i++) {
		for (l = h->slot[i]; l != NULL; l = next) {
			next = l->next;
			l->next = slot[l->hash & (n - 1)];
			slot[l->hash & (n - 1)] = l;
		}
	}
	free(h->slot);
	h->slot = slot;
	h->nslots = n;
	return true;
}

void
fr_mdb_hash_add(struct fr_mdb_hash *h, struct fr_mdb_link *l)
{
	struct fr_mdb_link **slot;

	fr_assert(h->nslots > 0);
	slot = &h->slot[l->hash & (h->nslots - 1)];
	l->next = *slot;
	*slot = l;
	h->n++;
}

void
fr_mdb_hash_del(struct fr_mdb_hash *h, struct fr_mdb_link *l)
{
	struct fr_mdb_link **p;

	fr_assert(h->nslots > 0);
	p = &h->slot[l->hash & (h->nslots - 1)];
	while (*p != l) {
		fr_assert(*p != NULL);
		p = &(*p)->next;
	}
	*p = l->next;
	h->n--;
}

static struct fr_mdb_link *
skip(struct fr_mdb_link *l, uint64_t hash)
{
	while (l != NULL && l->hash != hash)
		l = l->next;
	return l;
}

struct fr_mdb_link *
fr_mdb_hash_get(const struct fr_mdb_hash *h, uint64_t hash)
{
	if (h->nslots == 0)
		return NULL;
	return skip(h->slot[hash & (h->nslots - 1)], hash);
}

struct fr_mdb_link *
fr_mdb_hash_next(const struct fr_mdb_link *l)
{
	return skip(l->next, l->hash);
}

uint64_t
fr_mdb_hash_of(uint64_t seed, const void *p, size_t len)
{
	const unsigned char *b = p;
	uint64_t h = seed ^ (len * UINT64_C(0x9e3779b97f4a7c15)), w;
	size_t n;

	while (len > 0) {
		w = 0;
		n = len < sizeof(w) ? len : sizeof(w);
		memcpy(&w, b, n);
		h = (h ^ w) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
		b += n;
		len -= n;
	}
	return h ^ (h >> 29);
}
