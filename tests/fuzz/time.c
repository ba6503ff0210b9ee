/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "tests/fuzz/lib/fuzz.h"

/* Times, durations, sizes and integers: within their limits, and what is
 * written is read back as the same. */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fr_span s = { (const char *)data, size };
	char text[FR_TIME_TEXT];
	int64_t v, again;
	size_t bytes;

	if (fr_time_parse(s, &v) == FR_OK) {
		must(v >= 0);
		fr_time_format(text, v);
		must(fr_time_parse(fr_span_of(text), &again) == FR_OK);
		must(again == v);
	}
	if (fr_str_duration(s, &v) == FR_OK)
		must(v >= 0 && v <= (int64_t)10000 * 86400 * 1000);
	if (fr_str_i64(s, -1000, 1000, &v) == FR_OK) {
		must(v >= -1000 && v <= 1000);
		must(fr_str_format(text, sizeof(text), "%lld", (long long)v));
		must(fr_str_i64(fr_span_of(text), v, v, &again) == FR_OK);
	}
	if (fr_str_size(s, &bytes) == FR_OK)
		must(size > 0 && data[0] >= '0' && data[0] <= '9');
	return 0;
}
