/* SPDX-License-Identifier: MIT */
#ifndef FR_RUN_H
#define FR_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/store.h>

#include "base/lines.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/uuid.h"
#include "cmd/shared/handling.h"
#include "core/engine.h"
#include "run/workdir.h"

/* What the command line says. */
struct conf {
	struct handling handling;
};

/* A job in the runner's hands. */
struct running {
	struct fr_task task; /* first; task.user is this */
	struct fr_token token;
	struct running *prev, *next;
	struct fr_buf progress; /* the newest that the engine has not had */
};

/* What the next exchange with the engine will say. */
struct report {
	struct fr_arena *arena;
	struct fr_finished *finished;
	size_t nfinished;
	struct fr_progressed *progress; /* of those that have ended */
	size_t nprogress;
};

/* Everything: engine, store, queue and runner in one loop. */
struct run {
	struct conf *conf;
	struct fr_store *store;
	struct fr_queue *queue;
	struct fr_engine *engine;
	struct fr_runner *runner;
	struct fr_workdir workdir;
	struct fr_lines in;
	struct fr_rand rand;
	struct fr_uuid_gen gen;
	struct fr_map *chosen; /* ids that jobs came with; NULL: none yet */
	int orders;            /* readable: stop */

	struct running *first; /* with the runner */
	size_t nrunning;
	size_t most; /* that the runner is given */
	struct report next;
	const char **types;
	struct fr_held *held; /* scratch for an exchange */
	int64_t engine_ms;    /* when it has something to do by itself */

	uint64_t taken; /* jobs that were read */
	uint64_t ended;
	int stopping;  /* how often it was told to */
	bool read_all; /* no more input is wanted */
	enum fr_rc worst;
	struct fr_buf out; /* ended jobs, to be printed */
	size_t printed;    /* bytes of it */
	size_t chunk;      /* bytes of one write */
	int64_t stall_ms;  /* stopping: when the reader is given up; 0: no */
};

/* intake.c: reads lines into jobs for the engine. */
void intake_read(struct run *r);
bool intake_wanted(const struct run *r);

/* exchange.c: what the engine and the runner have to say to each other. */
void exchange(struct run *r);
/* The runner's callbacks. */
void on_done(void *arg, struct fr_task *t, const struct fr_ending *e);
void on_progress(void *arg, struct fr_task *t, struct fr_span json);
FR_MUSTCHECK bool report_begin(struct run *r);

/* Hands op to the engine and waits for it. What goes wrong ends the run. */
FR_MUSTCHECK bool engine_do(struct run *r, struct fr_op *op);

/* print.c: ended jobs to standard output, without waiting for it. */
void print_begin(struct run *r);
void print(struct run *r);
bool print_waits(const struct run *r); /* there is more */
bool print_full(const struct run *r);  /* so much that no job is begun */

/* loop.c: ends everything: when told to, or after a failure. */
void stop(struct run *r);
void give_up(struct run *r, const struct fr_err *err);

/* Returns when all is done. */
enum fr_rc run_all(struct run *r, struct conf *conf);

#endif
