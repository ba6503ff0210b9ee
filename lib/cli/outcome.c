/* SPDX-License-Identifier: MIT */
#include "cli/outcome.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"

void
fr_outcome_result(struct fr_span json, bool raw)
{
	const bool tty = fr_tty(STDOUT_FILENO);
	struct fr_buf text, safe;

	fr_buf_init(&text, 0);
	fr_buf_init(&safe, 0);
	if (json.len == 0)
		fr_buf_adds(&text, "null");
	else if (raw)
		fr_jsonw_text(&text, json);
	else
		fr_buf_addspan(&text, json);
	fr_buf_addc(&text, '\n');
	if (tty)
		fr_str_visible(&safe, fr_buf_span(&text), true);
	if (!fr_buf_ok(&text) || !fr_buf_ok(&safe))
		fr_warnf("out of memory for the result");
	else
		(void)fwrite(tty ? safe.p : text.p, 1,
		    tty ? safe.len : text.len, stdout);
	fr_buf_fini(&safe);
	fr_buf_fini(&text);
}

void
fr_outcome_error(const char *id, enum fr_state state, struct fr_span error)
{
	struct fr_buf text, safe;

	fr_buf_init(&text, 0);
	fr_buf_init(&safe, 0);
	fr_jsonw_text(&text, error);
	fr_str_visible(&safe, fr_buf_span(&text), true);
	(void)fflush(stdout);
	/* Not fr_warnf: it may be long. */
	(void)fprintf(stderr, "%s: job %s %s%s%s%s\n", fr_prog_name(), id,
	    state == FR_STATE_FAILED      ? ""
	    : state == FR_STATE_CANCELLED ? "was "
					  : "is ",
	    fr_state_name(state), safe.len > 0 ? ": " : "", fr_buf_cstr(&safe));
	fr_buf_fini(&safe);
	fr_buf_fini(&text);
}

int64_t
fr_outcome_until(
    const struct fr_prog *prog, const char *option, const struct fr_maybe *time)
{
	int64_t ms;

	if (time->value == NULL)
		return -1;
	if (fr_str_duration(fr_span_of(time->value), &ms) != FR_OK)
		fr_usage(prog,
		    "%s: `%s` is not a duration (90, 1.5s, 15m, 2h, 7d)",
		    option, time->value);
	return fr_time_mono_ms() + ms;
}
