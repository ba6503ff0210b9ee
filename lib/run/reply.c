/* SPDX-License-Identifier: MIT */
#include "run/reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

bool
fr_reply_read(struct fr_span line, struct fr_reply *a)
{
	struct fr_json_iter it;
	struct fr_span object, key, value;
	bool known = false;

	memset(a, 0, sizeof(*a));
	if (fr_json_check(line, FR_JSON_DEPTH + 1, &object, NULL) != FR_OK ||
	    fr_json_type(object) != FR_JSON_OBJECT)
		return false;
	it = fr_json_iter(object);
	while (fr_json_member(&it, &key, &value)) {
		if (fr_json_string_is(key, "result"))
			a->kind = FR_REPLY_RESULT;
		else if (fr_json_string_is(key, "error"))
			a->kind = FR_REPLY_ERROR;
		else if (fr_json_string_is(key, "progress"))
			a->kind = FR_REPLY_PROGRESS;
		else {
			if (fr_json_string_is(key, "id"))
				a->id = value;
			else if (fr_json_string_is(key, "final"))
				a->final = fr_json_type(value) == FR_JSON_TRUE;
			continue;
		}
		if (known)
			return false; /* two of them: which one counts? */
		known = true;
		a->value = value;
	}
	return known;
}

void
fr_reply_error(const struct fr_reply *a, char *dst, size_t size)
{
	struct fr_span text = a->value;
	char *plain = NULL;

	if (fr_json_type(text) == FR_JSON_STRING) {
		plain = malloc(text.len);
		text.len = plain == NULL ? 0 : fr_json_unescape(plain, text);
		text.p = plain;
	}
	if (text.len >= size) {
		text.len = size - 1;
		text.len = fr_utf8_prefix(text);
	}
	(void)fr_str_copy(dst, size, text);
	free(plain);
}
