/* SPDX-License-Identifier: MIT */
#ifndef FR_JSON_H
#define FR_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

/*
 * A scanner of JSON text (RFC 8259) that makes no values: it checks a text
 * once, and then hands out its parts as spans into it, so that numbers, key
 * order, duplicate keys and escapes stay as they came. Strict: UTF-8 only, no
 * byte order mark, no NaN, no trailing comma; lone surrogate escapes are let
 * through as they are (\ud800), since RFC 8259 allows them.
 */

#define FR_JSON_DEPTH 64 /* levels of nesting by default */

/*
 * Checks that s is one JSON value with white space around it at most, and no
 * deeper than max_depth (1024 at most). FR_SYNTAX with "byte N: what is
 * wrong", the first byte being 1; FR_TOOBIG for the depth. *value (may be NULL)
 * becomes the value without the white space around it.
 */
FR_MUSTCHECK enum fr_rc fr_json_check(struct fr_span s, unsigned max_depth,
    struct fr_span *value, struct fr_err *err);

/*
 * Writes a checked value without the white space between its tokens to dst
 * (value.len bytes are always enough; dst may be value.p) and returns the
 * length.
 */
size_t fr_json_compact(char *dst, struct fr_span value);

/* All below take a value that fr_json_check has passed; anything else is a
 * bug. */
enum fr_json_type {
	FR_JSON_NULL,
	FR_JSON_FALSE,
	FR_JSON_TRUE,
	FR_JSON_NUMBER,
	FR_JSON_STRING,
	FR_JSON_ARRAY,
	FR_JSON_OBJECT
};
enum fr_json_type fr_json_type(struct fr_span value);
/* "null", "a boolean", "a number" ...: for messages. */
const char *fr_json_type_name(struct fr_span value);

/* Walks the members of an object or the elements of an array. */
struct fr_json_iter {
	const char *p;
	const char *end;
};
struct fr_json_iter fr_json_iter(struct fr_span value);
/* false at the end. key is the string token with its quotes. */
bool fr_json_member(
    struct fr_json_iter *it, struct fr_span *key, struct fr_span *value);
bool fr_json_element(struct fr_json_iter *it, struct fr_span *value);

/* Whether a string token, its escapes decoded, is z. */
bool fr_json_string_is(struct fr_span token, const char *z);

/*
 * Decodes a string token into dst (token.len bytes are enough; no NUL is
 * added) and returns the length. A lone surrogate becomes U+FFFD.
 */
size_t fr_json_unescape(char *dst, struct fr_span token);
/*
 * The same, but a lone surrogate becomes the three bytes that would be its
 * UTF-8 and are none, so that what differs goes on to differ.
 */
size_t fr_json_unescape_exact(char *dst, struct fr_span token);

/* The value of the last member with this key, or a span with p NULL. */
struct fr_span fr_json_get(struct fr_span object, const char *key);

/*
 * A number token as an integer within min..max: 5, -3, and also 5.0 and 5e0.
 * FR_INVALID otherwise, without a message.
 */
FR_MUSTCHECK enum fr_rc fr_json_i64(
    struct fr_span value, int64_t min, int64_t max, int64_t *out);

/* A number of seconds, fractions allowed, in milliseconds (rounded up). */
FR_MUSTCHECK enum fr_rc fr_json_seconds(
    struct fr_span value, int64_t min_ms, int64_t max_ms, int64_t *ms);

/* Whether two checked values are the same token for token. */
bool fr_json_same(struct fr_span a, struct fr_span b);

#endif
