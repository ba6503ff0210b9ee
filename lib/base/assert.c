/* SPDX-License-Identifier: MIT */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* No memory is asked for: the heap may be what is broken. */
void
fr_assert_failed(const char *what, const char *file, int line, const char *func)
{
	char text[512];
	ssize_t put;
	int n;

	n = snprintf(text, sizeof(text), "assertion failed: %s (%s:%d, %s)\n",
	    what, file, line, func);
	if (n > 0) {
		if ((size_t)n >= sizeof(text)) {
			n = (int)sizeof(text) - 1;
			text[n - 1] = '\n';
		}
		put = write(STDERR_FILENO, text, (size_t)n);
		(void)put; /* nothing is left to be done about it */
	}
	abort();
}
