/* SPDX-License-Identifier: MIT */
#ifndef FR_MEMORY_INDEX_H
#define FR_MEMORY_INDEX_H

#include <fr/job.h>

#include "base/rand.h"
#include "mq_pool.h"

/* What every waiting job has; the order keeps more behind it. */
struct fr_mq_entry {
	struct fr_uuid id;
	uint32_t chain; /* next in the same bucket, or MQ_NONE */
	uint32_t owner; /* the order's: level or group */
};

/* Finds entries of a pool by their id. */
struct fr_mq_index {
	struct fr_mq_pool *pool;
	struct fr_mq_row bucket; /* first of each chain, plus one; 0: none */
	uint64_t key[2];
	size_t count;
	size_t low;   /* buckets at the last doubling: a power of two */
	size_t split; /* how many of those have been split since */
};

/* false without memory. */
bool fr_mq_index_init(
    struct fr_mq_index *x, struct fr_mq_pool *pool, struct fr_rand *r);
void fr_mq_index_fini(struct fr_mq_index *x);
uint64_t fr_mq_index_hash(
    const struct fr_mq_index *x, const struct fr_uuid *id);
/* Saves time when many are added: for the one that comes after so many more,
 * step 0, then 1, then 2. */
void fr_mq_index_prefetch(
    const struct fr_mq_index *x, uint64_t hash, size_t ahead, int step);
/* The entry's number, or MQ_NONE. */
uint32_t fr_mq_index_find(
    const struct fr_mq_index *x, uint64_t hash, const struct fr_uuid *id);
/* e is not there yet. Never fails: without memory chains only get longer. */
void fr_mq_index_add(struct fr_mq_index *x, uint64_t hash, uint32_t e);
void fr_mq_index_remove(struct fr_mq_index *x, uint32_t e);

#endif
