/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/outcome.h"

#define VALUE_MOST 300 /* bytes of data and results that are shown */
#define LOG_LINES 10   /* of the log */

/* "2026-11-24T08:30:00.000Z  3m ago", or "in 3m". */
static void
time_line(struct text *t, const char *name, int64_t at_ms)
{
	char when[FR_TIME_TEXT], ago[32];
	const int64_t past = fr_time_wall_ms() - at_ms;

	if (at_ms == 0)
		return;
	fr_time_format(when, at_ms);
	fr_time_ago(ago, sizeof(ago), past < 0 ? -past : past);
	text_line(t, PLAIN, "%-10s %s  %s%s%s", name, when,
	    past < 0 ? "in " : "", ago, past < 0 ? "" : " ago");
}

/* A value, cut if it is long. */
static void
value_line(struct text *t, const char *name, struct fr_span json)
{
	char label[16];
	struct fr_buf b;

	if (json.len == 0 || fr_json_type(json) == FR_JSON_NULL)
		return;
	fr_buf_init(&b, 0);
	if (json.len <= VALUE_MOST)
		fr_buf_addspan(&b, json);
	else {
		fr_buf_addspan(&b,
		    (struct fr_span){ json.p, fr_utf8_prefix((struct fr_span){
						  json.p, VALUE_MOST }) });
		fr_buf_addf(&b, " ... (%zu bytes; --json shows all)", json.len);
	}
	(void)snprintf(label, sizeof(label), "%-10s ", name);
	text_long(t, PLAIN, label, fr_buf_span(&b));
	fr_buf_fini(&b);
}

/* A text of several lines: the last ones of it. */
static void
lines(struct text *t, const char *name, enum style style, struct fr_span json,
    size_t most)
{
	char label[16];
	struct fr_span rest, line;
	struct fr_buf b;
	const char *nl;
	size_t i, n = 1;

	if (json.len == 0 || fr_json_type(json) == FR_JSON_NULL)
		return;
	fr_buf_init(&b, 0);
	fr_jsonw_text(&b, json);
	while (b.len > 0 && b.p[b.len - 1] == '\n')
		b.len--;
	rest = fr_buf_span(&b);
	for (i = 0; i < rest.len; i++)
		n += rest.p[i] == '\n';
	(void)snprintf(label, sizeof(label), "%-10s ", name);
	for (i = 0; i < n; i++) {
		nl = rest.len > 0 ? memchr(rest.p, '\n', rest.len) : NULL;
		line.p = rest.p;
		line.len = nl != NULL ? (size_t)(nl - rest.p) : rest.len;
		rest.p += line.len + (nl != NULL);
		rest.len -= line.len + (nl != NULL);
		if (i + most < n)
			continue;
		text_long(t, style, label, line);
		memset(label, ' ', 11);
	}
	fr_buf_fini(&b);
}

static void
duration_line(struct text *t, const struct fr_job *job)
{
	const int64_t ms = job->finished_ms - job->started_ms;

	if (job->started_ms > 0 && job->finished_ms > 0 && ms >= 0)
		text_line(t, PLAIN, "%-10s %lld.%03lld s", "took",
		    (long long)ms / 1000, (long long)ms % 1000);
}

/* All about a job, for people. */
static void
job_text(const struct fr_jobview *told, struct text *t)
{
	const struct fr_job *job = &told->job;

	text_line(t, BOLD, "%-10s %s", "job", told->id);
	text_long(t, PLAIN, "type       ", job->type);
	text_line(t, style_of(job->state), "%-10s %s", "state",
	    fr_state_name(job->state));
	if (told->waiting.len > 0)
		text_long(t, YELLOW, "waiting    ", told->waiting);
	text_line(t, PLAIN, "%-10s %u, %u of %u failed", "attempts",
	    job->attempt, job->fail_count, job->max_attempts);
	if (job->priority != 0)
		text_line(t, PLAIN, "%-10s %d", "priority", job->priority);
	if (job->key.len > 0)
		text_long(t, PLAIN, "key        ", job->key);
	if (job->timeout_ms > 0)
		text_line(t, PLAIN, "%-10s %lld.%03lld s", "timeout",
		    (long long)job->timeout_ms / 1000,
		    (long long)job->timeout_ms % 1000);
	time_line(t, "created", job->created_ms);
	if (job->state == FR_STATE_SCHEDULED)
		time_line(t, "runs", job->run_at_ms);
	time_line(t, "started", job->started_ms);
	time_line(t, "finished", job->finished_ms);
	duration_line(t, job);
	if (job->worker.len > 0)
		text_long(t, PLAIN, "worker     ", job->worker);
	value_line(t, "progress", job->progress);
	value_line(t, "data", job->data);
	value_line(t, "result", job->result);
	lines(t, "error", RED, job->error, 100);
	lines(t, "log", DIM, job->log, LOG_LINES);
}

/* A log on stdout, as it is, unless that is a terminal. */
static void
print_log(struct fr_span json)
{
	struct fr_buf text, safe;

	fr_buf_init(&text, 0);
	fr_buf_init(&safe, 0);
	fr_jsonw_text(&text, json);
	if (text.len > 0 && text.p[text.len - 1] != '\n')
		fr_buf_addc(&text, '\n');
	if (fr_tty(STDOUT_FILENO)) {
		fr_str_visible(&safe, fr_buf_span(&text), true);
		(void)fwrite(safe.p, 1, safe.len, stdout);
	} else if (text.len > 0)
		(void)fwrite(text.p, 1, text.len, stdout);
	fr_buf_fini(&safe);
	fr_buf_fini(&text);
}

/* --result: as fr-submit --wait would have said it. */
static enum fr_rc
print_result(const struct conf *conf, const struct fr_jobview *told)
{
	if (told->job.state == FR_STATE_COMPLETE) {
		fr_outcome_result(told->job.result, conf->raw);
		return FR_OK;
	}
	fr_outcome_error(told->id, told->job.state, told->job.error);
	return FR_JOBFAILED;
}

static enum fr_rc
show(const struct conf *conf, const struct fr_jobview *told, bool first)
{
	struct text t;

	if (conf->json) {
		struct fr_span json;

		if (fr_json_check(fr_buf_span(&told->call.answer), 1024, &json,
			NULL) == FR_OK)
			print_json(json);
	} else if (conf->log)
		print_log(told->job.log);
	else if (conf->result)
		return print_result(conf, told);
	else {
		text_init(&t);
		if (!first)
			text_line(&t, PLAIN, "%s", "");
		job_text(told, &t);
		text_print(&t);
		text_fini(&t);
	}
	if (conf->wait.given && told->job.state != FR_STATE_COMPLETE)
		return FR_JOBFAILED;
	return FR_OK;
}

enum fr_rc
jobs(struct fr_client *cl, const struct conf *conf, char *const ids[], int n)
{
	struct fr_jobview told = { .arena = NULL };
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc, worst = FR_OK;
	int i;

	/* One bad id does not stop the rest; no manager does. */
	for (i = 0; i < n && worst != FR_UNREACHABLE; i++) {
		rc = conf->wait.given
			 ? fr_jobs_wait(cl, ids[i], conf->until_ms, &told, &err)
			 : fr_jobs_get(cl, ids[i], &told, &err);
		if (rc == FR_OK)
			rc = show(conf, &told, i == 0);
		else
			fr_warnf("%s: %s", ids[i], err.msg);
		(void)fflush(stdout);
		worst = fr_worse(worst, rc);
	}
	fr_jobview_fini(&told);
	return worst;
}
