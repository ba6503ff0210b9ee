/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/bar.h"
#include "cli/prog.h"
#include "client/client.h"
#include "client/jobs.h"

#define PURGE_STEP 20000 /* jobs a request */

struct conf {
	const char *manager;
	const char *token_file;
	const char *ca_file;
	int64_t retry_ms;
	struct fr_strs states;
	int64_t older_ms; /* -1: not given */
	bool json;
};

static const struct fr_opt opts[] = {
	{ 0, "ca-file", FR_OPT_STR, "FILE", offsetof(struct conf, ca_file),
	    "trust the certificates in FILE for https", 0, 0 },
	{ 'j', "json", FR_OPT_FLAG, NULL, offsetof(struct conf, json),
	    "print what the manager answers", 0, 0 },
	{ 'm', "manager", FR_OPT_STR, "URL", offsetof(struct conf, manager),
	    "the manager (FR_MANAGER)", 0, 0 },
	{ 'o', "older", FR_OPT_DURATION, "AGE", offsetof(struct conf, older_ms),
	    "purge: only jobs that ended longer ago", 0, 0 },
	{ 0, "retry", FR_OPT_DURATION, "TIME", offsetof(struct conf, retry_ms),
	    "how long a busy manager is tried; default 10s", 0, 0 },
	{ 's', "state", FR_OPT_LIST, "STATE", offsetof(struct conf, states),
	    "purge: complete, failed or cancelled; may be repeated", 0, 0 },
	{ 0, "token-file", FR_OPT_STR, "FILE",
	    offsetof(struct conf, token_file),
	    "send the token in FILE (FR_TOKEN_FILE)", 0, 0 },
	{ 0, NULL, FR_OPT_FLAG, NULL, 0, NULL, 0, 0 },
};

static const struct fr_prog prog = {
	.name = "fr-ctl",
	.args = "cancel|retry|delete ID... | -\n"
		"pause|resume TYPE... | -\n"
		"purge --state STATE --older AGE",
	.summary = "change the fate of jobs and types",
	.more = "cancel    end jobs, also those that are running\n"
		"retry     run jobs again that have ended\n"
		"delete    forget jobs that have ended\n"
		"pause     hand out no more jobs of a type\n"
		"resume    go on with a type\n"
		"purge     forget all jobs that ended so long ago\n"
		"-         reads the ids or types from stdin, one a line\n\n"
		"All are done; the exit status is that of the worst.\n",
	.opts = opts,
};

/* What is done to each argument. */
struct verb {
	const char *name;
	const char *method;
	const char *tail; /* of the path */
	bool of_types;    /* else of jobs */
	bool repeatable;  /* twice is the same as once */
};
static const struct verb verbs[] = {
	{ "cancel", "POST", "/cancel", false, true },
	{ "delete", "DELETE", "", false, false },
	{ "pause", "POST", "/pause", true, true },
	{ "resume", "POST", "/resume", true, true },
	{ "retry", "POST", "/retry", false, false },
};

static const struct verb *
find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* The manager's words, with one line feed behind them. */
static void
print_answer(const struct fr_call *call)
{
	struct fr_span s = fr_buf_span(&call->answer);
	struct fr_buf safe;

	while (s.len > 0 && s.p[s.len - 1] == '\n')
		s.len--;
	if (s.len == 0)
		return;
	fr_buf_init(&safe, 0);
	if (fr_tty(1))
		fr_str_visible(&safe, s, false);
	else
		fr_buf_addspan(&safe, s);
	(void)puts(fr_buf_cstr(&safe));
	fr_buf_fini(&safe);
}

/* Whether there is a job or a worker: a number that is not 0. */
static bool
is_used(struct fr_span type)
{
	static const char *const names[] = { "scheduled", "queued", "running",
		"complete", "failed", "cancelled", "workers" };
	struct fr_span v;
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		v = fr_json_get(type, names[i]);
		if (v.p != NULL && fr_json_i64(v, 0, INT64_MAX, &n) == FR_OK &&
		    n > 0)
			return true;
	}
	return false;
}

