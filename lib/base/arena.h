/* SPDX-License-Identifier: MIT */
#ifndef FR_ARENA_H
#define FR_ARENA_H

#include <stddef.h>

#include <fr/job.h>

/* The memory of one request: many allocations, freed at once. */
struct fr_arena;

/* NULL without memory. first_bytes: the size of the first block (0: 4 KiB). */
struct fr_arena *fr_arena_new(size_t first_bytes);
void fr_arena_free(struct fr_arena *a); /* NULL is fine */

/* Aligned for anything, zeroed; NULL without memory. Never returns NULL for
 * n 0 otherwise. calloc checks the product. */
void *fr_arena_alloc(struct fr_arena *a, size_t n);
void *fr_arena_calloc(struct fr_arena *a, size_t n, size_t each);

/* Copies; dupz adds a NUL. p NULL without memory. */
struct fr_span fr_arena_dup(struct fr_arena *a, struct fr_span s);
char *fr_arena_dupz(struct fr_arena *a, struct fr_span s);

/* How much memory it holds in all. */
size_t fr_arena_bytes(const struct fr_arena *a);

#endif
