/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "backends/registry.h"
#include "base/arena.h"
#include "base/str.h"
#include "base/time.h"
#include "run.h"

#define YEAR_MS ((int64_t)365 * 24 * 3600 * 1000)
#define LINE_MOST ((size_t)16 << 20)
#define AHEAD 64 /* jobs for one slot, if a handler is kept running */

/* Tells all handlers to end: the first time politely. */
static void
end_running(struct run *r)
{
	struct running *j;

	for (j = r->first; j != NULL; j = j->next)
		fr_runner_stop(r->runner, &j->task, r->stopping > 1);
}

void
give_up(struct run *r, const struct fr_err *err)
{
	fr_warn(err);
	r->worst = fr_worse(r->worst, err->rc);
	r->read_all = true;
	r->stopping = 2;
	end_running(r);
}

void
stop(struct run *r)
{
	r->read_all = true;
	r->stopping++;
	end_running(r);
}

static void
take_orders(struct run *r)
{
	char bytes[16];
	const ssize_t n = read(r->orders, bytes, sizeof(bytes));

	if (n == 0) { /* the guard is gone: nobody would end the handlers */
		r->stopping = 1;
		(void)close(r->orders);
		r->orders = -1;
	}
	if (n >= 0)
		stop(r);
}

static bool
is_over(const struct run *r)
{
	if (print_waits(r))
		return false;
	if (r->stopping > 0)
		return r->nrunning == 0;
	return r->read_all && r->ended == r->taken;
}

static int
timeout(const struct run *r, int64_t now_ms)
{
	int64_t next = fr_runner_next_ms(r->runner);

	if (r->next.nfinished > 0) /* it could not even be started */
		return 0;
	if (r->stall_ms != 0 && (next == -1 || r->stall_ms < next))
		next = r->stall_ms;
	if (r->engine_ms < INT64_MAX && (next == -1 || r->engine_ms < next))
		next = r->engine_ms;
	if (next == -1)
		return -1;
	next -= now_ms;
	return next < 0 ? 0 : next > 60000 ? 60000 : (int)next;
}

static void
turn(struct run *r)
{
	struct pollfd fds[4] = {
		{ .fd = fr_runner_fd(r->runner), .events = POLLIN },
		{ .fd = r->orders, .events = POLLIN },
		{ .fd = intake_wanted(r) ? STDIN_FILENO : -1,
		    .events = POLLIN },
		{ .fd = print_waits(r) ? STDOUT_FILENO : -1,
		    .events = POLLOUT },
	};
	const uint64_t taken = r->taken;
	const bool full = print_full(r);

	if (poll(fds, 4, timeout(r, fr_time_mono_ms())) == -1)
		return;
	if (fds[1].revents != 0)
		take_orders(r);
	if (fds[2].revents != 0 && intake_wanted(r))
		intake_read(r);
	fr_runner_step(r->runner);
	print(r);
	if (r->next.nfinished > 0 || r->taken != taken ||
	    fr_time_mono_ms() >= r->engine_ms || (full && !print_full(r)))
		exchange(r);
	print(r);
}

static size_t
most(const struct handling *h)
{
	size_t i;

	/* A handler that is kept running may be given jobs ahead. */
	for (i = 0; i < h->handlers.n; i++)
		if (h->handlers.v[i]->kind == FR_HANDLER_LINES)
			return (size_t)h->slots * AHEAD;
	return (size_t)h->slots;
}

static enum fr_rc
open_engine(struct run *r, struct fr_err *err)
{
	struct fr_engine_conf ec = { .clock = &fr_clock_real,
		.rand = &r->rand,
		.lease_ms = YEAR_MS,
		.sweep_ms = 60000,
		.retry_base_ms = 1000,
		.retry_max_ms = 600000 };
	enum fr_rc rc;

	rc = fr_store_memory.open(&r->store, "", 0, err);
	if (rc == FR_OK)
		rc = fr_registry_queue(&r->queue, "memory:fifo", err);
	if (rc != FR_OK)
		return rc;
	ec.store = r->store;
	ec.queue = r->queue;
	r->engine = fr_engine_new(&ec, err);
	return r->engine == NULL ? err->rc : FR_OK;
}

static enum fr_rc
open_all(struct run *r, struct fr_err *err)
{
	struct handling *h = &r->conf->handling;
	struct fr_runner_conf rc;
	const size_t n = h->handlers.n;

	handling_runner(h, &r->workdir, &rc);
	rc.ahead = AHEAD;
	rc.arg = r;
	rc.done = on_done;
	rc.progress = on_progress;
	r->most = most(h);
	fr_rand_init(&r->rand);
	print_begin(r);
	fr_lines_init(&r->in, LINE_MOST);
	r->types = calloc(n + 1, sizeof(*r->types));
	r->held = calloc(r->most, sizeof(*r->held));
	if (r->types == NULL || r->held == NULL || !report_begin(r))
		return fr_fail(err, FR_NOMEM, "out of memory");
	if (open_engine(r, err) != FR_OK)
		return err->rc;
	return fr_runner_open(&r->runner, &rc, err);
}

static void
close_all(struct run *r)
{
	struct running *j, *next;

	fr_runner_close(r->runner);
	for (j = r->first; j != NULL; j = next) {
		next = j->next;
		fr_buf_fini(&j->progress);
		free(j);
	}
	fr_engine_free(r->engine);
	if (r->queue != NULL)
		r->queue->ops->close(r->queue);
	fr_store_memory.close(r->store);
	fr_arena_free(r->next.arena);
	fr_map_free(r->chosen);
	fr_lines_fini(&r->in);
	fr_buf_fini(&r->out);
	free(r->types);
	free(r->held);
}

enum fr_rc
run_all(struct run *r, struct conf *conf)
{
	struct fr_err err = FR_ERR_INIT;

	r->conf = conf;
	if (open_all(r, &err) != FR_OK)
		give_up(r, &err);
	else {
		exchange(r);
		print(r);
		while (!is_over(r))
			turn(r);
		if (r->ended < r->taken) {
			fr_warnf("stopped: %llu jobs have not ended",
			    (unsigned long long)(r->taken - r->ended));
			r->worst = fr_worse(r->worst, FR_JOBFAILED);
		}
	}
	close_all(r);
	return r->worst;
}