/* A type may be paused before it has jobs; but that may be a slip, too. */
static void
say_if_unused(struct fr_client *cl, const struct verb *v, const char *type)
{
	struct fr_call call = {
		.method = "GET", .path = "/v1/types", .repeatable = true
	};
	struct fr_err err = FR_ERR_INIT;
	struct fr_span json, of;

	/* Who may pause may not read, perhaps: then nothing is known. */
	if (fr_client_call(cl, &call, &err) == FR_OK &&
	    fr_json_check(fr_buf_span(&call.answer), FR_JSON_DEPTH, &json,
		NULL) == FR_OK &&
	    fr_json_type(json) == FR_JSON_OBJECT) {
		of = fr_json_get(json, type);
		if (of.p == NULL ||
		    (fr_json_type(of) == FR_JSON_OBJECT && !is_used(of)))
			fr_warnf("%s %s: done, but there is no job and no "
				 "worker of this type",
			    v->name, type);
	}
	fr_buf_fini(&call.answer);
}

static enum fr_rc
do_one(struct fr_client *cl, const struct conf *conf, const struct verb *v,
    const char *what)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_call call = { .method = v->method,
		.repeatable = v->repeatable,
		.timeout_ms = 60000 };
	char path[160];
	enum fr_rc rc;

	rc = v->of_types
		 ? fr_types_path(path, sizeof(path), what, v->tail, &err)
		 : fr_jobs_path(path, sizeof(path), what, v->tail, &err);
	if (rc == FR_OK) {
		call.path = path;
		rc = fr_client_call(cl, &call, &err);
	}
	if (rc == FR_UNREACHABLE)
		fr_warn(&err);
	else if (rc != FR_OK)
		fr_warnf("%s %s: %s", v->name, what, err.msg);
	else if (conf->json)
		print_answer(&call);
	if (rc == FR_OK && v->of_types)
		say_if_unused(cl, v, what);
	fr_buf_fini(&call.answer);
	return rc;
}

/* The ids or types on stdin, one a line. */
static enum fr_rc
do_stdin(struct fr_client *cl, const struct conf *conf, const struct verb *v)
{
	enum fr_rc rc, worst = FR_OK;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) != -1) {
		while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
			line[--len] = '\0';
		if (len == 0)
			continue;
		rc = do_one(cl, conf, v, line);
		worst = fr_worse(worst, rc);
		if (rc == FR_UNREACHABLE)
			break;
	}
	if (ferror(stdin)) {
		fr_warnf("read stdin: %s", strerror(errno));
		worst = fr_worse(worst, FR_IO);
	}
	free(line);
	return worst;
}

static enum fr_rc
do_all(struct fr_client *cl, const struct conf *conf, const struct verb *v,
    char *const what[], int n)
{
	enum fr_rc rc, worst = FR_OK;
	int i;

	/* One bad id does not stop the rest; no manager does. */
	for (i = 0; i < n && worst != FR_UNREACHABLE; i++) {
		rc = strcmp(what[i], "-") == 0 ? do_stdin(cl, conf, v)
					       : do_one(cl, conf, v, what[i]);
		worst = fr_worse(worst, rc);
	}
	return worst;
}

/* The number in the answer to a purge. */
static enum fr_rc
purged(struct fr_client *cl, const struct fr_call *call, int64_t *n,
    struct fr_err *err)
{
	struct fr_span json, count = { NULL, 0 };

	if (fr_json_check(fr_buf_span(&call->answer), FR_JSON_DEPTH, &json,
		NULL) == FR_OK &&
	    fr_json_type(json) == FR_JSON_OBJECT)
		count = fr_json_get(json, "purged");
	if (count.p != NULL && fr_json_i64(count, 0, INT64_MAX, n) == FR_OK)
		return FR_OK;
	return fr_fail(err, FR_IO,
	    "%s: what it answers has no number; is it fr-manager?",
	    fr_client_url(cl));
}

