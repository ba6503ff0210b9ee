/* SPDX-License-Identifier: MIT */
#ifndef FR_MDB_H
#define FR_MDB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>
#include <fr/store.h>

#include "hash.h"
#include "tree.h"

/*
 * The tables of the memory store. One struct for each name, shared by all
 * handles of the process and gone with the last of them. All but open and
 * close is called with the lock held. One handle at a time may be within a
 * transaction; the others see what was committed before.
 */
struct fr_mdb_handle; /* who asks: compared, never looked into */

struct fr_mdb_type {
	struct fr_mdb_link by_name;
	struct fr_mdb_type *next;       /* all of them, oldest first */
	struct fr_mdb_type *next_dirty; /* those the transaction touched */
	bool dirty;
	bool paused, was_paused;
	int64_t n[FR_STATES], was_n[FR_STATES]; /* was: as committed */
	struct fr_mdb_node *order;              /* queued: priority, seq */
	char name[FR_TYPE_MAX + 1];
};

struct fr_mdb_row {
	struct fr_job job;
	struct fr_token reported; /* the last lease that a report has ended */
};

struct fr_mdb_job {
	struct fr_mdb_link by_id, by_key;
	struct fr_mdb_node by_state, by_order;
	struct fr_mdb_job *older, *newer;
	struct fr_mdb_type *type;
	struct fr_mdb_undo *undo; /* NULL: the transaction left it alone */
	struct fr_mdb_row row;
	int64_t seq;
	bool gone;    /* removed by the transaction */
	char bytes[]; /* data and key */
};

/* What a job was before the transaction. */
struct fr_mdb_undo {
	struct fr_mdb_undo *next;
	struct fr_mdb_job *job;
	struct fr_mdb_row before;
	bool fresh; /* there was none */
};

struct fr_mdb_event {
	struct fr_mdb_event *next;
	int64_t number;
	int64_t claimed_ms, was_claimed_ms;
	uint32_t tries, was_tries;
	enum fr_event_kind kind;
	bool fresh, gone; /* put or done by the transaction */
	struct fr_span type, json;
	char bytes[];
};

struct fr_mdb {
	struct fr_mdb *next;
	char *name;
	size_t handles;
	pthread_mutex_t lock;
	pthread_cond_t ended; /* a transaction has */
	const struct fr_mdb_handle *writer;
	pthread_t writer_thread;
	struct fr_mdb_undo *undo;
	struct fr_mdb_type *dirty;
	struct fr_mdb_hash ids, keys, names;
	struct fr_mdb_node *state[FR_STATES];
	struct fr_mdb_job *oldest, *newest;
	struct fr_mdb_type *types, **types_end;
	struct fr_mdb_event *events, **events_end;
	int64_t last_seq, last_event;
	bool events_dirty;
};

/* The tables with this name, made if there are none; NULL without memory. */
struct fr_mdb *fr_mdb_open(const char *name);
void fr_mdb_close(struct fr_mdb *db);

/* FR_AGAIN: this very thread is within a transaction of another handle. */
enum fr_rc fr_mdb_begin(struct fr_mdb *db, const struct fr_mdb_handle *h);
void fr_mdb_commit(struct fr_mdb *db);
void fr_mdb_rollback(struct fr_mdb *db);

/* The type; made if there is none and make is set. NULL: none, or no memory. */
struct fr_mdb_type *fr_mdb_type(
    struct fr_mdb *db, struct fr_span name, bool make);
/* Before paused is changed. */
void fr_mdb_type_touch(struct fr_mdb *db, struct fr_mdb_type *t);

/* The row as h sees it; NULL: not there for h. */
const struct fr_job *fr_mdb_view(const struct fr_mdb *db,
    const struct fr_mdb_handle *h, const struct fr_mdb_job *j);
/* The job with this id that h sees, or NULL. */
struct fr_mdb_job *fr_mdb_find(const struct fr_mdb *db,
    const struct fr_mdb_handle *h, const struct fr_uuid *id);
/* The unfinished job with this key as the transaction sees it, or NULL. */
struct fr_mdb_job *fr_mdb_find_key(
    const struct fr_mdb *db, const struct fr_mdb_type *t, struct fr_span key);

/* Within the transaction; false without memory. */
bool fr_mdb_add(struct fr_mdb *db, const struct fr_job *job);
bool fr_mdb_remove(struct fr_mdb *db, struct fr_mdb_job *j);
/*
 * A change is touch, then any number of set, then unindex, plain writes to
 * row, index. touch and set are false without memory.
 */
bool fr_mdb_touch(struct fr_mdb *db, struct fr_mdb_job *j);
bool fr_mdb_set(
    struct fr_mdb_job *j, struct fr_span *field, struct fr_span value);
void fr_mdb_unindex(struct fr_mdb *db, struct fr_mdb_job *j);
void fr_mdb_index(struct fr_mdb *db, struct fr_mdb_job *j);

/*
 * Calls visit for the jobs in state s behind (a, b) as h sees them, in the
 * order of their time (queued: of creation), or with order set for the queued
 * ones of that type by priority. visit may change the job. FR_NOTFOUND from
 * visit ends the walk with FR_OK.
 */
typedef enum fr_rc fr_mdb_visit_fn(
    void *arg, struct fr_mdb_job *j, const struct fr_job *row);
enum fr_rc fr_mdb_walk(struct fr_mdb *db, const struct fr_mdb_handle *h,
    enum fr_state s, struct fr_mdb_type *order, int64_t a, int64_t b,
    fr_mdb_visit_fn *visit, void *arg);

#endif
