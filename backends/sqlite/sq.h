/* SPDX-License-Identifier: MIT */
#ifndef FR_SQ_H
#define FR_SQ_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>
#include <fr/store.h>

#include "base/map.h"

/*
 * The SQLite store.
 *
 * How a job is laid out (share/sql): what it was made of stands in `job` and
 * is never written again, so that a change of state touches no data, however
 * long. The first lease adds a row to `ran`, some 100 bytes long, and all
 * changes of state are made there; a job without one is queued. What
 * is queued stands in `queued` with all that a ticket needs, so that walking
 * it reads nothing else. The partial indexes of `ran` each hold the jobs of
 * one state by the time that matters in it, and grow at their ends only.
 * Whatever long things workers say are in `said`.
 *
 * Rows, ids (version 7) and all indexes grow at the end. So a batch works on
 * few pages, the same number with ten million jobs as with ten thousand.
 *
 * There is one handle that writes. It holds PATH.lock; so it may remember the
 * numbers of types. Read-only handles look these up again when they meet a
 * new one.
 */

/* Every statement, prepared when it is first used. */
enum fr_sq_stmt {
	FR_SQ_BEGIN,
	FR_SQ_COMMIT,
	FR_SQ_ROLLBACK,
	FR_SQ_BEGIN_READ,
	FR_SQ_PAGES,
	FR_SQ_PAGE_BYTES,
	FR_SQ_TYPE_NEW,
	FR_SQ_TYPE_ADD,
	FR_SQ_TYPE_PAUSE,
	FR_SQ_COUNT_ADD,
	FR_SQ_COUNT_SUM,
	FR_SQ_STATS,
	FR_SQ_JOB_ADD,
	FR_SQ_JOB_ADD_MANY,
	FR_SQ_JOB_SAME,
	FR_SQ_JOB_DEL,
	FR_SQ_JOB_LAST,
	FR_SQ_HELD_ADD,
	FR_SQ_HELD_GET,
	FR_SQ_HELD_AGAIN,
	FR_SQ_HELD_DEL,
	FR_SQ_QUEUED_ADD,
	FR_SQ_QUEUED_ADD_MANY,
	FR_SQ_QUEUED_AGAIN,
	FR_SQ_QUEUED_DEL,
	FR_SQ_QUEUED_DEL_MANY,
	FR_SQ_RAN_ADD,
	FR_SQ_RAN_ADD_MANY,
	FR_SQ_RAN_GET,
	FR_SQ_RAN_LEASED,
	FR_SQ_RAN_LEASE,
	FR_SQ_RAN_RENEW,
	FR_SQ_RAN_RENEW_ALL,
	FR_SQ_RAN_REPORT,
	FR_SQ_RAN_COMPLETE,
	FR_SQ_RAN_SAID,
	FR_SQ_RAN_STATE,
	FR_SQ_RAN_RETRY,
	FR_SQ_RAN_DEL,
	FR_SQ_SAID_PROGRESS,
	FR_SQ_SAID_RESULT,
	FR_SQ_SAID_ERROR,
	FR_SQ_SAID_LOG,
	FR_SQ_SAID_RETRY,
	FR_SQ_SAID_DEL,
	FR_SQ_DUE_SCHEDULED,
	FR_SQ_DUE_RUNNING,
	FR_SQ_PROMOTE,
	FR_SQ_PURGE_COMPLETE,
	FR_SQ_PURGE_FAILED,
	FR_SQ_PURGE_CANCELLED,
	FR_SQ_GET,
	FR_SQ_FIND,
	FR_SQ_EXPIRED,
	FR_SQ_RUNNING,
	FR_SQ_LIST,
	FR_SQ_LIST_FEW,
	FR_SQ_LIST_AT,
	FR_SQ_LIST_NEAR,
	FR_SQ_WALK,
	FR_SQ_WALK_DATA,
	FR_SQ_WALK_TYPE,
	FR_SQ_WALK_TYPE_DATA,
	FR_SQ_OUTBOX_ADD,
	FR_SQ_OUTBOX_DUE,
	FR_SQ_OUTBOX_CLAIM,
	FR_SQ_OUTBOX_RETRY,
	FR_SQ_OUTBOX_DONE,
	FR_SQ_STMTS
};
extern const char *const fr_sq_text[FR_SQ_STMTS];
#define FR_SQ_MANY 16 /* rows that one of the …_MANY adds */

struct fr_sq_type {
	struct fr_sq_type *next; /* those that were counted */
	int64_t n;
	bool dirty;
	int64_t delta[FR_STATES]; /* of the open transaction */
	char name[FR_TYPE_MAX + 1];
};

