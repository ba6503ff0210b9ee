/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "backends/registry.h"
#include "base/log.h"
#include "cmd/shared/judge.h"

struct conf {
	struct judge judge;
	const char *order;
};

#define AT(member) offsetof(struct conf, judge.member)

static const struct fr_opt opts[] = {
	JUDGE_LIST(AT),
	JUDGE_ONLY(AT),
	{ 0, "order", FR_OPT_STR, "ORDER", offsetof(struct conf, order),
	    "fifo, random or weighted, where the URL does not say it", 0, 0 },
	JUDGE_SEED(AT),
	{ 0 },
};
static const struct fr_prog prog = {
	.name = "fr-queue-test",
	.args = "URL\n--list",
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

int
main(int argc, char *argv[])
{
	struct conf conf = { .order = NULL };
	struct fr_conform run = { .open_queue = open_queue };
	int i;

	judge_defaults(&conf.judge);
	i = fr_args(&prog, argc, argv, &conf);
	if (conf.judge.list)
		return judge_list(fr_conform_queue_list);
	if (argc - i != 1)
		fr_usage(&prog, "one URL is wanted");
	if (!find_order(conf.order, argv[i], &run.order))
		fr_usage(&prog, "--order: %s is not fifo, random or weighted",
		    conf.order);
	fr_log_to(STDERR_FILENO, prog.name, FR_LOG_INFO);
	run.url = argv[i];
	return judge_run(&conf.judge, &run, fr_conform_queue);
}
