/* SPDX-License-Identifier: MIT */
#ifndef FR_LINES_H
#define FR_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/buf.h"

/*
 * Lines from a descriptor, whatever pieces they come in: read when there is
 * something to read, then take lines until there is none.
 */
struct fr_lines {
	struct fr_buf buf;
	size_t max_bytes; /* of one line */
	size_t pos;       /* what was taken already */
	size_t scanned;   /* there is no line feed before this */
	uint64_t line;    /* how many lines were taken */
	uint64_t bytes;   /* how many bytes were read */
	bool end;         /* the end of the file was read */
};

void fr_lines_init(struct fr_lines *l, size_t max_bytes);
void fr_lines_fini(struct fr_lines *l);

/*
 * The next line without its line feed, which the last one may lack; false if
 * more must be read first, or there is none. Borrowed until the next read.
 */
bool fr_lines_next(struct fr_lines *l, struct fr_span *line);

/*
 * One read(2), after all lines were taken. FR_TOOBIG: a line over max_bytes;
 * FR_IO, FR_NOMEM. name is for the message.
 */
FR_MUSTCHECK enum fr_rc fr_lines_read(
    struct fr_lines *l, int fd, const char *name, struct fr_err *err);

/* Whether there is nothing but white space in it. */
bool fr_lines_blank(struct fr_span line);

#endif
