/* SPDX-License-Identifier: MIT */
#ifndef FR_MAP_H
#define FR_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include <fr/err.h>
#include <fr/job.h>

/* Bytes -> pointer, open addressing; keys are copied. Not for secrets. */
struct fr_map;

struct fr_map *fr_map_new(void);    /* NULL without memory */
void fr_map_free(struct fr_map *m); /* not the values; NULL is fine */
size_t fr_map_count(const struct fr_map *m);
void *fr_map_get(const struct fr_map *m, struct fr_span key); /* NULL: none */
/* value is not NULL. Replaces; false without memory. */
FR_MUSTCHECK bool fr_map_put(struct fr_map *m, struct fr_span key, void *value);
/* The value that was there, or NULL. */
void *fr_map_del(struct fr_map *m, struct fr_span key);
/* Walks: *pos 0 to begin; false at the end. Deleting the entry just seen is
 * allowed. key may be NULL. */
bool fr_map_next(
    const struct fr_map *m, size_t *pos, struct fr_span *key, void **value);

#endif
