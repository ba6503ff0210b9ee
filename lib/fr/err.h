/* SPDX-License-Identifier: MIT */
#ifndef FR_ERR_H
#define FR_ERR_H

/*
 * How everything in Forerunner says what became of a call. A function that
 * can fail returns enum fr_rc and takes a struct fr_err last; the lowest
 * layer that knows the object writes the message, once.
 */

#define FR_MUSTCHECK __attribute__((warn_unused_result))
#define FR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum fr_rc {
	FR_OK = 0,
	FR_NOTFOUND,    /* no such job, type or file */
	FR_EXISTS,      /* already there, and the same: no harm done */
	FR_CONFLICT,    /* already there and different, or in the wrong state */
	FR_STALE,       /* the lease shown is not the current one */
	FR_SYNTAX,      /* not JSON, not HTTP, not a number */
	FR_INVALID,     /* well formed, but a wrong value */
	FR_TOOBIG,      /* over a limit */
	FR_DENIED,      /* not allowed */
	FR_NOSPACE,     /* storage is full; nothing was written */
	FR_AGAIN,       /* cannot be done now; nothing happened; try later */
	FR_UNKNOWN,     /* may or may not have happened: ask again */
	FR_IO,          /* I/O error */
	FR_NOMEM,       /* out of memory; nothing happened */
	FR_UNREACHABLE, /* the other side does not answer */
	FR_TIMEOUT,     /* the time was over first */
	FR_USAGE,       /* wrong use of a command */
	FR_JOBFAILED,   /* all went well, but the job failed (or a test did) */
	FR_BROKEN       /* a backend broke its contract */
};

#define FR_ERR_MAX 512

/* rc and text of the last failure; only meaningful after a failing call. */
struct fr_err {
	enum fr_rc rc;
	char msg[FR_ERR_MAX];
};

#define FR_ERR_INIT                                                            \
	{                                                                      \
		FR_OK, ""                                                      \
	}

/*
 * Writes a message ("verb object: reason", no newline, no job payload) and
 * rc into *err, which may be NULL, and returns rc. A message that is too long
 * is cut. Control characters are replaced by '?'.
 */
enum fr_rc fr_fail(struct fr_err *err, enum fr_rc rc, const char *fmt, ...)
    FR_PRINTF(3, 4);

/*
 * The same, with ": " and the text of errno behind it. ENOSPC and EDQUOT turn
 * rc FR_IO into FR_NOSPACE, ENOMEM into FR_NOMEM, EACCES and EPERM into
 * FR_DENIED, ENOENT into FR_NOTFOUND. errno is left as it was.
 */
enum fr_rc fr_failsys(struct fr_err *err, enum fr_rc rc, const char *fmt, ...)
    FR_PRINTF(3, 4);

/* The name of rc for logs ("stale", "no-space" ...); never NULL. */
const char *fr_rc_name(enum fr_rc rc);

#endif
