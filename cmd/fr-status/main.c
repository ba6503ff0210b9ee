/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "cli/outcome.h"

#define LIMIT_UNSET (-1)

static const struct fr_opt opts[] = {
	{ 0, "after", FR_OPT_STR, "ID", offsetof(struct conf, after),
	    "list: only jobs older than this one", 0, 0 },
	{ 0, "ca-file", FR_OPT_STR, "FILE", offsetof(struct conf, ca_file),
	    "trust the certificates in FILE for https", 0, 0 },
	{ 'f', "follow", FR_OPT_FLAG, NULL, offsetof(struct conf, follow),
	    "print events as they come, one JSON text a line", 0, 0 },
	{ 'j', "json", FR_OPT_FLAG, NULL, offsetof(struct conf, json),
	    "print what the manager answers, all of it", 0, 0 },
	{ 'n', "limit", FR_OPT_INT, "N", offsetof(struct conf, limit),
	    "list, watch: so many at most; default 20, 0 is all", 0,
	    INT64_MAX },
	{ 'l', "list", FR_OPT_FLAG, NULL, offsetof(struct conf, list),
	    "list jobs, the newest first", 0, 0 },
	{ 0, "log", FR_OPT_FLAG, NULL, offsetof(struct conf, log),
	    "print the log of the jobs' last attempts", 0, 0 },
	{ 'm', "manager", FR_OPT_STR, "URL", offsetof(struct conf, manager),
	    "the manager (FR_MANAGER)", 0, 0 },
	{ 'r', "raw", FR_OPT_FLAG, NULL, offsetof(struct conf, raw),
	    "with --result: print a string without its quotes", 0, 0 },
	{ 0, "result", FR_OPT_FLAG, NULL, offsetof(struct conf, result),
	    "print the jobs' results and nothing else", 0, 0 },
	{ 0, "retry", FR_OPT_DURATION, "TIME", offsetof(struct conf, retry_ms),
	    "how long a lost or busy manager is tried; default 60s", 0, 0 },
	{ 's', "state", FR_OPT_STR, "STATE", offsetof(struct conf, state),
	    "list: only jobs in this state", 0, 0 },
	{ 0, "token-file", FR_OPT_STR, "FILE",
	    offsetof(struct conf, token_file),
	    "send the token in FILE (FR_TOKEN_FILE)", 0, 0 },
	{ 't', "type", FR_OPT_STR, "TYPE", offsetof(struct conf, type),
	    "list, follow: only jobs of this type", 0, 0 },
	{ 'w', "wait", FR_OPT_MAYBE, "TIME", offsetof(struct conf, wait),
	    "wait until the jobs have ended, TIME at most", 0, 0 },
	{ 0, "watch", FR_OPT_FLAG, NULL, offsetof(struct conf, watch),
	    "show it all on the whole screen, always fresh", 0, 0 },
	{ 0, "workers", FR_OPT_FLAG, NULL, offsetof(struct conf, workers),
	    "show the workers", 0, 0 },
	{ 0, NULL, FR_OPT_FLAG, NULL, 0, NULL, 0, 0 },
};

static const struct fr_prog prog = {
	.name = "fr-status",
	.args = "\n[--wait] [--log | --result] ID...\n"
		"--list | --workers | --follow [ID] | --watch",
	.summary =
	    "show what a Forerunner manager has to do, has done, and why",
	.more = "Exit status: 0 done, 1 no such job (with --wait, --result: "
		"one failed),\n64 usage, 69 no manager, 75 timed out, "
		"77 not allowed.\n",
	.opts = opts,
};

enum fr_rc
get_json(struct fr_client *cl, const char *path, struct fr_call *call,
    struct fr_span *json, struct fr_err *err)
{
	enum fr_rc rc;

	call->method = "GET";
	call->path = path;
	call->timeout_ms = 30000;
	rc = fr_client_call(cl, call, err);
	if (rc == FR_OK && fr_json_check(fr_buf_span(&call->answer), 1024, json,
			       NULL) != FR_OK)
		return fr_fail(err, FR_IO,
		    "%s: what it answers is not JSON; is it fr-manager?",
		    fr_client_url(cl));
	return rc;
}

