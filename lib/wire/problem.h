/* SPDX-License-Identifier: MIT */
#ifndef FR_WIRE_PROBLEM_H
#define FR_WIRE_PROBLEM_H

#include <fr/err.h>
#include <fr/job.h>

#include "base/buf.h"

/* Errors of the API: application/problem+json (RFC 9457). */

/* The phrase of an HTTP status, for its line and as a title; static text. */
const char *fr_wire_problem_title(int status);

/* Adds {"type","title","status","detail"}. type is "about:blank" or a name
 * of ours: "stale", "wrong-state" ...; title goes with the status. */
void fr_wire_problem_write(
    struct fr_buf *b, int status, const char *type, const char *detail);

/* The text of detail (or title) of a problem document, decoded, into dst;
 * "" if json is none. */
void fr_wire_problem_detail(struct fr_span json, char *dst, size_t size);

#endif
