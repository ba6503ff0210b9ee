/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct fr_span
fr_span_of(const char *z)
{
	return (struct fr_span){ z, z == NULL ? 0 : strlen(z) };
}

bool
fr_span_eq(struct fr_span a, struct fr_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
fr_span_is(struct fr_span a, const char *z)
{
	return fr_span_eq(a, fr_span_of(z));
}

bool
fr_span_starts(struct fr_span a, const char *z)
{
	const size_t len = strlen(z);

	return a.len >= len && (len == 0 || memcmp(a.p, z, len) == 0);
}

bool
fr_str_copy(char *dst, size_t size, struct fr_span s)
{
	if (size == 0)
		return false;
	dst[0] = '\0';
	if (s.len >= size)
		return false;
	if (s.len > 0)
		memcpy(dst, s.p, s.len);
	dst[s.len] = '\0';
	return true;
}

bool
fr_str_format(char *dst, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(dst, size, fmt, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < size;
}

char *
fr_str_dup(struct fr_span s)
{
	char *p = malloc(s.len + 1);

	if (p == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return p;
}

enum fr_rc
fr_str_i64(struct fr_span s, int64_t min, int64_t max, int64_t *out)
{
	const bool neg = s.len > 0 && s.p[0] == '-';
	bool over = false;
	int64_t v = 0;
	size_t i = neg;

	if (i == s.len)
		return FR_SYNTAX;
	/* Counted downwards, since there is one more negative number. */
	for (; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return FR_SYNTAX;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, s.p[i] - '0', &v))
			over = true;
	}
	if (!neg && __builtin_sub_overflow(0, v, &v))
		over = true;
	if (over || v < min || v > max)
		return FR_INVALID;
	*out = v;
	return FR_OK;
}

/* Milliseconds in the unit at the end of a duration; 0: there is none such. */
static int64_t
unit_ms(struct fr_span u)
{
	if (u.len == 0 || fr_span_is(u, "s"))
		return 1000;
	if (fr_span_is(u, "ms"))
		return 1;
	if (fr_span_is(u, "m"))
		return 60 * 1000;
	if (fr_span_is(u, "h"))
		return 60 * 60 * 1000;
	if (fr_span_is(u, "d"))
		return 24 * 60 * 60 * 1000;
	return 0;
}

static bool
digit(struct fr_span s, size_t i)
{
	return i < s.len && s.p[i] >= '0' && s.p[i] <= '9';
}

#define MOST_MS ((int64_t)10000 * 24 * 60 * 60 * 1000)
#define NANO 1000000000

enum fr_rc
fr_str_duration(struct fr_span s, int64_t *ms)
{
	int64_t whole = 0, nano = 0, scale = NANO, unit, v;
	bool more = false; /* something other than 0 behind nine places */
	size_t i = 0;

	if (!digit(s, 0))
		return FR_SYNTAX;
	for (; digit(s, i); i++)
		if (whole <= MOST_MS)
			whole = whole * 10 + (s.p[i] - '0');
	if (i < s.len && s.p[i] == '.') {
		if (!digit(s, ++i))
			return FR_SYNTAX;
		for (; digit(s, i); i++) {
			if (scale == 1)
				more |= s.p[i] != '0';
			else
				nano += (s.p[i] - '0') * (scale /= 10);
		}
	}
	unit = unit_ms((struct fr_span){ s.p + i, s.len - i });
	if (unit == 0)
		return FR_SYNTAX;
	if (whole > MOST_MS / unit)
		return FR_INVALID;
	/* Rounded up: a wait is never shorter than was asked for. */
	v = whole * unit + (nano * unit + NANO - 1) / NANO;
	v += more && nano * unit % NANO == 0;
	if (v > MOST_MS)
		return FR_INVALID;
	*ms = v;
	return FR_OK;
}

enum fr_rc
fr_str_size(struct fr_span s, size_t *bytes)
{
	static const char units[] = "kmgt";
	const char *u;
	size_t v = 0, i = 0;
	bool over = false;

	if (!digit(s, 0))
		return FR_SYNTAX;
	for (; digit(s, i); i++)
		if (__builtin_mul_overflow(v, 10U, &v) ||
		    __builtin_add_overflow(v, (size_t)(s.p[i] - '0'), &v))
			over = true;
	if (i < s.len && s.p[i] != 'B') {
		u = memchr(units, s.p[i] | 0x20, sizeof(units) - 1);
		if (u == NULL)
			return FR_SYNTAX;
		for (; u >= units; u--)
			if (__builtin_mul_overflow(v, 1024U, &v))
				over = true;
		i++;
		if (i < s.len && s.p[i] == 'i')
			if (++i == s.len)
				return FR_SYNTAX; /* "1Mi" */
	}
	if (i < s.len && s.p[i] == 'B')
		i++;
	if (i != s.len)
		return FR_SYNTAX;
	if (over)
		return FR_INVALID;
	*bytes = v;
	return FR_OK;
}

static bool
cont(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t
fr_utf8_char(struct fr_span s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	if (s.len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < 2 || !cont(p[1]))
		return 0;
	if (p[0] < 0xe0)
		return 2;
	if (s.len < 3 || !cont(p[2]))
		return 0;
	if (p[0] < 0xf0) {
		/* Overlong forms, and the surrogates D800 to DFFF. */
		if ((p[0] == 0xe0 && p[1] < 0xa0) ||
		    (p[0] == 0xed && p[1] > 0x9f))
			return 0;
		return 3;
	}
	if (s.len < 4 || !cont(p[3]) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return 4;
}

size_t
fr_utf8_prefix(struct fr_span s)
{
	uint64_t eight;
	size_t i = 0, n;

	while (i < s.len) {
		if (s.len - i >= sizeof(eight)) {
			memcpy(&eight, s.p + i, sizeof(eight));
			if ((eight & 0x8080808080808080) == 0) {
				i += sizeof(eight);
				continue;
			}
		}
		n = fr_utf8_char((struct fr_span){ s.p + i, s.len - i });
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

bool
fr_utf8_valid(struct fr_span s)
{
	return fr_utf8_prefix(s) == s.len;
}

/*
 * Whether a terminal may do something else with the character than show it:
 * C1 controls, and those that turn the direction or break the line (U+2028
 * to U+202E, U+2066 to U+2069).
 */
static bool
steers(const unsigned char *p, size_t n)
{
	if (n == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	if (n != 3 || p[0] != 0xe2)
		return false;
	return (p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
	       (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
}

void
fr_str_visible(struct fr_buf *b, struct fr_span s, bool keep_lines)
{
	const unsigned char *p = (const unsigned char *)(s.len > 0 ? s.p : "");
	const unsigned char *const end = p + s.len;
	size_t i, n;
	bool show;

	while (p < end) {
		n = fr_utf8_char(
		    (struct fr_span){ (const char *)p, (size_t)(end - p) });
		if (n == 1)
			show = (*p >= 0x20 && *p != 0x7f) ||
			       (keep_lines && (*p == '\n' || *p == '\t'));
		else
			show = n > 0 && !steers(p, n);
		if (n == 0)
			n = 1;
		if (show)
			fr_buf_add(b, p, n);
		for (i = 0; !show && i < n; i++)
			fr_buf_addf(b, "\\x%02x", p[i]);
		p += n;
	}
}

void
fr_hex_encode(char *dst, const unsigned char *p, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		dst[2 * i] = hex[p[i] >> 4];
		dst[2 * i + 1] = hex[p[i] & 15];
	}
}

/* Its value, or 16. A token is read for each job that comes and goes, and a
 * table has no branches to guess. */
static unsigned char
nibble(char c)
{
#define NO4 16, 16, 16, 16
#define NO16 NO4, NO4, NO4, NO4
#define LETTERS 16, 10, 11, 12, 13, 14, 15, 16, NO4, NO4
	static const unsigned char value[256] = { NO16, NO16, NO16, 0, 1, 2, 3,
		4, 5, 6, 7, 8, 9, 16, 16, NO4, LETTERS, NO16, LETTERS, NO16,
		NO16, NO16, NO16, NO16, NO16, NO16, NO16, NO16 };

	return value[(unsigned char)c];
}

bool
fr_hex_decode(unsigned char *dst, size_t len, struct fr_span hex)
{
	size_t i;
	unsigned char hi, lo, all = 0;

	if (hex.len / 2 != len || hex.len % 2 != 0)
		return false;
	for (i = 0; i < len; i++) {
		hi = nibble(hex.p[2 * i]);
		lo = nibble(hex.p[2 * i + 1]);
		all |= hi | lo;
		dst[i] = (unsigned char)(hi << 4 | (lo & 15));
	}
	return all < 16;
}

bool
fr_const_eq(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char diff = 0;
	size_t i;

	for (i = 0; i < len; i++)
		diff = (unsigned char)(diff | (x[i] ^ y[i]));
	return diff == 0;
}
