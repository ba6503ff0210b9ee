/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <string.h>

#include "base/assert.h"
#include "base/str.h"

/* What single checked tokens mean: strings and numbers. */

static unsigned
hex4(const char *p)
{
	unsigned char b[2];

	if (!fr_hex_decode(b, 2, (struct fr_span){ p, 4 }))
		fr_assert(!"four hex digits");
	return (unsigned)b[0] << 8 | b[1];
}

static size_t
utf8(char out[4], unsigned c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/*
 * Decodes the \u escape at p, with its second half if it is a surrogate pair.
 * lone: what stands for half of one; 0: itself. Returns how many bytes of text
 * it took.
 */
#define INSTEAD 0xfffdU
static size_t
unicode(const char *p, const char *end, uint32_t lone, char out[4], size_t *n)
{
	uint32_t c = hex4(p + 2), low;

	if (c >= 0xd800 && c <= 0xdbff && end - p >= 12 && p[6] == '\\' &&
	    p[7] == 'u') {
		low = hex4(p + 8);
		if (low >= 0xdc00 && low <= 0xdfff) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			*n = utf8(out, c);
			return 12;
		}
	}
	if (c >= 0xd800 && c <= 0xdfff && lone != 0)
		c = lone;
	*n = utf8(out, c);
	return 6;
}

/* The same for any escape. */
static size_t
escape(const char *p, const char *end, uint32_t lone, char out[4], size_t *n)
{
	fr_assert(end - p >= 2);
	*n = 1;
	switch (p[1]) {
	case 'b':
		out[0] = '\b';
		return 2;
	case 'f':
		out[0] = '\f';
		return 2;
	case 'n':
		out[0] = '\n';
		return 2;
	case 'r':
		out[0] = '\r';
		return 2;
	case 't':
		out[0] = '\t';
		return 2;
	case 'u':
		fr_assert(end - p >= 6);
		return unicode(p, end, lone, out, n);
	default:
		out[0] = p[1];
		return 2;
	}
}

/* What stands between the quotes. */
static struct fr_span
inside(struct fr_span token)
{
	fr_assert(token.len >= 2 && token.p[0] == '"');
	return (struct fr_span){ token.p + 1, token.len - 2 };
}

static size_t
unescape(char *dst, struct fr_span token, uint32_t lone)
{
	const struct fr_span s = inside(token);
	const char *p = s.p, *const end = p + s.len, *q;
	char *out = dst, c[4];
	size_t n;

	while (p < end) {
		q = memchr(p, '\\', (size_t)(end - p));
		n = (size_t)((q == NULL ? end : q) - p);
		/* dst may be the token itself: the text only gets shorter. */
		memmove(out, p, n);
		out += n;
		p += n;
		if (q == NULL)
			break;
		p += escape(p, end, lone, c, &n);
		memcpy(out, c, n);
		out += n;
	}
	return (size_t)(out - dst);
}

size_t
fr_json_unescape(char *dst, struct fr_span token)
{
	return unescape(dst, token, INSTEAD);
}

size_t
fr_json_unescape_exact(char *dst, struct fr_span token)
{
	return unescape(dst, token, 0);
}

bool
fr_json_string_is(struct fr_span token, const char *z)
{
	const struct fr_span s = inside(token);
	const char *p = s.p, *const end = p + s.len;
	size_t left = strlen(z), n;
	char c[4];

	if (s.len == left && (left == 0 || memcmp(p, z, left) == 0))
		return memchr(z, '\\', left) == NULL;
	if (s.len <= left)
		return false;
	while (p < end) {
		c[0] = *p;
		n = 1;
		p += (*p == '\\' ? escape(p, end, INSTEAD, c, &n) : 1);
		if (n > left || memcmp(c, z, n) != 0)
			return false;
		z += n;
		left -= n;
	}
	return left == 0;
}

struct fr_span
fr_json_get(struct fr_span object, const char *key)
{
	struct fr_json_iter it = fr_json_iter(object);
	struct fr_span k, v, found = { NULL, 0 };

	while (fr_json_member(&it, &k, &v))
		if (fr_json_string_is(k, key))
			found = v;
	return found;
}

