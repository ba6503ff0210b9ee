/* SPDX-License-Identifier: MIT */
#include "local.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "run/runner.h"

#define DATA_BYTES ((size_t)64 << 20)

struct local {
	struct conf *conf;
	bool ended;
	bool stopped;
	int status;
};

/* Prints a string token as its text, anything else as it is. */
static void
print_text(FILE *to, struct fr_span json)
{
	struct fr_buf text;

	fr_buf_init(&text, 0);
	fr_jsonw_text(&text, json);
	if (text.len > 0 && fr_buf_ok(&text))
		(void)fwrite(text.p, 1, text.len, to);
	fr_buf_fini(&text);
}

static void
on_done(void *arg, struct fr_task *t, const struct fr_ending *o)
{
	struct local *l = arg;

	(void)t;
	l->ended = true;
	print_text(stderr, o->log);
	switch (o->fate) {
	case FR_FATE_COMPLETE:
		(void)fwrite(o->value.p, 1, o->value.len, stdout);
		(void)putchar('\n');
		l->status = fr_finish(FR_OK);
		return;
	case FR_FATE_FAILED:
	case FR_FATE_FINAL:
		(void)fprintf(stderr, "fr-worker: %s failed%s: ", l->conf->run,
		    o->fate == FR_FATE_FINAL ? " for good" : "");
		print_text(stderr, o->value);
		(void)fputc('\n', stderr);
		l->status = fr_exit_status(FR_JOBFAILED);
		return;
	case FR_FATE_RELEASED:
		l->status = fr_exit_status(FR_IO);
		return;
	case FR_FATE_STOPPED:
		l->status = 128 + 15;
		return;
	}
}

static void
on_progress(void *arg, struct fr_task *t, struct fr_span json)
{
	(void)arg;
	(void)t;
	(void)fputs("progress: ", stderr);
	(void)fwrite(json.p, 1, json.len, stderr);
	(void)fputc('\n', stderr);
}

/* One line of JSON from stdin; nothing at all is null. */
static enum fr_rc
read_data(struct fr_buf *b, struct fr_span *data, struct fr_err *err)
{
	struct fr_err why = FR_ERR_INIT;
	enum fr_rc rc;

	rc = fr_io_read_all(0, b, "stdin", err);
	if (rc != FR_OK)
		return rc;
	*data = FR_SPAN("null");
	if (b->len == 0)
		return FR_OK;
	rc = fr_json_check(fr_buf_span(b), FR_JSON_DEPTH, data, &why);
	if (rc != FR_OK)
		(void)fr_fail(err, rc, "stdin: %s%s",
		    rc == FR_SYNTAX ? "not JSON: " : "", why.msg);
	else
		data->len = fr_json_compact(b->p, *data);
	data->p = b->p;
	return rc;
}

/* Passes on what the keeper says; its end is the end of all. */
static void
obey(struct local *l, struct keep *k, struct fr_runner *r, struct fr_task *t)
{
	char byte;
	const ssize_t n = read(k->orders, &byte, 1);

	if (n == 0) {
		fr_runner_close(r);
		keep_give_back(k);
		_exit(128 + 9);
	}
	/* There is nothing to read again, so that SIGHUP is an end, too. */
	if (n == 1 && !l->ended) {
		fr_runner_stop(r, t, l->stopped);
		l->stopped = true;
	}
}

static void
wait_for_end(
    struct local *l, struct keep *k, struct fr_runner *r, struct fr_task *t)
{
	struct pollfd fds[2] = { { .fd = fr_runner_fd(r), .events = POLLIN },
		{ .fd = k->orders, .events = POLLIN } };
	int64_t next;

	while (!l->ended) {
		next = fr_runner_next_ms(r);
		if (next != -1) {
			next -= fr_time_mono_ms();
			next = next < 0 ? 0 : next;
		}
		(void)poll(fds, 2, (int)next);
		if (fds[1].revents != 0)
			obey(l, k, r, t);
		fr_runner_step(r);
	}
}

static void
make_task(struct conf *c, struct fr_task *t)
{
	struct fr_uuid_gen gen = { 0, 0 };
	struct fr_rand rnd;

	fr_rand_init(&rnd);
	t->id = fr_uuid_new(&gen, fr_time_wall_ms(), &rnd);
	t->type = fr_span_of(c->run);
	t->attempt = 1;
	t->max_attempts = 1;
}

int
local_run(struct conf *c, struct keep *k)
{
	struct local l = { .conf = c };
	struct fr_err err = FR_ERR_INIT;
	struct fr_workdir w = { .fd = -1 };
	struct fr_runner_conf rc;
	struct fr_runner *r = NULL;
	struct fr_task t = { 0 };
	struct fr_buf data;
	enum fr_rc res;

	fr_buf_init(&data, DATA_BYTES);
	make_task(c, &t);
	res = read_data(&data, &t.data, &err);
	if (res == FR_OK)
		res = fr_workdir_open(&w, c->handling.workdir, &err);
	(void)fr_str_copy(
	    k->shared->workdir, sizeof(k->shared->workdir), fr_span_of(w.path));
	if (res == FR_OK) {
		conf_runner(c, &w, &rc);
		rc.arg = &l;
		rc.done = on_done;
		rc.progress = on_progress;
		res = fr_runner_open(&r, &rc, &err);
	}
	if (res == FR_OK) {
		/* A built-in handler that nobody named is found all the same.
		 */
		fr_handlers_named(&c->handling.handlers, t.type)->hidden =
		    false;
		fr_runner_add(r, &t);
		fr_runner_kick(r);
		wait_for_end(&l, k, r, &t);
	} else {
		fr_warn(&err);
		l.status = fr_exit_status(res);
	}
	fr_runner_close(r);
	fr_workdir_close(&w);
	fr_buf_fini(&data);
	return l.status;
}
