/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "tests/unit/unit.h"

/* Against jansson: tests/fuzz/json.c, whose corpus make check replays. */

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void
good_texts_are_accepted(void **state)
{
	static const char *const good[] = { "null", "true", "false", "0", "-0",
		"1", "-1", "10", "1.0", "0.1", "1e1", "1E+1", "1e-1", "0e0",
		"-0.0e-0", "1e400", "-1e-400", "123456789012345678901234567890",
		"\"\"", "\"a\"", "[]", "{}", "[[]]", "[{}]", "{\"\":{}}",
		"[1,2]", "{\"a\":1,\"a\":2}", " \t\r\n1 \t\r\n", "[ ]", "{ }",
		"[ 1 , 2 ]", "{ \"a\" : 1 , \"b\" : 2 }",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0000\"",
		"\"\\uD83D\\ude00\"", "\"\\ud800\"", "\"\\udc00\\ud800\"",
		"\"\\ud800\\u0041\"", "\"\x7f\"",
		"\"\xc2\x80 \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf\"",
		"\"\xef\xbf\xbf\"", "\"\xe2\x80\xa8\"",
		"\"a text that is longer than eight bytes\\\\\"" };
	struct fr_err err = FR_ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(good); i++)
		if (fr_json_check(fr_span_of(good[i]), 64, NULL, &err) != FR_OK)
			fail_msg("%s: %s", good[i], err.msg);
}

static void
bad_texts_are_refused_where_they_go_wrong(void **state)
{
	static const struct {
		const char *text;
		int byte;
	} bad[] = { { "", 1 }, { " ", 2 }, { "nul", 4 }, { "nulx", 1 },
		{ "nullx", 5 }, { "True", 1 }, { "NaN", 1 }, { "Infinity", 1 },
		{ "-Infinity", 2 }, { "+1", 1 }, { "01", 1 }, { "-01", 2 },
		{ "-", 2 }, { "-a", 2 }, { ".5", 1 }, { "1.", 3 },
		{ "1.e1", 3 }, { "1e", 3 }, { "1e+", 4 }, { "1ex", 3 },
		{ "0x1", 2 }, { "1_0", 2 }, { "\"", 2 }, { "\"a", 3 },
		{ "\"\\", 3 }, { "\"\\x\"", 2 }, { "\"\\u12\"", 7 },
		{ "\"\\u12g4\"", 2 }, { "\"\\U0041\"", 2 }, { "'a'", 1 },
		{ "\"a\nb\"", 3 }, { "\"\t\"", 2 }, { "\"\x1f\"", 2 },
		{ "\"\x80\"", 2 }, { "\"\xc0\xaf\"", 2 }, { "\"\xc3\"", 2 },
		{ "\"\xe0\x80\x80\"", 2 }, { "\"\xed\xa0\x80\"", 2 },
		{ "\"\xed\xbf\xbf\"", 2 }, { "\"\xf0\x80\x80\x80\"", 2 },
		{ "\"\xf4\x90\x80\x80\"", 2 }, { "\"\xf8\x88\x80\x80\"", 2 },
		{ "\"\xff\"", 2 },
		{ "\xef\xbb\xbf"
		  "1",
		    1 },
		{ "[", 2 }, { "[1", 3 }, { "[1,", 4 }, { "[1,]", 4 },
		{ "[,1]", 2 }, { "[1 2]", 4 }, { "[1}", 3 }, { "]", 1 },
		{ "[1]]", 4 }, { "{", 2 }, { "{\"a\"", 5 }, { "{\"a\"}", 5 },
		{ "{\"a\":", 6 }, { "{\"a\":}", 6 }, { "{\"a\":1", 7 },
		{ "{\"a\":1,", 8 }, { "{\"a\":1,}", 8 }, { "{a:1}", 2 },
		{ "{1:1}", 2 }, { "{\"a\" 1}", 6 }, { "{\"a\":1]", 7 },
		{ "{,}", 2 }, { "1 2", 3 }, { "1,", 2 }, { "/**/1", 1 },
		{ "\v1", 1 },
		{ "\xc2\xa0"
		  "1",
		    1 } };
	struct fr_err err;
	char want[32];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		snprintf(want, sizeof(want), "byte %d: ", bad[i].byte);
		err.msg[0] = '\0';
		if (fr_json_check(fr_span_of(bad[i].text), 64, NULL, &err) !=
		    FR_SYNTAX)
			fail_msg("accepted: %s", bad[i].text);
		if (strncmp(err.msg, want, strlen(want)) != 0)
			fail_msg("%s: %s", bad[i].text, err.msg);
	}
	assert_int_equal(
	    fr_json_check(FR_SPAN("1\0"), 64, NULL, NULL), FR_SYNTAX);
	assert_int_equal(
	    fr_json_check(FR_SPAN("\0"), 64, NULL, NULL), FR_SYNTAX);
	assert_int_equal(
	    fr_json_check((struct fr_span){ NULL, 0 }, 64, NULL, NULL),
	    FR_SYNTAX);
}

