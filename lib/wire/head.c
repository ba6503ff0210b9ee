/* SPDX-License-Identifier: MIT */
#include "wire/head.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

/* tchar of RFC 9110, section 5.6.2. */
static bool
is_token(unsigned char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr(others, c) != NULL);
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
same(struct fr_span s, const char *z)
{
	return s.len == strlen(z) && strncasecmp(s.p, z, s.len) == 0;
}

enum fr_rc
fr_head_find(struct fr_span in, size_t max, size_t *scan, size_t *len,
    struct fr_err *err)
{
	const char *nl;
	size_t at;

	if (in.len > 0 && *scan == 0 && in.p[0] != '\r' &&
	    !is_token((unsigned char)in.p[0]))
		return fr_fail(err, FR_SYNTAX, "read request: no HTTP");
	while (*scan < in.len && *scan < max) {
		nl = memchr(in.p + *scan, '\n', in.len - *scan);
		if (nl == NULL) {
			*scan = in.len;
			break;
		}
		at = (size_t)(nl - in.p);
		if (at == 0 || in.p[at - 1] != '\r')
			return fr_fail(
			    err, FR_SYNTAX, "read head: a line without CR LF");
		*scan = at + 1;
		if (at + 1 > max)
			break;
		/* An empty line ends it, but for those in front of it. */
		if (at >= 3 && in.p[at - 2] == '\n') {
			*len = at + 1;
			return FR_OK;
		}
	}
	if (in.len >= max)
		return fr_fail(err, FR_TOOBIG,
		    "read head: more than the limit of %zu bytes", max);
	return FR_AGAIN;
}

/* Only what may stand in a request target, and escapes that are whole; none
 * of them NUL. */
static bool
target_valid(struct fr_span t)
{
	size_t i;

	for (i = 0; i < t.len; i++) {
		const unsigned char c = (unsigned char)t.p[i];

		if (c <= ' ' || c >= 127 || c == '#' || c == '"' || c == '<' ||
		    c == '>' || c == '\\')
			return false;
		if (c != '%')
			continue;
		if (t.len - i < 3 || hex(t.p[i + 1]) == -1 ||
		    hex(t.p[i + 2]) == -1)
			return false;
		if (t.p[i + 1] == '0' && t.p[i + 2] == '0')
			return false;
		i += 2;
	}
	return true;
}

/* Splits "/path?query", or "http://host/path?query". */
static bool
split_target(struct fr_span t, struct fr_head *h)
{
	const char *p;
	size_t n;

	if (!target_valid(t))
		return false;
	if (t.len > 7 && strncasecmp(t.p, "http://", 7) == 0) {
		t.p += 7;
		t.len -= 7;
		n = strcspn(t.p, "/? ");
		if (n == 0)
			return false;
		t.p += n;
		t.len -= n;
		if (t.len == 0 || t.p[0] == '?') {
			h->path = FR_SPAN("/");
			h->query = (struct fr_span){ t.p, t.len };
			if (t.len > 0) {
				h->query.p++;
				h->query.len--;
			}
			return true;
		}
	}
	if (t.len == 0 || t.p[0] != '/')
		return t.len == 1 && t.p[0] == '*' && (h->path = t, true);
	p = memchr(t.p, '?', t.len);
	n = p == NULL ? t.len : (size_t)(p - t.p);
	h->path = (struct fr_span){ t.p, n };
	if (p != NULL)
		h->query = (struct fr_span){ p + 1, t.len - n - 1 };
	return true;
}

/* METHOD SP target SP HTTP/1.x */
static enum fr_rc
request_line(
    struct fr_span line, struct fr_head *h, int *status, struct fr_err *err)
{
	const char *end = line.p + line.len, *p, *q;
	struct fr_span version;
	size_t n = 0;

	while (n < line.len && is_token((unsigned char)line.p[n]))
		n++;
	if (n == 0 || n > 32 || n >= line.len || line.p[n] != ' ')
		return fr_fail(err, FR_SYNTAX, "read request line: no method");
	h->method = (struct fr_span){ line.p, n };
	p = line.p + n + 1;
	q = memchr(p, ' ', (size_t)(end - p));
	if (q == NULL ||
	    !split_target((struct fr_span){ p, (size_t)(q - p) }, h))
		return fr_fail(err, FR_SYNTAX, "read request line: no target");
	version = (struct fr_span){ q + 1, (size_t)(end - q - 1) };
	if (version.len != 8 || memcmp(version.p, "HTTP/", 5) != 0 ||
	    version.p[5] < '0' || version.p[5] > '9' || version.p[6] != '.' ||
	    version.p[7] < '0' || version.p[7] > '9')
		return fr_fail(
		    err, FR_SYNTAX, "read request line: no HTTP version");
	if (version.p[5] != '1') {
		*status = 505;
		return fr_fail(
		    err, FR_INVALID, "read request line: not HTTP/1.1");
	}
	h->minor = version.p[7] == '0' ? 0 : 1;
	return FR_OK;
}

static enum fr_rc
content_length(struct fr_span v, struct fr_head *h, struct fr_err *err)
{
	size_t i;

	if (h->has_length)
		return fr_fail(
		    err, FR_SYNTAX, "read head: several Content-Length");
	h->has_length = true;
	if (v.len == 0 || v.len > 18)
		return fr_fail(err, FR_SYNTAX,
		    "read head: Content-Length must be a number");
	for (i = 0; i < v.len; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return fr_fail(err, FR_SYNTAX,
			    "read head: Content-Length must be a number");
		h->length = h->length * 10 + (uint64_t)(v.p[i] - '0');
	}
	return FR_OK;
}

