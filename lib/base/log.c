/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"

/*
 * A record is put together on the caller's stack and written with one call,
 * so that lines of several threads never mix. Set once, before threads are
 * started.
 */

#define LINE_BYTES 2048

static int log_fd = -1;
static char log_prog[32];
static enum fr_log_level log_most;

void
fr_log_to(int fd, const char *prog, enum fr_log_level most)
{
	(void)snprintf(log_prog, sizeof(log_prog), "%s", prog);
	log_most = most;
	log_fd = fd;
}

static const char *
level_name(enum fr_log_level level)
{
	switch (level) {
	case FR_LOG_ERROR:
		return "error";
	case FR_LOG_WARN:
		return "warn";
	case FR_LOG_INFO:
		return "info";
	case FR_LOG_DEBUG:
		return "debug";
	}
	return "?";
}

void
fr_log(enum fr_log_level level, const char *fmt, ...)
{
	char text[LINE_BYTES], when[FR_TIME_TEXT];
	struct fr_buf line;
	struct fr_span all;
	va_list ap;
	int n;

	if (log_fd == -1 || level > log_most)
		return;
	fr_buf_init(&line, 0);
	fr_time_format(when, fr_time_wall_ms());
	fr_buf_addf(&line, "%s %s %s: ", when, level_name(level), log_prog);
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= 0)
		fr_str_visible(&line, fr_span_of(text), false);
	if (n >= (int)sizeof(text))
		fr_buf_adds(&line, "...");
	fr_buf_addc(&line, '\n');
	all = fr_buf_span(&line);
	/* A log that cannot be written must not stop the work. */
	if (fr_buf_ok(&line) && write(log_fd, all.p, all.len) == -1)
		all.len = 0;
	fr_buf_fini(&line);
}
