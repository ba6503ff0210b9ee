/* SPDX-License-Identifier: MIT */
#ifndef FR_MANAGER_HTTP_H
#define FR_MANAGER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/arena.h"
#include "base/buf.h"
#include "wire/head.h"

/*
 * An HTTP/1.1 server on libevent's loop, in one thread. It reads and checks
 * requests, keeps their order on each connection, and bounds what a client
 * can hold: bytes, requests, and time. What a request means is the
 * application's. All calls from the loop's thread.
 */
struct event_base;
struct fr_http;
struct fr_conn;

/* What is refused last when there is too much to do. */
enum fr_rank {
	FR_RANK_USUAL,
	FR_RANK_URGENT, /* has a share of its own */
	FR_RANK_ALWAYS, /* small, and never refused */
};

/*
 * One request. It lives in its own arena and begins a struct of the
 * application's, of conf.req_size bytes. It stays until it is answered and,
 * if the application has lent it to another thread (pending), given back.
 */
struct fr_req {
	struct fr_req *next;  /* behind it on its connection */
	struct fr_conn *conn; /* NULL: the client is gone */
	struct fr_http *http;
	struct fr_arena *arena;
	struct fr_span body; /* writable, ours until the request is freed */
	struct fr_buf big;   /* a body with memory of its own */
	struct fr_buf out;   /* an answer whose turn has not come */
	size_t charged;      /* bytes counted against max_memory */
	size_t arena_bytes;  /* of them in the arena */
	enum fr_rank rank;
	bool is_head; /* HEAD: the answer has no body */
	bool keep;
	bool chunked;   /* the answer, if it is a stream */
	bool http10;    /* the client's version */
	bool answered;  /* the answer is complete */
	bool streaming; /* it has begun, and goes on */
	bool pending;   /* lent; not freed before fr_http_back */
	bool parked;    /* waits for something to happen: not overload */
	bool counted;
};

struct fr_http_conf {
	struct event_base *base;
	size_t max_header;
	size_t max_body;
	size_t max_connections;
	size_t max_requests; /* worked on at a time, without parked ones */
	size_t max_memory;   /* bytes of all requests together; what is urgent
			      * has a quarter more, and answers that are not
			      * sent again half as many */
	int64_t header_ms;   /* absolute, from a head's first byte */
	int64_t body_ms;     /* absolute, from the end of the head */
	int64_t idle_ms;     /* between two requests; 0: for ever */
	int64_t write_ms;    /* without a byte taken by the client */
	size_t req_size;
	enum fr_rank (*rank)(const struct fr_head *head);
	/* May this one be worked on beside others before it that may? */
	bool (*overlaps)(const struct fr_head *head);
	/* The head is there (its spans only during the call): false if it has
	 * been answered already, without its body. */
	bool (*begin)(struct fr_req *req, const struct fr_head *head);
	void (*handle)(struct fr_req *req); /* the body too */
	/* The client is gone or has closed its side; req is still pending. */
	void (*gone)(struct fr_req *req);
	/* What could be no request: adds headers and body of the answer. */
	void (*problem)(struct fr_buf *body, int status, const char *detail);
	void *arg;
};

struct fr_http_stats {
	uint64_t accepted, refused, requests, shed, bad, timeouts;
	uint64_t connections, in_flight, parked, bytes, answer_bytes, in_bytes;
};

struct fr_http *fr_http_new(
    const struct fr_http_conf *conf, struct fr_err *err);
void fr_http_free(struct fr_http *h); /* NULL is fine */
void *fr_http_arg(const struct fr_http *h);

/* Accepts on a listening descriptor, which becomes the server's. */
FR_MUSTCHECK enum fr_rc fr_http_listen(
    struct fr_http *h, int fd, struct fr_err *err);
/* Accepts no more; closes idle connections, and others when answered. */
void fr_http_drain(struct fr_http *h);
/* Whether everything that was answered has been sent. */
bool fr_http_drained(const struct fr_http *h);

/*
 * Answers. more: further header lines, each with CR LF, or NULL. Nothing is
 * done if the client is gone. req may be freed by the time of the next
 * fr_http_settle, if it is not pending.
 */
void fr_http_reply(struct fr_req *req, int status, const char *type,
    struct fr_span body, const char *more);
/* The same, and the connection is closed. */
void fr_http_reply_close(struct fr_req *req, int status, const char *type,
    struct fr_span body, const char *more);

/* An answer without end. false: the client is gone. */
void fr_http_stream_begin(struct fr_req *req, const char *type);
bool fr_http_stream(struct fr_req *req, struct fr_span piece);
void fr_http_stream_end(struct fr_req *req);
/* Whether answers that clients do not take hold so much memory already that
 * one of so many bytes is better refused. */
bool fr_http_full(const struct fr_http *h, size_t more);
/* What the application has taken for req in its arena since is counted, too:
 * false if that is too much, and req is to be refused. */
FR_MUSTCHECK bool fr_http_count(struct fr_req *req);
/* How many bytes of it the client has not taken yet. */
size_t fr_http_unsent(const struct fr_req *req);
/* Closes its connection at once: a client that is too slow. The stream must
 * not be touched afterwards. */
void fr_http_drop(struct fr_req *req);

/* Lends the request to another thread, and takes it back. */
void fr_http_lend(struct fr_req *req, bool parked);
void fr_http_back(struct fr_req *req);
/* Whether the answer would reach the client, as far as is known. */
bool fr_http_reachable(const struct fr_req *req);

/* Sends what can be sent: to be called at the end of every callback that has
 * answered requests. */
void fr_http_settle(struct fr_http *h);

void fr_http_stats(const struct fr_http *h, struct fr_http_stats *s);

#endif
