/* SPDX-License-Identifier: MIT */
#include "mq_pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"

/*
 * A piece hands out what was given back before it touches new memory; what
 * was given back is chained through its first four bytes. Pieces with room
 * are chained as well. One empty piece is kept, so that a queue that goes up
 * and down around a border does not ask the kernel each time.
 */
#define PIECE_BYTES ((size_t)640 * 1024) /* at most */
#define PIECE_SHIFT 14U                  /* and so many things */
#define ROW 16384U                       /* numbers in a piece of a row */

struct fr_mq_piece {
	char *mem; /* NULL: none */
	uint32_t live;
	uint32_t fresh; /* how many were ever handed out */
	uint32_t freed; /* chain of those given back, or MQ_NONE */
	uint32_t next;  /* piece with room, or number without memory */
	uint32_t prev;
};

static void *
map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* An array of pointers or pieces with room for one more. */
static void *
widen(void *v, size_t each, size_t len, size_t cap, size_t *newcap)
{
	size_t n = cap;

	if (len == cap) {
		n = cap == 0 ? 4 : cap * 2;
		v = reallocarray(v, n, each);
	}
	*newcap = n;
	return v;
}

void
fr_mq_pool_init(struct fr_mq_pool *p, size_t each)
{
	*p = (struct fr_mq_pool){ .each = each,
		.shift = PIECE_SHIFT,
		.avail = MQ_NONE,
		.unused = MQ_NONE };
	fr_assert(each >= sizeof(uint32_t) && each % sizeof(uint32_t) == 0);
	while (each << p->shift > PIECE_BYTES && p->shift > 0)
		p->shift--;
}

void
fr_mq_pool_fini(struct fr_mq_pool *p)
{
	uint32_t i;

	for (i = 0; i < p->npieces; i++)
		if (p->piece[i].mem != NULL)
			(void)munmap(p->piece[i].mem, p->each << p->shift);
	free(p->piece);
	p->piece = NULL;
	p->npieces = p->cap = 0;
}

static void
chain_in(struct fr_mq_pool *p, uint32_t n)
{
	struct fr_mq_piece *pc = &p->piece[n];

	pc->prev = MQ_NONE;
	pc->next = p->avail;
	if (p->avail != MQ_NONE)
		p->piece[p->avail].prev = n;
	p->avail = n;
}

static void
chain_out(struct fr_mq_pool *p, uint32_t n)
{
	struct fr_mq_piece *pc = &p->piece[n];

	if (pc->prev != MQ_NONE)
		p->piece[pc->prev].next = pc->next;
	else
		p->avail = pc->next;
	if (pc->next != MQ_NONE)
		p->piece[pc->next].prev = pc->prev;
}

static bool
add_piece(struct fr_mq_pool *p)
{
	uint32_t n = p->unused;
	size_t cap;
	void *v;
	char *mem;

	if (n == MQ_NONE && p->npieces >= (MQ_NONE - 1) >> p->shift)
		return false; /* numbers have run out */
	if (n == MQ_NONE) {
		v = widen(
		    p->piece, sizeof(*p->piece), p->npieces, p->cap, &cap);
		if (v == NULL)
			return false;
		p->piece = v;
		p->cap = (uint32_t)cap;
	}
	mem = map(p->each << p->shift);
	if (mem == NULL)
		return false;
	if (n == MQ_NONE)
		n = p->npieces++;
	else
		p->unused = p->piece[n].next;
	p->piece[n] = (struct fr_mq_piece){ .mem = mem, .freed = MQ_NONE };
	chain_in(p, n);
	p->spare++;
	return true;
}

uint32_t
fr_mq_pool_new(struct fr_mq_pool *p)
{
	struct fr_mq_piece *pc;
	uint32_t n, i;

	if (p->avail == MQ_NONE && !add_piece(p))
		return MQ_NONE;
	n = p->avail;
	pc = &p->piece[n];
	if (pc->freed != MQ_NONE) {
		i = pc->freed;
		memcpy(&pc->freed, pc->mem + i * p->each, sizeof(pc->freed));
	} else {
		i = pc->fresh++;
	}
	if (pc->live++ == 0)
		p->spare--;
	if (pc->live >> p->shift != 0)
		chain_out(p, n);
	return (n << p->shift) + i;
}

void
fr_mq_pool_free(struct fr_mq_pool *p, uint32_t i)
{
	uint32_t n = i >> p->shift;
	struct fr_mq_piece *pc = &p->piece[n];

	fr_assert(n < p->npieces && pc->live > 0);
	i &= (1U << p->shift) - 1;
	memcpy(pc->mem + i * p->each, &pc->freed, sizeof(pc->freed));
	pc->freed = i;
	if (pc->live >> p->shift != 0)
		chain_in(p, n);
	if (--pc->live > 0)
		return;
	if (p->spare++ == 0) {
		/* Kept, as if new: what is handed out next is in order. */
		pc->fresh = 0;
		pc->freed = MQ_NONE;
		return;
	}
	p->spare--;
	chain_out(p, n);
	(void)munmap(pc->mem, p->each << p->shift);
	*pc = (struct fr_mq_piece){ .next = p->unused };
	p->unused = n;
}

void *
fr_mq_pool_at(const struct fr_mq_pool *p, uint32_t i)
{
	const uint32_t mask = (1U << p->shift) - 1;

	return p->piece[i >> p->shift].mem + (i & mask) * p->each;
}

size_t
fr_mq_pool_live(const struct fr_mq_pool *p)
{
	size_t n = 0, i;

	for (i = 0; i < p->npieces; i++)
		n += p->piece[i].live;
	return n;
}

void
fr_mq_row_fini(struct fr_mq_row *r)
{
	while (r->npieces > 0)
		(void)munmap(r->piece[--r->npieces], ROW * sizeof(uint32_t));
	free(r->piece);
	*r = (struct fr_mq_row){ 0 };
}

bool
fr_mq_row_grow(struct fr_mq_row *r, size_t n)
{
	uint32_t *mem;
	void *v;

	while (r->npieces * ROW < n) {
		v = widen(
		    r->piece, sizeof(*r->piece), r->npieces, r->cap, &r->cap);
		if (v == NULL)
			return false;
		r->piece = v;
		mem = map(ROW * sizeof(*mem));
		if (mem == NULL)
			return false;
		r->piece[r->npieces++] = mem;
	}
	return true;
}

void
fr_mq_row_shrink(struct fr_mq_row *r, size_t n)
{
	while (r->npieces >= 2 && (r->npieces - 2) * ROW >= n)
		(void)munmap(r->piece[--r->npieces], ROW * sizeof(uint32_t));
}

uint32_t *
fr_mq_row_at(const struct fr_mq_row *r, size_t i)
{
	return &r->piece[i / ROW][i % ROW];
}
