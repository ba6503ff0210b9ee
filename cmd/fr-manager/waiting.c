/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "manager.h"

/* Every wait has a reason (promise 9), and who could end it: the workers. */

static void
scheduled(const struct fr_job *job, char *dst, size_t size)
{
	char at[FR_TIME_TEXT];

	fr_time_format(at, job->run_at_ms);
	if (job->fail_count > 0)
		(void)snprintf(dst, size, "retry after failure %u of %u at %s",
		    job->fail_count, job->max_attempts, at);
	else
		(void)snprintf(dst, size, "until %s", at);
}

void
fr_waiting_text(const struct fr_request *q, const struct fr_job *job, char *dst,
    size_t size)
{
	dst[0] = '\0';
	if (job->state == FR_STATE_SCHEDULED)
		scheduled(job, dst, size);
	if (job->state != FR_STATE_QUEUED)
		return;
	if (q->paused)
		(void)snprintf(dst, size, "type %s is paused", q->type);
	else if (!q->have_workers)
		(void)snprintf(dst, size, "no worker for type %s", q->type);
	else if (q->ahead == -1 || !fr_manager_of(q)->fifo)
		(void)snprintf(dst, size, "queued");
	else if (q->ahead == 0)
		(void)snprintf(dst, size, "queued: next of its type");
	else
		(void)snprintf(dst, size, "queued: about %lld %s ahead",
		    (long long)q->ahead, q->ahead == 1 ? "job" : "jobs");
}

struct fr_json_iter
fr_worker_types(struct fr_span json)
{
	struct fr_span v = { NULL, 0 };

	if (fr_json_check(json, FR_JSON_DEPTH, &v, NULL) == FR_OK &&
	    fr_json_type(v) == FR_JSON_OBJECT)
		v = fr_json_get(v, "types");
	if (v.p == NULL || fr_json_type(v) != FR_JSON_ARRAY)
		v = FR_SPAN("[]");
	return fr_json_iter(v);
}

/* The same question of a worker at another manager. */
static bool
json_has_type(struct fr_span json, const char *type)
{
	struct fr_json_iter it = fr_worker_types(json);
	struct fr_span item;

	while (fr_json_element(&it, &item))
		if (fr_json_type(item) == FR_JSON_STRING &&
		    fr_json_string_is(item, type))
			return true;
	return false;
}

bool
fr_worker_has_type(const struct fr_worker_view *v, const char *type)
{
	size_t i;

	if (v->json.len > 0)
		return json_has_type(v->json, type);
	for (i = 0; i < v->ntypes; i++)
		if (strcmp(v->types[i], type) == 0)
			return true;
	return false;
}
