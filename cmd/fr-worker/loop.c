/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "run/chain.h"

#define STALE_MS 500 /* a job fetched ahead waits no longer */
#define QUICK_MS 50
#define QUIT_MS 10000   /* for the last words to a manager that is away */
#define GOODBYE_MS 1000 /* if there is nothing to report */
#define BUSY_MS 5000    /* so long, if it has answered so far */

static void
set_timer(struct loop *l, int64_t at_ms, int64_t now_ms)
{
	struct timeval tv;
	int64_t ms;

	if (at_ms == -1) {
		(void)event_del(l->timer);
		return;
	}
	ms = at_ms > now_ms ? at_ms - now_ms : 0;
	if (ms > 60000)
		ms = 60000;
	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	(void)event_add(l->timer, &tv);
}

/* ---- what the runner says ------------------------------------------ */

static void
on_done(void *arg, struct fr_task *t, const struct fr_ending *e)
{
	struct loop *l = arg;
	struct job *j = t->user;
	enum fr_finish how = FR_FINISH_RELEASED;

	switch (e->fate) {
	case FR_FATE_COMPLETE:
		how = FR_FINISH_COMPLETE;
		break;
	case FR_FATE_FAILED:
		how = FR_FINISH_FAILED;
		break;
	case FR_FATE_FINAL:
		how = FR_FINISH_FINAL;
		break;
	case FR_FATE_RELEASED:
		break;
	case FR_FATE_STOPPED:
		how = j->warned ? FR_FINISH_LOST : l->stopped_as;
		break;
	}
	if (t->state != FR_TASK_WAITING &&
	    fr_time_mono_ms() - t->since_ms > QUICK_MS) {
		l->quick /= 2;
		l->ramp /= 2;
	} else {
		l->quick++;
	}
	fr_log(FR_LOG_DEBUG, "%.*s: attempt %u has ended (%d)",
	    (int)t->type.len, t->type.p, t->attempt, (int)how);
	if (how == FR_FINISH_COMPLETE || how == FR_FINISH_FAILED ||
	    how == FR_FINISH_FINAL)
		held_finish(&l->held, j, how, e->value, e->log);
	else
		held_finish(&l->held, j, how, FR_SPAN(""), FR_SPAN(""));
}

static void
on_started(void *arg, struct fr_task *t)
{
	struct loop *l = arg;

	held_running(&l->held, t->user);
}

static void
on_progress(void *arg, struct fr_task *t, struct fr_span json)
{
	struct loop *l = arg;

	held_progress(&l->held, t->user, json);
}

static void
on_withdrawn(void *arg, const struct fr_handler *h)
{
	(void)arg;
	fr_log(FR_LOG_ERROR,
	    "takes no more jobs of type %s, which cannot be run here: %s",
	    h->type, h->reason);
}

static void
on_note(void *arg, const char *text)
{
	(void)arg;
	fr_log(FR_LOG_WARN, "%s", text);
}

/* ---- leaving ---------------------------------------------------------- */

/* What has not begun is given back; what has, is ended if all is set. */
static void
give_back(struct loop *l, bool all, bool now)
{
	struct job *j, *next;

	for (j = l->held.first; j != NULL; j = next) {
		next = j->next;
		if (!j->with_runner)
			continue;
		if (fr_runner_take(l->runner, &j->task))
			held_finish(&l->held, j, FR_FINISH_RELEASED,
			    FR_SPAN(""), FR_SPAN(""));
		else if (all)
			fr_runner_stop(l->runner, &j->task, now);
	}
}

static void
quit(struct loop *l, bool now)
{
	l->phase = QUITTING;
	l->grace_end_ms = 0;
	l->quit_end_ms =
	    fr_time_mono_ms() + l->conf->handling.kill_ms + QUIT_MS;
	exchange_stop_asking(l);
	give_back(l, true, now);
	fr_runner_rest(l->runner);
}

static void
leave(struct loop *l)
{
	l->phase = LEAVING;
	l->grace_end_ms = fr_time_mono_ms() + l->conf->grace_ms;
	exchange_stop_asking(l);
	give_back(l, false, false);
	fr_runner_rest(l->runner);
}

/* A chain that is wrong is better known now than at its next job. */
static void
check_chains(struct fr_handlers *hs)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_handler *h;
	struct fr_chain *chain;
	enum fr_rc rc;
	size_t i;

	/* The table may grow by built-in handlers that chains name. */
	for (i = 0; i < hs->n; i++) {
		h = hs->v[i];
		if (h->kind != FR_HANDLER_CHAIN || h->gone)
			continue;
		rc = fr_chain_load(hs, h, &chain, &err);
		fr_chain_unref(chain);
		if (rc == FR_STALE)
			fr_log(FR_LOG_ERROR, "type %s goes on as it was: %s",
			    h->type, err.msg);
		else if (rc != FR_OK) {
			h->withdrawn = true;
			(void)snprintf(
			    h->reason, sizeof(h->reason), "%s", err.msg);
			fr_log(FR_LOG_ERROR, "type %s is not taken: %s",
			    h->type, err.msg);
		}
	}
}

