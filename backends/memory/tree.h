/* SPDX-License-Identifier: MIT */
#ifndef FR_MDB_TREE_H
#define FR_MDB_TREE_H

#include <stdint.h>

/*
 * An ordered set of pairs (a, b), kept in its owners' memory: a treap whose
 * random priorities come from b, so that the same calls always build the same
 * tree. b is a job's number and unique within a tree.
 */
struct fr_mdb_node {
	struct fr_mdb_node *l, *r;
	int64_t a, b;
	uint64_t pri;
	void *owner;
};

void fr_mdb_tree_add(struct fr_mdb_node **root, struct fr_mdb_node *n);
/* n is in the tree. */
void fr_mdb_tree_del(struct fr_mdb_node **root, struct fr_mdb_node *n);
/* The first node behind (a, b), or NULL. */
struct fr_mdb_node *fr_mdb_tree_after(
    struct fr_mdb_node *root, int64_t a, int64_t b);

#endif
