/* SPDX-License-Identifier: MIT */
#ifndef FR_WIRE_PUT_H
#define FR_WIRE_PUT_H

#include <stdint.h>

#include <fr/job.h>

#include "base/buf.h"

/* One member of an object: what the writers of this folder share. */
void fr_put_id(struct fr_buf *b, const char *key, const struct fr_uuid *id);
void fr_put_token(struct fr_buf *b, const char *key, const struct fr_token *t);
/* Text that is empty, and a value that has no bytes, are null. */
void fr_put_text(struct fr_buf *b, const char *key, struct fr_span text);
void fr_put_raw(struct fr_buf *b, const char *key, struct fr_span value);
void fr_put_i64(struct fr_buf *b, const char *key, int64_t v);
/* 0 is null. */
void fr_put_seconds(struct fr_buf *b, const char *key, int64_t ms);
void fr_put_time(struct fr_buf *b, const char *key, int64_t wall_ms);
/* An element of an array: an id as a string. */
void fr_put_uuid(struct fr_buf *b, const struct fr_uuid *id);

#endif
