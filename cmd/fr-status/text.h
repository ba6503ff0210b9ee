/* SPDX-License-Identifier: MIT */
#ifndef FR_STATUS_TEXT_H
#define FR_STATUS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/buf.h"

/* Lines for people. Each has a style, which shows only on a terminal. */
enum style { PLAIN, BOLD, DIM, RED, GREEN, YELLOW };

struct text {
	struct fr_buf b; /* lines: a byte for the style, text, line feed */
	size_t width;    /* of the terminal on stdout; 0: it is none */
};

void text_init(struct text *t);
void text_fini(struct text *t);
void text_reset(struct text *t);

/* A line; anything that could steer a terminal in it is made visible. */
void text_line(struct text *t, enum style style, const char *fmt, ...)
    FR_PRINTF(3, 4);
/* The same, of any length, behind a first part. */
void text_long(
    struct text *t, enum style style, const char *before, struct fr_span s);

/*
 * Adds the lines to out: width columns at most (0: any), rows of them at most
 * (0: all), with colors or without, each with end behind it.
 */
void text_render(const struct text *t, struct fr_buf *out, size_t width,
    size_t rows, bool color, const char *end);
size_t text_rows(const struct text *t);

/* As many bytes of s as fill width columns: one for each code point. */
size_t text_cut(struct fr_span s, size_t width);

/* Prints them to stdout as that is: a terminal or not. */
void text_print(const struct text *t);

/* What state is shown in. */
enum style style_of(enum fr_state state);

/*
 * A table: columns as wide as they need to be, two spaces between them. Where
 * the terminal is too narrow for it, words are cut, but no ids and numbers.
 * Cells are copied.
 */
#define TABLE_COLS 12

struct table {
	const char *heads[TABLE_COLS];
	bool right[TABLE_COLS];
	size_t cols;
	struct fr_buf cells; /* each with a NUL behind it */
	size_t ncells;
};

/* heads: "TYPE >QUEUED …": '>' for numbers, which stand at the right. */
void table_init(struct table *t, const char *const *heads, size_t cols);
void table_fini(struct table *t);
void table_cell(struct table *t, const char *fmt, ...) FR_PRINTF(2, 3);
void table_span(struct table *t, struct fr_span s);
/* Adds its rows to text, in bold the heads first if wanted. */
void table_write(const struct table *t, struct text *text, bool heads);

#endif
