/* SPDX-License-Identifier: MIT */
#ifndef FR_PG_STMT_H
#define FR_PG_STMT_H

/* The statements of the Postgres store; each is prepared at its first use. */
enum fr_pg_stmt {
	FR_PG_BEGIN,
	FR_PG_MARK,
	FR_PG_COMMIT,
	FR_PG_PATIENT,
	FR_PG_ROLLBACK,
	FR_PG_RESOLVE,
	FR_PG_TIDY,
	FR_PG_LEAVE,
	FR_PG_NOW,
	FR_PG_COUNT,
	FR_PG_NOTIFY,
	FR_PG_CREATE,
	FR_PG_SAME,
	FR_PG_KEYED,
	FR_PG_LEASE,
	FR_PG_RENEW,
	FR_PG_RENEW_ALL,
	FR_PG_PROGRESS,
	FR_PG_COMPLETE,
	FR_PG_COUNT_FAILED,
	FR_PG_FAIL,
	FR_PG_RELEASE,
	FR_PG_REPORTED,
	FR_PG_EDITED,
	FR_PG_CANCEL,
	FR_PG_RETRY,
	FR_PG_REMOVE,
	FR_PG_PROMOTE,
	FR_PG_PURGE,
	FR_PG_PAUSE,
	FR_PG_RESUME,
	FR_PG_EXPIRED,
	FR_PG_EXPIRED_READ,
	FR_PG_NEXT_DUE,
	FR_PG_GET,
	FR_PG_FIND,
	FR_PG_LIST,
	FR_PG_WALK,
	FR_PG_WALK_DATA,
	FR_PG_TYPED,
	FR_PG_TYPED_DATA,
	FR_PG_RUNNING,
	FR_PG_STATS,
	FR_PG_OUTBOX_PUT,
	FR_PG_OUTBOX_TAKE,
	FR_PG_OUTBOX_DONE,
	FR_PG_OUTBOX_RETRY,
	FR_PG_SEEN,
	FR_PG_FORGET,
	FR_PG_WORKERS,
	FR_PG_STMTS
};

struct fr_pg_text {
	const char *name;
	const char *what; /* for messages: "create jobs" */
	const char *sql;
};
extern const struct fr_pg_text fr_pg_text[FR_PG_STMTS];

#endif
