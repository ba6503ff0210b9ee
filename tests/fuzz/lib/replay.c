/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "tests/fuzz/lib/fuzz.h"

/*
 * Runs a fuzz target on each file of the directory argv[1], whole and cut off
 * behind every byte, and prints one line of TAP for each.
 */

/* In memory of its own, so that reading past the end is noticed. */
static void
run(const char *p, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, p, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static int
replay(const char *path)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_buf b;
	size_t n;
	int r = 0;

	fr_buf_init(&b, 1 << 20);
	if (fr_io_read_file(path, &b, &err) == FR_OK) {
		for (n = 0; n <= b.len && n <= 4096; n++)
			run(b.p, n);
		run(b.p, b.len);
	} else {
		fprintf(stderr, "# %s\n", err.msg);
		r = -1;
	}
	fr_buf_fini(&b);
	return r;
}

int
main(int argc, char *argv[])
{
	struct dirent **list = NULL;
	char path[4096];
	int i, n, t = 0, bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	n = (argc == 2 ? scandir(argv[1], &list, NULL, alphasort) : -1);
	for (i = 0; i < n; i++) {
		if (list[i]->d_name[0] == '.')
			goto next;
		snprintf(path, sizeof(path), "%s/%s", argv[1], list[i]->d_name);
		if (replay(path) == 0)
			printf("ok %d - %s\n", ++t, list[i]->d_name);
		else
			printf("not ok %d - %s\n", ++t, list[i]->d_name),
			    bad = 1;
	next:
		free(list[i]);
	}
	free(list);
	printf("1..%d\n", t);
	return bad || t == 0;
}
