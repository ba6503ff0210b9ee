/* SPDX-License-Identifier: MIT */
/*
 * One request at a time, to the first of several managers that answers.
 *
 * What may be tried again follows from what can have happened. If no
 * connection came about, nothing was sent, and the next manager is asked at
 * once, whatever the request. If it broke later, or the manager says 429 or
 * 503, only a request that may be sent twice is repeated, after a pause that
 * doubles (or that Retry-After names), until retry_ms is over.
 *
 * A machine that is gone does not even refuse. So where there are several
 * managers each is first given a moment to let us connect, and more time only
 * when all of them have had that; the one that answered is the first to be
 * asked the next time.
 */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "client/outcome.h"
#include "client/target.h"

#define ANSWER_MAX ((size_t)256 << 20)
#define PAUSE_FIRST_MS 50
#define PAUSE_MOST_MS 2000
#define MOMENT_MS 250 /* to connect, if there are others */

struct fr_client {
	char *list; /* the URLs, cut at the commas */
	struct fr_target *targets;
	CURL **easy; /* of each target; made when it is first used */
	size_t n;
	size_t at; /* the one in use */
	char *bearer;
	char *ca_file;
	int64_t connect_ms;
	int64_t moment_ms; /* to connect, this time */
	bool in_time;      /* it did, or was refused, within that */
	int64_t retry_ms;
	bool patient; /* also before the first connection */
	bool reached; /* a request, or the beginning of one, went out */
	struct fr_rand rand;
};

static size_t
count_urls(const char *list)
{
	size_t n = 1;

	for (; *list != '\0'; list++)
		n += *list == ',';
	return n;
}

static enum fr_rc
parse_urls(struct fr_client *cl, struct fr_err *err)
{
	char *p = cl->list, *comma;
	enum fr_rc rc;

	for (cl->n = 0; p != NULL; p = comma) {
		comma = strchr(p, ',');
		if (comma != NULL)
			*comma++ = '\0';
		rc = fr_target_parse(p, &cl->targets[cl->n], err);
		if (rc != FR_OK)
			return rc;
		cl->n++;
	}
	return FR_OK;
}

static enum fr_rc
set_token(struct fr_client *cl, const char *token, struct fr_err *err)
{
	struct curl_slist *probe = NULL;
	enum fr_rc rc;
	size_t size = strlen(token) + sizeof("Bearer ");

	cl->bearer = malloc(size);
	if (cl->bearer == NULL ||
	    !fr_str_format(cl->bearer, size, "Bearer %s", token))
		return fr_fail(err, FR_NOMEM, "out of memory");
	rc = fr_target_header(&probe, "token", cl->bearer, err);
	curl_slist_free_all(probe);
	return rc;
}

