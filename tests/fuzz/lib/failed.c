/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "tests/fuzz/lib/fuzz.h"

void
fuzz_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: must be true: %s\n", file, line, what);
	abort();
}
