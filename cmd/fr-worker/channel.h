/* SPDX-License-Identifier: MIT */
#ifndef FR_WORKER_CHANNEL_H
#define FR_WORKER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include <fr/err.h>

#include "base/buf.h"
#include "client/client.h"

/*
 * Two connections to the manager, each with one request under way at most,
 * on the owner's event loop.
 */
#define CHANNELS 2

struct channels;

struct channel {
	struct channels *of;
	CURL *easy; /* NULL: to be made for the URL in use */
	struct curl_slist *headers;
	bool busy;
	struct fr_buf body;   /* what is sent */
	struct fr_buf answer; /* what came */
	int64_t sent_ms;
	int64_t retry_after_ms; /* that the answer asks for; 0: none */
	void *watched;          /* the socket's event */
};

struct channels {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	struct channel v[CHANNELS];
	struct fr_client_conf conf;
	char **urls;
	size_t nurls, at;
	size_t passed; /* managers that were passed over since one answered */
	void *arg;
	/* status 0: there was no answer, and err says why. The answer is the
	 * callee's to take. */
	void (*answered)(void *arg, struct channel *ch, long status,
	    const struct fr_err *err);
};

/* conf->manager: URL[,URL...]. */
FR_MUSTCHECK enum fr_rc channels_init(struct channels *cs,
    struct event_base *base, const struct fr_client_conf *conf,
    struct fr_err *err);
void channels_fini(struct channels *cs);

/* Sends ch->body; ch is not busy. */
FR_MUSTCHECK enum fr_rc channel_send(
    struct channel *ch, int64_t timeout_ms, struct fr_err *err);
/* Gives up what is under way: its answer will not come. */
void channel_abort(struct channel *ch);

/* Goes on with the next manager of the list; both channels are free. */
void channels_next(struct channels *cs);
const char *channels_url(const struct channels *cs);

#endif
