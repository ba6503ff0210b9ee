/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "backends/registry.h"
#include "base/io.h"
#include "base/log.h"
#include "base/time.h"
#include "cli/prog.h"
#include "conform/conform.h"

struct conf {
	const char *only;
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
	{ .name = "seed",
	    .kind = FR_OPT_INT,
	    .arg = "N",
	    .offset = offsetof(struct conf, seed),
	    .help = "repeat the random choices of the run with this seed" },
	{ 0 },
};
static const struct fr_prog prog = {
	.name = "fr-store-test",
	.args = "[--only TEXT] [--seed N] URL\n--list",
	.summary = "decide whether a store backend keeps its promises",
	.opts = opts,
};

static enum fr_rc
open_store(
    struct fr_store **out, const char *url, unsigned flags, struct fr_err *err)
{
	return fr_registry_store(out, url, flags, err);
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
	struct fr_conform run = { .open_store = open_store, .flush = flush };
	struct fr_err err = FR_ERR_INIT;
	struct fr_buf names;
	enum fr_rc rc;
	int i;

	i = fr_args(&prog, argc, argv, &conf);
	if (conf.list) {
		fr_buf_init(&names, 0);
		fr_conform_store_list(&names);
		flush(&names);
		fr_buf_fini(&names);
		return fr_finish(FR_OK);
	}
	if (argc - i != 1)
		fr_usage(&prog, "one URL is wanted");
	fr_log_to(STDERR_FILENO, prog.name, FR_LOG_INFO);
	run.url = argv[i];
	run.only = conf.only;
	run.seed = (uint64_t)conf.seed;
	rc = fr_conform_store(&run, &err);
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
