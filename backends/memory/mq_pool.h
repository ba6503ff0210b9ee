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

struct mq_piece;

struct mq_pool {
	struct mq_piece *piece;
	uint32_t npieces;
	uint32_t cap;    /* of the array */
	uint32_t avail;  /* first piece with room, or MQ_NONE */
	uint32_t unused; /* first number without memory, or MQ_NONE */
	uint32_t spare;  /* pieces with memory in which nothing lives */
	size_t each;     /* bytes of one thing: at least 4, a multiple of 4 */
};

void mq_pool_init(struct mq_pool *p, size_t each);
void mq_pool_fini(struct mq_pool *p);
/* The number of a new thing, not zeroed; MQ_NONE without memory. */
uint32_t mq_pool_new(struct mq_pool *p);
void mq_pool_free(struct mq_pool *p, uint32_t i);
void *mq_pool_at(const struct mq_pool *p, uint32_t i);

/* 32-bit numbers in a row, kept in pieces as well. */
struct mq_row {
	uint32_t **piece;
	size_t npieces;
	size_t cap; /* of the array */
};

void mq_row_fini(struct mq_row *r);
/* Memory for n numbers; false without it, and nothing has changed. */
bool mq_row_grow(struct mq_row *r, size_t n);
/* n are enough from now on; keeps a little more. */
void mq_row_shrink(struct mq_row *r, size_t n);
uint32_t *mq_row_at(const struct mq_row *r, size_t i);

#endif
