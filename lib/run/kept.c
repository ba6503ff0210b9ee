/* SPDX-License-Identifier: MIT */
/*
 * A .lines handler: one process that is given one job a line and answers
 * them in order. So that it never waits for us, some jobs are written ahead
 * of its answers, about WINDOW_US of work; they cannot be taken back, so more
 * would only make them wait. When the process dies, the job it was at has
 * failed, and those written ahead are given back.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "run/inner.h"
#include "run/reply.h"

#define WINDOW_US 20000.0
#define SWEEP_MS 5000
#define LINGER_MS 1000   /* one that can answer no more may end by itself */
#define SLACK_BYTES 4096 /* of an answer around its result */

static void kept_event(struct fr_proc *p, enum fr_pipe pipe);

/* Why the first task can have no answer any more; NULL: it can. */
static const char *
hopeless(const struct fr_kept *k)
{
	if (k->proc.fd[FR_PIPE_OUT] == -1)
		return "the handler closed its standard output";
	if (k->proc.fd[FR_PIPE_IN] == -1 && k->pending <= k->unread)
		return "the handler closed its standard input";
	return NULL;
}

static void
set_timer(struct fr_kept *k)
{
	const struct fr_task *t = k->first;
	int64_t at = 0;

	if (hopeless(k) == NULL)
		k->linger_ms = 0;
	else if (k->linger_ms == 0)
		k->linger_ms = fr_time_mono_ms() + LINGER_MS;
	if (k->sweep_ms != 0)
		at = k->sweep_ms;
	else if (k->ending)
		at = k->kill_ms;
	else {
		if (t != NULL && t->timeout_ms > 0)
			at = k->head_ms + t->timeout_ms;
		if (k->linger_ms != 0 && (at == 0 || k->linger_ms < at))
			at = k->linger_ms;
	}
	fr_run_timer(k->proc.r, &k->timer, at);
}

static struct fr_kept *
make(struct fr_slot *s, struct fr_lane *l)
{
	struct fr_runner *r = s->r;
	struct fr_kept *k;
	int i;

	if (!fr_heap_reserve(&r->timers, r->conf.slots + r->nkept + 1))
		return NULL;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return NULL;
	r->nkept++;
	for (i = 0; i < FR_PIPES; i++)
		k->proc.fd[i] = -1;
	k->proc.owner = k;
	k->proc.r = r;
	k->proc.on_event = kept_event;
	k->slot = s;
	k->lane = l;
	k->window = 1;
	fr_buf_init(&k->in, 0);
	fr_buf_init(&k->out, 0);
	fr_buf_init(&k->line, 0);
	fr_buf_init(&k->json, 0);
	fr_buf_init(&k->log_json, 0);
	fr_buf_init(&k->text, 0);
	fr_tail_init(&k->log, r->conf.max_log);
	(void)snprintf(k->name, sizeof(k->name), "kept-%llu",
	    (unsigned long long)r->reaper.serial);
	return k;
}

void
fr_kept_free(struct fr_kept *k)
{
	fr_proc_close(&k->proc);
	fr_reaper_forget(&k->proc.r->reaper, &k->proc.brood);
	fr_heap_remove(&k->proc.r->timers, &k->timer);
	k->proc.r->nkept--;
	fr_buf_fini(&k->in);
	fr_buf_fini(&k->out);
	fr_buf_fini(&k->line);
	fr_buf_fini(&k->json);
	fr_buf_fini(&k->log_json);
	fr_buf_fini(&k->text);
	fr_tail_fini(&k->log);
	free(k);
}