static void
every_control_character_in_a_string_is_refused(void **state)
{
	char text[32];
	int c, at;

	(void)state;
	for (c = 0; c < 256; c++)
		for (at = 1; at < 20; at++) {
			memset(text, 'x', sizeof(text));
			text[0] = text[31] = '"';
			text[at] = (char)c;
			assert_int_equal(fr_json_check((struct fr_span){ text,
							   sizeof(text) },
					     64, NULL, NULL),
			    c < 0x20 || c >= 0x80 || c == '"' || c == '\\'
				? FR_SYNTAX
				: FR_OK);
		}
}

/* n brackets, with the innermost value, and what closes them. */
static struct fr_span
nested(char *dst, size_t n, bool objects)
{
	static const char open[] = "{\"k\":";
	char *p = dst;
	size_t i;

	for (i = 0; i < n; i++) {
		if (objects && i % 2 == 0) {
			memcpy(p, open, sizeof(open) - 1);
			p += sizeof(open) - 1;
		} else
			*p++ = '[';
	}
	*p++ = '7';
	for (i = n; i-- > 0;)
		*p++ = objects && i % 2 == 0 ? '}' : ']';
	return (struct fr_span){ dst, (size_t)(p - dst) };
}

static void
nesting_is_limited_to_the_level(void **state)
{
	static const unsigned limits[] = { 0, 1, 2, 63, 64, 65, 127, 128, 1000,
		1023, 1024 };
	static char text[2000 * 7];
	struct fr_err err;
	struct fr_span s;
	size_t i;
	int objects;

	(void)state;
	for (objects = 0; objects < 2; objects++)
		for (i = 0; i < LEN(limits); i++) {
			s = nested(text, limits[i], objects);
			assert_int_equal(
			    fr_json_check(s, limits[i], NULL, &err), FR_OK);
			s = nested(text, limits[i] + 1, objects);
			assert_int_equal(
			    fr_json_check(s, limits[i], NULL, &err), FR_TOOBIG);
			assert_non_null(strstr(err.msg, "levels"));
		}
	/* No limit takes it beyond what it can count. */
	s = nested(text, 1025, true);
	assert_int_equal(fr_json_check(s, 100000, NULL, NULL), FR_TOOBIG);
	/* Wide is not deep. */
	assert_int_equal(
	    fr_json_check(FR_SPAN("[[],[],{},[[]],{}]"), 3, NULL, NULL), FR_OK);
}

static void
the_value_is_found_between_white_space(void **state)
{
	struct fr_span v;

	(void)state;
	assert_int_equal(
	    fr_json_check(FR_SPAN(" \n[1, 2]\t "), 64, &v, NULL), FR_OK);
	assert_true(fr_span_is(v, "[1, 2]"));
	assert_int_equal(fr_json_check(FR_SPAN("7"), 64, &v, NULL), FR_OK);
	assert_true(fr_span_is(v, "7"));
}

