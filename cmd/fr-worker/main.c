/* SPDX-License-Identifier: MIT */
#include "conf.h"
#include "keep.h"
#include "local.h"
#include "loop.h"

/* How many jobs it may have at any time, those fetched ahead included. */
static size_t
leases(const struct conf *c)
{
	const size_t slots = (size_t)c->handling.slots;
	const size_t n = slots * (64 + (size_t)c->ahead);

	return n < 65536 ? n : 65536;
}

int
main(int argc, char *argv[])
{
	static struct conf conf;
	static struct keep keep;

	fr_occupy_fds(3); /* handlers get 0 to 3 */
	conf_parse(&conf, argc, argv);
	if (conf.run != NULL) {
		keep_start(&keep, &conf, 0);
		return local_run(&conf, &keep);
	}
	keep_start(&keep, &conf, leases(&conf));
	return loop_run(&conf, &keep);
}
