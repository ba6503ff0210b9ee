/* SPDX-License-Identifier: MIT */
#ifndef FR_REDIS_CONN_H
#define FR_REDIS_CONN_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/buf.h"
#include "base/rand.h"
#include "base/url.h"

/*
 * One connection to a Redis server, over TCP, TLS or a Unix socket. hiredis
 * reads the answers; the socket is ours, so that every wait has a deadline.
 * Commands are added, then sent together, and their replies are read in
 * order. A connection that fails in any way is closed, and a thread makes a
 * new one meanwhile: who asks waits for an answer, but never for a server
 * that is away.
 */
#define FR_REDIS_ANSWER_MS 500

struct fr_redis_dial;

struct fr_redis_conn {
	char host[256];   /* or "" */
	char socket[256]; /* or "" */
	char user[128];
	char password[256]; /* "": none */
	char cacert[256], cert[256], key[256];
	int port;
	int db;
	bool tls;

	int fd; /* -1: none */
	void *ctx, *ssl;
	redisReader *reader;
	struct fr_buf out;
	size_t args;         /* sent since the last reply */
	int64_t answer_ms;   /* how long a reply is waited for */
	unsigned generation; /* how often it was connected */
	char version[40];    /* of the server */
	bool valkey;         /* it is not Redis */
	char evicts[40];     /* by what policy, when it is full; "": never */
	struct fr_err why;   /* the connection was lost */
	struct fr_redis_dial *dial; /* makes the next one; NULL: nobody */
	bool inner;                 /* it is that one */
	struct fr_rand rand;
};

/* Reads the URL (without query) and TLS files into a zeroed conn. */
enum fr_rc fr_redis_conf(
    struct fr_redis_conn *c, const struct fr_url *url, struct fr_err *err);
void fr_redis_fini(struct fr_redis_conn *c);

/*
 * A connection that has answered, or FR_AGAIN (FR_DENIED: not let in). Only
 * the first one is waited for, a second at most.
 */
enum fr_rc fr_redis_ready(struct fr_redis_conn *c, struct fr_err *err);
/* Makes a connection now, before until_ms (monotonic). */
enum fr_rc fr_redis_connect(
    struct fr_redis_conn *c, int64_t until_ms, struct fr_err *err);
void fr_redis_drop(struct fr_redis_conn *c);

/* Adds a command of n arguments, arguments following. */
void fr_redis_command(struct fr_redis_conn *c, size_t n);
void fr_redis_arg(struct fr_redis_conn *c, const void *p, size_t len);
void fr_redis_argz(struct fr_redis_conn *c, const char *z);
void fr_redis_argi(struct fr_redis_conn *c, long long v);

/*
 * Sends what is left to be sent and reads the next reply, to be freed with
 * freeReplyObject. An error reply is a reply. FR_AGAIN: the connection is
 * lost.
 */
enum fr_rc fr_redis_reply(
    struct fr_redis_conn *c, redisReply **reply, struct fr_err *err);

/* What an error reply means; drops the connection where that helps. */
enum fr_rc fr_redis_refused(
    struct fr_redis_conn *c, const redisReply *r, struct fr_err *err);

#endif
