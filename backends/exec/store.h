/* SPDX-License-Identifier: MIT */
#ifndef FR_EXEC_STORE_H
#define FR_EXEC_STORE_H

#include <fr/backend.h>

#include "base/json.h"
#include "rows.h"

/* What the files of this store share. */

struct fr_exec_store {
	struct fr_store store;
	uint32_t magic;
	struct fr_store_ops ops; /* with what this child promises */
	struct fr_exec_peer peer;
	bool in_tx;
	int64_t number; /* of the last transaction */
	char about[360];
};

/* The store behind a handle; anything else is a bug. */
struct fr_exec_store *fr_exec_self(struct fr_store *s);
/* Begins a request. Inside a transaction the child must be the same. */
enum fr_rc fr_exec_call(
    struct fr_exec_store *s, const char *call, struct fr_err *err);
/* A member of the request that is a list, and its end. */
void fr_exec_open_list(struct fr_exec_store *s, const char *key);
void fr_exec_close_list(struct fr_exec_store *s);
/* Sends the request and emits the jobs of its answer. */
enum fr_rc fr_exec_jobs_answer(struct fr_exec_store *s, fr_job_emit_fn *emit,
    void *arg, struct fr_err *err);

/* read.c: calls that only look, and purge, which chooses as they do. */
fr_store_get_fn fr_exec_get;
fr_store_find_fn fr_exec_find;
fr_store_list_fn fr_exec_list;
fr_store_get_queue_fn fr_exec_get_queue;
fr_store_running_fn fr_exec_running;
fr_store_purge_fn fr_exec_purge;
fr_store_stats_fn fr_exec_stats;

#endif
