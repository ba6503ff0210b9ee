/* SPDX-License-Identifier: MIT */
#ifndef FR_CLIENT_TARGET_H
#define FR_CLIENT_TARGET_H

#include <curl/curl.h>

#include <fr/err.h>

/* One manager's address, taken apart and checked. */
struct fr_target {
	char base[600]; /* what paths are put behind; no slash at its end */
	char unix_path[108]; /* of its socket; "" over TCP */
	char shown[600];     /* for messages; nothing secret */
};

/*
 * "http://HOST[:PORT][/PREFIX]", "https://…" or "unix:PATH". FR_USAGE for
 * anything else, also for a user or password in it.
 */
FR_MUSTCHECK enum fr_rc fr_target_parse(
    const char *url, struct fr_target *t, struct fr_err *err);

/*
 * Points an easy handle at path there and sets what every request of ours
 * has: no redirects, no proxy, HTTP only, verified TLS. ca_file may be NULL.
 */
FR_MUSTCHECK enum fr_rc fr_target_apply(const struct fr_target *t, CURL *easy,
    const char *path, const char *ca_file, struct fr_err *err);

/*
 * Adds "NAME: value" to *list; FR_NOMEM, or FR_USAGE if value has characters
 * that no header may carry (the message does not show it).
 */
FR_MUSTCHECK enum fr_rc fr_target_header(struct curl_slist **list,
    const char *name, const char *value, struct fr_err *err);

#endif
