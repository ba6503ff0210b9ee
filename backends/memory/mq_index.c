/* SPDX-License-Identifier: MIT */
#include "mq_index.h"

#include <endian.h>
#include <string.h>

#include "base/assert.h"

/*
 * A B+ tree by id. Our ids grow with time, so what is added goes to its right
 * end and what has waited longest stands at its left end: with ten million
 * jobs a batch works on as few leaves, all in the processor's cache, as with a
 * thousand, where a hash would touch a new place for each job. Nor can
 * chosen ids make it slow. The leaf used last is remembered with its bounds
 * ("finger"), one for adding and one for removing, so that neither goes
 * down from the root for each job.
 *
 * A leaf has numbers of entries only; their ids are looked up. An inner node's
 * key[i] is not above the ids below child[i] and above those below child[i -
 * 1]; key[0] is not used. A full leaf is divided where ids in order go on, so
 * that they fill each leaf; otherwise in half. One that has become small is
 * joined to its neighbor if both fit into one with room to spare.
 */
#define LEAF 127U /* 512 bytes */
#define FAN 64U
#define SMALL(max) ((max) / 4)
#define JOINED(max) ((max) / 4 * 3)
/* A level is added for 32 nodes at least that were ever added to the one
 * below: more than there can be. */
#define HEIGHT 16

struct leaf {
	uint32_t n;
	uint32_t e[LEAF];
};

struct inner {
	uint32_t n;
	uint32_t child[FAN];
	struct fr_mq_key key[FAN];
};

/* The way down to a leaf: at each height (0: the leaf), the node and which
 * child of its parent it is. */
struct path {
	uint32_t node[HEIGHT + 1];
	uint32_t pos[HEIGHT + 1];
};

static struct leaf *
leaf_at(const struct fr_mq_index *x, uint32_t i)
{
	return fr_mq_pool_at(&x->leaf, i);
}

static struct inner *
inner_at(const struct fr_mq_index *x, uint32_t i)
{
	return fr_mq_pool_at(&x->inner, i);
}

static struct fr_mq_key
key_of(const struct fr_uuid *id)
{
	struct fr_mq_key k;

	memcpy(&k.hi, id->b, sizeof(k.hi));
	memcpy(&k.lo, id->b + sizeof(k.hi), sizeof(k.lo));
	k.hi = be64toh(k.hi);
	k.lo = be64toh(k.lo);
	return k;
}

static struct fr_mq_key
entry_key(const struct fr_mq_index *x, uint32_t e)
{
	const struct fr_mq_entry *w = fr_mq_pool_at(x->entry, e);

	return key_of(&w->id);
}

static bool
less(struct fr_mq_key a, struct fr_mq_key b)
{
	return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo;
}

static void
lose_fingers(struct fr_mq_index *x)
{
	x->adds.leaf = x->removes.leaf = MQ_NONE;
}

bool
fr_mq_index_init(struct fr_mq_index *x, const struct fr_mq_pool *entry)
{
	*x = (struct fr_mq_index){ .entry = entry, .last = MQ_NONE };
	fr_mq_pool_init(&x->leaf, sizeof(struct leaf));
	fr_mq_pool_init(&x->inner, sizeof(struct inner));
	lose_fingers(x);
	x->root = fr_mq_pool_new(&x->leaf);
	if (x->root == MQ_NONE)
		return false;
	leaf_at(x, x->root)->n = 0;
	return true;
}

void
fr_mq_index_fini(struct fr_mq_index *x)
{
	fr_mq_pool_fini(&x->leaf);
	fr_mq_pool_fini(&x->inner);
}

/* The last child whose key is not above k. */
static uint32_t
child_for(const struct inner *in, struct fr_mq_key k)
{
	uint32_t low = 0, high = in->n, mid;

	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (less(k, in->key[mid]))
			high = mid;
		else
			low = mid;
	}
	return low;
}

/* Goes down to the leaf for k; notes the way if p is not NULL. */
static void
descend(const struct fr_mq_index *x, struct fr_mq_key k, struct path *p,
    struct fr_mq_finger *f)
{
	uint32_t node = x->root, h, pos;
	const struct inner *in;

	*f = (struct fr_mq_finger){ .open = true };
	if (p != NULL)
		p->node[x->height] = node;
	for (h = x->height; h > 0; h--) {
		in = inner_at(x, node);
		pos = child_for(in, k);
		if (pos > 0)
			f->low = in->key[pos];
		if (pos + 1 < in->n) {
			f->high = in->key[pos + 1];
			f->open = false;
		}
		node = in->child[pos];
		if (p != NULL) {
			p->pos[h - 1] = pos;
			p->node[h - 1] = node;
		}
	}
	f->leaf = node;
}

static struct leaf *
leaf_for(
    const struct fr_mq_index *x, struct fr_mq_key k, struct fr_mq_finger *f)
{
	if (f->leaf == MQ_NONE || less(k, f->low) ||
	    (!f->open && !less(k, f->high)))
		descend(x, k, NULL, f);
	return leaf_at(x, f->leaf);
}

