/* SPDX-License-Identifier: MIT */
#include "conf.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

#define O(field) offsetof(struct fr_conf, field)
#define DAY ((int64_t)86400 * 1000)

/* A row with progress, result and log in it ends at 1 GB in SQLite. */
#define MAX_DATA (INT64_C(1) << 28)

static const struct fr_opt opts[] = {
	{ 0, "body-timeout", FR_OPT_DURATION, "S", O(body_ms),
	    "how long a request's body may take in all (60s)", 1, DAY },
	{ 0, "dump-routes", FR_OPT_FLAG, NULL, O(dump_routes),
	    "print the calls and who may make them", 0, 0 },
	{ 0, "header-timeout", FR_OPT_DURATION, "S", O(header_ms),
	    "how long a request's head may take in all (10s)", 1, DAY },
	{ 0, "heartbeat", FR_OPT_DURATION, "S", O(beat_ms),
	    "between two signs of life in an event stream (15s)", 10, DAY },
	{ 0, "hook-timeout", FR_OPT_DURATION, "S", O(hook_ms),
	    "how long a hook may run (60s)", 1, DAY },
	{ 0, "hooks", FR_OPT_STR, "DIR", O(hooks),
	    "executables to run on events", 0, 0 },
	{ 0, "idle-timeout", FR_OPT_DURATION, "S", O(idle_ms),
	    "how long a connection may be idle (0: for ever)", 0, DAY },
	{ 0, "lease", FR_OPT_DURATION, "S", O(lease_ms),
	    "how long a job is kept without a sign of life (15s)", 100, DAY },
	{ 'l', "listen", FR_OPT_LIST, "ADDR:PORT|unix:PATH", O(listen),
	    "where to listen (127.0.0.1:2718); may be repeated", 0, 0 },
	{ 0, "log-level", FR_OPT_STR, "LEVEL", O(log_level),
	    "error, warn, info or debug (info)", 0, 0 },
	{ 0, "max-batch", FR_OPT_INT, "N", O(max_batch),
	    "jobs in one request (10000)", 1, 10000000 },
	{ 0, "max-body", FR_OPT_SIZE, "BYTES", O(max_body),
	    "bytes in a request's body (16M)", 1, INT64_C(1) << 32 },
	{ 0, "max-connections", FR_OPT_INT, "N", O(max_connections),
	    "connections at a time (20000)", 1, 10000000 },
	{ 0, "max-data", FR_OPT_SIZE, "BYTES", O(max_data),
	    "bytes in a job's data or result (1M)", 1, MAX_DATA },
	{ 0, "max-depth", FR_OPT_INT, "N", O(max_depth),
	    "levels of nesting in data or results (64)", 1, 1000 },
	{ 0, "max-events", FR_OPT_SIZE, "BYTES", O(max_events),
	    "events kept in memory for streams to resume (4M)", 1024,
	    INT64_C(1) << 32 },
	{ 0, "max-header", FR_OPT_SIZE, "BYTES", O(max_header),
	    "bytes in a request's head (16k)", 64, INT64_C(1) << 20 },
	{ 0, "max-hooks", FR_OPT_INT, "N", O(max_hooks),
	    "hooks that run at a time (4)", 1, 1000 },
	{ 0, "max-memory", FR_OPT_SIZE, "BYTES", O(max_memory),
	    "bytes of all requests that are worked on (512M)", 1024,
	    INT64_C(1) << 40 },
	{ 0, "max-requests", FR_OPT_INT, "N", O(max_requests),
	    "requests that are worked on at a time (10000)", 1, 10000000 },
	{ 0, "queue", FR_OPT_STR, "URL", O(queue),
	    "the order of jobs (memory:fifo); redis://...", 0, 0 },
	{ 0, "ready-fd", FR_OPT_INT, "N", O(ready_fd),
	    "write the URL to this descriptor when ready", 0, 1000000 },
	{ 0, "retain", FR_OPT_DURATION, "AGE", O(retain_ms),
	    "forget jobs this long after their end (7d); 0: never", 0, 0 },
	{ 0, "retry-base", FR_OPT_DURATION, "S", O(retry_base_ms),
	    "wait before the second attempt, then doubled (1s)", 1, DAY },
	{ 0, "retry-max", FR_OPT_DURATION, "S", O(retry_max_ms),
	    "longest wait between two attempts (10m)", 1, 365 * DAY },
	{ 0, "store", FR_OPT_STR, "URL", O(store),
	    "where jobs are kept: sqlite:PATH, postgres://...", 0, 0 },
	{ 0, "sweep", FR_OPT_DURATION, "S", O(sweep_ms),
	    "between two comparisons of store and queue (2s)", 10, DAY },
	{ 0, "token-file", FR_OPT_STR, "FILE", O(token_file),
	    "who may do what: lines of ROLE[,ROLE] TOKEN", 0, 0 },
	{ 0, "write-timeout", FR_OPT_DURATION, "S", O(write_ms),
	    "how long a client may leave its answer unread (30s)", 1, DAY },
	{ 0 },
};

