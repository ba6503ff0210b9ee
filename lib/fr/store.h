/* SPDX-License-Identifier: MIT */
#ifndef FR_STORE_H
#define FR_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

/*
 * What a store backend supplies. The store is the source of truth, and it
 * decides: every change below is conditional on what the row says at that
 * moment, so that several managers may share one store. Nothing here assumes
 * that this process is the only writer.
 *
 * A handle is used by one thread at a time; two handles on one URL are
 * independent and may be used by two threads or processes; a store that is not
 * FR_STORE_SHARED may refuse to open a second one that writes (FR_CONFLICT),
 * but never a read-only one. The caller owns
 * all arguments until the call returns; a backend copies what it keeps. Rows
 * are handed out through callbacks, with spans borrowed until the callback
 * returns; a callback must not call the same handle. If a callback returns
 * anything but FR_OK the call stops and returns that.
 *
 * Batches: each item has its own rc, written by the call; the call itself
 * returns FR_OK if the items' rcs are valid. Any other return (FR_NOSPACE,
 * FR_AGAIN, FR_IO, FR_BROKEN, FR_NOMEM) means that the transaction is lost:
 * the caller rolls back. An item names one job; a batch may name a job more
 * than once, and items then count in their order.
 *
 * All changes happen between begin and commit, and are seen by other handles
 * only after commit. Times are the caller's, or the store's own if it has
 * `now`.
 */
struct fr_store { /* first member of every backend's own struct */
	const struct fr_store_ops *ops;
};

/* Capabilities. */
#define FR_STORE_DURABLE (1U << 0) /* commit survives kill -9 and power cut */
#define FR_STORE_SHARED (1U << 1)  /* several managers may use one URL */
#define FR_STORE_LOCAL (1U << 2)   /* waits for memory and a local disk only */

/* Flags of open. */
#define FR_STORE_READONLY (1U << 0) /* get, list, stats, ... only */

/* One job on its way out of the queue; see fr/queue.h. */
struct fr_ticket;

typedef enum fr_rc fr_job_emit_fn(void *arg, const struct fr_job *job);
typedef enum fr_rc fr_ticket_emit_fn(void *arg, const struct fr_ticket *t);

/*
 * args: what follows "SCHEME:" in the URL. The store makes and migrates its
 * schema; a schema newer than the program is FR_INVALID. *out on FR_OK only.
 */
typedef enum fr_rc fr_store_open_fn(struct fr_store **out, const char *args,
    unsigned flags, struct fr_err *err);
typedef void fr_store_close_fn(struct fr_store *s); /* NULL is fine */

typedef enum fr_rc fr_store_begin_fn(struct fr_store *s, struct fr_err *err);
/*
 * FR_OK: all of it is there, durable. FR_NOSPACE, FR_AGAIN: none of it is, and
 * the transaction is rolled back. FR_UNKNOWN: it cannot be known (failed
 * fsync, lost connection); the manager stops, or reconnects and asks.
 */
typedef enum fr_rc fr_store_commit_fn(struct fr_store *s, struct fr_err *err);
typedef void fr_store_rollback_fn(struct fr_store *s);

/*
 * Adds jobs. The caller sets id, type, data, key, state (scheduled or
 * queued), priority, max_attempts, timeout_ms, created_ms and run_at_ms.
 *   FR_OK       it is new
 *   FR_EXISTS   a job with this id, type and data is there; or an unfinished
 *               job of this type with this key: id becomes that job's id
 *   FR_CONFLICT this id is there with another type or data
 */
struct fr_created {
	struct fr_uuid id; /* out: of the job that is there now */
	enum fr_rc rc;
};
typedef enum fr_rc fr_store_create_fn(struct fr_store *s,
    const struct fr_job *jobs, size_t n, struct fr_created *out,
    struct fr_err *err);

/*
 * Leases queued jobs: state becomes running, attempt grows by one, started_ms
 * is now_ms, lease, lease_until_ms and worker are as given, and progress of
 * the attempt before goes. emit sees each granted job, whole, in the order of
 * the batch; one that is not queued, or not there, is left out silently.
 */
struct fr_grant {
	struct fr_uuid id;
	struct fr_token token; /* fresh and random */
	struct fr_span worker;
	int64_t now_ms;
	int64_t until_ms;
};
typedef enum fr_rc fr_store_lease_fn(struct fr_store *s,
    const struct fr_grant *g, size_t n, fr_job_emit_fn *emit, void *arg,
    struct fr_err *err);

