/* SPDX-License-Identifier: MIT */
#include "base/vec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

void
fr_vec_fini(struct fr_vec *v)
{
	free(v->p);
	v->p = NULL;
	v->n = v->cap = 0;
}

bool
fr_vec_reserve(struct fr_vec *v, size_t n)
{
	size_t cap = v->cap;
	void *p;

	fr_assert(v->each > 0);
	if (n <= v->cap - v->n)
		return true;
	if (n > SIZE_MAX / 4 / v->each - v->n)
		return false;
	if (cap == 0)
		cap = 16;
	while (cap - v->n < n)
		cap *= 2;
	p = realloc(v->p, cap * v->each);
	if (p == NULL)
		return false;
	v->p = p;
	v->cap = cap;
	return true;
}

void *
fr_vec_add(struct fr_vec *v)
{
	char *at;

	if (!fr_vec_reserve(v, 1))
		return NULL;
	at = (char *)v->p + v->n * v->each;
	v->n++;
	return memset(at, 0, v->each);
}

void *
fr_vec_at(const struct fr_vec *v, size_t i)
{
	fr_assert(i < v->n);
	return (char *)v->p + i * v->each;
}
