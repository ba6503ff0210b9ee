/* SPDX-License-Identifier: MIT */
#ifndef FR_BENCH_CONN_H
#define FR_BENCH_CONN_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/buf.h"
#include "base/rand.h"

/*
 * A connection to the manager that costs next to nothing, so that what is
 * measured is the manager: requests are bytes that were made before, answers
 * are read by their Content-Length. Only what our own manager sends is
 * understood. A request that the manager has no room for is sent again when
 * it has said.
 */
struct conn;

/* status 0: the connection broke (body says why). body is borrowed. */
typedef void conn_answer_fn(struct conn *c, int status, struct fr_span body);

struct conn {
	int fd;
	struct target *target;
	struct event_base *base;
	const char *request; /* the one that is not answered; borrowed */
	size_t request_len;
	struct event *again; /* sends it again */
	struct event *readable;
	struct event *writable;
	struct fr_buf out; /* not written yet */
	struct fr_buf in;
	size_t scanned;
	conn_answer_fn *answer;
	void *owner;
	size_t index;
	int64_t sent_us;
};

/* Where the manager is: "http://HOST:PORT" or "unix:PATH". */
struct target {
	const char *url;
	char head[512];   /* Host and Authorization, as header lines */
	uint64_t refused; /* requests that were to come again */
	struct fr_rand rand;
};

FR_MUSTCHECK enum fr_rc target_init(
    struct target *t, const char *url, const char *token, struct fr_err *err);

/* Connects (and waits for it). c is the caller's, zeroed. */
FR_MUSTCHECK enum fr_rc conn_open(struct conn *c, struct target *t,
    struct event_base *base, struct fr_err *err);
void conn_close(struct conn *c);

/* Sends a whole request, which stays there until the answer comes through
 * c->answer. */
void conn_send(struct conn *c, const char *p, size_t len);

/* Adds a request to b: the head and then body. */
void conn_request(struct fr_buf *b, const struct target *t, const char *method,
    const char *path, const char *content_type, struct fr_span body);

#endif