/*
 * Moves the end of leases. FR_OK; FR_STALE: another lease, or none, or no
 * such job.
 */
struct fr_renewal {
	struct fr_uuid id;
	struct fr_token token;
	int64_t until_ms;
	enum fr_rc rc; /* out */
};
typedef enum fr_rc fr_store_renew_fn(
    struct fr_store *s, struct fr_renewal *r, size_t n, struct fr_err *err);

/* Gives every running job's lease at least until until_ms. */
typedef enum fr_rc fr_store_renew_all_fn(
    struct fr_store *s, int64_t until_ms, struct fr_err *err);

/*
 * What a worker says of one attempt: used by progress, complete,
 * count_failed, failed and release. It counts only if token is that of the
 * current lease of a running job.
 *   FR_OK       it counts
 *   FR_EXISTS   this very lease has already been ended by a report: the
 *               report came twice (complete, count_failed, failed, release;
 *               the last lease so ended is remembered when a new one is
 *               given, so a repeat is known until the next report counts)
 *   FR_STALE    it does not count, and nothing changed
 *
 * unsaid (count_failed, failed, release): nobody said it. The lease is over,
 * because it ran out or was lost on the way, and the caller says so with its
 * token. It counts like any other, but the lease is not remembered as ended by
 * a report: a later word of its worker is FR_STALE. An earlier lease that is
 * remembered may stay so.
 */
struct fr_report {
	struct fr_uuid id;
	struct fr_token token;
	struct fr_span value; /* progress, result or error, as JSON */
	struct fr_span log;   /* JSON string or len 0 */
	int64_t now_ms;
	int64_t run_at_ms; /* count_failed: when the next attempt is due */
	bool unsaid;       /* a later word under this lease is stale */
	enum fr_rc rc;     /* out */
};
/*
 * progress: keeps value. complete: state complete, result, log, finished_ms;
 * the error of an attempt before goes. failed: fail_count grows by one, state
 * failed, error, log, finished_ms. count_failed: fail_count grows by one;
 * run_at_ms is set; scheduled if run_at_ms > now_ms, else queued; error and log
 * are kept. release: queued again, nothing counted, log kept if there is one.
 * lease_until_ms of a job that is not running means nothing.
 */
typedef enum fr_rc fr_store_report_fn(
    struct fr_store *s, struct fr_report *r, size_t n, struct fr_err *err);

/*
 * What a person says of a job: cancel, retry, remove.
 * cancel: anything unfinished becomes cancelled, finished_ms is now_ms; its
 *   lease does not count any more. FR_EXISTS: is cancelled already.
 *   FR_CONFLICT: has ended otherwise.
 * retry: an ended one is queued again: run_at_ms is now_ms, fail_count 0,
 *   finished_ms, result, error, progress gone. FR_CONFLICT: has not ended, or
 *   its key is held by another unfinished job.
 * remove: an ended one is gone. FR_CONFLICT: has not ended.
 * Each: FR_NOTFOUND no such job. before (out) is the state it had; type and
 * priority (out) as the job has them, type written NUL-terminated.
 */
struct fr_edit {
	struct fr_uuid id;
	int64_t now_ms;
	enum fr_state before;
	int32_t priority;
	uint32_t attempt; /* out */
	char type[FR_TYPE_MAX + 1];
	enum fr_rc rc;
};
typedef enum fr_rc fr_store_edit_fn(
    struct fr_store *s, struct fr_edit *e, size_t n, struct fr_err *err);

/* Up to limit scheduled jobs with run_at_ms <= now_ms become queued. */
typedef enum fr_rc fr_store_promote_fn(struct fr_store *s, int64_t now_ms,
    size_t limit, fr_ticket_emit_fn *emit, void *arg, struct fr_err *err);

/*
 * Reads up to limit running jobs whose lease_until_ms <= now_ms, oldest end
 * first. Changes nothing: the engine then reports on them with their lease.
 */
typedef enum fr_rc fr_store_expired_fn(struct fr_store *s, int64_t now_ms,
    size_t limit, fr_job_emit_fn *emit, void *arg, struct fr_err *err);

/*
 * The earliest run_at_ms of a scheduled job and the earliest lease_until_ms
 * of a running one; INT64_MAX: none.
 */
