/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/prog.h"

int
fr_exit_status(enum fr_rc rc)
{
	switch (rc) {
	case FR_OK:
	case FR_EXISTS:
		return 0;
	case FR_JOBFAILED:
	case FR_NOTFOUND:
	case FR_CONFLICT:
	case FR_STALE:
		return 1;
	case FR_USAGE:
		return 64;
	case FR_SYNTAX:
	case FR_INVALID:
	case FR_TOOBIG:
		return 65;
	case FR_UNREACHABLE:
		return 69;
	case FR_NOSPACE:
	case FR_UNKNOWN:
	case FR_IO:
	case FR_NOMEM:
	case FR_BROKEN:
		return 74;
	case FR_AGAIN:
	case FR_TIMEOUT:
		return 75;
	case FR_DENIED:
		return 77;
	}
	return 74;
}

enum fr_rc
fr_worse(enum fr_rc a, enum fr_rc b)
{
	return fr_exit_status(b) > fr_exit_status(a) ? b : a;
}

/* Whether standard output is a pipe, or a socket, that nobody reads. */
static bool
unread(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

int
fr_finish(enum fr_rc worst)
{
	const int broken = ferror(stdout);

	errno = 0;
	if (fflush(stdout) != 0 || broken) {
		/* Whoever closed the pipe has read all that was wanted. */
		if (errno != EPIPE && !unread())
			fr_warnf("write to standard output: %s",
			    errno != 0 ? strerror(errno) : "failed");
		worst = fr_worse(worst, FR_IO);
	}
	return fr_exit_status(worst);
}
