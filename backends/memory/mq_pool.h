/* SPDX-License-Identifier: MIT */
#ifndef FR_MEMORY_POOL_H
#define FR_MEMORY_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Many small things of one size, named by 32-bit numbers. Memory comes from
 * the kernel in pieces and goes back to it piece by piece, so that growing
 * never copies and a queue that was long leaves nothing behind.
 */
#define MQ_NONE UINT32_MAX

struct fr_mq_piece;

struct fr_mq_pool {
	struct fr_mq_piece *piece;
	uint32_t npieces;
	uint32_t cap;    /* of the array */
	uint32_t avail;  /* first piece with room, or MQ_NONE */
	uint32_t unused; /* first number without memory, or MQ_NONE */
	uint32_t spare;  /* pieces with memory in which nothing lives */
	uint32_t shift;  /* a piece has 1 << shift of them */
	size_t each;     /* bytes of one thing: at least 4, a multiple of 4 */
};

void fr_mq_pool_init(struct fr_mq_pool *p, size_t each);
void fr_mq_pool_fini(struct fr_mq_pool *p);
/* The number of a new thing, not zeroed; MQ_NONE without memory. */
uint32_t fr_mq_pool_new(struct fr_mq_pool *p);
void fr_mq_pool_free(struct fr_mq_pool *p, uint32_t i);
void *fr_mq_pool_at(const struct fr_mq_pool *p, uint32_t i);
/* How many things there are; looks at every piece. */
size_t fr_mq_pool_live(const struct fr_mq_pool *p);

/* 32-bit numbers in a row, kept in pieces as well. */
struct fr_mq_row {
	uint32_t **piece;
	size_t npieces;
	size_t cap; /* of the array */
};

void fr_mq_row_fini(struct fr_mq_row *r);
/* Memory for n numbers; false without it, and nothing has changed. */
bool fr_mq_row_grow(struct fr_mq_row *r, size_t n);
/* n are enough from now on; keeps a little more. */
void fr_mq_row_shrink(struct fr_mq_row *r, size_t n);
uint32_t *fr_mq_row_at(const struct fr_mq_row *r, size_t i);

#endif
