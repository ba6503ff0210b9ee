/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <fr/job.h>

#include "base/str.h"
#include "tests/unit/unit.h"

static void
every_state_and_event_is_found_by_its_name(void **state)
{
	enum fr_event_kind k;
	enum fr_state s;
	int i;

	(void)state;
	for (i = 0; i < FR_STATES; i++) {
		assert_true(fr_state_parse(
		    fr_span_of(fr_state_name((enum fr_state)i)), &s));
		assert_int_equal(s, i);
	}
	for (i = 0; i < FR_EVENTS; i++) {
		assert_true(fr_event_parse(
		    fr_span_of(fr_event_name((enum fr_event_kind)i)), &k));
		assert_int_equal(k, i);
	}
	assert_string_equal(fr_state_name((enum fr_state)99), "?");
	assert_string_equal(fr_event_name((enum fr_event_kind)99), "?");
	assert_false(fr_state_parse(FR_SPAN("Queued"), &s));
	assert_false(fr_state_parse(FR_SPAN(""), &s));
	assert_false(fr_event_parse(FR_SPAN("count failed"), &k));
}

static void
the_last_three_states_have_ended(void **state)
{
	(void)state;
	assert_false(fr_state_ended(FR_STATE_SCHEDULED));
	assert_false(fr_state_ended(FR_STATE_QUEUED));
	assert_false(fr_state_ended(FR_STATE_RUNNING));
	assert_true(fr_state_ended(FR_STATE_COMPLETE));
	assert_true(fr_state_ended(FR_STATE_FAILED));
	assert_true(fr_state_ended(FR_STATE_CANCELLED));
}

static void
a_type_is_1_to_64_letters_of_few_kinds(void **state)
{
	char name[FR_TYPE_MAX + 1];
	size_t i;

	(void)state;
	memset(name, 'x', sizeof(name));
	assert_false(fr_type_valid((struct fr_span){ name, 0 }));
	assert_true(fr_type_valid((struct fr_span){ name, 1 }));
	assert_true(fr_type_valid((struct fr_span){ name, FR_TYPE_MAX }));
	assert_false(fr_type_valid((struct fr_span){ name, FR_TYPE_MAX + 1 }));
	assert_true(fr_type_valid(FR_SPAN("Aa0_.-z")));
	assert_true(fr_type_valid(FR_SPAN("...")));
	assert_false(fr_type_valid(FR_SPAN(".")));
	assert_false(fr_type_valid(FR_SPAN("..")));
	assert_false(fr_type_valid(FR_SPAN("a/b")));
	for (i = 0; i < 256; i++) {
		name[0] = (char)i;
		assert_int_equal(fr_type_valid((struct fr_span){ name, 2 }),
		    i != 0 &&
			strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
			       "uvwxyz0123456789_.-",
			    (int)i) != NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_and_event_is_found_by_its_name),
		cmocka_unit_test(the_last_three_states_have_ended),
		cmocka_unit_test(a_type_is_1_to_64_letters_of_few_kinds),
	};

	return FR_UNIT_MAIN(tests);
}