/*
 * A number token as digits * 10^exp, without zeros at either end. Digits that
 * do not fit are left out: the number is then a little larger.
 */
struct decimal {
	uint64_t digits;
	int64_t exp;
	bool neg;
	bool more; /* some were left out; the last of them is not 0 */
};

static void
push_digit(struct decimal *d, unsigned digit)
{
	if (d->more || d->digits > (UINT64_MAX - 9) / 10) {
		d->more = true;
		d->exp++;
		return;
	}
	d->digits = d->digits * 10 + digit;
}

/* The exponent at p, cut off where no text could make up for it. */
static int64_t
exponent(const char *p, const char *end)
{
	const int64_t most = (int64_t)1 << 60;
	const bool neg = *p == '-';
	int64_t e = 0;

	if (*p == '-' || *p == '+')
		p++;
	for (; p < end; p++)
		if (e < most / 10)
			e = e * 10 + (*p - '0');
	return neg ? -e : e;
}

static struct decimal
decimal(struct fr_span value)
{
	const char *p = value.p, *const end = p + value.len;
	struct decimal d = { 0 };
	int64_t zeros = 0; /* seen, but not yet known to be inside */
	bool fraction = false;

	fr_assert(fr_json_type(value) == FR_JSON_NUMBER);
	d.neg = *p == '-';
	for (p += d.neg; p < end && (*p | 0x20) != 'e'; p++) {
		if (*p == '.') {
			fraction = true;
			continue;
		}
		if (fraction)
			d.exp--;
		if (*p == '0') {
			if (d.digits != 0)
				zeros++;
			continue;
		}
		for (; zeros > 0; zeros--)
			push_digit(&d, 0);
		push_digit(&d, (unsigned)(*p - '0'));
	}
	d.exp += zeros;
	if (p < end)
		d.exp += exponent(p + 1, end);
	return d;
}

/* digits * 10^exp, rounded up; false if it is too large. */
static bool
scale(const struct decimal *d, int64_t exp, bool *exact, int64_t *out)
{
	uint64_t v = d->digits, rest = 0;

	if (v == 0) {
		*exact = true;
		*out = 0;
		return true;
	}
	for (; exp > 0; exp--)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v))
			return false;
	for (; exp < 0 && v > 0; exp++) {
		rest |= v % 10;
		v /= 10;
	}
	*exact = rest == 0 && exp == 0 && !d->more;
	if (v >= INT64_MAX)
		return false;
	*out = (int64_t)v + !*exact;
	return true;
}

enum fr_rc
fr_json_i64(struct fr_span value, int64_t min, int64_t max, int64_t *out)
{
	struct decimal d;
	enum fr_rc rc;
	int64_t v;
	bool exact;

	/* The usual form, and the only way to INT64_MIN. */
	if (fr_json_type(value) != FR_JSON_NUMBER)
		return FR_INVALID;
	rc = fr_str_i64(value, min, max, out);
	if (rc != FR_SYNTAX)
		return rc;
	d = decimal(value);
	if (!scale(&d, d.exp, &exact, &v) || !exact)
		return FR_INVALID;
	if (d.neg)
		v = -v;
	if (v < min || v > max)
		return FR_INVALID;
	*out = v;
	return FR_OK;
}

enum fr_rc
fr_json_seconds(
    struct fr_span value, int64_t min_ms, int64_t max_ms, int64_t *ms)
{
	struct decimal d;
	int64_t v;
	bool exact;

	if (fr_json_type(value) != FR_JSON_NUMBER)
		return FR_INVALID;
	d = decimal(value);
	if (!scale(&d, d.exp + 3, &exact, &v))
		return FR_INVALID;
	/* Up means towards the larger, also below zero. */
	if (d.neg)
		v = (exact ? -v : 1 - v);
	if (v < min_ms || v > max_ms)
		return FR_INVALID;
	*ms = v;
	return FR_OK;
}
