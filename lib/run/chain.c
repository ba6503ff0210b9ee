/* SPDX-License-Identifier: MIT */
#include "run/chain.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/str.h"

#define FILE_BYTES ((size_t)1 << 20)

void
fr_chain_unref(struct fr_chain *c)
{
	size_t i;

	if (c == NULL || --c->refs > 0)
		return;
	for (i = 0; i < c->n; i++) {
		if (c->v[i].owned)
			fr_handler_free(c->v[i].handler);
		free(c->v[i].prefix);
		free(c->v[i].text);
	}
	for (i = 0; i < c->nfiles; i++)
		free(c->files[i].path);
	free(c->files);
	free(c->v);
	free(c);
}

/* One file while it is read, and those that named it. */
struct reading {
	const struct reading *outer;
	struct fr_handlers *hs;
	struct fr_chain *c;
	const struct fr_handler *h;
	const char *path;
	unsigned line;
	unsigned depth;
	unsigned steps; /* handlers and commands so far */
	const char *prefix;
	struct fr_err *err;
};

static enum fr_rc
nomem(struct reading *r)
{
	return fr_fail(r->err, FR_NOMEM, "out of memory");
}

static struct fr_step *
add_step(struct fr_chain *c, enum fr_step_kind kind)
{
	struct fr_step *grown, *s;

	grown = realloc(c->v, (c->n + 1) * sizeof(*grown));
	if (grown == NULL)
		return NULL;
	c->v = grown;
	s = &c->v[c->n++];
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	return s;
}

/* What can be seen of a file without reading it. */
static struct fr_chain_file
look(const char *path)
{
	struct fr_chain_file f = { .there = false };
	struct stat st;

	if (stat(path, &st) == -1)
		return f;
	f.there = true;
	f.dev = st.st_dev;
	f.ino = st.st_ino;
	f.size = st.st_size;
	f.mtime = st.st_mtim;
	return f;
}

/* Remembers the state of a file before it is read. */
static enum fr_rc
note_file(struct reading *r)
{
	struct fr_chain *c = r->c;
	struct fr_chain_file *grown, *f;

	grown = realloc(c->files, (c->nfiles + 1) * sizeof(*grown));
	if (grown == NULL)
		return nomem(r);
	c->files = grown;
	f = &c->files[c->nfiles];
	*f = look(r->path);
	f->path = fr_str_dup(fr_span_of(r->path));
	if (f->path == NULL)
		return nomem(r);
	c->nfiles++;
	return FR_OK;
}

static struct fr_span
trim(struct fr_span s)
{
	while (s.len > 0 && strchr(" \t\r", s.p[0]) != NULL) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && strchr(" \t\r", s.p[s.len - 1]) != NULL)
		s.len--;
	return s;
}

static enum fr_rc
read_progress(struct reading *r, struct fr_span text)
{
	struct fr_step *s = add_step(r->c, FR_STEP_PROGRESS);
	struct fr_buf b;

	fr_buf_init(&b, 0);
	fr_jsonw_escape(&b, text);
	if (s != NULL && fr_buf_ok(&b))
		s->text = fr_str_dup(fr_buf_span(&b));
	fr_buf_fini(&b);
	return s == NULL || s->text == NULL ? nomem(r) : FR_OK;
}

/* "step 2 (fetch): ", behind that of the chain it is in. */
static char *
make_prefix(const struct reading *r, struct fr_span name)
{
	struct fr_buf b;
	char *z = NULL;

	if (name.len > 40)
		name.len = fr_utf8_prefix((struct fr_span){ name.p, 40 });
	fr_buf_init(&b, 0);
	fr_buf_addf(&b, "%sstep %u (%.*s): ", r->prefix, r->steps,
	    (int)name.len, name.p);
	if (fr_buf_ok(&b))
		z = fr_str_dup(fr_buf_span(&b));
	fr_buf_fini(&b);
	return z;
}

static enum fr_rc
read_command(struct reading *r, struct fr_span command)
{
	struct fr_step *s;
	char *text;

	if (command.len == 0)
		return fr_fail(
		    r->err, FR_INVALID, "%s:%u: no command", r->path, r->line);
	s = add_step(r->c, FR_STEP_RUN);
	text = fr_str_dup(command);
	if (s != NULL && text != NULL) {
		s->owned = true;
		s->handler = fr_handler_command(r->hs, r->h->type, text);
		s->prefix = make_prefix(r, command);
	}
	free(text);
	return s == NULL || s->handler == NULL || s->prefix == NULL ? nomem(r)
								    : FR_OK;
}

static enum fr_rc read_chain(struct reading *r);

/* A chain that names h, which is open already, would never end. */
static enum fr_rc
check_recursion(struct reading *r, const struct fr_handler *h)
{
	const struct reading *up;
	struct fr_buf names;

	for (up = r; up != NULL && up->h != h; up = up->outer)
		;
	if (up == NULL && r->depth + 1 < FR_CHAIN_DEPTH)
		return FR_OK;
	if (up == NULL)
		return fr_fail(r->err, FR_INVALID,
		    "%s:%u: more than %d chains within each other", r->path,
		    r->line, FR_CHAIN_DEPTH);
	fr_buf_init(&names, 0);
	fr_buf_adds(&names, h->type);
	for (up = r; up->h != h; up = up->outer)
		fr_buf_addf(&names, " in %s", up->h->type);
	fr_buf_addf(&names, " in %s", h->type);
	(void)fr_fail(r->err, FR_INVALID, "%s:%u: chain without end: %s",
	    r->path, r->line, fr_buf_cstr(&names));
	fr_buf_fini(&names);
	return FR_INVALID;
}