static void
compact_takes_white_space_between_tokens_only(void **state)
{
	static const char *const cases[][2] = { { "1", "1" },
		{ "[ 1 , 2 ]", "[1,2]" },
		{ "{ \"a b\" : \" c \" ,\r\n\t\"d\":[ ] }",
		    "{\"a b\":\" c \",\"d\":[]}" },
		{ "[\"\\\" \", \"\\\\\" , 1 ]", "[\"\\\" \",\"\\\\\",1]" },
		{ "{\"a\":1e400, \"a\":1.50}", "{\"a\":1e400,\"a\":1.50}" },
		{ "[1,2]", "[1,2]" },
		{ "[ \"a string of some length, with \\\" in it\" ]",
		    "[\"a string of some length, with \\\" in it\"]" } };
	char dst[200];
	struct fr_span s;
	size_t i, n;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		s = fr_span_of(cases[i][0]);
		n = fr_json_compact(dst, s);
		assert_true(
		    fr_span_is((struct fr_span){ dst, n }, cases[i][1]));
		strcpy(dst, cases[i][0]);
		n = fr_json_compact(dst, (struct fr_span){ dst, s.len });
		assert_true(
		    fr_span_is((struct fr_span){ dst, n }, cases[i][1]));
	}
}

static void
members_and_elements_are_walked_in_order(void **state)
{
	static const char text[] =
	    "{ \"a\" : [ 1 , \"]\" , {\"x\":[]} , [[ ]] ] , \"b\\n\":true,"
	    "\"a\":null }";
	static const char *const keys[] = { "\"a\"", "\"b\\n\"", "\"a\"" };
	static const char *const elements[] = { "1", "\"]\"", "{\"x\":[]}",
		"[[ ]]" };
	struct fr_json_iter it, in;
	struct fr_span k, v, e;
	size_t n = 0, m = 0;

	(void)state;
	for (it = fr_json_iter(fr_span_of(text)); fr_json_member(&it, &k, &v);
	     n++) {
		assert_true(n < LEN(keys) && fr_span_is(k, keys[n]));
		if (n > 0)
			continue;
		for (in = fr_json_iter(v); fr_json_element(&in, &e); m++)
			assert_true(
			    m < LEN(elements) && fr_span_is(e, elements[m]));
	}
	assert_int_equal(n, LEN(keys));
	assert_int_equal(m, LEN(elements));
	it = fr_json_iter(FR_SPAN("[ ]"));
	assert_false(fr_json_element(&it, &e));
	it = fr_json_iter(FR_SPAN("{}"));
	assert_false(fr_json_member(&it, &k, &v));
	assert_true(fr_span_is(fr_json_get(fr_span_of(text), "a"), "null"));
	assert_true(fr_span_is(fr_json_get(fr_span_of(text), "b\n"), "true"));
	assert_null(fr_json_get(fr_span_of(text), "x").p);
	assert_null(fr_json_get(FR_SPAN("{}"), "").p);
}

static void
types_are_told_and_named(void **state)
{
	static const struct {
		const char *text;
		enum fr_json_type type;
		const char *name;
	} cases[] = { { "null", FR_JSON_NULL, "null" },
		{ "false", FR_JSON_FALSE, "a boolean" },
		{ "true", FR_JSON_TRUE, "a boolean" },
		{ "-1", FR_JSON_NUMBER, "a number" },
		{ "0", FR_JSON_NUMBER, "a number" },
		{ "\"\"", FR_JSON_STRING, "a string" },
		{ "[]", FR_JSON_ARRAY, "an array" },
		{ "{}", FR_JSON_OBJECT, "an object" } };
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		assert_int_equal(
		    fr_json_type(fr_span_of(cases[i].text)), cases[i].type);
		assert_string_equal(
		    fr_json_type_name(fr_span_of(cases[i].text)),
		    cases[i].name);
	}
}

