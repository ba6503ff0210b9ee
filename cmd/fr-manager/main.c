/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "conf.h"
#include "manager.h"

static enum fr_log_level
log_level(const char *name)
{
	static const char *const names[] = { [FR_LOG_ERROR] = "error",
		[FR_LOG_WARN] = "warn",
		[FR_LOG_INFO] = "info",
		[FR_LOG_DEBUG] = "debug" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (enum fr_log_level)i;
	fr_usage(&fr_conf_prog, "--log-level: error, warn, info or debug");
}

static int
dump_routes(void)
{
	struct fr_buf b;

	fr_buf_init(&b, 0);
	fr_route_dump(&b);
	(void)fputs(fr_buf_cstr(&b), stdout);
	fr_buf_fini(&b);
	return fr_finish(FR_OK);
}

int
main(int argc, char *argv[])
{
	static struct fr_manager m;
	struct fr_conf conf;
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc;

	fr_conf_read(&conf, argc, argv);
	if (conf.dump_routes)
		return dump_routes();
	fr_log_to(STDERR_FILENO, "fr-manager", log_level(conf.log_level));
	/* The descriptor is for us alone. */
	if (conf.ready_fd > 2)
		(void)fr_io_cloexec((int)conf.ready_fd);
	rc = fr_manager_open(&m, &conf, &err);
	if (rc == FR_OK)
		rc = fr_manager_run(&m);
	else
		fr_warn(&err);
	fr_manager_close(&m);
	/* 1 is for jobs and tests: what a URL names is not there. */
	if (fr_exit_status(rc) == 1)
		rc = FR_IO;
	return fr_exit_status(rc);
}
