/* SPDX-License-Identifier: MIT */
#ifndef FR_VEC_H
#define FR_VEC_H

#include <stdbool.h>
#include <stddef.h>

#include <fr/err.h>

/* A growable array of elements of one size, zeroed when they are added. */
struct fr_vec {
	void *p;
	size_t n;
	size_t cap;
	size_t each;
};

/* { .each = sizeof(struct x) } is an empty one. */
#define FR_VEC_OF(type)                                                        \
	{                                                                      \
		.each = sizeof(type)                                           \
	}

void fr_vec_fini(struct fr_vec *v);

/* The new last element, or NULL without memory. Earlier ones may move. */
void *fr_vec_add(struct fr_vec *v);

/* Room for n more, so that fr_vec_add cannot fail for those. */
FR_MUSTCHECK bool fr_vec_reserve(struct fr_vec *v, size_t n);

/* Element i, which is there. */
void *fr_vec_at(const struct fr_vec *v, size_t i);

#endif
