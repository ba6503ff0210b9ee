/* SPDX-License-Identifier: MIT */
#ifndef FR_CLIENT_JOBS_H
#define FR_CLIENT_JOBS_H

#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/arena.h"
#include "client/client.h"

/*
 * "/v1/jobs/ID" with tail behind it. id may be the beginning of one. Whatever
 * else it is, it never reaches the path: FR_INVALID.
 */
FR_MUSTCHECK enum fr_rc fr_jobs_path(char *dst, size_t size, const char *id,
    const char *tail, struct fr_err *err);

/* The same for "/v1/types/TYPE". */
FR_MUSTCHECK enum fr_rc fr_types_path(char *dst, size_t size, const char *type,
    const char *tail, struct fr_err *err);

/* A job as the manager told it. Zero it before the first use. */
struct fr_jobview {
	struct fr_call call;    /* its answer is the job's JSON */
	struct fr_arena *arena; /* what job points to, beside the answer */
	struct fr_job job;
	struct fr_span waiting; /* why it is not running; len 0: no reason */
	char id[FR_UUID_TEXT];  /* the whole id */
};
void fr_jobview_fini(struct fr_jobview *t);

/* Asks once. FR_NOTFOUND names the id; FR_IO: the answer is no job. */
FR_MUSTCHECK enum fr_rc fr_jobs_get(struct fr_client *cl, const char *id,
    struct fr_jobview *t, struct fr_err *err);

/*
 * Asks until the job has ended or the monotonic time is until_ms (< 0: never
 * gives up). FR_OK: it has ended. FR_TIMEOUT: it has not; *t says how it
 * stands.
 */
FR_MUSTCHECK enum fr_rc fr_jobs_wait(struct fr_client *cl, const char *id,
    int64_t until_ms, struct fr_jobview *t, struct fr_err *err);

#endif
