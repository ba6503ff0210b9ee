/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "cmd/shared/guard.h"
#include "run.h"

#define AT(field) offsetof(struct conf, handling.field)

static const struct fr_opt opts[] = {
	HANDLING_CONCURRENCY(AT),
	HANDLING_ENV(AT),
	HANDLING_HANDLERS(AT),
	HANDLING_KILL_AFTER(AT),
	HANDLING_MAX_RESULT(AT),
	HANDLING_STRICT(AT),
	HANDLING_WORKDIR(AT),
	{ 0, NULL, FR_OPT_FLAG, NULL, 0, NULL, 0, 0 },
};

static const struct fr_prog prog = {
	.name = "fr-run",
	.args = "[NAME[=COMMAND]...] < JOBS",
	.summary = "runs jobs from stdin by handlers, without a manager",
	.more = HANDLING_MORE "Jobs are read one JSON text a line, and printed "
			      "so when they have ended.\n",
	.opts = opts,
};

/* The child has ended: as it did, so does the guard. */
static void
ended(void *arg, int status, int sig)
{
	const char *workdir = arg;
	sigset_t set;

	guard_reap();
	if (*workdir != '\0')
		fr_workdir_remove(workdir);
	if (WIFSIGNALED(status))
		sig = WTERMSIG(status);
	if (sig != 0 && status != 0) {
		(void)signal(sig, SIG_DFL);
		(void)sigemptyset(&set);
		(void)sigaddset(&set, sig);
		(void)raise(sig);
		(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
		exit(128 + sig);
	}
	exit(WEXITSTATUS(status));
}

int
main(int argc, char *argv[])
{
	static struct conf conf;
	static struct run run;
	struct handling *h = &conf.handling;
	struct fr_err err = FR_ERR_INIT;
	char *workdir;
	enum fr_rc rc;
	int i;

	fr_occupy_fds(3); /* handlers get 0 to 3 */
	handling_defaults(h);
	i = fr_args(&prog, argc, argv, &conf);
	if (i == argc && h->dir == NULL)
		fr_usage(&prog, "no handlers: name some, or a directory (-H)");
	handling_load(h, &prog, argv + i, argc - i, NULL);
	fr_log_to(STDERR_FILENO, prog.name, FR_LOG_WARN);
	workdir = guard_memory(PATH_MAX); /* what the guard is to remove */
	run.orders = guard_start(ended, workdir);
	rc = fr_workdir_open(&run.workdir, h->workdir, &err);
	if (rc != FR_OK)
		fr_warn(&err);
	else {
		(void)fr_str_copy(
		    workdir, PATH_MAX, fr_span_of(run.workdir.path));
		rc = run_all(&run, &conf);
		fr_workdir_close(&run.workdir);
	}
	fr_handlers_fini(&h->handlers);
	return fr_finish(rc);
}
