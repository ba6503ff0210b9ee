/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <endian.h>
#include <string.h>

#include "base/assert.h"
#include "base/str.h"

/*
 * One pass over the bytes, without recursion: which kind of bracket is open
 * at each level is one bit. Strings go eight bytes at a time as long as
 * nothing in them needs a closer look. Everything but fr_json_check relies on
 * the text having been checked, and so only looks for where tokens end.
 */

#define MAX_DEPTH 1024 /* more is never accepted */

enum {
	WS = 1,    /* white space */
	DIGIT = 2, /* 0 to 9 */
	STOP = 4,  /* in a string: quote, backslash, control, not ASCII */
	DELIM = 8  /* ends a number or literal */
};

/* clang-format off */
static const unsigned char class[256] = {
	[0 ... 8] = STOP, ['\t'] = STOP | WS | DELIM, ['\n'] = STOP | WS | DELIM,
	[11 ... 12] = STOP, ['\r'] = STOP | WS | DELIM, [14 ... 31] = STOP,
	[' '] = WS | DELIM, ['"'] = STOP, ['\\'] = STOP, [128 ... 255] = STOP,
	['0' ... '9'] = DIGIT, [','] = DELIM, [']'] = DELIM, ['}'] = DELIM,
};
/* clang-format on */

#define IS(c, what) ((class[(unsigned char)(c)] & (what)) != 0)
#define ONES 0x0101010101010101U
#define HIGHS 0x8080808080808080U

static const char *
skip_ws(const char *p, const char *end)
{
	while (p < end && IS(*p, WS))
		p++;
	return p;
}

/* The first byte from p on that is of class STOP, or end. */
static const char *
plain(const char *p, const char *end)
{
	uint64_t x, quote, slash, found;

	while (end - p >= 8) {
		memcpy(&x, p, sizeof(x));
		x = le64toh(x);
		quote = x ^ ONES * '"';
		slash = x ^ ONES * '\\';
		/* A borrow only disturbs bytes behind the first one found. */
		found =
		    (x | ((x - ONES * 0x20) & ~x) | ((quote - ONES) & ~quote) |
			((slash - ONES) & ~slash)) &
		    HIGHS;
		if (found != 0)
			return p + __builtin_ctzll(found) / 8;
		p += 8;
	}
	while (p < end && !IS(*p, STOP))
		p++;
	return p;
}

/* Where the scan stands; why is set once, by the first error at p. */
struct scan {
	const char *p;
	const char *end;
	const char *why;
};

static bool
wrong(struct scan *s, const char *p, const char *why)
{
	s->p = p;
	s->why = (p == s->end ? "unexpected end" : why);
	return false;
}

static int
hex4(const char *p)
{
	unsigned char b[2];

	if (!fr_hex_decode(b, 2, (struct fr_span){ p, 4 }))
		return -1;
	return b[0] << 8 | b[1];
}

/* At a backslash. */
static bool
scan_escape(struct scan *s)
{
	const char *p = s->p + 1;

	if (p == s->end)
		return wrong(s, p, "");
	switch (*p) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		s->p = p + 1;
		return true;
	case 'u':
		if (s->end - p < 5)
			return wrong(s, s->end, "");
		if (hex4(p + 1) < 0)
			return wrong(s, s->p, "invalid \\u escape");
		s->p = p + 5;
		return true;
	default:
		return wrong(s, s->p, "invalid escape");
	}
}

/* At an opening quote. */
static bool
scan_string(struct scan *s)
{
	size_t n;

	s->p++;
	for (;;) {
		s->p = plain(s->p, s->end);
		if (s->p == s->end)
			return wrong(s, s->p, "");
		if (*s->p == '"') {
			s->p++;
			return true;
		}
		if (*s->p == '\\') {
			if (!scan_escape(s))
				return false;
			continue;
		}
		if ((unsigned char)*s->p < 0x20)
			return wrong(s, s->p, "control character in a string");
		n = fr_utf8_char(
		    (struct fr_span){ s->p, (size_t)(s->end - s->p) });
		if (n == 0)
			return wrong(s, s->p, "invalid UTF-8");
		s->p += n;
	}
}

static const char *
digits(const char *p, const char *end)
{
	while (p < end && IS(*p, DIGIT))
		p++;
	return p;
}

/* At a digit or a minus sign. */
static bool
scan_number(struct scan *s)
{
	const char *p = s->p, *q;

	if (*p == '-')
		p++;
	q = digits(p, s->end);
	if (q == p)
		return wrong(s, p, "invalid number");
	if (*p == '0' && q - p > 1)
		return wrong(s, p, "number with a leading zero");
	if (q < s->end && *q == '.') {
		p = q + 1;
		q = digits(p, s->end);
		if (q == p)
			return wrong(s, p, "invalid number");
	}
	if (q < s->end && (*q | 0x20) == 'e') {
		p = q + 1;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		q = digits(p, s->end);
		if (q == p)
			return wrong(s, p, "invalid number");
	}
	s->p = q;
	return true;
}

