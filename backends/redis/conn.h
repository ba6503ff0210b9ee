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
 * order. A connection that fails in any way is closed, and the next command
 * after a pause makes a new one.
 */
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
	size_t pending;      /* commands whose reply was not read */
	unsigned generation; /* how often it was connected */
	char version[40];    /* of the server */
	bool away;           /* the last try failed */
	struct fr_err why;
	int64_t retry_ms; /* monotonic: not before this */
	int64_t backoff_ms;
	struct fr_rand rand;
};

/* Reads the URL (without query) and TLS files into a zeroed conn. */
enum fr_rc fr_redis_conf(
    struct fr_redis_conn *c, const struct fr_url *url, struct fr_err *err);
void fr_redis_fini(struct fr_redis_conn *c);

/* A connection that has answered, or FR_AGAIN (FR_DENIED: not let in). */
enum fr_rc fr_redis_ready(struct fr_redis_conn *c, struct fr_err *err);
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