static enum fr_rc
read_inner(struct reading *r, struct fr_handler *h, struct fr_span name)
{
	struct reading inner = { .outer = r,
		.hs = r->hs,
		.c = r->c,
		.h = h,
		.path = h->text,
		.depth = r->depth + 1,
		.err = r->err };
	enum fr_rc rc = check_recursion(r, h);
	char *prefix;

	if (rc != FR_OK)
		return rc;
	prefix = make_prefix(r, name);
	if (prefix == NULL || add_step(r->c, FR_STEP_ENTER) == NULL) {
		free(prefix);
		return nomem(r);
	}
	inner.prefix = prefix;
	if (inner.depth > r->c->depth)
		r->c->depth = inner.depth;
	rc = read_chain(&inner);
	free(prefix);
	if (rc == FR_OK && add_step(r->c, FR_STEP_LEAVE) == NULL)
		rc = nomem(r);
	return rc;
}

static enum fr_rc
read_handler(struct reading *r, struct fr_span name)
{
	struct fr_handler *h;
	struct fr_step *s;

	if (!fr_type_valid(name))
		return fr_fail(r->err, FR_INVALID,
		    "%s:%u: neither a handler's name nor `| command`, "
		    "`progress: text` or `# comment`",
		    r->path, r->line);
	h = fr_handlers_named(r->hs, name);
	if (h == NULL)
		return fr_fail(r->err, FR_INVALID, "%s:%u: no handler `%.*s`",
		    r->path, r->line, (int)name.len, name.p);
	if (h->kind == FR_HANDLER_CHAIN)
		return read_inner(r, h, name);
	s = add_step(r->c, FR_STEP_RUN);
	if (s == NULL)
		return nomem(r);
	s->handler = h;
	s->prefix = make_prefix(r, name);
	return s->prefix == NULL ? nomem(r) : FR_OK;
}

static enum fr_rc
read_line(struct reading *r, struct fr_span line)
{
	line = trim(line);
	if (line.len == 0 || line.p[0] == '#')
		return FR_OK;
	if (memchr(line.p, '\0', line.len) != NULL || !fr_utf8_valid(line))
		return fr_fail(
		    r->err, FR_INVALID, "%s:%u: not text", r->path, r->line);
	if (fr_span_starts(line, "progress:")) {
		line.p += sizeof("progress:") - 1;
		line.len -= sizeof("progress:") - 1;
		return read_progress(r, trim(line));
	}
	if (r->c->n >= FR_CHAIN_STEPS)
		return fr_fail(r->err, FR_INVALID, "%s:%u: more than %d steps",
		    r->path, r->line, FR_CHAIN_STEPS);
	r->steps++;
	if (line.p[0] != '|')
		return read_handler(r, line);
	line.p++;
	line.len--;
	return read_command(r, trim(line));
}

static enum fr_rc
read_chain(struct reading *r)
{
	struct fr_buf text;
	struct fr_span rest, line;
	const char *nl;
	enum fr_rc rc;

	fr_buf_init(&text, FILE_BYTES);
	rc = note_file(r);
	if (rc == FR_OK)
		rc = fr_io_read_file(r->path, &text, r->err);
	rest = fr_buf_span(&text);
	while (rc == FR_OK && rest.len > 0) {
		nl = memchr(rest.p, '\n', rest.len);
		line.p = rest.p;
		line.len = nl == NULL ? rest.len : (size_t)(nl - rest.p);
		rest.p += line.len;
		rest.len -= line.len;
		if (nl != NULL) {
			rest.p++;
			rest.len--;
		}
		r->line++;
		rc = read_line(r, line);
	}
	fr_buf_fini(&text);
	if (rc == FR_OK && r->steps == 0)
		rc = fr_fail(r->err, FR_INVALID, "%s: no steps", r->path);
	return rc;
}

static bool
fresh(const struct fr_handlers *hs, const struct fr_chain *c)
{
	const struct fr_chain_file *f;
	struct fr_chain_file now;
	size_t i;

	if (c == NULL || c->generation != hs->generation)
		return false;
	for (i = 0; i < c->nfiles; i++) {
		f = &c->files[i];
		now = look(f->path);
		if (now.there != f->there || now.dev != f->dev ||
		    now.ino != f->ino || now.size != f->size ||
		    now.mtime.tv_sec != f->mtime.tv_sec ||
		    now.mtime.tv_nsec != f->mtime.tv_nsec)
			return false;
	}
	return true;
}

/* The files are wrong as they are now: no need to read them once more. */
static void
keep_old(struct fr_chain *old, struct fr_chain *wrong)
{
	struct fr_chain_file *files = old->files;
	const size_t n = old->nfiles;

	old->files = wrong->files;
	old->nfiles = wrong->nfiles;
	old->generation = wrong->generation;
	wrong->files = files;
	wrong->nfiles = n;
}

enum fr_rc
fr_chain_load(struct fr_handlers *hs, struct fr_handler *h,
    struct fr_chain **out, struct fr_err *err)
{
	struct reading r = {
		.hs = hs, .h = h, .path = h->text, .prefix = "", .err = err
	};
	enum fr_rc rc = FR_OK;

	*out = NULL;
	if (!fresh(hs, h->chain)) {
		r.c = calloc(1, sizeof(*r.c));
		if (r.c == NULL)
			return nomem(&r);
		r.c->refs = 1;
		rc = read_chain(&r);
		/* Naming a built-in handler may have made the table grow. */
		r.c->generation = hs->generation;
		if (rc == FR_OK) {
			fr_chain_unref(h->chain);
			h->chain = r.c;
		} else if (h->chain != NULL) {
			keep_old(h->chain, r.c);
			fr_chain_unref(r.c);
			rc = FR_STALE;
		} else {
			fr_chain_unref(r.c);
			return rc;
		}
	}
	h->chain->refs++;
	*out = h->chain;
	return rc;
}
