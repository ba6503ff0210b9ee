/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/registry.h"
#include "base/io.h"
#include "base/log.h"
#include "base/time.h"
#include "cli/prog.h"
#include "conform/conform.h"

struct conf {
	const char *only;
	const char *order;
	int64_t seed;
	bool list;
};

static const struct fr_opt opts[] = {
	{ .name = "list",
	    .kind = FR_OPT_FLAG,
	    .offset = offsetof(struct conf, list),
	    .help = "print the names of the checks and exit" },
	{ .name = "only",
	    .kind = FR_OPT_STR,
	    .arg = "TEXT",
	    .offset = offsetof(struct conf, only),
	    .help = "run the checks whose name contains TEXT" },
	{ .name = "order",
	    .kind = FR_OPT_STR,
	    .arg = "ORDER",
	    .offset = offsetof(struct conf, order),
	    .help = "fifo, random or weighted, where the URL does not say it" },
	{ .name = "seed",
	    .kind = FR_OPT_INT,
	    .arg = "N",
	    .offset = offsetof(struct conf, seed),
	    .help = "repeat the random choices of the run with this seed" },
	{ 0 },
};
static const struct fr_prog prog = {
	.name = "fr-queue-test",
	.args = "[--only TEXT] [--order ORDER] [--seed N] URL\n--list",
	.summary = "decide whether a queue backend keeps its promises",
	.opts = opts,
};

static enum fr_rc
open_queue(struct fr_queue **out, const char *url, struct fr_err *err)
{
	return fr_registry_queue(out, url, err);
}

/* The order that is asked for, or the one that the URL names. */
static bool
find_order(const char *asked, const char *url, enum fr_order *order)
{
	static const char *const names[] = { "fifo", "random", "weighted" };
	size_t i;

	for (i = 0; asked != NULL && i < 3; i++) {
		if (strcmp(asked, names[i]) != 0)
			continue;
		*order = (enum fr_order)i;
		return true;
	}
	*order = FR_ORDER_FIFO;
	if (strstr(url, "order=random") != NULL ||
	    strcmp(url, "memory:random") == 0)
		*order = FR_ORDER_RANDOM;
	if (strstr(url, "order=weighted") != NULL ||
	    strncmp(url, "memory:weighted", strlen("memory:weighted")) == 0)
		*order = FR_ORDER_WEIGHTED;
	return asked == NULL;
}

static void
flush(struct fr_buf *tap)
{
	(void)fwrite(tap->p, 1, tap->len, stdout);
	(void)fflush(stdout);
	fr_buf_reset(tap);
}

int
main(int argc, char *argv[])
{
	struct conf conf = { .seed = fr_time_wall_ms() % 1000000 };
	struct fr_conform run = { .open_queue = open_queue, .flush = flush };
	struct fr_err err = FR_ERR_INIT;
	struct fr_buf names;
	enum fr_rc rc;
	int i;

	i = fr_args(&prog, argc, argv, &conf);
	if (conf.list) {
		fr_buf_init(&names, 0);
		fr_conform_queue_list(&names);
		flush(&names);
		fr_buf_fini(&names);
		return fr_finish(FR_OK);
	}
	if (argc - i != 1)
		fr_usage(&prog, "one URL is wanted");
	fr_log_to(STDERR_FILENO, prog.name, FR_LOG_INFO);
	run.url = argv[i];
	run.only = conf.only;
	if (!find_order(conf.order, argv[i], &run.order))
		fr_usage(&prog, "the order is fifo, random or weighted");
	run.seed = (uint64_t)conf.seed;
	rc = fr_conform_queue(&run, &err);
	if (rc == FR_JOBFAILED)
		fr_warnf(
		    "%s; the seed was %lld", err.msg, (long long)conf.seed);
	else if (rc != FR_OK)
		fr_warn(&err);
	/* 1 is kept for checks that failed. */
	if (rc != FR_JOBFAILED && fr_exit_status(rc) == 1)
		rc = FR_IO;
	return fr_finish(rc);
}
