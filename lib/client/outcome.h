/* SPDX-License-Identifier: MIT */
#ifndef FR_CLIENT_OUTCOME_H
#define FR_CLIENT_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include <fr/err.h>

#include "client/client.h"

/* What became of one try; whether it may be repeated follows from it. */
enum fr_outcome {
	FR_OUT_ANSWERED, /* for good or ill: there is a status */
	FR_OUT_NOT_SENT, /* no connection: nothing has happened */
	FR_OUT_BROKEN,   /* it may have happened */
	FR_OUT_BUSY,     /* 429, 503 */
	FR_OUT_HOPELESS  /* would fail again: certificate, not HTTP, too long */
};

/* A try that libcurl gave up. */
struct fr_failure {
	CURLcode code;
	CURL *easy;
	const char *url; /* the manager's, for messages */
	int64_t connect_ms;
	int64_t timeout_ms;
	bool streamed; /* pieces of the answer went out already */
	bool ended;    /* by the receiver of the pieces */
};

/* What that means; the message goes to *err. */
enum fr_outcome fr_outcome_broken(
    const struct fr_failure *f, struct fr_err *err);

/* What call->status means; the message, if it is no 2xx, goes to *err.
 * with_token: one was shown. */
enum fr_outcome fr_outcome_status(const char *url, bool with_token,
    const struct fr_call *call, struct fr_err *err);

#endif
