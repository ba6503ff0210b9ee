/* SPDX-License-Identifier: MIT */
/*
 * One attempt at a job: a process, or one after the other if the handler is a
 * chain. Each step goes through the same phases: RUNNING until its process
 * ends (ENDING if it was told to), then SWEEPING until nothing that it
 * started is left; only then does the next step begin, or the end count.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "base/assert.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"
#include "run/inner.h"

#define SWEEP_MS 5000 /* what has not died of SIGKILL by then never will */
#define QUICK_MS 50
#define QUICK_JOBS 16
#define KEEP_MS 100 /* an empty directory, for the next attempt */

static void advance(struct fr_slot *s);

void
fr_attempt_init(struct fr_slot *s)
{
	struct fr_attempt *a = &s->a;
	unsigned i;

	memset(a, 0, sizeof(*a));
	for (i = 0; i < FR_PIPES; i++)
		a->proc.fd[i] = -1;
	a->proc.owner = s;
	a->proc.r = s->r;
	a->proc.on_event = fr_step_event;
	for (i = 0; i <= FR_CHAIN_DEPTH; i++)
		fr_buf_init(&a->data[i], 0);
	fr_buf_init(&a->out, 0);
	fr_buf_init(&a->line, 0);
	fr_buf_init(&a->result, 0);
	fr_buf_init(&a->json, 0);
	fr_buf_init(&a->text, 0);
	fr_buf_init(&a->log_json, 0);
	fr_tail_init(&a->log, s->r->conf.max_log);
}

void
fr_attempt_fini(struct fr_slot *s)
{
	struct fr_attempt *a = &s->a;
	unsigned i;

	fr_proc_close(&a->proc);
	fr_reaper_forget(&s->r->reaper, &a->proc.brood);
	fr_chain_unref(a->chain);
	for (i = 0; i <= FR_CHAIN_DEPTH; i++)
		fr_buf_fini(&a->data[i]);
	fr_buf_fini(&a->out);
	fr_buf_fini(&a->line);
	fr_buf_fini(&a->result);
	fr_buf_fini(&a->json);
	fr_buf_fini(&a->text);
	fr_buf_fini(&a->log_json);
	fr_tail_fini(&a->log);
}

static void
set_timer(struct fr_slot *s)
{
	struct fr_attempt *a = &s->a;
	const int64_t times[] = { a->watch_ms, a->deadline_ms, a->kill_ms,
		a->sweep_ms, s->drop_ms };
	int64_t at = 0;
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (times[i] != 0 && (at == 0 || times[i] < at))
			at = times[i];
	fr_run_timer(s->r, &a->timer, at);
}

static void
decide(struct fr_attempt *a, enum fr_fate fate, const char *why)
{
	a->decided = true;
	a->fate = fate;
	(void)fr_str_copy(a->why, sizeof(a->why), fr_span_of(why));
}

/* In a stream of quick jobs the next one may have it. */
static void
drop_dir(struct fr_slot *s)
{
	struct fr_runner *r = s->r;
	const int64_t now_ms = fr_time_mono_ms();

	if (now_ms - s->a.started_ms > QUICK_MS)
		r->quick = 0;
	else
		r->quick++;
	if (!s->has_dir)
		return;
	s->has_dir = fr_workdir_drop(
	    r->conf.workdir, s->name, r->waiting > 0 || r->quick >= QUICK_JOBS);
	s->drop_ms = s->has_dir ? now_ms + KEEP_MS : 0;
}

/* What the attempt came to, and what is left of it, to the caller. */
static void
finish(struct fr_slot *s, enum fr_fate fate, struct fr_span value)
{
	struct fr_attempt *a = &s->a;
	struct fr_task *t = a->task;
	struct fr_span log = fr_tail_since(&a->log, 0);

	a->phase = FR_PHASE_NONE;
	a->task = NULL;
	a->watch_ms = a->deadline_ms = a->kill_ms = a->sweep_ms = 0;
	fr_chain_unref(a->chain);
	a->chain = NULL;
	fr_buf_reset(&a->log_json);
	if (log.len > 0)
		fr_jsonw_escape(&a->log_json, log);
	if (!fr_buf_ok(&a->log_json))
		fr_buf_reset(&a->log_json); /* half of it would be no JSON */
	drop_dir(s);
	set_timer(s);
	fr_run_took(s->r, (double)(fr_time_mono_us() - a->started_us), 1);
	fr_run_done(s->r, t, fate, value, fr_buf_span(&a->log_json));
	/* Big buffers are not kept for small jobs. */
	if (a->out.cap > 4 * FR_SCRATCH)
		fr_buf_fini(&a->out);
	if (a->result.cap > 4 * FR_SCRATCH)
		fr_buf_fini(&a->result);
}