static void
strings_are_decoded(void **state)
{
	static const char *const cases[][2] = { { "\"\"", "" },
		{ "\"plain\"", "plain" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
		{ "\"\\u0041\\u00e4\\u20AC\"", "A\xc3\xa4\xe2\x82\xac" },
		{ "\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!" },
		{ "\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf" },
		{ "\"\\ud800\"", "\xef\xbf\xbd" },
		{ "\"\\udc00x\"", "\xef\xbf\xbdx" },
		{ "\"\\ud800\\u0041\"", "\xef\xbf\xbd"
					"A" },
		{ "\"\\ud800\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
		{ "\"\\ud800\\n\"", "\xef\xbf\xbd\n" },
		{ "\"\\uffff\"", "\xef\xbf\xbf" } };
	char dst[64];
	struct fr_span t;
	size_t i, n;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		t = fr_span_of(cases[i][0]);
		n = fr_json_unescape(dst, t);
		if (!fr_span_is((struct fr_span){ dst, n }, cases[i][1]))
			fail_msg("%s", cases[i][0]);
		assert_true(fr_json_string_is(t, cases[i][1]));
		assert_false(fr_json_string_is(t, "another"));
		/* In place, over its own quotes. */
		strcpy(dst, cases[i][0]);
		n = fr_json_unescape(dst, (struct fr_span){ dst, t.len });
		assert_true(
		    fr_span_is((struct fr_span){ dst, n }, cases[i][1]));
	}
	assert_int_equal(fr_json_unescape(dst, FR_SPAN("\"a\\u0000b\"")), 3);
	assert_memory_equal(dst, "a\0b", 3);
	assert_false(fr_json_string_is(FR_SPAN("\"a\\u0000b\""), "a"));
	assert_false(fr_json_string_is(FR_SPAN("\"\\u0061\""), "\\u0061"));
	assert_false(fr_json_string_is(FR_SPAN("\"ab\""), "a"));
	assert_false(fr_json_string_is(FR_SPAN("\"a\""), "ab"));
}

static void
integers_are_read_whatever_their_form(void **state)
{
	static const struct {
		const char *text;
		enum fr_rc rc;
		int64_t v;
	} cases[] = { { "5", FR_OK, 5 }, { "-3", FR_OK, -3 }, { "0", FR_OK, 0 },
		{ "-0", FR_OK, 0 }, { "-0.0", FR_OK, 0 }, { "5.0", FR_OK, 5 },
		{ "5e0", FR_OK, 5 }, { "5E+2", FR_OK, 500 },
		{ "500e-2", FR_OK, 5 }, { "0.05e2", FR_OK, 5 },
		{ "0e99999999999999999999", FR_OK, 0 },
		{ "5.00000000000000000000000000000000", FR_OK, 5 },
		{ "50000000000000000000000000e-25", FR_OK, 5 },
		{ "5.5", FR_INVALID, 0 }, { "5e-1", FR_INVALID, 0 },
		{ "1e400", FR_INVALID, 0 }, { "1e-400", FR_INVALID, 0 },
		{ "1e99999999999999999999", FR_INVALID, 0 },
		{ "5.00000000000000000000000000000001", FR_INVALID, 0 },
		{ "9223372036854775807", FR_OK, INT64_MAX },
		{ "9223372036854775808", FR_INVALID, 0 },
		{ "-9223372036854775808", FR_OK, INT64_MIN },
		{ "-9223372036854775809", FR_INVALID, 0 },
		{ "922337203685477580e1", FR_OK, 9223372036854775800 },
		{ "18446744073709551616", FR_INVALID, 0 },
		{ "123456789012345678901234567890", FR_INVALID, 0 },
		{ "\"5\"", FR_INVALID, 0 }, { "null", FR_INVALID, 0 },
		{ "[]", FR_INVALID, 0 } };
	int64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		v = 0;
		if (fr_json_i64(fr_span_of(cases[i].text), INT64_MIN, INT64_MAX,
			&v) != cases[i].rc)
			fail_msg("%s", cases[i].text);
		if (v != cases[i].v)
			fail_msg("%s gives %lld", cases[i].text, (long long)v);
	}
	assert_int_equal(fr_json_i64(FR_SPAN("9"), 10, 20, &v), FR_INVALID);
	assert_int_equal(fr_json_i64(FR_SPAN("10"), 10, 20, &v), FR_OK);
	assert_int_equal(fr_json_i64(FR_SPAN("20.0"), 10, 20, &v), FR_OK);
	assert_int_equal(fr_json_i64(FR_SPAN("21.0"), 10, 20, &v), FR_INVALID);
}

