/* SPDX-License-Identifier: MIT */
#ifndef FR_NET_H
#define FR_NET_H

#include <stdbool.h>
#include <stddef.h>

#include <fr/err.h>

#define FR_NET_PORT 2718 /* the manager's */

/* An address to listen on: "ADDR:PORT", "[V6]:PORT", "PORT", "unix:PATH". */
struct fr_listen {
	char url[300]; /* out: "http://127.0.0.1:2718" or "unix:/run/x" */
	bool loopback; /* out: only reachable from this machine */
	int fd;        /* out: listening, non-blocking, close-on-exec */
};

/*
 * Listens. A unix socket gets mode 0600 and replaces a dead one (one that
 * answers is FR_CONFLICT). Names are not looked up: ADDR is numeric, or
 * "localhost" for 127.0.0.1. Errors: FR_USAGE, FR_CONFLICT in use,
 * FR_DENIED, FR_IO.
 */
FR_MUSTCHECK enum fr_rc fr_net_listen(
    const char *addr, int backlog, struct fr_listen *l, struct fr_err *err);

/* Takes over an already listening descriptor (LISTEN_FDS). */
FR_MUSTCHECK enum fr_rc fr_net_adopt(
    int fd, struct fr_listen *l, struct fr_err *err);

/* sd_notify: sends state to the socket path (NULL: nothing to do). */
void fr_net_notify(const char *path, const char *state);

#endif
