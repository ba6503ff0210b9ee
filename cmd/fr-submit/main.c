/* SPDX-License-Identifier: MIT */
#include "submit.h"

#include <stddef.h>

#include "cli/outcome.h"

static const struct fr_opt opts[] = {
	{ 0, "at", FR_OPT_STR, "TIME", offsetof(struct conf, at),
	    "do not run it before this time (RFC 3339)", 0, 0 },
	{ 'b', "bulk", FR_OPT_FLAG, NULL, offsetof(struct conf, bulk),
	    "read many jobs from stdin, one JSON text a line", 0, 0 },
	{ 0, "ca-file", FR_OPT_STR, "FILE", offsetof(struct conf, ca_file),
	    "trust the certificates in FILE for https", 0, 0 },
	{ 0, "delay", FR_OPT_DURATION, "TIME", offsetof(struct conf, delay_ms),
	    "do not run it before TIME has passed", 0, 0 },
	{ 0, "id", FR_OPT_STR, "UUID", offsetof(struct conf, id),
	    "its id; the same id again is the same job", 0, 0 },
	{ 'k', "key", FR_OPT_STR, "TEXT", offsetof(struct conf, key),
	    "at most one unfinished job of the type has it", 0, 0 },
	{ 'm', "manager", FR_OPT_STR, "URL", offsetof(struct conf, manager),
	    "the manager (FR_MANAGER)", 0, 0 },
	{ 0, "max-attempts", FR_OPT_INT, "N",
	    offsetof(struct conf, max_attempts),
	    "how often it may fail; default 3", 1, 1000000 },
	{ 'p', "priority", FR_OPT_INT, "N", offsetof(struct conf, priority),
	    "higher goes first; default 0", INT32_MIN, INT32_MAX },
	{ 'q', "quiet", FR_OPT_FLAG, NULL, offsetof(struct conf, quiet),
	    "print no ids and no progress bar", 0, 0 },
	{ 'r', "raw", FR_OPT_FLAG, NULL, offsetof(struct conf, raw),
	    "with --wait: print a string without its quotes", 0, 0 },
	{ 0, "retry", FR_OPT_DURATION, "TIME", offsetof(struct conf, retry_ms),
	    "how long a lost or busy manager is tried; default 60s", 0, 0 },
	{ 't', "timeout", FR_OPT_DURATION, "TIME",
	    offsetof(struct conf, timeout_ms),
	    "stop an attempt that runs longer", 1, 864000000000 },
	{ 0, "token-file", FR_OPT_STR, "FILE",
	    offsetof(struct conf, token_file),
	    "send the token in FILE (FR_TOKEN_FILE)", 0, 0 },
	{ 'w', "wait", FR_OPT_MAYBE, "TIME", offsetof(struct conf, wait),
	    "wait for its end, TIME at most, and print its result", 0, 0 },
	{ 0, NULL, FR_OPT_FLAG, NULL, 0, NULL, 0, 0 },
};

static const struct fr_prog prog = {
	.name = "fr-submit",
	.args = "TYPE [DATA | @FILE | - | KEY=TEXT... KEY:=JSON...]\n"
		"--bulk [TYPE] < JOBS",
	.summary = "give a job to a Forerunner manager and print its id",
	.more = "Exit status: 0 accepted (with --wait: complete), 1 it failed "
		"or was cancelled,\n64 usage, 65 bad data, 69 no manager, "
		"75 timed out, 77 not allowed.\n",
	.opts = opts,
};

struct fr_client_conf
connection(const struct conf *conf)
{
	return (struct fr_client_conf){
		.manager = conf->manager,
		.token = fr_token(conf->token_file),
		.ca_file = conf->ca_file,
		.retry_ms = conf->retry_ms,
	};
}

/* What does not go together. */
static void
check(const struct conf *conf, int argc)
{
	if (conf->at != NULL && conf->delay_ms >= 0)
		fr_usage(&prog, "--at and --delay: one or the other");
	if (conf->raw && !conf->wait.given)
		fr_usage(&prog, "--raw goes with --wait");
	if (!conf->bulk) {
		if (argc == 0)
			fr_usage(&prog, "no TYPE");
		return;
	}
	if (conf->wait.given)
		fr_usage(&prog, "--bulk does not wait: fr-status --wait does");
	if (conf->id != NULL || conf->key != NULL)
		fr_usage(&prog, "--bulk: ids and keys stand in the jobs");
	if (argc > 1)
		fr_usage(&prog, "--bulk reads its data from stdin");
	if (argc == 0 &&
	    (conf->at != NULL || conf->delay_ms >= 0 || conf->timeout_ms >= 0 ||
		conf->max_attempts >= 0 || conf->priority != INT64_MIN))
		fr_usage(
		    &prog, "--bulk without TYPE: options stand in the jobs");
}

int
main(int argc, char *argv[])
{
	struct conf conf = { .manager = fr_env_manager(),
		.retry_ms = 60000,
		.priority = INT64_MIN,
		.delay_ms = -1,
		.max_attempts = -1,
		.timeout_ms = -1 };
	const char *type;
	int i = fr_args(&prog, argc, argv, &conf);

	check(&conf, argc - i);
	conf.until_ms = fr_outcome_until(&prog, "--wait", &conf.wait);
	type = i < argc ? argv[i++] : NULL;
	return fr_finish(conf.bulk ? bulk(&conf, type)
				   : single(&conf, type, argv + i, argc - i));
}
