/* SPDX-License-Identifier: MIT */
#ifndef FR_LOG_H
#define FR_LOG_H

#include <fr/err.h>

enum fr_log_level { FR_LOG_ERROR, FR_LOG_WARN, FR_LOG_INFO, FR_LOG_DEBUG };

/*
 * One record a line, written at once to one descriptor: time, level, program
 * and message, then key=value pairs. Control characters are escaped. May be
 * called from any thread. Never waits: what the reader of a pipe does not take
 * is left out. Nothing is written before fr_log_to was called.
 */
void fr_log_to(int fd, const char *prog, enum fr_log_level most);
/* text and a newline, as it is. */
void fr_log_line(const char *text);
void fr_log(enum fr_log_level level, const char *fmt, ...) FR_PRINTF(2, 3);

#endif
