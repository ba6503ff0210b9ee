/* SPDX-License-Identifier: MIT */
#ifndef FR_MODULE_H
#define FR_MODULE_H

#include <stddef.h>

#include <fr/backend.h>

/*
 * Loads a backend from a shared object, which stays loaded until the process
 * ends. path contains a slash; the file must belong to root or to us, and be
 * writable by nobody else. *m is the module's own table. FR_NOTFOUND,
 * FR_DENIED, FR_BROKEN: no fr_module in it, or made for another version.
 */
FR_MUSTCHECK enum fr_rc fr_module_load(
    const struct fr_module **m, const char *path, struct fr_err *err);

#endif
