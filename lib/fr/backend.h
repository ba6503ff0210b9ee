/* SPDX-License-Identifier: MIT */
#ifndef FR_BACKEND_H
#define FR_BACKEND_H

#include <stdint.h>

#include <fr/queue.h>
#include <fr/store.h>

/* Grows whenever a table or a struct above changes its shape. */
#define FR_BACKEND_ABI 2U

/*
 * The one symbol that a module (PATH.so) exports, under the name fr_module.
 * Either table may be NULL.
 */
struct fr_module {
	uint32_t abi;  /* FR_BACKEND_ABI */
	uint32_t size; /* sizeof(struct fr_module) */
	const struct fr_store_ops *store;
	const struct fr_queue_ops *queue;
};

#endif