void
print_json(struct fr_span json)
{
	struct fr_buf b;

	fr_buf_init(&b, 0);
	if (fr_tty(STDOUT_FILENO))
		fr_str_visible(&b, json, false);
	else
		fr_buf_addspan(&b, json);
	fr_buf_addc(&b, '\n');
	if (fr_buf_ok(&b))
		(void)fwrite(b.p, 1, b.len, stdout);
	else
		fr_warnf("out of memory");
	fr_buf_fini(&b);
}

/* What does not go together. */
static void
check(const struct conf *conf, int argc)
{
	const int modes =
	    conf->list + conf->workers + conf->follow + conf->watch;
	enum fr_state state;

	if (modes > 1)
		fr_usage(&prog, "one of --list, --workers, --follow, --watch");
	if ((conf->log || conf->result || conf->wait.given) &&
	    (modes > 0 || argc == 0))
		fr_usage(&prog, "--log, --result and --wait need an ID");
	if (conf->log && conf->result)
		fr_usage(&prog, "--log or --result, not both");
	if (conf->raw && !conf->result)
		fr_usage(&prog, "--raw goes with --result");
	if (conf->limit != LIMIT_UNSET && !conf->list && !conf->watch)
		fr_usage(&prog, "--limit goes with --list or --watch");
	if (argc > conf->follow && modes > 0)
		fr_usage(&prog, "too many arguments");
	if (conf->type != NULL && !conf->list && !conf->follow)
		fr_usage(&prog, "--type goes with --list or --follow");
	if ((conf->state != NULL || conf->after != NULL) && !conf->list)
		fr_usage(&prog, "--state and --after go with --list");
	if (conf->state != NULL &&
	    !fr_state_parse(fr_span_of(conf->state), &state))
		fr_usage(&prog,
		    "--state `%s`: none of scheduled, queued, running, "
		    "complete, failed, cancelled",
		    conf->state);
	if (conf->type != NULL && !fr_type_valid(fr_span_of(conf->type)))
		fr_usage(
		    &prog, "--type `%s`: not the name of a type", conf->type);
	if (conf->watch && (!fr_tty(STDIN_FILENO) || !fr_tty(STDOUT_FILENO)))
		fr_usage(&prog, "--watch needs a terminal");
}

/* --wait 5 for --wait=5: 5 is no id, and the wait for the rest has no end. */
static void
check_wait(const struct conf *conf, const char *first)
{
	char hex[33];
	int64_t ms;

	if (conf->wait.given && conf->wait.value == NULL &&
	    !fr_uuid_prefix(fr_span_of(first), hex) &&
	    fr_str_duration(fr_span_of(first), &ms) == FR_OK)
		fr_usage(&prog, "`%s`: not an id; a time is written --wait=%s",
		    first, first);
}

int
main(int argc, char *argv[])
{
	struct conf conf = { .manager = fr_env_manager(),
		.retry_ms = 60000,
		.limit = LIMIT_UNSET };
	const int i = fr_args(&prog, argc, argv, &conf);
	struct fr_err err = FR_ERR_INIT;
	struct fr_client *cl = NULL;
	struct fr_client_conf cc;
	enum fr_rc rc;

	check(&conf, argc - i);
	check_wait(&conf, argv[i]);
	if (conf.limit == LIMIT_UNSET)
		conf.limit = 20;
	conf.until_ms = fr_outcome_until(&prog, "--wait", &conf.wait);
	cc = (struct fr_client_conf){ .manager = conf.manager,
		.token = fr_token(conf.token_file),
		.ca_file = conf.ca_file,
		.retry_ms = conf.watch ? 0 : conf.retry_ms };
	rc = fr_client_open(&cl, &cc, &err);
	if (rc != FR_OK)
		fr_warn(&err);
	else if (conf.watch)
		rc = watch(cl, &conf);
	else if (conf.follow)
		rc = follow(cl, &conf, argv[i]);
	else if (conf.list)
		rc = list(cl, &conf);
	else if (conf.workers)
		rc = workers(cl, &conf);
	else if (i < argc)
		rc = jobs(cl, &conf, argv + i, argc - i);
	else
		rc = overview(cl, &conf);
	fr_client_close(cl);
	return fr_finish(rc);
}
