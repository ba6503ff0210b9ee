/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "conf.h"
#include "keep.h"
#include "local.h"

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

int
main(int argc, char *argv[])
{
	static struct conf conf;
	static struct keep keep;

	occupy_fds();
	conf_parse(&conf, argc, argv);
	keep_start(&keep, &conf, 0);
	return local_run(&conf, &keep);
}
