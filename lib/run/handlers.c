/* SPDX-License-Identifier: MIT */
#include "run/handlers.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "run/chain.h"
#include "run/command.h"

static const char usual_path[] =
    "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

enum fr_rc
fr_handlers_init(struct fr_handlers *hs, const char *libexec, const char *path,
    struct fr_err *err)
{
	struct fr_buf b;

	memset(hs, 0, sizeof(*hs));
	fr_buf_init(&b, 0);
	fr_buf_addf(&b, "%s/handlers:%s", libexec,
	    path == NULL || path[0] == '\0' ? usual_path : path);
	hs->libexec = fr_str_dup(fr_span_of(libexec));
	if (fr_buf_ok(&b))
		hs->path = fr_str_dup(fr_buf_span(&b));
	fr_buf_fini(&b);
	if (hs->libexec != NULL && hs->path != NULL)
		return FR_OK;
	fr_handlers_fini(hs);
	return fr_fail(err, FR_NOMEM, "out of memory");
}

void
fr_handler_free(struct fr_handler *h)
{
	if (h == NULL)
		return;
	fr_chain_unref(h->chain);
	fr_command_free(h->paths);
	fr_command_free(h->argv);
	free(h->text);
	free(h);
}

void
fr_handlers_fini(struct fr_handlers *hs)
{
	size_t i;

	for (i = 0; i < hs->n; i++)
		fr_handler_free(hs->v[i]);
	free(hs->v);
	free(hs->dir);
	free(hs->ignored);
	free(hs->libexec);
	free(hs->path);
	memset(hs, 0, sizeof(*hs));
}

static struct fr_handler *
find(const struct fr_handlers *hs, struct fr_span type)
{
	size_t i;

	for (i = 0; i < hs->n; i++)
		if (fr_span_is(type, hs->v[i]->type))
			return hs->v[i];
	return NULL;
}

struct fr_handler *
fr_handlers_find(const struct fr_handlers *hs, struct fr_span type)
{
	struct fr_handler *h = find(hs, type);

	return h == NULL || h->gone || h->hidden || h->withdrawn ? NULL : h;
}

/* A handler by itself; text is copied. NULL without memory. */
static struct fr_handler *
make(const struct fr_handlers *hs, struct fr_span type,
    enum fr_handler_kind kind, bool command, const char *text)
{
	struct fr_handler *h = calloc(1, sizeof(*h));
	struct fr_command c = { NULL, NULL };
	enum fr_rc rc = FR_OK;

	if (h == NULL)
		return NULL;
	h->kind = kind;
	h->text = fr_str_dup(fr_span_of(text));
	if (kind != FR_HANDLER_CHAIN)
		rc = command ? fr_command_parse(&c, text, hs->path, NULL)
			     : fr_command_file(&c, text, NULL);
	h->paths = c.paths;
	h->argv = c.argv;
	if (h->text == NULL || rc != FR_OK ||
	    !fr_str_copy(h->type, sizeof(h->type), type)) {
		fr_handler_free(h);
		return NULL;
	}
	return h;
}

static bool
grow(struct fr_handlers *hs)
{
	struct fr_handler **grown;

	grown = realloc(hs->v, (hs->n + 1) * sizeof(*grown));
	if (grown != NULL)
		hs->v = grown;
	return grown != NULL;
}

/* There is room: grow was called. */
static void
place(struct fr_handlers *hs, struct fr_handler *h, size_t at)
{
	h->number = at;
	hs->v[at] = h;
	hs->generation++;
}

/* Takes h, which may be NULL; false without memory. */
static bool
append(struct fr_handlers *hs, struct fr_handler *h)
{
	if (h == NULL || !grow(hs)) {
		fr_handler_free(h);
		return false;
	}
	place(hs, h, hs->n++);
	return true;
}

struct fr_handler *
fr_handler_command(
    const struct fr_handlers *hs, const char *type, const char *command)
{
	return make(hs, fr_span_of(type), FR_HANDLER_COMMAND, true, command);
}

static bool
builtin_path(
    const struct fr_handlers *hs, struct fr_span name, char path[PATH_MAX])
{
	return fr_type_valid(name) &&
	       fr_str_format(path, PATH_MAX, "%s/handlers/%.*s", hs->libexec,
		   (int)name.len, name.p) &&
	       access(path, X_OK) == 0;
}

/* Cuts ".lines" or ".chain" off a name and says what it stands for. */
static bool
cut_suffix(struct fr_span *name, const char *suffix)
{
	const size_t len = strlen(suffix);

	if (name->len <= len ||
	    memcmp(name->p + name->len - len, suffix, len) != 0)
		return false;
	name->len -= len;
	return true;
}

static enum fr_rc
add_builtin(struct fr_handlers *hs, struct fr_span name, struct fr_err *err)
{
	char path[PATH_MAX];

	if (!builtin_path(hs, name, path))
		return fr_fail(err, FR_NOTFOUND,
		    "%.*s: no built-in handler of that name in %s/handlers",
		    (int)name.len, name.p, hs->libexec);
	if (!append(hs, make(hs, name, FR_HANDLER_BUILTIN, false, path)))
		return fr_fail(err, FR_NOMEM, "out of memory");
	return FR_OK;
}

