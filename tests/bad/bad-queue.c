/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <fr/backend.h>

#include "backends/registry.h"
#include "base/str.h"
#include "base/uuid.h"

/*
 * A queue that is wrong in one way: ORDER,FAULT. It stands in front of
 * memory:ORDER. tests/backend/bad-queues.t demands that the judge finds each.
 */
#define FAULTS(X)                                                              \
	X(NONE, "none")                                                        \
	X(BLOCKS, "blocks")                                                    \
	X(DOUBLES, "doubles")                                                  \
	X(DROPS_LAST, "drops-last")                                            \
	X(EMPTY_KEEPS, "empty-keeps")                                          \
	X(HALF_ID, "half-id")                                                  \
	X(HANDS_OUT_TWICE, "hands-out-twice")                                  \
	X(IGNORES_PRIORITY, "ignores-priority")                                \
	X(LENGTH_LATE, "length-late")                                          \
	X(LIFO, "lifo")                                                        \
	X(LOSES_REQUEUE, "loses-requeue")                                      \
	X(NO_CASE, "no-case")                                                  \
	X(ONE_FOR_MANY, "one-for-many")                                        \
	X(PLACE_OFF, "place-off")                                              \
	X(PREFERS_OLD, "prefers-old")                                          \
	X(PREFERS_ONE_TYPE, "prefers-one-type")                                \
	X(REMOVE_KEEPS, "remove-keeps")                                        \
	X(REMOVE_TAKES_ANY, "remove-takes-any")                                \
	X(REQUEUE_REVERSED, "requeue-reversed")                                \
	X(REQUEUE_TO_END, "requeue-to-end")                                    \
	X(TYPE_BY_TYPE, "type-by-type")                                        \
	X(UNSIGNED_PRIORITY, "unsigned-priority")                              \
	X(WEIGHT_PLUS_ONE, "weight-plus-one")

#define ENUM(e, name) e,
#define NAME(e, name) name,
enum fault { FAULTS(ENUM) };
static const char *const fault_names[] = { FAULTS(NAME) };
#define COUNT(v) (sizeof(v) / sizeof((v)[0]))
#define SEEN_MAX 4096

struct bad {
	struct fr_queue base;
	struct fr_queue *in;
	struct fr_queue *extra; /* doubles: what was pushed again */
	enum fault fault;
	unsigned pops;
	int64_t late; /* length-late */
	char seen[SEEN_MAX]
		 [FR_TYPE_MAX + 1]; /* blocks: types that were pushed */
	size_t nseen;
};

static struct bad *
self(struct fr_queue *q)
{
	return (struct bad *)q;
}

static const struct fr_queue_ops ops;
static void bad_close(struct fr_queue *q);

static enum fr_rc
bad_open(struct fr_queue **out, const char *args, struct fr_err *err)
{
	const struct fr_span order = { args, strcspn(args, ",") };
	struct bad *b = calloc(1, sizeof(*b));
	char inner[16];
	size_t i;

	if (b == NULL)
		return FR_NOMEM;
	b->base.ops = &ops;
	for (i = 0; i < COUNT(fault_names); i++)
		if (args[order.len] == ',' &&
		    strcmp(args + order.len + 1, fault_names[i]) == 0)
			break;
	b->fault = (enum fault)i;
	if (i == COUNT(fault_names) ||
	    !fr_str_copy(inner, sizeof(inner), order) ||
	    fr_queue_memory.open(&b->in, inner, err) != FR_OK ||
	    fr_queue_memory.open(&b->extra, "fifo", err) != FR_OK) {
		bad_close(&b->base);
		return fr_fail(err, FR_USAGE, "no such order, fault: %s", args);
	}
	*out = &b->base;
	return FR_OK;
}

static void
bad_close(struct fr_queue *q)
{
	if (q == NULL)
		return;
	fr_queue_memory.close(self(q)->in);
	fr_queue_memory.close(self(q)->extra);
	free(q);
}

