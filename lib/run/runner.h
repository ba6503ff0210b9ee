/* SPDX-License-Identifier: MIT */
#ifndef FR_RUNNER_H
#define FR_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "run/fate.h"
#include "run/handlers.h"
#include "run/spawn.h"
#include "run/workdir.h"

/*
 * Runs jobs by handlers, some at a time. It waits for nothing: its
 * descriptor becomes readable when there is something to do, and
 * fr_runner_next_ms says when there will be in any case; then
 * fr_runner_step does it. All children of the process must be its own (it
 * is a subreaper, and ends orphans). One thread, SIGPIPE ignored.
 */
struct fr_runner;

enum fr_task_state {
	FR_TASK_WAITING, /* for a free slot */
	FR_TASK_AHEAD,   /* written to a kept handler that is at another one */
	FR_TASK_RUNNING
};

/* One job in the runner's hands. The caller's memory, and what it points to
 * as well, from fr_runner_add until done() is called. */
struct fr_task {
	struct fr_uuid id;
	struct fr_span type;
	struct fr_span data; /* one line of JSON */
	uint32_t attempt;
	uint32_t max_attempts;
	int64_t timeout_ms; /* 0: none */
	void *user;
	/* out, borrowed */
	enum fr_task_state state;
	int64_t since_ms; /* fr_time_mono_ms when it got there */
	/* the runner's own */
	struct fr_task *prev, *next;
	struct fr_handler *handler;
	void *at;
	uint64_t seq;
	bool stopping;
};

struct fr_runner_conf {
	unsigned slots;    /* at least 1 */
	unsigned ahead;    /* jobs written ahead to a kept handler at most */
	bool strict;       /* results must be JSON */
	size_t max_result; /* bytes */
	size_t max_log;    /* bytes of stderr that are kept */
	int64_t kill_ms;   /* between SIGTERM and SIGKILL */
	struct fr_limits limits;
	struct fr_handlers *handlers; /* borrowed */
	struct fr_workdir *workdir;   /* borrowed */
	const char *const *env;       /* "NAME=value" besides PATH and FR_JOB_*;
					 ends with NULL; borrowed */
	void *arg;
	/* The end of a task; what outcome points to is gone afterwards. Neither
	 * this nor the others may call the runner, except fr_runner_kick. */
	void (*done)(void *arg, struct fr_task *t, const struct fr_ending *o);
	void (*started)(void *arg, struct fr_task *t); /* may be NULL */
	void (*progress)(
	    void *arg, struct fr_task *t, struct fr_span json); /* or NULL */
	/* A type that this machine cannot run was withdrawn. */
	void (*withdrawn)(void *arg, const struct fr_handler *h);
	/* Something to log that is nobody's error. */
	void (*note)(void *arg, const char *text);
};

/* conf is copied. */
FR_MUSTCHECK enum fr_rc fr_runner_open(struct fr_runner **out,
    const struct fr_runner_conf *conf, struct fr_err *err);
/* Kills what is running; done() is called for nothing. NULL is fine. */
void fr_runner_close(struct fr_runner *r);

int fr_runner_fd(const struct fr_runner *r);
/* On the clock of fr_time_mono_ms; -1: never. */
int64_t fr_runner_next_ms(const struct fr_runner *r);
void fr_runner_step(struct fr_runner *r);

/* Takes a task in; it is started by the next fr_runner_kick or step. */
void fr_runner_add(struct fr_runner *r, struct fr_task *t);
void fr_runner_kick(struct fr_runner *r);

/*
 * Ends a task: done() is called with FR_FATE_STOPPED when it and all that it
 * started are gone, from a later step. now: SIGKILL at once, else SIGTERM
 * first.
 */
void fr_runner_stop(struct fr_runner *r, struct fr_task *t, bool now);

/* Takes a waiting task back; false if it is not waiting. done() is not
 * called. */
bool fr_runner_take(struct fr_runner *r, struct fr_task *t);

/* Handlers that are kept running but have nothing to do are ended. */
void fr_runner_rest(struct fr_runner *r);

struct fr_runner_load {
	unsigned idle;  /* slots with nothing to do */
	unsigned brisk; /* slots that are idle or did not take long yet */
	size_t waiting;
	int64_t oldest_ms; /* how long the first waiting one has been there */
	int64_t job_us;    /* what a job takes on average; 0: not known yet */
	bool held;         /* cannot start anything just now */
};
void fr_runner_load(const struct fr_runner *r, struct fr_runner_load *l);

#endif
