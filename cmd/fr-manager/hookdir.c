/* SPDX-License-Identifier: MIT */
#include "hookdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

/* The event that a file name is for; false if it is for none. */
static bool
parse_name(const char *name, enum fr_event_kind *kind)
{
	const char *dot = strchr(name, '.');
	const size_t n = dot == NULL ? strlen(name) : (size_t)(dot - name);

	return fr_event_parse((struct fr_span){ name, n }, kind) &&
	       (dot == NULL || fr_type_valid(fr_span_of(dot + 1)));
}

static bool
executable(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
	       faccessat(dir, name, X_OK, AT_EACCESS) == 0;
}

static enum fr_rc
collect(DIR *dir, struct fr_map *names, unsigned *kinds, struct fr_err *err)
{
	static char there;
	enum fr_event_kind kind;
	struct dirent *d;

	while ((errno = 0, d = readdir(dir)) != NULL) {
		if (!parse_name(d->d_name, &kind))
			continue;
		if (!executable(dirfd(dir), d->d_name)) {
			fr_log(
			    FR_LOG_WARN, "hook %s: not executable", d->d_name);
			continue;
		}
		if (!fr_map_put(names, fr_span_of(d->d_name), &there))
			return fr_fail(err, FR_NOMEM, "read hooks: memory");
		*kinds |= 1U << kind;
	}
	return errno == 0 ? FR_OK : fr_failsys(err, FR_IO, "read hooks");
}

enum fr_rc
fr_hookdir_read(struct fr_hookdir *d, struct fr_err *err)
{
	struct fr_map *names, *old;
	unsigned kinds = 0;
	enum fr_rc rc;
	DIR *dir;

	if (d->path == NULL)
		return FR_OK;
	dir = opendir(d->path);
	if (dir == NULL)
		return fr_failsys(err, FR_IO, "open %s", d->path);
	names = fr_map_new();
	if (names == NULL)
		rc = fr_fail(err, FR_NOMEM, "read hooks: out of memory");
	else
		rc = collect(dir, names, &kinds, err);
	(void)closedir(dir);
	if (rc != FR_OK) {
		fr_map_free(names);
		return rc;
	}
	pthread_mutex_lock(&d->lock);
	old = d->names;
	d->names = names;
	__atomic_store_n(&d->kinds, kinds, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&d->lock);
	fr_map_free(old);
	return FR_OK;
}

enum fr_rc
fr_hookdir_init(struct fr_hookdir *d, const char *path, struct fr_err *err)
{
	*d = (struct fr_hookdir){ .path = path };
	if (pthread_mutex_init(&d->lock, NULL) != 0)
		return fr_fail(err, FR_NOMEM, "read hooks: no mutex");
	return fr_hookdir_read(d, err);
}

void
fr_hookdir_fini(struct fr_hookdir *d)
{
	fr_map_free(d->names);
	pthread_mutex_destroy(&d->lock);
}

unsigned
fr_hookdir_find(
    struct fr_hookdir *d, enum fr_event_kind kind, struct fr_span type)
{
	char name[FR_TYPE_MAX + 32];
	const char *event = fr_event_name(kind);
	unsigned found = 0;

	if ((__atomic_load_n(&d->kinds, __ATOMIC_RELAXED) & 1U << kind) == 0)
		return 0;
	pthread_mutex_lock(&d->lock);
	if (fr_map_get(d->names, fr_span_of(event)) != NULL)
		found |= 1;
	if (fr_str_format(
		name, sizeof(name), "%s.%.*s", event, (int)type.len, type.p) &&
	    fr_map_get(d->names, fr_span_of(name)) != NULL)
		found |= 2;
	pthread_mutex_unlock(&d->lock);
	return found;
}
