/* SPDX-License-Identifier: MIT */
#ifndef FR_RETRY_H
#define FR_RETRY_H

#include <stdint.h>

#include "base/rand.h"

/*
 * How long to wait before the next attempt after fail_count failures (1 or
 * more): base_ms, doubled for each further failure up to max_ms, of which a
 * random part between a half and the whole is waited, so that jobs that
 * failed together do not come back together.
 */
int64_t fr_retry_delay_ms(
    uint32_t fail_count, int64_t base_ms, int64_t max_ms, struct fr_rand *rand);

#endif