static uint32_t
bad_caps(struct fr_queue *q)
{
	(void)q;
	return 0;
}

static const char *
bad_describe(struct fr_queue *q)
{
	(void)q;
	return "a queue with a fault, for tests of the judge";
}

static void
see_type(struct bad *b, const char *type)
{
	size_t i;

	for (i = 0; i < b->nseen; i++)
		if (strcmp(b->seen[i], type) == 0)
			return;
	if (b->nseen < SEEN_MAX)
		(void)fr_str_copy(
		    b->seen[b->nseen++], sizeof(b->seen[0]), fr_span_of(type));
}

static bool
has(struct bad *b, const struct fr_ticket *t)
{
	int64_t ahead;

	return fr_queue_memory.place(b->in, t, &ahead, NULL) != FR_NOTFOUND;
}

/* The ticket as this fault files it. type has room for its name. */
static struct fr_ticket
bend(struct bad *b, const struct fr_ticket *t, char *type)
{
	struct fr_ticket k = *t;
	size_t i;

	(void)fr_str_copy(type, FR_TYPE_MAX + 1, fr_span_of(t->type));
	k.type = type;
	for (i = 0; b->fault == NO_CASE && type[i] != '\0'; i++)
		if (type[i] >= 'A' && type[i] <= 'Z')
			type[i] = (char)(type[i] + 'a' - 'A');
	if (b->fault == IGNORES_PRIORITY)
		k.priority = 0;
	if (b->fault == UNSIGNED_PRIORITY)
		k.priority = (int32_t)((uint32_t)k.priority ^ 0x80000000U);
	if (b->fault == WEIGHT_PLUS_ONE && k.priority > 0 &&
	    k.priority < INT32_MAX)
		k.priority++;
	if (b->fault == HALF_ID)
		memset(k.id.b + 12, 0, 4);
	return k;
}

static enum fr_rc
push_one(struct bad *b, const struct fr_ticket *t, struct fr_err *err)
{
	char type[FR_TYPE_MAX + 1];
	struct fr_ticket k = bend(b, t, type);

	see_type(b, type);
	if (b->fault == DOUBLES && has(b, &k))
		return fr_queue_memory.push(b->extra, &k, 1, err);
	if (b->fault == LIFO)
		return fr_queue_memory.requeue(b->in, &k, 1, err);
	return fr_queue_memory.push(b->in, &k, 1, err);
}

static enum fr_rc
bad_push(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	struct bad *b = self(q);
	enum fr_rc rc = FR_OK;
	size_t i;

	if (b->fault == DROPS_LAST && n > 100)
		n--;
	for (i = 0; i < n && rc == FR_OK; i++)
		rc = push_one(b, &t[i], err);
	return rc;
}

/* What the best of all types is must be among the asked ones. */
static bool
blocked(struct bad *b, const char *const *types, size_t ntypes)
{
	const char *all[SEEN_MAX];
	struct fr_ticket t;
	size_t i, n = 1;

	for (i = 0; i < b->nseen; i++)
		all[i] = b->seen[i];
	(void)fr_queue_memory.pop(b->in, all, b->nseen, &t, &n, NULL);
	if (n == 0)
		return false;
	(void)fr_queue_memory.requeue(b->in, &t, 1, NULL);
	for (i = 0; i < ntypes; i++)
		if (strcmp(t.type, types[i]) == 0)
			return false;
	return true;
}

/* Draws two and puts back the younger. */
static enum fr_rc
pop_old(struct bad *b, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t *n, struct fr_err *err)
{
	struct fr_ticket two[2];
	size_t want = *n, k, i;

	for (i = 0; i < want; i++) {
		k = 2;
		(void)fr_queue_memory.pop(b->in, types, ntypes, two, &k, err);
		if (k == 0)
			break;
		if (k == 2 && fr_uuid_cmp(&two[0].id, &two[1].id) > 0) {
			t[i] = two[1];
			two[1] = two[0];
		} else {
			t[i] = two[0];
		}
		if (k == 2)
			(void)fr_queue_memory.push(b->in, &two[1], 1, err);
	}
	*n = i;
	return FR_OK;
}

