/* SPDX-License-Identifier: MIT */
#ifndef FR_URL_H
#define FR_URL_H

#include <stdbool.h>
#include <stddef.h>

#include <fr/err.h>
#include <fr/job.h>

/* scheme://[user[:password]@]host[:port][/path][?a=b&c=d], or scheme:path */
struct fr_url {
	char scheme[32]; /* lower case */
	char user[128];
	char password[256];
	char host[256];       /* without the brackets of IPv6 */
	int port;             /* -1: none given */
	char path[1024];      /* decoded; of scheme:path all up to '?' */
	struct fr_span query; /* as it stands, without '?'; borrowed */
};

/* FR_INVALID with a message that never shows the password. text must outlive
 * url->query. */
FR_MUSTCHECK enum fr_rc fr_url_parse(
    const char *text, struct fr_url *url, struct fr_err *err);

/*
 * The value of parameter name, percent-decoded, into dst. FR_NOTFOUND: not
 * there; FR_SYNTAX bad escape or %00; FR_TOOBIG.
 */
FR_MUSTCHECK enum fr_rc fr_url_param(
    struct fr_span query, const char *name, char *dst, size_t size);

/* Walks name=value pairs: false at the end. Both as they stand. */
bool fr_url_next_param(
    struct fr_span *query, struct fr_span *name, struct fr_span *value);

/* Percent-decodes ('+' stays); FR_SYNTAX for a bad escape or a NUL. */
FR_MUSTCHECK enum fr_rc fr_url_decode(struct fr_span s, char *dst, size_t size);

#endif
