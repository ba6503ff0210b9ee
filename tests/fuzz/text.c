/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/uuid.h"
#include "tests/fuzz/lib/fuzz.h"

/* Any bytes: shown on a terminal they are harmless, written as JSON they are
 * a string, read as an id they are one or none. */

static void
harmless(struct fr_span s)
{
	struct fr_buf b;
	size_t i;

	fr_buf_init(&b, 0);
	fr_str_visible(&b, s, false);
	must(fr_buf_ok(&b) && fr_utf8_valid(fr_buf_span(&b)));
	for (i = 0; i < b.len; i++) {
		must((unsigned char)b.p[i] >= 0x20 && b.p[i] != 0x7f);
		if ((unsigned char)b.p[i] == 0xc2)
			must((unsigned char)b.p[i + 1] >= 0xa0);
	}
	fr_buf_fini(&b);
}

static void
as_string(struct fr_span s)
{
	const bool valid = fr_utf8_valid(s);
	struct fr_buf b;
	size_t len;

	fr_buf_init(&b, 0);
	fr_jsonw_str(&b, s);
	must(fr_buf_ok(&b));
	must(fr_json_check(fr_buf_span(&b), 0, NULL, NULL) == FR_OK);
	len = fr_json_unescape(b.p, fr_buf_span(&b));
	must(!valid || (len == s.len && memcmp(b.p, s.p, len) == 0));
	fr_buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fr_span s = { (const char *)data, size };
	char text[FR_UUID_TEXT], hex[33];
	struct fr_uuid id, again;

	harmless(s);
	as_string(s);
	if (fr_uuid_parse(s, &id)) {
		fr_uuid_format(text, &id);
		must(fr_uuid_parse(fr_span_of(text), &again));
		must(fr_uuid_eq(&id, &again));
		must(fr_uuid_prefix(s, hex) && strlen(hex) == 32);
	}
	return 0;
}
