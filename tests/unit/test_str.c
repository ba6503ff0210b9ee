/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "tests/unit/unit.h"

#define SYNTAX (-1)
#define INVALID (-2)
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct number {
	const char *text;
	int64_t want; /* or SYNTAX, INVALID */
};

static void
check(const char *text, enum fr_rc rc, int64_t got, int64_t want)
{
	if (rc == FR_SYNTAX)
		got = SYNTAX;
	if (rc == FR_INVALID)
		got = INVALID;
	if (got != want)
		fail_msg("\"%s\" gives %lld, not %lld", text, (long long)got,
		    (long long)want);
}

static void
spans_compare_by_bytes(void **state)
{
	(void)state;
	assert_int_equal(fr_span_of(NULL).len, 0);
	assert_true(fr_span_eq(fr_span_of(NULL), FR_SPAN("")));
	assert_true(fr_span_is(FR_SPAN("ab"), "ab"));
	assert_false(fr_span_is(FR_SPAN("ab"), "a"));
	assert_false(fr_span_is(FR_SPAN("ab"), "abc"));
	assert_false(fr_span_eq(FR_SPAN("a\0b"), FR_SPAN("a\0c")));
	assert_true(fr_span_starts(FR_SPAN("unix:x"), "unix:"));
	assert_true(fr_span_starts(FR_SPAN("x"), ""));
	assert_false(fr_span_starts(FR_SPAN("uni"), "unix:"));
}

static void
copies_that_do_not_fit_are_empty(void **state)
{
	char dst[4] = "zzz";

	(void)state;
	assert_true(fr_str_copy(dst, sizeof(dst), FR_SPAN("abc")));
	assert_string_equal(dst, "abc");
	assert_false(fr_str_copy(dst, sizeof(dst), FR_SPAN("abcd")));
	assert_string_equal(dst, "");
	assert_false(fr_str_copy(dst, 0, FR_SPAN("")));
	assert_true(fr_str_format(dst, sizeof(dst), "%d", 123));
	assert_false(fr_str_format(dst, sizeof(dst), "%d", 1234));
	char *copy = fr_str_dup(FR_SPAN("a\0b"));
	assert_non_null(copy);
	assert_memory_equal(copy, "a\0b", 4);
	free(copy);
}

static void
integers_are_whole_and_within_limits(void **state)
{
	static const struct number cases[] = { { "0", 0 }, { "-0", 0 },
		{ "7", 7 }, { "007", 7 }, { "-5", -5 }, { "", SYNTAX },
		{ "-", SYNTAX }, { "+1", SYNTAX }, { " 1", SYNTAX },
		{ "1 ", SYNTAX }, { "1.0", SYNTAX }, { "0x1", SYNTAX },
		{ "--1", SYNTAX }, { "99", 99 }, { "100", 100 },
		{ "101", INVALID }, { "-5", -5 }, { "-6", INVALID },
		{ "99999999999999999999999", INVALID },
		{ "-99999999999999999999999", INVALID },
		{ "99999999999999999999999x", SYNTAX } };
	int64_t v = 0;
	enum fr_rc rc;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		rc = fr_str_i64(fr_span_of(cases[i].text), -5, 100, &v);
		check(cases[i].text, rc, v, cases[i].want);
	}
	assert_int_equal(fr_str_i64(FR_SPAN("9223372036854775807"), INT64_MIN,
			     INT64_MAX, &v),
	    FR_OK);
	assert_true(v == INT64_MAX);
	assert_int_equal(fr_str_i64(FR_SPAN("-9223372036854775808"), INT64_MIN,
			     INT64_MAX, &v),
	    FR_OK);
	assert_true(v == INT64_MIN);
	assert_int_equal(fr_str_i64(FR_SPAN("9223372036854775808"), INT64_MIN,
			     INT64_MAX, &v),
	    FR_INVALID);
}

