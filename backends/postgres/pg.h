/* SPDX-License-Identifier: MIT */
#ifndef FR_PG_H
#define FR_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/queue.h>
#include <fr/store.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/rand.h"
#include "stmt.h"

/*
 * The Postgres store's insides. conn.c: one connection in pipeline mode, and
 * a way back when it is lost. session.c: what a session begins with.
 * schema.c: migrations. args.c: parameters and results in binary. count.c:
 * what a transaction has changed, for the counters and the other managers.
 * leases.c: where the running jobs are. store.c, lease.c, report.c, edit.c,
 * read.c, outbox.c: the calls. watch.c: news.
 */

#define FR_PG_COLS 16     /* array parameters of one statement */
#define FR_PG_RESULTS 128 /* statements of one round trip */
#define FR_PG_CHUNK 1000  /* items of one statement */
#define FR_PG_SHARDS 32   /* of the counters */

/* An array parameter in binary. */
struct fr_pg_col {
	struct fr_buf b;
	uint32_t n;
};

struct fr_pg_args {
	int n;
	const char *v[FR_PG_COLS];
	int len[FR_PG_COLS];
	unsigned char num[FR_PG_COLS][8];
};

/* One statement on its way. */
struct fr_pg_sent {
	enum fr_pg_stmt stmt;
	bool prepares; /* it is only the statement's preparation */
	PGresult *res;
};

struct fr_pg {
	struct fr_store store;
	struct fr_store_ops ops; /* with what this server promises */
	uint32_t magic;
	bool readonly;
	bool undurable; /* durable=no: the user knows */
	bool sync_rep;  /* a commit waits for a standby */
	bool in_tx;     /* between begin and commit */
	bool tx_open;   /* and the server has been told, or is being told */
	bool lost;      /* the connection is of no use any more */
	char schema[64];
	char name[48];    /* application_name */
	char channel[72]; /* of NOTIFY */
	char about[256];  /* describe */
	char **keys;      /* for PQconnectdbParams; NULL at the end */
	char **values;
	int64_t handle; /* random; ours in `handles` */
	int64_t number; /* of the last transaction begun */
	int32_t shard;
	struct fr_rand rand;

	PGconn *db;
	bool prepared[FR_PG_STMTS];
	int64_t retry_ms; /* monotonic: not before this */
	int64_t backoff_ms;
	struct fr_err why; /* it is lost */
	struct fr_pg_sent sent[FR_PG_RESULTS];
	size_t nsent;
	size_t ntaken;    /* of them, in this round trip */
	enum fr_rc rc;    /* the first failure among those */
	int64_t until_ms; /* monotonic: for all of it */

	bool clock_known; /* wall = monotonic + offset */
	int64_t clock_off_ms, clock_at_ms;

	struct fr_pg_col col[FR_PG_COLS];
	uint32_t *order; /* a batch's items, each job once; see waves */
	uint32_t *wave;
	uint32_t *group; /* of leases, for each item in order */
	uint32_t *slots;
	size_t norder;

	struct fr_map *batches;      /* of leases; see leases.c */
	struct fr_pg_batch *batch;   /* the last one seen */
	struct fr_pg_batch *touched; /* in this transaction */
	int64_t number_of_leases;    /* of the next batch */

	struct fr_map *types; /* counters changed in this transaction */
	struct fr_buf news;
	bool news_dropped;

	struct fr_pg_watch *watch;
};

/* The store behind a handle; anything else is a bug. */
struct fr_pg *fr_pg_of(struct fr_store *s);

/* conn.c */

/* Reads the URL; see postgres(7) for what libpq takes. */
enum fr_rc fr_pg_conf(struct fr_pg *s, const char *args, struct fr_err *err);
void fr_pg_conf_fini(struct fr_pg *s);
/* Connects and prepares a session; FR_AGAIN for what may pass. */
enum fr_rc fr_pg_connect(struct fr_pg *s, bool migrate, struct fr_err *err);
void fr_pg_disconnect(struct fr_pg *s);
/* A connection to work with: FR_OK, or FR_AGAIN while there is none. */
enum fr_rc fr_pg_ready(struct fr_pg *s, struct fr_err *err);
/* Adds a statement to the next round trip, BEGIN before it if need be.
 * Returns the number of its result. */
