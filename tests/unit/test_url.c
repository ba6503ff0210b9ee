/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/url.h"
#include "tests/unit/unit.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void
the_parts_of_a_url_are_found(void **state)
{
	static const struct {
		const char *text, *scheme, *user, *password, *host;
		int port;
		const char *path, *query;
	} cases[] = {
		{ "http://h", "http", "", "", "h", -1, "", "" },
		{ "HTTP://h:80/", "http", "", "", "h", 80, "/", "" },
		{ "http://h:/x", "http", "", "", "h", -1, "/x", "" },
		{ "https://[::1]:2718/a/b?c=d", "https", "", "", "::1", 2718,
		    "/a/b", "c=d" },
		{ "http://[fe80::1]", "http", "", "", "fe80::1", -1, "", "" },
		{ "redis://u:p@h:6379/1?order=fifo", "redis", "u", "p", "h",
		    6379, "/1", "order=fifo" },
		{ "redis://:p%40%3a@h", "redis", "", "p@:", "h", -1, "", "" },
		{ "redis://u@h?x", "redis", "u", "", "h", -1, "", "x" },
		{ "postgres://u:a@b@h/db", "postgres", "u", "a@b", "h", -1,
		    "/db", "" },
		{ "postgres:///db", "postgres", "", "", "", -1, "/db", "" },
		{ "sqlite:/a%20b?x=1", "sqlite", "", "", "", -1, "/a b",
		    "x=1" },
		{ "sqlite:rel/db", "sqlite", "", "", "", -1, "rel/db", "" },
		{ "memory:", "memory", "", "", "", -1, "", "" },
		{ "memory:fifo", "memory", "", "", "", -1, "fifo", "" },
		{ "unix:/run/x.sock", "unix", "", "", "", -1, "/run/x.sock",
		    "" },
		{ "a+b-c.1:x", "a+b-c.1", "", "", "", -1, "x", "" },
		{ "http://h:65535", "http", "", "", "h", 65535, "", "" },
		{ "http://h?a=/b", "http", "", "", "h", -1, "", "a=/b" },
	};
	struct fr_err err = FR_ERR_INIT;
	struct fr_url u;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(cases); i++) {
		if (fr_url_parse(cases[i].text, &u, &err) != FR_OK)
			fail_msg("%s: %s", cases[i].text, err.msg);
		assert_string_equal(u.scheme, cases[i].scheme);
		assert_string_equal(u.user, cases[i].user);
		assert_string_equal(u.password, cases[i].password);
		assert_string_equal(u.host, cases[i].host);
		assert_int_equal(u.port, cases[i].port);
		assert_string_equal(u.path, cases[i].path);
		assert_true(fr_span_is(u.query, cases[i].query));
	}
}

static void
wrong_urls_are_refused_without_their_password(void **state)
{
	static const char *const bad[] = { "", "x", "/path", ":x", "1a:x",
		"a b:x", "://h", "http//h", "redis://u:hunter2@h:65536",
		"redis://u:hunter2@h:-1", "redis://u:hunter2@h:1x",
		"redis://u:hunter2@[::1", "redis://u:hunter2@[::1]x",
		"redis://u:hunter2@h h", "redis://u:hunter2%zz@h",
		"redis://u:hunter2%00@h", "redis://u:hunter2@h/%",
		"redis://u:hunter2@h/%4", "redis://u:hunter2@h/%00",
		"redis://u:hunter2@h\\x", "redis://u:hunter2@h\x7f",
		"http://h]:80", "abcdefghijklmnopqrstuvwxyzabcdefgh:x" };
	struct fr_err err = FR_ERR_INIT;
	struct fr_url u;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		err.msg[0] = '\0';
		if (fr_url_parse(bad[i], &u, &err) != FR_INVALID)
			fail_msg("accepted: %s", bad[i]);
		assert_true(err.msg[0] != '\0');
		assert_null(strstr(err.msg, "hunter2"));
	}
}