static void
durations_are_read_into_milliseconds(void **state)
{
	static const struct number cases[] = { { "90", 90000 }, { "0", 0 },
		{ "1.5", 1500 }, { "90s", 90000 }, { "15m", 900000 },
		{ "2h", 7200000 }, { "7d", 604800000 }, { "200ms", 200 },
		{ "0.0001", 1 }, { "1.0000000000001", 1001 },
		{ "1.0000000000000", 1000 }, { "1.0001", 1001 },
		{ "0.5d", 43200000 }, { "1.5ms", 2 },
		{ "10000d", 864000000000 }, { "864000000", 864000000000 },
		{ "10001d", INVALID }, { "10000.00000001d", INVALID },
		{ "99999999999999999999", INVALID }, { "", SYNTAX },
		{ "s", SYNTAX }, { "-1", SYNTAX }, { "+1", SYNTAX },
		{ "1.", SYNTAX }, { ".5", SYNTAX }, { "1 s", SYNTAX },
		{ "1S", SYNTAX }, { "1w", SYNTAX }, { "1e3", SYNTAX },
		{ "1h30m", SYNTAX }, { "1sx", SYNTAX } };
	int64_t v = 0;
	enum fr_rc rc;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		rc = fr_str_duration(fr_span_of(cases[i].text), &v);
		check(cases[i].text, rc, v, cases[i].want);
	}
}

static void
sizes_are_powers_of_1024(void **state)
{
	static const struct number cases[] = { { "100", 100 }, { "100B", 100 },
		{ "64k", 65536 }, { "64K", 65536 }, { "1M", 1048576 },
		{ "16MiB", 16777216 }, { "2G", 2147483648 }, { "1kB", 1024 },
		{ "3T", 3298534883328 }, { "", SYNTAX }, { "k", SYNTAX },
		{ "1Mi", SYNTAX }, { "1x", SYNTAX }, { "1BB", SYNTAX },
		{ "-1", SYNTAX }, { "1.5M", SYNTAX },
		{ "99999999999999999999", INVALID },
		{ "99999999999T", INVALID } };
	size_t i, v = 0;
	enum fr_rc rc;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		rc = fr_str_size(fr_span_of(cases[i].text), &v);
		check(cases[i].text, rc, (int64_t)v, cases[i].want);
	}
}

static void
utf8_is_checked_to_the_letter(void **state)
{
	static const char *const good[] = { "", "a", "\x7f", "\xc2\x80",
		"\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
		"\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
		"eight plain and \xc3\xa4" };
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80",
		"\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe0\xa0",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xe1\x80\x41",
		"\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xfe", "\xff", "\xf8\x88\x80\x80\x80" };
	char text[64];
	size_t i, n;

	(void)state;
	for (i = 0; i < LEN(good); i++)
		assert_true(fr_utf8_valid(fr_span_of(good[i])));
	for (i = 0; i < LEN(bad); i++)
		for (n = 0; n < 10; n++) {
			memset(text, 'x', n);
			strcpy(text + n, bad[i]);
			assert_int_equal(fr_utf8_prefix(fr_span_of(text)), n);
			assert_false(fr_utf8_valid(fr_span_of(text)));
		}
	assert_int_equal(fr_utf8_char(FR_SPAN("")), 0);
	assert_int_equal(fr_utf8_char(FR_SPAN("\xe2\x82\xac!")), 3);
}

