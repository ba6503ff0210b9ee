/* SPDX-License-Identifier: MIT */
#include "base/time.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static int64_t
now_us(clockid_t clock)
{
	struct timespec ts = { 0 };

	if (clock_gettime(clock, &ts) == -1)
		fr_assert(!"the clock exists");
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
fr_time_wall_ms(void)
{
	return now_us(CLOCK_REALTIME) / 1000;
}

int64_t
fr_time_mono_ms(void)
{
	return now_us(CLOCK_BOOTTIME) / 1000;
}

int64_t
fr_time_mono_us(void)
{
	return now_us(CLOCK_BOOTTIME);
}

static int64_t
real_wall(void *arg)
{
	(void)arg;
	return fr_time_wall_ms();
}

static int64_t
real_mono(void *arg)
{
	(void)arg;
	return fr_time_mono_ms();
}

const struct fr_clock fr_clock_real = { real_wall, real_mono, NULL };

/*
 * Days are counted in years that begin in March, so that the leap day comes
 * last, and in eras of 400 such years (146097 days).
 */
static int64_t
days_of(int64_t y, int64_t m, int64_t d)
{
	int64_t era, year, day;

	y -= m <= 2;
	era = y / 400;
	year = y % 400;
	day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

static void
date_of(int64_t days, int64_t *y, int64_t *m, int64_t *d)
{
	int64_t era, day, year, mp;

	days += 719468;
	era = days / 146097;
	day = days % 146097;
	year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	mp = (5 * day + 2) / 153;
	*d = day - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = year + era * 400 + (*m <= 2);
}

static char *
put(char *p, int64_t v, int places)
{
	int i;

	for (i = places - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + places;
}

/* The last moment of the year 9999. */
#define LAST_MS (INT64_C(253402300800000) - 1)

void
fr_time_format(char dst[FR_TIME_TEXT], int64_t wall_ms)
{
	int64_t y, m, d, rest;
	char *p = dst;

	if (wall_ms < 0)
		wall_ms = 0;
	if (wall_ms > LAST_MS)
		wall_ms = LAST_MS;
	rest = wall_ms % DAY_MS;
	date_of(wall_ms / DAY_MS, &y, &m, &d);
	p = put(p, y, 4);
	*p++ = '-';
	p = put(p, m, 2);
	*p++ = '-';
	p = put(p, d, 2);
	*p++ = 'T';
	p = put(p, rest / 3600000, 2);
	*p++ = ':';
	p = put(p, rest / 60000 % 60, 2);
	*p++ = ':';
	p = put(p, rest / 1000 % 60, 2);
	*p++ = '.';
	p = put(p, rest % 1000, 3);
	*p++ = 'Z';
	*p = '\0';
}

/* Exactly n digits from the front of *s, within min..max. */
static bool
number(struct fr_span *s, size_t n, int64_t min, int64_t max, int64_t *out)
{
	size_t i;

	if (s->len < n)
		return false;
	*out = 0;
	for (i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*out = *out * 10 + (s->p[i] - '0');
	}
	*s = (struct fr_span){ s->p + n, s->len - n };
	return *out >= min && *out <= max;
}

/* Takes one of the characters of set from the front; 0: none is there. */
static char
one_of(struct fr_span *s, const char *set)
{
	char c;

	if (s->len == 0 || s->p[0] == '\0' || strchr(set, s->p[0]) == NULL)
		return 0;
	c = s->p[0];
	*s = (struct fr_span){ s->p + 1, s->len - 1 };
	return c;
}

/* Digits behind the point, cut to milliseconds. */
static bool
fraction(struct fr_span *s, int64_t *ms)
{
	int64_t scale = 100;
	int64_t v;

	if (!number(s, 1, 0, 9, &v))
		return false;
	do {
		*ms += v * scale;
		scale /= 10;
	} while (s->len > 0 && s->p[0] >= '0' && s->p[0] <= '9' &&
		 number(s, 1, 0, 9, &v));
	return true;
}

static bool
offset(struct fr_span *s, int64_t *minutes)
{
	int64_t h, m;
	char sign;

	*minutes = 0;
	if (one_of(s, "Zz") != 0)
		return true;
	sign = one_of(s, "+-");
	if (sign == 0 || !number(s, 2, 0, 23, &h) || one_of(s, ":") == 0 ||
	    !number(s, 2, 0, 59, &m))
		return false;
	*minutes = h * 60 + m;
	if (sign == '-')
		*minutes = -*minutes;
	return true;
}

static int64_t
month_days(int64_t y, int64_t m)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };

	if (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0))
		return 29;
	return days[m - 1];
}

enum fr_rc
fr_time_parse(struct fr_span s, int64_t *wall_ms)
{
	int64_t y, mo, d, h, mi, sec, ms = 0, off, v;

	if (!number(&s, 4, 0, 9999, &y) || one_of(&s, "-") == 0 ||
	    !number(&s, 2, 1, 12, &mo) || one_of(&s, "-") == 0 ||
	    !number(&s, 2, 1, month_days(y, mo), &d) ||
	    one_of(&s, "Tt ") == 0 || !number(&s, 2, 0, 23, &h) ||
	    one_of(&s, ":") == 0 || !number(&s, 2, 0, 59, &mi) ||
	    one_of(&s, ":") == 0 || !number(&s, 2, 0, 60, &sec))
		return FR_SYNTAX;
	if (one_of(&s, ".") != 0 && !fraction(&s, &ms))
		return FR_SYNTAX;
	if (!offset(&s, &off) || s.len != 0)
		return FR_SYNTAX;
	v = days_of(y, mo, d) * 1440 + h * 60 + mi - off; /* minutes */
	/* Leap seconds are only put in at the end of a day in UTC. */
	if (sec == 60 && v % 1440 != 1439)
		return FR_SYNTAX;
	v = v * 60000 + sec * 1000 + ms;
	if (v < 0 || v > LAST_MS)
		return FR_SYNTAX;
	*wall_ms = v;
	return FR_OK;
}

void
fr_time_ago(char *dst, size_t size, int64_t ms)
{
	int64_t v = ms / 1000;
	char unit = 's';

	if (v < 0)
		v = 0;
	if (v >= 2 * 24 * 3600) {
		v /= 24 * 3600;
		unit = 'd';
	} else if (v >= 2 * 3600) {
		v /= 3600;
		unit = 'h';
	} else if (v >= 2 * 60) {
		v /= 60;
		unit = 'm';
	}
	(void)snprintf(dst, size, "%lld%c", (long long)v, unit);
}
