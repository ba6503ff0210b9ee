/* SPDX-License-Identifier: MIT */
#ifndef FR_MANAGER_AUTH_H
#define FR_MANAGER_AUTH_H

#include "manager.h"

/* Bearer tokens and what they may (RFC 6750). */
struct fr_auth;

/* path NULL: everybody may do everything. */
struct fr_auth *fr_auth_open(const char *path, struct fr_err *err);
void fr_auth_close(struct fr_auth *a); /* NULL is fine */
/* Reads the file again; if that fails the old tokens stay. */
FR_MUSTCHECK enum fr_rc fr_auth_reload(struct fr_auth *a, struct fr_err *err);
/* Whether q may be what its route is; else answers 401 or 403. */
bool fr_auth_allows(const struct fr_auth *a, struct fr_request *q,
    struct fr_span authorization);

#endif
