/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "run.h"
#include "run/chain.h"

#define AT(field) offsetof(struct conf, field)
#define MIB ((int64_t)1 << 20)

static const struct fr_opt opts[] = {
	{ 'c', "concurrency", FR_OPT_INT, "N", AT(slots), "jobs at a time (1)",
	    1, 4096 },
	{ 0, "env", FR_OPT_LIST, "NAME", AT(env),
	    "pass this variable to handlers too", 0, 0 },
	{ 'H', "handlers", FR_OPT_STR, "DIR", AT(dir),
	    "every executable in DIR is a handler", 0, 0 },
	{ 0, "kill-after", FR_OPT_DURATION, "TIME", AT(kill_ms),
	    "from SIGTERM to SIGKILL for a handler (5s)", 0, 3600000 },
	{ 0, "max-result", FR_OPT_SIZE, "SIZE", AT(max_result),
	    "largest output of a handler (1MiB)", 1, 256 * MIB },
	{ 0, "strict", FR_OPT_FLAG, NULL, AT(strict), "results must be JSON", 0,
	    0 },
	{ 0, "workdir", FR_OPT_STR, "DIR", AT(workdir),
	    "where attempts get their directories", 0, 0 },
	{ 0, NULL, FR_OPT_FLAG, NULL, 0, NULL, 0, 0 },
};

static const struct fr_prog prog = {
	.name = "fr-run",
	.args = "[NAME[=COMMAND]...] < JOBS",
	.summary = "runs jobs from stdin by handlers, without a manager",
	.more = "NAME alone is a built-in handler; NAME=COMMAND is given to "
		"sh -c;\nNAME.lines=COMMAND is kept running; NAME.chain=FILE "
		"is a chain.\nJobs are read one JSON text a line, and printed "
		"so when they have ended.\n",
	.opts = opts,
};

static _Noreturn void
refuse(const struct fr_err *err, enum fr_rc rc)
{
	if (rc == FR_USAGE || rc == FR_NOTFOUND)
		fr_usage(&prog, "%s", err->msg);
	fr_warn(err);
	exit(fr_exit_status(rc));
}

static void
add_env(struct conf *c, size_t *n, const char *name)
{
	const char *value = getenv(name);
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

	c->child_env = calloc(nusual + c->env.n + 1, sizeof(*c->child_env));
	if (c->child_env == NULL) {
		fr_warnf("out of memory");
		exit(fr_exit_status(FR_NOMEM));
	}
	for (i = 0; i < nusual; i++)
		add_env(c, &n, usual[i]);
	for (i = 0; i < c->env.n; i++) {
		if (c->env.v[i][0] == '\0' ||
		    strchr(c->env.v[i], '=') != NULL ||
		    strcmp(c->env.v[i], "PATH") == 0 ||
		    strncmp(c->env.v[i], "FR_JOB_", 7) == 0)
			fr_usage(&prog, "--env %s: not a variable to pass",
			    c->env.v[i]);
		add_env(c, &n, c->env.v[i]);
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
			refuse(&err, rc);
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
	for (i = 0; rc == FR_OK && i < n; i++)
		rc = fr_handlers_add(&c->handlers, names[i], &err);
	if (rc == FR_OK && c->dir != NULL)
		rc = fr_handlers_scan(&c->handlers, c->dir, &err);
	if (rc != FR_OK)
		refuse(&err, rc);
	check_chains(c);
}

int
main(int argc, char *argv[])
{
	static struct conf conf = {
		.slots = 1, .kill_ms = 5000, .max_result = (size_t)MIB
	};
	static struct run run;
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc;
	char *shared;
	int i;

	fr_occupy_fds(3); /* handlers get 0 to 3 */
	conf.workdir = getenv("TMPDIR");
	if (conf.workdir == NULL || conf.workdir[0] == '\0')
		conf.workdir = "/tmp";
	i = fr_args(&prog, argc, argv, &conf);
	if (i == argc && conf.dir == NULL)
		fr_usage(&prog, "no handlers: name some, or a directory (-H)");
	load_handlers(&conf, argv + i, argc - i);
	if (access(conf.workdir, W_OK | X_OK) == -1) {
		fr_warnf("%s: cannot make directories there", conf.workdir);
		exit(fr_exit_status(FR_IO));
	}
	make_env(&conf);
	fr_log_to(STDERR_FILENO, prog.name, FR_LOG_WARN);
	shared = guard_start(&run.orders);
	rc = fr_workdir_open(&run.workdir, conf.workdir, &err);
	if (rc != FR_OK)
		fr_warn(&err);
	else {
		(void)fr_str_copy(
		    shared, GUARD_PATH, fr_span_of(run.workdir.path));
		rc = run_all(&run, &conf);
		fr_workdir_close(&run.workdir);
	}
	fr_handlers_fini(&conf.handlers);
	return fr_finish(rc);
}
