/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "client/sse.h"
#include "tests/unit/unit.h"

/* What came out: "event|id|data;" for each. */
struct seen {
	struct fr_buf b;
	size_t n, enough;
};

static bool
note(void *arg, struct fr_span event, struct fr_span id, struct fr_span data)
{
	struct seen *s = arg;

	fr_buf_addspan(&s->b, event);
	fr_buf_addc(&s->b, '|');
	fr_buf_addspan(&s->b, id);
	fr_buf_addc(&s->b, '|');
	fr_buf_addspan(&s->b, data);
	fr_buf_addc(&s->b, ';');
	return ++s->n != s->enough;
}

/* Feeds text in pieces of every size: what comes out is always the same. */
static void
gives(const char *text, size_t len, const char *want)
{
	struct fr_err err = FR_ERR_INIT;
	struct seen seen;
	struct fr_sse sse;
	size_t step, i, n;

	for (step = 1; step <= len; step++) {
		memset(&seen, 0, sizeof(seen));
		fr_buf_init(&seen.b, 0);
		fr_sse_init(&sse, 1000);
		for (i = 0; i < len; i += n) {
			n = step < len - i ? step : len - i;
			assert_int_equal(
			    fr_sse_feed(&sse, (struct fr_span){ text + i, n },
				note, &seen, &err),
			    FR_OK);
		}
		if (strcmp(fr_buf_cstr(&seen.b), want) != 0)
			fail_msg("pieces of %zu: \"%s\", not \"%s\"", step,
			    fr_buf_cstr(&seen.b), want);
		fr_sse_fini(&sse);
		fr_buf_fini(&seen.b);
	}
}
#define GIVES(text, want) gives(text, sizeof(text) - 1, want)

static void
an_event_ends_with_an_empty_line(void **state)
{
	(void)state;
	GIVES("data: a\n\n", "message||a;");
	GIVES("event: complete\nid: 7\ndata: {\"a\":1}\n\n",
	    "complete|7|{\"a\":1};");
	GIVES("data: a\n\ndata: b\n\n", "message||a;message||b;");
}

static void
an_unfinished_event_is_not_given(void **state)
{
	(void)state;
	GIVES("data: a\n", "");
	GIVES("data: a\n\ndata: b\n", "message||a;");
}

static void
any_of_the_three_line_ends_will_do(void **state)
{
	(void)state;
	GIVES("data: a\r\n\r\ndata: b\r\n\r\n", "message||a;message||b;");
	GIVES("data: a\r\rdata: b\r\r", "message||a;message||b;");
	GIVES("data: a\r\n\ndata: b\n\r\n", "message||a;message||b;");
}

static void
data_of_several_lines_is_joined(void **state)
{
	(void)state;
	GIVES("data: a\ndata\ndata:b\n\n", "message||a\n\nb;");
}

static void
an_id_stays_until_the_next_one(void **state)
{
	(void)state;
	GIVES("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
	    "message|1|a;message|1|b;message||c;");
	GIVES("id: 1\ndata: a\n\nid: x\0y\ndata: b\n\n",
	    "message|1|a;message|1|b;");
}

static void
comments_and_unknown_fields_are_skipped(void **state)
{
	(void)state;
	GIVES(": still here\n\nother: x\ndata: a\n:\n\n", "message||a;");
	GIVES("event: nothing\n\ndata: a\n\n", "message||a;");
}

static void
only_one_space_goes(void **state)
{
	(void)state;
	GIVES("data:  a \n\n", "message|| a ;");
}

static void
a_byte_order_mark_goes_at_the_beginning_only(void **state)
{
	(void)state;
	GIVES("\xef\xbb\xbf"
	      "data: a\n\n\xef\xbb\xbf"
	      "data: b\n\n",
	    "message||a;");
}

static void
a_long_event_is_refused(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	struct seen seen;
	struct fr_sse sse;
	enum fr_rc rc = FR_OK;
	int i;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	fr_buf_init(&seen.b, 0);
	fr_sse_init(&sse, 100);
	for (i = 0; i < 50 && rc == FR_OK; i++)
		rc = fr_sse_feed(
		    &sse, FR_SPAN("data: abc\n"), note, &seen, &err);
	assert_int_equal(rc, FR_TOOBIG);
	assert_in_range(i, 20, 30);
	fr_sse_fini(&sse);
	fr_buf_fini(&seen.b);
}

static void
the_receiver_can_end_it(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	struct seen seen = { .n = 0, .enough = 1 };
	struct fr_sse sse;

	(void)state;
	fr_buf_init(&seen.b, 0);
	fr_sse_init(&sse, 100);
	assert_int_equal(fr_sse_feed(&sse, FR_SPAN("data: a\n\ndata: b\n\n"),
			     note, &seen, &err),
	    FR_TIMEOUT);
	assert_int_equal(seen.n, 1);
	fr_sse_fini(&sse);
	fr_buf_fini(&seen.b);
}

static void
a_new_connection_forgets_all_but_the_id(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	struct seen seen = { .n = 0 };
	struct fr_sse sse;

	(void)state;
	fr_buf_init(&seen.b, 0);
	fr_sse_init(&sse, 100);
	assert_int_equal(
	    fr_sse_feed(&sse,
		FR_SPAN("retry: 250\nid: 5\ndata: x\n\nid: 6\ndata: lost\nda"),
		note, &seen, &err),
	    FR_OK);
	fr_sse_restart(&sse);
	assert_int_equal(
	    fr_sse_feed(&sse, FR_SPAN("data: a\n\n"), note, &seen, &err),
	    FR_OK);
	assert_string_equal(fr_buf_cstr(&seen.b), "message|5|x;message|5|a;");
	assert_int_equal(sse.retry_ms, 250);
	fr_sse_fini(&sse);
	fr_buf_fini(&seen.b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_ends_with_an_empty_line),
		cmocka_unit_test(an_unfinished_event_is_not_given),
		cmocka_unit_test(any_of_the_three_line_ends_will_do),
		cmocka_unit_test(data_of_several_lines_is_joined),
		cmocka_unit_test(an_id_stays_until_the_next_one),
		cmocka_unit_test(comments_and_unknown_fields_are_skipped),
		cmocka_unit_test(only_one_space_goes),
		cmocka_unit_test(a_byte_order_mark_goes_at_the_beginning_only),
		cmocka_unit_test(a_long_event_is_refused),
		cmocka_unit_test(the_receiver_can_end_it),
		cmocka_unit_test(a_new_connection_forgets_all_but_the_id),
	};

	return FR_UNIT_MAIN(tests);
}
