/* SPDX-License-Identifier: MIT */
#include "auth.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

/*
 * The file has a line for each token: ROLE[,ROLE...] TOKEN, and comments
 * after '#'. Only its owner may read or write it.
 */

#define MIN_TOKEN 16
#define MAX_FILE ((size_t)1 << 20)

struct token {
	unsigned roles;
	struct fr_span text; /* in the buffer */
};

struct fr_auth {
	const char *path;
	struct fr_buf file;
	struct token *v;
	size_t n;
};

static unsigned
role(struct fr_span name)
{
	if (fr_span_is(name, "submit"))
		return FR_ROLE_SUBMIT;
	if (fr_span_is(name, "work"))
		return FR_ROLE_WORK;
	if (fr_span_is(name, "read"))
		return FR_ROLE_READ;
	if (fr_span_is(name, "admin"))
		return FR_ROLE_ADMIN | FR_ROLE_SUBMIT | FR_ROLE_WORK |
		       FR_ROLE_READ;
	return 0;
}

static size_t
blank(struct fr_span s)
{
	size_t n = 0;

	while (n < s.len && (s.p[n] == ' ' || s.p[n] == '\t'))
		n++;
	return n;
}

static size_t
word(struct fr_span s)
{
	size_t n = 0;

	while (n < s.len && s.p[n] != ' ' && s.p[n] != '\t' && s.p[n] != '\r')
		n++;
	return n;
}

static struct fr_span
skip(struct fr_span s, size_t n)
{
	return (struct fr_span){ s.p + n, s.len - n };
}

/* Never shows what stands there: it may be a token. */
static enum fr_rc
bad_line(const char *path, unsigned line, const char *what, struct fr_err *err)
{
	return fr_fail(
	    err, FR_INVALID, "read %s: line %u: %s", path, line, what);
}

static enum fr_rc
parse_line(
    struct fr_auth *a, struct fr_span s, unsigned line, struct fr_err *err)
{
	struct fr_span roles, name;
	struct token t = { 0 }, *v;
	const char *comma;
	unsigned r;

	s = skip(s, blank(s));
	if (s.len == 0 || s.p[0] == '#' || s.p[0] == '\r')
		return FR_OK;
	roles = (struct fr_span){ s.p, word(s) };
	s = skip(s, roles.len);
	s = skip(s, blank(s));
	t.text = (struct fr_span){ s.p, word(s) };
	while (roles.len > 0) {
		comma = memchr(roles.p, ',', roles.len);
		name = (struct fr_span){ roles.p,
			comma == NULL ? roles.len : (size_t)(comma - roles.p) };
		r = role(name);
		if (r == 0)
			return bad_line(a->path, line,
			    "roles are submit, work, read and admin", err);
		t.roles |= r;
		roles = skip(roles, comma == NULL ? roles.len : name.len + 1);
	}
	if (t.text.len < MIN_TOKEN)
		return bad_line(a->path, line,
		    "a token must have at least 16 characters", err);
	v = reallocarray(a->v, a->n + 1, sizeof(*v));
	if (v == NULL)
		return fr_fail(err, FR_NOMEM, "read tokens: out of memory");
	a->v = v;
	a->v[a->n++] = t;
	return FR_OK;
}

static enum fr_rc
load(struct fr_auth *a, struct fr_err *err)
{
	struct fr_span rest, line;
	struct stat st;
	const char *nl;
	unsigned n = 0;
	enum fr_rc rc;
	int fd;

	fd = open(a->path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return fr_failsys(err, FR_IO, "open %s", a->path);
	if (fstat(fd, &st) == -1)
		rc = fr_failsys(err, FR_IO, "read %s", a->path);
	else if ((st.st_mode & 077) != 0)
		rc = fr_fail(err, FR_DENIED,
		    "read %s: others may read it too: chmod 600", a->path);
	else
		rc = fr_io_read_all(fd, &a->file, a->path, err);
	(void)close(fd);
	rest = fr_buf_span(&a->file);
	while (rc == FR_OK && rest.len > 0) {
		nl = memchr(rest.p, '\n', rest.len);
		line = (struct fr_span){ rest.p,
			nl == NULL ? rest.len : (size_t)(nl - rest.p) };
		rest = skip(rest, line.len + (nl == NULL ? 0 : 1));
		rc = parse_line(a, line, ++n, err);
	}
	if (rc == FR_OK && a->n == 0)
		rc = fr_fail(err, FR_INVALID, "read %s: no token", a->path);
	return rc;
}

static void
forget(struct fr_auth *a)
{
	if (a->file.p != NULL)
		explicit_bzero(a->file.p, a->file.cap);
	fr_buf_fini(&a->file);
	free(a->v);
	a->v = NULL;
	a->n = 0;
}

struct fr_auth *
fr_auth_open(const char *path, struct fr_err *err)
{
	struct fr_auth *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		(void)fr_fail(err, FR_NOMEM, "read tokens: out of memory");
		return NULL;
	}
	a->path = path;
	fr_buf_init(&a->file, MAX_FILE);
	if (path != NULL && load(a, err) != FR_OK) {
		fr_auth_close(a);
		return NULL;
	}
	return a;
}

void
fr_auth_close(struct fr_auth *a)
{
	if (a == NULL)
		return;
	forget(a);
	free(a);
}

enum fr_rc
fr_auth_reload(struct fr_auth *a, struct fr_err *err)
{
	struct fr_auth new = { .path = a->path };
	enum fr_rc rc;

	if (a->path == NULL)
		return FR_OK;
	fr_buf_init(&new.file, MAX_FILE);
	rc = load(&new, err);
	if (rc != FR_OK) {
		forget(&new);
		return rc;
	}
	forget(a);
	*a = new;
	return FR_OK;
}

bool
fr_auth_allows(const struct fr_auth *a, struct fr_request *q, struct fr_span v)
{
	unsigned roles = 0;
	bool shown = false, known = false;
	size_t i;

	if (a->path == NULL || q->route->role == 0)
		return true;
	if (v.len > 7 && strncasecmp(v.p, "Bearer ", 7) == 0) {
		v = skip(v, 7);
		v = skip(v, blank(v));
		shown = true;
		/* All are looked at, whichever it is. */
		for (i = 0; i < a->n; i++)
			if (a->v[i].text.len == v.len &&
			    fr_const_eq(a->v[i].text.p, v.p, v.len)) {
				known = true;
				roles |= a->v[i].roles;
			}
	}
	if (!known) {
		fr_answer_problem(q, 401, "about:blank",
		    shown ? "this token is not known"
			  : "a bearer token is needed");
		return false;
	}
	if ((roles & q->route->role) == 0) {
		fr_answer_problem(
		    q, 403, "about:blank", "this token may not make this call");
		return false;
	}
	return true;
}
