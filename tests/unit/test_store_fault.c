/* SPDX-License-Identifier: MIT */
#include "store_unit.h"

/* The store that fails on purpose: its rules, and what it leaves behind. */

static void
open_with(struct fixture *f, const char *rules)
{
	char args[300];

	f->s->ops->close(f->s);
	f->s = NULL;
	assert_true(
	    fr_str_format(args, sizeof(args), "%s?fail=%s", f->url, rules));
	if (fr_store_fault.open(&f->s, args, 0, &f->err) != FR_OK)
		fail_msg("%s", f->err.msg);
}

static void
the_nth_call_fails_once(void **state)
{
	struct fixture *f = *state;

	open_with(f, "begin:2:again");
	create_n(f, 1, 1);
	assert_int_equal(f->s->ops->begin(f->s, &f->err), FR_AGAIN);
	create_n(f, 2, 1);
	assert_non_null(get(f, 2));
}

static void
all_calls_from_the_nth_on_fail(void **state)
{
	struct fixture *f = *state;
	int64_t a, b;

	open_with(f, "next_due:2+");
	assert_int_equal(f->s->ops->next_due(f->s, &a, &b, NULL), FR_OK);
	assert_int_equal(f->s->ops->next_due(f->s, &a, &b, NULL), FR_IO);
	assert_int_equal(f->s->ops->next_due(f->s, &a, &b, NULL), FR_IO);
}

static void
a_commit_that_is_not_made_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct fr_job job = job_of(1);

	open_with(f, "commit:1:no-space");
	begin(f);
	assert_int_equal(create_in(f, &job, NULL), FR_OK);
	assert_int_equal(f->s->ops->commit(f->s, &f->err), FR_NOSPACE);
	assert_int_equal(f->err.rc, FR_NOSPACE);
	assert_null(get(f, 1));
	create_n(f, 1, 1);
	assert_non_null(get(f, 1));
}

static void
a_commit_can_be_made_and_denied(void **state)
{
	struct fixture *f = *state;
	struct fr_job job = job_of(1);

	open_with(f, "commit:1:unknown:done,get:2:no-memory");
	begin(f);
	assert_int_equal(create_in(f, &job, NULL), FR_OK);
	assert_int_equal(f->s->ops->commit(f->s, &f->err), FR_UNKNOWN);
	assert_non_null(get(f, 1));
	assert_int_equal(
	    f->s->ops->get(f->s, &job.id, 1, keep_row, f, NULL), FR_NOMEM);
}

static void
a_wrong_rule_is_refused(void **state)
{
	static const char *const wrong[] = { "", "commit", "commit:0",
		"commit:x", "commit:1:nonsense", "commit:1:io:done:more", ":1",
		"commit:1,," };
	struct fixture *f = *state;
	struct fr_store *s = NULL;
	char args[200];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (wrong[i][0] == '\0')
			continue;
		assert_true(fr_str_format(
		    args, sizeof(args), "memory:x?fail=%s", wrong[i]));
		assert_int_equal(
		    fr_store_fault.open(&s, args, 0, &f->err), FR_USAGE);
	}
	assert_int_equal(
	    fr_store_fault.open(&s, "nowhere:x", 0, &f->err), FR_USAGE);
}

#define CASE(c)                                                                \
	{ "memory: " #c, c, setup_memory, teardown, NULL },                    \
	{                                                                      \
		"sqlite: " #c, c, setup_sqlite, teardown, NULL                 \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_nth_call_fails_once),
		CASE(all_calls_from_the_nth_on_fail),
		CASE(a_commit_that_is_not_made_leaves_nothing),
		CASE(a_commit_can_be_made_and_denied),
		CASE(a_wrong_rule_is_refused),
	};

	return FR_UNIT_MAIN(tests);
}