/* A text about the step it is at begins with its name. */
static void
name_step(struct fr_attempt *a)
{
	fr_buf_reset(&a->text);
	if (a->chain != NULL && a->pc < a->chain->n &&
	    a->chain->v[a->pc].prefix != NULL)
		fr_buf_adds(&a->text, a->chain->v[a->pc].prefix);
}

/* A failure, in the step's name. */
static void
fail(struct fr_slot *s, enum fr_fate fate, const char *what, bool both)
{
	struct fr_attempt *a = &s->a;

	fr_buf_reset(&a->json);
	name_step(a);
	fr_fate_error(
	    &a->text, what, both, fr_tail_since(&a->log, a->log_from));
	fr_jsonw_escape(&a->json, fr_buf_span(&a->text));
	if (!fr_buf_ok(&a->json))
		finish(s, fate, FR_SPAN("\"out of memory\""));
	else
		finish(s, fate, fr_buf_span(&a->json));
}

/* It is this machine that cannot run the handler. */
static void
withdraw(struct fr_slot *s, const char *what, bool both)
{
	struct fr_attempt *a = &s->a;
	struct fr_handler *h = a->task->handler;

	name_step(a);
	fr_fate_error(&a->text, what, both,
	    both ? fr_tail_since(&a->log, a->log_from) : FR_SPAN(""));
	fr_run_withdraw(s->r, h, fr_buf_cstr(&a->text));
	finish(s, FR_FATE_RELEASED, FR_SPAN("null"));
}

/* No process, memory or disk just now: the job is better off elsewhere. */
static void
cannot_now(struct fr_slot *s, const struct fr_err *err)
{
	fr_run_note(s->r, "cannot start a handler: %s", err->msg);
	s->r->hold_ms = fr_time_mono_ms() + 1000;
	finish(s, FR_FATE_RELEASED, FR_SPAN("null"));
}

/* What a kept handler is given when it runs as one step. */
static bool
lines_input(struct fr_attempt *a, struct fr_span data)
{
	struct fr_buf *b = &a->text;

	fr_buf_reset(b);
	fr_task_line(b, a->task, data);
	if (b->len > 0)
		b->len--; /* the newline comes anyway */
	a->input = fr_buf_span(b);
	return fr_buf_ok(b);
}

static void
run(struct fr_slot *s, const struct fr_handler *h, struct fr_span data)
{
	struct fr_attempt *a = &s->a;
	struct fr_err err = FR_ERR_INIT;
	struct fr_env env;
	enum fr_rc rc;

	a->input = data;
	a->sh_lines = h->kind == FR_HANDLER_LINES;
	if (a->sh_lines && !lines_input(a, data)) {
		fail(s, FR_FATE_FAILED, "out of memory", true);
		return;
	}
	a->sent = 0;
	fr_buf_reset(&a->out);
	fr_buf_reset(&a->line);
	a->log_from = a->log.total;
	rc = fr_proc_start(s->r, &a->proc, h,
	    fr_run_env(s->r, &env, a->task->handler->type, a->task), s->dir,
	    &err);
	if (rc == FR_AGAIN) {
		cannot_now(s, &err);
		return;
	}
	if (rc != FR_OK) {
		withdraw(s, err.msg, false);
		return;
	}
	a->phase = FR_PHASE_RUNNING;
	fr_step_event(&a->proc, FR_PIPE_IN);
	a->watch_ms = fr_time_mono_ms() + FR_WATCH_MS;
	set_timer(s);
}

static bool
copy_data(struct fr_buf *to, struct fr_span from)
{
	fr_buf_reset(to);
	fr_buf_addspan(to, from);
	return fr_buf_ok(to);
}

