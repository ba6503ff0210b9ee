/* SPDX-License-Identifier: MIT */
/*
 * The child is made by clone(CLONE_VM | CLONE_VFORK): no page table is
 * copied, and the caller sleeps until execve has succeeded or failed, so that
 * it can be told why. Everything in the child until then is
 * async-signal-safe, allocates nothing, and writes only to its own stack and
 * to struct child.
 */
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES 32768
#define SHELL_ARGS 64 /* of a script without a #! line */

#if defined(__SANITIZE_ADDRESS__)
/* The stack below is never unwound, so its shadow would stay poisoned. */
#define CHILD static __attribute__((no_sanitize("address", "undefined")))
#else
#define CHILD static
#endif

struct child {
	const struct fr_spawn *s;
	const char *step; /* what failed; NULL: the execve */
	int error;
};

/*
 * execve resets what is handled but leaves ignored what is ignored. To look
 * at 64 signals costs more than the rest of the set-up, so it is done once;
 * those that programs are wont to ignore later are in the list anyway.
 */
static pthread_once_t ignored_once = PTHREAD_ONCE_INIT;
static int ignored[NSIG + 8];
static int nignored;

/*
 * glibc's posix_spawn, which make uses, starts programs with the two signals
 * ignored that glibc keeps for itself, and its sigaction does not touch them.
 * It will have set handlers before it uses them, and what is set here is what
 * children begin with.
 */
static void
reset_internal(void)
{
	/* The kernel's struct: handler, flags, restorer, mask. */
	unsigned long sa[8], def[8] = { 0 };
	int sig;

	for (sig = SIGSYS + 1; sig < SIGRTMIN; sig++)
		if (syscall(SYS_rt_sigaction, sig, NULL, sa, NSIG / 8) == 0 &&
		    sa[0] == (unsigned long)SIG_IGN)
			(void)syscall(
			    SYS_rt_sigaction, sig, def, NULL, NSIG / 8);
}

static void
find_ignored(void)
{
	static const int usual[] = { SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTERM,
		SIGCHLD, SIGUSR1, SIGUSR2 };
	struct sigaction sa;
	size_t i;
	int sig;

	reset_internal();
	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		ignored[nignored++] = usual[i];
	for (sig = 1; sig < NSIG; sig++) {
		if (sigaction(sig, NULL, &sa) == -1 || sa.sa_handler != SIG_IGN)
			continue;
		for (i = 0; i < (size_t)nignored && ignored[i] != sig; i++)
			;
		if (i == (size_t)nignored)
			ignored[nignored++] = sig;
	}
}