static enum fr_rc
transfer_encoding(
    struct fr_span v, struct fr_head *h, int *status, struct fr_err *err)
{
	if (h->chunked)
		return fr_fail(
		    err, FR_SYNTAX, "read head: several Transfer-Encoding");
	if (h->minor == 0)
		return fr_fail(err, FR_SYNTAX,
		    "read head: Transfer-Encoding with HTTP/1.0");
	if (!same(v, "chunked")) {
		*status = 501;
		return fr_fail(err, FR_INVALID,
		    "read head: only the transfer coding chunked is known");
	}
	h->chunked = true;
	return FR_OK;
}

/* A list of options; of interest are close and, for 1.0, keep-alive. */
static void
connection(struct fr_span v, bool *close, bool *keep)
{
	const char *p = v.p, *end = v.p + v.len, *q;

	while (p < end) {
		while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
			p++;
		q = p;
		while (q < end && *q != ' ' && *q != '\t' && *q != ',')
			q++;
		if (same((struct fr_span){ p, (size_t)(q - p) }, "close"))
			*close = true;
		if (same((struct fr_span){ p, (size_t)(q - p) }, "keep-alive"))
			*keep = true;
		p = q;
	}
}

static bool
host_valid(struct fr_span v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (v.p[i] <= ' ' || v.p[i] == 127 ||
		    strchr("/\\@?#,\"<>", v.p[i]) != NULL)
			return false;
	return v.len < 512;
}

struct seen {
	int hosts;
	bool close, keep;
};

/* One field that matters to us; the others are only checked. */
static enum fr_rc
field(struct fr_span name, struct fr_span v, struct fr_head *h,
    struct seen *seen, int *status, struct fr_err *err)
{
	switch (name.len) {
	case 4:
		if (!same(name, "Host"))
			break;
		seen->hosts++;
		h->host = v;
		if (!host_valid(v))
			return fr_fail(err, FR_SYNTAX, "read head: no Host");
		break;
	case 6:
		if (same(name, "Accept"))
			h->accept = v;
		else if (same(name, "Expect")) {
			if (!same(v, "100-continue")) {
				*status = 417;
				return fr_fail(err, FR_INVALID,
				    "read head: only 100-continue can be "
				    "expected");
			}
			h->expects = h->minor > 0;
		}
		break;
	case 10:
		if (same(name, "Connection"))
			connection(v, &seen->close, &seen->keep);
		break;
	case 12:
		if (same(name, "Content-Type"))
			h->content_type = v;
		break;
	case 13:
		if (same(name, "Authorization")) {
			if (h->authorization.p != NULL)
				return fr_fail(err, FR_SYNTAX,
				    "read head: several Authorization");
			h->authorization = v;
		} else if (same(name, "Last-Event-ID"))
			h->last_event_id = v;
		break;
	case 14:
		if (same(name, "Content-Length"))
			return content_length(v, h, err);
		break;
	case 17:
		if (same(name, "Transfer-Encoding"))
			return transfer_encoding(v, h, status, err);
		break;
	default:
		break;
	}
	return FR_OK;
}

/* Splits "Name: value"; false if it is no field. */
static bool
split_field(struct fr_span line, struct fr_span *name, struct fr_span *value)
{
	const char *p, *end = line.p + line.len;
	size_t n = 0;

	while (n < line.len && is_token((unsigned char)line.p[n]))
		n++;
	if (n == 0 || n >= line.len || line.p[n] != ':')
		return false;
	*name = (struct fr_span){ line.p, n };
	p = line.p + n + 1;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*value = (struct fr_span){ p, (size_t)(end - p) };
	for (; p < end; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 127)
			return false;
	return true;
}

/* The next line without its CR LF, which fr_head_find has seen. */
static struct fr_span
next_line(struct fr_span *rest)
{
	const char *nl = memchr(rest->p, '\n', rest->len);
	const size_t n = (size_t)(nl - rest->p);
	const struct fr_span line = { rest->p, n - 1 };

	rest->p += n + 1;
	rest->len -= n + 1;
	return line;
}

enum fr_rc
fr_head_parse(
    struct fr_span head, struct fr_head *h, int *status, struct fr_err *err)
{
	struct fr_span line, name, value;
	struct seen seen = { 0 };
	enum fr_rc rc;

	memset(h, 0, sizeof(*h));
	*status = 400;
	do {
		line = next_line(&head);
	} while (line.len == 0 && head.len > 0);
	rc = request_line(line, h, status, err);
	if (rc != FR_OK)
		return rc;
	while (head.len > 0) {
		line = next_line(&head);
		if (line.len == 0)
			break;
		if (!split_field(line, &name, &value))
			return fr_fail(err, FR_SYNTAX,
			    "read head: a line that is no header field");
		rc = field(name, value, h, &seen, status, err);
		if (rc != FR_OK)
			return rc;
	}
	*status = 400;
	if (seen.hosts > 1 || (seen.hosts == 0 && h->minor > 0))
		return fr_fail(err, FR_SYNTAX, "read head: %s Host",
		    seen.hosts == 0 ? "no" : "several");
	if (h->chunked && h->has_length)
		return fr_fail(err, FR_SYNTAX,
		    "read head: Content-Length beside Transfer-Encoding");
	h->keep = !seen.close && (h->minor > 0 || seen.keep);
	return FR_OK;
}