static void
reload(struct loop *l)
{
	struct fr_handlers *hs = &l->conf->handling.handlers;
	struct fr_err err = FR_ERR_INIT;
	size_t i;

	for (i = 0; i < hs->n; i++)
		hs->v[i]->withdrawn = false;
	if (l->conf->handling.dir != NULL &&
	    fr_handlers_scan(hs, l->conf->handling.dir, &err) != FR_OK)
		fr_log(FR_LOG_ERROR, "handlers: %s", err.msg);
	handling_warn(&l->conf->handling);
	check_chains(hs);
	fr_runner_rest(l->runner);
	/* What is being asked for may be another thing now. */
	exchange_stop_asking(l);
	fr_log(FR_LOG_INFO, "handlers read again: %zu types", loop_types(l));
}

static void
on_orders(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	char bytes[16];
	ssize_t n, i;

	(void)what;
	n = read((int)fd, bytes, sizeof(bytes));
	if (n == 0) {
		fr_log(FR_LOG_ERROR, "the keeper was killed: ending all");
		(void)event_del(l->orders_event);
		l->stopped_as = FR_FINISH_LOST;
		quit(l, true);
	}
	for (i = 0; i < n; i++) {
		if (bytes[i] == ORDER_RELOAD)
			reload(l);
		else if (l->phase == WORKING)
			leave(l);
		else
			quit(l, true);
	}
	loop_turn(l);
}

/* ---- the turn --------------------------------------------------------- */

/* Jobs that were fetched ahead, and have to wait for slower ones: others may
 * do them sooner. */
static void
stale(struct loop *l, int64_t now_ms)
{
	struct fr_runner_load load;
	struct job *j, *next;

	if (l->held.working <= (size_t)l->conf->handling.slots &&
	    l->held.unsent == 0)
		return;
	fr_runner_load(l->runner, &load);
	if (load.oldest_ms <= STALE_MS)
		return;
	l->ramp /= 2;
	l->quick /= 2;
	for (j = l->held.first; j != NULL; j = next) {
		next = j->next;
		if (j->with_runner && j->task.state == FR_TASK_WAITING &&
		    now_ms - j->task.since_ms > STALE_MS &&
		    fr_runner_take(l->runner, &j->task))
			held_finish(&l->held, j, FR_FINISH_RELEASED,
			    FR_SPAN(""), FR_SPAN(""));
	}
}

/*
 * --exclusive: a handler is told to end while its lease still has time for
 * that, and killed before it ends. -1: nothing to watch; else when to look
 * again.
 */
static int64_t
guard_leases(struct loop *l, int64_t now_ms)
{
	const int64_t margin = l->conf->handling.kill_ms + 500 < l->lease_ms / 2
				   ? l->conf->handling.kill_ms + 500
				   : l->lease_ms / 2;
	int64_t next = -1, term_ms, kill_ms;
	struct job *j, *after;

	if (!l->conf->exclusive)
		return -1;
	for (j = l->held.first; j != NULL; j = after) {
		after = j->next;
		if (!j->with_runner || j->stopping)
			continue;
		kill_ms = j->renewed_ms + l->lease_ms - l->lease_ms / 10;
		term_ms = j->renewed_ms + l->lease_ms - margin;
		if (now_ms >= term_ms && !j->warned) {
			fr_log(FR_LOG_WARN, "a lease cannot be renewed: "
					    "ending its handler");
			j->warned = true;
			fr_runner_stop(l->runner, &j->task, false);
		} else if (now_ms >= kill_ms) {
			fr_runner_stop(l->runner, &j->task, true);
		}
		if (next == -1 || term_ms < next)
			next = now_ms < term_ms ? term_ms : now_ms + 20;
	}
	return next;
}

static void
check_end(struct loop *l, int64_t now_ms)
{
	const int64_t goodbye_ms = l->connected ? BUSY_MS : GOODBYE_MS;

	if (l->phase == LEAVING && now_ms >= l->grace_end_ms &&
	    l->held.working > 0)
		quit(l, false);
	if (l->phase != WORKING && l->held.n == 0 && l->told)
		l->ended = true;
	if (l->phase == LEAVING && l->held.working == 0 && l->quit_end_ms == 0)
		l->quit_end_ms = now_ms + QUIT_MS;
	/* With nothing to report, a manager that is away is not waited for,
	 * and one that is slow not long. */
	if (l->phase != WORKING && l->held.n == 0 &&
	    (l->quit_end_ms == 0 || l->quit_end_ms > now_ms + goodbye_ms))
		l->quit_end_ms = now_ms + goodbye_ms;
	if (l->quit_end_ms != 0 && now_ms >= l->quit_end_ms) {
		l->ended = true;
		if (l->held.n > 0) {
			fr_log(FR_LOG_ERROR, "the manager could not be told");
			l->status = fr_exit_status(FR_UNREACHABLE);
		}
	}
	if (l->conf->drain && l->phase == WORKING && l->dry && l->held.n == 0)
		leave(l);
}

