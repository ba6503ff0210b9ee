/* SPDX-License-Identifier: MIT */
#ifndef FR_REAP_H
#define FR_REAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <fr/err.h>

/*
 * Finds and ends what a handler left behind. The process is a child
 * subreaper, so that orphans become its children; a mark that every
 * descendant inherits tells whose they are, also in a session of their own
 * and with a cleared environment. For a process all of whose children are
 * handlers. One thread.
 */
struct fr_brood {        /* one handler process and all that came from it */
	pid_t pid;       /* its leader, session and process group */
	uint64_t mark;   /* its descendants' RLIMIT_LOCKS; 0: none */
	uint64_t serial; /* grows with each brood */
	bool reaped;     /* the leader is gone */
	bool alone;      /* and nothing was left when it ended */
	struct fr_brood *prev, *next;
};

struct fr_stray { /* somebody's, but it does not show whose */
	pid_t pid;
	uint64_t serial; /* of the newest brood when it was first seen */
};

struct fr_reaper {
	struct fr_brood *first;
	struct fr_stray *strays;
	size_t nstrays;
	uint64_t base;   /* the first mark; 0: none can be given */
	uint64_t serial; /* of the newest brood */
	size_t leaders;  /* of the broods, not yet reaped */
	int loadavg;
	int children; /* the list of them in /proc; -1: there is none */
};

/* Makes the process a subreaper. */
void fr_reaper_init(struct fr_reaper *r);
void fr_reaper_fini(struct fr_reaper *r);

/* The mark for the next brood, to be set in the child. */
uint64_t fr_reaper_mark(const struct fr_reaper *r);
/* Takes in a brood that was just started with that mark. */
void fr_reaper_add(struct fr_reaper *r, struct fr_brood *b, pid_t pid);

/* Sends sig to every process of the brood; nothing once it was reaped. */
void fr_reaper_signal(struct fr_reaper *r, struct fr_brood *b, int sig);

/* The leader has ended, as its pidfd says: kills its group and reaps it.
 * *status as of wait(2). */
void fr_reaper_reap(struct fr_reaper *r, struct fr_brood *b, int *status);

/*
 * Kills what is left of a brood whose leader was reaped. true: nothing is,
 * and the brood is forgotten; false: ask again in a millisecond.
 */
bool fr_reaper_sweep(struct fr_reaper *r, struct fr_brood *b);
/* Forgets it whatever is left. */
void fr_reaper_forget(struct fr_reaper *r, struct fr_brood *b);

/* Reaps strays that ended by themselves; now and then. */
void fr_reaper_tidy(struct fr_reaper *r);

/* Our children into v, max at most; how many. */
size_t fr_reap_list(pid_t *v, size_t max);
/* Kills all children, and theirs, but the n of spare, for at most max_ms. true:
 * none is left. */
bool fr_reap_all(int64_t max_ms, const pid_t *spare, size_t n);

#endif
