/* SPDX-License-Identifier: MIT */
/*
 * What has ended goes to standard output as that takes it. Nobody waits for a
 * reader that stalls: handlers go on and time out meanwhile, and SIGTERM is
 * heard; only no more jobs are begun when much waits to be read.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "run.h"

#define WAITING_MOST ((size_t)1 << 20)
#define STALL_MS 1000 /* at the end, without a byte being taken */

void
print_begin(struct run *r)
{
	struct stat st;

	fr_buf_init(&r->out, 0);
	/* A pipe that has room has room for that, and does not make us wait. */
	r->chunk = PIPE_BUF;
	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		r->chunk = SSIZE_MAX;
}

bool
print_waits(const struct run *r)
{
	return r->out.len > 0;
}

bool
print_full(const struct run *r)
{
	return r->out.len - r->printed >= WAITING_MOST;
}

static void
drop(struct run *r)
{
	fr_buf_reset(&r->out);
	r->printed = 0;
	r->stall_ms = 0;
	r->worst = fr_worse(r->worst, FR_IO);
}

/* false: it takes no more now. */
static bool
print_some(struct run *r)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	size_t len = r->out.len - r->printed;
	ssize_t n;

	if (poll(&p, 1, 0) != 1)
		return false;
	if (len > r->chunk)
		len = r->chunk;
	n = write(STDOUT_FILENO, r->out.p + r->printed, len);
	if (n >= 0) {
		r->printed += (size_t)n;
		r->stall_ms = 0;
		return true;
	}
	if (errno == EINTR || errno == EAGAIN)
		return errno == EINTR;
	/* Whoever closed the pipe has read all that was wanted. */
	if (errno != EPIPE)
		fr_warnf("write to standard output: %s", strerror(errno));
	drop(r);
	if (r->stopping == 0)
		stop(r);
	return false;
}

void
print(struct run *r)
{
	if (!fr_buf_ok(&r->out)) {
		const struct fr_err err = { FR_NOMEM, "out of memory" };

		drop(r);
		give_up(r, &err);
	}
	while (r->printed < r->out.len && print_some(r))
		;
	if (r->printed >= r->out.len / 2) {
		fr_buf_shift(&r->out, r->printed);
		r->printed = 0;
	}
	if (r->out.len == 0 || r->stopping == 0)
		return;
	if (r->stall_ms == 0)
		r->stall_ms = fr_time_mono_ms() + STALL_MS;
	else if (fr_time_mono_ms() >= r->stall_ms) {
		fr_warnf("standard output takes no more: not all jobs that "
			 "have ended are printed");
		drop(r);
	}
}
