/* SPDX-License-Identifier: MIT */
#include "wire/put.h"

#include "base/jsonw.h"
#include "base/uuid.h"

void
fr_put_uuid(struct fr_buf *b, const struct fr_uuid *id)
{
	char text[FR_UUID_TEXT + 2];

	text[0] = '"';
	fr_uuid_format(text + 1, id);
	text[FR_UUID_TEXT] = '"';
	fr_jsonw_raw(b, (struct fr_span){ text, FR_UUID_TEXT + 1 });
}

void
fr_put_id(struct fr_buf *b, const char *key, const struct fr_uuid *id)
{
	fr_jsonw_key(b, key);
	fr_put_uuid(b, id);
}

void
fr_put_token(struct fr_buf *b, const char *key, const struct fr_token *t)
{
	char text[FR_TOKEN_TEXT + 2];

	text[0] = '"';
	fr_token_format(text + 1, t);
	text[FR_TOKEN_TEXT] = '"';
	fr_jsonw_key(b, key);
	fr_jsonw_raw(b, (struct fr_span){ text, FR_TOKEN_TEXT + 1 });
}

void
fr_put_text(struct fr_buf *b, const char *key, struct fr_span text)
{
	fr_jsonw_key(b, key);
	if (text.len == 0)
		fr_jsonw_null(b);
	else
		fr_jsonw_str(b, text);
}

void
fr_put_raw(struct fr_buf *b, const char *key, struct fr_span value)
{
	fr_jsonw_key(b, key);
	if (value.len == 0)
		fr_jsonw_null(b);
	else
		fr_jsonw_raw(b, value);
}

void
fr_put_i64(struct fr_buf *b, const char *key, int64_t v)
{
	fr_jsonw_key(b, key);
	fr_jsonw_i64(b, v);
}

void
fr_put_seconds(struct fr_buf *b, const char *key, int64_t ms)
{
	fr_jsonw_key(b, key);
	if (ms == 0)
		fr_jsonw_null(b);
	else
		fr_jsonw_seconds(b, ms);
}

void
fr_put_time(struct fr_buf *b, const char *key, int64_t wall_ms)
{
	fr_jsonw_key(b, key);
	fr_jsonw_time(b, wall_ms);
}
