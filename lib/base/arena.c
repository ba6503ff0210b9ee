/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/*
 * A list of blocks, each larger than the one before up to a limit. The arena
 * itself stands at the beginning of the first, so that a small request costs
 * one malloc. What does not fit the next block gets one of its own, behind
 * the current one, which stays in use.
 */

#define FIRST_BYTES 4096
#define MOST_BYTES ((size_t)1 << 20)
#define ALIGN _Alignof(max_align_t)
#define ROUND(n) (((n) + ALIGN - 1) & ~(ALIGN - 1))

struct block {
	struct block *next;
	size_t size; /* of what follows the header */
	size_t used;
};

struct fr_arena {
	struct block *now; /* the list's head */
	size_t next_size;
	size_t total;
};

static char *
body(struct block *b)
{
	return (char *)b + ROUND(sizeof(*b));
}

static struct block *
block_new(size_t size)
{
	struct block *b;

	b = malloc(ROUND(sizeof(*b)) + size);
	if (b != NULL)
		*b = (struct block){ .size = size };
	return b;
}

struct fr_arena *
fr_arena_new(size_t first_bytes)
{
	struct fr_arena *a;
	struct block *b;
	size_t size;

	if (first_bytes == 0)
		first_bytes = FIRST_BYTES;
	if (first_bytes > SIZE_MAX / 4)
		return NULL;
	size = ROUND(first_bytes) + ROUND(sizeof(*a));
	b = block_new(size);
	if (b == NULL)
		return NULL;
	a = (struct fr_arena *)(void *)body(b);
	b->used = ROUND(sizeof(*a));
	*a = (struct fr_arena){ .now = b,
		.next_size = size * 2,
		.total = size + ROUND(sizeof(*b)) };
	return a;
}

void
fr_arena_free(struct fr_arena *a)
{
	struct block *b, *next;

	if (a == NULL)
		return;
	/* The arena lies in the list's last block: it is not touched again. */
	for (b = a->now; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
}

static struct block *
more(struct fr_arena *a, size_t n)
{
	const bool own = n > a->next_size;
	struct block *b;

	b = block_new(own ? n : a->next_size);
	if (b == NULL)
		return NULL;
	a->total += b->size + ROUND(sizeof(*b));
	if (own) {
		/* The first block must stay the last of the list. */
		if (a->now->next == NULL) {
			b->next = a->now;
			a->now = b;
		} else {
			b->next = a->now->next;
			a->now->next = b;
		}
		return b;
	}
	if (a->next_size < MOST_BYTES)
		a->next_size *= 2;
	b->next = a->now;
	a->now = b;
	return b;
}

static void *
take(struct fr_arena *a, size_t n)
{
	struct block *b = a->now;
	void *p;

	if (n > SIZE_MAX / 4)
		return NULL;
	n = (n == 0 ? ALIGN : ROUND(n));
	fr_assert(b->used <= b->size);
	if (n > b->size - b->used) {
		b = more(a, n);
		if (b == NULL)
			return NULL;
	}
	p = body(b) + b->used;
	b->used += n;
	return p;
}

void *
fr_arena_alloc(struct fr_arena *a, size_t n)
{
	void *p = take(a, n);

	if (p != NULL)
		memset(p, 0, n);
	return p;
}

void *
fr_arena_calloc(struct fr_arena *a, size_t n, size_t each)
{
	size_t all;

	if (__builtin_mul_overflow(n, each, &all))
		return NULL;
	return fr_arena_alloc(a, all);
}

struct fr_span
fr_arena_dup(struct fr_arena *a, struct fr_span s)
{
	char *p = take(a, s.len);

	if (p == NULL)
		return (struct fr_span){ NULL, 0 };
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	return (struct fr_span){ p, s.len };
}

char *
fr_arena_dupz(struct fr_arena *a, struct fr_span s)
{
	char *p = (s.len < SIZE_MAX ? take(a, s.len + 1) : NULL);

	if (p == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return p;
}

size_t
fr_arena_bytes(const struct fr_arena *a)
{
	return a->total;
}
