/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "wire/job.h"

#define PAGE 100      /* jobs a request, for people */
#define JSON_PAGE 100 /* and with --json: a job may be megabytes long */

/* Where a list goes: rows of a table, or JSON as it came. */
struct page {
	struct table table;
	bool json;
	int64_t n;
	char last[FR_UUID_TEXT]; /* where the next page begins; "" none */
};

/* The first line of an error, or why it waits. */
static void
note_cell(struct table *t, const struct fr_job *job, struct fr_span waiting)
{
	struct fr_buf b;

	fr_buf_init(&b, 0);
	if (waiting.len > 0 && !fr_span_is(waiting, fr_state_name(job->state)))
		fr_buf_addspan(&b, waiting);
	else if (job->error.len > 0)
		fr_jsonw_text(&b, job->error);
	else if (job->state == FR_STATE_RUNNING)
		fr_jsonw_text(&b, job->progress);
	if (b.len > 0 && memchr(b.p, '\n', b.len) != NULL)
		b.len = (size_t)((char *)memchr(b.p, '\n', b.len) - b.p);
	if (b.len > 100)
		b.len = fr_utf8_prefix((struct fr_span){ b.p, 100 });
	table_span(t, fr_buf_span(&b));
	fr_buf_fini(&b);
}

static enum fr_rc
add_job(struct page *page, struct fr_span json, struct fr_err *err)
{
	struct fr_arena *arena = fr_arena_new(0);
	struct fr_span waiting = { NULL, 0 };
	struct fr_job job;
	char age[32];
	enum fr_rc rc;

	if (arena == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	rc = fr_wire_job_read(json, arena, &job, &waiting, err);
	if (rc == FR_OK) {
		page->n++;
		fr_uuid_format(page->last, &job.id);
		if (page->json)
			print_json(json);
		else {
			table_cell(&page->table, "%s", page->last);
			table_cell(
			    &page->table, "%s", fr_state_name(job.state));
			table_cell(&page->table, "%u/%u", job.fail_count,
			    job.max_attempts);
			fr_time_ago(age, sizeof(age),
			    fr_time_wall_ms() - job.created_ms);
			table_cell(&page->table, "%s", age);
			table_span(&page->table, job.type);
			note_cell(&page->table, &job, waiting);
		}
	}
	fr_arena_free(arena);
	return rc;
}

static enum fr_rc
get_page(struct fr_client *cl, const struct conf *conf, int64_t limit,
    struct page *page, struct fr_err *err)
{
	struct fr_call call = { .method = NULL };
	struct fr_json_iter it;
	struct fr_span json, e;
	struct fr_buf path;
	enum fr_rc rc;

	fr_buf_init(&path, 0);
	fr_buf_addf(&path, "/v1/jobs?limit=%lld", (long long)limit);
	/* All of these were checked: nothing in them needs escaping. */
	if (conf->state != NULL)
		fr_buf_addf(&path, "&state=%s", conf->state);
	if (conf->type != NULL)
		fr_buf_addf(&path, "&type=%s", conf->type);
	if (page->last[0] != '\0')
		fr_buf_addf(&path, "&after=%s", page->last);
	page->n = 0;
	rc = get_json(cl, fr_buf_cstr(&path), &call, &json, err);
	if (rc == FR_OK && fr_json_type(json) != FR_JSON_ARRAY)
		rc =
		    fr_fail(err, FR_IO, "/v1/jobs: not what a manager answers");
	if (rc == FR_OK) {
		it = fr_json_iter(json);
		while (rc == FR_OK && fr_json_element(&it, &e))
			rc = add_job(page, e, err);
	}
	fr_buf_fini(&path);
	fr_buf_fini(&call.answer);
	return rc;
}

static enum fr_rc
page_init(struct page *page, const struct conf *conf, struct fr_err *err)
{
	static const char *const heads[] = { "ID", "STATE", ">FAILED", ">AGE",
		"TYPE", "" };
	struct fr_uuid id;

	memset(page, 0, sizeof(*page));
	page->json = conf->json;
	table_init(&page->table, heads, sizeof(heads) / sizeof(heads[0]));
	if (conf->after == NULL)
		return FR_OK;
	if (!fr_uuid_parse(fr_span_of(conf->after), &id))
		return fr_fail(err, FR_USAGE, "--after `%s`: needs a whole id",
		    conf->after);
	fr_uuid_format(page->last, &id);
	return FR_OK;
}

enum fr_rc
list_text(struct fr_client *cl, const struct conf *conf, int64_t limit,
    struct text *t, struct fr_err *err)
{
	struct page page;
	enum fr_rc rc = page_init(&page, conf, err);

	if (rc == FR_OK)
		rc = get_page(cl, conf, limit, &page, err);
	if (rc == FR_OK && page.n > 0)
		table_write(&page.table, t, true);
	table_fini(&page.table);
	return rc;
}

enum fr_rc
list(struct fr_client *cl, const struct conf *conf)
{
	struct fr_err err = FR_ERR_INIT;
	int64_t left = conf->limit > 0 ? conf->limit : INT64_MAX, ask;
	struct page page;
	struct text t;
	bool first = true;
	enum fr_rc rc;

	text_init(&t);
	rc = page_init(&page, conf, &err);
	while (rc == FR_OK && left > 0) {
		ask = conf->json ? JSON_PAGE : PAGE;
		if (ask > left)
			ask = left;
		rc = get_page(cl, conf, ask, &page, &err);
		/* A page may be short because its jobs are long: only an
		 * empty one is the end. */
		if (rc != FR_OK || page.n == 0)
			break;
		left -= page.n;
		if (!conf->json) {
			text_reset(&t);
			table_write(&page.table, &t, first);
			text_print(&t);
			fr_buf_reset(&page.table.cells);
			page.table.ncells = 0;
		}
		first = false;
		if (ferror(stdout))
			break;
	}
	if (rc != FR_OK)
		fr_warn(&err);
	table_fini(&page.table);
	text_fini(&t);
	return rc;
}
