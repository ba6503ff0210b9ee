/* SPDX-License-Identifier: MIT */
#ifndef FR_RUN_INNER_H
#define FR_RUN_INNER_H

/* What the files of the runner share; nobody else includes it. */

#include <limits.h>

#include "base/buf.h"
#include "base/heap.h"
#include "run/chain.h"
#include "run/fate.h"
#include "run/reap.h"
#include "run/runner.h"

/*
 * A handler's process and our ends of its pipes. The pipes of a short job are
 * never registered for events: its end is what we wait for, and only after
 * WATCH_MS do we begin to listen to it.
 */
#define FR_WATCH_MS 2

enum fr_pipe {
	FR_PIPE_IN,
	FR_PIPE_OUT,
	FR_PIPE_LOG,
	FR_PIPE_PROGRESS,
	FR_PIPE_END /* the pidfd */
};
#define FR_PIPES 5

struct fr_proc {
	struct fr_runner *r;
	struct fr_watch {
		struct fr_proc *proc;
		enum fr_pipe pipe;
	} watch[FR_PIPES];
	int fd[FR_PIPES]; /* -1: closed */
	bool armed[FR_PIPES];
	void (*on_event)(struct fr_proc *p, enum fr_pipe pipe);
	void *owner;
	struct fr_brood brood;
	uint64_t batch; /* of events, when it was started */
	int status;     /* once it was reaped */
};

/* What is to be started, and what it reads. */
FR_MUSTCHECK enum fr_rc fr_proc_start(struct fr_runner *r, struct fr_proc *p,
    const struct fr_handler *h, char *const *envp, const char *dir,
    struct fr_err *err);
void fr_proc_arm(struct fr_proc *p, enum fr_pipe pipe, uint32_t events);
void fr_proc_disarm(struct fr_proc *p, enum fr_pipe pipe);
void fr_proc_shut(struct fr_proc *p, enum fr_pipe pipe);
void fr_proc_close(struct fr_proc *p); /* all of them */

/*
 * Reads up to max bytes into b: how many, 0 for nothing now, -1 at the end or
 * without memory, as b says (and it is shut).
 */
ssize_t fr_proc_read(
    struct fr_proc *p, enum fr_pipe pipe, struct fr_buf *b, size_t max);
/* The same for its stderr, until nothing is left or `max` bytes were. */
void fr_proc_read_log(struct fr_proc *p, struct fr_tail *log, size_t max);

/* Reads progress: calls emit, with the owner, for each whole line of it, and
 * with end for what is left. b has the beginning of a line. */
typedef void fr_line_fn(void *owner, struct fr_span line);
void fr_proc_read_lines(
    struct fr_proc *p, struct fr_buf *b, bool end, fr_line_fn *emit);

/* One attempt at a job by processes of its own. */
struct fr_attempt {
	struct fr_task *task;
	struct fr_chain *chain; /* NULL: a single handler */
	size_t pc;              /* the step it is at */
	struct fr_proc proc;
	struct fr_buf data[FR_CHAIN_DEPTH + 1]; /* of a chain, by depth */
	unsigned depth;
	struct fr_span input; /* what the process reads */
	size_t sent;
	struct fr_buf out;    /* what it wrote */
	struct fr_buf line;   /* the beginning of a line of progress */
	struct fr_buf result; /* of the last step, JSON */
	struct fr_buf json;   /* error or progress */
	struct fr_buf text;
	struct fr_buf log_json;
	struct fr_tail log;
	uint64_t log_from; /* where this step's log begins */
	enum {
		FR_PHASE_NONE,
		FR_PHASE_RUNNING,
		FR_PHASE_ENDING, /* SIGTERM was sent */
		FR_PHASE_SWEEPING
	} phase;
	bool decided;  /* fate and why are set before its end */
	bool sh_lines; /* a kept handler that runs as a step */
	enum fr_fate fate;
	char why[FR_ERR_MAX];
	int64_t started_ms, started_us;
	int64_t watch_ms, deadline_ms, kill_ms, sweep_ms, swept_ms; /* 0: no */
	struct fr_heap_node timer;
};

