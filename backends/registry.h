/* SPDX-License-Identifier: MIT */
#ifndef FR_REGISTRY_H
#define FR_REGISTRY_H

#include <fr/backend.h>

/* Each backend's only symbol. */
extern const struct fr_store_ops fr_store_memory, fr_store_sqlite;
extern const struct fr_store_ops fr_store_postgres, fr_store_exec;
extern const struct fr_queue_ops fr_queue_memory, fr_queue_redis;
extern const struct fr_queue_ops fr_queue_rediss, fr_queue_exec;
/* Fails on purpose; the registry knows it in builds with FR_FAULT only. */
extern const struct fr_store_ops fr_store_fault;

/*
 * Opens a store or queue by its URL: SCHEME:ARGS of a built-in backend, or
 * PATH.so:ARGS. An unknown scheme is FR_USAGE with the list of known ones.
 * The table is checked: ABI, and that all required calls are there.
 */
FR_MUSTCHECK enum fr_rc fr_registry_store(
    struct fr_store **out, const char *url, unsigned flags, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_registry_queue(
    struct fr_queue **out, const char *url, struct fr_err *err);

#endif
