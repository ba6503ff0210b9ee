/* SPDX-License-Identifier: MIT */
#include "wire/read.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"

enum fr_rc
fr_read_bad(const struct fr_read *r, enum fr_rc rc, const char *field,
    const char *fmt, ...)
{
	char what[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (n < 0)
		what[0] = '\0';
	if (r->list == NULL)
		return fr_fail(r->err, rc, "field `%s`: %s", field, what);
	return fr_fail(r->err, rc, "field `%s[%zu]%s%s`: %s", r->list, r->index,
	    field[0] == '\0' ? "" : ".", field, what);
}

enum fr_rc
fr_read_nomem(const struct fr_read *r)
{
	return fr_fail(r->err, FR_NOMEM, "read request: out of memory");
}

/* Whether the key token is name; most keys have no escapes. */
static bool
key_is(struct fr_span key, const char *name)
{
	size_t len = strlen(name);

	if (key.len == len + 2 && memcmp(key.p + 1, name, len) == 0)
		return true;
	return key.len > len + 2 && memchr(key.p, '\\', key.len) != NULL &&
	       fr_json_string_is(key, name);
}

int
fr_read_find(struct fr_span key, const char *const *names, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (key_is(key, names[i]))
			return i;
	return -1;
}

enum fr_rc
fr_read_field(const struct fr_read *r, struct fr_span key,
    const char *const *names, int n, uint32_t *seen, int *which)
{
	int i;

	fr_assert(n > 0 && n <= 32);
	i = fr_read_find(key, names, n);
	if (i == -1) {
		char name[65];

		/* Without its quotes, cut to what is worth reading. */
		(void)snprintf(name, sizeof(name), "%.*s",
		    (int)(key.len - 2 < 64 ? key.len - 2 : 64), key.p + 1);
		return fr_read_bad(r, FR_INVALID, name, "is not known");
	}
	if ((*seen & (1U << i)) != 0)
		return fr_read_bad(r, FR_INVALID, names[i], "given twice");
	*seen |= 1U << i;
	*which = i;
	return FR_OK;
}

enum fr_rc
fr_read_text(const struct fr_read *r, const char *field, struct fr_span v,
    size_t min, size_t max, struct fr_span *out)
{
	char *p;

	if (fr_json_type(v) != FR_JSON_STRING)
		return fr_read_bad(r, FR_INVALID, field,
		    "must be a string, not %s", fr_json_type_name(v));
	*out = (struct fr_span){ v.p + 1, v.len - 2 };
	if (memchr(v.p, '\\', v.len) != NULL) {
		/* An escape is at most six times as long as its text. */
		if (v.len / 6 > max)
			return fr_read_bad(r, FR_INVALID, field,
			    "must have %zu to %zu bytes", min, max);
		p = fr_arena_alloc(r->arena, v.len);
		if (p == NULL)
			return fr_read_nomem(r);
		*out = (struct fr_span){ p, fr_json_unescape_exact(p, v) };
	}
	if (out->len < min || out->len > max)
		return fr_read_bad(r, FR_INVALID, field,
		    "must have %zu to %zu bytes", min, max);
	if (out->len > 0 && memchr(out->p, '\0', out->len) != NULL)
		return fr_read_bad(
		    r, FR_INVALID, field, "must not have \\u0000 in it");
	/* The token is UTF-8, so what is none came of an escape. */
	if (out->p != v.p + 1 && !fr_utf8_valid(*out))
		return fr_read_bad(r, FR_INVALID, field,
		    "must not have half of a surrogate pair in it");
	return FR_OK;
}

enum fr_rc
fr_read_type(const struct fr_read *r, const char *field, struct fr_span v,
    struct fr_span *out)
{
	if (fr_json_type(v) != FR_JSON_STRING)
		return fr_read_bad(r, FR_INVALID, field,
		    "must be a string, not %s", fr_json_type_name(v));
	*out = (struct fr_span){ v.p + 1, v.len - 2 };
	if (memchr(v.p, '\\', v.len) != NULL) {
		enum fr_rc rc;

		rc = fr_read_text(r, field, v, 1, FR_TYPE_MAX, out);
		if (rc != FR_OK)
			return rc;
	}
	if (!fr_type_valid(*out))
		return fr_read_bad(r, FR_INVALID, field,
		    "must be 1 to %d of the characters A-Z a-z 0-9 _ . -",
		    FR_TYPE_MAX);
	return FR_OK;
}

enum fr_rc
fr_read_id(const struct fr_read *r, const char *field, struct fr_span v,
    struct fr_uuid *id)
{
	static const struct fr_uuid zero;
	struct fr_span text;

	if (fr_json_type(v) != FR_JSON_STRING)
		return fr_read_bad(r, FR_INVALID, field,
		    "must be a string, not %s", fr_json_type_name(v));
	text = (struct fr_span){ v.p + 1, v.len - 2 };
	if (!fr_uuid_parse(text, id))
		return fr_read_bad(r, FR_INVALID, field, "must be a UUID");
	if (fr_uuid_eq(id, &zero))
		return fr_read_bad(
		    r, FR_INVALID, field, "must not be the UUID of all zeros");
	return FR_OK;
}

enum fr_rc
fr_read_i64(const struct fr_read *r, const char *field, struct fr_span v,
    int64_t min, int64_t max, int64_t *out)
{
	if (fr_json_type(v) != FR_JSON_NUMBER)
		return fr_read_bad(r, FR_INVALID, field,
		    "must be a number, not %s", fr_json_type_name(v));
	if (fr_json_i64(v, min, max, out) != FR_OK)
		return fr_read_bad(r, FR_INVALID, field,
		    "must be an integer from %lld to %lld", (long long)min,
		    (long long)max);
	return FR_OK;
}

enum fr_rc
fr_read_seconds(const struct fr_read *r, const char *field, struct fr_span v,
    int64_t min_ms, int64_t *ms)
{
	if (fr_json_type(v) != FR_JSON_NUMBER)
		return fr_read_bad(r, FR_INVALID, field,
		    "must be a number of seconds, not %s",
		    fr_json_type_name(v));
	if (fr_json_seconds(v, min_ms, FR_READ_MAX_MS, ms) != FR_OK)
		return fr_read_bad(r, FR_INVALID, field,
		    "must be %s0 and at most %lld seconds",
		    min_ms > 0 ? "more than " : "at least ",
		    (long long)(FR_READ_MAX_MS / 1000));
	return FR_OK;
}

enum fr_rc
fr_read_bool(
    const struct fr_read *r, const char *field, struct fr_span v, bool *out)
{
	enum fr_json_type t = fr_json_type(v);

	if (t != FR_JSON_TRUE && t != FR_JSON_FALSE)
		return fr_read_bad(r, FR_INVALID, field,
		    "must be true or false, not %s", fr_json_type_name(v));
	*out = t == FR_JSON_TRUE;
	return FR_OK;
}

enum fr_rc
fr_read_array(const struct fr_read *r, const char *field, struct fr_span v,
    size_t max, size_t *n)
{
	struct fr_json_iter it;
	struct fr_span e;

	*n = 0;
	if (fr_json_type(v) != FR_JSON_ARRAY)
		return fr_read_bad(r, FR_INVALID, field,
		    "must be an array, not %s", fr_json_type_name(v));
	it = fr_json_iter(v);
	while (fr_json_element(&it, &e))
		++*n;
	if (*n > max)
		return fr_read_bad(
		    r, FR_TOOBIG, field, "must have at most %zu elements", max);
	return FR_OK;
}

/* True if there is no white space at all, so that none is between tokens. */
static bool
is_compact(struct fr_span v)
{
	unsigned char blank = 0;
	size_t i;

	/* Without a branch, so that the compiler does many at a time. */
	for (i = 0; i < v.len; i++)
		blank |= (unsigned char)((unsigned char)v.p[i] <= ' ');
	return blank == 0;
}

enum fr_rc
fr_read_compact(const struct fr_read *r, struct fr_span v, struct fr_span *out)
{
	char *p;

	*out = v;
	if (is_compact(v))
		return FR_OK;
	p = fr_arena_alloc(r->arena, v.len);
	if (p == NULL)
		return fr_read_nomem(r);
	*out = (struct fr_span){ p, fr_json_compact(p, v) };
	return FR_OK;
}

enum fr_rc
fr_read_value(const struct fr_read *r, const char *field, struct fr_span v,
    struct fr_span *out)
{
	enum fr_rc rc = fr_read_compact(r, v, out);

	if (rc == FR_OK && out->len > r->limits->max_value_bytes)
		return fr_read_bad(r, FR_TOOBIG, field,
		    "has %zu bytes, more than the limit of %zu", out->len,
		    r->limits->max_value_bytes);
	return rc;
}

enum fr_rc
fr_read_object(struct fr_span json, const struct fr_wire_limits *limits,
    unsigned extra, struct fr_span *object, struct fr_err *err)
{
	enum fr_rc rc;

	rc = fr_json_check(json, limits->max_depth + extra, object, err);
	if (rc == FR_TOOBIG)
		return fr_fail(err, rc,
		    "data or a result is nested more than %u levels deep",
		    limits->max_depth);
	if (rc != FR_OK)
		return rc;
	if (fr_json_type(*object) != FR_JSON_OBJECT)
		return fr_fail(err, FR_INVALID, "must be an object, not %s",
		    fr_json_type_name(*object));
	return FR_OK;
}