static void
long_parts_fit_or_are_refused(void **state)
{
	char text[2000];
	struct fr_url u;
	size_t n;

	(void)state;
	for (n = sizeof(u.host) - 2; n <= sizeof(u.host); n++) {
		strcpy(text, "http://");
		memset(text + 7, 'h', n);
		text[7 + n] = '\0';
		assert_int_equal(fr_url_parse(text, &u, NULL),
		    n < sizeof(u.host) ? FR_OK : FR_INVALID);
	}
	for (n = sizeof(u.path) - 2; n <= sizeof(u.path); n++) {
		strcpy(text, "unix:");
		memset(text + 5, 'h', n);
		text[5 + n] = '\0';
		assert_int_equal(fr_url_parse(text, &u, NULL),
		    n < sizeof(u.path) ? FR_OK : FR_INVALID);
	}
}

static void
parameters_are_found_and_decoded(void **state)
{
	const struct fr_span q = FR_SPAN(
	    "&&order=fifo&weigh=a%20b%26c&flag&empty=&ord%65r2=x&a=b=c&bad=%"
	    "zz&nul=%00&plus=a+b&order=second");
	char dst[8];

	(void)state;
	assert_int_equal(fr_url_param(q, "order", dst, sizeof(dst)), FR_OK);
	assert_string_equal(dst, "fifo");
	assert_int_equal(fr_url_param(q, "weigh", dst, sizeof(dst)), FR_OK);
	assert_string_equal(dst, "a b&c");
	assert_int_equal(fr_url_param(q, "flag", dst, sizeof(dst)), FR_OK);
	assert_string_equal(dst, "");
	assert_int_equal(fr_url_param(q, "empty", dst, sizeof(dst)), FR_OK);
	assert_string_equal(dst, "");
	assert_int_equal(fr_url_param(q, "order2", dst, sizeof(dst)), FR_OK);
	assert_string_equal(dst, "x");
	assert_int_equal(fr_url_param(q, "a", dst, sizeof(dst)), FR_OK);
	assert_string_equal(dst, "b=c");
	assert_int_equal(fr_url_param(q, "plus", dst, sizeof(dst)), FR_OK);
	assert_string_equal(dst, "a+b");
	assert_int_equal(fr_url_param(q, "bad", dst, sizeof(dst)), FR_SYNTAX);
	assert_int_equal(fr_url_param(q, "nul", dst, sizeof(dst)), FR_SYNTAX);
	assert_int_equal(
	    fr_url_param(q, "none", dst, sizeof(dst)), FR_NOTFOUND);
	assert_int_equal(fr_url_param(q, "weigh", dst, 5), FR_TOOBIG);
	assert_int_equal(fr_url_param(q, "weigh", dst, 6), FR_OK);
}

static void
escapes_are_decoded_within_the_room(void **state)
{
	char dst[4];

	(void)state;
	assert_int_equal(fr_url_decode(FR_SPAN("a%62c"), dst, 4), FR_OK);
	assert_string_equal(dst, "abc");
	assert_int_equal(fr_url_decode(FR_SPAN("a%62c"), dst, 3), FR_TOOBIG);
	assert_int_equal(fr_url_decode(FR_SPAN(""), dst, 1), FR_OK);
	assert_int_equal(fr_url_decode(FR_SPAN(""), dst, 0), FR_TOOBIG);
	assert_int_equal(fr_url_decode(FR_SPAN("%6"), dst, 4), FR_SYNTAX);
	assert_int_equal(fr_url_decode(FR_SPAN("%%41"), dst, 4), FR_SYNTAX);
	assert_int_equal(fr_url_decode(FR_SPAN("%FF%ff"), dst, 4), FR_OK);
	assert_string_equal(dst, "\xff\xff");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parts_of_a_url_are_found),
		cmocka_unit_test(wrong_urls_are_refused_without_their_password),
		cmocka_unit_test(long_parts_fit_or_are_refused),
		cmocka_unit_test(parameters_are_found_and_decoded),
		cmocka_unit_test(escapes_are_decoded_within_the_room),
	};

	return FR_UNIT_MAIN(tests);
}
