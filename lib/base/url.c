/* SPDX-License-Identifier: MIT */
#include "base/url.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

/* RFC 3986, of which a manager's, a store's or a queue's URL needs a part. */

static struct fr_span
from(struct fr_span s, size_t n)
{
	return (struct fr_span){ s.p + n, s.len - n };
}

/* How many bytes stand before the first of those in set (or the end). */
static size_t
until(struct fr_span s, const char *set)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (strchr(set, s.p[i]) != NULL)
			break;
	return i;
}

enum fr_rc
fr_url_decode(struct fr_span s, char *dst, size_t size)
{
	size_t i, n = 0;
	unsigned char c;

	for (i = 0; i < s.len; i++) {
		c = (unsigned char)s.p[i];
		if (c == '%') {
			if (s.len - i < 3 ||
			    !fr_hex_decode(
				&c, 1, (struct fr_span){ s.p + i + 1, 2 }))
				return FR_SYNTAX;
			i += 2;
		}
		if (c == '\0')
			return FR_SYNTAX;
		if (n + 1 >= size)
			return FR_TOOBIG;
		dst[n++] = (char)c;
	}
	if (size == 0)
		return FR_TOOBIG;
	dst[n] = '\0';
	return FR_OK;
}

/* Decodes a part of the URL whose name is what. */
static enum fr_rc
part(struct fr_span s, const char *what, char *dst, size_t size,
    struct fr_err *err)
{
	const enum fr_rc rc = fr_url_decode(s, dst, size);

	if (rc == FR_SYNTAX)
		return fr_fail(
		    err, FR_INVALID, "URL: bad percent escape in the %s", what);
	if (rc != FR_OK)
		return fr_fail(err, FR_INVALID, "URL: %s too long", what);
	return FR_OK;
}

static enum fr_rc
scheme(struct fr_span *s, struct fr_url *url, struct fr_err *err)
{
	size_t i;
	char c;

	for (i = 0; i < s->len && s->p[i] != ':'; i++) {
		c = s->p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if (!((c >= 'a' && c <= 'z') ||
			(i > 0 && ((c >= '0' && c <= '9') || c == '+' ||
				      c == '-' || c == '.'))))
			return fr_fail(err, FR_INVALID,
			    "URL: no scheme (as in http://host)");
		if (i + 1 >= sizeof(url->scheme))
			return fr_fail(err, FR_INVALID, "URL: scheme too long");
		url->scheme[i] = c;
	}
	if (i == 0 || i == s->len)
		return fr_fail(
		    err, FR_INVALID, "URL: no scheme (as in http://host)");
	*s = from(*s, i + 1);
	return FR_OK;
}

static enum fr_rc
port(struct fr_span s, struct fr_url *url, struct fr_err *err)
{
	int64_t v;

	if (s.len == 0)
		return FR_OK;
	if (s.p[0] != ':')
		return fr_fail(err, FR_INVALID, "URL: text behind the host");
	s = from(s, 1);
	if (s.len == 0) /* "host:" has the default port */
		return FR_OK;
	if (s.p[0] == '-' || fr_str_i64(s, 0, UINT16_MAX, &v) != FR_OK)
		return fr_fail(
		    err, FR_INVALID, "URL: port is not a number up to 65535");
	url->port = (int)v;
	return FR_OK;
}

static enum fr_rc
host(struct fr_span s, struct fr_url *url, struct fr_err *err)
{
	const char *set = ":";
	size_t i, n;

	if (s.len > 0 && s.p[0] == '[') {
		s = from(s, 1);
		set = "]";
	}
	n = until(s, set);
	if (set[0] == ']' && n == s.len)
		return fr_fail(err, FR_INVALID, "URL: '[' without ']'");
	for (i = 0; i < n; i++)
		if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == 0x7f ||
		    strchr("\"<>[]\\^`{|}", s.p[i]) != NULL)
			return fr_fail(err, FR_INVALID,
			    "URL: wrong character in the host");
	if (!fr_str_copy(
		url->host, sizeof(url->host), (struct fr_span){ s.p, n }))
		return fr_fail(err, FR_INVALID, "URL: host too long");
	return port(from(s, n + (set[0] == ']')), url, err);
}

/* [user[:password]@]host[:port] */
static enum fr_rc
authority(struct fr_span s, struct fr_url *url, struct fr_err *err)
{
	const char *at = memrchr(s.p, '@', s.len);
	struct fr_span user;
	size_t n;
	enum fr_rc rc;

	if (at == NULL)
		return host(s, url, err);
	user = (struct fr_span){ s.p, (size_t)(at - s.p) };
	n = until(user, ":");
	rc = part((struct fr_span){ user.p, n }, "user", url->user,
	    sizeof(url->user), err);
	if (rc == FR_OK && n < user.len)
		rc = part(from(user, n + 1), "password", url->password,
		    sizeof(url->password), err);
	if (rc != FR_OK)
		return rc;
	return host(from(s, user.len + 1), url, err);
}

enum fr_rc
fr_url_parse(const char *text, struct fr_url *url, struct fr_err *err)
{
	struct fr_span s = fr_span_of(text);
	size_t n;
	enum fr_rc rc;

	*url = (struct fr_url){ .port = -1 };
	rc = scheme(&s, url, err);
	if (rc != FR_OK)
		return rc;
	if (fr_span_starts(s, "//")) {
		s = from(s, 2);
		n = until(s, "/?");
		rc = authority((struct fr_span){ s.p, n }, url, err);
		if (rc != FR_OK)
			return rc;
		s = from(s, n);
	}
	n = until(s, "?");
	rc = part((struct fr_span){ s.p, n }, "path", url->path,
	    sizeof(url->path), err);
	url->query = (n < s.len ? from(s, n + 1) : from(s, n));
	return rc;
}

bool
fr_url_next_param(
    struct fr_span *query, struct fr_span *name, struct fr_span *value)
{
	struct fr_span pair;
	size_t n;

	while (query->len > 0 && query->p[0] == '&')
		*query = from(*query, 1);
	if (query->len == 0)
		return false;
	n = until(*query, "&");
	pair = (struct fr_span){ query->p, n };
	*query = from(*query, n);
	n = until(pair, "=");
	*name = (struct fr_span){ pair.p, n };
	*value = from(pair, n < pair.len ? n + 1 : n);
	return true;
}

enum fr_rc
fr_url_param(struct fr_span query, const char *name, char *dst, size_t size)
{
	struct fr_span k, v;
	char plain[64];

	while (fr_url_next_param(&query, &k, &v))
		if (fr_url_decode(k, plain, sizeof(plain)) == FR_OK &&
		    strcmp(plain, name) == 0)
			return fr_url_decode(v, dst, size);
	return FR_NOTFOUND;
}
