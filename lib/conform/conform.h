/* SPDX-License-Identifier: MIT */
#ifndef FR_CONFORM_H
#define FR_CONFORM_H

#include <stdint.h>

#include <fr/err.h>
#include <fr/queue.h>
#include <fr/store.h>

#include "base/buf.h"

/*
 * What a good backend is: a table of checks, each with a sentence that
 * states the promise it checks. The two judges and the unit tests run it.
 */
enum fr_order { FR_ORDER_FIFO, FR_ORDER_RANDOM, FR_ORDER_WEIGHTED };

struct fr_conform {
	const char *url;
	const char *only;    /* run those whose name contains this; NULL: all */
	uint64_t seed;       /* of the random choices; ids are fresh anyway */
	enum fr_order order; /* of a queue */
	enum fr_rc (*open_store)(struct fr_store **out, const char *url,
	    unsigned flags, struct fr_err *err);
	enum fr_rc (*open_queue)(
	    struct fr_queue **out, const char *url, struct fr_err *err);
	/* Called with the TAP of each check when it is done; it may take the
	 * text out of the buffer. */
	void (*flush)(struct fr_buf *tap);
};

/*
 * Runs the checks. The backend may hold other jobs: ids and types are fresh,
 * times that others' jobs could meet are of the year 1970, and what was made
 * is removed. FR_OK: all passed; FR_JOBFAILED: some did not; FR_USAGE: no name
 * contains only; else the backend could not be opened. SIGPIPE is
 * ignored by the caller. Forks children for some checks, with no handle open;
 * the process must have no other thread.
 */
FR_MUSTCHECK enum fr_rc fr_conform_store(
    const struct fr_conform *conf, struct fr_err *err);
FR_MUSTCHECK enum fr_rc fr_conform_queue(
    const struct fr_conform *conf, struct fr_err *err);

/* The names, one a line. */
void fr_conform_store_list(struct fr_buf *out);
void fr_conform_queue_list(struct fr_buf *out);

#endif
