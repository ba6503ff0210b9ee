/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <string.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"

/* A count in an answer; 0 if it is not there. */
static int64_t
count_of(struct fr_span object, const char *name)
{
	struct fr_span v = fr_json_get(object, name);
	int64_t n = 0;

	if (v.p == NULL || fr_json_i64(v, INT64_MIN, INT64_MAX, &n) != FR_OK)
		return 0;
	return n;
}

static void
text_cell(struct table *t, struct fr_span json)
{
	struct fr_buf b;

	fr_buf_init(&b, 0);
	if (json.p != NULL)
		fr_jsonw_text(&b, json);
	table_span(t, fr_buf_span(&b));
	fr_buf_fini(&b);
}

static enum fr_rc
no_manager(const char *what, struct fr_err *err)
{
	return fr_fail(err, FR_IO, "%s: not what a manager answers", what);
}

static enum fr_rc
types_text(
    struct fr_span json, struct text *t, int64_t *ended, struct fr_err *err)
{
	static const char *const heads[] = { "TYPE", ">SCHEDULED", ">QUEUED",
		">RUNNING", ">COMPLETE", ">FAILED", ">CANCELLED", ">WORKERS",
		"" };
	static const char *const names[] = { "scheduled", "queued", "running",
		"complete", "failed", "cancelled", "workers" };
	struct fr_json_iter it;
	struct fr_span key, value, paused;
	struct table table;
	size_t i, n = 0;

	if (fr_json_type(json) != FR_JSON_OBJECT)
		return no_manager("/v1/types", err);
	table_init(&table, heads, sizeof(heads) / sizeof(heads[0]));
	it = fr_json_iter(json);
	*ended = 0;
	while (fr_json_member(&it, &key, &value)) {
		if (fr_json_type(value) != FR_JSON_OBJECT)
			continue;
		text_cell(&table, key);
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			table_cell(&table, "%lld",
			    (long long)count_of(value, names[i]));
		*ended += count_of(value, "complete") +
			  count_of(value, "failed") +
			  count_of(value, "cancelled");
		paused = fr_json_get(value, "paused");
		table_cell(&table, "%s",
		    paused.p != NULL && fr_json_type(paused) == FR_JSON_TRUE
			? "paused"
			: "");
		n++;
	}
	if (n > 0)
		table_write(&table, t, true);
	else
		text_line(t, DIM, "no jobs and no workers yet");
	table_fini(&table);
	return FR_OK;
}

/* "123s" since an RFC 3339 time, or "". */
static void
ago_cell(struct table *t, struct fr_span json)
{
	char ago[32] = "";
	int64_t ms;

	if (json.p != NULL && json.len > 2 &&
	    fr_json_type(json) == FR_JSON_STRING &&
	    fr_time_parse((struct fr_span){ json.p + 1, json.len - 2 }, &ms) ==
		FR_OK)
		fr_time_ago(ago, sizeof(ago), fr_time_wall_ms() - ms);
	table_cell(t, "%s", ago);
}

static size_t
elements(struct fr_span json)
{
	struct fr_json_iter it;
	struct fr_span e;
	size_t n = 0;

	if (json.p == NULL || fr_json_type(json) != FR_JSON_ARRAY)
		return 0;
	it = fr_json_iter(json);
	while (fr_json_element(&it, &e))
		n++;
	return n;
}

static void
types_cell(struct table *t, struct fr_span json)
{
	struct fr_json_iter it;
	struct fr_span e;
	struct fr_buf b;

	fr_buf_init(&b, 0);
	if (json.p != NULL && fr_json_type(json) == FR_JSON_ARRAY) {
		it = fr_json_iter(json);
		while (fr_json_element(&it, &e)) {
			if (b.len > 0)
				fr_buf_addc(&b, ',');
			fr_jsonw_text(&b, e);
		}
	}
	table_span(t, fr_buf_span(&b));
	fr_buf_fini(&b);
}