/* libcurl would say of it only that TLS failed. */
static enum fr_rc
set_ca_file(struct fr_client *cl, const char *path, struct fr_err *err)
{
	cl->ca_file = fr_str_dup(fr_span_of(path));
	if (cl->ca_file == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	if (access(path, R_OK) == -1)
		return errno == EACCES
			   ? fr_failsys(err, FR_DENIED, "open %s", path)
			   : fr_fail(err, FR_IO, "open %s: %s", path,
				 strerror(errno));
	return FR_OK;
}

enum fr_rc
fr_client_open(struct fr_client **out, const struct fr_client_conf *conf,
    struct fr_err *err)
{
	struct fr_client *cl = calloc(1, sizeof(*cl));
	size_t n = count_urls(conf->manager);
	enum fr_rc rc = FR_OK;

	if (cl == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	cl->connect_ms = conf->connect_ms > 0 ? conf->connect_ms : 5000;
	cl->retry_ms = conf->retry_ms;
	cl->patient = conf->patient;
	fr_rand_init(&cl->rand);
	cl->list = fr_str_dup(fr_span_of(conf->manager));
	cl->targets = calloc(n, sizeof(*cl->targets));
	cl->easy = calloc(n, sizeof(CURL *));
	if (cl->list == NULL || cl->targets == NULL || cl->easy == NULL)
		rc = fr_fail(err, FR_NOMEM, "out of memory");
	if (rc == FR_OK)
		rc = parse_urls(cl, err);
	if (rc == FR_OK && conf->token != NULL)
		rc = set_token(cl, conf->token, err);
	if (rc == FR_OK && conf->ca_file != NULL)
		rc = set_ca_file(cl, conf->ca_file, err);
	if (rc != FR_OK) {
		fr_client_close(cl);
		return rc;
	}
	*out = cl;
	return FR_OK;
}

void
fr_client_close(struct fr_client *cl)
{
	size_t i;

	if (cl == NULL)
		return;
	for (i = 0; cl->easy != NULL && i < cl->n; i++)
		curl_easy_cleanup(cl->easy[i]);
	free(cl->easy);
	free(cl->targets);
	free(cl->list);
	free(cl->ca_file);
	if (cl->bearer != NULL)
		explicit_bzero(cl->bearer, strlen(cl->bearer));
	free(cl->bearer);
	free(cl);
}

const char *
fr_client_url(const struct fr_client *cl)
{
	return cl->targets[cl->at].shown;
}

bool
fr_client_reached(const struct fr_client *cl)
{
	return cl->reached;
}

/* libcurl hands over a piece of the answer. */
struct sink {
	struct fr_call *call;
	CURL *easy;
	bool streamed; /* pieces went out: no second try */
	bool ended;    /* by the receiver */
};

static size_t
receive(char *p, size_t size, size_t n, void *arg)
{
	struct sink *s = arg;
	struct fr_span piece = { p, size * n };
	long status = 0;

	(void)curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	if (s->call->piece != NULL && status / 100 == 2) {
		s->streamed = true;
		if (s->call->piece(s->call->arg, piece))
			return piece.len;
		s->ended = true;
		return piece.len == 0 ? 1 : 0;
	}
	fr_buf_addspan(&s->call->answer, piece);
	return fr_buf_ok(&s->call->answer) ? piece.len : 0;
}

/* The easy handle of the manager in use, set up for call. */
static enum fr_rc
prepare(struct fr_client *cl, const struct fr_call *call, struct sink *sink,
    struct curl_slist **headers, struct fr_err *err)
{
	CURL *e = cl->easy[cl->at];
	enum fr_rc rc;

	if (e == NULL) {
		e = cl->easy[cl->at] = curl_easy_init();
		if (e == NULL)
			return fr_fail(err, FR_NOMEM, "out of memory");
	}
	curl_easy_reset(e); /* keeps the connection */
	rc = fr_target_apply(
	    &cl->targets[cl->at], e, call->path, cl->ca_file, err);
	if (rc == FR_OK && cl->bearer != NULL)
		rc =
		    fr_target_header(headers, "Authorization", cl->bearer, err);
	if (rc == FR_OK && call->body.len > 0)
		rc = fr_target_header(headers, "Content-Type",
		    call->content_type ? call->content_type
				       : "application/json",
		    err);
	if (rc == FR_OK)
		rc = fr_target_header(headers, "Accept",
		    call->accept ? call->accept : "application/json", err);
	if (rc == FR_OK && call->last_event_id != NULL)
		rc = fr_target_header(
		    headers, "Last-Event-ID", call->last_event_id, err);
	if (rc == FR_OK)
		rc = fr_target_header(headers, "Expect", "", err);
	if (rc != FR_OK)
		return rc;
	if (strcmp(call->method, "POST") == 0) {
		(void)curl_easy_setopt(e, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(
		    e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS,
		    call->body.p != NULL ? call->body.p : "");
	} else if (strcmp(call->method, "GET") != 0)
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, call->method);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, *headers);
	(void)curl_easy_setopt(
	    e, CURLOPT_CONNECTTIMEOUT_MS, (long)cl->moment_ms);
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, receive);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, sink);
	sink->easy = e;
	return FR_OK;
}

