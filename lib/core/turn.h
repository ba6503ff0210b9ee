/* SPDX-License-Identifier: MIT */
#ifndef FR_TURN_H
#define FR_TURN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/queue.h>
#include <fr/store.h>

#include "base/buf.h"
#include "base/vec.h"
#include "core/engine.h"
#include "core/inbox.h"
#include "core/type.h"
#include "core/worker.h"

/*
 * Inside lib/core only: the engine, and one turn of its loop. A turn is one
 * store transaction; what is to happen once it is committed (tickets for the
 * queue, events, answers) is collected here, and nothing of it happens if it
 * is not.
 */

/* What the engine needs to know of a job that somebody reports on. */
struct fr_row {
	struct fr_uuid id;
	struct fr_type *type;
	int32_t priority;
	uint32_t attempt;
	uint32_t fail_count;
	uint32_t max_attempts;
};

/* A ticket that was popped for a taker. */
struct fr_popped {
	struct fr_grant grant;
	struct fr_taker *taker;
	struct fr_type *type;
	int32_t priority;
	bool straight; /* made or queued in this turn: was never in the queue */
	bool granted;
	struct fr_job *job; /* the leased row, in the op's arena */
};

/* An event, as text in turn.text. */
struct fr_told {
	enum fr_event_kind kind;
	struct fr_type *type;
	struct fr_uuid id;
	size_t at, len;
	bool hook;
};

struct fr_turn {
	int64_t now_ms; /* wall clock, or the store's */
	int64_t mono_ms;
	struct fr_line creates; /* by kind, in order of arrival */
	struct fr_vec works;    /* struct fr_op * */
	struct fr_vec edits;    /* struct fr_op *: cancel, retry, remove */
	struct fr_vec others;   /* struct fr_op * */

	struct fr_vec news;      /* struct fr_news: for the event stream */
	struct fr_vec rows;      /* struct fr_row, by id */
	struct fr_vec ids;       /* struct fr_uuid: scratch */
	struct fr_vec popped;    /* struct fr_popped */
	struct fr_vec push;      /* struct fr_ticket: to the end */
	struct fr_vec front;     /* struct fr_ticket: to the front */
	struct fr_vec removed;   /* struct fr_ticket: out of the queue */
	struct fr_vec told;      /* struct fr_told */
	struct fr_vec ended;     /* struct fr_uuid: for those who wait */
	struct fr_vec cancelled; /* struct fr_uuid: tell their workers */
	struct fr_buf text;      /* of events */
	struct fr_arena *arena;  /* data of tickets; NULL until needed */
	bool purging;            /* purge_most was said */
	size_t purge_most;       /* jobs that may be forgotten */
	size_t purged;           /* that were */
	bool freeing;            /* it only frees the disk */
	bool hooks;              /* some event has one */
	bool wrote;              /* the transaction changes something */
	bool loading;            /* as the engine was when it began */
	int64_t cursor;
};

struct fr_engine {
	struct fr_engine_conf c;
	pthread_mutex_t
	    turning;        /* held in a turn, by the thread that runs it */
	struct {            /* of whoever puts */
		bool first; /* into an empty inbox */
		bool slow;  /* the inbox may hold what takes its time */
	} put;
	bool local;           /* turns wait for nothing but a local disk */
	bool here;            /* this one is not run by the engine's thread */
	bool here_slow;       /* the last one here was */
	int64_t here_ms;      /* monotonic: not before, the disk is slow */
	int64_t sleep_end_ms; /* monotonic: of the engine's thread */
	struct fr_inbox inbox;
	struct fr_types types;
	struct fr_workers workers;
	struct fr_vec doubtful;   /* struct fr_report: see doubt() in lost.c */
	struct fr_map *waits;     /* job id -> first FR_OP_WAIT */
	struct fr_map *by_serial; /* ops that wait */
	struct fr_heap timers;
	struct fr_op *redo; /* to be applied again: the disk was full */
	struct fr_line prompt, bulk; /* creates whose turn has not come */
	bool had_bulk;               /* this turn */
	int64_t bulk_after_ms;       /* monotonic: not before, beside others */
	int64_t others_ms;           /* monotonic: when there were others */
	struct fr_op *purges;        /* not finished yet */
	uint64_t *abandoned;         /* serials, of ops that do not wait yet */
	size_t nabandoned;
	struct fr_turn turn;
	struct fr_line done; /* answers of this turn */

