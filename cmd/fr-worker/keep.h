/* SPDX-License-Identifier: MIT */
#ifndef FR_WORKER_KEEP_H
#define FR_WORKER_KEEP_H

#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/job.h>

#include "cmd/shared/guard.h"
#include "conf.h"

/*
 * The keeper is the guard of a worker: whichever of the two dies without
 * order, the other ends all handlers and gives the leases back. For that the
 * worker writes down in shared memory what it has.
 */
enum held_state {
	HELD_NOTHING = 0,
	HELD_WAITING, /* not begun: is given back uncounted */
	HELD_RUNNING  /* is lost with the worker */
};
struct held_lease {
	struct fr_uuid id;
	struct fr_token token;
	_Atomic uint32_t state; /* enum held_state; written last */
};
struct shared {
	char workdir[PATH_MAX];
	size_t n; /* leases that there is room for */
	struct held_lease v[];
};

struct keep {
	struct conf *conf;
	struct shared *shared;
	int orders; /* worker: a byte for each signal; its end: no keeper */
};

/*
 * Divides the process. Returns in the worker; the keeper never returns, and
 * exits as the worker did.
 */
void keep_start(struct keep *k, struct conf *c, size_t leases);

/* The other one is gone, and nothing runs any more: gives back what is
 * written down, and removes the directory. */
void keep_give_back(struct keep *k);

#endif
