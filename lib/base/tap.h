/* SPDX-License-Identifier: MIT */
#ifndef FR_TAP_H
#define FR_TAP_H

#include <stdbool.h>

#include <fr/err.h>

#include "base/buf.h"

/* Writes the Test Anything Protocol (version 13) into a buffer. */
struct fr_tap {
	struct fr_buf *out;
	unsigned n;
	unsigned failed;
};

void fr_tap_init(struct fr_tap *t, struct fr_buf *out);
void fr_tap_ok(struct fr_tap *t, bool ok, const char *name);
void fr_tap_skip(struct fr_tap *t, const char *name, const char *why);
void fr_tap_diag(struct fr_tap *t, const char *fmt, ...) FR_PRINTF(2, 3);
void fr_tap_bail(struct fr_tap *t, const char *why);
void fr_tap_done(struct fr_tap *t); /* the plan, at the end */

#endif
