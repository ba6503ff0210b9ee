/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/prog.h"

bool
fr_tty(int fd)
{
	return isatty(fd) == 1;
}

bool
fr_tty_color(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (!fr_tty(fd) || (no != NULL && no[0] != '\0'))
		return false;
	return term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

int
fr_tty_width(int fd)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) == -1 || w.ws_col == 0)
		return 80;
	return w.ws_col;
}
