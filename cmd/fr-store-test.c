/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "backends/registry.h"
#include "base/log.h"
#include "cmd/shared/judge.h"

#define AT(member) offsetof(struct judge, member)

static const struct fr_opt opts[] = {
	JUDGE_LIST(AT),
	JUDGE_ONLY(AT),
	JUDGE_SEED(AT),
	{ 0 },
};
static const struct fr_prog prog = {
	.name = "fr-store-test",
	.args = "URL\n--list",
	.summary = "decide whether a store backend keeps its promises",
	.opts = opts,
};

static enum fr_rc
open_store(
    struct fr_store **out, const char *url, unsigned flags, struct fr_err *err)
{
	return fr_registry_store(out, url, flags, err);
}

int
main(int argc, char *argv[])
{
	struct judge judge = { .list = false };
	struct fr_conform run = { .open_store = open_store };
	int i;

	judge_defaults(&judge);
	i = fr_args(&prog, argc, argv, &judge);
	if (judge.list)
		return judge_list(fr_conform_store_list);
	if (argc - i != 1)
		fr_usage(&prog, "one URL is wanted");
	fr_log_to(STDERR_FILENO, prog.name, FR_LOG_INFO);
	run.url = argv[i];
	return judge_run(&judge, &run, fr_conform_store);
}
