/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/url.h"

/*
 * The URL is libpq's, several hosts and all, with two parameters of our own:
 * schema= and durable=no. What the user leaves open gets values with which
 * nothing waits for ever.
 */

static const struct {
	const char *key, *value;
} fallback[] = {
	{ "connect_timeout", "5" },
	{ "tcp_user_timeout", "10000" },
	{ "keepalives_idle", "5" },
	{ "keepalives_interval", "2" },
	{ "keepalives_count", "3" },
};

static bool
schema_valid(const char *z)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz_";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz_0123456789";

	return z[0] != '\0' && strchr(first, z[0]) != NULL &&
	       strspn(z, rest) == strlen(z) && strlen(z) <= 40 &&
	       strncmp(z, "pg_", 3) != 0;
}

static enum fr_rc
own_params(struct fr_pg *s, struct fr_span query, struct fr_err *err)
{
	char durable[8];
	enum fr_rc rc;

	rc = fr_url_param(query, "schema", s->schema, sizeof(s->schema));
	if (rc == FR_NOTFOUND)
		(void)fr_str_copy(
		    s->schema, sizeof(s->schema), FR_SPAN("forerunner"));
	else if (rc != FR_OK || !schema_valid(s->schema))
		return fr_fail(err, FR_USAGE,
		    "postgres: schema: only a-z, 0-9 and _, at most 40, and "
		    "no digit or pg_ in front");
	rc = fr_url_param(query, "durable", durable, sizeof(durable));
	if (rc == FR_OK && strcmp(durable, "no") == 0)
		s->undurable = true;
	else if (rc != FR_NOTFOUND && strcmp(durable, "yes") != 0)
		return fr_fail(err, FR_USAGE, "postgres: durable is yes or no");
	return FR_OK;
}

/* The URL without our own parameters. */
static void
libpq_url(struct fr_buf *b, struct fr_span base, struct fr_span query)
{
	struct fr_span name, value;
	char sep = '?';

	fr_buf_adds(b, "postgres:");
	if (base.len == 0)
		fr_buf_adds(b, "//");
	fr_buf_addspan(b, base);
	while (fr_url_next_param(&query, &name, &value)) {
		if (fr_span_is(name, "schema") || fr_span_is(name, "durable"))
			continue;
		fr_buf_addc(b, sep);
		fr_buf_addspan(b, name);
		fr_buf_addc(b, '=');
		fr_buf_addspan(b, value);
		sep = '&';
	}
}

static bool
keep(struct fr_pg *s, size_t *n, const char *key, const char *value)
{
	s->keys[*n] = strdup(key);
	s->values[*n] = strdup(value);
	if (s->keys[*n] == NULL || s->values[*n] == NULL) {
		free(s->keys[*n]);
		free(s->values[*n]);
		s->keys[*n] = s->values[*n] = NULL;
		return false;
	}
	(*n)++;
	return true;
}

static bool
has(const PQconninfoOption *o, const char *key)
{
	for (; o->keyword != NULL; o++)
		if (strcmp(o->keyword, key) == 0)
			return o->val != NULL;
	return false;
}

static bool
keep_all(struct fr_pg *s, const PQconninfoOption *opts)
{
	const PQconninfoOption *o;
	size_t n = 0, i;
	bool ok = true;

	for (o = opts; o->keyword != NULL; o++)
		n++;
	n += sizeof(fallback) / sizeof(*fallback) + 4;
	s->keys = calloc(n, sizeof(*s->keys));
	s->values = calloc(n, sizeof(*s->values));
	if (s->keys == NULL || s->values == NULL)
		return false;
	n = 0;
	for (o = opts; o->keyword != NULL && ok; o++)
		if (o->val != NULL)
			ok = keep(s, &n, o->keyword, o->val);
	for (i = 0; i < sizeof(fallback) / sizeof(*fallback) && ok; i++)
		if (!has(opts, fallback[i].key))
			ok = keep(s, &n, fallback[i].key, fallback[i].value);
	if (ok && !s->readonly && !has(opts, "target_session_attrs"))
		ok = keep(s, &n, "target_session_attrs", "read-write");
	if (ok && !has(opts, "application_name"))
		ok = keep(s, &n, "application_name", s->name);
	return ok;
}

enum fr_rc
fr_pg_conf(struct fr_pg *s, const char *args, struct fr_err *err)
{
	const char *mark = strchr(args, '?');
	struct fr_span base = { args, 0 }, query = { NULL, 0 };
	PQconninfoOption *opts = NULL;
	char *why = NULL;
	struct fr_buf url;
	enum fr_rc rc;

	base.len = mark != NULL ? (size_t)(mark - args) : strlen(args);
	if (mark != NULL)
		query = fr_span_of(mark + 1);
	if (base.len > 0 && !fr_span_starts(base, "//"))
		return fr_fail(err, FR_USAGE,
		    "postgres: the URL is postgres://[user@]host/database");
	rc = own_params(s, query, err);
	if (rc != FR_OK)
		return rc;
	fr_buf_init(&url, 0);
	libpq_url(&url, base, query);
	if (fr_buf_ok(&url))
		opts = PQconninfoParse(fr_buf_cstr(&url), &why);
	if (opts == NULL) /* why may show a password */
		rc = fr_fail(err, FR_USAGE, "postgres: bad URL%s%s",
		    why != NULL && strchr(args, '@') == NULL ? ": " : "",
		    why != NULL && strchr(args, '@') == NULL ? why : "");
	else if (!keep_all(s, opts))
		rc = fr_fail(err, FR_NOMEM, "postgres: out of memory");
	PQfreemem(why);
	PQconninfoFree(opts);
	if (url.p != NULL)
		explicit_bzero(url.p, url.cap);
	fr_buf_fini(&url);
	return rc;
}

void
fr_pg_conf_fini(struct fr_pg *s)
{
	size_t i;

	for (i = 0; s->keys != NULL && s->values != NULL && s->keys[i] != NULL;
	     i++) {
		free(s->keys[i]);
		explicit_bzero(s->values[i], strlen(s->values[i]));
		free(s->values[i]);
	}
	free(s->keys);
	free(s->values);
	s->keys = s->values = NULL;
}
