/* SPDX-License-Identifier: MIT */
/*
 * Packs a directory: pax tar, gzip. Entries are sorted by name and begin with
 * the directory's own name; the gzip header has no time: the same tree gives
 * the same bytes. The archive is written aside, and is never part of itself.
 * Symbolic links are stored as such and followed nowhere below the directory.
 */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/jsonw.h"
#include "base/root.h"
#include "base/str.h"
#include "cli/handler.h"
#include "cli/prog.h"

#define MAX_DEPTH 200 /* each level keeps a descriptor */

struct conf {
	const char *root;
};

static const struct fr_opt opts[] = {
	{ 0, "root", FR_OPT_STR, "DIR", offsetof(struct conf, root),
	    "read and write in this directory only", 0, 0 },
	{ 0 },
};
static const struct fr_prog prog = {
	.name = "targz",
	.args = "",
	.summary = "pack a directory into a .tar.gz file",
	.more = "Data: {\"origin\":DIR,\"destination\":FILE}. "
		"Result: {\"location\":FILE}.\n",
	.opts = opts,
};

struct pack {
	struct archive *a;
	/* The archive itself, and the file that it will replace: not packed. */
	struct stat skip[2];
	size_t nskip;
	unsigned depth;
	struct fr_buf path; /* of the entry, as it is in the archive */
};

static enum fr_rc
archive_failed(const struct pack *p, struct fr_err *err)
{
	const char *why = archive_error_string(p->a);
	const int code = archive_errno(p->a);

	if (code > 0) {
		errno = code;
		return fr_failsys(err, FR_IO, "write archive");
	}
	return fr_fail(err, FR_IO, "write archive: %s",
	    why == NULL ? "unknown error" : why);
}

/* The header of the entry at p->path. */
static enum fr_rc
write_header(
    struct pack *p, const struct stat *st, const char *link, struct fr_err *err)
{
	struct archive_entry *e = archive_entry_new();
	enum fr_rc rc = FR_OK;