static void
seconds_are_rounded_up_to_milliseconds(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} cases[] = { { "0", 0 }, { "1", 1000 }, { "1.5", 1500 },
		{ "0.001", 1 }, { "0.0001", 1 }, { "1e-400", 1 },
		{ "1.0000", 1000 }, { "1.0001", 1001 },
		{ "0.1000000000000000055511151231257827", 101 },
		{ "1e3", 1000000 }, { "1000", 1000000 }, { "1000.0001", -1 },
		{ "1001", -1 }, { "1e400", -1 }, { "-1", -1 }, { "-0.0001", 0 },
		{ "-0.001", -1 }, { "\"1\"", -1 },
		{ "99999999999999999999999", -1 } };
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		ms = -1;
		if (fr_json_seconds(fr_span_of(cases[i].text), 0, 1000000,
			&ms) != (cases[i].ms < 0 ? FR_INVALID : FR_OK) ||
		    ms != cases[i].ms)
			fail_msg("%s gives %lld", cases[i].text, (long long)ms);
	}
}

static void
the_same_means_token_for_token(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = { { "1", "1", true }, { "1", "1.0", false },
		{ "[1,2]", "[ 1 ,\n2 ]", true }, { "[1,2]", "[12]", false },
		{ "[1,2]", "[1,2,3]", false }, { "[1]", "[1", false },
		{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", false },
		{ "\"\\u0041\"", "\"A\"", false }, { "\" a\"", "\"a\"", false },
		{ "[\"a b\"]", "[ \"a b\" ]", true },
		{ "[\"a\"]", "[\"a\\\"]\"]", false },
		{ "{\"a\":{}}", "{ \"a\" : { } }", true } };
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		assert_int_equal(fr_json_same(fr_span_of(cases[i].a),
				     fr_span_of(cases[i].b)),
		    cases[i].same);
		assert_int_equal(fr_json_same(fr_span_of(cases[i].b),
				     fr_span_of(cases[i].a)),
		    cases[i].same);
	}
}

static void
no_beginning_of_a_text_is_one(void **state)
{
	static const char text[] =
	    "{\"id\":\"x\\u00e4\xc3\xa4\",\"data\":[1.5e3,-2,true,false,null,"
	    "{}],\"more\":{\"a\":[[]]}}";
	char *copy;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(text) - 1; n++) {
		copy = malloc(n + 1); /* no longer than it is */
		assert_non_null(copy);
		memcpy(copy, text, n);
		assert_int_equal(
		    fr_json_check((struct fr_span){ copy, n }, 64, NULL, NULL),
		    FR_SYNTAX);
		free(copy);
	}
	assert_int_equal(fr_json_check(FR_SPAN(text), 64, NULL, NULL), FR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_texts_are_accepted),
		cmocka_unit_test(bad_texts_are_refused_where_they_go_wrong),
		cmocka_unit_test(
		    every_control_character_in_a_string_is_refused),
		cmocka_unit_test(nesting_is_limited_to_the_level),
		cmocka_unit_test(the_value_is_found_between_white_space),
		cmocka_unit_test(compact_takes_white_space_between_tokens_only),
		cmocka_unit_test(members_and_elements_are_walked_in_order),
		cmocka_unit_test(types_are_told_and_named),
		cmocka_unit_test(strings_are_decoded),
		cmocka_unit_test(integers_are_read_whatever_their_form),
		cmocka_unit_test(seconds_are_rounded_up_to_milliseconds),
		cmocka_unit_test(the_same_means_token_for_token),
		cmocka_unit_test(no_beginning_of_a_text_is_one),
	};

	return FR_UNIT_MAIN(tests);
}
