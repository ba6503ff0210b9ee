/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "run/fate.h"
#include "run/reply.h"
#include "tests/fuzz/lib/fuzz.h"

/*
 * What handlers write: a line of one that is kept, against jansson, and the
 * whole output of one that ends, of which only JSON may come.
 */

#define FLAGS (JSON_DECODE_ANY | JSON_ALLOW_NUL)
#define MOST 200 /* bytes of a result */

/* One of the three is there, and is what the answer says. */
static void
check_reply(struct fr_span line, const struct fr_reply *a)
{
	static const char *const names[] = { "result", "error", "progress" };
	json_t *all = json_loadb(line.p, line.len, FLAGS, NULL), *value;
	size_t i, n = 0;

	must(fr_json_check(a->value, FR_JSON_DEPTH, NULL, NULL) == FR_OK);
	if (all == NULL)
		return; /* 1e400, or deeper than jansson goes */
	for (i = 0; i < 3; i++)
		n += json_object_get(all, names[i]) != NULL;
	must(n == 1);
	value = json_loadb(a->value.p, a->value.len, FLAGS, NULL);
	must(json_equal(json_object_get(all, names[a->kind]), value));
	must(a->final == json_is_true(json_object_get(all, "final")));
	must((a->id.p != NULL) == (json_object_get(all, "id") != NULL));
	json_decref(value);
	json_decref(all);
}

static void
check_output(struct fr_span text, bool strict)
{
	struct fr_buf out, json;
	struct fr_err err = FR_ERR_INIT;
	struct fr_span value = { NULL, 0 };
	bool is_json;
	enum fr_rc rc;

	fr_buf_init(&out, 0);
	fr_buf_init(&json, 0);
	fr_buf_addspan(&out, text);
	is_json = fr_json_check(text, FR_JSON_DEPTH, &value, NULL) == FR_OK;
	rc = fr_fate_result(&out, strict, MOST, &json, &err);
	if (rc == FR_OK) {
		must(json.len <= MOST);
		must(fr_json_check(fr_buf_span(&json), FR_JSON_DEPTH, NULL,
			 NULL) == FR_OK);
		must(memchr(json.p, '\n', json.len) == NULL);
	}
	if (rc == FR_SYNTAX)
		must(!is_json && (strict || !fr_utf8_valid(text)));
	if (is_json && value.len <= MOST)
		must(rc == FR_OK);
	fr_buf_reset(&json);
	fr_fate_progress(text, &json);
	if (fr_utf8_valid(text) && text.len > 0)
		must(fr_json_check(fr_buf_span(&json), FR_JSON_DEPTH, NULL,
			 NULL) == FR_OK);
	fr_buf_fini(&out);
	fr_buf_fini(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fr_span text = { (const char *)data, size };
	char error[64];
	struct fr_reply a;

	if (fr_reply_read(text, &a)) {
		check_reply(text, &a);
		fr_reply_error(&a, error, sizeof(error));
		must(fr_utf8_valid(fr_span_of(error)));
	}
	check_output(text, false);
	check_output(text, true);
	return 0;
}
