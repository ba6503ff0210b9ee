/* SPDX-License-Identifier: MIT */
#ifndef FR_BENCH_LOAD_H
#define FR_BENCH_LOAD_H

#include <inttypes.h>
#include <pthread.h>

#include "base/vec.h"

/*
 * What the clients of peers have in common: parts, each with a thread and a
 * connection of its own, and times. The arguments are
 *
 *	PORT submit JOBS CONNECTIONS WINDOW
 *	PORT drain JOBS CONNECTIONS WINDOW
 *	PORT both JOBS PRODUCERS WORKERS WINDOW
 *	PORT latency JOBS
 *
 * with a window of so many jobs that a connection has under way. What is
 * printed is jobs a second; for latency p50 and p99 in microseconds from the
 * submit, then both from the answer to it.
 */

extern const char load_data[101]; /* a job's: 100 bytes of JSON */

struct part {
	int64_t jobs;
	int64_t window;
	void *line; /* the connection, from peer.dial */
	pthread_t thread;
};

/* The peer; all of these end the program when something is wrong. */
struct peer {
	const char *name;
	void *(*dial)(void);
	void (*hang_up)(void *line);
	void (*submit)(struct part *p);
	void (*drain)(struct part *p);
};

/* What latency needs; a peer's job that starts calls load_started. */
void load_started(void);

extern uint16_t load_port;

/* Does what the arguments say; the exit status. */
int load_main(int argc, char *argv[], const struct peer *peer);

_Noreturn void load_die(const char *what);

#endif
