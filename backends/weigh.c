/* SPDX-License-Identifier: MIT */
#include "weigh.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"

#define PATIENCE_MS 2000 /* for one batch */
#define PAUSE_MS 5000    /* before it is started again */
#define AHEAD 65536      /* bytes written ahead of the answers */
#define LINE_MAX 1024    /* of an answer */

struct fr_weigh {
	const char *command;
	pid_t pid; /* 0: not running */
	int to;
	int from;
	int64_t again_ms; /* not started before this */
	struct fr_buf tx;
	struct fr_buf rx;
};

struct fr_weigh *
fr_weigh_new(const char *command)
{
	struct fr_weigh *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->command = command;
	fr_buf_init(&w->tx, 0);
	fr_buf_init(&w->rx, 0);
	return w;
}

static void
end(struct fr_weigh *w)
{
	if (w->pid == 0)
		return;
	(void)close(w->to);
	(void)close(w->from);
	(void)kill(-w->pid, SIGKILL);
	while (waitpid(w->pid, NULL, 0) == -1 && errno == EINTR)
		;
	w->pid = 0;
}

void
fr_weigh_free(struct fr_weigh *w)
{
	if (w == NULL)
		return;
	end(w);
	fr_buf_fini(&w->tx);
	fr_buf_fini(&w->rx);
	free(w);
}

static void
give_up(struct fr_weigh *w, const char *why)
{
	fr_log(FR_LOG_WARN, "weigh %s: %s; jobs weigh their priority for %d s",
	    w->command, why, PAUSE_MS / 1000);
	end(w);
	w->again_ms = fr_time_mono_ms() + PAUSE_MS;
}

/* Runs the command in a process group of its own, with default signals. */
static int
launch(struct fr_weigh *w, int in, int out)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, NULL, NULL };
	extern char **environ;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	argv[2] = strdup(w->command);
	if (argv[2] == NULL)
		return ENOMEM;
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	if (posix_spawn_file_actions_init(&fa) != 0 ||
	    posix_spawnattr_init(&attr) != 0) {
		free(argv[2]);
		return ENOMEM;
	}
	rc = posix_spawn_file_actions_adddup2(&fa, in, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&fa, out, 1);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
						  POSIX_SPAWN_SETSIGDEF |
						  POSIX_SPAWN_SETSIGMASK);
	(void)posix_spawnattr_setpgroup(&attr, 0);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	if (rc == 0)
		rc = posix_spawn(&w->pid, "/bin/sh", &fa, &attr, argv, environ);
	if (rc != 0)
		w->pid = 0;
	(void)posix_spawn_file_actions_destroy(&fa);
	(void)posix_spawnattr_destroy(&attr);
	free(argv[2]);
	return rc;
}

static bool
start(struct fr_weigh *w)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	int rc = -1;

	if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
	    fr_io_nonblock(in[1]) == 0 && fr_io_nonblock(out[0]) == 0)
		rc = launch(w, in[0], out[1]);
	if (in[0] != -1)
		(void)close(in[0]);
	if (out[1] != -1)
		(void)close(out[1]);
	if (rc == 0) {
		w->to = in[1];
		w->from = out[0];
		return true;
	}
	if (in[1] != -1)
		(void)close(in[1]);
	if (out[0] != -1)
		(void)close(out[0]);
	give_up(w, "cannot be started");
	return false;
}

static void
add_line(struct fr_buf *b, const struct fr_ticket *t)
{
	char id[FR_UUID_TEXT];

	fr_uuid_format(id, &t->id);
	fr_jsonw_open(b, '{');
	fr_jsonw_key(b, "id");
	fr_jsonw_strz(b, id);
	fr_jsonw_key(b, "type");
	fr_jsonw_strz(b, t->type);
	fr_jsonw_key(b, "priority");
	fr_jsonw_i64(b, t->priority);
	fr_jsonw_key(b, "data");
	fr_jsonw_raw(b, t->data.len > 0 ? t->data : FR_SPAN("null"));
	fr_jsonw_close(b, '}');
	fr_buf_addc(b, '\n');
}

