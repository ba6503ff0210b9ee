/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "base/uuid.h"
#include "manager.h"
#include "wire/job.h"

/* GET /v1/jobs: newest first, a page at a time. */

#define DEFAULT_LIMIT 100
#define MAX_LIMIT 1000
/* A page ends early rather than become larger than this. */
#define MAX_PAGE ((size_t)8 << 20)

static enum fr_rc
emit(void *arg, const struct fr_job *job)
{
	struct fr_request *q = arg;
	char why[256];

	/* One more than was asked for: then there is another page. */
	if (q->count == q->list.limit - 1 || q->answer.len > MAX_PAGE) {
		q->more = true;
		return FR_EXISTS;
	}
	q->count++;
	q->last_id = job->id;
	fr_waiting_text(q, job, why, sizeof(why));
	fr_wire_job_write(&q->answer, job, why[0] == '\0' ? NULL : why);
	if (q->ndjson)
		fr_buf_addc(&q->answer, '\n');
	return FR_OK;
}

static enum fr_rc
read_list(struct fr_store *s, struct fr_request *q)
{
	enum fr_rc rc;

	q->ahead = -1;
	q->have_workers = true;
	if (!q->ndjson)
		fr_jsonw_open(&q->answer, '[');
	rc = s->ops->list(s, &q->list, emit, q, &q->err);
	if (!q->ndjson) {
		fr_jsonw_close(&q->answer, ']');
		fr_buf_addc(&q->answer, '\n');
	}
	return rc == FR_EXISTS ? FR_OK : rc;
}

/* The states as they were asked for. */
static void
link_states(struct fr_buf *b, unsigned states)
{
	unsigned s;
	bool first = true;

	if (states == FR_STATE_ALL)
		return;
	fr_buf_adds(b, "&state=");
	for (s = 0; s < FR_STATES; s++)
		if ((states & FR_STATE_BIT(s)) != 0) {
			fr_buf_adds(b, first ? "" : ",");
			fr_buf_adds(b, fr_state_name((enum fr_state)s));
			first = false;
		}
}

static void
listed(struct fr_request *q)
{
	char id[FR_UUID_TEXT];
	struct fr_buf link;

	if (q->rc != FR_OK) {
		fr_answer_failed(q, q->rc, &q->err);
		return;
	}
	fr_buf_init(&link, 0);
	if (q->more) {
		fr_uuid_format(id, &q->last_id);
		fr_buf_addf(&link, "Link: </v1/jobs?after=%s&limit=%zu", id,
		    q->list.limit - 1);
		link_states(&link, q->list.states);
		if (q->list.type.len > 0)
			fr_buf_addf(&link, "&type=%s", q->type);
		fr_buf_adds(&link, ">; rel=\"next\"\r\n");
	}
	fr_answer_as(q, 200,
	    q->ndjson ? "application/x-ndjson" : "application/json", &q->answer,
	    q->more ? fr_buf_cstr(&link) : NULL);
	fr_buf_fini(&link);
}

/* "queued" or "queued,running". */
static bool
take_states(struct fr_request *q)
{
	char text[128];
	struct fr_span rest, name;
	enum fr_state state;
	const char *comma;
	enum fr_rc rc;

	q->list.states = FR_STATE_ALL;
	rc = fr_param(q, "state", text, sizeof(text));
	if (rc != FR_OK)
		return rc == FR_NOTFOUND;
	q->list.states = 0;
	rest = fr_span_of(text);
	do {
		comma = memchr(rest.p, ',', rest.len);
		name = (struct fr_span){ rest.p,
			comma == NULL ? rest.len : (size_t)(comma - rest.p) };
		if (!fr_state_parse(name, &state)) {
			fr_answer_problem(q, 422, "about:blank",
			    "parameter `state`: must be scheduled, queued, "
			    "running, complete, failed or cancelled");
			return false;
		}
		q->list.states |= FR_STATE_BIT(state);
		rest.p += name.len + (comma != NULL);
		rest.len -= name.len + (comma != NULL);
	} while (comma != NULL);
	return true;
}

static bool
take_type(struct fr_request *q)
{
	const enum fr_rc rc = fr_param(q, "type", q->type, sizeof(q->type));

	if (rc == FR_NOTFOUND) {
		q->type[0] = '\0';
		return true;
	}
	if (rc != FR_OK)
		return false;
	q->list.type = fr_span_of(q->type);
	if (fr_type_valid(q->list.type))
		return true;
	fr_answer_problem(
	    q, 422, "about:blank", "parameter `type`: no name of a type");
	return false;
}

static bool
take_limit(struct fr_request *q)
{
	int64_t n = DEFAULT_LIMIT;
	const enum fr_rc rc = fr_param_int(q, "limit", MAX_LIMIT, &n);

	if (rc != FR_OK && rc != FR_NOTFOUND)
		return false;
	q->list.limit = (size_t)n + 1;
	return true;
}

static bool
take_after(struct fr_request *q)
{
	char text[64];
	const enum fr_rc rc = fr_param(q, "after", text, sizeof(text));

	if (rc != FR_OK)
		return rc == FR_NOTFOUND;
	if (!fr_uuid_parse(fr_span_of(text), &q->id)) {
		fr_answer_problem(
		    q, 422, "about:blank", "parameter `after`: must be a UUID");
		return false;
	}
	q->list.after = &q->id;
	return true;
}

void
fr_jobs_list(struct fr_request *q)
{
	static const char *const known[] = { "state", "type", "limit", "after",
		NULL };

	if (fr_params_known(q, known) && take_states(q) && take_type(q) &&
	    take_limit(q) && take_after(q))
		fr_ask_list(q, read_list, listed);
}