/* A handler that is kept running, for one slot. */
struct fr_kept {
	struct fr_proc proc;
	struct fr_slot *slot;
	struct fr_lane *lane;
	struct fr_kept *next;         /* of the slot */
	struct fr_task *first, *last; /* at the first, the others ahead */
	unsigned pending;
	unsigned window;
	unsigned unread;    /* of them, the last ones: it closed its input */
	struct fr_buf in;   /* to be written */
	struct fr_buf out;  /* the beginning of an answer */
	struct fr_buf line; /* of fd 3 */
	struct fr_buf json, log_json, text;
	struct fr_tail log;
	int64_t head_ms; /* when it came to its first task */
	int64_t last_us; /* the last answer, or the first task's coming */
	double job_us;   /* average; 0: not known */
	bool ending, killed, sweeping, decided;
	enum fr_fate fate;
	char why[FR_ERR_MAX];
	int64_t kill_ms, sweep_ms, swept_ms;
	int64_t linger_ms; /* no answer can come; 0: it can */
	struct fr_heap_node timer;
	char name[48]; /* of its directory */
};

struct fr_slot {
	struct fr_runner *r;
	unsigned number;
	struct fr_attempt a;
	struct fr_kept *kept;  /* all that are kept here */
	struct fr_kept *bound; /* the one that has tasks */
	char name[24];         /* of its directory */
	char dir[PATH_MAX];
	bool has_dir;
	int64_t drop_ms; /* when a directory without a job is removed */
};

/* The tasks of one handler that wait. */
struct fr_lane {
	struct fr_handler *h;
	struct fr_task *first, *last;
	size_t n;
	struct fr_lane *next;
};

struct fr_runner {
	struct fr_runner_conf conf;
	int ep;
	struct fr_reaper reaper;
	struct fr_slot *slots;
	struct fr_lane *lanes;
	struct fr_heap timers;
	uint64_t batch;
	uint64_t seq;
	size_t waiting;
	char *path_env;
	char **env; /* with PATH in front, and room for FR_ENV_JOB */
	size_t nenv;
	double job_us;
	unsigned quick;  /* attempts in a row that did not take long */
	int64_t hold_ms; /* nothing is started before */
	int64_t tidy_ms;
	size_t nkept;
	struct fr_kept *dead; /* ended ones, to be freed */
};
#define FR_SCRATCH 65536 /* bytes of a pipe */

/* runner.c */
void fr_run_note(struct fr_runner *r, const char *fmt, ...) FR_PRINTF(2, 3);
/* There is room for it: that of the slots, and of each kept handler. */
void fr_run_timer(struct fr_runner *r, struct fr_heap_node *n, int64_t at_ms);
/* Reports the end and forgets the task. */
void fr_run_done(struct fr_runner *r, struct fr_task *t, enum fr_fate fate,
    struct fr_span value, struct fr_span log);
void fr_run_withdraw(
    struct fr_runner *r, struct fr_handler *h, const char *reason);
void fr_run_took(struct fr_runner *r, double us, unsigned jobs);
/* The environment of a process, of one type or of one job (t not NULL). It
 * is valid until the next one is made. */
#define FR_ENV_JOB 4
struct fr_env {
	char text[FR_ENV_JOB][128];
};
char *const *fr_run_env(struct fr_runner *r, struct fr_env *e, const char *type,
    const struct fr_task *t);
/* The value as text for a message: "5 s", "1.5 s". */
void fr_run_seconds(char *dst, size_t size, int64_t ms);

/* attempt.c */
void fr_attempt_init(struct fr_slot *s);
void fr_attempt_fini(struct fr_slot *s);
void fr_attempt_start(struct fr_slot *s, struct fr_task *t);
void fr_attempt_stop(
    struct fr_slot *s, enum fr_fate fate, const char *why, bool now);
void fr_attempt_exited(struct fr_slot *s);
void fr_attempt_timer(struct fr_slot *s, int64_t now_ms);
/* step.c: what a step read and wrote */
void fr_step_event(struct fr_proc *p, enum fr_pipe pipe);
bool fr_step_lines_result(struct fr_slot *s, enum fr_fate *fate);
/* The line that a kept handler is given. */
void fr_task_line(
    struct fr_buf *b, const struct fr_task *t, struct fr_span data);

/* kept.c */
/* The kept handler of the slot for a lane, started if need be; NULL: cannot
 * (the reason was reported). */
struct fr_kept *fr_kept_get(struct fr_slot *s, struct fr_lane *l);
bool fr_kept_room(const struct fr_kept *k);
void fr_kept_push(struct fr_kept *k, struct fr_task *t);
void fr_kept_flush(struct fr_kept *k);
void fr_kept_stop(struct fr_kept *k, struct fr_task *t, bool now);
void fr_kept_timer(struct fr_kept *k, int64_t now_ms);
void fr_kept_rest(struct fr_kept *k);
void fr_kept_free(struct fr_kept *k);

#endif
