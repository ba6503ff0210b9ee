/* SPDX-License-Identifier: MIT */
#ifndef FR_STR_H
#define FR_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

/* The span of a NUL-terminated string; NULL gives an empty one. */
struct fr_span fr_span_of(const char *z);
bool fr_span_eq(struct fr_span a, struct fr_span b);
bool fr_span_is(struct fr_span a, const char *z);
bool fr_span_starts(struct fr_span a, const char *z);

/* Copies s with a NUL into dst of size bytes; false (and "") if it does not
 * fit. */
bool fr_str_copy(char *dst, size_t size, struct fr_span s);

/* snprintf that says whether all of it fitted. */
FR_MUSTCHECK bool fr_str_format(char *dst, size_t size, const char *fmt, ...)
    FR_PRINTF(3, 4);

/* malloc'd copy with a NUL, yours to free; NULL without memory. */
char *fr_str_dup(struct fr_span s);

/*
 * A whole decimal integer, an optional '-' in front, nothing else, within
 * min..max. FR_SYNTAX or FR_INVALID without a message.
 */
FR_MUSTCHECK enum fr_rc fr_str_i64(
    struct fr_span s, int64_t min, int64_t max, int64_t *out);

/*
 * A duration into milliseconds: "90", "1.5", "90s", "15m", "2h", "7d",
 * "200ms"; at least 0, at most ten thousand days. FR_SYNTAX, FR_INVALID.
 */
FR_MUSTCHECK enum fr_rc fr_str_duration(struct fr_span s, int64_t *ms);

/* A size into bytes: "100", "64k", "1M", "16MiB", "2G" (powers of 1024). */
FR_MUSTCHECK enum fr_rc fr_str_size(struct fr_span s, size_t *bytes);

/* The length of the UTF-8 character at the front of s; 0: none or invalid. */
size_t fr_utf8_char(struct fr_span s);

/* Whether all of s is valid UTF-8 (no surrogates, no overlong forms). */
bool fr_utf8_valid(struct fr_span s);
/* How many bytes at the front of s are valid UTF-8 (s.len if all are). */
size_t fr_utf8_prefix(struct fr_span s);

/*
 * For a terminal: adds s to b with control characters (C0, DEL, C1, and
 * invalid UTF-8) shown as \xHH, so that no job text can steer it. Line feed
 * and tab stay if keep_lines.
 */
struct fr_buf;
void fr_str_visible(struct fr_buf *b, struct fr_span s, bool keep_lines);

/* Hex, lower case, without NUL; dst has 2 * len bytes. */
void fr_hex_encode(char *dst, const unsigned char *p, size_t len);
/* Exactly 2 * len hex digits of either case; false otherwise. */
bool fr_hex_decode(unsigned char *dst, size_t len, struct fr_span hex);

/* Compares in a time that depends on nothing but len. */
bool fr_const_eq(const void *a, const void *b, size_t len);

#endif