size_t fr_pg_send(
    struct fr_pg *s, enum fr_pg_stmt stmt, const struct fr_pg_args *a);
/*
 * Makes the round trip. The results of all that was sent can then be read,
 * until something is sent again. The first failure decides.
 */
enum fr_rc fr_pg_run(struct fr_pg *s, struct fr_err *err);
/*
 * The same in steps, to work on the first results while the server is at the
 * others: go, take the first n results (as often as wanted), and end_run, in
 * any case. An error that take has returned comes again.
 */
void fr_pg_go(struct fr_pg *s);
enum fr_rc fr_pg_take(struct fr_pg *s, size_t n, struct fr_err *err);
enum fr_rc fr_pg_end_run(struct fr_pg *s, struct fr_err *err);
const PGresult *fr_pg_result(const struct fr_pg *s, size_t i);
/* One statement with its result; out (may be NULL) is borrowed. */
enum fr_rc fr_pg_ask(struct fr_pg *s, enum fr_pg_stmt stmt,
    const struct fr_pg_args *a, const PGresult **out, struct fr_err *err);
/* Statements in text, before pipeline mode; *out (may be NULL) the last
 * result, to be cleared. */
enum fr_rc fr_pg_simple(struct fr_pg *s, const char *sql, int64_t timeout_ms,
    PGresult **out, struct fr_err *err);
/* What an error of the server means; sets lost where it must. */
enum fr_rc fr_pg_failed(
    struct fr_pg *s, const PGresult *res, const char *what, struct fr_err *err);
/* Keeps the clock's offset: the server said wall_us. */
void fr_pg_clock(struct fr_pg *s, int64_t wall_us);
/* What became of transaction `number`, whose commit was not answered. */
enum fr_rc fr_pg_resolve(struct fr_pg *s, struct fr_err *err);

/* session.c, schema.c */
/* FR_INVALID behind a pooler that gives its clients each other's sessions. */
enum fr_rc fr_pg_unshared(struct fr_pg *s, struct fr_err *err);
enum fr_rc fr_pg_session(struct fr_pg *s, struct fr_err *err);
enum fr_rc fr_pg_migrate(struct fr_pg *s, struct fr_err *err);

/* args.c */
#define FR_PG_UUID 2950U
#define FR_PG_BYTEA 17U
#define FR_PG_TEXT 25U
#define FR_PG_INT8 20U
#define FR_PG_INT4 23U
#define FR_PG_INT2 21U
void fr_pg_col_open(struct fr_pg *s, int i, uint32_t oid);
void fr_pg_col_bytes(struct fr_pg *s, int i, const void *p, size_t len);
void fr_pg_col_span(struct fr_pg *s, int i, struct fr_span v); /* 0: NULL */
void fr_pg_col_i64(struct fr_pg *s, int i, int64_t v);
void fr_pg_col_i32(struct fr_pg *s, int i, int32_t v);
void fr_pg_col_i16(struct fr_pg *s, int i, int16_t v);
/* Column i as the next parameter; false without memory. */
bool fr_pg_arg_col(struct fr_pg *s, int i, struct fr_pg_args *a);
/* The first n columns, of one length, as the parameters. */
bool fr_pg_cols(struct fr_pg *s, int n, struct fr_pg_args *a);
void fr_pg_arg_i64(struct fr_pg_args *a, int64_t v);
void fr_pg_arg_bytes(struct fr_pg_args *a, const void *p, size_t len);
void fr_pg_arg_text(struct fr_pg_args *a, const char *z);

int64_t fr_pg_int(const PGresult *r, int row, int col); /* any width; NULL 0 */
struct fr_span fr_pg_span(const PGresult *r, int row, int col);
void fr_pg_bin16(const PGresult *r, int row, int col, unsigned char dst[16]);
/* A whole job out of FR_PG_JOB columns, from column col on. */
void fr_pg_job(const PGresult *r, int row, int col, struct fr_job *job);
/* Emits every row. */
enum fr_rc fr_pg_emit(const PGresult *r, fr_job_emit_fn *emit, void *arg);

/* waves.c */

/*
 * Cuts a batch into waves in which each id occurs once, so that set-wise
 * statements see the items of one job in their order. ids are the first
 * members of n items of size bytes each. Writes into s->order the items'
 * numbers, wave after wave, each wave in the order of the items, or of the
 * ids (by_id), so that all managers lock rows in one order. FR_NOMEM.
 */