typedef enum fr_rc fr_store_next_due_fn(struct fr_store *s, int64_t *run_at_ms,
    int64_t *lease_until_ms, struct fr_err *err);

/* The jobs with these ids, in no order; those not there are left out. */
typedef enum fr_rc fr_store_get_fn(struct fr_store *s,
    const struct fr_uuid *ids, size_t n, fr_job_emit_fn *emit, void *arg,
    struct fr_err *err);

/*
 * Ids that begin with these hex digits (lower case, no hyphens, up to 32): up
 * to limit of them.
 */
typedef enum fr_rc fr_store_find_fn(struct fr_store *s, const char *hex,
    size_t limit, fr_job_emit_fn *emit, void *arg, struct fr_err *err);

/*
 * Newest first (by creation in this store, latest first). states: bits;
 * type.len 0: any. after: the last id of the page before, or NULL; if that
 * job is gone by now, the page begins where it stood as nearly as the store
 * can tell from its id.
 */
struct fr_list {
	unsigned states;
	struct fr_span type;
	const struct fr_uuid *after;
	size_t limit;
};
typedef enum fr_rc fr_store_list_fn(struct fr_store *s, const struct fr_list *l,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err);

/*
 * Walks the queued jobs in the order of creation. *cursor is 0 to begin and
 * then as the call left it; *n is how many at most, and becomes how many
 * there were: fewer than asked means the end was reached. type: NULL any.
 * With type set the order is priority (higher first), then creation, *cursor
 * is ignored, and a store that cannot do it without a long walk may return
 * FR_INVALID only if it is not FR_STORE_SHARED. with_data: tickets carry
 * data. A job created while a walk goes on is met by it, or was committed by
 * somebody else and is found by the next walk.
 */
typedef enum fr_rc fr_store_get_queue_fn(struct fr_store *s, const char *type,
    bool with_data, int64_t *cursor, size_t *n, fr_ticket_emit_fn *emit,
    void *arg, struct fr_err *err);

/* All running jobs, or those of one worker (len 0: all). */
typedef enum fr_rc fr_store_running_fn(struct fr_store *s,
    struct fr_span worker, fr_job_emit_fn *emit, void *arg, struct fr_err *err);

/*
 * Forgets up to *n ended jobs in these states with finished_ms < before_ms;
 * *n becomes how many went.
 */
typedef enum fr_rc fr_store_purge_fn(struct fr_store *s, unsigned states,
    int64_t before_ms, size_t *n, struct fr_err *err);

/* Counts by type and state; a cheap call, whatever the number of jobs. */
struct fr_type_stats {
	const char *type;
	int64_t n[FR_STATES];
	bool paused;
};
typedef enum fr_rc fr_stats_emit_fn(void *arg, const struct fr_type_stats *t);
typedef enum fr_rc fr_store_stats_fn(
    struct fr_store *s, fr_stats_emit_fn *emit, void *arg, struct fr_err *err);

/* Remembers that a type is paused, or is not. Not an error if it was so. */
typedef enum fr_rc fr_store_pause_fn(
    struct fr_store *s, const char *type, bool paused, struct fr_err *err);

/*
 * The outbox: events that a hook asked for, written with the change itself.
 * put gives each a number; take hands out up to limit of those nobody has
 * claimed, or whose claim has ended, oldest first, and claims them until
 * until_ms; done forgets them; retry_at moves the end of a claim.
 */
struct fr_outbox_event {
	int64_t number; /* out of put and take */
	enum fr_event_kind kind;
	struct fr_span type;
	struct fr_span json; /* the event, one line */
	uint32_t tries;      /* out of take: how often it was taken, this too */
};
typedef enum fr_rc fr_outbox_emit_fn(
    void *arg, const struct fr_outbox_event *ev);
typedef enum fr_rc fr_store_outbox_put_fn(struct fr_store *s,
    struct fr_outbox_event *ev, size_t n, struct fr_err *err);
typedef enum fr_rc fr_store_outbox_take_fn(struct fr_store *s, int64_t now_ms,
    int64_t until_ms, size_t limit, fr_outbox_emit_fn *emit, void *arg,
    struct fr_err *err);
typedef enum fr_rc fr_store_outbox_done_fn(
    struct fr_store *s, const int64_t *numbers, size_t n, struct fr_err *err);
