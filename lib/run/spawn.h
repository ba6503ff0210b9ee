/* SPDX-License-Identifier: MIT */
#ifndef FR_SPAWN_H
#define FR_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include <fr/err.h>

/* Resource limits of a child; a negative one is left as it is. */
struct fr_limits {
	int64_t cpu_s;        /* RLIMIT_CPU */
	int64_t file_bytes;   /* RLIMIT_FSIZE */
	int64_t files;        /* RLIMIT_NOFILE */
	int64_t memory_bytes; /* RLIMIT_AS */
	int64_t processes;    /* RLIMIT_NPROC, of the user */
	int64_t soft_files;   /* the soft limit, if files is not given */
};
#define FR_LIMITS_NONE                                                         \
	{                                                                      \
		-1, -1, -1, -1, -1, -1                                         \
	}

/*
 * One child process. It gets a session of its own, descriptors 0 to 3 and no
 * other, no signal blocked or ignored, no_new_privs, and dies by SIGKILL with
 * the thread that started it.
 */
struct fr_spawn {
	const char *const *paths; /* absolute; the first that can be executed
				     is; ends with NULL */
	char *const *argv;
	char *const *envp;
	const char *dir; /* working directory; NULL: the caller's */
	int fd[4];       /* become 0..3; -1: /dev/null, and 3 closed */
	const struct fr_limits *limits; /* NULL: none */
	uint64_t mark;                  /* see run/reap.h; 0: none */
	pid_t pid; /* out: also its session and process group */
	int pidfd; /* out: readable when it has ended; yours to close */
};

/*
 * Starts it. The caller goes on when the program runs, or could not: its
 * memory is borrowed by the child up to then (vfork), so it costs the same in
 * a big process. Any thread. Errors: FR_BROKEN the program cannot be
 * executed; FR_AGAIN no process, memory or directory for it now.
 */
FR_MUSTCHECK enum fr_rc fr_spawn(struct fr_spawn *s, struct fr_err *err);

#endif
