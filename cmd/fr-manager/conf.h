/* SPDX-License-Identifier: MIT */
#ifndef FR_MANAGER_CONF_H
#define FR_MANAGER_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/prog.h"

/* What the command line says. */
struct fr_conf {
	struct fr_strs listen;
	const char *store;
	const char *queue;
	const char *hooks;
	const char *token_file;
	const char *log_level;
	bool dump_routes;
	int64_t ready_fd; /* -1: none */
	int64_t lease_ms, retain_ms, sweep_ms, retry_base_ms, retry_max_ms;
	int64_t header_ms, body_ms, idle_ms, write_ms, hook_ms, beat_ms;
	int64_t max_depth, max_batch, max_connections, max_requests;
	int64_t max_hooks;
	size_t max_data, max_body, max_header, max_memory, max_events;
};

extern const struct fr_prog fr_conf_prog;

/* The defaults, the command line, the environment; exits 64 if they cannot
 * be. */
void fr_conf_read(struct fr_conf *conf, int argc, char *argv[]);

#endif