typedef enum fr_rc fr_store_outbox_retry_fn(
    struct fr_store *s, int64_t number, int64_t at_ms, struct fr_err *err);

/* OPTIONAL (NULL if absent): the store's own clock, wall milliseconds. */
typedef enum fr_rc fr_store_now_fn(
    struct fr_store *s, int64_t *now_ms, struct fr_err *err);

/*
 * OPTIONAL, FR_STORE_SHARED: news from other managers. watch_fd is readable
 * when there is some; watch reads it, never blocks, and calls emit for each:
 * kind, type and id of what happened there. An id that is all zero: several
 * of this kind and type. The kind FR_NEWS_PAUSE, with no id: the type was
 * paused or resumed. A type that is empty: some news were lost, so
 * anything may have happened. The descriptor stays the same while the handle
 * is open, also over lost connections.
 */
#define FR_NEWS_PAUSE FR_EVENTS
struct fr_news {
	enum fr_event_kind kind;
	const char *type;
	struct fr_uuid id;
};
typedef enum fr_rc fr_news_emit_fn(void *arg, const struct fr_news *n);
typedef int fr_store_watch_fd_fn(struct fr_store *s);
typedef enum fr_rc fr_store_watch_fn(
    struct fr_store *s, fr_news_emit_fn *emit, void *arg, struct fr_err *err);

/*
 * OPTIONAL, FR_STORE_SHARED: the workers that managers have seen lately. seen
 * is an upsert of what is not older than what is there, or has seen_ms 0: the
 * worker has left; json is the object of GET /v1/workers; workers forgets those
 * not seen since before_ms and emits the rest (key type is unused: id).
 */
struct fr_seen {
	struct fr_span id;
	struct fr_span json;
	int64_t seen_ms;
};
typedef enum fr_rc fr_seen_emit_fn(void *arg, const struct fr_seen *w);
typedef enum fr_rc fr_store_seen_fn(
    struct fr_store *s, const struct fr_seen *w, size_t n, struct fr_err *err);
typedef enum fr_rc fr_store_workers_fn(struct fr_store *s, int64_t before_ms,
    fr_seen_emit_fn *emit, void *arg, struct fr_err *err);

/*
 * One line for people: the engine and its version, and what is promised
 * ("SQLite 3.40.1, WAL, synchronous=FULL: an accepted job survives a power
 * cut"). Borrowed until the next call.
 */
typedef const char *fr_store_describe_fn(struct fr_store *s);

struct fr_store_ops {
	uint32_t abi;       /* FR_BACKEND_ABI; refused if it differs */
	uint32_t size;      /* sizeof(struct fr_store_ops) */
	uint32_t caps;      /* FR_STORE_DURABLE | ... */
	const char *scheme; /* "sqlite" in sqlite:PATH */
	fr_store_open_fn *open;
	fr_store_close_fn *close;
	fr_store_describe_fn *describe;
	fr_store_begin_fn *begin;
	fr_store_commit_fn *commit;
	fr_store_rollback_fn *rollback;
	fr_store_create_fn *create;
	fr_store_lease_fn *lease;
	fr_store_renew_fn *renew;
	fr_store_renew_all_fn *renew_all;
	fr_store_report_fn *progress;
	fr_store_report_fn *complete;
	fr_store_report_fn *count_failed;
	fr_store_report_fn *failed;
	fr_store_report_fn *release;
	fr_store_edit_fn *cancel;
	fr_store_edit_fn *retry;
	fr_store_edit_fn *remove;
	fr_store_promote_fn *promote;
	fr_store_expired_fn *expired;
	fr_store_next_due_fn *next_due;
	fr_store_get_fn *get;
	fr_store_find_fn *find;
	fr_store_list_fn *list;
	fr_store_get_queue_fn *get_queue;
	fr_store_running_fn *running;
	fr_store_purge_fn *purge;
	fr_store_stats_fn *stats;
	fr_store_pause_fn *pause;
	fr_store_outbox_put_fn *outbox_put;
	fr_store_outbox_take_fn *outbox_take;
	fr_store_outbox_done_fn *outbox_done;
	fr_store_outbox_retry_fn *outbox_retry;
	/* optional from here on */
	fr_store_now_fn *now;
	fr_store_watch_fd_fn *watch_fd;
	fr_store_watch_fn *watch;
	fr_store_seen_fn *seen;
	fr_store_workers_fn *workers;
};

#endif
