/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "loop.h"
#include "wire/problem.h"
#include "wire/work.h"

#define RETRY_FIRST_MS 50
#define RETRY_MOST_MS 1000
#define DRAIN_AWAY_MS 10000

/* A job that we have already, by an older lease: that one is lost. */
static void
replace(struct loop *l, const struct fr_uuid *id)
{
	struct job *old = held_find(&l->held, id);

	if (old == NULL)
		return;
	old->orphan = true;
	if (!old->with_runner)
		return; /* its report will be refused */
	old->stopping = true;
	fr_runner_stop(l->runner, &old->task, false);
}

static void
take_jobs(struct loop *l, struct intake *in, const struct fr_exchange *x,
    int64_t sent_ms)
{
	struct job *j;
	size_t i;

	in->refs = 1;
	for (i = 0; i < x->njobs; i++) {
		replace(l, &x->jobs[i].id);
		j = held_take(&l->held, in, &x->jobs[i], sent_ms);
		if (j == NULL) {
			/* It is not named, and so taken back. */
			fr_log(FR_LOG_ERROR, "no memory for a job");
			continue;
		}
		fr_runner_add(l->runner, &j->task);
	}
	if (--in->refs == 0)
		intake_free(in);
}

static void
stop_jobs(struct loop *l, const struct fr_exchange *x)
{
	struct job *j;
	size_t i;

	for (i = 0; i < x->nstop; i++) {
		j = held_find(&l->held, &x->stop[i]);
		if (j == NULL || !j->with_runner || j->stopping)
			continue;
		fr_log(
		    FR_LOG_DEBUG, "a job was cancelled, or is no longer ours");
		j->stopping = true;
		fr_runner_stop(l->runner, &j->task, false);
	}
}

static void
log_refused(const struct fr_exchange *x)
{
	char id[FR_UUID_TEXT];
	size_t i;

	for (i = 0; i < x->nrefused; i++) {
		fr_uuid_format(id, &x->refused[i]);
		fr_log(
		    FR_LOG_WARN, "the report about job %s came too late", id);
	}
}

/* Everything named is ours for another lease, from when that was said. */
static void
renewed(struct loop *l, int64_t sent_ms, uint64_t serial)
{
	struct job *j;

	l->named_ms = sent_ms;
	if (l->conf->exclusive)
		for (j = l->held.first; j != NULL; j = j->next)
			if (j->serial <= serial && j->renewed_ms < sent_ms)
				j->renewed_ms = sent_ms;
}

static void
learn(struct loop *l, const struct channel *ch, const struct sent *s,
    const struct fr_exchange *x)
{
	const int64_t took = (fr_time_mono_ms() - ch->sent_ms) * 1000;

	if (x->lease_ms > 0) {
		l->lease_ms = x->lease_ms;
		l->lease_known = true;
	}
	if (s->purpose != FOR_JOBS)
		return;
	l->dry = x->njobs == 0;
	l->backlog = x->njobs == s->slots && s->slots > l->conf->handling.slots;
	if (x->njobs > 0 && took < 50000)
		l->rtt_us += (took - l->rtt_us) / 4;
	/* There is more than we asked for: ask for more. */
	if (x->njobs == s->slots && l->ramp < l->held.shared->n)
		l->ramp = l->ramp == 0 ? (unsigned)l->conf->handling.slots
				       : l->ramp * 2;
}

/* The answer's text and what was read from it, for as long as jobs last. */
static struct intake *
read_answer(struct channel *ch, struct fr_exchange *x, struct fr_err *err)
{
	struct intake *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return NULL;
	in->body = ch->answer;
	fr_buf_init(&ch->answer, 0);
	in->arena = fr_arena_new(in->body.len < 4096 ? 4096 : 65536);
	if (in->arena != NULL && fr_wire_work_read(fr_buf_span(&in->body),
				     in->arena, x, err) == FR_OK)
		return in;
	intake_free(in);
	return NULL;
}

static void
log_connected(struct loop *l)
{
	if (!l->connected)
		fr_log(FR_LOG_INFO, "%s %s",
		    l->ever_connected ? "again connected to" : "connected to",
		    channels_url(&l->channels));
	l->connected = l->ever_connected = true;
	l->failures = 0;
	l->away_ms = 0;
}

