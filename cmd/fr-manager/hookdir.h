/* SPDX-License-Identifier: MIT */
#ifndef FR_MANAGER_HOOKDIR_H
#define FR_MANAGER_HOOKDIR_H

#include <pthread.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/map.h"

/* The hooks of a directory: executables EVENT and EVENT.TYPE. Any thread. */
struct fr_hookdir {
	const char *path; /* NULL: none */
	pthread_mutex_t lock;
	struct fr_map *names;
	unsigned kinds; /* atomic; bits of events for which there are any */
};

FR_MUSTCHECK enum fr_rc fr_hookdir_init(
    struct fr_hookdir *d, const char *path, struct fr_err *err);
void fr_hookdir_fini(struct fr_hookdir *d);
/* Reads it again; if that fails all stays as it was. */
FR_MUSTCHECK enum fr_rc fr_hookdir_read(
    struct fr_hookdir *d, struct fr_err *err);
/* Bit 0: EVENT is there; bit 1: EVENT.TYPE. */
unsigned fr_hookdir_find(
    struct fr_hookdir *d, enum fr_event_kind kind, struct fr_span type);

#endif
