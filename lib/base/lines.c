/* SPDX-License-Identifier: MIT */
#include "base/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)256 << 10)

void
fr_lines_init(struct fr_lines *l, size_t max_bytes)
{
	memset(l, 0, sizeof(*l));
	l->max_bytes = max_bytes;
	fr_buf_init(&l->buf, 0);
}

void
fr_lines_fini(struct fr_lines *l)
{
	fr_buf_fini(&l->buf);
}

bool
fr_lines_next(struct fr_lines *l, struct fr_span *line)
{
	const char *nl = NULL;

	if (l->pos >= l->buf.len)
		return false;
	if (l->scanned < l->buf.len)
		nl = memchr(
		    l->buf.p + l->scanned, '\n', l->buf.len - l->scanned);
	line->p = l->buf.p + l->pos;
	if (nl != NULL) {
		line->len = (size_t)(nl - line->p);
	} else {
		l->scanned = l->buf.len;
		line->len = l->buf.len - l->pos;
		if (!l->end)
			return false;
	}
	l->pos += line->len + (nl != NULL);
	l->scanned = l->pos;
	l->line++;
	return true;
}

enum fr_rc
fr_lines_read(struct fr_lines *l, int fd, const char *name, struct fr_err *err)
{
	ssize_t n;
	char *p;

	fr_buf_shift(&l->buf, l->pos);
	l->scanned -= l->pos;
	l->pos = 0;
	if (l->buf.len > l->max_bytes)
		return fr_fail(err, FR_TOOBIG, "line %llu: over %zu bytes",
		    (unsigned long long)l->line + 1, l->max_bytes);
	p = fr_buf_reserve(&l->buf, CHUNK);
	if (p == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	n = read(fd, p, CHUNK);
	if (n == 0)
		l->end = true;
	else if (n > 0) {
		fr_buf_commit(&l->buf, (size_t)n);
		l->bytes += (uint64_t)n;
	} else if (errno != EINTR && errno != EAGAIN)
		return fr_failsys(err, FR_IO, "read %s", name);
	return FR_OK;
}

bool
fr_lines_blank(struct fr_span line)
{
	size_t i;

	for (i = 0; i < line.len; i++)
		if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
			return false;
	return true;
}