/* Nobody answered, or not as hoped: the next one, or later. */
static void
failed(struct loop *l, const char *why, bool elsewhere)
{
	const int64_t now_ms = fr_time_mono_ms();
	int64_t delay = RETRY_FIRST_MS;
	struct job *j;
	unsigned i, rounds;

	if (l->connected || l->failures == 0)
		fr_log(FR_LOG_WARN, "%s; trying again", why);
	l->connected = false;
	if (l->away_ms == 0)
		l->away_ms = now_ms;
	l->failures++;
	for (i = 0; i < CHANNELS; i++) {
		channel_abort(&l->channels.v[i]);
		l->sent[i] = (struct sent){ .purpose = FOR_NOTHING };
	}
	held_unsend(&l->held);
	for (j = l->held.first; j != NULL; j = j->next)
		if (j->progress != NULL && !j->progress_new) {
			j->progress_new = true;
			j->pnext = l->held.progressed;
			l->held.progressed = j;
		}
	if (elsewhere)
		channels_next(&l->channels);
	rounds = l->failures / (unsigned)l->channels.nurls;
	for (i = 1; i < rounds && delay < RETRY_MOST_MS; i++)
		delay *= 2;
	delay = delay > RETRY_MOST_MS ? RETRY_MOST_MS : delay;
	if (rounds == 0)
		delay = 1;
	l->retry_ms = now_ms + delay / 2 +
		      (int64_t)fr_rand_below(&l->rand, (uint64_t)delay);
	if (l->conf->drain && l->held.n == 0 &&
	    now_ms - l->away_ms > DRAIN_AWAY_MS) {
		l->ended = true;
		l->status = fr_exit_status(FR_UNREACHABLE);
	}
}

/*
 * A manager that has too much to do says when to come again. All managers are
 * tried first, and no lease is waited away.
 */
static void
be_patient(struct loop *l, int64_t after_ms)
{
	const int64_t most = l->lease_ms / 4;

	if (l->failures < l->channels.nurls)
		return;
	l->retry_ms += after_ms < most ? after_ms : most;
}

/* In parts, then. What is too large by itself could never be told, and would
 * hold up all that comes behind it. */
static void
send_less(struct loop *l)
{
	static const char error[] =
	    "\"the result is too large for the manager (HTTP 413)\"";
	const struct job *j = held_shorten(&l->held, FR_SPAN(error));
	char id[FR_UUID_TEXT];

	if (l->max_bytes > 4096)
		l->max_bytes /= 2;
	/* The manager is there: it is not to be waited for. */
	if (l->failures > 1)
		l->failures = 1;
	if (j == NULL)
		return;
	fr_uuid_format(id, &j->task.id);
	fr_log(FR_LOG_ERROR,
	    "a result is too large for the manager: job %s of type %.*s has "
	    "failed",
	    id, (int)j->task.type.len, j->task.type.p);
}

/* An answer, but not 200. */
static void
rejected(struct loop *l, struct channel *ch, const struct sent *s, long status)
{
	char detail[256], why[400];

	if (status == 503 && s->superseded)
		return;
	fr_wire_problem_detail(
	    fr_buf_span(&ch->answer), detail, sizeof(detail));
	if (!fr_str_format(why, sizeof(why), "%s answers %ld%s%s",
		channels_url(&l->channels), status,
		detail[0] == '\0' ? "" : ": ", detail))
		why[sizeof(why) - 1] = '\0';
	if ((status == 401 || status == 403) && l->held.n == 0) {
		fr_log(FR_LOG_ERROR, "%s", why);
		l->ended = true;
		l->status = fr_exit_status(FR_DENIED);
		return;
	}
	if (status == 413 && s->carries)
		send_less(l);
	failed(l, why, status >= 500 || status == 404);
	be_patient(l, ch->retry_after_ms);
}

void
answer_take(
    void *arg, struct channel *ch, long status, const struct fr_err *err)
{
	struct loop *l = arg;
	struct sent *at = &l->sent[ch - l->channels.v];
	const struct sent s = *at;
	struct fr_exchange x = { .njobs = 0 };
	struct fr_err why = FR_ERR_INIT;
	struct intake *in = NULL;

	*at = (struct sent){ .purpose = FOR_NOTHING };
	if (status == 200)
		in = read_answer(ch, &x, &why);
	if (in != NULL) {
		log_connected(l);
		if (s.carries)
			held_acknowledge(&l->held);
		if (s.names)
			renewed(l, ch->sent_ms, s.serial);
		if (s.leaving)
			l->told = true;
		learn(l, ch, &s, &x);
		log_refused(&x);
		stop_jobs(l, &x);
		take_jobs(l, in, &x, ch->sent_ms);
	} else if (status == 200) {
		failed(l, why.msg[0] == '\0' ? "no memory" : why.msg, true);
	} else if (status == 0) {
		failed(l, err->msg, true);
	} else {
		rejected(l, ch, &s, status);
	}
	loop_turn(l);
}