const struct fr_prog fr_conf_prog = { "fr-manager", "",
	"take jobs over HTTP, keep them, and give them to workers", NULL,
	opts };

/* The directory for what is kept, made if it is missing. */
static char *
state_dir(void)
{
	static const struct {
		const char *var, *below;
	} places[] = {
		{ "FR_STATE_DIR", "" },
		{ "STATE_DIRECTORY", "" }, /* systemd's, the first of a list */
		{ "XDG_STATE_HOME", "/forerunner" },
		{ "HOME", "/.local/state/forerunner" },
	};
	struct fr_err err = FR_ERR_INIT;
	struct fr_buf b;
	const char *v;
	size_t i;

	fr_buf_init(&b, 4096);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (i == 3 && geteuid() == 0) {
			fr_buf_adds(&b, "/var/lib/forerunner");
			break;
		}
		v = getenv(places[i].var);
		if (v == NULL || v[0] == '\0')
			continue;
		fr_buf_add(&b, v, i == 1 ? strcspn(v, ":") : strlen(v));
		fr_buf_adds(&b, places[i].below);
		break;
	}
	if (b.len == 0)
		fr_usage(&fr_conf_prog,
		    "no state directory: set HOME, or give --store");
	if (fr_io_mkdirs(fr_buf_cstr(&b), 0700, &err) != FR_OK) {
		fr_warn(&err);
		exit(fr_exit_status(err.rc == FR_NOTFOUND ? FR_IO : err.rc));
	}
	return b.p;
}

static const char *
default_store(void)
{
	static struct fr_buf b; /* as long as the program */
	char *dir = state_dir();

	fr_buf_init(&b, 0);
	fr_buf_adds(&b, "sqlite:");
	fr_buf_adds(&b, dir);
	fr_buf_adds(&b, "/forerunner.db");
	free(dir);
	(void)fr_buf_cstr(&b);
	return b.p;
}

void
fr_conf_read(struct fr_conf *conf, int argc, char *argv[])
{
	int i;

	*conf = (struct fr_conf){
		.queue = "memory:fifo",
		.log_level = "info",
		.ready_fd = -1,
		.lease_ms = 15000,
		.retain_ms = 7 * DAY,
		.sweep_ms = 2000,
		.retry_base_ms = 1000,
		.retry_max_ms = 600000,
		.header_ms = 10000,
		.body_ms = 60000,
		.write_ms = 30000,
		.hook_ms = 60000,
		.beat_ms = 15000,
		.max_depth = 64,
		.max_batch = 10000,
		.max_connections = 20000,
		.max_requests = 10000,
		.max_hooks = 4,
		.max_data = (size_t)1 << 20,
		.max_body = (size_t)16 << 20,
		.max_header = (size_t)16 << 10,
		.max_memory = (size_t)512 << 20,
		.max_events = (size_t)4 << 20,
	};
	i = fr_args(&fr_conf_prog, argc, argv, conf);
	if (i < argc)
		fr_usage(&fr_conf_prog, "no arguments are wanted: %s", argv[i]);
	if (conf->store == NULL && !conf->dump_routes)
		conf->store = default_store();
}
