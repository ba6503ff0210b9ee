/* SPDX-License-Identifier: MIT */
#include "cmd/shared/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli/prog.h"
#include "run/reap.h"

static const int signals[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP };
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

#define REAP_MS 5000

/* Children that whoever became this program had before: not ours to end. */
static pid_t guests[256];
static size_t nguests;

static _Noreturn void
die(const char *what)
{
	fr_warnf("%s: %s", what, strerror(errno));
	exit(fr_exit_status(FR_IO));
}

void *
guard_memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("shared memory");
	return p;
}

/* A child has ended, and its number may be given to another. */
static void
forget(pid_t pid)
{
	size_t i;

	for (i = 0; i < nguests; i++)
		if (guests[i] == pid)
			guests[i] = guests[--nguests];
}

void
guard_reap(void)
{
	(void)fr_reap_all(REAP_MS, guests, nguests);
}

static _Noreturn void
watch(pid_t child, int orders, const sigset_t *set, guard_ended_fn *ended,
    void *arg)
{
	int sig, status, last = 0;
	char byte;
	pid_t pid;

	for (;;) {
		sig = sigwaitinfo(set, NULL);
		if (sig == SIGCHLD) {
			while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
				forget(pid);
				if (pid != child)
					continue;
				ended(arg, status, last);
				fr_assert(!"ended returned");
			}
			continue;
		}
		if (sig == -1)
			continue;
		last = sig;
		byte = sig == SIGHUP ? ORDER_RELOAD : ORDER_END;
		/* Full: it has been told often enough. */
		if (write(orders, &byte, 1) == -1 && errno != EAGAIN)
			continue;
	}
}

int
guard_start(guard_ended_fn *ended, void *arg)
{
	const pid_t guard = getpid();
	sigset_t set, old;
	int fd[2];
	pid_t pid;
	size_t i;

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) == -1)
		die("pipe");
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	for (i = 0; i < SIGNALS; i++)
		(void)sigaddset(&set, signals[i]);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_BLOCK, &set, &old);
	/* What a killed child leaves comes to the guard. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	nguests = fr_reap_list(guests, sizeof(guests) / sizeof(guests[0]));
	pid = fork();
	if (pid == -1)
		die("fork");
	if (pid > 0) {
		(void)close(fd[0]);
		watch(pid, fd[1], &set, ended, arg);
	}
	(void)close(fd[1]);
	/* Orders come from the guard alone, each of them once. */
	for (i = 0; i < SIGNALS; i++)
		(void)signal(signals[i], SIG_IGN);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (getppid() != guard)
		exit(fr_exit_status(FR_IO));
	return fd[0];
}
