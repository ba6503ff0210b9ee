/* SPDX-License-Identifier: MIT */
#ifndef FR_MANAGER_HOOKRUN_H
#define FR_MANAGER_HOOKRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <fr/job.h>

/* An event that is being worked on. */
struct fr_hookrun {
	int64_t number; /* 0: this place is free */
	enum fr_event_kind kind;
	char type[FR_TYPE_MAX + 1];
	char id[FR_UUID_TEXT];
	char *json;
	size_t len;
	uint32_t tries;
	unsigned left, failed; /* bits as of fr_hookdir_find */
	unsigned now;          /* the one that runs; 0: none */
	pid_t pid;
	int pidfd;
	int64_t deadline_ms;
};

/*
 * Starts the hook r->now of the directory, in a session of its own, with the
 * event on stdin: pid, pidfd and deadline_ms are set. false if it cannot be
 * started; the log says why.
 */
bool fr_hookrun_start(
    struct fr_hookrun *r, const char *dir, const char *url, int64_t timeout_ms);

#endif
