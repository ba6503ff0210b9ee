/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <fr/err.h>

/*
 * Messages are built aside first, since an argument may be the old message of
 * the same struct fr_err.
 */

/* Ends the text at a whole character and takes control characters out. */
static void
clean(char *z, size_t size, int want)
{
	unsigned char *p = (unsigned char *)z;
	size_t n;

	if (want >= 0 && (size_t)want >= size) {
		n = size - 1;
		while (n > 0 && (p[n - 1] & 0xc0) == 0x80)
			n--;
		if (n > 0 && p[n - 1] >= 0xc0)
			n--;
		z[n] = '\0';
	}
	for (; *p != '\0'; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' '; /* libpq's messages have several lines */
		else if (*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static void
put(struct fr_err *err, enum fr_rc rc, const char *fmt, va_list ap,
    const char *reason)
{
	char text[FR_ERR_MAX], whole[FR_ERR_MAX];
	int n;

	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		text[0] = '\0';
	clean(text, sizeof(text), n);
	err->rc = rc;
	if (reason == NULL) {
		memcpy(err->msg, text, sizeof(text));
		return;
	}
	n = snprintf(whole, sizeof(whole), "%s: %s", text, reason);
	clean(whole, sizeof(whole), n);
	memcpy(err->msg, whole, sizeof(whole));
}

enum fr_rc
fr_fail(struct fr_err *err, enum fr_rc rc, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return rc;
	va_start(ap, fmt);
	put(err, rc, fmt, ap, NULL);
	va_end(ap);
	return rc;
}

static enum fr_rc
from_errno(enum fr_rc rc, int e)
{
	if (rc != FR_IO)
		return rc;
	switch (e) {
	case ENOSPC:
	case EDQUOT:
		return FR_NOSPACE;
	case ENOMEM:
		return FR_NOMEM;
	case EACCES:
	case EPERM:
		return FR_DENIED;
	case ENOENT:
		return FR_NOTFOUND;
	default:
		return rc;
	}
}

enum fr_rc
fr_failsys(struct fr_err *err, enum fr_rc rc, const char *fmt, ...)
{
	const int saved = errno;
	char reason[128];
	va_list ap;

	rc = from_errno(rc, saved);
	if (err != NULL) {
		va_start(ap, fmt);
		put(err, rc, fmt, ap,
		    strerror_r(saved, reason, sizeof(reason)));
		va_end(ap);
	}
	errno = saved;
	return rc;
}

const char *
fr_rc_name(enum fr_rc rc)
{
	switch (rc) {
	case FR_OK:
		return "ok";
	case FR_NOTFOUND:
		return "not-found";
	case FR_EXISTS:
		return "exists";
	case FR_CONFLICT:
		return "conflict";
	case FR_STALE:
		return "stale";
	case FR_SYNTAX:
		return "syntax";
	case FR_INVALID:
		return "invalid";
	case FR_TOOBIG:
		return "too-big";
	case FR_DENIED:
		return "denied";
	case FR_NOSPACE:
		return "no-space";
	case FR_AGAIN:
		return "again";
	case FR_UNKNOWN:
		return "unknown";
	case FR_IO:
		return "io";
	case FR_NOMEM:
		return "no-memory";
	case FR_UNREACHABLE:
		return "unreachable";
	case FR_TIMEOUT:
		return "timeout";
	case FR_USAGE:
		return "usage";
	case FR_JOBFAILED:
		return "job-failed";
	case FR_BROKEN:
		return "broken";
	}
	return "?";
}