enum fr_rc fr_pg_waves(struct fr_pg *s, const void *items, size_t n,
    size_t size, bool by_id, struct fr_err *err);
/* Whether s->order is that of the n items, each in the first wave. */
bool fr_pg_in_order(const struct fr_pg *s, size_t n);
/* The end of the wave in s->order that i is in. */
size_t fr_pg_wave(const struct fr_pg *s, size_t n, size_t i);
/* The end of the part of s->order that begins at i and may go into one
 * statement. */
size_t fr_pg_part(const struct fr_pg *s, size_t n, size_t i);

void fr_pg_waves_fini(struct fr_pg *s);

/* leases.c */

/* A job was leased in batch number; one was that of a job that has ended. */
void fr_pg_batch_leased(struct fr_pg *s, int64_t number);
void fr_pg_batch_ended(struct fr_pg *s, int64_t number);
/* Before the commit: forgets batches of which nothing runs any more. */
void fr_pg_batch_send(struct fr_pg *s);
/* After it: whether it has happened. */
void fr_pg_batch_settle(struct fr_pg *s, bool committed);
void fr_pg_batch_fini(struct fr_pg *s);

/* purge.c */

/* Notes in ends that the part of s->order of a batch of reports, whose ids
 * column 0 holds, ends in a state. */
enum fr_rc fr_pg_ends(struct fr_pg *s, enum fr_state state,
    const struct fr_report *r, size_t from, size_t to, struct fr_err *err);
/* The same of one job. */
enum fr_rc fr_pg_end(struct fr_pg *s, enum fr_state state,
    const struct fr_uuid *id, int64_t now_ms, struct fr_err *err);

/* count.c */
#define FR_PG_NOWHERE (-1)
/* n jobs of a type went from one state to another. */
enum fr_rc fr_pg_count(struct fr_pg *s, struct fr_span type, int from, int to,
    int64_t n, struct fr_err *err);
/* Others may want to know. id NULL: several. */
void fr_pg_tell(struct fr_pg *s, enum fr_event_kind kind, struct fr_span type,
    const struct fr_uuid *id);
/* Sends what is to be written of it; forget after the commit. */
enum fr_rc fr_pg_count_send(struct fr_pg *s, struct fr_err *err);
void fr_pg_tell_send(struct fr_pg *s);
void fr_pg_count_forget(struct fr_pg *s);
void fr_pg_count_fini(struct fr_pg *s);

/* The calls, by file. lease.c */
fr_store_lease_fn fr_pg_lease;
/* report.c */
fr_store_renew_fn fr_pg_renew;
fr_store_renew_all_fn fr_pg_renew_all;
fr_store_report_fn fr_pg_progress, fr_pg_complete, fr_pg_count_failed,
    fr_pg_fail, fr_pg_release;
/* edit.c */
fr_store_edit_fn fr_pg_cancel, fr_pg_retry, fr_pg_remove;
fr_store_promote_fn fr_pg_promote;
fr_store_purge_fn fr_pg_purge;
fr_store_pause_fn fr_pg_pause;
/* read.c */
fr_store_expired_fn fr_pg_expired;
fr_store_next_due_fn fr_pg_next_due;
fr_store_get_fn fr_pg_get;
fr_store_find_fn fr_pg_find;
fr_store_list_fn fr_pg_list;
fr_store_get_queue_fn fr_pg_get_queue;
fr_store_running_fn fr_pg_running;
fr_store_stats_fn fr_pg_stats;
fr_store_now_fn fr_pg_now;
/* outbox.c */
fr_store_outbox_put_fn fr_pg_outbox_put;
fr_store_outbox_take_fn fr_pg_outbox_take;
fr_store_outbox_done_fn fr_pg_outbox_done;
fr_store_outbox_retry_fn fr_pg_outbox_retry;
fr_store_seen_fn fr_pg_seen;
fr_store_workers_fn fr_pg_workers;
/* watch.c */
fr_store_watch_fd_fn fr_pg_watch_fd;
fr_store_watch_fn fr_pg_watch;
void fr_pg_watch_free(struct fr_pg *s);

#endif