struct fr_kept *
fr_kept_get(struct fr_slot *s, struct fr_lane *l)
{
	struct fr_runner *r = s->r;
	struct fr_err err = FR_ERR_INIT;
	struct fr_env env;
	struct fr_kept *k;
	char dir[PATH_MAX];
	enum fr_rc rc;

	for (k = s->kept; k != NULL; k = k->next)
		if (k->lane == l)
			return k;
	k = make(s, l);
	if (k == NULL) {
		r->hold_ms = fr_time_mono_ms() + 1000;
		return NULL;
	}
	rc = fr_workdir_make(r->conf.workdir, k->name, dir, &err);
	if (rc != FR_OK)
		rc = FR_AGAIN;
	else
		rc = fr_proc_start(r, &k->proc, l->h,
		    fr_run_env(r, &env, l->h->type, NULL), dir, &err);
	if (rc == FR_OK) {
		fr_proc_arm(&k->proc, FR_PIPE_OUT, EPOLLIN);
		fr_proc_arm(&k->proc, FR_PIPE_LOG, EPOLLIN);
		fr_proc_arm(&k->proc, FR_PIPE_PROGRESS, EPOLLIN);
		k->next = s->kept;
		s->kept = k;
		return k;
	}
	(void)fr_workdir_drop(r->conf.workdir, k->name, false);
	fr_kept_free(k);
	if (rc == FR_AGAIN) {
		fr_run_note(r, "cannot start a handler: %s", err.msg);
		r->hold_ms = fr_time_mono_ms() + 1000;
	} else {
		fr_run_withdraw(r, l->h, err.msg);
	}
	return NULL;
}

bool
fr_kept_room(const struct fr_kept *k)
{
	return !k->ending && !k->sweeping && k->pending < k->window &&
	       k->proc.fd[FR_PIPE_IN] != -1 && k->proc.fd[FR_PIPE_OUT] != -1;
}

static void
begin_end(struct fr_kept *k, enum fr_fate fate, const char *why, bool now)
{
	if (!k->decided || fate == FR_FATE_STOPPED) {
		k->fate = fate;
		(void)fr_str_copy(k->why, sizeof(k->why), fr_span_of(why));
	}
	k->decided = true;
	if (!k->ending || (now && !k->killed)) {
		k->kill_ms = fr_time_mono_ms() + k->proc.r->conf.kill_ms;
		k->killed = now;
		if (!k->sweeping)
			fr_reaper_signal(&k->proc.r->reaper, &k->proc.brood,
			    now ? SIGKILL : SIGTERM);
	}
	k->ending = true;
	set_timer(k);
}

void
fr_kept_push(struct fr_kept *k, struct fr_task *t)
{
	const int64_t now_us = fr_time_mono_us();

	fr_assert(fr_kept_room(k));
	t->at = k;
	t->next = NULL;
	t->prev = k->last;
	if (k->last != NULL)
		k->last->next = t;
	else
		k->first = t;
	k->last = t;
	k->pending++;
	t->since_ms = now_us / 1000;
	t->state = k->first == t ? FR_TASK_RUNNING : FR_TASK_AHEAD;
	fr_task_line(&k->in, t, t->data);
	if (!fr_buf_ok(&k->in))
		begin_end(k, FR_FATE_RELEASED, "out of memory", true);
	k->slot->bound = k;
	if (k->first == t) {
		k->last_us = now_us;
		k->head_ms = t->since_ms;
		set_timer(k);
	}
}

/* It reads no more: those whose line has not gone out whole get no answer. */
static void
not_read(struct fr_kept *k, size_t sent)
{
	size_t i;

	for (i = sent; i < k->in.len; i++)
		k->unread += k->in.p[i] == '\n';
	fr_buf_reset(&k->in);
	fr_proc_shut(&k->proc, FR_PIPE_IN);
	set_timer(k);
}

void
fr_kept_flush(struct fr_kept *k)
{
	const int fd = k->proc.fd[FR_PIPE_IN];
	size_t sent = 0;
	ssize_t n = 0;

	if (fd == -1)
		return;
	while (sent < k->in.len) {
		n = write(fd, k->in.p + sent, k->in.len - sent);
		if (n == -1 && errno != EINTR)
			break;
		if (n > 0)
			sent += (size_t)n;
	}
	if (n == -1 && errno != EAGAIN) {
		not_read(k, sent);
		return;
	}
	fr_buf_shift(&k->in, sent);
	if (k->in.len > 0)
		fr_proc_arm(&k->proc, FR_PIPE_IN, EPOLLOUT);
	else
		fr_proc_disarm(&k->proc, FR_PIPE_IN);
}

static struct fr_task *
take_first(struct fr_kept *k)
{
	struct fr_task *t = k->first;

	k->first = t->next;
	if (k->first != NULL)
		k->first->prev = NULL;
	else
		k->last = NULL;
	k->pending--;
	t->next = t->prev = NULL;
	return t;
}

