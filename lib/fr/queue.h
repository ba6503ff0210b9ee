/* SPDX-License-Identifier: MIT */
#ifndef FR_QUEUE_H
#define FR_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

/*
 * What a queue backend supplies: the order in which runnable jobs go out. It
 * is a hint, never the only copy: stale, double and missing entries are
 * mended from the store. A handle is used by one thread at a time; several
 * processes may share a queue that is FR_QUEUE_SHARED.
 */
struct fr_queue { /* first member of every backend's own struct */
	const struct fr_queue_ops *ops;
};

/* Capabilities, known after open. */
#define FR_QUEUE_SHARED (1U << 0)     /* several managers may use one URL */
#define FR_QUEUE_WANTS_DATA (1U << 1) /* push wants the job's data */
#define FR_QUEUE_LOCAL (1U << 2)      /* waits for nothing */

/* One runnable job. Type and data are borrowed. */
struct fr_ticket {
	struct fr_uuid id;
	const char *type;    /* NUL-terminated, a valid type */
	int32_t priority;    /* higher first; also the weight, at least 1 */
	struct fr_span data; /* only for FR_QUEUE_WANTS_DATA */
};

/* args: what follows "SCHEME:". *out on FR_OK only. */
typedef enum fr_rc fr_queue_open_fn(
    struct fr_queue **out, const char *args, struct fr_err *err);
typedef void fr_queue_close_fn(struct fr_queue *q); /* NULL is fine */
typedef uint32_t fr_queue_caps_fn(struct fr_queue *q);

/*
 * Adds tickets at the end of their priority, in their order: all or none. One
 * that is already there is left where it is and is no error.
 */
typedef enum fr_rc fr_queue_push_fn(struct fr_queue *q,
    const struct fr_ticket *t, size_t n, struct fr_err *err);

/*
 * Takes out up to *n tickets of these types into t, each to one caller only,
 * in the queue's order over all these types; *n becomes how many. None
 * waiting is FR_OK with *n == 0. The types in t are borrowed from types.
 */
typedef enum fr_rc fr_queue_pop_fn(struct fr_queue *q, const char *const *types,
    size_t ntypes, struct fr_ticket *t, size_t *n, struct fr_err *err);

/*
 * Puts tickets back in front of all others of their priority, the first of
 * the batch foremost. One that is already there moves to the front. A queue
 * that is drawn by chance has no front: it takes them back.
 */
typedef enum fr_rc fr_queue_requeue_fn(struct fr_queue *q,
    const struct fr_ticket *t, size_t n, struct fr_err *err);

/* Takes tickets out unseen, by type and id. Not there is no error. */
typedef enum fr_rc fr_queue_remove_fn(struct fr_queue *q,
    const struct fr_ticket *t, size_t n, struct fr_err *err);

/* How many wait: of one type, or in all (type NULL). */
typedef enum fr_rc fr_queue_length_fn(
    struct fr_queue *q, const char *type, int64_t *n, struct fr_err *err);

/* Forgets everything. */
typedef enum fr_rc fr_queue_empty_fn(struct fr_queue *q, struct fr_err *err);

/*
 * How many tickets of this type would go out before the one with this id, if
 * it can be told; OPTIONAL (NULL). FR_NOTFOUND: not there. FR_TOOBIG: at
 * least *ahead, further back is not counted. FR_INVALID: by chance.
 */
typedef enum fr_rc fr_queue_place_fn(struct fr_queue *q,
    const struct fr_ticket *t, int64_t *ahead, struct fr_err *err);

/* One line for people; borrowed until the next call. */
typedef const char *fr_queue_describe_fn(struct fr_queue *q);

struct fr_queue_ops {
	uint32_t abi;       /* FR_BACKEND_ABI; refused if it differs */
	uint32_t size;      /* sizeof(struct fr_queue_ops) */
	const char *scheme; /* "memory" in memory:fifo */
	fr_queue_open_fn *open;
	fr_queue_close_fn *close;
	fr_queue_caps_fn *caps;
	fr_queue_describe_fn *describe;
	fr_queue_push_fn *push;
	fr_queue_pop_fn *pop;
	fr_queue_requeue_fn *requeue;
	fr_queue_remove_fn *remove;
	fr_queue_length_fn *length;
	fr_queue_empty_fn *empty;
	/* optional from here on */
	fr_queue_place_fn *place;
};

#endif
