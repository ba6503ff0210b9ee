/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/str.h"
#include "base/uuid.h"
#include "tests/unit/unit.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void
is_version_7_of(const struct fr_uuid *id, int64_t ms)
{
	int64_t got = 0;
	int i;

	for (i = 0; i < 6; i++)
		got = got << 8 | id->b[i];
	assert_true(got == ms);
	assert_int_equal(id->b[6] >> 4, 7);
	assert_int_equal(id->b[8] >> 6, 2);
}

static void
ids_only_grow_within_a_millisecond_and_over_time(void **state)
{
	struct fr_uuid_gen g = { 0 };
	struct fr_uuid last = { { 0 } }, id;
	struct fr_rand r;
	int64_t ms = 1795509000000;
	int i;

	(void)state;
	fr_rand_seed(&r, 3);
	for (i = 0; i < 100000; i++) {
		if (fr_rand_below(&r, 100) == 0)
			ms++;
		id = fr_uuid_new(&g, ms, &r);
		is_version_7_of(&id, ms);
		assert_true(fr_uuid_cmp(&id, &last) > 0);
		last = id;
	}
}

static void
a_clock_that_goes_back_does_not_matter(void **state)
{
	struct fr_uuid_gen g = { 0 };
	struct fr_uuid a, b;
	struct fr_rand r;

	(void)state;
	fr_rand_seed(&r, 4);
	a = fr_uuid_new(&g, 2000, &r);
	b = fr_uuid_new(&g, 1000, &r);
	assert_true(fr_uuid_cmp(&b, &a) > 0);
	is_version_7_of(&b, 2000);
}

static void
a_full_counter_goes_on_in_the_next_millisecond(void **state)
{
	struct fr_uuid_gen g = { 0 };
	struct fr_uuid a, b;
	struct fr_rand r;

	(void)state;
	fr_rand_seed(&r, 5);
	(void)fr_uuid_new(&g, 1000, &r);
	g.counter = ((uint64_t)1 << 42) - 2;
	a = fr_uuid_new(&g, 1000, &r);
	is_version_7_of(&a, 1000);
	b = fr_uuid_new(&g, 1000, &r);
	is_version_7_of(&b, 1001);
	assert_true(fr_uuid_cmp(&b, &a) > 0);
	a = fr_uuid_new(&g, 1000, &r);
	assert_true(fr_uuid_cmp(&a, &b) > 0);
}

static void
ids_are_read_and_written(void **state)
{
	static const char *const bad[] = { "",
		"01a20cc5-6499-77ad-93df-b8470f2fa30",
		"01a20cc5-6499-77ad-93df-b8470f2fa30bb",
		"01a20cc5-6499-77ad-93df-b8470f2fa30g",
		"01a20cc56499-77ad-93df-b8470f2fa30b-",
		"01a20cc5-6499-77ad-93dfab8470f2fa30b",
		"01a20cc5649977ad93dfb8470f2fa30b",
		"{1a20cc5-6499-77ad-93df-b8470f2fa30b",
		"01a20cc5 6499 77ad 93df b8470f2fa30b" };
	static const char text[] = "01a20cc5-6499-77ad-93df-b8470f2fa30b";
	char again[FR_UUID_TEXT];
	struct fr_uuid id;
	size_t i;

	(void)state;
	assert_true(fr_uuid_parse(fr_span_of(text), &id));
	assert_int_equal(id.b[0], 1);
	assert_int_equal(id.b[15], 0x0b);
	fr_uuid_format(again, &id);
	assert_string_equal(again, text);
	assert_true(fr_uuid_parse(
	    FR_SPAN("01A20CC5-6499-77AD-93DF-B8470F2FA30B"), &id));
	fr_uuid_format(again, &id);
	assert_string_equal(again, text);
	for (i = 0; i < LEN(bad); i++)
		assert_false(fr_uuid_parse(fr_span_of(bad[i]), &id));
}

static void
ids_compare_as_bytes(void **state)
{
	struct fr_uuid a = { { 0 } }, b = { { 0 } };

	(void)state;
	assert_true(fr_uuid_eq(&a, &b));
	b.b[15] = 0xff;
	assert_int_equal(fr_uuid_cmp(&a, &b), -1);
	a.b[14] = 1;
	assert_int_equal(fr_uuid_cmp(&a, &b), 1);
}

static void
the_beginning_of_an_id_is_enough(void **state)
{
	static const struct {
		const char *text, *hex; /* NULL: refused */
	} cases[] = { { "01a2", "01a2" }, { "01A2", "01a2" }, { "01a", NULL },
		{ "", NULL }, { "01a20cc5", "01a20cc5" },
		{ "01a20cc5-", "01a20cc5" }, { "01a20cc5-6", "01a20cc56" },
		{ "01a20cc56", "01a20cc56" }, { "01a20cc-56", NULL },
		{ "01a20cc56-4", NULL }, { "01a20cc5-649-9", NULL },
		{ "01a20cc5-649977ad", NULL }, { "01g2", NULL },
		{ "-01a2", NULL },
		{ "01a20cc5-6499-77ad-93df-b8470f2fa30b",
		    "01a20cc5649977ad93dfb8470f2fa30b" },
		{ "01a20cc5649977ad93dfb8470f2fa30b",
		    "01a20cc5649977ad93dfb8470f2fa30b" },
		{ "01a20cc5649977ad93dfb8470f2fa30b0", NULL },
		{ "01a20cc5-6499-77ad-93df-b8470f2fa30b0", NULL } };
	char hex[33];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		if (fr_uuid_prefix(fr_span_of(cases[i].text), hex) !=
		    (cases[i].hex != NULL))
			fail_msg("\"%s\"", cases[i].text);
		if (cases[i].hex != NULL)
			assert_string_equal(hex, cases[i].hex);
	}
}

static void
tokens_are_32_hex_digits(void **state)
{
	static const char text[] = "00112233445566778899aabbccddeeff";
	char again[FR_TOKEN_TEXT];
	struct fr_token t, u = { { 0 } };

	(void)state;
	assert_true(fr_token_zero(&u));
	assert_true(fr_token_parse(fr_span_of(text), &t));
	assert_false(fr_token_zero(&t));
	fr_token_format(again, &t);
	assert_string_equal(again, text);
	assert_false(fr_token_eq(&t, &u));
	u = t;
	assert_true(fr_token_eq(&t, &u));
	u.b[15] ^= 1;
	assert_false(fr_token_eq(&t, &u));
	assert_false(
	    fr_token_parse(FR_SPAN("00112233445566778899aabbccddeef"), &t));
	assert_false(
	    fr_token_parse(FR_SPAN("00112233445566778899aabbccddeefg"), &t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    ids_only_grow_within_a_millisecond_and_over_time),
		cmocka_unit_test(a_clock_that_goes_back_does_not_matter),
		cmocka_unit_test(
		    a_full_counter_goes_on_in_the_next_millisecond),
		cmocka_unit_test(ids_are_read_and_written),
		cmocka_unit_test(ids_compare_as_bytes),
		cmocka_unit_test(the_beginning_of_an_id_is_enough),
		cmocka_unit_test(tokens_are_32_hex_digits),
	};

	return FR_UNIT_MAIN(tests);
}
