/* SPDX-License-Identifier: MIT */
#ifndef FR_MEMORY_MQ_H
#define FR_MEMORY_MQ_H

#include <fr/queue.h>

#include "base/map.h"
#include "base/rand.h"
#include "mq_index.h"
#include "mq_pool.h"

/* The parts of the memory queue; nothing here is seen from outside. */

/* Weights go from 2^-20 to 2^32, one group for each power of two. */
#define MQ_GROUPS 53
#define MQ_GROUP_ONE 20 /* the group of weight 1 */

struct fr_mq_type {
	int64_t count;     /* how many wait */
	const char *asked; /* the caller's name for it, during a pop */
	uint64_t mark;     /* the pop that asked for it */
	uint32_t root;     /* fifo: the tree of its levels, or MQ_NONE */
	uint32_t top;      /* fifo: the highest of them, or MQ_NONE */
	uint64_t filled;   /* draw: bits of the groups that are not empty */
	uint32_t group[MQ_GROUPS]; /* draw: or MQ_NONE */
	char name[FR_TYPE_MAX + 1];
};

struct mq {
	struct fr_queue base;
	struct fr_map *types;     /* name -> struct fr_mq_type */
	size_t idle;              /* types for which none wait */
	struct fr_mq_pool entry;  /* struct fr_mq_line or struct fr_mq_ball */
	struct fr_mq_pool bundle; /* fifo: levels; draw: groups */
	struct fr_mq_index index;
	struct fr_rand rand;
	int64_t first_seq; /* fifo: of what was put to the front last */
	int64_t last_seq;  /* fifo: of what was put to the end last */
	uint64_t pops;
	uint32_t lot; /* random bits of the shape of trees */
	bool fifo;
	bool weighted;
	struct fr_weigh *weigh; /* or NULL */
	char *command;          /* what weigh runs */
	struct fr_mq_type **asked;
	size_t asked_cap;
	uint32_t *added; /* scratch of push, so that it can be undone */
	double *weight;
	size_t scratch_cap;
	char line[160];
};

static inline struct fr_mq_entry *
fr_mq_entry_at(const struct mq *q, uint32_t e)
{
	return fr_mq_pool_at(&q->entry, e);
}

/*
 * The orders. add files entry e (already in the index) under t; false without
 * memory. drop takes it out again. pop fills up to n tickets from the
 * types q->asked[0..ntypes), forgetting each entry, and returns how many.
 */
extern const size_t fr_mq_fifo_entry_size, fr_mq_fifo_bundle_size;
bool fr_mq_fifo_add(struct mq *q, struct fr_mq_type *t, uint32_t e,
    int32_t priority, bool front);
struct fr_mq_type *fr_mq_fifo_type(const struct mq *q, uint32_t e);
void fr_mq_fifo_drop(struct mq *q, uint32_t e);
size_t fr_mq_fifo_pop(
    struct mq *q, size_t ntypes, struct fr_ticket *ticket, size_t n);
/* How many of its type go out before e, counted up to most. */
int64_t fr_mq_fifo_place(const struct mq *q, uint32_t e, int64_t most);

extern const size_t fr_mq_draw_entry_size, fr_mq_draw_bundle_size;
bool fr_mq_draw_add(struct mq *q, struct fr_mq_type *t, uint32_t e,
    int32_t priority, double weight);
struct fr_mq_type *fr_mq_draw_type(const struct mq *q, uint32_t e);
void fr_mq_draw_drop(struct mq *q, uint32_t e);
size_t fr_mq_draw_pop(
    struct mq *q, size_t ntypes, struct fr_ticket *ticket, size_t n);
/* Gives back the groups of a type for which none wait. */
void fr_mq_draw_forget(struct mq *q, struct fr_mq_type *t);

/* Takes e out of the index and frees it; its order has dropped it. */
void fr_mq_forget(struct mq *q, struct fr_mq_type *t, uint32_t e);

#endif