	if (e == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	archive_entry_copy_stat(e, st);
	archive_entry_copy_pathname(e, fr_buf_cstr(&p->path));
	/* Each name is a file of its own; times as tar has always had them. */
	archive_entry_set_nlink(e, 1);
	archive_entry_unset_atime(e);
	archive_entry_unset_ctime(e);
	if (link != NULL)
		archive_entry_copy_symlink(e, link);
	if (!S_ISREG(st->st_mode))
		archive_entry_set_size(e, 0);
	if (archive_write_header(p->a, e) < ARCHIVE_WARN)
		rc = archive_failed(p, err);
	archive_entry_free(e);
	return rc;
}

static enum fr_rc
write_body(struct pack *p, int fd, int64_t size, struct fr_err *err)
{
	char piece[65536];
	ssize_t n;

	while (size > 0) {
		const size_t want = size < (int64_t)sizeof(piece)
					? (size_t)size
					: sizeof(piece);

		n = read(fd, piece, want);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return fr_failsys(
			    err, FR_IO, "read %s", fr_buf_cstr(&p->path));
		if (n == 0)
			return fr_fail(err, FR_AGAIN, "%s: shrank meanwhile",
			    fr_buf_cstr(&p->path));
		if (archive_write_data(p->a, piece, (size_t)n) != n)
			return archive_failed(p, err);
		size -= n;
	}
	return FR_OK;
}

static enum fr_rc
pack_file(struct pack *p, int fd, struct fr_err *err)
{
	struct stat st;
	enum fr_rc rc;

	if (fstat(fd, &st) == -1)
		return fr_failsys(err, FR_IO, "read %s", fr_buf_cstr(&p->path));
	if (!S_ISREG(st.st_mode))
		return fr_fail(err, FR_AGAIN, "%s: changed meanwhile",
		    fr_buf_cstr(&p->path));
	rc = write_header(p, &st, NULL, err);
	return rc == FR_OK ? write_body(p, fd, st.st_size, err) : rc;
}

static enum fr_rc
pack_link(struct pack *p, int dir, const char *name, const struct stat *st,
    struct fr_err *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n == -1)
		return fr_failsys(err, FR_IO, "read %s", fr_buf_cstr(&p->path));
	target[n] = '\0';
	return write_header(p, st, target, err);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
free_names(char **names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* The names in a directory, sorted; yours to free. Takes fd. */
static enum fr_rc
list_names(int fd, char ***out, size_t *count, struct fr_err *err)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	char **names = NULL, **more;
	size_t n = 0, cap = 0;
	enum fr_rc rc = FR_OK;

	if (d == NULL) {
		rc = fr_failsys(err, FR_IO, "read directory");
		(void)close(fd);
		return rc;
	}
	while (rc == FR_OK && (errno = 0, e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (n == cap) {
			cap = cap == 0 ? 64 : cap * 2;
			more = reallocarray(names, cap, sizeof(*names));
			if (more == NULL) {
				rc = fr_fail(err, FR_NOMEM, "out of memory");
				break;
			}
			names = more;
		}
		names[n] = fr_str_dup(fr_span_of(e->d_name));
		if (names[n++] == NULL)
			rc = fr_fail(err, FR_NOMEM, "out of memory");
	}
	if (rc == FR_OK && errno != 0)
		rc = fr_failsys(err, FR_IO, "read directory");
	(void)closedir(d);
	if (rc == FR_OK) {
		if (n > 1)
			qsort(names, n, sizeof(*names), by_name);
		*out = names;
		*count = n;
	} else {
		free_names(names, n);
	}
	return rc;
}

static enum fr_rc pack_dir(struct pack *p, int dir, struct fr_err *err);

/* Opens a file or directory below dir and packs it. */
static enum fr_rc
pack_opened(
    struct pack *p, int dir, const char *name, bool is_dir, struct fr_err *err)
{
	enum fr_rc rc;
	int fd = openat(dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
		(is_dir ? O_DIRECTORY : 0));

	if (fd == -1)
		return fr_failsys(err, FR_IO, "open %s", fr_buf_cstr(&p->path));
	rc = is_dir ? pack_dir(p, fd, err) : pack_file(p, fd, err);
	(void)close(fd);
	return rc;
}

/* One name in dir, whatever it is. p->path is its path. */
static enum fr_rc
pack_entry(struct pack *p, int dir, const char *name, struct fr_err *err)
{
	struct stat st;
	size_t i;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return fr_failsys(err, FR_IO, "read %s", fr_buf_cstr(&p->path));
	for (i = 0; i < p->nskip; i++)
		if (st.st_dev == p->skip[i].st_dev &&
		    st.st_ino == p->skip[i].st_ino)
			return FR_OK;
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
		return pack_opened(p, dir, name, S_ISDIR(st.st_mode), err);
	case S_IFLNK:
		return pack_link(p, dir, name, &st, err);
	default:
		fr_warnf("%s: skipped, not a file, directory or link",
		    fr_buf_cstr(&p->path));
		return FR_OK;
	}
}

/* A directory and all below it. p->path is its path, "" for the top. */
static enum fr_rc
pack_dir(struct pack *p, int dir, struct fr_err *err)
{
	const size_t len = p->path.len;
	struct stat st;
	char **names = NULL;
	size_t n = 0, i;
	enum fr_rc rc = FR_OK;
	int copy;

	if (p->depth == MAX_DEPTH)
		return fr_fail(err, FR_TOOBIG, "%s: more than %d levels",
		    fr_buf_cstr(&p->path), MAX_DEPTH);
	if (fstat(dir, &st) == -1)
		return fr_failsys(err, FR_IO, "read directory");
	if (len > 0) {
		fr_buf_addc(&p->path, '/');
		rc = write_header(p, &st, NULL, err);
	}
	if (rc != FR_OK)
		return rc;
	copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy == -1)
		return fr_failsys(err, FR_IO, "open %s", fr_buf_cstr(&p->path));
	rc = list_names(copy, &names, &n, err);
	p->depth++;
	for (i = 0; rc == FR_OK && i < n; i++) {
		const size_t below = p->path.len;

		fr_buf_adds(&p->path, names[i]);
		rc = pack_entry(p, dir, names[i], err);
		p->path.len = below;
	}
	p->depth--;
	p->path.len = len;
	free_names(names, n);
	return rc;
}