static enum fr_outcome
try_once(struct fr_client *cl, struct fr_call *call, struct fr_err *err)
{
	struct sink sink = { .call = call };
	struct curl_slist *headers = NULL;
	enum fr_outcome o = FR_OUT_HOPELESS;
	curl_off_t after = 0;
	long status = 0, sent = 0;
	CURLcode c;

	call->status = 0;
	call->retry_after_ms = 0;
	cl->in_time = true;
	if (call->answer.cap == 0)
		fr_buf_init(&call->answer, ANSWER_MAX);
	fr_buf_reset(&call->answer);
	if (prepare(cl, call, &sink, &headers, err) != FR_OK)
		goto out;
	c = curl_easy_perform(sink.easy);
	(void)curl_easy_getinfo(sink.easy, CURLINFO_REQUEST_SIZE, &sent);
	cl->reached |= sent > 0;
	if (c != CURLE_OK) {
		o = fr_outcome_broken(
		    &(struct fr_failure){ c, sink.easy, fr_client_url(cl),
			cl->moment_ms, call->timeout_ms, sink.streamed,
			sink.ended },
		    err);
		cl->in_time =
		    o != FR_OUT_NOT_SENT || c != CURLE_OPERATION_TIMEDOUT;
		goto out;
	}
	(void)curl_easy_getinfo(sink.easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(sink.easy, CURLINFO_RETRY_AFTER, &after);
	call->status = (int)status;
	call->retry_after_ms = after > 0 ? (int64_t)after * 1000 : 0;
	o = fr_outcome_status(fr_client_url(cl), cl->bearer != NULL, call, err);
out:
	curl_slist_free_all(headers);
	return o;
}

static void
pause_ms(int64_t ms)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000L };

	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		continue;
}

static bool
may_repeat(const struct fr_call *call, enum fr_outcome o)
{
	switch (o) {
	case FR_OUT_NOT_SENT:
		return true;
	case FR_OUT_BROKEN:
	case FR_OUT_BUSY:
		return call->repeatable || strcmp(call->method, "GET") == 0;
	case FR_OUT_ANSWERED:
	case FR_OUT_HOPELESS:
		return false;
	}
	return false;
}

enum fr_rc
fr_client_call(struct fr_client *cl, struct fr_call *call, struct fr_err *err)
{
	const int64_t until = fr_time_mono_ms() + cl->retry_ms;
	struct fr_err mine = FR_ERR_INIT;
	struct fr_err *e = err != NULL ? err : &mine;
	int64_t wait, left, pause = PAUSE_FIRST_MS;
	enum fr_outcome o;
	bool hurried = false;
	size_t tries;

	cl->moment_ms = cl->n > 1 && MOMENT_MS < cl->connect_ms
			    ? MOMENT_MS
			    : cl->connect_ms;
	fr_assert(call->method != NULL && call->path != NULL);
	for (tries = 1;; tries++) {
		o = try_once(cl, call, e);
		if (o == FR_OUT_ANSWERED && call->status / 100 == 2)
			return FR_OK;
		if (!may_repeat(call, o) ||
		    (o != FR_OUT_NOT_SENT && cl->retry_ms == 0))
			return e->rc;
		hurried |= !cl->in_time && cl->moment_ms < cl->connect_ms;
		cl->at = (cl->at + 1) % cl->n;
		if (tries % cl->n != 0)
			continue; /* the others first, without a pause */
		if (hurried) {
			cl->moment_ms *= 4;
			if (cl->moment_ms > cl->connect_ms)
				cl->moment_ms = cl->connect_ms;
			hurried = false;
			continue;
		}
		if (o == FR_OUT_BUSY && call->hasty)
			return e->rc;
		left =
		    cl->patient || cl->reached ? until - fr_time_mono_ms() : 0;
		if (left <= 0)
			return e->rc;
		/* Spread out, so that many clients do not come at once. */
		wait = pause / 2 +
		       (int64_t)fr_rand_below(&cl->rand, (uint64_t)pause);
		wait += call->retry_after_ms;
		pause_ms(wait < left ? wait : left);
		pause = pause * 2 < PAUSE_MOST_MS ? pause * 2 : PAUSE_MOST_MS;
	}
}
