/* SPDX-License-Identifier: MIT */
/* Says PONG, whatever the data: shows that manager and worker are there. */
#include <stdio.h>

#include "cli/prog.h"

static const struct fr_opt opts[] = { { 0 } };
static const struct fr_prog prog = {
	.name = "ping",
	.args = "",
	.summary = "answer {\"ack\":\"PONG\"}, whatever the data",
	.opts = opts,
};

int
main(int argc, char *argv[])
{
	int none = 0;

	if (fr_args(&prog, argc, argv, &none) < argc)
		fr_usage(&prog, "too many arguments");
	puts("{\"ack\":\"PONG\"}");
	return fr_finish(FR_OK);
}