/* Lays the last result over the data at this depth. */
static bool
lay_over(struct fr_attempt *a)
{
	struct fr_buf merged, *data = &a->data[a->depth];

	fr_buf_init(&merged, 0);
	if (!fr_chain_merge(
		&merged, fr_buf_span(data), fr_buf_span(&a->result))) {
		fr_buf_fini(&merged);
		return false;
	}
	fr_buf_fini(data);
	*data = merged;
	return true;
}

/* Goes to the next step that needs a process, or to the end. */
static void
advance(struct fr_slot *s)
{
	struct fr_attempt *a = &s->a;
	const struct fr_step *st;
	bool ok = true;

	for (; ok && a->pc < a->chain->n; a->pc++) {
		st = &a->chain->v[a->pc];
		switch (st->kind) {
		case FR_STEP_RUN:
			run(s, st->handler, fr_buf_span(&a->data[a->depth]));
			return;
		case FR_STEP_PROGRESS:
			if (s->r->conf.progress != NULL)
				s->r->conf.progress(s->r->conf.arg, a->task,
				    fr_span_of(st->text));
			break;
		case FR_STEP_ENTER:
			ok = copy_data(&a->data[a->depth + 1],
			    fr_buf_span(&a->data[a->depth]));
			a->depth++;
			break;
		case FR_STEP_LEAVE:
			a->depth--;
			ok = lay_over(a);
			break;
		}
	}
	if (ok)
		finish(s, FR_FATE_COMPLETE, fr_buf_span(&a->result));
	else
		fail(s, FR_FATE_FAILED, "out of memory", true);
}

void
fr_attempt_start(struct fr_slot *s, struct fr_task *t)
{
	struct fr_attempt *a = &s->a;
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc = FR_OK;

	fr_assert(a->task == NULL && s->bound == NULL);
	a->task = t;
	t->at = s;
	a->pc = 0;
	a->depth = 0;
	a->decided = false;
	fr_tail_reset(&a->log);
	a->started_us = fr_time_mono_us();
	a->started_ms = a->started_us / 1000;
	a->deadline_ms = t->timeout_ms > 0 ? a->started_ms + t->timeout_ms : 0;
	a->watch_ms = a->kill_ms = a->sweep_ms = s->drop_ms = 0;
	if (!s->has_dir)
		rc = fr_workdir_make(s->r->conf.workdir, s->name, s->dir, &err);
	if (rc != FR_OK) {
		cannot_now(s, &err);
		return;
	}
	s->has_dir = true;
	if (t->handler->kind != FR_HANDLER_CHAIN) {
		run(s, t->handler, t->data);
		return;
	}
	rc = fr_chain_load(s->r->conf.handlers, t->handler, &a->chain, &err);
	if (rc == FR_STALE) {
		fr_run_note(s->r, "type %s goes on as it was: %s",
		    t->handler->type, err.msg);
		rc = FR_OK;
	}
	if (rc != FR_OK)
		withdraw(s, err.msg, false);
	else if (!copy_data(&a->data[0], t->data))
		fail(s, FR_FATE_FAILED, "out of memory", true);
	else
		advance(s);
}

/* The step succeeded: its result, and then what follows it. */
static void
step_result(struct fr_slot *s)
{
	struct fr_attempt *a = &s->a;
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc;

	fr_buf_reset(&a->result);
	rc = fr_fate_result(&a->out, s->r->conf.strict, s->r->conf.max_result,
	    &a->result, &err);
	if (rc == FR_TOOBIG)
		fail(s, FR_FATE_FINAL, err.msg, true);
	else if (rc != FR_OK)
		fail(s, FR_FATE_FAILED, err.msg, true);
	else if (a->chain == NULL)
		finish(s, FR_FATE_COMPLETE, fr_buf_span(&a->result));
	else if (a->pc + 1 < a->chain->n && !lay_over(a))
		fail(s, FR_FATE_FAILED, "out of memory", true);
	else {
		a->pc++;
		advance(s);
	}
}