enum fr_rc
fr_handlers_add(struct fr_handlers *hs, const char *arg, struct fr_err *err)
{
	const char *eq = strchrnul(arg, '=');
	struct fr_span name = { arg, (size_t)(eq - arg) };
	enum fr_handler_kind kind = FR_HANDLER_COMMAND;
	char path[PATH_MAX];
	const char *text = eq + 1;

	if (*eq == '=' && cut_suffix(&name, ".lines"))
		kind = FR_HANDLER_LINES;
	else if (*eq == '=' && cut_suffix(&name, ".chain"))
		kind = FR_HANDLER_CHAIN;
	if (!fr_type_valid(name))
		return fr_fail(err, FR_USAGE,
		    "%.*s: a type is 1 to %d of A-Z a-z 0-9 _ . -",
		    (int)name.len, name.p, FR_TYPE_MAX);
	if (find(hs, name) != NULL)
		return fr_fail(
		    err, FR_USAGE, "%.*s: given twice", (int)name.len, name.p);
	if (*eq != '=')
		return add_builtin(hs, name, err);
	if (*text == '\0')
		return fr_fail(err, FR_USAGE, "%.*s: the command is empty",
		    (int)name.len, name.p);
	if (kind == FR_HANDLER_CHAIN) {
		if (realpath(text, path) == NULL)
			return fr_failsys(err, FR_NOTFOUND, "open %s", text);
		text = path;
	}
	if (!append(hs, make(hs, name, kind, true, text)))
		return fr_fail(err, FR_NOMEM, "out of memory");
	return FR_OK;
}

struct fr_handler *
fr_handlers_named(struct fr_handlers *hs, struct fr_span name)
{
	struct fr_handler *h = find(hs, name);

	if (h != NULL)
		return h->gone ? NULL : h;
	if (add_builtin(hs, name, NULL) != FR_OK)
		return NULL;
	h = hs->v[hs->n - 1];
	h->hidden = true;
	return h;
}

/* What a file in the directory is; false: nothing for us. */
static bool
classify(const char *path, struct fr_span *name, enum fr_handler_kind *kind)
{
	struct stat st;

	*kind = FR_HANDLER_FILE;
	if (name->p[0] == '.')
		return false;
	if (cut_suffix(name, ".chain"))
		*kind = FR_HANDLER_CHAIN;
	else if (cut_suffix(name, ".lines"))
		*kind = FR_HANDLER_LINES;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       access(path, *kind == FR_HANDLER_CHAIN ? R_OK : X_OK) == 0;
}

static enum fr_rc
take_file(struct fr_handlers *hs, const char *file, struct fr_err *err)
{
	struct fr_span name = fr_span_of(file);
	enum fr_handler_kind kind;
	struct fr_handler *h, *fresh;
	char path[PATH_MAX];

	if (!fr_str_format(path, sizeof(path), "%s/%s", hs->dir, file) ||
	    !classify(path, &name, &kind))
		return FR_OK;
	if (!fr_type_valid(name)) {
		if (hs->ignored == NULL)
			hs->ignored = fr_str_dup(fr_span_of(file));
		return FR_OK;
	}
	h = find(hs, name);
	if (h != NULL && h->gone && strcmp(h->text, path) == 0) {
		h->gone = false;
		return FR_OK;
	}
	if (h != NULL && !h->from_dir && !h->hidden)
		return FR_OK;
	if (h != NULL && h->from_dir && !h->gone)
		return fr_fail(err, FR_CONFLICT, "%s and %s: both for type %s",
		    h->text, path, h->type);
	fresh = make(hs, name, kind, false, path);
	if (fresh == NULL || !grow(hs)) {
		fr_handler_free(fresh);
		return fr_fail(err, FR_NOMEM, "out of memory");
	}
	fresh->from_dir = true;
	if (h == NULL) {
		place(hs, fresh, hs->n++);
		return FR_OK;
	}
	/* The old one may still be running: it keeps a place at the end. */
	h->gone = true;
	h->hidden = true;
	h->type[0] = '\0';
	place(hs, fresh, h->number);
	place(hs, h, hs->n++);
	return FR_OK;
}

enum fr_rc
fr_handlers_scan(struct fr_handlers *hs, const char *dir, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;
	char path[PATH_MAX];
	struct dirent **names;
	size_t i;
	int n, k;

	if (hs->dir == NULL) {
		if (realpath(dir, path) == NULL)
			return fr_failsys(err, FR_IO, "open %s", dir);
		hs->dir = fr_str_dup(fr_span_of(path));
		if (hs->dir == NULL)
			return fr_fail(err, FR_NOMEM, "out of memory");
	}
	n = scandir(hs->dir, &names, NULL, alphasort);
	if (n == -1)
		return fr_failsys(err, FR_IO, "read %s", hs->dir);
	hs->generation++;
	free(hs->ignored);
	hs->ignored = NULL;
	for (i = 0; i < hs->n; i++) {
		hs->v[i]->withdrawn = false;
		if (hs->v[i]->from_dir)
			hs->v[i]->gone = true;
	}
	for (k = 0; k < n; k++) {
		if (rc == FR_OK)
			rc = take_file(hs, names[k]->d_name, err);
		free(names[k]);
	}
	free(names);
	return rc;
}
