/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "run/chain.h"
#include "tests/fuzz/lib/fuzz.h"

/* A result laid over data, against jansson: two JSON values, one a line. */

#define FLAGS (JSON_DECODE_ANY | JSON_ALLOW_NUL)

/* What it must come to, or NULL if jansson cannot represent it. */
static json_t *
expect(struct fr_span data, struct fr_span result)
{
	json_t *d = json_loadb(data.p, data.len, FLAGS, NULL);
	json_t *r = json_loadb(result.p, result.len, FLAGS, NULL);
	json_t *all = NULL;

	if (d != NULL && r != NULL) {
		all = json_is_object(d) ? json_incref(d) : json_object();
		if (json_is_object(r))
			must(json_object_update(all, r) == 0);
		else
			must(json_object_set(all, "result", r) == 0);
	}
	json_decref(d);
	json_decref(r);
	return all;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	const char *nl = size > 0 ? memchr(p, '\n', size) : NULL;
	struct fr_span d, r;
	struct fr_buf out;
	json_t *want, *got;

	if (nl == NULL)
		return 0;
	d = (struct fr_span){ p, (size_t)(nl - p) };
	r = (struct fr_span){ nl + 1, size - d.len - 1 };
	if (fr_json_check(d, 32, &d, NULL) != FR_OK ||
	    fr_json_check(r, 32, &r, NULL) != FR_OK)
		return 0;
	fr_buf_init(&out, 0);
	must(fr_chain_merge(&out, d, r));
	must(fr_json_check(fr_buf_span(&out), 33, NULL, NULL) == FR_OK);
	want = expect(d, r);
	if (want != NULL) {
		got = json_loadb(out.p, out.len, FLAGS, NULL);
		must(got != NULL && json_equal(want, got));
		json_decref(got);
	}
	json_decref(want);
	fr_buf_fini(&out);
	return 0;
}
