/* SPDX-License-Identifier: MIT */
#ifndef FR_IO_H
#define FR_IO_H

#include <stdbool.h>
#include <stddef.h>

#include <fr/err.h>

#include "base/buf.h"

/* All of it, through EINTR; -1 and errno on failure. */
int fr_io_write_all(int fd, const void *p, size_t len);

/* Everything up to the end of file, appended to b. FR_TOOBIG over b's limit;
 * FR_IO. name is for the message. */
FR_MUSTCHECK enum fr_rc fr_io_read_all(
    int fd, struct fr_buf *b, const char *name, struct fr_err *err);

/* A whole file, appended to b. */
FR_MUSTCHECK enum fr_rc fr_io_read_file(
    const char *path, struct fr_buf *b, struct fr_err *err);

/* Readers see the old file or all of the new one; synced. */
FR_MUSTCHECK enum fr_rc fr_io_replace(
    const char *path, const void *p, size_t len, struct fr_err *err);

/* Makes the directory and those above it that are missing. */
FR_MUSTCHECK enum fr_rc fr_io_mkdirs(
    const char *path, unsigned mode, struct fr_err *err);

/* -1 and errno on failure. */
int fr_io_nonblock(int fd);
int fr_io_cloexec(int fd);

#endif
