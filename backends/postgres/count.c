/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/str.h"

/*
 * What a transaction changes is added up here and written with its COMMIT,
 * in one statement for all types. Each handle adds to one shard of the
 * counters, and the row is locked only while the commit lasts.
 *
 * The news are one NOTIFY a transaction: who sends them, and then entries
 * ";KIND TYPE ID" as far as they fit. Where there are many of a kind the
 * rest is one entry without an id; an entry "!" says that some did not fit.
 */

#define NEWS_BYTES 7600 /* Postgres takes fewer than 8000 */
#define TYPES_KEPT 4096

struct counted {
	char type[FR_TYPE_MAX + 1];
	int64_t change[FR_STATES];
	unsigned told[FR_NEWS_PAUSE + 1];
};

static struct counted *
counted(struct fr_pg *s, struct fr_span type)
{
	struct counted *c = fr_map_get(s->types, type);

	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	if (!fr_str_copy(c->type, sizeof(c->type), type) ||
	    !fr_map_put(s->types, type, c)) {
		free(c);
		return NULL;
	}
	return c;
}

enum fr_rc
fr_pg_count(struct fr_pg *s, struct fr_span type, int from, int to, int64_t n,
    struct fr_err *err)
{
	struct counted *c = counted(s, type);

	if (c == NULL)
		return fr_fail(err, FR_NOMEM, "count jobs: out of memory");
	if (from != FR_PG_NOWHERE)
		c->change[from] -= n;
	if (to != FR_PG_NOWHERE)
		c->change[to] += n;
	return FR_OK;
}

static unsigned
most_told(enum fr_event_kind kind)
{
	switch (kind) {
	case FR_EVENT_STAGED:
	case FR_EVENT_PROGRESS:
		return 12;
	case FR_EVENT_CREATED:
	case FR_EVENT_COUNT_FAILED:
		return 24;
	case FR_EVENT_COMPLETE:
	case FR_EVENT_FAILED:
	case FR_EVENT_CANCELLED:
		break;
	}
	return 96;
}

void
fr_pg_tell(struct fr_pg *s, enum fr_event_kind kind, struct fr_span type,
    const struct fr_uuid *id)
{
	struct counted *c = counted(s, type);
	const unsigned most = most_told(kind);
	char hex[2 * sizeof(id->b)];

	if (c == NULL || s->news.len > NEWS_BYTES - 256) {
		s->news_dropped = true;
		return;
	}
	if (c->told[kind] > most)
		return;
	if (id == NULL)
		c->told[kind] = most;
	fr_buf_addf(&s->news, ";%d %s ", (int)kind, c->type);
	if (c->told[kind]++ < most) {
		fr_hex_encode(hex, id->b, sizeof(id->b));
		fr_buf_add(&s->news, hex, sizeof(hex));
	}
}

void
fr_pg_tell_send(struct fr_pg *s)
{
	struct fr_pg_args a = { .n = 0 };
	char text[NEWS_BYTES + 64];

	if (s->news.len == 0 && !s->news_dropped)
		return;
	if (!fr_buf_ok(&s->news) ||
	    !fr_str_format(text, sizeof(text), "%016llx%.*s%s",
		(unsigned long long)s->handle, (int)s->news.len,
		s->news.len > 0 ? s->news.p : "", s->news_dropped ? ";!" : ""))
		return;
	fr_pg_arg_text(&a, s->channel);
	fr_pg_arg_text(&a, text);
	(void)fr_pg_send(s, FR_PG_NOTIFY, &a);
}

static bool
changed(const struct counted *c)
{
	int i;

	for (i = 0; i < FR_STATES; i++)
		if (c->change[i] != 0)
			return true;
	return false;
}

enum fr_rc
fr_pg_count_send(struct fr_pg *s, struct fr_err *err)
{
	struct fr_pg_args a;
	void *value;
	struct counted *c;
	size_t pos = 0;
	int i;

	fr_pg_col_open(s, 0, FR_PG_TEXT);
	for (i = 0; i < FR_STATES; i++)
		fr_pg_col_open(s, i + 1, FR_PG_INT8);
	while (fr_map_next(s->types, &pos, NULL, &value)) {
		c = value;
		if (!changed(c))
			continue;
		fr_pg_col_bytes(s, 0, c->type, strlen(c->type));
		for (i = 0; i < FR_STATES; i++)
			fr_pg_col_i64(s, i + 1, c->change[i]);
		memset(c->change, 0, sizeof(c->change));
	}
	if (s->col[0].n == 0)
		return FR_OK;
	if (!fr_pg_cols(s, 1 + FR_STATES, &a))
		return fr_fail(err, FR_NOMEM, "count jobs: out of memory");
	fr_pg_arg_i64(&a, s->shard);
	(void)fr_pg_send(s, FR_PG_COUNT, &a);
	return FR_OK;
}

void
fr_pg_count_forget(struct fr_pg *s)
{
	const bool drop = fr_map_count(s->types) > TYPES_KEPT;
	struct fr_span key;
	void *value;
	struct counted *c;
	size_t pos = 0;

	while (fr_map_next(s->types, &pos, &key, &value)) {
		c = value;
		if (drop) {
			(void)fr_map_del(s->types, key);
			free(c);
			continue;
		}
		memset(c->change, 0, sizeof(c->change));
		memset(c->told, 0, sizeof(c->told));
	}
	fr_buf_reset(&s->news);
	s->news_dropped = false;
}

void
fr_pg_count_fini(struct fr_pg *s)
{
	void *value;
	size_t pos = 0;

	while (s->types != NULL && fr_map_next(s->types, &pos, NULL, &value))
		free(value);
	fr_map_free(s->types);
	s->types = NULL;
	fr_buf_fini(&s->news);
}
