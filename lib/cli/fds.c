/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "cli/prog.h"

void
fr_occupy_fds(int last)
{
	/* Opened the wrong way round, so that using one fails. */
	static const int flags[] = { O_WRONLY, O_RDONLY, O_RDONLY };
	int fd, want;

	for (want = 0; want <= last; want++) {
		if (fcntl(want, F_GETFD) != -1)
			continue;
		/* All below it are open, so this is the one. */
		fd = open(
		    "/dev/null", want < 3 ? flags[want] : O_RDWR | O_CLOEXEC);
		if (fd == -1)
			_exit(fr_exit_status(FR_IO));
	}
}
