/* SPDX-License-Identifier: MIT */
#include "submit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "batch.h"
#include "cli/outcome.h"
#include "client/jobs.h"

#define SOON_MS 2000 /* a job that waits longer has a reason */

/* What a signal says on its way; made before it is allowed to come. */
static char parting[160];
static size_t parting_len;

static void
on_signal(int sig)
{
	ssize_t n = write(STDERR_FILENO, parting, parting_len);

	(void)n;
	/* SA_RESETHAND: this time it kills. */
	(void)raise(sig);
}

/* Whoever stops to wait is told how to go on. */
static void
say_id_on_signal(const char *id)
{
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };

	if (!fr_str_format(parting, sizeof(parting),
		"\nfr-submit: job %s goes on; see fr-status --wait %s\n", id,
		id))
		return;
	parting_len = strlen(parting);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGHUP, &sa, NULL);
}

/* To write --wait 5 for --wait=5 is another mistake that is often made. */
static void
say_how_to_wait(const struct conf *conf, const char *type)
{
	int64_t ms;

	if (conf->wait.given && conf->wait.value == NULL &&
	    fr_str_duration(fr_span_of(type), &ms) == FR_OK)
		fr_warnf("`%s` was taken for the TYPE; a time to wait is "
			 "written --wait=%s",
		    type, type);
}

/* Adds the job's JSON. The id is made here, so that it can be sent twice. */
static enum fr_rc
make_job(const struct conf *conf, const char *type, char *const argv[],
    int argc, struct fr_buf *b, struct fr_err *err)
{
	struct fr_uuid_gen gen = { 0, 0 };
	char text[FR_UUID_TEXT];
	struct fr_uuid id;
	struct fr_rand r;
	enum fr_rc rc;

	if (!fr_type_valid(fr_span_of(type)))
		return fr_fail(err, FR_USAGE,
		    "`%s`: not the name of a type (1 to %d of A-Z a-z 0-9 _ . "
		    "-)",
		    type, FR_TYPE_MAX);
	if (conf->id == NULL) {
		fr_rand_init(&r);
		id = fr_uuid_new(&gen, fr_time_wall_ms(), &r);
	} else if (!fr_uuid_parse(fr_span_of(conf->id), &id))
		return fr_fail(
		    err, FR_USAGE, "--id `%s`: not a UUID", conf->id);
	fr_uuid_format(text, &id);
	fr_buf_addf(b, "{\"id\":\"%s\",\"type\":\"%s\"", text, type);
	rc = data_options(conf, b, err);
	if (rc != FR_OK)
		return rc;
	fr_buf_adds(b, ",\"data\":");
	rc = data_value(argv, argc, b, err);
	fr_buf_addc(b, '}');
	if (rc == FR_OK && !fr_buf_ok(b))
		return fr_fail(err, FR_NOMEM, "out of memory");
	return rc;
}

static enum fr_rc
wait_for(struct fr_client *cl, const struct conf *conf, const char *id,
    struct fr_err *err)
{
	const int64_t soon_ms = fr_time_mono_ms() + SOON_MS;
	struct fr_jobview t = { .arena = NULL };
	enum fr_rc rc = FR_TIMEOUT;

	say_id_on_signal(id);
	/* Who sits there and waits is told why. */
	if (fr_tty(STDERR_FILENO) &&
	    (conf->until_ms < 0 || conf->until_ms > soon_ms)) {
		rc = fr_jobs_wait(cl, id, soon_ms, &t, err);
		if (rc == FR_TIMEOUT && t.waiting.len > 0)
			fr_warnf("job %s waits: %.*s", id, (int)t.waiting.len,
			    t.waiting.p);
	}
	if (rc == FR_TIMEOUT)
		rc = fr_jobs_wait(cl, id, conf->until_ms, &t, err);
	if (rc != FR_OK) {
		fr_warnf("job %s: %s", id, err->msg);
		fr_warnf("it goes on; see fr-status --wait %s", id);
	} else if (t.job.state == FR_STATE_COMPLETE)
		fr_outcome_result(t.job.result, conf->raw);
	else {
		fr_outcome_error(t.id, t.job.state, t.job.error);
		rc = FR_JOBFAILED;
	}
	fr_jobview_fini(&t);
	return rc;
}

/*
 * Where the answer was lost the job may be there; with its id it can be sent
 * again without a second one coming of it.
 */
static void
say_how_to_go_on(
    const struct fr_client *cl, enum fr_rc rc, const struct fr_call *call)
{
	const struct fr_span id = fr_json_get(call->body, "id");

	if (rc == FR_AGAIN || (rc == FR_UNREACHABLE && fr_client_reached(cl) &&
				  call->status == 0))
		fr_warnf("it may have been accepted; to send it again is safe "
			 "with --id %.*s",
		    (int)id.len - 2, id.p + 1);
}

enum fr_rc
single(const struct conf *conf, const char *type, char *const argv[], int argc)
{
	const struct fr_client_conf cc = connection(conf);
	struct fr_call call = { .method = "POST",
		.path = "/v1/jobs",
		.repeatable = true,
		.timeout_ms = 60000 };
	struct fr_client *cl = NULL;
	struct fr_err err = FR_ERR_INIT;
	char id[FR_UUID_TEXT];
	struct fr_uuid u;
	struct fr_buf body;
	bool unsure = false;
	enum fr_rc rc;

	fr_buf_init(&body, 0);
	rc = make_job(conf, type, argv, argc, &body, &err);
	if (rc != FR_OK)
		say_how_to_wait(conf, type);
	else
		rc = fr_client_open(&cl, &cc, &err);
	if (rc == FR_OK) {
		call.body = fr_buf_span(&body);
		rc = fr_client_call(cl, &call, &err);
		unsure = rc != FR_OK;
	}
	/* With a key it may be another job's. */
	if (rc == FR_OK && !answered_id(fr_buf_span(&call.answer), &u))
		rc = fr_fail(&err, FR_IO,
		    "%s: what it answers is no id; is it fr-manager?",
		    fr_client_url(cl));
	if (rc != FR_OK) {
		fr_warn(&err);
		if (unsure)
			say_how_to_go_on(cl, rc, &call);
	} else {
		fr_uuid_format(id, &u);
		if (conf->wait.given)
			rc = wait_for(cl, conf, id, &err);
		else if (!conf->quiet)
			(void)puts(id);
	}
	fr_client_close(cl);
	fr_buf_fini(&call.answer);
	fr_buf_fini(&body);
	return rc;
}
