/* SPDX-License-Identifier: MIT */
#ifndef FR_TIME_H
#define FR_TIME_H

#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

int64_t fr_time_wall_ms(void); /* since 1970 UTC */
int64_t fr_time_mono_ms(void); /* CLOCK_BOOTTIME: goes on while suspended */
int64_t fr_time_mono_us(void);

/* A clock that a test can hold. */
struct fr_clock {
	int64_t (*wall_ms)(void *arg);
	int64_t (*mono_ms)(void *arg);
	void *arg;
};
extern const struct fr_clock fr_clock_real;

/* "2026-11-24T08:30:00.000Z" with its NUL, and more. */
#define FR_TIME_TEXT 32

/* RFC 3339 in UTC with milliseconds. */
void fr_time_format(char dst[FR_TIME_TEXT], int64_t wall_ms);

/*
 * RFC 3339: any offset, any fraction (cut to milliseconds), 'T' or a space,
 * leap second as :60. Years 1970 to 9999. FR_SYNTAX without a message.
 */
FR_MUSTCHECK enum fr_rc fr_time_parse(struct fr_span s, int64_t *wall_ms);

/* "3s", "12m", "5h", "3d" for people; dst of size bytes. */
void fr_time_ago(char *dst, size_t size, int64_t ms);

#endif
