/* SPDX-License-Identifier: MIT */
#include "base/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
fr_tap_init(struct fr_tap *t, struct fr_buf *out)
{
	*t = (struct fr_tap){ .out = out };
	fr_buf_adds(out, "TAP version 13\n");
}

/* A name must not end its line, nor look like a directive. */
static void
add_name(struct fr_tap *t, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '#' || *name == '\\')
			fr_buf_addc(t->out, '\\');
		fr_buf_addc(t->out, *name == '\n' ? ' ' : *name);
	}
}

void
fr_tap_ok(struct fr_tap *t, bool ok, const char *name)
{
	fr_buf_addf(t->out, "%s %u - ", ok ? "ok" : "not ok", ++t->n);
	add_name(t, name);
	fr_buf_addc(t->out, '\n');
	t->failed += !ok;
}

void
fr_tap_skip(struct fr_tap *t, const char *name, const char *why)
{
	fr_buf_addf(t->out, "ok %u - ", ++t->n);
	add_name(t, name);
	fr_buf_adds(t->out, " # SKIP ");
	add_name(t, why);
	fr_buf_addc(t->out, '\n');
}

void
fr_tap_diag(struct fr_tap *t, const char *fmt, ...)
{
	char text[1024], *line = text, *end;
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	do {
		end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		fr_buf_adds(t->out, "# ");
		fr_buf_adds(t->out, line);
		fr_buf_addc(t->out, '\n');
		line = end;
	} while (line != NULL && *line != '\0');
}

void
fr_tap_bail(struct fr_tap *t, const char *why)
{
	fr_buf_adds(t->out, "Bail out! ");
	add_name(t, why);
	fr_buf_addc(t->out, '\n');
}

void
fr_tap_done(struct fr_tap *t)
{
	fr_buf_addf(t->out, "1..%u\n", t->n);
}