/*
 * What the worker runs, has fetched ahead, and could run besides. One that
 * does not say how many jobs it runs at a time is taken to run all it has.
 */
static void
load_cells(struct table *t, struct fr_span worker)
{
	const size_t jobs = elements(fr_json_get(worker, "current_jobs"));
	const int64_t most = count_of(worker, "concurrency");
	const size_t running =
	    most > 0 && (int64_t)jobs > most ? (size_t)most : jobs;

	table_cell(t, "%zu", running);
	table_cell(t, "%zu", jobs - running);
	if (most > 0)
		table_cell(t, "%lld", (long long)most - (long long)running);
	else
		table_cell(t, "-");
}

enum fr_rc
workers_text(struct fr_span json, struct text *t, struct fr_err *err)
{
	static const char *const heads[] = { "WORKER", "HOST", ">PID",
		">RUNNING", ">AHEAD", ">FREE", ">SEEN", "TYPES" };
	struct fr_json_iter it;
	struct table table;
	struct fr_span w;
	size_t n = 0;

	if (fr_json_type(json) != FR_JSON_ARRAY)
		return no_manager("/v1/workers", err);
	table_init(&table, heads, sizeof(heads) / sizeof(heads[0]));
	it = fr_json_iter(json);
	while (fr_json_element(&it, &w)) {
		if (fr_json_type(w) != FR_JSON_OBJECT)
			continue;
		text_cell(&table, fr_json_get(w, "id"));
		text_cell(&table, fr_json_get(w, "host"));
		table_cell(&table, "%lld", (long long)count_of(w, "pid"));
		load_cells(&table, w);
		ago_cell(&table, fr_json_get(w, "last_seen"));
		types_cell(&table, fr_json_get(w, "types"));
		n++;
	}
	if (n > 0)
		table_write(&table, t, true);
	else
		text_line(t, YELLOW, "no workers");
	table_fini(&table);
	return FR_OK;
}

/* A flag of /readyz, if it is not as it should be. */
static void
flag_line(struct text *t, struct fr_span json, const char *name,
    enum fr_json_type good, const char *words)
{
	const struct fr_span v = fr_json_get(json, name);

	if (v.p != NULL && fr_json_type(v) != good)
		text_line(t, YELLOW, "%s", words);
}

static void
backend_line(struct text *t, struct fr_span json, const char *name)
{
	const struct fr_span v = fr_json_get(json, name);
	char label[16];
	struct fr_buf b;

	if (v.p == NULL || !fr_str_format(label, sizeof(label), "%s: ", name))
		return;
	fr_buf_init(&b, 0);
	fr_jsonw_text(&b, v);
	text_long(t, PLAIN, label, fr_buf_span(&b));
	fr_buf_fini(&b);
}

/* The manager and what is behind it, from /readyz. That it is not ready is
 * what was asked for, so it is not asked again. */
static void
ready_text(struct fr_client *cl, struct text *t)
{
	struct fr_call call = { .method = "GET",
		.path = "/readyz",
		.timeout_ms = 10000,
		.hasty = true };
	struct fr_err err = FR_ERR_INIT;
	struct fr_span json;

	if (fr_client_call(cl, &call, &err) != FR_OK)
		text_line(t, RED, "not ready: %s", err.msg);
	else
		text_line(t, BOLD, "%s: ready", fr_client_url(cl));
	if (fr_json_check(fr_buf_span(&call.answer), FR_JSON_DEPTH, &json,
		NULL) == FR_OK &&
	    fr_json_type(json) == FR_JSON_OBJECT) {
		backend_line(t, json, "reason");
		backend_line(t, json, "store");
		backend_line(t, json, "queue");
		flag_line(t, json, "durable", FR_JSON_TRUE,
		    "jobs are not kept: the store is for tests");
		flag_line(t, json, "loading", FR_JSON_FALSE,
		    "the queue is being filled from the store");
		flag_line(t, json, "degraded", FR_JSON_FALSE,
		    "the queue fails; the store stands in for it");
	}
	fr_buf_fini(&call.answer);
}

