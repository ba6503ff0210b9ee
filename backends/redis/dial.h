/* SPDX-License-Identifier: MIT */
#ifndef FR_REDIS_DIAL_H
#define FR_REDIS_DIAL_H

#include "conn.h"

/*
 * A thread that makes the next connection: names are looked up, servers tried
 * and passwords sent there, as often as it takes, while the owner of the
 * connection goes on without. It ends when it has one.
 */

/* Begins, unless it has; false: there is no thread to be had. */
bool fr_redis_dial(struct fr_redis_conn *c);
/*
 * Takes over what was made; waits for the end of the first try, wait_ms at
 * most. Else the reason why there is nothing yet.
 */
enum fr_rc fr_redis_dialled(
    struct fr_redis_conn *c, int64_t wait_ms, struct fr_err *err);
/* Gives it up and frees it, without waiting. */
void fr_redis_dial_stop(struct fr_redis_dial *d);

#endif