/* Takes the first task off, which has its answer; it is at the next one. */
static struct fr_task *
shift(struct fr_kept *k, int64_t now_ms)
{
	struct fr_task *t = take_first(k);

	k->head_ms = now_ms;
	if (k->first != NULL) {
		k->first->state = FR_TASK_RUNNING;
		k->first->since_ms = now_ms;
		if (k->proc.r->conf.started != NULL)
			k->proc.r->conf.started(k->proc.r->conf.arg, k->first);
	} else {
		k->slot->bound = NULL;
	}
	return t;
}

/* What it wrote on stderr since the answer before. */
static struct fr_span
take_log(struct fr_kept *k)
{
	fr_buf_reset(&k->log_json);
	if (k->log.total > 0) {
		fr_jsonw_escape(&k->log_json, fr_tail_since(&k->log, 0));
		fr_tail_reset(&k->log);
	}
	if (!fr_buf_ok(&k->log_json))
		fr_buf_reset(&k->log_json); /* half of it would be no JSON */
	return fr_buf_span(&k->log_json);
}

static void
answered(struct fr_kept *k, const struct fr_reply *ans, int64_t now_ms)
{
	struct fr_task *t = shift(k, now_ms);
	const struct fr_span log = take_log(k);
	enum fr_fate fate = FR_FATE_COMPLETE;
	struct fr_span value;
	char *room;

	fr_buf_reset(&k->json);
	room = fr_buf_reserve(&k->json, ans->value.len);
	if (room != NULL)
		fr_buf_commit(&k->json, fr_json_compact(room, ans->value));
	value = fr_buf_span(&k->json);
	if (ans->kind == FR_REPLY_ERROR) {
		fate = ans->final ? FR_FATE_FINAL : FR_FATE_FAILED;
		if (fr_json_type(ans->value) != FR_JSON_STRING) {
			fr_buf_reset(&k->text);
			fr_jsonw_escape(&k->text, value);
			value = fr_buf_span(&k->text);
		}
	}
	if (!fr_buf_ok(&k->json) || !fr_buf_ok(&k->text)) {
		fate = FR_FATE_FAILED;
		value = FR_SPAN("\"out of memory\"");
	}
	if (t->stopping)
		fate = FR_FATE_STOPPED;
	else if (value.len > k->proc.r->conf.max_result) {
		fate = FR_FATE_FINAL;
		value = FR_SPAN("\"the result is too long\"");
	}
	fr_run_done(k->proc.r, t, fate, value, log);
	/* It was cancelled while it waited for its turn, which is now. */
	if (k->first != NULL && k->first->stopping)
		begin_end(k, FR_FATE_STOPPED, "stopped", false);
}

static void
emit_progress(void *owner, struct fr_span line)
{
	struct fr_kept *k = owner;
	struct fr_runner *r = k->proc.r;

	if (k->first == NULL || line.len == 0 || r->conf.progress == NULL)
		return;
	fr_buf_reset(&k->json);
	fr_fate_progress(line, &k->json);
	if (fr_buf_ok(&k->json))
		r->conf.progress(r->conf.arg, k->first, fr_buf_span(&k->json));
}

static void
read_progress(struct fr_kept *k, bool end)
{
	fr_proc_read_lines(&k->proc, &k->line, end, emit_progress);
}

static bool
is_for(const struct fr_reply *ans, const struct fr_task *t)
{
	char id[FR_UUID_TEXT];

	if (ans->id.p == NULL)
		return true;
	fr_uuid_format(id, &t->id);
	return fr_json_type(ans->id) == FR_JSON_STRING &&
	       fr_json_string_is(ans->id, id);
}

static void
take_line(struct fr_kept *k, struct fr_span line, int64_t now_ms)
{
	struct fr_reply ans;
	struct fr_buf shown;
	char why[200];

	if (fr_reply_read(line, &ans) && k->first != NULL &&
	    is_for(&ans, k->first)) {
		if (ans.kind == FR_REPLY_PROGRESS)
			emit_progress(k, ans.value);
		else
			answered(k, &ans, now_ms);
		return;
	}
	fr_buf_init(&shown, 0);
	if (line.len > 60)
		line.len = 60;
	fr_str_visible(&shown, line, false);
	(void)snprintf(why, sizeof(why), "the handler wrote no answer%s: %.80s",
	    k->first == NULL ? " to anything" : "", fr_buf_cstr(&shown));
	fr_buf_fini(&shown);
	if (k->first == NULL)
		fr_run_note(k->proc.r, "%s: %s", k->lane->h->type, why);
	begin_end(k, FR_FATE_FAILED, why, true);
}

