/* SPDX-License-Identifier: MIT */
#include "client/outcome.h"

#include <errno.h>
#include <string.h>

#include "wire/problem.h"

/* The message for a connection that did not come about. */
static void
no_connection(const struct fr_failure *f, struct fr_err *err)
{
	long no = 0;

	(void)curl_easy_getinfo(f->easy, CURLINFO_OS_ERRNO, &no);
	if (f->code == CURLE_COULDNT_RESOLVE_HOST)
		(void)fr_fail(err, FR_UNREACHABLE,
		    "%s: there is no host with this name", f->url);
	else if (f->code == CURLE_OPERATION_TIMEDOUT)
		(void)fr_fail(err, FR_UNREACHABLE,
		    "%s: no connection within %lld ms", f->url,
		    (long long)f->connect_ms);
	else if (no == ECONNREFUSED || no == ENOENT)
		(void)fr_fail(err, FR_UNREACHABLE,
		    "%s: %s; is fr-manager running? (set FR_MANAGER or -m)",
		    f->url,
		    no == ENOENT ? "no such socket" : "connection refused");
	else
		(void)fr_fail(err, FR_UNREACHABLE, "%s: %s", f->url,
		    no != 0 ? strerror((int)no) : curl_easy_strerror(f->code));
}

enum fr_outcome
fr_outcome_broken(const struct fr_failure *f, struct fr_err *err)
{
	long sent = 0; /* bytes of the request's head */

	(void)curl_easy_getinfo(f->easy, CURLINFO_REQUEST_SIZE, &sent);
	if (f->ended) {
		(void)fr_fail(
		    err, FR_TIMEOUT, "%s: ended by the receiver", f->url);
		return FR_OUT_HOPELESS;
	}
	switch ((int)f->code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		no_connection(f, err);
		return FR_OUT_NOT_SENT;
	case CURLE_OPERATION_TIMEDOUT:
		if (sent == 0) {
			no_connection(f, err);
			return FR_OUT_NOT_SENT;
		}
		(void)fr_fail(err, FR_UNREACHABLE,
		    "%s: no answer within %lld ms", f->url,
		    (long long)f->timeout_ms);
		return FR_OUT_BROKEN;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		(void)fr_fail(err, FR_UNREACHABLE,
		    "%s: the connection broke before the answer was complete",
		    f->url);
		return f->streamed ? FR_OUT_HOPELESS : FR_OUT_BROKEN;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		(void)fr_fail(err, FR_UNREACHABLE,
		    "%s: the certificate cannot be trusted: %s (--ca-file "
		    "FILE)",
		    f->url, curl_easy_strerror(f->code));
		return FR_OUT_HOPELESS;
	case CURLE_SSL_CONNECT_ERROR:
		(void)fr_fail(err, FR_UNREACHABLE,
		    "%s: no TLS connection; does it speak https?", f->url);
		return FR_OUT_HOPELESS;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		(void)fr_fail(err, FR_UNREACHABLE,
		    "%s: what answers does not speak HTTP; is it fr-manager?",
		    f->url);
		return FR_OUT_HOPELESS;
	case CURLE_WRITE_ERROR:
		(void)fr_fail(
		    err, FR_TOOBIG, "%s: the answer is too long", f->url);
		return FR_OUT_HOPELESS;
	case CURLE_OUT_OF_MEMORY:
		(void)fr_fail(err, FR_NOMEM, "out of memory");
		return FR_OUT_HOPELESS;
	default:
		(void)fr_fail(err, FR_UNREACHABLE, "%s: %s", f->url,
		    curl_easy_strerror(f->code));
		return FR_OUT_HOPELESS;
	}
}

/* What a status says about the call; every 2xx is FR_OK. */
static enum fr_rc
status_rc(int status)
{
	switch (status) {
	case 400:
		return FR_SYNTAX;
	case 401:
	case 403:
		return FR_DENIED;
	case 404:
		return FR_NOTFOUND;
	case 409:
		return FR_CONFLICT;
	case 413:
		return FR_TOOBIG;
	case 422:
		return FR_INVALID;
	case 429:
	case 503:
		return FR_AGAIN;
	case 507:
		return FR_NOSPACE;
	default:
		return status / 100 == 2 ? FR_OK : FR_IO;
	}
}

/*
 * Whether a 404 is about a call like /v1/jobs itself, which names no job and no
 * type that could be missing: then no manager is at this URL.
 */
static bool
no_such_call(const struct fr_call *call, const char *detail)
{
	return call->status == 404 &&
	       (strchr(call->path + 1, '/') == strrchr(call->path, '/') ||
		   strcmp(detail, "no such path") == 0);
}

enum fr_outcome
fr_outcome_status(const char *url, bool with_token, const struct fr_call *call,
    struct fr_err *err)
{
	enum fr_rc rc = status_rc(call->status);
	char detail[FR_ERR_MAX];

	if (rc == FR_OK)
		return FR_OUT_ANSWERED;
	fr_wire_problem_detail(
	    fr_buf_span(&call->answer), detail, sizeof(detail));
	if (no_such_call(call, detail))
		rc = fr_fail(err, FR_UNREACHABLE,
		    "%s: %s is not there (HTTP 404); is this fr-manager's URL?",
		    url, call->path);
	else if (call->status == 401)
		(void)fr_fail(err, rc, "%s: %s%s", url,
		    detail[0] != '\0' ? detail : "not allowed",
		    with_token ? ""
			       : " (a token goes into a file: FR_TOKEN_FILE)");
	else if (detail[0] != '\0')
		(void)fr_fail(err, rc, "%s", detail);
	else if (rc == FR_AGAIN)
		(void)fr_fail(err, rc, "%s: it cannot take more now (HTTP %d)",
		    url, call->status);
	else if (call->status / 100 == 3)
		(void)fr_fail(err, rc,
		    "%s: it redirects (HTTP %d), which is not followed", url,
		    call->status);
	else
		(void)fr_fail(err, rc, "%s: %s %s: HTTP %d", url, call->method,
		    call->path, call->status);
	return rc == FR_AGAIN ? FR_OUT_BUSY : FR_OUT_ANSWERED;
}
