/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"

/*
 * JSON values of users are sent as texts, in quotes, so that a backend keeps
 * them token for token with any JSON library.
 */

void
fr_exec_put_id(struct fr_buf *b, const char *key, const struct fr_uuid *id)
{
	char text[FR_UUID_TEXT];

	fr_uuid_format(text, id);
	fr_jsonw_key(b, key);
	fr_jsonw_strz(b, text);
}

void
fr_exec_put_token(struct fr_buf *b, const char *key, const struct fr_token *t)
{
	char text[FR_TOKEN_TEXT];

	fr_token_format(text, t);
	fr_jsonw_key(b, key);
	fr_jsonw_strz(b, text);
}

void
fr_exec_put_text(struct fr_buf *b, const char *key, struct fr_span v)
{
	if (v.len == 0)
		return;
	fr_jsonw_key(b, key);
	fr_jsonw_str(b, v);
}

void
fr_exec_put_i64(struct fr_buf *b, const char *key, int64_t v)
{
	fr_jsonw_key(b, key);
	fr_jsonw_i64(b, v);
}

void
fr_exec_put_job(struct fr_buf *b, const struct fr_job *job)
{
	fr_jsonw_open(b, '{');
	fr_exec_put_id(b, "id", &job->id);
	fr_exec_put_text(b, "type", job->type);
	fr_exec_put_text(b, "data", job->data);
	fr_exec_put_text(b, "key", job->key);
	fr_jsonw_key(b, "state");
	fr_jsonw_strz(b, fr_state_name(job->state));
	fr_exec_put_i64(b, "priority", job->priority);
	fr_exec_put_i64(b, "max_attempts", job->max_attempts);
	fr_exec_put_i64(b, "timeout_ms", job->timeout_ms);
	fr_exec_put_i64(b, "created_ms", job->created_ms);
	fr_exec_put_i64(b, "run_at_ms", job->run_at_ms);
	fr_jsonw_close(b, '}');
}

void
fr_exec_put_ticket(struct fr_buf *b, const struct fr_ticket *t, bool with_data)
{
	fr_jsonw_open(b, '{');
	fr_exec_put_id(b, "id", &t->id);
	fr_jsonw_key(b, "type");
	fr_jsonw_strz(b, t->type);
	fr_exec_put_i64(b, "priority", t->priority);
	if (with_data)
		fr_exec_put_text(b, "data", t->data);
	fr_jsonw_close(b, '}');
}

static bool
get_state(struct fr_span row, enum fr_state *s)
{
	char name[16];

	return fr_exec_word(row, "state", name, sizeof(name)) &&
	       fr_state_parse(fr_span_of(name), s);
}

/* A count that a row may lack; it is 0 then. */
static bool
get_u32(struct fr_span row, const char *key, uint32_t *v)
{
	int64_t n = 0;

	if (fr_json_get(row, key).p == NULL)
		return true;
	if (!fr_exec_i64(row, key, &n) || n < 0 || n > UINT32_MAX)
		return false;
	*v = (uint32_t)n;
	return true;
}

static bool
get_time(struct fr_span row, const char *key, int64_t *v)
{
	const struct fr_span x = fr_json_get(row, key);

	*v = 0;
	return x.p == NULL || fr_json_type(x) == FR_JSON_NULL ||
	       fr_exec_i64(row, key, v);
}

static bool
get_token(struct fr_span row, struct fr_token *t)
{
	const struct fr_span x = fr_json_get(row, "lease");
	char text[40];

	return x.p == NULL || fr_json_type(x) == FR_JSON_NULL ||
	       (fr_exec_word(row, "lease", text, sizeof(text)) &&
		   fr_token_parse(fr_span_of(text), t));
}

static bool
get_job(struct fr_exec_peer *p, struct fr_span row, struct fr_job *j)
{
	int64_t priority = 0;

	*j = (struct fr_job){ .priority = 0 };
	if (fr_json_type(row) != FR_JSON_OBJECT ||
	    !fr_exec_id(row, "id", &j->id) || !get_state(row, &j->state) ||
	    !fr_exec_i64(row, "priority", &priority) || priority < INT32_MIN ||
	    priority > INT32_MAX)
		return false;
	j->priority = (int32_t)priority;
	return fr_exec_text(p, row, "type", &j->type) &&
	       fr_type_valid(j->type) &&
	       fr_exec_text(p, row, "data", &j->data) &&
	       fr_exec_text(p, row, "key", &j->key) &&
	       fr_exec_text(p, row, "progress", &j->progress) &&
	       fr_exec_text(p, row, "result", &j->result) &&
	       fr_exec_text(p, row, "error", &j->error) &&
	       fr_exec_text(p, row, "log", &j->log) &&
	       fr_exec_text(p, row, "worker", &j->worker) &&
	       get_u32(row, "attempt", &j->attempt) &&
	       get_u32(row, "max_attempts", &j->max_attempts) &&
	       get_u32(row, "fail_count", &j->fail_count) &&
	       get_time(row, "timeout_ms", &j->timeout_ms) &&
	       get_time(row, "created_ms", &j->created_ms) &&
	       get_time(row, "run_at_ms", &j->run_at_ms) &&
	       get_time(row, "started_ms", &j->started_ms) &&
	       get_time(row, "finished_ms", &j->finished_ms) &&
	       get_time(row, "lease_until_ms", &j->lease_until_ms) &&
	       get_token(row, &j->lease);
}

enum fr_rc
fr_exec_jobs(struct fr_exec_peer *p, struct fr_span answer,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_span rows, row;
	struct fr_json_iter it;
	enum fr_rc rc = FR_OK;
	struct fr_job job;
	size_t n;

	if (!fr_exec_array(answer, "jobs", &rows, &n))
		return fr_exec_broken(p, err, "an answer without jobs");
	it = fr_json_iter(rows);
	while (rc == FR_OK && fr_json_element(&it, &row)) {
		if (!get_job(p, row, &job))
			return fr_exec_broken(
			    p, err, "a job that is none in its answer");
		rc = emit(arg, &job);
	}
	return rc;
}

enum fr_rc
fr_exec_tickets(struct fr_exec_peer *p, struct fr_span answer, bool with_data,
    size_t *n, fr_ticket_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_span rows, row;
	char type[FR_TYPE_MAX + 3];
	struct fr_json_iter it;
	struct fr_ticket t;
	enum fr_rc rc = FR_OK;
	int64_t priority;
	size_t found;

	if (!fr_exec_array(answer, "tickets", &rows, &found) || found > *n)
		return fr_exec_broken(
		    p, err, "an answer without tickets, or with too many");
	*n = found;
	it = fr_json_iter(rows);
	while (rc == FR_OK && fr_json_element(&it, &row)) {
		t = (struct fr_ticket){ .type = type };
		if (fr_json_type(row) != FR_JSON_OBJECT ||
		    !fr_exec_id(row, "id", &t.id) ||
		    !fr_exec_word(row, "type", type, sizeof(type)) ||
		    !fr_type_valid(fr_span_of(type)) ||
		    !fr_exec_i64(row, "priority", &priority) ||
		    priority < INT32_MIN || priority > INT32_MAX ||
		    (with_data && !fr_exec_text(p, row, "data", &t.data)))
			return fr_exec_broken(
			    p, err, "a ticket that is none in its answer");
		t.priority = (int32_t)priority;
		rc = emit(arg, &t);
	}
	return rc;
}
