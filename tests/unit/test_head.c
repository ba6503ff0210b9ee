/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/str.h"
#include "tests/unit/unit.h"
#include "wire/head.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static int
status_of(const char *text, struct fr_head *h)
{
	struct fr_span in = fr_span_of(text);
	size_t scan = 0, len = 0;
	int status = 0;

	if (fr_head_find(in, 4096, &scan, &len, NULL) != FR_OK)
		return -1;
	if (fr_head_parse((struct fr_span){ in.p, len }, h, &status, NULL) ==
	    FR_OK)
		return 200;
	return status;
}

static void
a_head_gives_what_matters(void **state)
{
	struct fr_head h;

	(void)state;
	assert_int_equal(
	    status_of("POST /v1/jobs?a=b?c HTTP/1.1\r\nhost:x:1\r\n"
		      "CONTENT-LENGTH:  12\t\r\nContent-Type: a/b\r\n"
		      "Accept: */*\r\nAuthorization: Bearer t\r\n"
		      "Last-Event-ID: 7\r\nExpect: 100-Continue\r\n\r\n",
		&h),
	    200);
	assert_true(fr_span_is(h.method, "POST"));
	assert_true(fr_span_is(h.path, "/v1/jobs"));
	assert_true(fr_span_is(h.query, "a=b?c"));
	assert_true(fr_span_is(h.host, "x:1"));
	assert_true(fr_span_is(h.content_type, "a/b"));
	assert_true(fr_span_is(h.accept, "*/*"));
	assert_true(fr_span_is(h.authorization, "Bearer t"));
	assert_true(fr_span_is(h.last_event_id, "7"));
	assert_true(h.keep && h.expects && h.has_length && !h.chunked);
	assert_int_equal(h.length, 12);
}

static void
connections_are_kept_as_the_version_says(void **state)
{
	static const struct {
		const char *text;
		bool keep;
	} v[] = {
		{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nHost: x\r\nConnection: CLOSE\r\n\r\n",
		    false },
		{ "GET / HTTP/1.1\r\nHost: x\r\nConnection: a ,close\r\n\r\n",
		    false },
		{ "GET / HTTP/1.1\r\nHost: x\r\nConnection: closed\r\n\r\n",
		    true },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
		    false },
	};
	struct fr_head h;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(v); i++) {
		assert_int_equal(status_of(v[i].text, &h), 200);
		assert_int_equal(h.keep, v[i].keep);
	}
}

static void
a_whole_url_is_split(void **state)
{
	static const struct {
		const char *target, *path, *query;
	} v[] = {
		{ "http://h/a/b?c", "/a/b", "c" },
		{ "HTTP://h:1", "/", "" },
		{ "http://h?q=1", "/", "q=1" },
		{ "/?", "/", "" },
		{ "//", "//", "" },
	};
	char text[200];
	struct fr_head h;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(v); i++) {
		assert_true(fr_str_format(text, sizeof(text),
		    "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", v[i].target));
		assert_int_equal(status_of(text, &h), 200);
		assert_true(fr_span_is(h.path, v[i].path));
		assert_true(fr_span_is(h.query, v[i].query));
	}
}

static void
the_end_of_a_head_is_found_only_when_it_is_there(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\nrest";
	const size_t end = sizeof(text) - 5;
	size_t n, scan = 0, len = 0;

	(void)state;
	for (n = 1; n < end; n++)
		assert_int_equal(fr_head_find((struct fr_span){ text, n }, 100,
				     &scan, &len, NULL),
		    FR_AGAIN);
	assert_int_equal(fr_head_find((struct fr_span){ text, end + 4 }, 100,
			     &scan, &len, NULL),
	    FR_OK);
	assert_int_equal(len, end);
}

static void
a_head_may_be_as_long_as_the_limit(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	const struct fr_span in = { text, sizeof(text) - 1 };
	size_t scan = 0, len = 0;

	(void)state;
	assert_int_equal(fr_head_find(in, in.len, &scan, &len, NULL), FR_OK);
	scan = 0;
	assert_int_equal(
	    fr_head_find(in, in.len - 1, &scan, &len, NULL), FR_TOOBIG);
	scan = 0;
	assert_int_equal(
	    fr_head_find(in, in.len + 1, &scan, &len, NULL), FR_OK);
}

static void
chunks_become_a_body(void **state)
{
	static const char text[] =
	    "3\r\nabc\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\nT: r\r\n\r\nnext";
	struct fr_chunked c = { 0 };
	struct fr_buf b;
	size_t used;

	(void)state;
	fr_buf_init(&b, 13);
	assert_int_equal(
	    fr_chunked_feed(&c, (struct fr_span){ text, sizeof(text) - 1 },
		&used, &b, NULL),
	    FR_OK);
	assert_int_equal(used, sizeof(text) - 5);
	assert_true(fr_span_is(fr_buf_span(&b), "abc0123456789"));
	fr_buf_fini(&b);
	fr_buf_init(&b, 12);
	memset(&c, 0, sizeof(c));
	assert_int_equal(
	    fr_chunked_feed(&c, (struct fr_span){ text, sizeof(text) - 1 },
		&used, &b, NULL),
	    FR_TOOBIG);
	fr_buf_fini(&b);
}

static void
what_is_no_chunk_is_refused(void **state)
{
	static const char *const bad[] = { "\r\n", "g\r\n", " 1\r\n", "1\n",
		"1 \r\n", "-1\r\n", "0x1\r\n", "1\r\nab", "1\r\na\n", "1\ra",
		"0\r\n\n", "0\r\nX\n", "1;\n\r\n", "1000000000000000\r\n" };
	struct fr_buf b;
	size_t i, used;

	(void)state;
	fr_buf_init(&b, 100);
	for (i = 0; i < LEN(bad); i++) {
		struct fr_chunked c = { 0 };

		assert_int_equal(
		    fr_chunked_feed(&c, fr_span_of(bad[i]), &used, &b, NULL),
		    FR_SYNTAX);
	}
	fr_buf_fini(&b);
}

static void
chunk_extensions_do_not_go_on_for_ever(void **state)
{
	struct fr_chunked c = { 0 };
	struct fr_buf b;
	size_t i, used;
	enum fr_rc rc = FR_AGAIN;

	(void)state;
	fr_buf_init(&b, 100);
	rc = fr_chunked_feed(&c, FR_SPAN("1;"), &used, &b, NULL);
	for (i = 0; rc == FR_AGAIN && i < 100000; i++)
		rc = fr_chunked_feed(&c, FR_SPAN("x"), &used, &b, NULL);
	assert_int_equal(rc, FR_SYNTAX);
	fr_buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_gives_what_matters),
		cmocka_unit_test(connections_are_kept_as_the_version_says),
		cmocka_unit_test(a_whole_url_is_split),
		cmocka_unit_test(
		    the_end_of_a_head_is_found_only_when_it_is_there),
		cmocka_unit_test(a_head_may_be_as_long_as_the_limit),
		cmocka_unit_test(chunks_become_a_body),
		cmocka_unit_test(what_is_no_chunk_is_refused),
		cmocka_unit_test(chunk_extensions_do_not_go_on_for_ever),
	};

	return FR_UNIT_MAIN(tests);
}