static enum fr_rc
pop_by_type(struct bad *b, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t *n, struct fr_err *err)
{
	size_t got = 0, k, i;

	for (i = 0; i < ntypes; i++) {
		k = *n - got;
		(void)fr_queue_memory.pop(
		    b->in, &types[i], 1, t + got, &k, err);
		got += k;
	}
	*n = got;
	return FR_OK;
}

/* Each type is as likely as any other. */
static enum fr_rc
pop_one_type(struct bad *b, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t *n, struct fr_err *err)
{
	size_t got = 0, k, i, from;

	while (got < *n) {
		from = ntypes > 0 ? b->pops++ % ntypes : 0;
		for (i = 0, k = 0; i < ntypes && k == 0; i++) {
			k = 1;
			(void)fr_queue_memory.pop(b->in,
			    &types[(from + i) % ntypes], 1, t + got, &k, err);
		}
		if (k == 0)
			break;
		got++;
	}
	*n = got;
	return FR_OK;
}

static enum fr_rc
pop_plain(struct bad *b, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t *n, struct fr_err *err)
{
	size_t most = *n, k;

	if (b->fault == ONE_FOR_MANY && ntypes > 1)
		ntypes = 1;
	(void)fr_queue_memory.pop(b->in, types, ntypes, t, n, err);
	if (b->fault == DOUBLES && *n < most) {
		k = most - *n;
		(void)fr_queue_memory.pop(
		    b->extra, types, ntypes, t + *n, &k, err);
		*n += k;
	}
	/* As if the answer had been lost: the last of some batches stays. */
	if (b->fault == HANDS_OUT_TWICE && *n > 0 && ++b->pops % 16 == 15)
		(void)fr_queue_memory.push(b->in, &t[*n - 1], 1, err);
	return FR_OK;
}

static enum fr_rc
pop_no_case(struct bad *b, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t *n, struct fr_err *err)
{
	char low[256][FR_TYPE_MAX + 1];
	const char *names[256];
	struct fr_ticket k;
	size_t i, j;

	for (i = 0; i < ntypes && i < 256; i++) {
		k = bend(b, &(struct fr_ticket){ .type = types[i] }, low[i]);
		names[i] = k.type;
	}
	(void)fr_queue_memory.pop(b->in, names, i, t, n, err);
	for (j = 0; j < *n; j++)
		for (i = 0; i < ntypes && i < 256; i++)
			if (t[j].type == names[i])
				t[j].type = types[i];
	return FR_OK;
}

static enum fr_rc
bad_pop(struct fr_queue *q, const char *const *types, size_t ntypes,
    struct fr_ticket *t, size_t *n, struct fr_err *err)
{
	struct bad *b = self(q);
	enum fr_rc rc;
	size_t i;

	if (b->fault == BLOCKS && blocked(b, types, ntypes)) {
		*n = 0;
		return FR_OK;
	}
	if (b->fault == PREFERS_OLD)
		rc = pop_old(b, types, ntypes, t, n, err);
	else if (b->fault == TYPE_BY_TYPE)
		rc = pop_by_type(b, types, ntypes, t, n, err);
	else if (b->fault == PREFERS_ONE_TYPE)
		rc = pop_one_type(b, types, ntypes, t, n, err);
	else if (b->fault == NO_CASE)
		rc = pop_no_case(b, types, ntypes, t, n, err);
	else
		rc = pop_plain(b, types, ntypes, t, n, err);
	b->late = *n > 0;
	for (i = 0; b->fault == UNSIGNED_PRIORITY && i < *n; i++)
		t[i].priority =
		    (int32_t)((uint32_t)t[i].priority ^ 0x80000000U);
	for (i = 0; b->fault == WEIGHT_PLUS_ONE && i < *n; i++)
		t[i].priority -= t[i].priority > 0 && t[i].priority < INT32_MAX;
	return rc;
}