/* Where a job stands that was leased lately. */
struct fr_sq_recall {
	struct fr_uuid id;
	struct fr_token token;
	int64_t seq, type;
	bool keyed;
};

struct fr_sq {
	struct fr_store store;
	uint32_t magic;
	bool readonly;
	bool writing;  /* between begin and commit */
	bool spoiled;  /* a call within it has failed */
	bool owed;     /* a rollback that was not possible */
	bool stopped;  /* after an I/O error nothing is believed any more */
	bool seq_used; /* last_seq was removed and is not to be given again */
	bool creates;  /* the open transaction makes jobs */
	bool full;     /* the open transaction found the disk full */
	int lock_fd;
	int busy_ms;
	int wal_pages;             /* after the last commit */
	int wal_next;              /* when it is copied back */
	int64_t page_bytes, pages; /* as many as the last commit had */
	/* As long as the files are at least; to ask each time would make the
	 * write that follows slower. */
	int64_t db_bytes, log_bytes;
	int64_t last_seq;
	sqlite3 *db;
	sqlite3_stmt *stmt[FR_SQ_STMTS];
	struct fr_sq_type *dirty;
	struct fr_map *type_by_name;
	struct fr_sq_type **type_by_n;
	size_t ntypes;               /* in type_by_n; some may be NULL */
	bool types_made;             /* by the open transaction */
	struct fr_sq_recall *recall; /* NULL: nothing was leased yet */
	char path[4096];
	char about[200];
};

struct fr_sq *fr_sq_of(struct fr_store *s);
/* The same for a change: within a transaction. */
struct fr_sq *fr_sq_writer(struct fr_store *s);

/* PATH.lock, so that one process writes. FR_CONFLICT: "in use by pid N". */
FR_MUSTCHECK enum fr_rc fr_sq_lock(
    const char *path, int *fd, struct fr_err *err);
void fr_sq_unlock(int fd);

/* The name of a VFS that writes the log with few calls, in front of SQLite's
 * default one; NULL, which is the default one itself, if there is no memory. */
const char *fr_sq_gather(void);

/*
 * room.c: what a full disk must not keep from being purged. take: from the
 * disk, what the database needs for the open transaction; FR_NOSPACE: there
 * is not so much. behind: false if there is hardly any room left behind what
 * is in the log, and none on the disk; then it should be copied.
 */
