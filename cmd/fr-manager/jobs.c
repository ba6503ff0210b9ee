/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "manager.h"
#include "wire/job.h"

/* One job: reading it, waiting for it, cancel, retry, remove. */

#define MAX_WAIT_MS ((int64_t)3600 * 1000)
/* How far back the place in the queue is counted. */
#define MAX_AHEAD 10000

/* ---- reading one -------------------------------------------------------- */

static enum fr_rc
emit_job(void *arg, const struct fr_job *job)
{
	struct fr_request *q = arg;
	char why[256];

	q->count++;
	q->queued = job->state == FR_STATE_QUEUED;
	(void)fr_str_copy(q->type, sizeof(q->type), job->type);
	fr_waiting_text(q, job, why, sizeof(why));
	fr_buf_reset(&q->answer);
	fr_wire_job_write(&q->answer, job, why[0] == '\0' ? NULL : why);
	return FR_OK;
}

static enum fr_rc
read_job(struct fr_store *s, struct fr_request *q)
{
	enum fr_rc rc;

	q->count = 0;
	rc = s->ops->get(s, &q->id, 1, emit_job, q, &q->err);
	if (rc == FR_OK && q->count == 0)
		return fr_fail(&q->err, FR_NOTFOUND, "no such job");
	return rc;
}

static enum fr_rc
emit_ticket(void *arg, const struct fr_ticket *t)
{
	struct fr_request *q = arg;

	if (fr_uuid_eq(&t->id, &q->id))
		return FR_EXISTS;
	q->ahead++;
	return FR_OK;
}

static enum fr_rc
emit_paused(void *arg, const struct fr_type_stats *t)
{
	struct fr_request *q = arg;

	if (strcmp(t->type, q->type) == 0)
		q->paused = t->paused;
	return FR_OK;
}

/* What a queued job waits for, and the job as it is after that. Only if the
 * queue cannot tell its place is that looked for in the store. */
static enum fr_rc
read_queued(struct fr_store *s, struct fr_request *q)
{
	size_t n = MAX_AHEAD;
	int64_t cursor = 0;
	enum fr_rc rc;

	if (q->ahead == -1) {
		q->ahead = 0;
		rc = s->ops->get_queue(
		    s, q->type, false, &cursor, &n, emit_ticket, q, &q->err);
		if (rc != FR_EXISTS && !(rc == FR_OK && q->ahead == MAX_AHEAD))
			q->ahead = -1;
		q->err.msg[0] = '\0';
	}
	rc = s->ops->stats(s, emit_paused, q, &q->err);
	return rc == FR_OK ? read_job(s, q) : rc;
}

static void
answer_job(struct fr_request *q)
{
	if (q->rc != FR_OK)
		fr_answer_failed(q, q->rc, &q->err);
	else
		fr_answer_json(q, 200, &q->answer);
}

static void
got_workers(struct fr_request *q)
{
	const struct fr_worker_view *v = q->op.u.workers.v;
	size_t i;

	q->have_workers = true;
	if (q->op.rc == FR_OK) {
		q->have_workers = false;
		for (i = 0; i < q->op.u.workers.n; i++)
			q->have_workers |= fr_worker_has_type(&v[i], q->type);
		q->ahead = q->op.u.workers.ahead;
		if (q->ahead > MAX_AHEAD)
			q->ahead = MAX_AHEAD;
	}
	fr_ask_reader(q, read_queued, answer_job);
}

/* A queued job has to say why it is not running: that takes more looking. */
static void
got_job(struct fr_request *q)
{
	if (q->rc != FR_OK || !q->queued) {
		answer_job(q);
		return;
	}
	memset(&q->op, 0, sizeof(q->op));
	q->op.kind = FR_OP_WORKERS;
	q->op.u.workers.type = q->type;
	q->op.u.workers.id = q->id;
	fr_ask_engine(q, false, got_workers);
}

static void
get_now(struct fr_request *q)
{
	q->have_workers = true;
	q->ahead = -1;
	fr_ask_reader(q, read_job, got_job);
}

static void
waited(struct fr_request *q)
{
	/* Ended, or its time is over: whichever, the store says. */
	if (q->op.rc != FR_OK && q->op.rc != FR_NOTFOUND &&
	    q->op.rc != FR_TIMEOUT)
		fr_answer_failed(q, FR_AGAIN, &q->op.err);
	else
		get_now(q);
}

static void
wait_then_get(struct fr_request *q)
{
	if (q->wait_ms == 0) {
		get_now(q);
		return;
	}
	q->op.kind = FR_OP_WAIT;
	q->op.u.wait.id = q->id;
	q->op.u.wait.wait_ms = q->wait_ms;
	fr_ask_engine(q, true, waited);
}

void
fr_jobs_get(struct fr_request *q)
{
	static const char *const known[] = { "wait", NULL };
	enum fr_rc rc;

	if (!fr_params_known(q, known))
		return;
	rc = fr_param_ms(q, "wait", &q->wait_ms);
	if (rc != FR_OK && rc != FR_NOTFOUND)
		return;
	if (q->wait_ms > MAX_WAIT_MS)
		q->wait_ms = MAX_WAIT_MS;
	fr_ask_whole(q, wait_then_get);
}

/* ---- cancel, retry, remove ---------------------------------------------- */

static void
edited(struct fr_request *q)
{
	struct fr_buf b;

	if (q->op.rc != FR_OK && q->op.rc != FR_EXISTS) {
		fr_answer_failed(q, q->op.rc, &q->op.err);
		return;
	}
	fr_buf_init(&b, 0);
	fr_jsonw_open(&b, '{');
	{
		char id[FR_UUID_TEXT];

		fr_uuid_format(id, &q->id);
		fr_jsonw_key(&b, "id");
		fr_jsonw_strz(&b, id);
	}
	fr_jsonw_close(&b, '}');
	fr_answer_json(q, 200, &b);
}

static void
edit(struct fr_request *q)
{
	q->op.u.edit.id = q->id;
	fr_ask_engine(q, false, edited);
}

static void
ask_edit(struct fr_request *q, enum fr_op_kind kind)
{
	static const char *const none[] = { NULL };

	q->op.kind = kind;
	if (fr_params_known(q, none))
		fr_ask_whole(q, edit);
}

void
fr_jobs_cancel(struct fr_request *q)
{
	ask_edit(q, FR_OP_CANCEL);
}

void
fr_jobs_retry(struct fr_request *q)
{
	ask_edit(q, FR_OP_RETRY);
}

void
fr_jobs_remove(struct fr_request *q)
{
	ask_edit(q, FR_OP_REMOVE);
}
