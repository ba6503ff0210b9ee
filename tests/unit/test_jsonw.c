/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "tests/unit/unit.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void
commas_stand_where_they_belong(void **state)
{
	struct fr_buf b;

	(void)state;
	fr_buf_init(&b, 0);
	fr_jsonw_open(&b, '{');
	fr_jsonw_key(&b, "a");
	fr_jsonw_open(&b, '[');
	fr_jsonw_i64(&b, 1);
	fr_jsonw_i64(&b, -2);
	fr_jsonw_open(&b, '{');
	fr_jsonw_close(&b, '}');
	fr_jsonw_open(&b, '[');
	fr_jsonw_close(&b, ']');
	fr_jsonw_close(&b, ']');
	fr_jsonw_key(&b, "b");
	fr_jsonw_strz(&b, "[");
	fr_jsonw_key(&b, "c");
	fr_jsonw_bool(&b, true);
	fr_jsonw_key(&b, "d");
	fr_jsonw_bool(&b, false);
	fr_jsonw_key(&b, "e");
	fr_jsonw_null(&b);
	fr_jsonw_key(&b, "f");
	fr_jsonw_raw(&b, FR_SPAN("1e400"));
	fr_jsonw_close(&b, '}');
	fr_buf_addc(&b, '\n');
	fr_jsonw_open(&b, '{');
	fr_jsonw_close(&b, '}');
	assert_string_equal(fr_buf_cstr(&b),
	    "{\"a\":[1,-2,{},[]],\"b\":\"[\",\"c\":true,\"d\":false,\"e\":null,"
	    "\"f\":1e400}\n{}");
	fr_buf_fini(&b);
}

static void
a_string_is_escaped_as_far_as_it_must_be(void **state)
{
	static const struct {
		struct fr_span in;
		const char *out;
	} cases[] = { { { NULL, 0 }, "\"\"" }, { { "plain", 5 }, "\"plain\"" },
		{ { "\"\\/", 3 }, "\"\\\"\\\\/\"" },
		{ { "\b\f\n\r\t", 5 }, "\"\\b\\f\\n\\r\\t\"" },
		{ { "\0\x01\x1f\x7f", 4 }, "\"\\u0000\\u0001\\u001f\x7f\"" },
		{ { "\xc3\xa4\xf0\x9f\x98\x80", 6 },
		    "\"\xc3\xa4\xf0\x9f\x98\x80\"" },
		{ { "a\xff"
		    "b",
		      3 },
		    "\"a\xef\xbf\xbd"
		    "b\"" },
		{ { "\xc3", 1 }, "\"\xef\xbf\xbd\"" },
		{ { "\xed\xa0\x80", 3 },
		    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" } };
	struct fr_buf b;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		fr_buf_init(&b, 0);
		fr_jsonw_escape(&b, cases[i].in);
		assert_string_equal(fr_buf_cstr(&b), cases[i].out);
		fr_buf_fini(&b);
	}
}

static void
a_text_has_no_quotes_and_other_values_stay(void **state)
{
	static const struct {
		struct fr_span in;
		const char *out;
	} cases[] = {
		{ FR_SPAN("\"a\\nb\\u00e4\""), "a\nb\xc3\xa4" },
		{ FR_SPAN("\"\""), "" },
		{ FR_SPAN("{\"a\":\"b\"}"), "{\"a\":\"b\"}" },
		{ FR_SPAN("1e400"), "1e400" },
		{ { NULL, 0 }, "" },
	};
	struct fr_buf b;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		fr_buf_init(&b, 0);
		fr_jsonw_text(&b, cases[i].in);
		assert_string_equal(fr_buf_cstr(&b), cases[i].out);
		fr_buf_fini(&b);
	}
}

static void
every_byte_survives_a_round_trip(void **state)
{
	char text[256], again[2048];
	struct fr_buf b;
	size_t i, n;

	(void)state;
	for (i = 0; i < 128; i++)
		text[i] = (char)i;
	fr_buf_init(&b, 0);
	fr_jsonw_escape(&b, (struct fr_span){ text, 128 });
	assert_int_equal(fr_json_check(fr_buf_span(&b), 0, NULL, NULL), FR_OK);
	n = fr_json_unescape(again, fr_buf_span(&b));
	assert_int_equal(n, 128);
	assert_memory_equal(again, text, 128);
	fr_buf_fini(&b);
}

static void
seconds_and_times_are_written(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = { { 0, "0" }, { 1000, "1" }, { 1500, "1.5" },
		{ 1050, "1.05" }, { 1005, "1.005" }, { 5, "0.005" },
		{ -1500, "-1.5" }, { -1, "-0.001" },
		{ INT64_MAX, "9223372036854775.807" },
		{ INT64_MIN, "-9223372036854775.808" } };
	struct fr_buf b;
	int64_t ms;
	size_t i;

	(void)state;
	fr_buf_init(&b, 0);
	for (i = 0; i < LEN(cases); i++) {
		fr_buf_reset(&b);
		fr_jsonw_seconds(&b, cases[i].ms);
		assert_string_equal(fr_buf_cstr(&b), cases[i].text);
		if (cases[i].ms == INT64_MIN || cases[i].ms == INT64_MAX)
			continue;
		assert_int_equal(
		    fr_json_seconds(fr_buf_span(&b), -10000, 10000, &ms),
		    FR_OK);
		assert_true(ms == cases[i].ms);
	}
	fr_buf_reset(&b);
	fr_jsonw_open(&b, '[');
	fr_jsonw_time(&b, 0);
	fr_jsonw_time(&b, 1795509000123);
	fr_jsonw_close(&b, ']');
	assert_string_equal(
	    fr_buf_cstr(&b), "[null,\"2026-11-24T08:30:00.123Z\"]");
	fr_buf_fini(&b);
}

static void
a_limit_is_noticed_at_the_end(void **state)
{
	struct fr_buf b;
	size_t max;

	(void)state;
	for (max = 1; max < 12; max++) {
		fr_buf_init(&b, max);
		fr_jsonw_open(&b, '{');
		fr_jsonw_key(&b, "key");
		fr_jsonw_strz(&b, "v");
		fr_jsonw_close(&b, '}');
		assert_int_equal(fr_buf_ok(&b), max >= 11);
		fr_buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_stand_where_they_belong),
		cmocka_unit_test(a_string_is_escaped_as_far_as_it_must_be),
		cmocka_unit_test(a_text_has_no_quotes_and_other_values_stay),
		cmocka_unit_test(every_byte_survives_a_round_trip),
		cmocka_unit_test(seconds_and_times_are_written),
		cmocka_unit_test(a_limit_is_noticed_at_the_end),
	};

	return FR_UNIT_MAIN(tests);
}
