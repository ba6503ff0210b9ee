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
#include "run/chain.h"

#define AT(field) offsetof(struct conf, field)
#define MIB ((int64_t)1 << 20)

static const struct fr_opt opts[] = {
	{ 0, "ahead", FR_OPT_INT, "N", AT(ahead),
	    "jobs written ahead to a .lines handler at most", 0, 1024 },
	{ 0, "ca-file", FR_OPT_STR, "FILE", AT(ca_file),
	    "certificates trusted for https", 0, 0 },
	{ 'c', "concurrency", FR_OPT_INT, "N", AT(slots), "jobs at a time (1)",
	    1, 4096 },
	{ 0, "drain", FR_OPT_FLAG, NULL, AT(drain),
	    "exit when nothing is left to do", 0, 0 },
	{ 0, "env", FR_OPT_LIST, "NAME", AT(env),
	    "pass this variable to handlers too", 0, 0 },
	{ 0, "exclusive", FR_OPT_FLAG, NULL, AT(exclusive),
	    "stop handlers whose lease cannot be renewed", 0, 0 },
	{ 0, "grace", FR_OPT_DURATION, "TIME", AT(grace_ms),
	    "time to finish after SIGTERM (30s)", 0, 0 },
	{ 'H', "handlers", FR_OPT_STR, "DIR", AT(dir),
	    "every executable in DIR is a handler", 0, 0 },
	{ 0, "kill-after", FR_OPT_DURATION, "TIME", AT(kill_ms),
	    "from SIGTERM to SIGKILL for a handler (5s)", 0, 3600000 },
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
	{ 0, "max-result", FR_OPT_SIZE, "SIZE", AT(max_result),
	    "largest output of a handler (1MiB)", 1, 256 * MIB },
	{ 0, "run", FR_OPT_STR, "NAME", AT(run),
	    "run NAME once on stdin, without a manager", 0, 0 },
	{ 0, "strict", FR_OPT_FLAG, NULL, AT(strict), "results must be JSON", 0,
	    0 },
	{ 0, "token-file", FR_OPT_STR, "FILE", AT(token_file),
	    "file with the token for the manager", 0, 0 },
	{ 'v', "verbose", FR_OPT_FLAG, NULL, AT(verbose), "log each job", 0,
	    0 },
	{ 0, "wait", FR_OPT_DURATION, "TIME", AT(wait_ms),
	    "how long one request for jobs may wait (30s)", 100, 300000 },
	{ 0, "workdir", FR_OPT_STR, "DIR", AT(workdir),
	    "where attempts get their directories", 0, 0 },
	{ 0, NULL, FR_OPT_FLAG, NULL, 0, NULL, 0, 0 },
};

static const struct fr_prog prog = {
	.name = "fr-worker",
	.args = "[NAME[=COMMAND]...]\n--run NAME [NAME[=COMMAND]...] < DATA",
	.summary = "runs the jobs of a Forerunner manager by handlers",
	.more = "NAME alone is a built-in handler; NAME=COMMAND is given to "
		"sh -c;\nNAME.lines=COMMAND is kept running; NAME.chain=FILE "
		"is a chain.",
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

static void
add_env(struct conf *c, size_t *n, const char *name, const char *value)
{
	char *text;
	size_t len;

	if (value == NULL)
		return;
	len = strlen(name) + strlen(value) + 2;
	text = malloc(len);
	if (text == NULL) {
		fr_warnf("out of memory");
		exit(fr_exit_status(FR_NOMEM));
	}
	(void)snprintf(text, len, "%s=%s", name, value);
	c->child_env[(*n)++] = text;
}

/* What handlers see of our environment; PATH is the runner's part. */
static void
make_env(struct conf *c)
{
	static const char *const usual[] = { "HOME", "LANG", "TZ" };
	const size_t nusual = sizeof(usual) / sizeof(usual[0]);
	size_t i, n = 0;

	c->child_env = calloc(nusual + c->env.n + 2, sizeof(*c->child_env));
	if (c->child_env == NULL) {
		fr_warnf("out of memory");
		exit(fr_exit_status(FR_NOMEM));
	}
	for (i = 0; i < nusual; i++)
		add_env(c, &n, usual[i], getenv(usual[i]));
	add_env(c, &n, "FR_MANAGER", c->manager);
	for (i = 0; i < c->env.n; i++) {
		if (c->env.v[i][0] == '\0' || strchr(c->env.v[i], '=') != NULL)
			fr_usage(&prog, "--env %s: only the name of a variable",
			    c->env.v[i]);
		if (strcmp(c->env.v[i], "PATH") == 0 ||
		    strncmp(c->env.v[i], "FR_JOB_", 7) == 0)
			fr_usage(&prog, "--env %s: that one is the worker's",
			    c->env.v[i]);
		add_env(c, &n, c->env.v[i], getenv(c->env.v[i]));
	}
}

/* A chain that cannot be read is better refused now than at its first job. */
static void
check_chains(struct conf *c)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_chain *chain;
	enum fr_rc rc;
	size_t i;

	for (i = 0; i < c->handlers.n; i++) {
		if (c->handlers.v[i]->kind != FR_HANDLER_CHAIN)
			continue;
		rc =
		    fr_chain_load(&c->handlers, c->handlers.v[i], &chain, &err);
		if (rc != FR_OK)
			give_up(&err, rc);
		fr_chain_unref(chain);
	}
}

