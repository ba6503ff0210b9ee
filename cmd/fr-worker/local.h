/* SPDX-License-Identifier: MIT */
#ifndef FR_WORKER_LOCAL_H
#define FR_WORKER_LOCAL_H

#include "conf.h"
#include "keep.h"

/*
 * --run NAME: one handler or chain on the data of stdin, without a manager;
 * the result goes to stdout. Returns the exit status.
 */
int local_run(struct conf *c, struct keep *k);

#endif