/* How many in a leaf are below k; the last one first, since ids grow. */
static uint32_t
place_for(const struct fr_mq_index *x, const struct leaf *l, struct fr_mq_key k)
{
	uint32_t low = 0, high = l->n, mid;

	if (high > 0 && less(entry_key(x, l->e[high - 1]), k))
		return high;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (less(entry_key(x, l->e[mid]), k))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t
fr_mq_index_find(struct fr_mq_index *x, const struct fr_uuid *id)
{
	const struct fr_mq_key k = key_of(id);
	const struct leaf *l = leaf_for(x, k, &x->adds);
	const uint32_t pos = place_for(x, l, k);

	if (pos == l->n || less(k, entry_key(x, l->e[pos])))
		return MQ_NONE;
	return l->e[pos];
}

static void
leaf_put(struct leaf *l, uint32_t pos, uint32_t e)
{
	memmove(&l->e[pos + 1], &l->e[pos], (l->n - pos) * sizeof(l->e[0]));
	l->e[pos] = e;
	l->n++;
}

static void
inner_put(struct inner *in, uint32_t pos, uint32_t child, struct fr_mq_key key)
{
	const uint32_t n = in->n - pos;

	memmove(&in->child[pos + 1], &in->child[pos], n * sizeof(child));
	memmove(&in->key[pos + 1], &in->key[pos], n * sizeof(key));
	in->child[pos] = child;
	in->key[pos] = key;
	in->n++;
}

static void
inner_cut(struct inner *in, uint32_t pos)
{
	const uint32_t n = --in->n - pos;

	memmove(&in->child[pos], &in->child[pos + 1], n * sizeof(*in->child));
	memmove(&in->key[pos], &in->key[pos + 1], n * sizeof(*in->key));
}

/* A full leaf gets a right neighbor, and e goes into one of them. *key becomes
 * the neighbor's. */
static void
divide_leaf(const struct fr_mq_index *x, struct leaf *l, struct leaf *right,
    uint32_t pos, uint32_t e, struct fr_mq_key *key)
{
	const bool goes_on = pos > 0 && l->e[pos - 1] == x->last;
	const uint32_t stay = goes_on || pos == LEAF ? pos : LEAF / 2;

	right->n = LEAF - stay;
	memcpy(right->e, &l->e[stay], right->n * sizeof(l->e[0]));
	l->n = stay;
	if (pos > stay || pos == LEAF)
		leaf_put(right, pos - stay, e);
	else
		leaf_put(l, pos, e);
	*key = entry_key(x, right->e[0]);
}

/* The same for an inner node, child and *key. */
static void
divide_inner(struct inner *in, struct inner *right, uint32_t pos,
    uint32_t child, struct fr_mq_key *key)
{
	const uint32_t half = pos == FAN ? FAN : FAN / 2;

	right->n = FAN - half;
	memcpy(right->child, &in->child[half], right->n * sizeof(child));
	memcpy(right->key, &in->key[half], right->n * sizeof(*key));
	in->n = half;
	if (pos > half || half == FAN)
		inner_put(right, pos - half, child, *key);
	else
		inner_put(in, pos, child, *key);
	*key = right->key[0];
}

/* New nodes for all that a full leaf divides; false without memory. */
static bool
make_room(struct fr_mq_index *x, const struct path *p, uint32_t *fresh)
{
	uint32_t h = 0, i;

	fresh[0] = fr_mq_pool_new(&x->leaf);
	if (fresh[0] == MQ_NONE)
		return false;
	do {
		/* The last one stays here if it is not the root's. */
		h++;
		if (h <= x->height && inner_at(x, p->node[h])->n < FAN)
			return true;
		fresh[h] = fr_mq_pool_new(&x->inner);
	} while (fresh[h] != MQ_NONE && h <= x->height);
	if (fresh[h] != MQ_NONE)
		return true;
	for (i = 1; i < h; i++)
		fr_mq_pool_free(&x->inner, fresh[i]);
	fr_mq_pool_free(&x->leaf, fresh[0]);
	return false;
}

static void
grow_root(
    struct fr_mq_index *x, uint32_t root, uint32_t right, struct fr_mq_key key)
{
	struct inner *in = inner_at(x, root);

	fr_assert(x->height < HEIGHT);
	*in = (struct inner){ .n = 1, .child = { x->root } };
	inner_put(in, 1, right, key);
	x->root = root;
	x->height++;
}

static bool
add_to_full(struct fr_mq_index *x, uint32_t e, struct fr_mq_key k)
{
	uint32_t fresh[HEIGHT + 2], h, pos;
	struct fr_mq_key key;
	struct inner *in;
	struct leaf *l;
	struct path p;

	descend(x, k, &p, &x->adds);
	if (!make_room(x, &p, fresh))
		return false;
	lose_fingers(x);
	l = leaf_at(x, p.node[0]);
	divide_leaf(x, l, leaf_at(x, fresh[0]), place_for(x, l, k), e, &key);
	for (h = 1; h <= x->height; h++) {
		in = inner_at(x, p.node[h]);
		pos = p.pos[h - 1] + 1;
		if (in->n < FAN) {
			inner_put(in, pos, fresh[h - 1], key);
			return true;
		}
		divide_inner(
		    in, inner_at(x, fresh[h]), pos, fresh[h - 1], &key);
	}
	grow_root(x, fresh[h], fresh[h - 1], key);
	return true;
}

bool
fr_mq_index_add(struct fr_mq_index *x, uint32_t e)
{
	const struct fr_mq_key k = entry_key(x, e);
	struct leaf *l = leaf_for(x, k, &x->adds);

	if (l->n < LEAF)
		leaf_put(l, place_for(x, l, k), e);
	else if (!add_to_full(x, e, k))
		return false;
	x->last = e;
	x->count++;
	return true;
}

/* Moves what is in the right one into the left one, if that is not too much.
 * key: the right one's. */
static bool
join_inner(struct inner *left, const struct inner *right, struct fr_mq_key key)
{
	if (left->n + right->n > JOINED(FAN))
		return false;
	memcpy(&left->child[left->n], right->child,
	    right->n * sizeof(right->child[0]));
	memcpy(
	    &left->key[left->n], right->key, right->n * sizeof(right->key[0]));
	if (right->n > 0)
		left->key[left->n] = key;
	left->n += right->n;
	return true;
}

static bool
join_leaves(struct leaf *left, const struct leaf *right)
{
	if (left->n + right->n > JOINED(LEAF))
		return false;
	memcpy(&left->e[left->n], right->e, right->n * sizeof(right->e[0]));
	left->n += right->n;
	return true;
}

/* Of a parent at this height: child pos - 1 takes all of child pos. */
static bool
join(struct fr_mq_index *x, struct inner *in, uint32_t pos, uint32_t h)
{
	const uint32_t left = in->child[pos - 1], right = in->child[pos];

	if (h == 1 && !join_leaves(leaf_at(x, left), leaf_at(x, right)))
		return false;
	if (h > 1 &&
	    !join_inner(inner_at(x, left), inner_at(x, right), in->key[pos]))
		return false;
	fr_mq_pool_free(h == 1 ? &x->leaf : &x->inner, right);
	inner_cut(in, pos);
	return true;
}

static uint32_t
node_n(const struct fr_mq_index *x, uint32_t node, uint32_t h)
{
	return h == 0 ? leaf_at(x, node)->n : inner_at(x, node)->n;
}

/* Child pos of a parent at height h is small. true: it has been joined to a
 * neighbor, or was empty and is gone. */
static bool
shrink_child(struct fr_mq_index *x, struct inner *in, uint32_t pos, uint32_t h)
{
	const uint32_t child = in->child[pos];

	if (pos + 1 < in->n && join(x, in, pos + 1, h))
		return true;
	if (pos > 0 && join(x, in, pos, h))
		return true;
	if (node_n(x, child, h - 1) > 0)
		return false;
	fr_mq_pool_free(h == 1 ? &x->leaf : &x->inner, child);
	inner_cut(in, pos);
	return true;
}

static void
shrink_root(struct fr_mq_index *x)
{
	uint32_t old;

	while (x->height > 0 && inner_at(x, x->root)->n == 1) {
		old = x->root;
		x->root = inner_at(x, old)->child[0];
		x->height--;
		fr_mq_pool_free(&x->inner, old);
	}
	fr_assert(x->height == 0 || inner_at(x, x->root)->n > 1);
}

/* The leaf with keys around k has become small. */
static void
shrink(struct fr_mq_index *x, struct fr_mq_key k)
{
	struct inner *in;
	struct path p;
	uint32_t h;

	descend(x, k, &p, &x->removes);
	for (h = 1; h <= x->height; h++) {
		in = inner_at(x, p.node[h]);
		if (!shrink_child(x, in, p.pos[h - 1], h) || in->n > SMALL(FAN))
			break;
	}
	lose_fingers(x);
	shrink_root(x);
}

void
fr_mq_index_remove(struct fr_mq_index *x, uint32_t e)
{
	const struct fr_mq_key k = entry_key(x, e);
	struct leaf *l = leaf_for(x, k, &x->removes);
	uint32_t pos = 0;

	while (l->e[pos] != e) {
		pos++;
		fr_assert(pos < l->n);
	}
	l->n--;
	memmove(&l->e[pos], &l->e[pos + 1], (l->n - pos) * sizeof(l->e[0]));
	fr_assert(x->count > 0);
	x->count--;
	/* What has no small neighbor now may have one later. */
	if (l->n <= SMALL(LEAF) && l->n % 8 == 0 && x->height > 0)
		shrink(x, k);
}