/* A number as text; false for anything else. */
static bool
read_number(struct fr_span line, double *x)
{
	char text[LINE_MAX + 1];
	struct fr_span v;

	if (fr_json_check(line, 1, &v, NULL) != FR_OK ||
	    fr_json_type(v) != FR_JSON_NUMBER ||
	    !fr_str_copy(text, sizeof(text), v))
		return false;
	*x = strtod(text, NULL);
	return !isnan(*x);
}

/* Takes whole lines out of what was read; false if one is no number. */
static bool
take_answers(struct fr_weigh *w, double *weight, size_t n, size_t *done)
{
	size_t used = 0, len;
	const char *nl;

	while ((nl = memchr(w->rx.p + used, '\n', w->rx.len - used)) != NULL) {
		len = (size_t)(nl - (w->rx.p + used));
		if (*done == n || len > LINE_MAX ||
		    !read_number((struct fr_span){ w->rx.p + used, len },
			&weight[*done]))
			return false;
		++*done;
		used += len + 1;
	}
	fr_buf_shift(&w->rx, used);
	return w->rx.len <= LINE_MAX;
}

static bool
would_block(ssize_t n)
{
	return n == -1 &&
	       (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* One read and one write; NULL, or why it cannot go on. */
static const char *
exchange(
    struct fr_weigh *w, short ready, double *weight, size_t n, size_t *done)
{
	ssize_t k;
	char *p;

	if (ready & (POLLIN | POLLHUP | POLLERR)) {
		p = fr_buf_reserve(&w->rx, 4096);
		if (p == NULL)
			return "out of memory";
		k = read(w->from, p, 4096);
		if (k == 0 || (k == -1 && !would_block(k)))
			return "it has ended";
		if (k > 0)
			fr_buf_commit(&w->rx, (size_t)k);
		if (k > 0 && !take_answers(w, weight, n, done))
			return "it wrote something other than one number a job";
	}
	if (w->tx.len > 0) {
		k = write(w->to, w->tx.p, w->tx.len);
		if (k == -1 && !would_block(k))
			return "it has ended";
		if (k > 0)
			fr_buf_shift(&w->tx, (size_t)k);
	}
	return NULL;
}

/* How many were answered; the rest will not be. */
static size_t
talk(struct fr_weigh *w, const struct fr_ticket *t, size_t n, double *weight)
{
	const int64_t end_ms = fr_time_mono_ms() + PATIENCE_MS;
	size_t asked = 0, done = 0;
	const char *why = NULL;
	int64_t left_ms;

	fr_buf_reset(&w->tx);
	fr_buf_reset(&w->rx);
	while (why == NULL && done < n) {
		struct pollfd fd[] = { { w->from, POLLIN, 0 },
			{ w->to, POLLOUT, 0 } };

		while (asked < n && w->tx.len < AHEAD)
			add_line(&w->tx, &t[asked++]);
		left_ms = end_ms - fr_time_mono_ms();
		if (!fr_buf_ok(&w->tx))
			why = "out of memory";
		else if (left_ms <= 0)
			why = "it is too slow (is each line flushed?)";
		else if (poll(fd, w->tx.len > 0 ? 2 : 1, (int)left_ms) > 0)
			why = exchange(w, fd[0].revents, weight, n, &done);
	}
	if (why == NULL && w->rx.len > 0)
		why = "it wrote something other than one number a job";
	if (why != NULL)
		give_up(w, why);
	return done;
}

void
fr_weigh_ask(
    struct fr_weigh *w, const struct fr_ticket *t, size_t n, double *weight)
{
	struct pollfd fd = { w->from, POLLIN, 0 };
	size_t done = 0;

	if (w->pid != 0 && n > 0 && poll(&fd, 1, 0) != 0)
		give_up(w, "it has ended, or wrote without being asked");
	if (w->pid != 0 || (fr_time_mono_ms() >= w->again_ms && start(w)))
		done = talk(w, t, n, weight);
	for (; done < n; done++)
		weight[done] = fr_weigh_plain(&t[done]);
}

double
fr_weigh_plain(const struct fr_ticket *t)
{
	return t->priority > 1 ? t->priority : 1;
}