/* Whole lines off the front of what was read; how many answers there were. */
static unsigned
take_lines(struct fr_kept *k, int64_t now_ms)
{
	const unsigned before = k->pending;
	struct fr_span rest = fr_buf_span(&k->out), line;
	const char *nl;

	while (rest.len > 0 && !k->ending) {
		nl = memchr(rest.p, '\n', rest.len);
		if (nl == NULL)
			break;
		line.p = rest.p;
		line.len = (size_t)(nl - rest.p);
		rest.p = nl + 1;
		rest.len -= line.len + 1;
		take_line(k, line, now_ms);
	}
	fr_buf_shift(&k->out, k->out.len - rest.len);
	return before - k->pending;
}

/* Learns how long a job takes, and how many may be written ahead. */
static void
learn(struct fr_kept *k, unsigned answers, int64_t now_us)
{
	const double each = (double)(now_us - k->last_us) / answers;
	const unsigned most = k->proc.r->conf.ahead + 1;
	double fit;

	k->last_us = now_us;
	k->job_us = k->job_us == 0 ? each : k->job_us + (each - k->job_us) / 4;
	fit = WINDOW_US / (k->job_us < 1 ? 1 : k->job_us);
	if (fit > 2.0 * k->window)
		fit = 2.0 * k->window;
	k->window = fit < 1 ? 1 : (unsigned)fit;
	if (k->window > most)
		k->window = most;
	fr_run_took(k->proc.r, each, answers);
}

static void
read_out(struct fr_kept *k)
{
	const size_t max = k->proc.r->conf.max_result + SLACK_BYTES;
	int64_t now_us;
	unsigned answers;
	ssize_t n;
	int i;

	for (i = 0; i < 8 && !k->ending; i++) {
		n = fr_proc_read(&k->proc, FR_PIPE_OUT, &k->out, FR_SCRATCH);
		if (!fr_buf_ok(&k->out))
			begin_end(k, FR_FATE_FAILED, "out of memory", true);
		if (n <= 0)
			break;
		/* What was said before an answer is of its job. */
		if (i == 0) {
			fr_proc_read_log(&k->proc, &k->log, FR_SCRATCH);
			read_progress(k, false);
		}
		now_us = fr_time_mono_us();
		answers = take_lines(k, now_us / 1000);
		if (answers > 0)
			learn(k, answers, now_us);
		if (k->out.len > max)
			begin_end(k, FR_FATE_FINAL,
			    "the handler's answer is too long", true);
		if ((size_t)n < FR_SCRATCH)
			break;
	}
	set_timer(k);
}

static void
unlink_kept(struct fr_kept *k)
{
	struct fr_kept **at = &k->slot->kept;

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	if (k->slot->bound == k)
		k->slot->bound = NULL;
	/* Events for it may still be on their way: freed by the next step. */
	k->next = k->proc.r->dead;
	k->proc.r->dead = k;
}

/* The job it was at bears the blame, unless it is this machine's fault. */
static void
settle_first(struct fr_kept *k)
{
	struct fr_runner *r = k->proc.r;
	char status[64], what[FR_ERR_MAX + 64];
	enum fr_fate fate = fr_fate_of(k->proc.status);

	fr_fate_status(k->proc.status, status, sizeof(status));
	if (k->decided) {
		fate = k->fate;
		(void)snprintf(what, sizeof(what), "%s", k->why);
	} else if (fate == FR_FATE_RELEASED) {
		fr_buf_reset(&k->text);
		fr_fate_error(
		    &k->text, status, true, fr_tail_since(&k->log, 0));
		fr_run_withdraw(r, k->lane->h, fr_buf_cstr(&k->text));
	} else {
		(void)snprintf(what, sizeof(what),
		    "the handler ended without an answer: %s", status);
		if (fate == FR_FATE_COMPLETE)
			fate = FR_FATE_FAILED;
	}
	if (k->first == NULL || fate == FR_FATE_RELEASED)
		return; /* it is given back with the others */
	fr_buf_reset(&k->text);
	fr_fate_error(&k->text, what, true, fr_tail_since(&k->log, 0));
	fr_buf_reset(&k->json);
	fr_jsonw_escape(&k->json, fr_buf_span(&k->text));
	fr_run_done(r, take_first(k), fate,
	    fr_buf_ok(&k->json) ? fr_buf_span(&k->json)
				: FR_SPAN("\"out of memory\""),
	    take_log(k));
}

