/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"

/*
 * A record is put together on the caller's stack and written with one call,
 * so that lines of several threads never mix. A reader that has stopped, as
 * a pager has, must not stop the work: what does not fit into its pipe is left
 * out, and the next record says how many were. Set once, before threads are
 * started.
 */

#define LINE_BYTES 2048

static int log_fd = -1;
static char log_prog[32];
static enum fr_log_level log_most;
static unsigned log_lost;

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

/* A pipe that can be written to has room for PIPE_BUF bytes. */
static void
put(struct fr_buf *line, unsigned lost)
{
	struct pollfd p = { .fd = log_fd, .events = POLLOUT };
	size_t len = line->len;

	if (!fr_buf_ok(line))
		return;
	if (len > PIPE_BUF) {
		len = PIPE_BUF;
		line->p[len - 1] = '\n';
	}
	if (poll(&p, 1, 0) == 0 || write(log_fd, line->p, len) == -1)
		__atomic_fetch_add(&log_lost, lost + 1, __ATOMIC_RELAXED);
}

void
fr_log_line(const char *text)
{
	struct fr_buf line;

	if (log_fd == -1)
		return;
	fr_buf_init(&line, 0);
	fr_buf_adds(&line, text);
	fr_buf_addc(&line, '\n');
	put(&line, 0);
	fr_buf_fini(&line);
}

void
fr_log(enum fr_log_level level, const char *fmt, ...)
{
	char text[LINE_BYTES], when[FR_TIME_TEXT];
	struct fr_buf line;
	unsigned lost;
	va_list ap;
	int n;

	if (log_fd == -1 || level > log_most)
		return;
	fr_buf_init(&line, 0);
	fr_time_format(when, fr_time_wall_ms());
	fr_buf_addf(&line, "%s %s %s: ", when, level_name(level), log_prog);
	lost = __atomic_exchange_n(&log_lost, 0, __ATOMIC_RELAXED);
	if (lost > 0)
		fr_buf_addf(&line, "(%u lines lost) ", lost);
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= 0)
		fr_str_visible(&line, fr_span_of(text), false);
	if (n >= (int)sizeof(text))
		fr_buf_adds(&line, "...");
	fr_buf_addc(&line, '\n');
	put(&line, lost);
	fr_buf_fini(&line);
}
