/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/time.h"
#include "run/runner.h"
#include "tests/alloc/lib/alloc.h"

/*
 * A job without memory: what it came to is told whole, or it has failed or is
 * given back; it never ends well with less than its handler wrote.
 */
#define JOBS 2
#define DATA 20000

static char data[DATA + 1];

struct seen {
	unsigned ended;
	unsigned complete;
};

static void
on_done(void *arg, struct fr_task *t, const struct fr_ending *e)
{
	struct seen *seen = arg;
	struct fr_span whole;

	(void)t;
	seen->ended++;
	seen->complete += e->fate == FR_FATE_COMPLETE;
	must(fr_json_check(e->value, 64, &whole, NULL) == FR_OK);
	must(e->log.len == 0 ||
	     fr_json_check(e->log, 64, &whole, NULL) == FR_OK);
	if (e->fate == FR_FATE_COMPLETE)
		must(e->value.len == DATA &&
		     memcmp(e->value.p, data, DATA) == 0);
}

static void
on_progress(void *arg, struct fr_task *t, struct fr_span json)
{
	struct fr_span whole;

	(void)arg;
	(void)t;
	must(fr_json_check(json, 64, &whole, NULL) == FR_OK);
}

static void
run_all(struct fr_runner *r, const struct seen *seen)
{
	const int64_t until_ms = fr_time_mono_ms() + 20000;
	struct pollfd p = { .fd = fr_runner_fd(r), .events = POLLIN };
	int64_t next_ms, now_ms;

	while (seen->ended < JOBS) {
		now_ms = fr_time_mono_ms();
		must(now_ms < until_ms);
		next_ms = fr_runner_next_ms(r);
		if (next_ms == -1 || next_ms > until_ms)
			next_ms = until_ms;
		(void)poll(
		    &p, 1, (int)(next_ms > now_ms ? next_ms - now_ms : 0));
		fr_runner_step(r);
	}
}

/* Some jobs by the handler x, which answers with what it was given. */
static enum fr_rc
jobs(struct fr_handlers *hs)
{
	static struct fr_workdir w;
	static struct fr_task tasks[JOBS];
	struct seen seen = { 0, 0 };
	const struct fr_runner_conf conf = { .slots = 1,
		.ahead = 1,
		.max_result = 1 << 20,
		.max_log = 65536,
		.kill_ms = 1000,
		.limits = FR_LIMITS_NONE,
		.handlers = hs,
		.workdir = &w,
		.arg = &seen,
		.done = on_done,
		.progress = on_progress };
	struct fr_runner *r = NULL;
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc;
	int i;

	must(fr_workdir_open(&w, "/tmp", &err) == FR_OK);
	rc = fr_runner_open(&r, &conf, &err);
	for (i = 0; rc == FR_OK && i < JOBS; i++) {
		tasks[i] = (struct fr_task){ .type = FR_SPAN("x"),
			.data = { data, DATA },
			.attempt = 1,
			.max_attempts = 1 };
		fr_runner_add(r, &tasks[i]);
	}
	if (rc == FR_OK) {
		fr_runner_kick(r);
		run_all(r, &seen);
	}
	fr_runner_close(r);
	fr_workdir_close(&w);
	return rc == FR_OK && seen.complete < JOBS ? FR_NOMEM : rc;
}

static enum fr_rc
with(const char *handler)
{
	struct fr_handlers hs;
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc;

	rc = fr_handlers_init(&hs, "/nowhere", NULL, &err);
	if (rc != FR_OK)
		return rc;
	rc = fr_handlers_add(&hs, handler, &err);
	if (rc == FR_OK)
		rc = jobs(&hs);
	fr_handlers_fini(&hs);
	return rc;
}

static enum fr_rc
a_command(void)
{
	return with("x=echo half >&3; echo log >&2; cat");
}

/* {"id":...,"type":"x","attempt":1,"data":DATA} becomes {"result":DATA}. */
static enum fr_rc
a_kept_handler(void)
{
	return with("x.lines=echo log >&2; echo half >&3; "
		    "sed -u 's/.*,\"data\":/{\"result\":/'");
}

static char chain[64] = "x.chain=/tmp/fr-alloc.XXXXXX";

static enum fr_rc
a_chain(void)
{
	return with(chain);
}

/* Its first step's result is read by the second as {"result":DATA}. */
static void
write_chain(void)
{
	static const char steps[] = "| cat; echo log >&2\n"
				    "progress: half\n"
				    "| sed 's/^{\"result\"://; s/}$//'\n";
	const int fd = mkstemp(strchr(chain, '=') + 1);

	must(fd != -1 &&
	     write(fd, steps, sizeof(steps) - 1) == (ssize_t)sizeof(steps) - 1);
	must(close(fd) == 0);
}

int
main(void)
{
	memset(data, 'x', DATA);
	data[0] = data[DATA - 1] = '"';
	(void)signal(SIGPIPE, SIG_IGN);
	write_chain();
	alloc_try("a command's result is whole, or it has failed", a_command);
	alloc_try("so is a kept handler's", a_kept_handler);
	alloc_try("so is a chain's", a_chain);
	must(unlink(strchr(chain, '=') + 1) == 0);
	return alloc_done();
}
