/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/prog.h"

void
text_init(struct text *t)
{
	fr_buf_init(&t->b, 0);
	text_reset(t);
}

void
text_fini(struct text *t)
{
	fr_buf_fini(&t->b);
}

void
text_reset(struct text *t)
{
	fr_buf_reset(&t->b);
	t->width =
	    fr_tty(STDOUT_FILENO) ? (size_t)fr_tty_width(STDOUT_FILENO) : 0;
}

void
text_long(
    struct text *t, enum style style, const char *before, struct fr_span s)
{
	fr_buf_addc(&t->b, (char)('a' + (int)style));
	fr_str_visible(&t->b, fr_span_of(before), false);
	fr_str_visible(&t->b, s, false);
	fr_buf_addc(&t->b, '\n');
}

void
text_line(struct text *t, enum style style, const char *fmt, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_long(t, style, "", fr_span_of(line));
}

static const char *
code(enum style style)
{
	switch (style) {
	case BOLD:
		return "\033[1m";
	case DIM:
		return "\033[2m";
	case RED:
		return "\033[31m";
	case GREEN:
		return "\033[32m";
	case YELLOW:
		return "\033[33m";
	case PLAIN:
		break;
	}
	return "";
}

size_t
text_cut(struct fr_span s, size_t width)
{
	size_t i, columns = 0;

	for (i = 0; i < s.len; i++) {
		if (((unsigned char)s.p[i] & 0xc0) == 0x80)
			continue;
		if (columns++ == width)
			return i;
	}
	return s.len;
}

void
text_render(const struct text *t, struct fr_buf *out, size_t width, size_t rows,
    bool color, const char *end)
{
	struct fr_span rest = fr_buf_span(&t->b), line;
	enum style style;
	size_t row;

	for (row = 0; rest.len > 0 && (rows == 0 || row < rows); row++) {
		const char *nl = memchr(rest.p, '\n', rest.len);

		if (nl == NULL)
			break;
		style = (enum style)(*rest.p - 'a');
		line.p = rest.p + 1;
		line.len = (size_t)(nl - line.p);
		rest.len -= line.len + 2;
		rest.p = nl + 1;
		if (width > 0)
			line.len = text_cut(line, width);
		if (color)
			fr_buf_adds(out, code(style));
		fr_buf_addspan(out, line);
		if (color && style != PLAIN)
			fr_buf_adds(out, "\033[0m");
		fr_buf_adds(out, end);
	}
}

size_t
text_rows(const struct text *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->b.len; i++)
		n += t->b.p[i] == '\n';
	return n;
}

void
text_print(const struct text *t)
{
	struct fr_buf out;

	fr_buf_init(&out, 0);
	/* Longer lines are for the terminal to break: nothing is lost. */
	text_render(t, &out, 0, 0, fr_tty_color(STDOUT_FILENO), "\n");
	if (out.len > 0 && fr_buf_ok(&out))
		(void)fwrite(out.p, 1, out.len, stdout);
	fr_buf_fini(&out);
}

enum style
style_of(enum fr_state state)
{
	switch (state) {
	case FR_STATE_COMPLETE:
		return GREEN;
	case FR_STATE_FAILED:
		return RED;
	case FR_STATE_RUNNING:
		return BOLD;
	case FR_STATE_CANCELLED:
		return YELLOW;
	case FR_STATE_SCHEDULED:
	case FR_STATE_QUEUED:
		break;
	}
	return PLAIN;
}
