/* SPDX-License-Identifier: MIT */
#include "hookrun.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"

/* Starting one hook. */

static char *
hook_path(const char *dir, const struct fr_hookrun *r)
{
	char *path = NULL;
	int n;

	if (r->now == 1)
		n = asprintf(&path, "%s/%s", dir, fr_event_name(r->kind));
	else
		n = asprintf(
		    &path, "%s/%s.%s", dir, fr_event_name(r->kind), r->type);
	return n < 0 ? NULL : path;
}

/* A clean environment. */
struct environ {
	char text[8][4096];
	char *v[9];
	size_t n;
};

static void
env_add(struct environ *e, const char *name, const char *value)
{
	if (value != NULL && fr_str_format(e->text[e->n], sizeof(e->text[0]),
				 "%s=%s", name, value)) {
		e->v[e->n] = e->text[e->n];
		e->n++;
	}
}

static void
env_fill(struct environ *e, const char *url, const struct fr_hookrun *r)
{
	const char *path = getenv("PATH");

	*e = (struct environ){ .n = 0 };
	env_add(
	    e, "PATH", path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
	env_add(e, "HOME", getenv("HOME"));
	env_add(e, "LANG", getenv("LANG"));
	env_add(e, "TZ", getenv("TZ"));
	env_add(e, "FR_MANAGER", url);
	env_add(e, "FR_EVENT", fr_event_name(r->kind));
	env_add(e, "FR_JOB_ID", r->id);
	env_add(e, "FR_JOB_TYPE", r->type);
}

/* The event as a file that can be read: a pipe might block us. */
static int
event_file(const struct fr_hookrun *r)
{
	const int fd = memfd_create("event", MFD_CLOEXEC);

	if (fd == -1)
		return -1;
	if (fr_io_write_all(fd, r->json, r->len) == -1 ||
	    fr_io_write_all(fd, "\n", 1) == -1 || lseek(fd, 0, SEEK_SET) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
spawn(const char *path, int in, char **env, pid_t *pid)
{
	char *argv[] = { (char *)(uintptr_t)path, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t all, empty;
	int rc;

	sigfillset(&all);
	sigemptyset(&empty);
	if (posix_spawn_file_actions_init(&fa) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&at) != 0) {
		posix_spawn_file_actions_destroy(&fa);
		return ENOMEM;
	}
	rc = posix_spawn_file_actions_adddup2(&fa, in, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&fa, 2, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	if (rc == 0)
		rc = posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGDEF |
						       POSIX_SPAWN_SETSIGMASK |
						       POSIX_SPAWN_SETSID);
	(void)posix_spawnattr_setsigdefault(&at, &all);
	(void)posix_spawnattr_setsigmask(&at, &empty);
	if (rc == 0)
		rc = posix_spawn(pid, path, &fa, &at, argv, env);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	return rc;
}

bool
fr_hookrun_start(
    struct fr_hookrun *r, const char *dir, const char *url, int64_t timeout_ms)
{
	char *path = hook_path(dir, r);
	struct environ env;
	int in, rc = ENOMEM;

	env_fill(&env, url, r);
	in = event_file(r);
	if (path != NULL && in != -1)
		rc = spawn(path, in, env.v, &r->pid);
	if (in != -1)
		(void)close(in);
	if (rc == 0) {
		r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
		r->deadline_ms = fr_time_mono_ms() + timeout_ms;
		if (r->pidfd == -1) {
			(void)kill(-r->pid, SIGKILL);
			(void)waitpid(r->pid, NULL, 0);
			rc = errno;
		}
	}
	if (rc != 0)
		fr_log(FR_LOG_ERROR, "hook %s: cannot be started: %s",
		    path == NULL ? "?" : path, strerror(rc));
	free(path);
	return rc == 0;
}