/* Nothing is left of the step's process. */
static void
step_ended(struct fr_slot *s)
{
	struct fr_attempt *a = &s->a;
	char what[64];
	enum fr_fate fate;
	int code;

	if (a->decided) {
		fail(s, a->fate, a->why, true);
		return;
	}
	fate = fr_fate_of(a->proc.status);
	if (fate == FR_FATE_COMPLETE) {
		if (a->sh_lines && !fr_step_lines_result(s, &fate))
			fail(s, fate, a->why, true);
		else
			step_result(s);
		return;
	}
	fr_fate_status(a->proc.status, what, sizeof(what));
	if (fate == FR_FATE_RELEASED) {
		withdraw(s, what, true);
		return;
	}
	/* The usual ones say nothing that the log does not say better. */
	code = WIFEXITED(a->proc.status) ? WEXITSTATUS(a->proc.status) : -1;
	fail(s, fate, what, code != 1 && code != 65 && code != 75);
}

static void
sweep(struct fr_slot *s, int64_t now_ms)
{
	struct fr_attempt *a = &s->a;

	a->sweep_ms = 0;
	if (!fr_reaper_sweep(&s->r->reaper, &a->proc.brood)) {
		if (now_ms < a->swept_ms + SWEEP_MS) {
			a->sweep_ms = now_ms + 1;
			set_timer(s);
			return;
		}
		fr_run_note(s->r,
		    "a process that a handler for %s started "
		    "does not die of SIGKILL",
		    a->task->handler->type);
		fr_reaper_forget(&s->r->reaper, &a->proc.brood);
	}
	step_ended(s);
}

/* The process has ended; step.c has read what there was. */
void
fr_attempt_exited(struct fr_slot *s)
{
	struct fr_attempt *a = &s->a;
	/* Only what lasts needs the time. */
	const int64_t now_ms = fr_time_mono_ms();

	a->phase = FR_PHASE_SWEEPING;
	a->watch_ms = a->kill_ms = 0;
	a->swept_ms = now_ms;
	sweep(s, now_ms);
}

void
fr_attempt_stop(struct fr_slot *s, enum fr_fate fate, const char *why, bool now)
{
	struct fr_attempt *a = &s->a;

	fr_assert(a->task != NULL);
	if (!a->decided || fate == FR_FATE_STOPPED)
		decide(a, fate, why);
	a->deadline_ms = 0;
	if (a->phase == FR_PHASE_RUNNING || now) {
		a->kill_ms = fr_time_mono_ms() + s->r->conf.kill_ms;
		if (a->phase != FR_PHASE_SWEEPING) {
			a->phase = FR_PHASE_ENDING;
			fr_reaper_signal(&s->r->reaper, &a->proc.brood,
			    now ? SIGKILL : SIGTERM);
		}
	}
	set_timer(s);
}

void
fr_attempt_timer(struct fr_slot *s, int64_t now_ms)
{
	struct fr_attempt *a = &s->a;
	char seconds[32], why[64];

	if (s->drop_ms != 0 && s->drop_ms <= now_ms) {
		s->drop_ms = 0;
		s->has_dir =
		    fr_workdir_drop(s->r->conf.workdir, s->name, false);
	}
	if (a->phase == FR_PHASE_NONE)
		return;
	if (a->phase == FR_PHASE_SWEEPING) {
		if (a->sweep_ms != 0 && a->sweep_ms <= now_ms)
			sweep(s, now_ms);
		return;
	}
	if (a->watch_ms != 0 && a->watch_ms <= now_ms) {
		a->watch_ms = 0;
		fr_proc_arm(&a->proc, FR_PIPE_OUT, EPOLLIN);
		fr_proc_arm(&a->proc, FR_PIPE_LOG, EPOLLIN);
		fr_proc_arm(&a->proc, FR_PIPE_PROGRESS, EPOLLIN);
	}
	if (a->kill_ms != 0 && a->kill_ms <= now_ms) {
		a->kill_ms = 0;
		fr_reaper_signal(&s->r->reaper, &a->proc.brood, SIGKILL);
	}
	if (a->deadline_ms != 0 && a->deadline_ms <= now_ms) {
		fr_run_seconds(seconds, sizeof(seconds), a->task->timeout_ms);
		(void)snprintf(why, sizeof(why), "timed out after %s", seconds);
		fr_attempt_stop(s, FR_FATE_FAILED, why, false);
		return;
	}
	set_timer(s);
}
