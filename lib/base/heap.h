/* SPDX-License-Identifier: MIT */
#ifndef FR_HEAP_H
#define FR_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>

/* Times and what is due then; the owner keeps a node in its own struct. */
struct fr_heap_node {
	int64_t at_ms;
	size_t pos; /* 1-based place in the heap; 0: not in it */
};

struct fr_heap {
	struct fr_heap_node **v;
	size_t len;
	size_t cap;
};

void fr_heap_init(struct fr_heap *h);
void fr_heap_fini(struct fr_heap *h);
/* Makes room for n nodes in all; false without memory. */
FR_MUSTCHECK bool fr_heap_reserve(struct fr_heap *h, size_t n);
/* Adds n with its at_ms, or moves it there; false without memory (only when
 * it is new). */
FR_MUSTCHECK bool fr_heap_set(
    struct fr_heap *h, struct fr_heap_node *n, int64_t at_ms);
void fr_heap_remove(struct fr_heap *h, struct fr_heap_node *n); /* if in it */
struct fr_heap_node *fr_heap_first(const struct fr_heap *h); /* NULL: empty */

#endif
