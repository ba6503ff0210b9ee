/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "tests/unit/unit.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void
texts_of_rfc_3339_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = { { "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:00.001Z", 1 },
		{ "2026-11-24T08:30:00Z", 1795509000000 },
		{ "2026-11-24t08:30:00z", 1795509000000 },
		{ "2026-11-24 08:30:00Z", 1795509000000 },
		{ "2026-11-24T08:30:00+00:00", 1795509000000 },
		{ "2026-11-24T08:30:00-00:00", 1795509000000 },
		{ "2026-11-24T10:00:00+01:30", 1795509000000 },
		{ "2026-11-23T20:30:00-12:00", 1795509000000 },
		{ "2026-11-24T08:30:00.1Z", 1795509000100 },
		{ "2026-11-24T08:30:00.1239999999999999999Z", 1795509000123 },
		{ "1970-01-01T01:00:00+01:00", 0 },
		{ "2000-02-29T00:00:00Z", 951782400000 },
		{ "2024-02-29T00:00:00Z", 1709164800000 },
		{ "2016-12-31T23:59:60Z", 1483228800000 },
		{ "2017-01-01T00:59:60+01:00", 1483228800000 },
		{ "9999-12-31T23:59:59.999Z", 253402300799999 } };
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		ms = -1;
		if (fr_time_parse(fr_span_of(cases[i].text), &ms) != FR_OK)
			fail_msg("refused: %s", cases[i].text);
		if (ms != cases[i].ms)
			fail_msg("%s gives %lld", cases[i].text, (long long)ms);
	}
}

static void
other_texts_are_refused(void **state)
{
	static const char *const bad[] = { "", "2026", "2026-11-24",
		"2026-11-24T08:30Z", "2026-11-24T08:30:00",
		"2026-11-24T08:30:00ZZ", "2026-11-24T08:30:00.Z",
		"2026-11-24T08:30:00,1Z", "2026-11-24T08:30:00+0100",
		"2026-11-24T08:30:00+01", "2026-11-24T08:30:00+24:00",
		"2026-11-24T08:30:00+01:60", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
		"2026-01-32T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z", "2026-11-24T24:00:00Z",
		"2026-11-24T08:60:00Z", "2026-11-24T08:30:61Z",
		"2026-11-24T08:30:60Z", "2026-11-24T23:59:60+01:00",
		"1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z",
		"26-11-24T08:30:00Z", " 2026-11-24T08:30:00Z",
		"2026-11-24T08:30:00Z ", "2026/11/24T08:30:00Z",
		"2026-1-24T08:30:00Z", "-2026-11-24T08:30:00Z",
		"+2026-11-24T08:30:00Z", "2026-11-24T08:30:0xZ",
		"2026-11-24_08:30:00Z", "0000-01-01T00:00:00Z" };
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++)
		if (fr_time_parse(fr_span_of(bad[i]), &ms) != FR_SYNTAX)
			fail_msg("accepted: \"%s\"", bad[i]);
	assert_int_equal(
	    fr_time_parse(FR_SPAN("2026-11-24\0008:30:00Z"), &ms), FR_SYNTAX);
}

static void
the_calendar_is_the_c_librarys(void **state)
{
	char got[FR_TIME_TEXT], want[64];
	struct fr_rand r;
	struct tm tm;
	time_t t;
	int64_t ms, again;
	int i;

	(void)state;
	fr_rand_seed(&r, 7);
	for (i = 0; i < 20000; i++) {
		ms = (int64_t)fr_rand_below(&r, 253402300800000);
		t = (time_t)(ms / 1000);
		assert_non_null(gmtime_r(&t, &tm));
		snprintf(want, sizeof(want),
		    "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		    (int)(ms % 1000));
		fr_time_format(got, ms);
		assert_string_equal(got, want);
		assert_int_equal(fr_time_parse(fr_span_of(got), &again), FR_OK);
		assert_true(again == ms);
	}
}

static void
times_out_of_range_are_shown_as_the_nearest(void **state)
{
	char text[FR_TIME_TEXT];

	(void)state;
	fr_time_format(text, -1);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	fr_time_format(text, INT64_MIN);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	fr_time_format(text, INT64_MAX);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void
spans_of_time_are_short_for_people(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = { { -5, "0s" }, { 0, "0s" }, { 999, "0s" }, { 3000, "3s" },
		{ 119999, "119s" }, { 120000, "2m" }, { 7199999, "119m" },
		{ 7200000, "2h" }, { 172799999, "47h" }, { 172800000, "2d" },
		{ INT64_C(864000000000), "10000d" } };
	char text[16];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		fr_time_ago(text, sizeof(text), cases[i].ms);
		assert_string_equal(text, cases[i].text);
	}
}

static void
the_clocks_go_on(void **state)
{
	const int64_t wall = fr_clock_real.wall_ms(fr_clock_real.arg);
	const int64_t mono = fr_clock_real.mono_ms(fr_clock_real.arg);
	const int64_t us = fr_time_mono_us();

	(void)state;
	assert_true(wall > 1577836800000); /* 2020 */
	assert_true(fr_time_mono_ms() >= mono);
	assert_true(fr_time_mono_us() >= us);
	assert_true(us / 1000 - mono < 600000);
	assert_true(fr_time_wall_ms() > 1577836800000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_of_rfc_3339_are_read),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(the_calendar_is_the_c_librarys),
		cmocka_unit_test(times_out_of_range_are_shown_as_the_nearest),
		cmocka_unit_test(spans_of_time_are_short_for_people),
		cmocka_unit_test(the_clocks_go_on),
	};

	return FR_UNIT_MAIN(tests);
}