/* One step of it: *n becomes how many went, PURGE_STEP at most. */
static enum fr_rc
purge_some(struct fr_client *cl, const char *state, int64_t older_ms,
    int64_t *n, struct fr_err *err)
{
	struct fr_call call = { .method = "POST", .repeatable = true };
	char path[128];
	enum fr_rc rc;

	if (!fr_str_format(path, sizeof(path),
		"/v1/purge?state=%s&older=%lld.%03d&limit=%d", state,
		(long long)older_ms / 1000, (int)(older_ms % 1000), PURGE_STEP))
		return fr_fail(err, FR_USAGE, "--older: too long");
	call.path = path;
	rc = fr_client_call(cl, &call, err);
	if (rc == FR_OK)
		rc = purged(cl, &call, n, err);
	fr_buf_fini(&call.answer);
	return rc;
}

/*
 * Step by step, so that one sees it go on. What ends meanwhile is not old
 * enough: the age grows with the time that it takes.
 */
static enum fr_rc
purge(struct fr_client *cl, const struct conf *conf)
{
	const int64_t begun_ms = fr_time_mono_ms();
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc = FR_OK;
	int64_t n, sum = 0, of_state, age_ms = conf->older_ms;
	struct fr_bar bar;
	size_t i;

	fr_bar_begin(&bar, true, 0);
	for (i = 0; rc == FR_OK && i < conf->states.n; i++) {
		of_state = 0;
		do {
			n = 0;
			rc =
			    purge_some(cl, conf->states.v[i], age_ms, &n, &err);
			of_state += n;
			fr_bar_draw(&bar, (uint64_t)(sum + of_state), 0);
			age_ms = conf->older_ms + fr_time_mono_ms() - begun_ms;
		} while (rc == FR_OK && n >= PURGE_STEP);
		sum += of_state;
		fr_bar_clear(&bar);
		if (conf->json && (rc == FR_OK || of_state > 0))
			(void)printf(
			    "{\"purged\":%lld}\n", (long long)of_state);
	}
	if (rc != FR_OK)
		fr_warn(&err);
	if (!conf->json && (rc == FR_OK || sum > 0))
		(void)printf("%lld\n", (long long)sum);
	return rc;
}

/* What does not go together; NULL is purge. */
static const struct verb *
check(const struct conf *conf, char *const argv[], int argc)
{
	const struct verb *v;
	enum fr_state state;
	size_t i;

	if (argc == 0)
		fr_usage(&prog, "no command");
	v = find_verb(argv[0]);
	if (v == NULL && strcmp(argv[0], "purge") != 0)
		fr_usage(&prog, "`%s`: no such command", argv[0]);
	if (v != NULL) {
		if (argc == 1)
			fr_usage(&prog, "%s: no %s", v->name,
			    v->of_types ? "TYPE" : "ID");
		if (conf->states.n > 0 || conf->older_ms >= 0)
			fr_usage(&prog, "--state and --older go with purge");
		return v;
	}
	if (argc > 1)
		fr_usage(&prog, "purge: `%s` is too much", argv[1]);
	if (conf->states.n == 0 || conf->older_ms < 0)
		fr_usage(&prog, "purge: needs --state and --older");
	for (i = 0; i < conf->states.n; i++)
		if (!fr_state_parse(fr_span_of(conf->states.v[i]), &state) ||
		    !fr_state_ended(state))
			fr_usage(&prog,
			    "--state `%s`: none of complete, failed, cancelled",
			    conf->states.v[i]);
	return NULL;
}

int
main(int argc, char *argv[])
{
	struct conf conf = {
		.manager = fr_env_manager(), .retry_ms = 10000, .older_ms = -1
	};
	struct fr_client *cl = NULL;
	struct fr_err err = FR_ERR_INIT;
	const struct verb *v;
	enum fr_rc rc;
	int i = fr_args(&prog, argc, argv, &conf);
	struct fr_client_conf cc;

	v = check(&conf, argv + i, argc - i);
	cc = (struct fr_client_conf){ .manager = conf.manager,
		.token = fr_token(conf.token_file),
		.ca_file = conf.ca_file,
		.retry_ms = conf.retry_ms };
	rc = fr_client_open(&cl, &cc, &err);
	if (rc != FR_OK)
		fr_warn(&err);
	else
		rc = v == NULL
			 ? purge(cl, &conf)
			 : do_all(cl, &conf, v, argv + i + 1, argc - i - 1);
	fr_client_close(cl);
	return fr_finish(rc);
}