static enum fr_rc
bad_requeue(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	struct bad *b = self(q);
	char type[FR_TYPE_MAX + 1];
	struct fr_ticket k;
	enum fr_rc rc = FR_OK;
	size_t i;

	if (b->fault == LOSES_REQUEUE && n > 1)
		n--;
	for (i = 0; i < n && rc == FR_OK; i++) {
		k = bend(
		    b, &t[b->fault == REQUEUE_REVERSED ? i : n - 1 - i], type);
		see_type(b, type);
		rc = b->fault == REQUEUE_TO_END
			 ? fr_queue_memory.push(b->in, &k, 1, err)
			 : fr_queue_memory.requeue(b->in, &k, 1, err);
	}
	return rc;
}

static enum fr_rc
bad_remove(
    struct fr_queue *q, const struct fr_ticket *t, size_t n, struct fr_err *err)
{
	struct bad *b = self(q);
	char type[FR_TYPE_MAX + 1];
	struct fr_ticket k, any;
	size_t i, one;

	for (i = 0; i < n && b->fault != REMOVE_KEEPS; i++) {
		k = bend(b, &t[i], type);
		if (b->fault == REMOVE_TAKES_ANY && !has(b, &k)) {
			one = 1;
			(void)fr_queue_memory.pop(
			    b->in, &k.type, 1, &any, &one, err);
			continue;
		}
		(void)fr_queue_memory.remove(b->in, &k, 1, err);
		(void)fr_queue_memory.remove(b->extra, &k, 1, err);
	}
	return FR_OK;
}

static enum fr_rc
bad_length(struct fr_queue *q, const char *type, int64_t *n, struct fr_err *err)
{
	struct bad *b = self(q);
	char low[FR_TYPE_MAX + 1];
	struct fr_ticket k;
	int64_t more = 0;
	enum fr_rc rc;

	if (type != NULL) {
		k = bend(b, &(struct fr_ticket){ .type = type }, low);
		type = k.type;
	}
	rc = fr_queue_memory.length(b->in, type, n, err);
	(void)fr_queue_memory.length(b->extra, type, &more, err);
	*n += more;
	if (b->fault == LENGTH_LATE)
		*n += b->late;
	b->late = 0;
	return rc;
}

static enum fr_rc
bad_empty(struct fr_queue *q, struct fr_err *err)
{
	struct bad *b = self(q);

	(void)fr_queue_memory.empty(b->extra, err);
	if (b->fault == EMPTY_KEEPS)
		return FR_OK;
	return fr_queue_memory.empty(b->in, err);
}

static enum fr_rc
bad_place(struct fr_queue *q, const struct fr_ticket *t, int64_t *ahead,
    struct fr_err *err)
{
	struct bad *b = self(q);
	char type[FR_TYPE_MAX + 1];
	struct fr_ticket k = bend(b, t, type);
	enum fr_rc rc = fr_queue_memory.place(b->in, &k, ahead, err);

	if (b->fault == PLACE_OFF && rc == FR_OK)
		++*ahead;
	return rc;
}

static const struct fr_queue_ops ops = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_queue_ops),
	.scheme = "bad",
	.open = bad_open,
	.close = bad_close,
	.caps = bad_caps,
	.describe = bad_describe,
	.push = bad_push,
	.pop = bad_pop,
	.requeue = bad_requeue,
	.remove = bad_remove,
	.length = bad_length,
	.empty = bad_empty,
	.place = bad_place,
};

extern const struct fr_module fr_module;
__attribute__((visibility("default"))) const struct fr_module fr_module = {
	.abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_module),
	.queue = &ops,
};
