/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "tests/fuzz/lib/fuzz.h"

/*
 * The scanner against jansson. Both must accept and reject the same texts,
 * but for what jansson cannot represent: numbers beyond a double, lone
 * surrogates, and NUL in a key, and that a NUL byte outside of strings is the
 * end of the text for it. What both accept must hold the same values.
 */

#define DEPTH 100

static bool
only_jansson_minds(const json_error_t *e)
{
	return json_error_code(e) == json_error_numeric_overflow ||
	       json_error_code(e) == json_error_null_byte_in_key ||
	       strncmp(e->text, "invalid Unicode '", 17) == 0;
}

static void
same_string(struct fr_span token, const json_t *j)
{
	char *text = malloc(token.len);
	struct fr_span s = { text, 0 };
	struct fr_buf again;

	must(text != NULL);
	s.len = fr_json_unescape(text, token);
	must(s.len == json_string_length(j));
	must(memcmp(text, json_string_value(j), s.len) == 0);
	must(fr_utf8_valid(s));
	if (memchr(text, '\0', s.len) == NULL)
		must(fr_json_string_is(token, json_string_value(j)));
	fr_buf_init(&again, 0);
	fr_jsonw_escape(&again, s);
	must(fr_buf_ok(&again));
	must(fr_json_check(fr_buf_span(&again), 1, NULL, NULL) == FR_OK);
	must(fr_json_unescape(again.p, fr_buf_span(&again)) == s.len);
	must(memcmp(again.p, text, s.len) == 0);
	fr_buf_fini(&again);
	free(text);
}

static void
same_number(struct fr_span token, const json_t *j)
{
	int64_t v;
	enum fr_rc rc;

	rc = fr_json_i64(token, INT64_MIN, INT64_MAX, &v);
	if (json_is_integer(j))
		must(rc == FR_OK && v == json_integer_value(j));
	else if (rc == FR_OK)
		must((double)v == json_real_value(j));
	if (fr_json_seconds(token, 0, 1000000, &v) == FR_OK) {
		must((double)v / 1000 >= json_number_value(j) - 1e-9);
		must((double)v / 1000 < json_number_value(j) + 0.001 + 1e-9);
	}
}

static void
same_value(struct fr_span value, const json_t *j)
{
	struct fr_json_iter it;
	struct fr_span k, v;
	const char *key;
	json_t *sub;
	size_t n = 0;

	switch (fr_json_type(value)) {
	case FR_JSON_NULL:
		must(json_is_null(j));
		break;
	case FR_JSON_FALSE:
		must(json_is_false(j));
		break;
	case FR_JSON_TRUE:
		must(json_is_true(j));
		break;
	case FR_JSON_NUMBER:
		must(json_is_number(j));
		same_number(value, j);
		break;
	case FR_JSON_STRING:
		must(json_is_string(j));
		same_string(value, j);
		break;
	case FR_JSON_ARRAY:
		must(json_is_array(j));
		for (it = fr_json_iter(value); fr_json_element(&it, &v); n++)
			same_value(v, json_array_get(j, n));
		must(n == json_array_size(j));
		break;
	case FR_JSON_OBJECT:
		must(json_is_object(j));
		for (it = fr_json_iter(value); fr_json_member(&it, &k, &v); n++)
			must(fr_json_type(k) == FR_JSON_STRING);
		must(n >= json_object_size(j)); /* keys may be there twice */
		must((n == 0) == (json_object_size(j) == 0));
		json_object_foreach((json_t *)(uintptr_t)j, key, sub)
		    same_value(fr_json_get(value, key), sub);
		break;
	}
}

static void
compact(struct fr_span value)
{
	char *dst = malloc(value.len), *again = malloc(value.len);
	struct fr_span s = { dst, 0 };
	size_t len;

	must(dst != NULL && again != NULL);
	s.len = fr_json_compact(dst, value);
	must(s.len <= value.len);
	must(fr_json_check(s, DEPTH, NULL, NULL) == FR_OK);
	must(fr_json_same(s, value) && fr_json_same(value, s));
	must(fr_json_compact(again, s) == s.len);
	must(memcmp(again, dst, s.len) == 0);
	/* In place, too. */
	memcpy(again, value.p, value.len);
	len = fr_json_compact(again, (struct fr_span){ again, value.len });
	must(len == s.len && memcmp(again, dst, len) == 0);
	free(dst);
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fr_span s = { (const char *)data, size };
	struct fr_err err = FR_ERR_INIT;
	struct fr_span value = { NULL, 0 };
	json_error_t e;
	enum fr_rc rc;
	json_t *j;

	rc = fr_json_check(s, DEPTH, &value, &err);
	if (rc == FR_TOOBIG)
		return 0;
	if (rc == FR_OK)
		must(value.p >= s.p && value.p + value.len <= s.p + s.len);
	else
		must(rc == FR_SYNTAX && err.rc == rc && err.msg[0] != '\0');
	j = json_loadb(s.p, s.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	if (rc != FR_OK) {
		must(j == NULL || memchr(data, '\0', size) != NULL);
	} else if (j != NULL) {
		same_value(value, j);
	} else
		must(only_jansson_minds(&e));
	if (rc == FR_OK)
		compact(value);
	json_decref(j);
	return 0;
}
