/* SPDX-License-Identifier: MIT */
/*
 * Many jobs, one JSON text a line. While one request is under way the next
 * one is filled, so that reading and checking hide behind the manager's disk.
 * A fast input gives full requests. A slow one (tail -f) gives small ones: when
 * nothing more has come for a moment and nothing is under way, what there is
 * goes out.
 *
 * The first bad line ends it. Lines are checked here, before they are sent, by
 * the manager's own rules, so that exactly those before it are accepted.
 */
#include "submit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lines.h"
#include "base/str.h"
#include "base/time.h"
#include "batch.h"
#include "cli/bar.h"
#include "sender.h"

#define QUIET_MS 20  /* no input for so long: send */
#define LINGER_MS 50 /* and after this anyway, when there is a pause */

struct job_stream {
	const struct conf *conf;
	struct recipe recipe;
	struct fr_lines in;
	struct fr_client *cl;
	struct sender *sender;
	struct batch batches[2];
	struct batch *filling;
	struct fr_bar bar;
	uint64_t accepted;
	enum fr_rc rc; /* the first failure; ends it */
};

static enum fr_rc
stop_with(struct job_stream *s, const struct fr_err *err)
{
	fr_bar_clear(&s->bar);
	fr_warn(err);
	if (s->rc == FR_OK)
		s->rc = err->rc;
	return err->rc;
}

static void
read_more(struct job_stream *s)
{
	struct fr_err err = FR_ERR_INIT;

	if (fr_lines_read(&s->in, STDIN_FILENO, "stdin", &err) != FR_OK)
		(void)stop_with(s, &err);
}

/* Takes back what was sent, and prints its ids. */
static void
collect(struct job_stream *s)
{
	struct fr_err err = FR_ERR_INIT;
	struct batch *b = sender_take(s->sender);

	if (b == NULL)
		return;
	s->accepted += b->accepted;
	if (!s->conf->quiet) {
		if (batch_print(b, &err) != FR_OK)
			(void)stop_with(s, &err);
		if (fflush(stdout) == EOF && s->rc == FR_OK) {
			/* A closed pipe is no news to whoever closed it. */
			s->rc = FR_IO;
			if (errno != EPIPE)
				fr_warnf("write to standard output: %s",
				    strerror(errno));
			clearerr(stdout);
		}
	}
	if (b->rc != FR_OK) {
		(void)stop_with(s, &b->err);
		if (b->unknown)
			fr_warnf("whether these lines were accepted is not "
				 "known; no later one was");
	}
	fr_bar_draw(&s->bar, s->accepted, s->in.bytes);
	batch_reset(b);
}

/* Sends what was filled, as soon as what was sent before is back. */
static void
send_filled(struct job_stream *s)
{
	struct batch *other = &s->batches[s->filling == &s->batches[0]];

	collect(s);
	if (s->rc != FR_OK || s->filling->n == 0)
		return;
	sender_send(s->sender, s->filling);
	s->filling = other;
}

/* Fills from what was read. */
static void
fill(struct job_stream *s)
{
	struct fr_err why = FR_ERR_INIT, err = FR_ERR_INIT;
	struct fr_span line;
	enum fr_rc rc;

	s->recipe.now_ms = fr_time_wall_ms();
	while (s->rc == FR_OK && fr_lines_next(&s->in, &line)) {
		if (fr_lines_blank(line))
			continue;
		if (!batch_fits(s->filling, &s->recipe, line.len))
			send_filled(s);
		if (s->rc != FR_OK)
			return;
		if (s->filling->n == 0)
			s->filling->begun_ms = fr_time_mono_ms();
		rc = batch_add(s->filling, &s->recipe, line, s->in.line, &why);
		if (rc == FR_OK)
			continue;
		(void)fr_fail(&err, rc, "line %llu: %s",
		    (unsigned long long)s->in.line, why.msg);
		/* What was good before it goes out first. */
		send_filled(s);
		collect(s);
		if (s->rc == FR_OK)
			(void)stop_with(s, &err);
	}
}

/* Waits for input, for the sender, or until what was filled should go. */
static void
wait_for_something(struct job_stream *s)
{
	struct pollfd fds[2] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = sender_busy(s->sender) ? sender_fd(s->sender) : -1,
		    .events = POLLIN },
	};
	int64_t left, timeout = -1;
	int n;

	if (s->filling->n > 0 && !sender_busy(s->sender)) {
		left = s->filling->begun_ms + LINGER_MS - fr_time_mono_ms();
		timeout = left < 0 ? 0 : left < QUIET_MS ? left : QUIET_MS;
	}
	n = poll(fds, 2, (int)timeout);
	if (n == 0)
		send_filled(s);
	if (n <= 0)
		return;
	if (fds[1].revents != 0)
		collect(s);
	if (fds[0].revents != 0 && s->rc == FR_OK)
		read_more(s);
}

static enum fr_rc
begin(struct job_stream *s, const struct conf *conf, const char *type,
    struct fr_err *err)
{
	const struct fr_client_conf cc = connection(conf);
	struct recipe *r = &s->recipe;
	enum fr_rc rc;

	s->conf = conf;
	s->filling = &s->batches[0];
	r->type = type;
	fr_rand_init(&r->rand);
	fr_buf_init(&r->head, 0);
	fr_lines_init(&s->in, LINE_MOST);
	if (type != NULL) {
		if (!fr_type_valid(fr_span_of(type)))
			return fr_fail(err, FR_USAGE,
			    "`%s`: not the name of a type", type);
		fr_buf_addf(&r->head, ",\"type\":\"%s\"", type);
		rc = data_options(conf, &r->head, err);
		if (rc != FR_OK)
			return rc;
		fr_buf_adds(&r->head, ",\"data\":");
	}
	rc = batch_init(&s->batches[0], err);
	if (rc == FR_OK)
		rc = batch_init(&s->batches[1], err);
	if (rc == FR_OK)
		rc = fr_client_open(&s->cl, &cc, err);
	if (rc == FR_OK)
		rc = sender_start(&s->sender, s->cl, err);
	return rc;
}

/* Of a file how long it is; of what else stdin may be nobody knows. */
static int64_t
input_size(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode)
		   ? (int64_t)st.st_size
		   : 0;
}

enum fr_rc
bulk(const struct conf *conf, const char *type)
{
	struct job_stream s = { .rc = FR_OK };
	struct fr_err err = FR_ERR_INIT;

	if (begin(&s, conf, type, &err) != FR_OK)
		(void)stop_with(&s, &err);
	else {
		/* Ids on the same terminal are progress enough. */
		fr_bar_begin(&s.bar, !conf->quiet && !fr_tty(STDOUT_FILENO),
		    input_size());
		while (s.rc == FR_OK && !s.in.end) {
			wait_for_something(&s);
			if (s.rc == FR_OK)
				fill(&s);
		}
		send_filled(&s);
		collect(&s);
		fr_bar_end(&s.bar, s.accepted);
	}
	sender_stop(s.sender);
	fr_client_close(s.cl);
	batch_fini(&s.batches[0]);
	batch_fini(&s.batches[1]);
	fr_lines_fini(&s.in);
	fr_buf_fini(&s.recipe.head);
	return s.rc;
}