	bool shared;       /* the store is used by other managers too */
	bool shared_queue; /* the queue, too */
	bool wants_data;   /* the queue does */
	bool degraded;     /* the queue fails */
	bool loading;      /* the queue is filled from the store */
	int64_t cursor;    /* of that walk */
	int missing;       /* sweeps in a row that missed tickets */
	bool fresh;        /* every lease gets a fresh term first */
	bool shorten;      /* and none may be longer: the clock was set back */
	bool more_to_purge;
	int64_t purged_ms;     /* monotonic: when it last held others up */
	size_t purge_owed;     /* jobs that others made or ended since */
	bool tidy;             /* a sweep was done in the last turn */
	bool full;             /* the last commit found the disk full */
	bool freed;            /* the last turn was for that */
	int64_t full_said_ms;  /* monotonic; 0: the log has not been told */
	int64_t away_since_ms; /* monotonic; 0: the store is there */
	int64_t next_run_ms;   /* wall: a scheduled job's time comes */
	int64_t next_lease_ms; /* wall: a lease ends */
	int64_t next_sweep_ms; /* monotonic */
	int64_t echo_ms;       /* monotonic; 0: none */
	bool recheck;          /* who waits here may have missed an end */
	bool arrivals;         /* other managers do not know a worker yet */
	int64_t last_turn_ms;  /* monotonic */
	int64_t offset_ms;     /* wall or store clock minus monotonic */
	bool fatal;
	bool stopping;
	struct fr_err fatal_err;
	struct fr_engine_counters counters; /* with __atomic only */
};

/* Counts; read from other threads. */
void fr_count(uint64_t *counter, uint64_t n);

/*
 * start.c: reads the clocks for this turn: the store's, if it has one and is
 * to be asked, against the monotonic one.
 */
FR_MUSTCHECK enum fr_rc fr_engine_clock(
    struct fr_engine *e, bool ask_store, struct fr_err *err);

/* turn.c: whether this turn does anything that somebody waits for; and
 * whether somebody waits for its end, too. What comes by itself should be
 * short then. */
bool fr_turn_busy(const struct fr_turn *t);
bool fr_turn_awaited(struct fr_engine *e);
/* What is to happen after the commit. false without memory. */
FR_MUSTCHECK bool fr_turn_ticket(struct fr_vec *v, const struct fr_uuid *id,
    const struct fr_type *type, int32_t priority, struct fr_span data);
/* The same for a job that was in the queue before: a queue that wants data is
 * filled anew from the store instead. */
FR_MUSTCHECK bool fr_turn_back(struct fr_engine *e, struct fr_vec *v,
    const struct fr_uuid *id, const struct fr_type *type, int32_t priority);
FR_MUSTCHECK bool fr_turn_id(struct fr_vec *v, const struct fr_uuid *id);
/* Whether anybody wants events of this kind and type, so that it is worth
 * reading a row for them. */
bool fr_event_wanted(
    struct fr_engine *e, enum fr_event_kind kind, struct fr_span type);
/* Counts it, and writes it down if anybody wants it. */
FR_MUSTCHECK bool fr_turn_tell(struct fr_engine *e, enum fr_event_kind kind,
    struct fr_type *type, const struct fr_job *job);
void fr_turn_reset(struct fr_turn *t);
void fr_turn_fini(struct fr_turn *t);
/* Reads the rows of turn.ids into turn.rows. */
FR_MUSTCHECK enum fr_rc fr_turn_rows(struct fr_engine *e, struct fr_err *err);
struct fr_row *fr_turn_row(const struct fr_turn *t, const struct fr_uuid *id);

/* gather.c: whether it makes one job, with little data. */
bool fr_op_prompt(const struct fr_op *op);
/* Whether it frees the disk. */
bool fr_op_frees(const struct fr_op *op);
/* Sorts all that is to be applied in this turn into its lists;
 * returns how many. */
size_t fr_gather(struct fr_engine *e);
/* After the turn: the others get as much time as large batches have taken. */
void fr_gather_rest(struct fr_engine *e);