static void
next_turn(struct loop *l, int64_t guard_ms, int64_t now_ms)
{
	const int64_t times[] = { exchange_next_ms(l, now_ms),
		fr_runner_next_ms(l->runner), guard_ms,
		l->phase == LEAVING && l->held.working > 0 ? l->grace_end_ms
							   : -1,
		l->quit_end_ms == 0 ? -1 : l->quit_end_ms,
		l->held.working > (size_t)l->conf->handling.slots
		    ? now_ms + STALE_MS
		    : -1 };
	int64_t next = -1;
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (times[i] != -1 && (next == -1 || times[i] < next))
			next = times[i];
	set_timer(l, next, now_ms);
}

void
loop_turn(struct loop *l)
{
	int64_t now_ms, guard_ms;

	if (l->turning)
		return;
	l->turning = true;
	fr_runner_kick(l->runner);
	now_ms = fr_time_mono_ms();
	stale(l, now_ms);
	guard_ms = guard_leases(l, now_ms);
	check_end(l, now_ms);
	if (!l->ended)
		exchange_decide(l, now_ms);
	if (l->ended)
		(void)event_base_loopbreak(l->base);
	else
		next_turn(l, guard_ms, now_ms);
	l->turning = false;
}

static void
on_runner(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd;
	(void)what;
	fr_runner_step(l->runner);
	loop_turn(l);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	on_runner(fd, what, arg);
}

/* ---- beginning and end ------------------------------------------------ */

static bool
make_events(struct loop *l)
{
	l->runner_event = event_new(l->base, fr_runner_fd(l->runner),
	    EV_READ | EV_PERSIST, on_runner, l);
	l->orders_event = event_new(
	    l->base, l->keep->orders, EV_READ | EV_PERSIST, on_orders, l);
	l->timer = event_new(l->base, -1, 0, on_timer, l);
	return l->runner_event != NULL && l->orders_event != NULL &&
	       l->timer != NULL && event_add(l->runner_event, NULL) == 0 &&
	       event_add(l->orders_event, NULL) == 0;
}

static enum fr_rc
open_all(struct loop *l, struct fr_err *err)
{
	const struct fr_client_conf cc = { .manager = l->conf->manager,
		.token = l->conf->token,
		.ca_file = l->conf->ca_file };
	struct fr_runner_conf rc;
	enum fr_rc res;

	res = fr_workdir_open(&l->workdir, l->conf->handling.workdir, err);
	(void)fr_str_copy(l->keep->shared->workdir,
	    sizeof(l->keep->shared->workdir), fr_span_of(l->workdir.path));
	if (res != FR_OK)
		return res;
	conf_runner(l->conf, &l->workdir, &rc);
	rc.arg = l;
	rc.done = on_done;
	rc.started = on_started;
	rc.progress = on_progress;
	rc.withdrawn = on_withdrawn;
	rc.note = on_note;
	res = fr_runner_open(&l->runner, &rc, err);
	if (res != FR_OK)
		return res;
	l->base = event_base_new();
	if (l->base == NULL || !held_init(&l->held, l->keep->shared) ||
	    !make_events(l))
		return fr_fail(err, FR_NOMEM, "out of memory");
	l->channels.arg = l;
	res = channels_init(&l->channels, l->base, &cc, err);
	l->channels.arg = l;
	l->channels.answered = answer_take;
	return res;
}

static void
close_all(struct loop *l)
{
	fr_runner_close(l->runner);
	if (l->base != NULL)
		channels_fini(&l->channels);
	if (l->runner_event != NULL)
		event_free(l->runner_event);
	if (l->orders_event != NULL)
		event_free(l->orders_event);
	if (l->timer != NULL)
		event_free(l->timer);
	if (l->base != NULL)
		event_base_free(l->base);
	fr_workdir_close(&l->workdir);
	fr_handlers_fini(&l->conf->handling.handlers);
	free(l->types);
	free(l->running);
	free(l->finished);
	free(l->progress);
	held_fini(&l->held);
}

int
loop_run(struct conf *c, struct keep *k)
{
	static struct loop l;
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc;

	l.conf = c;
	l.keep = k;
	l.workdir.fd = -1;
	l.lease_ms = 15000;
	l.rtt_us = 1000;
	l.max_bytes = (size_t)8 << 20;
	l.stopped_as = FR_FINISH_RELEASED;
	fr_rand_init(&l.rand);
	rc = open_all(&l, &err);
	if (rc != FR_OK) {
		fr_warn(&err);
		l.status = fr_exit_status(rc);
	} else {
		if (loop_types(&l) == 0)
			fr_log(FR_LOG_WARN,
			    "no file in %s is a handler: they must be "
			    "executable; SIGHUP has it read again",
			    c->handling.handlers.dir);
		loop_turn(&l);
		if (!l.ended && event_base_dispatch(l.base) == -1)
			l.status = fr_exit_status(FR_IO);
	}
	close_all(&l);
	return l.status;
}
