/* SPDX-License-Identifier: MIT */
#include "store.h"

#include "base/assert.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/uuid.h"

/* Jobs, tickets and counts that the child is asked for. */

enum fr_rc
fr_exec_get(struct fr_store *base, const struct fr_uuid *ids, size_t n,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	char text[FR_UUID_TEXT];
	enum fr_rc rc = fr_exec_call(s, "get", err);
	size_t i;

	if (rc != FR_OK)
		return rc;
	fr_exec_open_list(s, "ids");
	for (i = 0; i < n; i++) {
		fr_uuid_format(text, &ids[i]);
		fr_jsonw_strz(&s->peer.tx, text);
	}
	fr_exec_close_list(s);
	return fr_exec_jobs_answer(s, emit, arg, err);
}

enum fr_rc
fr_exec_find(struct fr_store *base, const char *hex, size_t limit,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	enum fr_rc rc = fr_exec_call(s, "find", err);

	if (rc != FR_OK)
		return rc;
	fr_jsonw_key(&s->peer.tx, "prefix");
	fr_jsonw_strz(&s->peer.tx, hex);
	fr_exec_put_i64(&s->peer.tx, "limit", (int64_t)limit);
	return fr_exec_jobs_answer(s, emit, arg, err);
}

/* A member with the names of states. */
static void
put_states(struct fr_exec_store *s, unsigned states)
{
	int i;

	fr_exec_open_list(s, "states");
	for (i = 0; i < FR_STATES; i++)
		if ((states & FR_STATE_BIT(i)) != 0)
			fr_jsonw_strz(
			    &s->peer.tx, fr_state_name((enum fr_state)i));
	fr_exec_close_list(s);
}

static void
put_or_null(struct fr_exec_store *s, const char *key, struct fr_span v)
{
	fr_jsonw_key(&s->peer.tx, key);
	if (v.len > 0)
		fr_jsonw_str(&s->peer.tx, v);
	else
		fr_jsonw_null(&s->peer.tx);
}

enum fr_rc
fr_exec_list(struct fr_store *base, const struct fr_list *l,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	enum fr_rc rc = fr_exec_call(s, "list", err);

	if (rc != FR_OK)
		return rc;
	put_states(s, l->states);
	put_or_null(s, "type", l->type);
	if (l->after != NULL)
		fr_exec_put_id(&s->peer.tx, "after", l->after);
	else
		put_or_null(s, "after", (struct fr_span){ NULL, 0 });
	fr_exec_put_i64(&s->peer.tx, "limit", (int64_t)l->limit);
	return fr_exec_jobs_answer(s, emit, arg, err);
}

enum fr_rc
fr_exec_get_queue(struct fr_store *base, const char *type, bool with_data,
    int64_t *cursor, size_t *n, fr_ticket_emit_fn *emit, void *arg,
    struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_span answer;
	int64_t next = *cursor;
	enum fr_rc rc = fr_exec_call(s, "get_queue", err);

	if (rc != FR_OK)
		return rc;
	put_or_null(s, "type", fr_span_of(type));
	fr_jsonw_key(&s->peer.tx, "with_data");
	fr_jsonw_bool(&s->peer.tx, with_data);
	fr_exec_put_i64(&s->peer.tx, "cursor", *cursor);
	fr_exec_put_i64(&s->peer.tx, "limit", (int64_t)*n);
	rc = fr_exec_answer(&s->peer, &answer, err);
	if (rc == FR_OK && type == NULL &&
	    !fr_exec_i64(answer, "cursor", &next))
		rc = fr_exec_broken(&s->peer, err, "a walk without a cursor");
	if (rc == FR_OK)
		rc = fr_exec_tickets(
		    &s->peer, answer, with_data, n, emit, arg, err);
	*cursor = next;
	return rc;
}

enum fr_rc
fr_exec_running(struct fr_store *base, struct fr_span worker,
    fr_job_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	enum fr_rc rc = fr_exec_call(s, "running", err);

	if (rc != FR_OK)
		return rc;
	put_or_null(s, "worker", worker);
	return fr_exec_jobs_answer(s, emit, arg, err);
}

enum fr_rc
fr_exec_purge(struct fr_store *base, unsigned states, int64_t before_ms,
    size_t *n, struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	struct fr_span answer;
	int64_t count = 0;
	enum fr_rc rc = fr_exec_call(s, "purge", err);

	fr_assert(s->in_tx);
	if (rc != FR_OK)
		return rc;
	put_states(s, states & FR_STATE_ENDED);
	fr_exec_put_i64(&s->peer.tx, "before_ms", before_ms);
	fr_exec_put_i64(&s->peer.tx, "limit", (int64_t)*n);
	rc = fr_exec_answer(&s->peer, &answer, err);
	if (rc == FR_OK && (!fr_exec_i64(answer, "count", &count) ||
			       count < 0 || (size_t)count > *n))
		rc = fr_exec_broken(&s->peer, err, "a count that is none");
	if (rc == FR_OK)
		*n = (size_t)count;
	return rc;
}

static bool
get_stats(struct fr_span row, char *type, size_t size, struct fr_type_stats *st)
{
	int i;

	*st = (struct fr_type_stats){ .type = type };
	if (fr_json_type(row) != FR_JSON_OBJECT ||
	    !fr_exec_word(row, "type", type, size) ||
	    !fr_type_valid(fr_span_of(type)) ||
	    !fr_exec_bool(row, "paused", &st->paused))
		return false;
	for (i = 0; i < FR_STATES; i++)
		if (!fr_exec_i64(
			row, fr_state_name((enum fr_state)i), &st->n[i]))
			return false;
	return true;
}

enum fr_rc
fr_exec_stats(struct fr_store *base, fr_stats_emit_fn *emit, void *arg,
    struct fr_err *err)
{
	struct fr_exec_store *s = fr_exec_self(base);
	char type[FR_TYPE_MAX + 3];
	struct fr_type_stats st;
	struct fr_span answer, rows, row;
	struct fr_json_iter it;
	enum fr_rc rc = fr_exec_call(s, "stats", err);
	size_t n;

	if (rc == FR_OK)
		rc = fr_exec_answer(&s->peer, &answer, err);
	if (rc != FR_OK)
		return rc;
	if (!fr_exec_array(answer, "types", &rows, &n))
		return fr_exec_broken(&s->peer, err, "stats without types");
	it = fr_json_iter(rows);
	while (rc == FR_OK && fr_json_element(&it, &row)) {
		if (!get_stats(row, type, sizeof(type), &st))
			return fr_exec_broken(
			    &s->peer, err, "stats that make no sense");
		rc = emit(arg, &st);
	}
	return rc;
}