FR_MUSTCHECK enum fr_rc fr_sq_room_open(struct fr_sq *q, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_sq_room_take(struct fr_sq *q, struct fr_err *err);
bool fr_sq_room_behind(struct fr_sq *q);

/* Makes or migrates the schema; read-only: checks it. */
FR_MUSTCHECK enum fr_rc fr_sq_schema(struct fr_sq *q, struct fr_err *err);

/* Translates the last error of the connection; what is a verb and an object. */
enum fr_rc fr_sq_fail(struct fr_sq *q, const char *what, struct fr_err *err);

/* The statement, ready to be bound. */
FR_MUSTCHECK enum fr_rc fr_sq_get(
    struct fr_sq *q, enum fr_sq_stmt n, sqlite3_stmt **st, struct fr_err *err);
/* Rolls back, now or, without memory, before the next statement. */
void fr_sq_undo(struct fr_sq *q);
/* One row: FR_OK; none: FR_NOTFOUND; a failure resets st. */
FR_MUSTCHECK enum fr_rc fr_sq_step(
    struct fr_sq *q, sqlite3_stmt *st, struct fr_err *err);
/* To the end, and resets it. */
FR_MUSTCHECK enum fr_rc fr_sq_run(
    struct fr_sq *q, sqlite3_stmt *st, struct fr_err *err);

/* Binding; an empty span is NULL. The bytes must outlive the step. */
void fr_sq_text_at(sqlite3_stmt *st, int i, struct fr_span s);
void fr_sq_blob_at(sqlite3_stmt *st, int i, const void *p, size_t len);
/* `data` is never NULL. */
void fr_sq_data_at(sqlite3_stmt *st, int i, struct fr_span s);
/* Runs a statement whose only value is a number. */
FR_MUSTCHECK enum fr_rc fr_sq_by_seq(
    struct fr_sq *q, enum fr_sq_stmt n, int64_t seq, struct fr_err *err);
/* Reading; borrowed until the next step or reset. */
struct fr_span fr_sq_span(sqlite3_stmt *st, int i);

/* Types. FR_NOTFOUND: none, and make is not set. */
FR_MUSTCHECK enum fr_rc fr_sq_type(struct fr_sq *q, struct fr_span name,
    bool make, struct fr_sq_type **t, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_sq_type_n(
    struct fr_sq *q, int64_t n, struct fr_sq_type **t, struct fr_err *err);
void fr_sq_types_forget(struct fr_sq *q);
/* A job of type t left one state and entered another; -1: none. */
void fr_sq_count(struct fr_sq *q, struct fr_sq_type *t, int from, int to);
void fr_sq_counts_forget(struct fr_sq *q);
/* Writes the counts of this transaction. */
FR_MUSTCHECK enum fr_rc fr_sq_counts_flush(struct fr_sq *q, struct fr_err *err);

/* The columns that FR_SQ_COLUMNS selects, from the first on. */
FR_MUSTCHECK enum fr_rc fr_sq_row(
    struct fr_sq *q, sqlite3_stmt *st, struct fr_job *job, struct fr_err *err);
/* A blob of 16 bytes; false if it is none. */
bool fr_sq_bytes16(sqlite3_stmt *st, int i, unsigned char dst[16]);
/* Of such a row: its number, and whether it has a row in ran and in said. */
int64_t fr_sq_row_seq(sqlite3_stmt *st);
bool fr_sq_row_ran(sqlite3_stmt *st);
bool fr_sq_row_said(sqlite3_stmt *st);

/* A first row in `ran`. */
struct fr_sq_ran {
	int64_t seq, type;
	enum fr_state state;
	bool keyed;
	uint32_t attempt;
	int64_t run_at_ms, started_ms, finished_ms, until_ms;
	bool leased;
	struct fr_token lease; /* if so */
	struct fr_span worker;
};
FR_MUSTCHECK enum fr_rc fr_sq_ran_add(
    struct fr_sq *q, const struct fr_sq_ran *r, struct fr_err *err);
/* FR_SQ_MANY of them. */
FR_MUSTCHECK enum fr_rc fr_sq_ran_add_many(
    struct fr_sq *q, const struct fr_sq_ran *r, struct fr_err *err);

/* A job was leased: remembers where it stands, if there is memory for that. */
void fr_sq_recall_put(struct fr_sq *q, const struct fr_sq_recall *r);
/* Where it probably stands, if it has this lease; NULL: not remembered. */
const struct fr_sq_recall *fr_sq_recall_get(const struct fr_sq *q,
    const struct fr_uuid *id, const struct fr_token *token);

/* Runs one of FR_SQ_SAID_…: value and log as the statement wants them. */
FR_MUSTCHECK enum fr_rc fr_sq_said(struct fr_sq *q, enum fr_sq_stmt n,
    int64_t seq, struct fr_span value, struct fr_span log, struct fr_err *err);

/* How long we wait for somebody else who writes, such as a backup. */
#define FR_SQ_BUSY_MS 2000

/* The longest result that is kept in `ran`. */
#define FR_SQ_SHORT 512

/* The calls of struct fr_store_ops; see fr/store.h. */
fr_store_begin_fn fr_sq_begin;
fr_store_commit_fn fr_sq_commit;
fr_store_rollback_fn fr_sq_rollback;
fr_store_create_fn fr_sq_create;
fr_store_lease_fn fr_sq_lease;
fr_store_renew_fn fr_sq_renew;
fr_store_renew_all_fn fr_sq_renew_all;
fr_store_report_fn fr_sq_progress;
fr_store_report_fn fr_sq_complete;
fr_store_report_fn fr_sq_count_failed;
fr_store_report_fn fr_sq_failed;
fr_store_report_fn fr_sq_release;
fr_store_edit_fn fr_sq_cancel;
fr_store_edit_fn fr_sq_retry;
fr_store_edit_fn fr_sq_remove;
fr_store_promote_fn fr_sq_promote;
fr_store_expired_fn fr_sq_expired;
fr_store_next_due_fn fr_sq_next_due;
fr_store_get_fn fr_sq_get_jobs;
fr_store_find_fn fr_sq_find;
fr_store_list_fn fr_sq_list;
fr_store_get_queue_fn fr_sq_get_queue;
fr_store_running_fn fr_sq_running;
fr_store_purge_fn fr_sq_purge;
fr_store_stats_fn fr_sq_stats;
fr_store_pause_fn fr_sq_pause;
fr_store_outbox_put_fn fr_sq_outbox_put;
fr_store_outbox_take_fn fr_sq_outbox_take;
fr_store_outbox_done_fn fr_sq_outbox_done;
fr_store_outbox_retry_fn fr_sq_outbox_retry;

#endif
