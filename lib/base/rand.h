/* SPDX-License-Identifier: MIT */
#ifndef FR_RAND_H
#define FR_RAND_H

#include <stddef.h>
#include <stdint.h>

/* Random bytes, from the kernel or, for a test, from a seed. */
struct fr_rand {
	void (*fill)(struct fr_rand *r, void *dst, size_t len);
	uint64_t s[4]; /* the seeded generator's state; else a small pool */
	unsigned char pool[512];
	size_t left;
};

void fr_rand_init(struct fr_rand *r);                /* getrandom */
void fr_rand_seed(struct fr_rand *r, uint64_t seed); /* repeatable */
void fr_rand_fill(struct fr_rand *r, void *dst, size_t len);
uint64_t fr_rand_u64(struct fr_rand *r);
/* Evenly in 0..n-1; n > 0. */
uint64_t fr_rand_below(struct fr_rand *r, uint64_t n);
/* In [0, 1). */
double fr_rand_unit(struct fr_rand *r);

#endif
