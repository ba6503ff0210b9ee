/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define FIRST_BYTES 256

void
fr_buf_init(struct fr_buf *b, size_t max_bytes)
{
	*b = (struct fr_buf){ .max_bytes = max_bytes };
}

void
fr_buf_fini(struct fr_buf *b)
{
	free(b->p);
	*b = (struct fr_buf){ .max_bytes = b->max_bytes };
}

void
fr_buf_reset(struct fr_buf *b)
{
	b->len = 0;
	b->failed = false;
}

bool
fr_buf_ok(const struct fr_buf *b)
{
	return !b->failed;
}

/*
 * Makes room for n bytes and a NUL behind them. The NUL is not counted
 * against the limit.
 */
static bool
grow(struct fr_buf *b, size_t n)
{
	const size_t most =
	    (b->max_bytes != 0 ? b->max_bytes : (size_t)PTRDIFF_MAX - 1);
	size_t cap;
	char *p;

	if (b->failed)
		return false;
	if (n > most || b->len > most - n) {
		b->failed = true;
		return false;
	}
	if (b->cap > b->len && b->cap - b->len > n)
		return true;
	cap = (b->cap < FIRST_BYTES ? FIRST_BYTES : b->cap);
	while (cap <= b->len + n)
		cap = (cap > most / 2 ? most + 1 : cap * 2);
	p = realloc(b->p, cap);
	if (p == NULL) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void
fr_buf_add(struct fr_buf *b, const void *p, size_t len)
{
	if (len == 0 || !grow(b, len))
		return;
	memcpy(b->p + b->len, p, len);
	b->len += len;
}

void
fr_buf_addc(struct fr_buf *b, char c)
{
	if (!grow(b, 1))
		return;
	b->p[b->len++] = c;
}

void
fr_buf_adds(struct fr_buf *b, const char *s)
{
	fr_buf_add(b, s, strlen(s));
}

void
fr_buf_addspan(struct fr_buf *b, struct fr_span s)
{
	fr_buf_add(b, s.p, s.len);
}

void
fr_buf_addf(struct fr_buf *b, const char *fmt, ...)
{
	va_list ap;
	size_t room;
	int n;

	if (b->failed)
		return;
	room = b->cap - b->len;
	va_start(ap, fmt);
	n = vsnprintf(room > 0 ? b->p + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!grow(b, (size_t)n))
		return;
	if ((size_t)n >= room) {
		va_start(ap, fmt);
		n = vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
		fr_assert(n >= 0);
	}
	b->len += (size_t)n;
}

void
fr_buf_addi64(struct fr_buf *b, long long v)
{
	char text[24], *p = text + sizeof(text);
	unsigned long long u = (unsigned long long)v;

	if (v < 0)
		u = 0 - u;
	do
		*--p = (char)('0' + u % 10);
	while ((u /= 10) != 0);
	if (v < 0)
		*--p = '-';
	fr_buf_add(b, p, (size_t)(text + sizeof(text) - p));
}

char *
fr_buf_reserve(struct fr_buf *b, size_t n)
{
	return grow(b, n) ? b->p + b->len : NULL;
}

void
fr_buf_commit(struct fr_buf *b, size_t n)
{
	fr_assert(n <= b->cap - b->len);
	b->len += n;
}

void
fr_buf_shift(struct fr_buf *b, size_t n)
{
	fr_assert(n <= b->len);
	b->len -= n;
	if (n > 0 && b->len > 0)
		memmove(b->p, b->p + n, b->len);
}

const char *
fr_buf_cstr(struct fr_buf *b)
{
	if (b->p == NULL && !grow(b, 0))
		return "";
	if (b->failed)
		return "";
	b->p[b->len] = '\0';
	return b->p;
}

struct fr_span
fr_buf_span(const struct fr_buf *b)
{
	return (struct fr_span){ b->p, b->len };
}
