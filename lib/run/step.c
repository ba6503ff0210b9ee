/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/uuid.h"
#include "run/inner.h"
#include "run/reply.h"

#define LOG_BURST ((size_t)1 << 20)

/* Writes on: the data and a newline. Who does not read it need not. */
static void
feed(struct fr_attempt *a)
{
	const size_t all = a->input.len + 1;
	struct iovec iov[2];
	ssize_t n;

	if (a->proc.fd[FR_PIPE_IN] == -1)
		return;
	while (a->sent < all) {
		iov[0].iov_base = (char *)(uintptr_t)a->input.p + a->sent;
		iov[0].iov_len =
		    a->sent < a->input.len ? a->input.len - a->sent : 0;
		iov[1].iov_base = (char *)(uintptr_t) "\n";
		iov[1].iov_len = 1;
		n = iov[0].iov_len == 0
			? writev(a->proc.fd[FR_PIPE_IN], iov + 1, 1)
			: writev(a->proc.fd[FR_PIPE_IN], iov, 2);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN) {
			fr_proc_arm(&a->proc, FR_PIPE_IN, EPOLLOUT);
			return;
		}
		if (n == -1)
			break;
		a->sent += (size_t)n;
	}
	fr_proc_shut(&a->proc, FR_PIPE_IN);
}

static void
emit(void *owner, struct fr_span line)
{
	struct fr_slot *s = owner;
	struct fr_attempt *a = &s->a;

	if (line.len == 0 || s->r->conf.progress == NULL)
		return;
	fr_buf_reset(&a->json);
	fr_fate_progress(line, &a->json);
	if (fr_buf_ok(&a->json))
		s->r->conf.progress(
		    s->r->conf.arg, a->task, fr_buf_span(&a->json));
}

/* Reads what there is; over the limit it is killed, for good. */
static void
read_out(struct fr_slot *s)
{
	struct fr_attempt *a = &s->a;
	const size_t max = s->r->conf.max_result;
	size_t room = FR_SCRATCH;
	char why[80];
	ssize_t n;

	for (;;) {
		n = fr_proc_read(&a->proc, FR_PIPE_OUT, &a->out, room);
		if (!fr_buf_ok(&a->out))
			fr_attempt_stop(
			    s, FR_FATE_FAILED, "out of memory", true);
		if (n <= 0)
			return;
		/* The newline behind a result of just that size is allowed. */
		if (a->out.len > max &&
		    (a->out.len > max + 1 || a->out.p[max] != '\n'))
			break;
		if ((size_t)n < room)
			return;
	}
	(void)snprintf(
	    why, sizeof(why), "the result is longer than %zu bytes", max);
	fr_proc_shut(&a->proc, FR_PIPE_OUT);
	fr_attempt_stop(s, FR_FATE_FINAL, why, true);
}

/* The leader has ended: what is in the pipes counts, what others that hold
 * them would still write does not. */
static void
ended(struct fr_slot *s)
{
	struct fr_attempt *a = &s->a;

	fr_reaper_reap(&s->r->reaper, &a->proc.brood, &a->proc.status);
	read_out(s);
	fr_proc_read_log(&a->proc, &a->log, LOG_BURST);
	fr_proc_read_lines(&a->proc, &a->line, true, emit);
	fr_proc_close(&a->proc);
	fr_attempt_exited(s);
}

void
fr_step_event(struct fr_proc *p, enum fr_pipe pipe)
{
	struct fr_slot *s = p->owner;

	switch (pipe) {
	case FR_PIPE_IN:
		feed(&s->a);
		break;
	case FR_PIPE_OUT:
		read_out(s);
		break;
	case FR_PIPE_LOG:
		fr_proc_read_log(p, &s->a.log, FR_SCRATCH);
		break;
	case FR_PIPE_PROGRESS:
		fr_proc_read_lines(p, &s->a.line, false, emit);
		break;
	case FR_PIPE_END:
		ended(s);
		break;
	}
}

void
fr_task_line(struct fr_buf *b, const struct fr_task *t, struct fr_span data)
{
	char id[FR_UUID_TEXT];

	fr_uuid_format(id, &t->id);
	fr_buf_adds(b, "{\"id\":\"");
	fr_buf_add(b, id, sizeof(id) - 1);
	fr_buf_adds(b, "\",\"type\":\"");
	fr_buf_addspan(b, t->type);
	fr_buf_adds(b, "\",\"attempt\":");
	fr_buf_addi64(b, t->attempt);
	fr_buf_adds(b, ",\"data\":");
	fr_buf_addspan(b, data);
	fr_buf_adds(b, "}\n");
}

/*
 * A kept handler that ran as a step: its answer, among lines of progress,
 * becomes what the step wrote. false: it failed, and a->why says why.
 */
bool
fr_step_lines_result(struct fr_slot *s, enum fr_fate *fate)
{
	struct fr_attempt *a = &s->a;
	struct fr_span rest = fr_buf_span(&a->out), line;
	struct fr_reply ans;
	const char *nl;

	*fate = FR_FATE_FAILED;
	while (rest.len > 0) {
		nl = memchr(rest.p, '\n', rest.len);
		line.p = rest.p;
		line.len = nl == NULL ? rest.len : (size_t)(nl - rest.p);
		rest.p += line.len + (nl != NULL);
		rest.len -= line.len + (nl != NULL);
		if (!fr_reply_read(line, &ans))
			break;
		if (ans.kind == FR_REPLY_PROGRESS)
			emit(s, ans.value);
		else if (ans.kind == FR_REPLY_RESULT) {
			fr_buf_reset(&a->json);
			fr_buf_addspan(&a->json, ans.value);
			fr_buf_reset(&a->out);
			fr_buf_addspan(&a->out, fr_buf_span(&a->json));
			return true;
		} else {
			*fate = ans.final ? FR_FATE_FINAL : FR_FATE_FAILED;
			(void)fr_str_copy(a->why, sizeof(a->why),
			    FR_SPAN("the handler failed"));
			fr_reply_error(&ans, a->why, sizeof(a->why));
			return false;
		}
	}
	(void)fr_str_copy(a->why, sizeof(a->why),
	    FR_SPAN("the handler gave no answer that is one"));
	return false;
}
