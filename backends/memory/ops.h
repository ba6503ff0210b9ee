/* SPDX-License-Identifier: MIT */
#ifndef FR_MEM_OPS_H
#define FR_MEM_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include <fr/store.h>

#include "db.h"

/*
 * A handle on the tables. store.c makes, leases and forgets jobs, change.c has
 * what is said of them, read.c reads them, outbox.c keeps the events for hooks.
 */
struct fr_mem_store {
	struct fr_store store;
	uint32_t magic;
	bool readonly;
	struct fr_mdb *db;
};
#define FR_MEM_ME(s) ((const struct fr_mdb_handle *)(s))

/* The store behind a handle; anything else is a bug. */
struct fr_mem_store *fr_mem_of(struct fr_store *s);
/* The tables, locked; enter_write: by the handle that is in a transaction. */
struct fr_mdb *fr_mem_enter(struct fr_store *s);
struct fr_mdb *fr_mem_enter_write(struct fr_store *s);
/* Unlocks; returns rc, with a message if it is FR_NOMEM. */
enum fr_rc fr_mem_leave(struct fr_mdb *db, enum fr_rc rc, struct fr_err *err);

/* The calls of struct fr_store_ops; see fr/store.h. */
fr_store_renew_fn fr_mem_renew;
fr_store_renew_all_fn fr_mem_renew_all;
fr_store_report_fn fr_mem_progress;
fr_store_report_fn fr_mem_complete;
fr_store_report_fn fr_mem_count_failed;
fr_store_report_fn fr_mem_failed;
fr_store_report_fn fr_mem_release;
fr_store_edit_fn fr_mem_cancel;
fr_store_edit_fn fr_mem_retry;
fr_store_edit_fn fr_mem_remove;
fr_store_expired_fn fr_mem_expired;
fr_store_next_due_fn fr_mem_next_due;
fr_store_get_fn fr_mem_get;
fr_store_find_fn fr_mem_find;
fr_store_list_fn fr_mem_list;
fr_store_get_queue_fn fr_mem_get_queue;
fr_store_running_fn fr_mem_running;
fr_store_stats_fn fr_mem_stats;
fr_store_outbox_put_fn fr_mem_outbox_put;
fr_store_outbox_take_fn fr_mem_outbox_take;
fr_store_outbox_done_fn fr_mem_outbox_done;
fr_store_outbox_retry_fn fr_mem_outbox_retry;

#endif
