/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 31;
	x *= UINT64_C(0x7fb5d329728ea185);
	x ^= x >> 27;
	x *= UINT64_C(0x81dadef4bc2dd44d);
	return x ^ (x >> 33);
}

static bool
less(const struct fr_mdb_node *n, int64_t a, int64_t b)
{
	return n->a < a || (n->a == a && n->b < b);
}

void
fr_mdb_tree_add(struct fr_mdb_node **root, struct fr_mdb_node *n)
{
	struct fr_mdb_node **l = &n->l, **r = &n->r, *t;

	n->pri = mix((uint64_t)n->b);
	while (*root != NULL && (*root)->pri >= n->pri)
		root = less(*root, n->a, n->b) ? &(*root)->r : &(*root)->l;
	/* Split what stands there around n. */
	t = *root;
	*root = n;
	while (t != NULL) {
		if (less(t, n->a, n->b)) {
			*l = t;
			l = &t->r;
			t = t->r;
		} else {
			*r = t;
			r = &t->l;
			t = t->l;
		}
	}
	*l = NULL;
	*r = NULL;
}

void
fr_mdb_tree_del(struct fr_mdb_node **root, struct fr_mdb_node *n)
{
	struct fr_mdb_node *l = n->l, *r = n->r;

	while (*root != n) {
		fr_assert(*root != NULL);
		root = less(*root, n->a, n->b) ? &(*root)->r : &(*root)->l;
	}
	while (l != NULL && r != NULL) {
		if (l->pri >= r->pri) {
			*root = l;
			root = &l->r;
			l = l->r;
		} else {
			*root = r;
			root = &r->l;
			r = r->l;
		}
	}
	*root = l != NULL ? l : r;
}

struct fr_mdb_node *
fr_mdb_tree_after(struct fr_mdb_node *root, int64_t a, int64_t b)
{
	struct fr_mdb_node *best = NULL;

	while (root != NULL) {
		if (root->a > a || (root->a == a && root->b > b)) {
			best = root;
			root = root->l;
		} else {
			root = root->r;
		}
	}
	return best;
}
