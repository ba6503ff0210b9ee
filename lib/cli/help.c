/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define COLUMNS 80
#define LEFT_MAX 28 /* what is longer has its help on the next line */
#define NAME_MAX_LEN 40

const struct fr_opt fr_help_common[] = {
	{ 'h', "help", FR_OPT_FLAG, NULL, 0, "show this help and exit", 0, 0 },
	{ 'V', "version", FR_OPT_FLAG, NULL, 0, "show the version and exit", 0,
	    0 },
	{ 0 },
};

size_t
fr_help_count(const struct fr_opt *opts)
{
	size_t n = 0;

	while (opts[n].name != NULL)
		n++;
	return n;
}

const struct fr_opt *
fr_help_option(const struct fr_prog *prog, size_t i)
{
	const struct fr_opt *a = prog->opts, *b = fr_help_common, *o;

	/* Both tables are sorted. */
	do {
		if (a->name == NULL)
			o = b;
		else if (b->name == NULL || strcmp(a->name, b->name) < 0)
			o = a;
		else
			o = b;
		if (o->name == NULL)
			return NULL;
		if (o == a)
			a++;
		else
			b++;
	} while (i-- > 0);
	return o;
}

static const char *
kind_name(enum fr_opt_kind kind)
{
	switch (kind) {
	case FR_OPT_FLAG:
		return "flag";
	case FR_OPT_STR:
		return "str";
	case FR_OPT_LIST:
		return "list";
	case FR_OPT_INT:
		return "int";
	case FR_OPT_DURATION:
		return "duration";
	case FR_OPT_SIZE:
		return "size";
	case FR_OPT_MAYBE:
		return "maybe";
	}
	return "?";
}

void
fr_help_dump(const struct fr_prog *prog)
{
	const struct fr_opt *o;
	size_t i;

	for (i = 0; (o = fr_help_option(prog, i)) != NULL; i++)
		printf("%c %s %s %s\t%s\n", o->letter != 0 ? o->letter : '-',
		    o->name, kind_name(o->kind), o->arg != NULL ? o->arg : "-",
		    o->help);
}

/* "  -m, --manager URL" */
static void
left_part(struct fr_buf *b, const struct fr_opt *o)
{
	if (o->letter != 0)
		fr_buf_addf(b, "  -%c, --%s", o->letter, o->name);
	else
		fr_buf_addf(b, "      --%s", o->name);
	if (o->arg == NULL)
		return;
	if (o->kind == FR_OPT_MAYBE)
		fr_buf_addf(b, "[=%s]", o->arg);
	else
		fr_buf_addf(b, " %s", o->arg);
}

/*
 * Adds the words of text; a line that would be too long is broken, and the
 * next one begins in column indent. *at is the column reached.
 */
static void
wrap(struct fr_buf *b, const char *text, size_t indent, size_t *at)
{
	size_t n;

	while (*(text += strspn(text, " ")) != '\0') {
		n = strcspn(text, " ");
		if (*at > indent && *at + 1 + n > COLUMNS) {
			fr_buf_addf(b, "\n%*s", (int)indent, "");
			*at = indent;
		} else if (*at > indent) {
			fr_buf_addc(b, ' ');
			++*at;
		}
		fr_buf_add(b, text, n);
		*at += n;
		text += n;
	}
}

static void
option_line(struct fr_buf *b, const struct fr_opt *o, size_t left)
{
	const size_t begin = b->len;
	size_t at;

	left_part(b, o);
	at = b->len - begin;
	if (at > left)
		fr_buf_addf(b, "\n%*s", (int)left + 2, "");
	else
		fr_buf_addf(b, "%*s", (int)(left + 2 - at), "");
	at = left + 2;
	wrap(b, o->help, left + 2, &at);
	fr_buf_addc(b, '\n');
}

static void
usage_lines(struct fr_buf *b, const struct fr_prog *prog)
{
	const char *line = prog->args, *word = "usage:";
	size_t n;

	do {
		n = strcspn(line, "\n");
		fr_buf_addf(b, "%s %s [options]%s%.*s\n", word, prog->name,
		    n > 0 ? " " : "", (int)n, line);
		word = "      ";
		line += n;
	} while (*line++ == '\n');
}

void
fr_help_print(const struct fr_prog *prog)
{
	const struct fr_opt *o;
	struct fr_buf b;
	size_t i, left = 0, at = 0;

	fr_buf_init(&b, 0);
	for (i = 0; (o = fr_help_option(prog, i)) != NULL; i++) {
		fr_buf_reset(&b);
		left_part(&b, o);
		if (b.len > left && b.len <= LEFT_MAX)
			left = b.len;
	}
	fr_buf_reset(&b);
	usage_lines(&b, prog);
	wrap(&b, prog->summary, 0, &at);
	fr_buf_adds(&b, "\n\nOptions:\n");
	for (i = 0; (o = fr_help_option(prog, i)) != NULL; i++)
		option_line(&b, o, left);
	if (prog->more != NULL) {
		fr_buf_addf(&b, "\n%s", prog->more);
		if (b.len > 0 && b.p[b.len - 1] != '\n')
			fr_buf_addc(&b, '\n');
	}
	fputs(fr_buf_cstr(&b), stdout);
	fr_buf_fini(&b);
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/*
 * How many letters must be added, dropped, changed or swapped with their
 * neighbour to make a into b.
 */
static size_t
distance(const char *a, const char *b)
{
	size_t rows[3][NAME_MAX_LEN + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2], *t;
	const size_t la = strlen(a), lb = strlen(b);
	size_t i, j;

	if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (j = 0; j <= lb; j++)
		last[j] = before[j] = j;
	for (i = 1; i <= la; i++) {
		now[0] = i;
		for (j = 1; j <= lb; j++) {
			now[j] = min3(last[j] + 1, now[j - 1] + 1,
			    last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		t = before;
		before = last;
		last = now;
		now = t;
	}
	return last[lb];
}

const char *
fr_help_nearest(const struct fr_prog *prog, const char *name)
{
	const size_t len = strlen(name);
	size_t i, d, best = (len < 4 ? 2 : 3); /* must be less than this */
	const char *found = NULL;
	const struct fr_opt *o;

	for (i = 0; (o = fr_help_option(prog, i)) != NULL; i++) {
		d = distance(name, o->name);
		if (d < best) {
			best = d;
			found = o->name;
		}
	}
	return found;
}
