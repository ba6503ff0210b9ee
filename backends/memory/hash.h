/* SPDX-License-Identifier: MIT */
#ifndef FR_MDB_HASH_H
#define FR_MDB_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A hash table of links that live in their owners. Entries with equal hashes
 * may be in it together: the owner compares what it looks for.
 */
struct fr_mdb_link {
	struct fr_mdb_link *next;
	uint64_t hash;
	void *owner;
};
struct fr_mdb_hash {
	struct fr_mdb_link **slot;
	size_t nslots; /* a power of two */
	size_t n;
};

/* Room for one more; false without memory. */
bool fr_mdb_hash_reserve(struct fr_mdb_hash *h);
/* Room was reserved, or there has been as much before. */
void fr_mdb_hash_add(struct fr_mdb_hash *h, struct fr_mdb_link *l);
void fr_mdb_hash_del(struct fr_mdb_hash *h, struct fr_mdb_link *l);
/* The first with this hash; fr_mdb_hash_next: the others. NULL: no more. */
struct fr_mdb_link *fr_mdb_hash_get(const struct fr_mdb_hash *h, uint64_t hash);
struct fr_mdb_link *fr_mdb_hash_next(const struct fr_mdb_link *l);

/* Of bytes; seed tells apart what must not look alike. */
uint64_t fr_mdb_hash_of(uint64_t seed, const void *p, size_t len);

#endif
