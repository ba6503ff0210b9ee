/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"

/*
 * The floor for "a command for each job": posix_spawn with a pipe to stdin
 * and one from stdout, and nothing else. spawn JOBS AT_A_TIME COMMAND...
 * prints jobs a second.
 */

extern char **environ;

static const char data[] = "{\"n\":12345,\"note\":\"hello job queue\"}\n";

struct child {
	pid_t pid;
	int out;
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
launch(struct child *c, char *argv[])
{
	posix_spawn_file_actions_t fa;
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(out, O_CLOEXEC) == -1)
		die("pipe");
	(void)posix_spawn_file_actions_init(&fa);
	(void)posix_spawn_file_actions_adddup2(&fa, in[0], 0);
	(void)posix_spawn_file_actions_adddup2(&fa, out[1], 1);
	errno = posix_spawn(&c->pid, argv[0], &fa, NULL, argv, environ);
	if (errno != 0)
		die(argv[0]);
	(void)posix_spawn_file_actions_destroy(&fa);
	(void)close(in[0]);
	(void)close(out[1]);
	if (write(in[1], data, sizeof(data) - 1) == -1)
		die("write");
	(void)close(in[1]);
	c->out = out[0];
}

/* true when it has ended. */
static bool
collect(struct child *c)
{
	char buf[4096];
	int status;

	if (read(c->out, buf, sizeof(buf)) > 0)
		return false;
	(void)close(c->out);
	c->out = -1;
	if (waitpid(c->pid, &status, 0) == -1 || status != 0)
		die("the command fails");
	return true;
}

int
main(int argc, char *argv[])
{
	int64_t jobs, n, started = 0, ended = 0, i, t;
	struct child *c;
	struct pollfd *p;

	if (argc < 4 ||
	    fr_str_i64(fr_span_of(argv[1]), 1, 10000000, &jobs) != FR_OK ||
	    fr_str_i64(fr_span_of(argv[2]), 1, 1000, &n) != FR_OK) {
		fprintf(stderr, "usage: spawn JOBS AT_A_TIME COMMAND...\n");
		return 64;
	}
	c = calloc((size_t)n, sizeof(*c));
	p = calloc((size_t)n, sizeof(*p));
	if (c == NULL || p == NULL)
		die("calloc");
	for (i = 0; i < n; i++)
		c[i].out = -1;
	t = fr_time_mono_us();
	while (ended < jobs) {
		for (i = 0; i < n; i++) {
			if (c[i].out == -1 && started < jobs) {
				launch(&c[i], argv + 3);
				started++;
			}
			p[i] = (struct pollfd){ c[i].out, POLLIN, 0 };
		}
		if (poll(p, (nfds_t)n, -1) == -1)
			die("poll");
		for (i = 0; i < n; i++)
			if (c[i].out != -1 && p[i].revents != 0 &&
			    collect(&c[i]))
				ended++;
	}
	t = fr_time_mono_us() - t;
	printf("%.0f\n", (double)jobs * 1e6 / (double)t);
	free(c);
	free(p);
	return 0;
}
