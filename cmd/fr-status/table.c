/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/str.h"
#include "text.h"

#define NARROWEST 8 /* that words are cut to */

void
table_init(struct table *t, const char *const *heads, size_t cols)
{
	size_t i;

	fr_assert(cols <= TABLE_COLS);
	memset(t, 0, sizeof(*t));
	fr_buf_init(&t->cells, 0);
	t->cols = cols;
	for (i = 0; i < cols; i++) {
		t->right[i] = heads[i][0] == '>';
		t->heads[i] = heads[i] + t->right[i];
	}
}

void
table_fini(struct table *t)
{
	fr_buf_fini(&t->cells);
}

void
table_span(struct table *t, struct fr_span s)
{
	fr_str_visible(&t->cells, s, false);
	fr_buf_addc(&t->cells, '\0');
	t->ncells++;
}

void
table_cell(struct table *t, const char *fmt, ...)
{
	char cell[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(cell, sizeof(cell), fmt, ap);
	va_end(ap);
	table_span(t, fr_span_of(cell));
}

/* Code points are columns enough for what stands in these tables. */
static size_t
columns(const char *z)
{
	size_t n = 0;

	for (; *z != '\0'; z++)
		n += ((unsigned char)*z & 0xc0) != 0x80;
	return n;
}

/* Adds one cell of a row. */
static void
add_cell(struct fr_buf *row, const struct table *t, size_t col,
    const char *cell, const size_t *widths)
{
	size_t width = columns(cell);
	struct fr_span shown = fr_span_of(cell);
	size_t pad;

	if (col > 0)
		fr_buf_adds(row, "  ");
	if (width > widths[col]) {
		shown.len = text_cut(shown, widths[col] - 2);
		fr_buf_addspan(row, shown);
		fr_buf_adds(row, "..");
		return;
	}
	pad = widths[col] - width;
	if (t->right[col])
		fr_buf_addf(row, "%*s", (int)pad, "");
	fr_buf_addspan(row, shown);
	if (!t->right[col])
		fr_buf_addf(row, "%*s", (int)pad, "");
}

/* A row is a line; no space at its end. */
static void
add_row(struct text *text, enum style style, const struct fr_buf *row)
{
	struct fr_span s = fr_buf_span(row);

	while (s.len > 0 && s.p[s.len - 1] == ' ')
		s.len--;
	text_long(text, style, "", s);
}

/* Takes from the widest column of words until the table fits, or as far as
 * makes sense. */
static void
narrow(const struct table *t, size_t *widths, size_t width)
{
	size_t i, widest, sum = 2 * (t->cols - 1);

	for (i = 0; i < t->cols; i++)
		sum += widths[i];
	for (; width > 0 && sum > width; sum--) {
		widest = t->cols;
		for (i = 0; i < t->cols; i++)
			if (!t->right[i] && strcmp(t->heads[i], "ID") != 0 &&
			    (widest == t->cols || widths[i] > widths[widest]))
				widest = i;
		if (widest == t->cols || widths[widest] <= NARROWEST)
			return;
		widths[widest]--;
	}
}

void
table_write(const struct table *t, struct text *text, bool heads)
{
	size_t widths[TABLE_COLS], i;
	const char *cell = t->cells.p;
	struct fr_buf row;

	fr_assert(t->ncells % t->cols == 0);
	if (!fr_buf_ok(&t->cells))
		return;
	for (i = 0; i < t->cols; i++)
		widths[i] = heads ? columns(t->heads[i]) : 0;
	for (i = 0; i < t->ncells; i++, cell += strlen(cell) + 1)
		if (columns(cell) > widths[i % t->cols])
			widths[i % t->cols] = columns(cell);
	narrow(t, widths, text->width);
	fr_buf_init(&row, 0);
	for (i = 0; heads && i < t->cols; i++)
		add_cell(&row, t, i, t->heads[i], widths);
	if (heads)
		add_row(text, BOLD, &row);
	cell = t->cells.p;
	for (i = 0; i < t->ncells; i++, cell += strlen(cell) + 1) {
		if (i % t->cols == 0)
			fr_buf_reset(&row);
		add_cell(&row, t, i % t->cols, cell, widths);
		if (i % t->cols == t->cols - 1)
			add_row(text, PLAIN, &row);
	}
	fr_buf_fini(&row);
}