/* The parts of a transaction, in this order; anything but FR_OK loses it. */
FR_MUSTCHECK enum fr_rc fr_apply_creates(
    struct fr_engine *e, bool *again, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_apply_reports(
    struct fr_engine *e, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_apply_edits(struct fr_engine *e, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_apply_held(struct fr_engine *e, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_apply_others(
    struct fr_engine *e, struct fr_err *err);
/* Before all others: they change what it compares. */
FR_MUSTCHECK enum fr_rc fr_apply_compare(
    struct fr_engine *e, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_apply_sweep(struct fr_engine *e, struct fr_err *err);
/* Of that, what is forgotten because of its age. */
FR_MUSTCHECK enum fr_rc fr_apply_retain(
    struct fr_engine *e, struct fr_err *err);
/* purge.c: forgets as many jobs that ended before that time as this turn
 * should, and *n at most; *n: how many, *all: there are no more. */
FR_MUSTCHECK enum fr_rc fr_purge_some(struct fr_engine *e, unsigned states,
    int64_t before_ms, size_t *n, bool *all, struct fr_err *err);
/* When the turn is due that goes on with it; on the monotonic clock. */
int64_t fr_purge_next(const struct fr_engine *e);
/* Between two turns: forgets workers and types that are not needed. */
void fr_sweep_tidy(struct fr_engine *e);
FR_MUSTCHECK enum fr_rc fr_apply_walk(struct fr_engine *e, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_apply_dispatch(
    struct fr_engine *e, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_apply_outbox(
    struct fr_engine *e, struct fr_err *err);

/* The same for an event of another manager: for the stream only. */
FR_MUSTCHECK bool fr_turn_retell(struct fr_engine *e, enum fr_event_kind kind,
    struct fr_type *type, const struct fr_job *job);

/* news.c: reads what other managers did; then, inside the transaction, what
 * has to be asked for that. */
FR_MUSTCHECK enum fr_rc fr_news_hear(struct fr_engine *e, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_apply_news(struct fr_engine *e, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_apply_seen(struct fr_engine *e, struct fr_err *err);

/* view.c */
bool fr_worker_is_there(const struct fr_engine *e, const struct fr_worker *w);
FR_MUSTCHECK bool fr_worker_view(const struct fr_engine *e,
    const struct fr_worker *w, struct fr_arena *a, struct fr_worker_view *v);
/* Answers FR_OP_WORKERS. */
FR_MUSTCHECK enum fr_rc fr_workers_view(
    struct fr_engine *e, struct fr_op *op, struct fr_err *err);

/* report.c: ends attempts whose leases are over (sweep) or were lost. */
FR_MUSTCHECK enum fr_rc fr_report_lost(
    struct fr_engine *e, struct fr_report *r, size_t n, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_report_released(
    struct fr_engine *e, struct fr_report *r, size_t n, struct fr_err *err);

/* dispatch.c: tickets that were popped in vain go back to the front. */
void fr_dispatch_undo(struct fr_engine *e);
/* After the commit: remembers the leases and answers their takers. */
void fr_dispatch_done(struct fr_engine *e);
/* The exchange is over: its stop and refused lists are made, and it is
 * answered. */
void fr_dispatch_answer(struct fr_engine *e, struct fr_op *op, enum fr_rc rc);

/* wait.c: ops that wait. */
FR_MUSTCHECK bool fr_wait_begin(
    struct fr_engine *e, struct fr_op *op, int64_t ms);
void fr_wait_end(struct fr_engine *e, struct fr_op *op);
void fr_wait_job_add(struct fr_engine *e, struct fr_op *op);
void fr_wait_job_ended(struct fr_engine *e, const struct fr_uuid *id);
/* false: it does not wait (yet). */
bool fr_wait_abandoned(struct fr_engine *e, uint64_t serial);
void fr_wait_timeouts(struct fr_engine *e, int64_t mono_ms);
/* Those that wait for jobs that another manager may have ended. */
FR_MUSTCHECK enum fr_rc fr_wait_recheck(
    struct fr_engine *e, struct fr_err *err);

/* committed.c: the queue, the events, the answers, in this order. */
void fr_turn_committed(struct fr_engine *e);

/* lost.c: everything is taken back, tried again or refused, as rc demands. */
void fr_turn_failed(struct fr_engine *e, enum fr_rc rc, struct fr_err *why);
/* op, or each of ops that is not answered and does not wait, is answered
 * with rc; why NULL: no memory. */
void fr_refuse(struct fr_engine *e, struct fr_op *op, enum fr_rc rc,
    const struct fr_err *why);
void fr_refuse_all(struct fr_engine *e, struct fr_vec *ops, enum fr_rc rc,
    const struct fr_err *why);
/* The same for new jobs whose turn has not come. */
void fr_refuse_lines(
    struct fr_engine *e, enum fr_rc rc, const struct fr_err *why);

/* engine.c: op is answered at the end of the turn. */
void fr_answer(struct fr_engine *e, struct fr_op *op, enum fr_rc rc);

#endif
