/* SPDX-License-Identifier: MIT */
#include "cmd/shared/judge.h"

#include <stdio.h>

#include "base/time.h"

void
judge_defaults(struct judge *j)
{
	j->seed = fr_time_wall_ms() % 1000000;
}

static void
flush(struct fr_buf *tap)
{
	(void)fwrite(tap->p, 1, tap->len, stdout);
	(void)fflush(stdout);
	fr_buf_reset(tap);
}

int
judge_list(void (*names)(struct fr_buf *out))
{
	struct fr_buf b;

	fr_buf_init(&b, 0);
	names(&b);
	flush(&b);
	fr_buf_fini(&b);
	return fr_finish(FR_OK);
}

int
judge_run(const struct judge *j, struct fr_conform *run,
    enum fr_rc (*checks)(const struct fr_conform *, struct fr_err *))
{
	struct fr_err err = FR_ERR_INIT;
	enum fr_rc rc;

	run->only = j->only;
	run->seed = (uint64_t)j->seed;
	run->flush = flush;
	rc = checks(run, &err);
	if (rc == FR_JOBFAILED)
		fr_warnf("%s; the seed was %lld", err.msg, (long long)j->seed);
	else if (rc != FR_OK)
		fr_warn(&err);
	/* 1 is kept for checks that failed. */
	if (rc != FR_JOBFAILED && fr_exit_status(rc) == 1)
		rc = FR_IO;
	return fr_finish(rc);
}