static void
a_terminal_is_shown_no_controls(void **state)
{
	static const struct {
		const char *in;
		bool lines;
		const char *out;
	} cases[] = { { "plain \xc3\xa4 \xf0\x9f\x98\x80", false,
			  "plain \xc3\xa4 \xf0\x9f\x98\x80" },
		{ "a\nb\tc", false, "a\\x0ab\\x09c" },
		{ "a\nb\tc", true, "a\nb\tc" }, { "\r", true, "\\x0d" },
		{ "\x1b[2J\x7f", true, "\\x1b[2J\\x7f" },
		{ "\xc2\x9b\xc2\xa0", false, "\\xc2\\x9b\xc2\xa0" },
		{ "\x9b\xff\xc3", false, "\\x9b\\xff\\xc3" },
		{ "\xe2\x80\xae", false, "\\xe2\\x80\\xae" },
		{ "\xe2\x81\xa6\xe2\x82\xac", false,
		    "\\xe2\\x81\\xa6\xe2\x82\xac" } };
	struct fr_buf b;
	size_t i;

	(void)state;
	fr_buf_init(&b, 0);
	for (i = 0; i < LEN(cases); i++) {
		fr_buf_reset(&b);
		fr_str_visible(&b, fr_span_of(cases[i].in), cases[i].lines);
		assert_string_equal(fr_buf_cstr(&b), cases[i].out);
	}
	fr_buf_reset(&b);
	fr_str_visible(&b, (struct fr_span){ NULL, 0 }, false);
	fr_str_visible(&b, FR_SPAN("a\0b"), false);
	assert_string_equal(fr_buf_cstr(&b), "a\\x00b");
	fr_buf_fini(&b);
}

static void
hex_goes_both_ways(void **state)
{
	unsigned char b[256], again[256];
	char hex[512];
	size_t i;

	(void)state;
	for (i = 0; i < 256; i++)
		b[i] = (unsigned char)i;
	fr_hex_encode(hex, b, 256);
	assert_memory_equal(hex, "000102", 6);
	assert_memory_equal(hex + 506, "fdfeff", 6);
	assert_true(fr_hex_decode(again, 256, (struct fr_span){ hex, 512 }));
	assert_memory_equal(again, b, 256);
	assert_true(fr_hex_decode(again, 2, FR_SPAN("aBCd")));
	assert_memory_equal(again, "\xab\xcd", 2);
	assert_false(fr_hex_decode(again, 2, FR_SPAN("abc")));
	assert_false(fr_hex_decode(again, 2, FR_SPAN("abcde")));
	assert_false(fr_hex_decode(again, 2, FR_SPAN("abcg")));
	assert_false(fr_hex_decode(again, 2, FR_SPAN("ab d")));
	assert_true(fr_hex_decode(again, 0, FR_SPAN("")));
}

static void
secrets_compare_equal_only_if_they_are(void **state)
{
	char a[16] = "0123456789abcde", b[16];
	size_t i;

	(void)state;
	memcpy(b, a, sizeof(b));
	assert_true(fr_const_eq(a, b, sizeof(a)));
	for (i = 0; i < sizeof(a); i++) {
		b[i] = (char)(b[i] ^ 0x80);
		assert_false(fr_const_eq(a, b, sizeof(a)));
		b[i] = (char)(b[i] ^ 0x80);
	}
	assert_true(fr_const_eq(a, b, 0));
}

static void
only_hex_digits_are_hex(void **state)
{
	unsigned char got;
	char two[2];
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		two[0] = '0';
		two[1] = (char)c;
		assert_int_equal(
		    fr_hex_decode(&got, 1, (struct fr_span){ two, 2 }),
		    c != 0 && strchr("0123456789abcdefABCDEF", c) != NULL);
		two[0] = (char)c;
		two[1] = 'f';
		assert_int_equal(
		    fr_hex_decode(&got, 1, (struct fr_span){ two, 2 }),
		    c != 0 && strchr("0123456789abcdefABCDEF", c) != NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_hex_digits_are_hex),
		cmocka_unit_test(spans_compare_by_bytes),
		cmocka_unit_test(copies_that_do_not_fit_are_empty),
		cmocka_unit_test(integers_are_whole_and_within_limits),
		cmocka_unit_test(durations_are_read_into_milliseconds),
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(utf8_is_checked_to_the_letter),
		cmocka_unit_test(a_terminal_is_shown_no_controls),
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(secrets_compare_equal_only_if_they_are),
	};

	return FR_UNIT_MAIN(tests);
}
