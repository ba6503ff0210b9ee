/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "conf.h"
#include "keep.h"
#include "local.h"
#include "loop.h"

/* Descriptors 0 to 3 are never ours to open by chance: handlers get them. */
static void
occupy_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 3);
	if (fd > 3)
		(void)close(fd);
	else if (fd == 3)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* How many jobs it may have at any time, those fetched ahead included. */
static size_t
leases(const struct conf *c)
{
	const size_t slots = (size_t)c->slots;
	const size_t n = slots * (64 + (size_t)c->ahead);

	return n < 65536 ? n : 65536;
}

int
main(int argc, char *argv[])
{
	static struct conf conf;
	static struct keep keep;

	occupy_fds();
	conf_parse(&conf, argc, argv);
	if (conf.run != NULL) {
		keep_start(&keep, &conf, 0);
		return local_run(&conf, &keep);
	}
	keep_start(&keep, &conf, leases(&conf));
	return loop_run(&conf, &keep);
}
