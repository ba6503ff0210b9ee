/* SPDX-License-Identifier: MIT */
#ifndef FR_TYPE_H
#define FR_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/map.h"
#include "core/op.h"

/*
 * The types that the engine has met, and who waits for jobs of them. A type
 * is "ready" while a job of it may be in the queue, somebody waits for it,
 * and it is not paused.
 */
struct fr_type {
	char name[FR_TYPE_MAX + 1];
	bool paused;
	bool maybe;      /* the queue may hold jobs of this type */
	bool echo;       /* and is to be looked at again soon */
	size_t held;     /* jobs of it that workers have from this manager */
	size_t nwaiting; /* takers below */
	size_t fresh;    /* scratch of the dispatch: jobs of this turn */
	struct fr_taker_link *first, *last;
	bool in_ready;
	struct fr_type *ready_prev, *ready_next;
};

/* One taker's place among those who wait for one type. */
struct fr_taker_link {
	struct fr_taker *taker;
	struct fr_type *type;
	struct fr_taker_link *prev, *next;
};

/* A work request that can take jobs. Lives in its op's arena. */
struct fr_taker {
	struct fr_op *op;
	struct fr_worker *worker;
	bool linked;
	uint32_t got; /* tickets popped for it in this turn */
	size_t bytes; /* of the data it got */
	struct fr_taker_link *links;
	const char **names; /* of its types that are not paused; scratch */
};

struct fr_types {
	struct fr_map *map;
	struct fr_type *ready; /* a ring by ready_prev and ready_next */
	size_t nwaiting;       /* takers that are linked */
};

FR_MUSTCHECK bool fr_types_init(struct fr_types *ts);
void fr_types_fini(struct fr_types *ts);

/* The type with that name, made if it is new (maybe is true then: nothing is
 * known of it); NULL without memory. */
struct fr_type *fr_types_get(struct fr_types *ts, struct fr_span name);

/* The type with that name, or NULL. */
struct fr_type *fr_types_find(const struct fr_types *ts, struct fr_span name);

/* A job of this type may be in the queue now, or none is. */
void fr_type_set_maybe(struct fr_types *ts, struct fr_type *t, bool maybe);
void fr_type_set_paused(struct fr_types *ts, struct fr_type *t, bool paused);

/* Makes the taker of a work request; NULL without memory. */
struct fr_taker *fr_taker_new(
    struct fr_types *ts, struct fr_op *op, struct fr_worker *worker);

/* Lets it wait in all its types, behind those who wait already, or no more. */
void fr_taker_link(struct fr_types *ts, struct fr_taker *k);
void fr_taker_unlink(struct fr_types *ts, struct fr_taker *k);

/* A ready type, each in turn, or NULL. */
struct fr_type *fr_types_ready(struct fr_types *ts);

/* Forgets types of which nothing is to be remembered. */
void fr_types_tidy(struct fr_types *ts);

#endif