static void
sweep(struct fr_kept *k, int64_t now_ms)
{
	struct fr_runner *r = k->proc.r;

	k->sweep_ms = 0;
	if (!fr_reaper_sweep(&r->reaper, &k->proc.brood)) {
		if (now_ms < k->swept_ms + SWEEP_MS) {
			k->sweep_ms = now_ms + 1;
			set_timer(k);
			return;
		}
		fr_reaper_forget(&r->reaper, &k->proc.brood);
	}
	(void)fr_workdir_drop(r->conf.workdir, k->name, false);
	settle_first(k);
	while (k->first != NULL)
		fr_run_done(r, take_first(k), FR_FATE_RELEASED, FR_SPAN("null"),
		    FR_SPAN(""));
	fr_run_timer(r, &k->timer, 0);
	unlink_kept(k);
}

static void
ended(struct fr_kept *k)
{
	fr_reaper_reap(&k->proc.r->reaper, &k->proc.brood, &k->proc.status);
	read_out(k);
	fr_proc_read_log(&k->proc, &k->log, (size_t)1 << 20);
	read_progress(k, true);
	fr_proc_close(&k->proc);
	k->ending = k->sweeping = true;
	k->kill_ms = 0;
	k->swept_ms = fr_time_mono_ms();
	sweep(k, k->swept_ms);
}

static void
kept_event(struct fr_proc *p, enum fr_pipe pipe)
{
	struct fr_kept *k = p->owner;

	switch (pipe) {
	case FR_PIPE_IN:
		fr_kept_flush(k);
		break;
	case FR_PIPE_OUT:
		/* One that is told to end is only listened to no more. */
		if (k->ending)
			fr_proc_shut(p, FR_PIPE_OUT);
		else
			read_out(k);
		break;
	case FR_PIPE_LOG:
		fr_proc_read_log(p, &k->log, FR_SCRATCH);
		break;
	case FR_PIPE_PROGRESS:
		read_progress(k, false);
		break;
	case FR_PIPE_END:
		ended(k);
		break;
	}
}

void
fr_kept_stop(struct fr_kept *k, struct fr_task *t, bool now)
{
	t->stopping = true;
	if (k->first == t || now)
		begin_end(k, k->first == t ? FR_FATE_STOPPED : FR_FATE_RELEASED,
		    "stopped", now);
}

void
fr_kept_rest(struct fr_kept *k)
{
	if (k->pending > 0 || k->ending)
		return;
	fr_proc_shut(&k->proc, FR_PIPE_IN);
	begin_end(k, FR_FATE_STOPPED, "stopped", false);
}

void
fr_kept_timer(struct fr_kept *k, int64_t now_ms)
{
	char seconds[32], why[64];

	if (k->sweeping) {
		if (k->sweep_ms != 0 && k->sweep_ms <= now_ms)
			sweep(k, now_ms);
		return;
	}
	if (k->ending) {
		if (k->kill_ms != 0 && k->kill_ms <= now_ms) {
			k->kill_ms = 0;
			fr_reaper_signal(
			    &k->proc.r->reaper, &k->proc.brood, SIGKILL);
		}
	} else if (k->first != NULL && k->first->timeout_ms > 0 &&
		   k->head_ms + k->first->timeout_ms <= now_ms) {
		fr_run_seconds(seconds, sizeof(seconds), k->first->timeout_ms);
		(void)snprintf(why, sizeof(why), "timed out after %s", seconds);
		begin_end(k, FR_FATE_FAILED, why, false);
		return;
	} else if (k->linger_ms != 0 && k->linger_ms <= now_ms) {
		begin_end(k, FR_FATE_FAILED, hopeless(k), false);
		return;
	}
	set_timer(k);
}
