/* SPDX-License-Identifier: MIT */
#ifndef FR_BUF_H
#define FR_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include <fr/err.h>
#include <fr/job.h>

/*
 * Growable bytes with a hard limit. The first failure (no memory, limit)
 * sticks: later additions do nothing and ok() is false, so that a writer
 * checks once, at the end. What was there before stays valid.
 */
struct fr_buf {
	char *p;
	size_t len;
	size_t cap;
	size_t max_bytes;
	bool failed;
};

/* max_bytes 0: no limit but memory. */
void fr_buf_init(struct fr_buf *b, size_t max_bytes);
void fr_buf_fini(struct fr_buf *b);  /* frees; zeroed is fine */
void fr_buf_reset(struct fr_buf *b); /* empties, keeps the memory */
bool fr_buf_ok(const struct fr_buf *b);
void fr_buf_add(struct fr_buf *b, const void *p, size_t len);
void fr_buf_addc(struct fr_buf *b, char c);
void fr_buf_adds(struct fr_buf *b, const char *s);
void fr_buf_addspan(struct fr_buf *b, struct fr_span s);
void fr_buf_addf(struct fr_buf *b, const char *fmt, ...) FR_PRINTF(2, 3);
void fr_buf_addi64(struct fr_buf *b, long long v);

/* Room for at least n bytes at the end, to be written by the caller; NULL on
 * failure. fr_buf_commit then says how many were written. */
char *fr_buf_reserve(struct fr_buf *b, size_t n);
void fr_buf_commit(struct fr_buf *b, size_t n);

/* Takes n bytes away at the front. */
void fr_buf_shift(struct fr_buf *b, size_t n);

/* A NUL behind the contents, not counted; "" on failure. Borrowed. */
const char *fr_buf_cstr(struct fr_buf *b);
struct fr_span fr_buf_span(const struct fr_buf *b);

#endif
