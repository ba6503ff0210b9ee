/* SPDX-License-Identifier: MIT */
#include "core/retry.h"

#include "base/assert.h"

int64_t
fr_retry_delay_ms(
    uint32_t fail_count, int64_t base_ms, int64_t max_ms, struct fr_rand *rand)
{
	int64_t ms = base_ms;
	uint32_t i;

	fr_assert(fail_count > 0);
	fr_assert(base_ms >= 0 && max_ms >= 0);
	for (i = 1; i < fail_count && ms < max_ms; i++)
		ms *= 2;
	if (ms > max_ms)
		ms = max_ms;
	return ms - (int64_t)fr_rand_below(rand, (uint64_t)(ms / 2) + 1);
}
