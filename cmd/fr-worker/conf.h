/* SPDX-License-Identifier: MIT */
#ifndef FR_WORKER_CONF_H
#define FR_WORKER_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "cmd/shared/handling.h"

/* What the command line says, and what was made of it. */
struct conf {
	struct handling handling;
	const char *manager; /* URL[,URL...] */
	const char *token_file;
	const char *ca_file;
	const char *run; /* --run NAME */
	int64_t ahead;
	int64_t grace_ms;
	int64_t wait_ms;
	int64_t limit_cpu_ms, limit_files, limit_processes;
	size_t limit_file_size, limit_memory;
	bool exclusive;
	bool drain;
	bool verbose;

	const char *token;
	char id[FR_WORKER_MAX + 1]; /* of this run of the worker */
	char host[65];
	int64_t pid; /* what the user started: the keeper */
};

/* Parses and checks everything; what is wrong is said, and exits 64, 65,
 * 69 or 77. */
void conf_parse(struct conf *c, int argc, char *argv[]);

/* What the runner needs of it; the callbacks are left to the caller. */
void conf_runner(
    struct conf *c, struct fr_workdir *w, struct fr_runner_conf *r);

#endif