static void
load_handlers(struct conf *c, char *const names[], int n)
{
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc;
	int i;

	rc = fr_handlers_init(
	    &c->handlers, fr_env_libexec(), getenv("PATH"), &err);
	for (i = 0; rc == FR_OK && i < n; i++) {
		rc = fr_handlers_add(&c->handlers, names[i], &err);
		if (rc == FR_NOTFOUND)
			rc = FR_USAGE;
	}
	if (rc == FR_OK && c->dir != NULL)
		rc = fr_handlers_scan(&c->handlers, c->dir, &err);
	if (rc == FR_NOTFOUND)
		rc = FR_USAGE;
	if (rc != FR_OK)
		give_up(&err, rc);
	check_chains(c);
}

/* To have forgotten chmod is the usual reason. */
static _Noreturn void
no_handler(const struct conf *c)
{
	char path[PATH_MAX];

	if (c->dir != NULL && strchr(c->run, '/') == NULL &&
	    fr_str_format(path, sizeof(path), "%s/%s", c->dir, c->run) &&
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
	c->slots = 1;
	c->ahead = 1024;
	c->grace_ms = 30000;
	c->kill_ms = 5000;
	c->wait_ms = 30000;
	c->limit_cpu_ms = c->limit_files = c->limit_processes = -1;
	c->max_result = (size_t)MIB;
	c->workdir = getenv("TMPDIR");
	if (c->workdir == NULL || c->workdir[0] == '\0')
		c->workdir = "/tmp";
}

void
conf_parse(struct conf *c, int argc, char *argv[])
{
	int i;

	set_defaults(c);
	i = fr_args(&prog, argc, argv, c);
	if (i == argc && c->dir == NULL && c->run == NULL)
		fr_usage(&prog, "no handlers: name some, or a directory (-H)");
	if (c->run != NULL && c->drain)
		fr_usage(&prog, "--drain needs a manager, --run has none");
	load_handlers(c, argv + i, argc - i);
	if (c->run != NULL &&
	    fr_handlers_named(&c->handlers, fr_span_of(c->run)) == NULL)
		no_handler(c);
	if (access(c->workdir, W_OK | X_OK) == -1) {
		fr_warnf("%s: cannot make directories there", c->workdir);
		exit(fr_exit_status(FR_IO));
	}
	if (c->run == NULL) {
		c->token = fr_token(c->token_file);
		check_manager(c);
	}
	make_env(c);
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
	memset(r, 0, sizeof(*r));
	r->slots = c->run != NULL ? 1 : (unsigned)c->slots;
	r->ahead = (unsigned)c->ahead;
	r->strict = c->strict;
	r->max_result = c->max_result;
	r->max_log = 65536;
	r->kill_ms = c->kill_ms;
	r->limits = (struct fr_limits)FR_LIMITS_NONE;
	if (c->limit_cpu_ms >= 0)
		r->limits.cpu_s = (c->limit_cpu_ms + 999) / 1000;
	r->limits.file_bytes = limit(c->limit_file_size);
	r->limits.files = c->limit_files;
	r->limits.memory_bytes = limit(c->limit_memory);
	r->limits.processes = c->limit_processes;
	r->handlers = &c->handlers;
	r->workdir = w;
	r->env = c->child_env;
}
