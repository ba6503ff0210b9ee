/* SPDX-License-Identifier: MIT */
/*
 * Two processes watch over each other, as with fr-worker: whichever is killed,
 * the other one ends all handlers and what they started.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "run/reap.h"

#define REAP_MS 5000

static const int signals[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP };
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static _Noreturn void
die(const char *what)
{
	fr_warnf("%s: %s", what, strerror(errno));
	exit(fr_exit_status(FR_IO));
}

/* The child has ended: as it did, so does this one. */
static _Noreturn void
end(const char *workdir, int status, int sig)
{
	sigset_t set;

	(void)fr_reap_all(REAP_MS);
	if (*workdir != '\0')
		fr_workdir_remove(workdir);
	if (WIFSIGNALED(status))
		sig = WTERMSIG(status);
	if (sig != 0 && status != 0) {
		(void)signal(sig, SIG_DFL);
		(void)sigemptyset(&set);
		(void)sigaddset(&set, sig);
		(void)raise(sig);
		(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
		exit(128 + sig);
	}
	exit(WEXITSTATUS(status));
}

static _Noreturn void
watch(pid_t child, const char *workdir, int orders, const sigset_t *set)
{
	int sig, status, last = 0;
	pid_t pid;

	for (;;) {
		sig = sigwaitinfo(set, NULL);
		if (sig == SIGCHLD) {
			while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
				if (pid == child)
					end(workdir, status, last);
			continue;
		}
		if (sig == -1)
			continue;
		last = sig;
		/* Full: it has been told often enough. */
		if (write(orders, "T", 1) == -1 && errno != EAGAIN)
			continue;
	}
}

char *
guard_start(int *orders)
{
	const pid_t parent = getpid();
	char *workdir;
	sigset_t set, old;
	int fd[2];
	pid_t pid;
	size_t i;

	workdir = mmap(NULL, GUARD_PATH, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (workdir == MAP_FAILED)
		die("shared memory");
	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) == -1)
		die("pipe");
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	for (i = 0; i < SIGNALS; i++)
		(void)sigaddset(&set, signals[i]);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_BLOCK, &set, &old);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	pid = fork();
	if (pid == -1)
		die("fork");
	if (pid > 0) {
		(void)close(fd[0]);
		watch(pid, workdir, fd[1], &set);
	}
	(void)close(fd[1]);
	/* Orders come from the parent alone, each of them once. */
	for (i = 0; i < SIGNALS; i++)
		(void)signal(signals[i], SIG_IGN);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (getppid() != parent)
		exit(fr_exit_status(FR_IO));
	*orders = fd[0];
	return workdir;
}
