/* SPDX-License-Identifier: MIT */
#ifndef FR_MEMORY_INDEX_H
#define FR_MEMORY_INDEX_H

#include <fr/job.h>

#include "mq_pool.h"

/* What every waiting job has; the order keeps more behind it. */
struct fr_mq_entry {
	struct fr_uuid id;
	uint32_t owner; /* the order's: level or group */
};

/* An id as two numbers, in the order of its bytes. */
struct fr_mq_key {
	uint64_t hi, lo;
};

/* The leaf that was used last, and which keys belong into it. */
struct fr_mq_finger {
	uint32_t leaf;              /* or MQ_NONE: not known */
	bool open;                  /* no key is too large */
	struct fr_mq_key low, high; /* low <= key < high */
};

/* Finds entries of a pool by their id. */
struct fr_mq_index {
	const struct fr_mq_pool *entry;
	struct fr_mq_pool leaf, inner;
	size_t count;
	uint32_t root;
	uint32_t height; /* inner nodes above a leaf */
	uint32_t last;   /* that was added */
	struct fr_mq_finger adds, removes;
};

/* false without memory. */
bool fr_mq_index_init(struct fr_mq_index *x, const struct fr_mq_pool *entry);
void fr_mq_index_fini(struct fr_mq_index *x);
/* The entry's number, or MQ_NONE. */
uint32_t fr_mq_index_find(struct fr_mq_index *x, const struct fr_uuid *id);
/* e, whose id is not there yet. false without memory: nothing has changed. */
bool fr_mq_index_add(struct fr_mq_index *x, uint32_t e);
/* e, which is there and still has its id. */
void fr_mq_index_remove(struct fr_mq_index *x, uint32_t e);

#endif
