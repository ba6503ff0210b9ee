/* SPDX-License-Identifier: MIT */
#ifndef FR_JSONW_H
#define FR_JSONW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Writes JSON into a buffer. Commas are set by looking at the last byte: one
 * is added before a member or element unless that byte is '{', '[', ':' or
 * the buffer is empty or ends a line.
 */
void fr_jsonw_open(struct fr_buf *b, char bracket);   /* '{' or '[' */
void fr_jsonw_close(struct fr_buf *b, char bracket);  /* '}' or ']' */
void fr_jsonw_key(struct fr_buf *b, const char *key); /* plain ASCII */

/* Elements, or values behind a key. */
void fr_jsonw_raw(struct fr_buf *b, struct fr_span value); /* checked JSON */
void fr_jsonw_str(struct fr_buf *b, struct fr_span text);
void fr_jsonw_strz(struct fr_buf *b, const char *text);
void fr_jsonw_i64(struct fr_buf *b, int64_t v);
void fr_jsonw_bool(struct fr_buf *b, bool v);
void fr_jsonw_null(struct fr_buf *b);
/* Milliseconds as seconds: 1500 is 1.5. */
void fr_jsonw_seconds(struct fr_buf *b, int64_t ms);
/* RFC 3339, UTC, milliseconds; null if 0. */
void fr_jsonw_time(struct fr_buf *b, int64_t wall_ms);

/*
 * Adds the string token of text to b, quotes and all: what must be escaped
 * is (RFC 8259), invalid UTF-8 becomes U+FFFD, DEL and C1 stay.
 */
void fr_jsonw_escape(struct fr_buf *b, struct fr_span text);

/*
 * Adds a checked value as people read it: a string without its quotes and
 * escapes, other JSON as it is, and nothing if there are no bytes.
 */
void fr_jsonw_text(struct fr_buf *b, struct fr_span value);

#endif