static void
take_pace(struct pace *pace, int64_t ended)
{
	const int64_t now = fr_time_mono_ms();
	const int64_t ms = now - pace->at_ms;

	pace->per_second = -1;
	if (pace->at_ms > 0 && ms > 0 && ended >= pace->ended)
		pace->per_second = (ended - pace->ended) * 1000 / ms;
	pace->at_ms = now;
	pace->ended = ended;
}

enum fr_rc
overview_text(
    struct fr_client *cl, struct text *t, struct pace *pace, struct fr_err *err)
{
	struct fr_call call = { .hasty = true };
	struct fr_span json;
	int64_t ended = 0;
	enum fr_rc rc;

	rc = get_json(cl, "/v1/types", &call, &json, err);
	if (rc == FR_OK || rc == FR_AGAIN)
		ready_text(cl, t);
	if (rc != FR_OK)
		goto out;
	text_line(t, PLAIN, "%s", "");
	rc = types_text(json, t, &ended, err);
	if (rc == FR_OK && pace != NULL) {
		take_pace(pace, ended);
		if (pace->per_second >= 0)
			text_line(t, DIM, "%lld jobs ended a second",
			    (long long)pace->per_second);
	}
	if (rc == FR_OK)
		rc = get_json(cl, "/v1/workers", &call, &json, err);
	if (rc == FR_OK) {
		text_line(t, PLAIN, "%s", "");
		rc = workers_text(json, t, err);
	}
out:
	fr_buf_fini(&call.answer);
	return rc;
}

/* {"ready":…,"types":…,"workers":…}, each as the manager says it. */
static enum fr_rc
overview_json(struct fr_client *cl, struct fr_err *err)
{
	static const char *const parts[][2] = { { "ready", "/readyz" },
		{ "types", "/v1/types" }, { "workers", "/v1/workers" } };
	struct fr_call call = { .method = NULL };
	struct fr_span json;
	struct fr_buf b;
	enum fr_rc rc = FR_OK;
	size_t i;

	fr_buf_init(&b, 0);
	fr_jsonw_open(&b, '{');
	for (i = 0; rc == FR_OK && i < 3; i++) {
		fr_jsonw_key(&b, parts[i][0]);
		rc = get_json(cl, parts[i][1], &call, &json, err);
		if (rc == FR_OK)
			fr_jsonw_raw(&b, json);
	}
	fr_jsonw_close(&b, '}');
	if (rc == FR_OK)
		print_json(fr_buf_span(&b));
	fr_buf_fini(&call.answer);
	fr_buf_fini(&b);
	return rc;
}

enum fr_rc
overview(struct fr_client *cl, const struct conf *conf)
{
	struct fr_err err = FR_ERR_INIT;
	struct text t;
	enum fr_rc rc;

	text_init(&t);
	rc = conf->json ? overview_json(cl, &err)
			: overview_text(cl, &t, NULL, &err);
	if (rc != FR_OK)
		fr_warn(&err);
	if (!conf->json && (rc == FR_OK || rc == FR_AGAIN))
		text_print(&t);
	text_fini(&t);
	return rc;
}

enum fr_rc
workers(struct fr_client *cl, const struct conf *conf)
{
	struct fr_call call = { .method = NULL };
	struct fr_err err = FR_ERR_INIT;
	struct fr_span json;
	struct text t;
	enum fr_rc rc;

	text_init(&t);
	rc = get_json(cl, "/v1/workers", &call, &json, &err);
	if (rc == FR_OK && conf->json)
		print_json(json);
	else if (rc == FR_OK)
		rc = workers_text(json, &t, &err);
	if (rc != FR_OK)
		fr_warn(&err);
	else
		text_print(&t);
	text_fini(&t);
	fr_buf_fini(&call.answer);
	return rc;
}