static bool
scan_literal(struct scan *s, const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s->p + i == s->end || s->p[i] != word[i])
			return wrong(s, s->p + i == s->end ? s->end : s->p,
			    "unexpected text");
	s->p += len;
	return true;
}

/* Anything but an array or object. */
static bool
scan_scalar(struct scan *s)
{
	switch (*s->p) {
	case '"':
		return scan_string(s);
	case 't':
		return scan_literal(s, "true", sizeof("true") - 1);
	case 'f':
		return scan_literal(s, "false", sizeof("false") - 1);
	case 'n':
		return scan_literal(s, "null", sizeof("null") - 1);
	default:
		if (*s->p != '-' && !IS(*s->p, DIGIT))
			return wrong(s, s->p, "unexpected character");
		return scan_number(s);
	}
}

/* At the key of a member: up to the value behind the colon. */
static bool
scan_key(struct scan *s)
{
	s->p = skip_ws(s->p, s->end);
	if (s->p == s->end || *s->p != '"')
		return wrong(s, s->p, "expected a key");
	if (!scan_string(s))
		return false;
	s->p = skip_ws(s->p, s->end);
	if (s->p == s->end || *s->p != ':')
		return wrong(s, s->p, "expected ':'");
	s->p++;
	return true;
}

/* One value and what it holds; s->why "" : nested too deeply. */
static bool
scan_value(struct scan *s, unsigned max_depth)
{
	uint64_t object[MAX_DEPTH / 64] = { 0 };
	unsigned depth = 0;
	bool in_object;
	char c;

value:
	s->p = skip_ws(s->p, s->end);
	if (s->p == s->end)
		return wrong(s, s->p, "");
	c = *s->p;
	if (c == '{' || c == '[') {
		if (depth == max_depth)
			return wrong(s, s->p, "");
		in_object = c == '{';
		if (in_object)
			object[depth / 64] |= (uint64_t)1 << depth % 64;
		else
			object[depth / 64] &= ~((uint64_t)1 << depth % 64);
		depth++;
		s->p = skip_ws(s->p + 1, s->end);
		if (s->p < s->end && *s->p == (in_object ? '}' : ']'))
			goto close;
		if (in_object && !scan_key(s))
			return false;
		goto value;
	}
	if (!scan_scalar(s))
		return false;
after:
	if (depth == 0)
		return true;
	in_object = (object[(depth - 1) / 64] >> (depth - 1) % 64 & 1) != 0;
	s->p = skip_ws(s->p, s->end);
	if (s->p < s->end && *s->p == ',') {
		s->p++;
		if (in_object && !scan_key(s))
			return false;
		goto value;
	}
	if (s->p == s->end || *s->p != (in_object ? '}' : ']'))
		return wrong(s, s->p,
		    in_object ? "expected ',' or '}'" : "expected ',' or ']'");
close:
	s->p++;
	depth--;
	goto after;
}

enum fr_rc
fr_json_check(struct fr_span text, unsigned max_depth, struct fr_span *value,
    struct fr_err *err)
{
	struct scan s = { text.p, text.p + text.len, NULL };
	const char *begin;
	bool ok;

	if (text.len == 0)
		return fr_fail(err, FR_SYNTAX, "byte 1: unexpected end");
	if (max_depth > MAX_DEPTH)
		max_depth = MAX_DEPTH;
	begin = s.p = skip_ws(s.p, s.end);
	ok = scan_value(&s, max_depth);
	if (ok && value != NULL)
		*value = (struct fr_span){ begin, (size_t)(s.p - begin) };
	if (ok) {
		s.p = skip_ws(s.p, s.end);
		ok = s.p == s.end || wrong(&s, s.p, "text behind the value");
	}
	if (ok)
		return FR_OK;
	if (s.why[0] == '\0')
		return fr_fail(err, FR_TOOBIG,
		    "byte %zu: nested more than %u levels deep",
		    (size_t)(s.p - text.p) + 1, max_depth);
	return fr_fail(
	    err, FR_SYNTAX, "byte %zu: %s", (size_t)(s.p - text.p) + 1, s.why);
}

/* Behind the string whose opening quote is at p. */
static const char *
string_end(const char *p, const char *end)
{
	for (p++;; p++) {
		p = plain(p, end);
		fr_assert(p < end);
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
			p++;
	}
}