CHILD void
reset_signals(void)
{
	struct sigaction sa;
	sigset_t none;
	int i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	for (i = 0; i < nignored; i++)
		(void)sigaction(ignored[i], &sa, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

CHILD bool
place_fds(const struct fr_spawn *s)
{
	int fd[4], i;

	/* First out of the way of those that come, then into place. */
	for (i = 0; i < 4; i++) {
		fd[i] = s->fd[i];
		if (fd[i] == -1 && i < 3)
			fd[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd[i] == -1 && i < 3)
			return false;
		if (fd[i] >= 0 && fd[i] < 4)
			fd[i] = fcntl(fd[i], F_DUPFD_CLOEXEC, 4);
		if (fd[i] == -1 && (i < 3 || s->fd[i] != -1))
			return false;
	}
	for (i = 0; i < 4; i++)
		if (fd[i] != -1 && dup2(fd[i], i) == -1)
			return false;
	i = fd[3] == -1 ? 3 : 4;
	if (syscall(SYS_close_range, (unsigned)i, ~0U, 0U) == 0)
		return true;
	for (; i < 4096; i++)
		(void)close(i);
	return true;
}

CHILD bool
set_limit(int what, int64_t value)
{
	struct rlimit rl;

	if (value < 0)
		return true;
	if (getrlimit((__rlimit_resource_t)what, &rl) == -1)
		return false;
	if (rl.rlim_max == RLIM_INFINITY || (rlim_t)value < rl.rlim_max)
		rl.rlim_max = (rlim_t)value;
	rl.rlim_cur = rl.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &rl) == 0;
}

/* What was raised for ourselves only: programs that use select(2) break with
 * more than 1024. */
CHILD bool
lower_files(int64_t soft)
{
	struct rlimit rl;

	if (soft < 0)
		return true;
	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return false;
	if ((rlim_t)soft < rl.rlim_cur)
		rl.rlim_cur = (rlim_t)soft;
	return setrlimit(RLIMIT_NOFILE, &rl) == 0;
}

CHILD bool
set_limits(const struct fr_spawn *s)
{
	const struct fr_limits *l = s->limits;
	struct rlimit mark = { s->mark, s->mark };

	/* Not enforced by Linux since 2.4: free to carry a mark. */
	if (s->mark != 0)
		(void)setrlimit(RLIMIT_LOCKS, &mark);
	return l == NULL || (set_limit(RLIMIT_CPU, l->cpu_s) &&
				set_limit(RLIMIT_FSIZE, l->file_bytes) &&
				lower_files(l->soft_files) &&
				set_limit(RLIMIT_NOFILE, l->files) &&
				set_limit(RLIMIT_AS, l->memory_bytes) &&
				set_limit(RLIMIT_NPROC, l->processes));
}

/* A script without a #! line is one for the shell, as everywhere. */
CHILD void
exec_script(const struct fr_spawn *s, const char *path)
{
	char *argv[SHELL_ARGS + 2];
	int n;

	argv[0] = (char *)(uintptr_t) "sh";
	argv[1] = (char *)(uintptr_t)path;
	for (n = 1; n < SHELL_ARGS && s->argv[n] != NULL; n++)
		argv[n + 1] = s->argv[n];
	argv[n + 1] = NULL;
	(void)execve("/bin/sh", argv, s->envp);
}

CHILD int
child_main(void *arg)
{
	struct child *c = arg;
	const struct fr_spawn *s = c->s;
	int i, worst = ENOENT;

	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	c->step = "enter directory";
	if (s->dir != NULL && chdir(s->dir) == -1)
		goto out;
	c->step = "set descriptors";
	if (!place_fds(s))
		goto out;
	c->step = "set limits";
	if (!set_limits(s))
		goto out;
	reset_signals();
	c->step = NULL;
	for (i = 0; s->paths[i] != NULL; i++) {
		(void)execve(s->paths[i], s->argv, s->envp);
		if (errno == ENOEXEC)
			exec_script(s, s->paths[i]);
		if (errno != ENOENT && errno != ENOTDIR)
			worst = errno;
		if (worst != ENOENT && worst != EACCES)
			break;
	}
	errno = worst;
out:
	c->error = errno;
	_exit(127);
}

/* Whether another attempt may well succeed, on this machine. */
static bool
passing(int error)
{
	return error == ENOMEM || error == EAGAIN || error == ETXTBSY ||
	       error == ENFILE || error == EMFILE || error == EIO;
}

static enum fr_rc
failure(const struct child *c, struct fr_err *err)
{
	const enum fr_rc rc =
	    c->step != NULL || passing(c->error) ? FR_AGAIN : FR_BROKEN;

	errno = c->error;
	if (c->step != NULL)
		(void)fr_failsys(err, rc, "%s", c->step);
	else if (c->error == ENOENT && access(c->s->paths[0], F_OK) == 0)
		(void)fr_fail(err, rc,
		    "execute %s: the interpreter that its first line names is "
		    "not there",
		    c->s->argv[0]);
	else
		(void)fr_failsys(err, rc, "execute %s", c->s->argv[0]);
	if (err != NULL)
		err->rc = rc;
	return rc;
}

enum fr_rc
fr_spawn(struct fr_spawn *s, struct fr_err *err)
{
	_Alignas(16) char stack[STACK_BYTES];
	struct child c = { s, NULL, 0 };
	sigset_t all, old;
	int saved;

	s->pidfd = -1;
	(void)pthread_once(&ignored_once, find_ignored);
	sigfillset(&all);
	/* No handler of ours may run in the child. */
	(void)pthread_sigmask(SIG_BLOCK, &all, &old);
	s->pid = clone(child_main, stack + sizeof(stack),
	    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &c, &s->pidfd);
	saved = errno;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (s->pid == -1) {
		errno = saved;
		s->pidfd = -1;
		(void)fr_failsys(err, FR_AGAIN, "start a process");
		return FR_AGAIN;
	}
	if (c.error == 0)
		return FR_OK;
	while (waitpid(s->pid, NULL, 0) == -1 && errno == EINTR)
		;
	(void)close(s->pidfd);
	s->pidfd = -1;
	return failure(&c, err);
}
