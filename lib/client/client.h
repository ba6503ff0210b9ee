/* SPDX-License-Identifier: MIT */
#ifndef FR_CLIENT_H
#define FR_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/buf.h"

/* A connection to a manager: http://, https:// or unix:PATH. */
struct fr_client;

struct fr_client_conf {
	const char *manager; /* URL[,URL...]: the first that answers is used */
	const char *token;   /* NULL: none */
	const char *ca_file; /* who is trusted for https; NULL: the system's */
	int64_t connect_ms;  /* 0: 5 s; the most, if there are several */
	int64_t retry_ms;    /* how long a broken connection is tried again
				(only for requests that may be sent twice);
				0: not at all */
	bool patient;        /* retry_ms also counts before the first answer;
				else a manager that is not there when it is
				first called is an error at once */
};

/* Checks the URLs; connects to nothing yet. FR_USAGE for a bad URL. */
FR_MUSTCHECK enum fr_rc fr_client_open(struct fr_client **out,
    const struct fr_client_conf *conf, struct fr_err *err);
void fr_client_close(struct fr_client *cl); /* NULL is fine */

/* One request and its answer. Zero it before the first use. */
struct fr_call {
	const char *method;        /* "GET", "POST", "DELETE" */
	const char *path;          /* "/v1/jobs?limit=3" */
	const char *content_type;  /* NULL: application/json */
	const char *accept;        /* NULL: application/json */
	const char *last_event_id; /* of an event stream; NULL: none */
	struct fr_span body;       /* p NULL: none */
	bool repeatable;           /* may be sent twice (GET always may) */
	bool hasty;                /* that all are busy is the answer */
	int64_t timeout_ms;        /* 0: none beyond connecting */
	int status;                /* out */
	struct fr_buf answer; /* out; reset by each call, freed by the caller */
	int64_t retry_after_ms; /* out; 0: none */
	/* If set: called with each piece as it comes; answer stays empty for a
	 * 2xx. false ends the call (FR_TIMEOUT). */
	bool (*piece)(void *arg, struct fr_span piece);
	void *arg;
};

/*
 * Sends it and waits. FR_OK for 2xx. Otherwise the problem's detail becomes
 * the message: 400 FR_SYNTAX, 401/403 FR_DENIED, 404 FR_NOTFOUND (if no
 * manager is at this URL: FR_UNREACHABLE), 409
 * FR_CONFLICT, 413 FR_TOOBIG, 422 FR_INVALID, 429/503 FR_AGAIN (after it was
 * tried again for retry_ms), 507 FR_NOSPACE, else FR_IO. No answer:
 * FR_UNREACHABLE, naming the URL.
 */
FR_MUSTCHECK enum fr_rc fr_client_call(
    struct fr_client *cl, struct fr_call *call, struct fr_err *err);

/* The URL in use, without anything secret. Borrowed. */
const char *fr_client_url(const struct fr_client *cl);

/* Whether there was a connection at all: if not, nothing can have happened. */
bool fr_client_reached(const struct fr_client *cl);

/*
 * An easy handle for path on one manager URL (conf->manager is ignored), with
 * address, socket path, bearer token and TLS set, for a caller with a loop of
 * its own. *headers (with the token and Content-Type: application/json) must
 * outlive the handle; free it with curl_slist_free_all. Redirects and proxies
 * are not followed. FR_USAGE for a bad URL or token.
 */
FR_MUSTCHECK enum fr_rc fr_client_easy(const char *url, const char *path,
    const struct fr_client_conf *conf, CURL **easy, struct curl_slist **headers,
    struct fr_err *err);

#endif
