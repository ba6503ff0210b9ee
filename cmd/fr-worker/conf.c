/* SPDX-License-Identifier: MIT */
#include "conf.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "client/client.h"

#define AT(field) offsetof(struct conf, field)
#define OF_HANDLING(field) AT(handling.field)
#define MIB ((int64_t)1 << 20)

static const struct fr_opt opts[] = {
	{ 0, "ahead", FR_OPT_INT, "N", AT(ahead),
	    "jobs written ahead to a .lines handler (1024)", 0, 1024 },
	{ 0, "ca-file", FR_OPT_STR, "FILE", AT(ca_file),
	    "certificates trusted for https", 0, 0 },
	HANDLING_CONCURRENCY(OF_HANDLING),
	{ 0, "drain", FR_OPT_FLAG, NULL, AT(drain),
	    "exit when nothing is left to do", 0, 0 },
	HANDLING_ENV(OF_HANDLING),
	{ 0, "exclusive", FR_OPT_FLAG, NULL, AT(exclusive),
	    "stop handlers whose lease cannot be renewed", 0, 0 },
	{ 0, "grace", FR_OPT_DURATION, "TIME", AT(grace_ms),
	    "time to finish after SIGTERM (30s)", 0, 0 },
	HANDLING_HANDLERS(OF_HANDLING),
	HANDLING_KILL_AFTER(OF_HANDLING),
	{ 0, "limit-cpu", FR_OPT_DURATION, "TIME", AT(limit_cpu_ms),
	    "processor time of a handler's process", 1000, INT64_MAX },
	{ 0, "limit-file-size", FR_OPT_SIZE, "SIZE", AT(limit_file_size),
	    "largest file that a handler may write", 1, INT64_MAX },
	{ 0, "limit-files", FR_OPT_INT, "N", AT(limit_files),
	    "open files of a handler's process", 4, 1 << 20 },
	{ 0, "limit-memory", FR_OPT_SIZE, "SIZE", AT(limit_memory),
	    "address space of a handler's process", MIB, INT64_MAX },
	{ 0, "limit-processes", FR_OPT_INT, "N", AT(limit_processes),
	    "processes that the user may have", 1, 1 << 22 },
	{ 'm', "manager", FR_OPT_STR, "URL[,URL...]", AT(manager),
	    "the managers, in order of preference", 0, 0 },
	HANDLING_MAX_RESULT(OF_HANDLING),
	{ 0, "run", FR_OPT_STR, "NAME", AT(run),
	    "run NAME once on stdin, without a manager", 0, 0 },
	HANDLING_STRICT(OF_HANDLING),
	{ 0, "token-file", FR_OPT_STR, "FILE", AT(token_file),
	    "file with the token for the manager", 0, 0 },
	{ 'v', "verbose", FR_OPT_FLAG, NULL, AT(verbose), "log each job", 0,
	    0 },
	{ 0, "wait", FR_OPT_DURATION, "TIME", AT(wait_ms),
	    "how long one request for jobs may wait (30s)", 100, 300000 },
	HANDLING_WORKDIR(OF_HANDLING),
	{ 0, NULL, FR_OPT_FLAG, NULL, 0, NULL, 0, 0 },
};

static const struct fr_prog prog = {
	.name = "fr-worker",
	.args = "[NAME[=COMMAND]...]\n--run NAME [NAME[=COMMAND]...] < DATA",
	.summary = "runs the jobs of a Forerunner manager by handlers",
	.more = HANDLING_MORE,
	.opts = opts,
};

static _Noreturn void
give_up(const struct fr_err *err, enum fr_rc rc)
{
	if (rc == FR_USAGE)
		fr_usage(&prog, "%s", err->msg);
	fr_warn(err);
	exit(fr_exit_status(rc));
}

/* To have forgotten chmod is the usual reason. */
static _Noreturn void
no_handler(const struct conf *c)
{
	char path[PATH_MAX];

	if (c->handling.dir != NULL && strchr(c->run, '/') == NULL &&
	    fr_str_format(
		path, sizeof(path), "%s/%s", c->handling.dir, c->run) &&
	    access(path, F_OK) == 0 && access(path, X_OK) == -1)
		fr_usage(&prog, "--run %s: %s is not executable: chmod +x it",
		    c->run, path);
	fr_usage(&prog, "--run %s: no such handler", c->run);
}

static void
name_worker(struct conf *c)
{
	struct fr_rand r;
	unsigned char random[6];
	char hex[13] = "", *p;

	fr_rand_init(&r);
	fr_rand_fill(&r, random, sizeof(random));
	fr_hex_encode(hex, random, sizeof(random));
	if (gethostname(c->host, sizeof(c->host)) == -1 || c->host[0] == '\0')
		(void)fr_str_copy(
		    c->host, sizeof(c->host), FR_SPAN("localhost"));
	c->host[sizeof(c->host) - 1] = '\0';
	for (p = c->host; *p != '\0'; p++)
		if ((unsigned char)*p < 0x21 || (unsigned char)*p > 0x7e)
			*p = '?';
	c->pid = getpid();
	(void)snprintf(c->id, sizeof(c->id), "%.36s-%lld-%s", c->host,
	    (long long)c->pid, hex);
}

static void
check_manager(struct conf *c)
{
	const struct fr_client_conf cc = {
		.manager = c->manager, .token = c->token, .ca_file = c->ca_file
	};
	struct fr_err err = FR_ERR_INIT;
	struct fr_client *cl;
	enum fr_rc rc;

	rc = fr_client_open(&cl, &cc, &err);
	if (rc != FR_OK)
		give_up(&err, rc);
	fr_client_close(cl);
}

static void
set_defaults(struct conf *c)
{
	memset(c, 0, sizeof(*c));
	c->manager = fr_env_manager();
	handling_defaults(&c->handling);
	c->ahead = 1024;
	c->grace_ms = 30000;
	c->wait_ms = 30000;
	c->limit_cpu_ms = c->limit_files = c->limit_processes = -1;
}

void
conf_parse(struct conf *c, int argc, char *argv[])
{
	int i;

	set_defaults(c);
	i = fr_args(&prog, argc, argv, c);
	if (i == argc && c->handling.dir == NULL && c->run == NULL)
		fr_usage(&prog, "no handlers: name some, or a directory (-H)");
	if (c->run != NULL && c->drain)
		fr_usage(&prog, "--drain needs a manager, --run has none");
	handling_load(&c->handling, &prog, argv + i, argc - i, c->manager);
	if (c->run != NULL && fr_handlers_named(&c->handling.handlers,
				  fr_span_of(c->run)) == NULL)
		no_handler(c);
	if (c->run == NULL) {
		c->token = fr_token(c->token_file);
		check_manager(c);
	}
	name_worker(c);
	fr_log_to(2, prog.name, c->verbose ? FR_LOG_DEBUG : FR_LOG_INFO);
}

static int64_t
limit(size_t bytes)
{
	return bytes == 0 || bytes > (size_t)INT64_MAX ? -1 : (int64_t)bytes;
}

void
conf_runner(struct conf *c, struct fr_workdir *w, struct fr_runner_conf *r)
{
	handling_runner(&c->handling, w, r);
	if (c->run != NULL)
		r->slots = 1;
	r->ahead = (unsigned)c->ahead;
	if (c->limit_cpu_ms >= 0)
		r->limits.cpu_s = (c->limit_cpu_ms + 999) / 1000;
	r->limits.file_bytes = limit(c->limit_file_size);
	r->limits.files = c->limit_files;
	r->limits.memory_bytes = limit(c->limit_memory);
	r->limits.processes = c->limit_processes;
}