/* Opens the archive on fd and packs dir under its own name. */
static enum fr_rc
pack_into(struct pack *p, int dir, int fd, struct fr_err *err)
{
	enum fr_rc rc;

	p->a = archive_write_new();
	if (p->a == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	if (archive_write_set_format_pax_restricted(p->a) != ARCHIVE_OK ||
	    archive_write_add_filter_gzip(p->a) != ARCHIVE_OK ||
	    archive_write_set_options(p->a, "gzip:!timestamp") != ARCHIVE_OK ||
	    archive_write_open_fd(p->a, fd) != ARCHIVE_OK)
		rc = archive_failed(p, err);
	else
		rc = pack_dir(p, dir, err);
	if (rc == FR_OK && !fr_buf_ok(&p->path))
		rc = fr_fail(err, FR_NOMEM, "out of memory");
	if (rc == FR_OK && archive_write_close(p->a) != ARCHIVE_OK)
		rc = archive_failed(p, err);
	if (rc != FR_OK)
		(void)archive_write_fail(p->a);
	(void)archive_write_free(p->a);
	return rc;
}

/* The last component of a path, without slashes; "." and ".." are none. */
static struct fr_span
last_name(const char *path)
{
	size_t end = strlen(path), at;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (at = end; at > 0 && path[at - 1] != '/'; at--)
		;
	if ((end - at == 1 && path[at] == '.') ||
	    (end - at == 2 && path[at] == '.' && path[at + 1] == '.'))
		end = at;
	return (struct fr_span){ path + at, end - at };
}

struct job {
	const char *origin;
	const char *destination;
	char *parent; /* of the destination */
	char *name;   /* in it */
};

static enum fr_rc
read_job(struct job *j, struct fr_input *in, struct fr_err *err)
{
	struct fr_span name;
	enum fr_rc rc;

	rc = fr_input_object(in, err);
	if (rc == FR_OK)
		rc = fr_input_text(in, "origin", true, &j->origin, err);
	if (rc == FR_OK)
		rc = fr_input_text(
		    in, "destination", true, &j->destination, err);
	if (rc != FR_OK)
		return rc;
	name = last_name(j->destination);
	if (name.len == 0 || name.p[name.len] == '/')
		return fr_fail(err, FR_INVALID,
		    "data: `destination` names no file: %s", j->destination);
	j->name = fr_arena_dupz(in->arena, name);
	j->parent = name.p == j->destination
			? fr_arena_dupz(in->arena, FR_SPAN("."))
			: fr_arena_dupz(in->arena,
			      (struct fr_span){ j->destination,
				  (size_t)(name.p - j->destination) });
	if (j->name == NULL || j->parent == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	return FR_OK;
}

static enum fr_rc
targz(
    const void *arg, struct fr_input *in, struct fr_buf *b, struct fr_err *err)
{
	const struct conf *conf = arg;
	struct job j = { NULL, NULL, NULL, NULL };
	struct pack p = { .a = NULL };
	struct fr_root root = { .fd = -1 };
	struct fr_aside file = FR_ASIDE_INIT;
	enum fr_rc rc;
	int from = -1, to = -1;

	fr_buf_init(&p.path, 0);
	rc = read_job(&j, in, err);
	if (rc == FR_OK)
		rc = fr_root_open(&root, conf->root, err);
	if (rc == FR_OK)
		rc = fr_root_read(&root, j.origin, O_DIRECTORY, &from, err);
	if (rc == FR_OK)
		rc = fr_root_dir(&root, j.parent, &to, err);
	if (rc == FR_OK)
		rc = fr_aside_open(&file, to, err);
	if (rc != FR_OK)
		goto out;
	if (fstatat(to, j.name, &p.skip[0], AT_SYMLINK_NOFOLLOW) == 0)
		p.nskip++;
	if (fstat(file.fd, &p.skip[p.nskip]) == 0)
		p.nskip++;
	fr_buf_addspan(&p.path, last_name(j.origin));
	rc = pack_into(&p, from, file.fd, err);
	if (rc == FR_OK)
		rc = fr_aside_commit(&file, j.name, err);
	if (rc == FR_OK && fsync(to) == -1)
		rc = fr_failsys(err, FR_IO, "sync %s", j.parent);
	if (rc == FR_OK) {
		fr_jsonw_open(b, '{');
		fr_jsonw_key(b, "location");
		fr_jsonw_strz(b, j.destination);
		fr_jsonw_close(b, '}');
	}
out:
	fr_aside_fini(&file);
	if (from != -1)
		(void)close(from);
	if (to != -1)
		(void)close(to);
	fr_root_close(&root);
	fr_buf_fini(&p.path);
	return rc;
}

int
main(int argc, char *argv[])
{
	struct conf conf = { NULL };

	if (fr_args(&prog, argc, argv, &conf) < argc)
		fr_usage(&prog, "too many arguments");
	/* libarchive writes names as UTF-8 if it may take them for that. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return fr_handler_run(targz, &conf);
}
