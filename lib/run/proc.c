/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "run/inner.h"

#define LINE_MOST 65536 /* longer ones are cut */
#define LINES_PIECE 4096
#define LINES_BURST 16

static void
close_pair(int fd[2])
{
	if (fd[0] != -1)
		(void)close(fd[0]);
	if (fd[1] != -1)
		(void)close(fd[1]);
	fd[0] = fd[1] = -1;
}

/*
 * The child's ends block, as programs expect; ours do not. pipe[i][0] is
 * ours.
 */
static enum fr_rc
make_pipes(int pipes[4][2], struct fr_err *err)
{
	int i, fd[2];

	for (i = 0; i < 4; i++) {
		if (pipe2(fd, O_CLOEXEC) == -1) {
			(void)fr_failsys(err, FR_AGAIN, "make a pipe");
			return FR_AGAIN;
		}
		pipes[i][0] = i == FR_PIPE_IN ? fd[1] : fd[0];
		pipes[i][1] = i == FR_PIPE_IN ? fd[0] : fd[1];
		(void)fcntl(pipes[i][0], F_SETFL, O_NONBLOCK);
	}
	return FR_OK;
}

enum fr_rc
fr_proc_start(struct fr_runner *r, struct fr_proc *p,
    const struct fr_handler *h, char *const *envp, const char *dir,
    struct fr_err *err)
{
	int pipes[4][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	struct fr_spawn s = { .paths = (const char *const *)h->paths,
		.argv = h->argv,
		.envp = envp,
		.dir = dir,
		.limits = &r->conf.limits,
		.mark = fr_reaper_mark(&r->reaper) };
	enum fr_rc rc;
	int i;

	fr_assert(p->brood.pid == 0);
	rc = make_pipes(pipes, err);
	for (i = 0; i < 4; i++)
		s.fd[i] = pipes[i][1];
	if (rc == FR_OK)
		rc = fr_spawn(&s, err);
	if (rc != FR_OK) {
		for (i = 0; i < 4; i++)
			close_pair(pipes[i]);
		return rc;
	}
	p->r = r;
	p->batch = r->batch;
	p->status = 0;
	fr_reaper_add(&r->reaper, &p->brood, s.pid);
	for (i = 0; i < 4; i++) {
		(void)close(pipes[i][1]);
		p->fd[i] = pipes[i][0];
	}
	p->fd[FR_PIPE_END] = s.pidfd;
	for (i = 0; i < FR_PIPES; i++) {
		p->watch[i].proc = p;
		p->watch[i].pipe = (enum fr_pipe)i;
		p->armed[i] = false;
	}
	fr_proc_arm(p, FR_PIPE_END, EPOLLIN);
	return FR_OK;
}

void
fr_proc_arm(struct fr_proc *p, enum fr_pipe pipe, uint32_t events)
{
	struct epoll_event ev = { .events = events };

	if (p->fd[pipe] == -1 || p->armed[pipe])
		return;
	ev.data.ptr = &p->watch[pipe];
	if (epoll_ctl(p->r->ep, EPOLL_CTL_ADD, p->fd[pipe], &ev) == 0)
		p->armed[pipe] = true;
}

void
fr_proc_disarm(struct fr_proc *p, enum fr_pipe pipe)
{
	if (p->fd[pipe] != -1 && p->armed[pipe])
		(void)epoll_ctl(p->r->ep, EPOLL_CTL_DEL, p->fd[pipe], NULL);
	p->armed[pipe] = false;
}

void
fr_proc_shut(struct fr_proc *p, enum fr_pipe pipe)
{
	if (p->fd[pipe] == -1)
		return;
	/* Nobody else has our end, so that closing it ends its events. */
	p->armed[pipe] = false;
	(void)close(p->fd[pipe]);
	p->fd[pipe] = -1;
}

void
fr_proc_close(struct fr_proc *p)
{
	int i;

	for (i = 0; i < FR_PIPES; i++)
		fr_proc_shut(p, (enum fr_pipe)i);
}

ssize_t
fr_proc_read(struct fr_proc *p, enum fr_pipe pipe, struct fr_buf *b, size_t max)
{
	char *room;
	ssize_t n;

	if (p->fd[pipe] == -1)
		return -1;
	room = fr_buf_reserve(b, max);
	if (room == NULL) {
		fr_proc_shut(p, pipe); /* it would be readable for ever */
		return -1;
	}
	do
		n = read(p->fd[pipe], room, max);
	while (n == -1 && errno == EINTR);
	if (n > 0) {
		fr_buf_commit(b, (size_t)n);
		return n;
	}
	if (n == -1 && errno == EAGAIN)
		return 0;
	fr_proc_shut(p, pipe);
	return -1;
}

void
fr_proc_read_log(struct fr_proc *p, struct fr_tail *log, size_t max)
{
	const size_t piece = 8192;
	size_t before, want;
	ssize_t n;

	while (max > 0) {
		want = max < piece ? max : piece;
		before = log->b.len;
		n = fr_proc_read(p, FR_PIPE_LOG, &log->b, want);
		if (n <= 0)
			return;
		/* As if it had been read into the tail. */
		log->b.len = before;
		fr_tail_commit(log, (size_t)n);
		max -= (size_t)n;
		if ((size_t)n < want)
			return;
	}
}

/* Takes whole lines off the front of b; with end, what is left is one. */
static void
emit_lines(struct fr_proc *p, struct fr_buf *b, bool end, fr_line_fn *emit)
{
	struct fr_span rest = fr_buf_span(b), line;
	const char *nl;

	for (;;) {
		nl = rest.len == 0 ? NULL : memchr(rest.p, '\n', rest.len);
		if (nl == NULL && !end && rest.len < LINE_MOST)
			break;
		line.p = rest.p;
		line.len = nl != NULL ? (size_t)(nl - rest.p) : rest.len;
		if (line.len == 0 && nl == NULL)
			break;
		rest.p += line.len + (nl != NULL);
		rest.len -= line.len + (nl != NULL);
		emit(p->owner, line);
	}
	fr_buf_shift(b, b->len - rest.len);
}

void
fr_proc_read_lines(
    struct fr_proc *p, struct fr_buf *b, bool end, fr_line_fn *emit)
{
	ssize_t n;
	int i;

	for (i = 0; i < LINES_BURST; i++) {
		n = fr_proc_read(p, FR_PIPE_PROGRESS, b, LINES_PIECE);
		if (n <= 0)
			break;
		emit_lines(p, b, false, emit);
		if (n < LINES_PIECE)
			break;
	}
	if (end)
		emit_lines(p, b, true, emit);
}