/* Behind the value at p. */
static const char *
value_end(const char *p, const char *end)
{
	size_t depth = 0;

	fr_assert(p < end);
	do {
		switch (*p) {
		case '"':
			p = string_end(p, end);
			break;
		case '{':
		case '[':
			depth++;
			p++;
			break;
		case '}':
		case ']':
			fr_assert(depth > 0);
			depth--;
			p++;
			break;
		case ',':
		case ':':
		case ' ':
		case '\t':
		case '\n':
		case '\r':
			p++;
			break;
		default:
			while (p < end && !IS(*p, DELIM))
				p++;
			break;
		}
	} while (depth > 0 && p < end);
	fr_assert(depth == 0);
	return p;
}

size_t
fr_json_compact(char *dst, struct fr_span value)
{
	const char *p = value.p, *const end = p + value.len, *run = p;
	char *out = dst;
	size_t n;

	while (p < end) {
		if (*p == '"') {
			p = string_end(p, end);
			continue;
		}
		if (!IS(*p, WS)) {
			p++;
			continue;
		}
		n = (size_t)(p - run);
		if (out != run)
			memmove(out, run, n);
		out += n;
		run = p = skip_ws(p, end);
	}
	n = (size_t)(p - run);
	if (out != run && n > 0)
		memmove(out, run, n);
	return (size_t)(out - dst) + n;
}

enum fr_json_type
fr_json_type(struct fr_span value)
{
	fr_assert(value.len > 0);
	switch (value.p[0]) {
	case 'n':
		return FR_JSON_NULL;
	case 'f':
		return FR_JSON_FALSE;
	case 't':
		return FR_JSON_TRUE;
	case '"':
		return FR_JSON_STRING;
	case '[':
		return FR_JSON_ARRAY;
	case '{':
		return FR_JSON_OBJECT;
	default:
		fr_assert(value.p[0] == '-' || IS(value.p[0], DIGIT));
		return FR_JSON_NUMBER;
	}
}

const char *
fr_json_type_name(struct fr_span value)
{
	switch (fr_json_type(value)) {
	case FR_JSON_NULL:
		return "null";
	case FR_JSON_FALSE:
	case FR_JSON_TRUE:
		return "a boolean";
	case FR_JSON_NUMBER:
		return "a number";
	case FR_JSON_STRING:
		return "a string";
	case FR_JSON_ARRAY:
		return "an array";
	case FR_JSON_OBJECT:
		return "an object";
	}
	return "?";
}

struct fr_json_iter
fr_json_iter(struct fr_span value)
{
	fr_assert(value.len >= 2);
	fr_assert(value.p[0] == '{' || value.p[0] == '[');
	return (struct fr_json_iter){ value.p + 1, value.p + value.len - 1 };
}

/* Over white space and the comma before the next one; false at the end. */
static bool
next(struct fr_json_iter *it)
{
	it->p = skip_ws(it->p, it->end);
	if (it->p < it->end && *it->p == ',')
		it->p = skip_ws(it->p + 1, it->end);
	return it->p < it->end;
}

bool
fr_json_element(struct fr_json_iter *it, struct fr_span *value)
{
	const char *q;

	if (!next(it))
		return false;
	q = value_end(it->p, it->end);
	*value = (struct fr_span){ it->p, (size_t)(q - it->p) };
	it->p = q;
	return true;
}

bool
fr_json_member(
    struct fr_json_iter *it, struct fr_span *key, struct fr_span *value)
{
	const char *q;

	if (!next(it))
		return false;
	fr_assert(*it->p == '"');
	q = string_end(it->p, it->end);
	*key = (struct fr_span){ it->p, (size_t)(q - it->p) };
	it->p = skip_ws(q, it->end);
	fr_assert(it->p < it->end && *it->p == ':');
	it->p++;
	return fr_json_element(it, value);
}

bool
fr_json_same(struct fr_span a, struct fr_span b)
{
	const char *p = a.p, *const pend = p + a.len;
	const char *q = b.p, *const qend = q + b.len;
	const char *r;
	size_t n;

	fr_assert(a.len > 0 && b.len > 0);
	if (fr_span_eq(a, b))
		return true;
	for (;;) {
		p = skip_ws(p, pend);
		q = skip_ws(q, qend);
		if (p == pend || q == qend)
			return p == pend && q == qend;
		if (*p != *q)
			return false;
		if (*p != '"') {
			p++;
			q++;
			continue;
		}
		r = string_end(p, pend);
		n = (size_t)(r - p);
		if ((size_t)(qend - q) < n || memcmp(p, q, n) != 0)
			return false;
		p = r;
		q += n;
	}
}
