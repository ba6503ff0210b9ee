/* SPDX-License-Identifier: MIT */
#include "base/jsonw.h"

#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/str.h"
#include "base/time.h"

static void
comma(struct fr_buf *b)
{
	if (b->len == 0)
		return;
	switch (b->p[b->len - 1]) {
	case '{':
	case '[':
	case ':':
	case '\n':
		return;
	default:
		fr_buf_addc(b, ',');
	}
}

void
fr_jsonw_open(struct fr_buf *b, char bracket)
{
	fr_assert(bracket == '{' || bracket == '[');
	comma(b);
	fr_buf_addc(b, bracket);
}

void
fr_jsonw_close(struct fr_buf *b, char bracket)
{
	fr_assert(bracket == '}' || bracket == ']');
	fr_buf_addc(b, bracket);
}

void
fr_jsonw_key(struct fr_buf *b, const char *key)
{
	const size_t len = strlen(key);
	char *p;

	comma(b);
	p = fr_buf_reserve(b, len + 3);
	if (p == NULL)
		return;
	p[0] = '"';
	memcpy(p + 1, key, len);
	p[len + 1] = '"';
	p[len + 2] = ':';
	fr_buf_commit(b, len + 3);
}

void
fr_jsonw_raw(struct fr_buf *b, struct fr_span value)
{
	fr_assert(value.len > 0);
	comma(b);
	fr_buf_addspan(b, value);
}

void
fr_jsonw_str(struct fr_buf *b, struct fr_span text)
{
	comma(b);
	fr_jsonw_escape(b, text);
}

void
fr_jsonw_strz(struct fr_buf *b, const char *text)
{
	fr_jsonw_str(b, fr_span_of(text));
}

void
fr_jsonw_i64(struct fr_buf *b, int64_t v)
{
	comma(b);
	fr_buf_addi64(b, v);
}

void
fr_jsonw_bool(struct fr_buf *b, bool v)
{
	comma(b);
	fr_buf_adds(b, v ? "true" : "false");
}

void
fr_jsonw_null(struct fr_buf *b)
{
	comma(b);
	fr_buf_adds(b, "null");
}

void
fr_jsonw_seconds(struct fr_buf *b, int64_t ms)
{
	const uint64_t u = (ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms);
	unsigned rest = (unsigned)(u % 1000);
	char place[3];
	size_t n = 3;

	comma(b);
	if (ms < 0)
		fr_buf_addc(b, '-');
	fr_buf_addi64(b, (long long)(u / 1000));
	if (rest == 0)
		return;
	place[0] = (char)('0' + rest / 100);
	place[1] = (char)('0' + rest / 10 % 10);
	place[2] = (char)('0' + rest % 10);
	while (place[n - 1] == '0')
		n--;
	fr_buf_addc(b, '.');
	fr_buf_add(b, place, n);
}

void
fr_jsonw_time(struct fr_buf *b, int64_t wall_ms)
{
	char text[FR_TIME_TEXT];

	if (wall_ms == 0) {
		fr_jsonw_null(b);
		return;
	}
	comma(b);
	fr_time_format(text, wall_ms);
	fr_buf_addc(b, '"');
	fr_buf_adds(b, text);
	fr_buf_addc(b, '"');
}

/* The letter behind the backslash for c; 0: it has none. */
static char
short_escape(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

void
fr_jsonw_escape(struct fr_buf *b, struct fr_span text)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	const char *p = text.len > 0 ? text.p : "", *const end = p + text.len,
		   *run = p;
	size_t n;
	char c;

	fr_buf_addc(b, '"');
	while (p < end) {
		if ((unsigned char)*p >= 0x80) {
			n = fr_utf8_char(
			    (struct fr_span){ p, (size_t)(end - p) });
			if (n > 0) {
				p += n;
				continue;
			}
		} else if ((unsigned char)*p >= 0x20 && *p != '"' &&
			   *p != '\\') {
			p++;
			continue;
		}
		fr_buf_add(b, run, (size_t)(p - run));
		c = short_escape(*p);
		if ((unsigned char)*p >= 0x80)
			fr_buf_add(b, replacement, sizeof(replacement) - 1);
		else if (c != 0)
			fr_buf_add(b, (char[]){ '\\', c }, 2);
		else
			fr_buf_addf(b, "\\u%04x", (unsigned)(unsigned char)*p);
		run = ++p;
	}
	fr_buf_add(b, run, (size_t)(p - run));
	fr_buf_addc(b, '"');
}

void
fr_jsonw_text(struct fr_buf *b, struct fr_span value)
{
	char *p;

	if (value.len == 0 || fr_json_type(value) != FR_JSON_STRING) {
		fr_buf_addspan(b, value);
		return;
	}
	p = fr_buf_reserve(b, value.len);
	if (p != NULL)
		fr_buf_commit(b, fr_json_unescape(p, value));
}
