/* SPDX-License-Identifier: MIT */
#include "conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/time.h"
#include "dial.h"
#include "tls.h"

#define FIRST_MS 1000  /* the first connection is waited for */
#define CLOSED_MS 100  /* and one in place of an idle one that was closed */
#define ARGS_PER_MS 25 /* large batches take longer; so many at least */

static enum fr_rc
lose(struct fr_redis_conn *c, const char *why)
{
	(void)fr_fail(&c->why, FR_AGAIN, "redis: %s", why);
	fr_redis_drop(c);
	return FR_AGAIN;
}

static enum fr_rc
lost(const struct fr_redis_conn *c, struct fr_err *err)
{
	return fr_fail(err, FR_AGAIN, "%s", c->why.msg);
}

void
fr_redis_drop(struct fr_redis_conn *c)
{
	fr_tls_close(&c->ssl);
	if (c->fd != -1)
		(void)close(c->fd);
	c->fd = -1;
	if (c->reader != NULL)
		redisReaderFree(c->reader);
	c->reader = NULL;
	fr_buf_reset(&c->out);
	c->args = 0;
}

void
fr_redis_fini(struct fr_redis_conn *c)
{
	if (c->dial != NULL)
		fr_redis_dial_stop(c->dial);
	c->dial = NULL;
	fr_redis_drop(c);
	fr_tls_free(&c->ctx);
	fr_buf_fini(&c->out);
	explicit_bzero(c->password, sizeof(c->password));
}

enum fr_rc
fr_redis_conf(
    struct fr_redis_conn *c, const struct fr_url *url, struct fr_err *err)
{
	const char *path = url->path;
	struct fr_span db;
	int64_t v = 0;

	c->fd = -1;
	c->port = url->port > 0 ? url->port : 6379;
	c->answer_ms = FR_REDIS_ANSWER_MS;
	fr_rand_init(&c->rand);
	fr_buf_init(&c->out, 0);
	if (!fr_str_copy(c->user, sizeof(c->user), fr_span_of(url->user)) ||
	    !fr_str_copy(
		c->password, sizeof(c->password), fr_span_of(url->password)) ||
	    !fr_str_copy(c->host, sizeof(c->host), fr_span_of(url->host)))
		return fr_fail(err, FR_USAGE, "redis: URL: too long");
	if (c->host[0] == '\0' && path[0] == '/' && path[1] != '\0') {
		if (c->tls ||
		    strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
			return fr_fail(err, FR_USAGE,
			    "redis: socket %s: too long, or TLS", path);
		(void)fr_str_copy(
		    c->socket, sizeof(c->socket), fr_span_of(path));
		return FR_OK;
	}
	if (c->host[0] == '\0')
		(void)fr_str_copy(
		    c->host, sizeof(c->host), FR_SPAN("127.0.0.1"));
	if (*path == '/')
		path++;
	db = fr_span_of(path);
	if (db.len > 0 && fr_str_i64(db, 0, 1 << 20, &v) != FR_OK)
		return fr_fail(err, FR_USAGE,
		    "redis: the path is the number of a database: %s", path);
	c->db = (int)v;
	return FR_OK;
}

static bool
wait_fd(int fd, short events, int64_t until_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	const int64_t left = until_ms - fr_time_mono_ms();

	return left > 0 && poll(&p, 1, (int)left) > 0;
}

/* A connected socket, or -1 and errno. */
static int
try_address(const struct sockaddr *sa, socklen_t len, int64_t until_ms)
{
	const int one = 1, user_ms = 5000;
	socklen_t size = sizeof(int);
	int fd, e = 0;

	fd = socket(
	    sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (sa->sa_family != AF_UNIX) {
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms,
		    sizeof(user_ms));
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	}
	if (connect(fd, sa, len) == 0)
		return fd;
	if (errno == EINPROGRESS) {
		e = ETIMEDOUT;
		if (wait_fd(fd, POLLOUT, until_ms))
			(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &size);
		if (e == 0)
			return fd;
		errno = e;
	}
	e = errno;
	(void)close(fd);
	errno = e;
	return -1;
}

static enum fr_rc
open_socket(struct fr_redis_conn *c, int64_t until_ms)
{
	struct addrinfo hint = { .ai_socktype = SOCK_STREAM }, *all, *a;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char port[16];
	int rc;

	if (c->socket[0] != '\0') {
		(void)fr_str_copy(
		    un.sun_path, sizeof(un.sun_path), fr_span_of(c->socket));
		c->fd =
		    try_address((struct sockaddr *)&un, sizeof(un), until_ms);
		return c->fd == -1 ? lose(c, strerror(errno)) : FR_OK;
	}
	if (!fr_str_format(port, sizeof(port), "%d", c->port))
		return lose(c, "port too long");
	rc = getaddrinfo(c->host, port, &hint, &all);
	if (rc != 0)
		return lose(c, gai_strerror(rc));
	for (a = all; a != NULL && c->fd == -1; a = a->ai_next)
		c->fd = try_address(a->ai_addr, a->ai_addrlen, until_ms);
	rc = errno;
	freeaddrinfo(all);
	return c->fd == -1 ? lose(c, strerror(rc)) : FR_OK;
}

void
fr_redis_command(struct fr_redis_conn *c, size_t n)
{
	fr_buf_addc(&c->out, '*');
	fr_buf_addi64(&c->out, (long long)n);
	fr_buf_add(&c->out, "\r\n", 2);
	c->args += n;
}

void
fr_redis_arg(struct fr_redis_conn *c, const void *p, size_t len)
{
	fr_buf_addc(&c->out, '$');
	fr_buf_addi64(&c->out, (long long)len);
	fr_buf_add(&c->out, "\r\n", 2);
	fr_buf_add(&c->out, p, len);
	fr_buf_add(&c->out, "\r\n", 2);
}

void
fr_redis_argz(struct fr_redis_conn *c, const char *z)
{
	fr_redis_arg(c, z, strlen(z));
}

void
fr_redis_argi(struct fr_redis_conn *c, long long v)
{
	char text[32];

	if (fr_str_format(text, sizeof(text), "%lld", v))
		fr_redis_argz(c, text);
}

/* Bytes written or read, 0: would wait (for *events), -1: lost. */
static ssize_t
write_some(struct fr_redis_conn *c, short *events)
{
	ssize_t n;

	*events = POLLOUT;
	if (c->ssl != NULL)
		return fr_tls_write(c->ssl, c->out.p, c->out.len, events);
	n = send(c->fd, c->out.p, c->out.len, MSG_NOSIGNAL);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n;
}

static ssize_t
read_some(struct fr_redis_conn *c, char *p, size_t len, short *events)
{
	ssize_t n;

	*events = POLLIN;
	if (c->ssl != NULL)
		return fr_tls_read(c->ssl, p, len, events);
	n = recv(c->fd, p, len, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n == 0 ? -1 : n;
}

/* One step of sending or receiving. */
static enum fr_rc
exchange(struct fr_redis_conn *c, int64_t until_ms)
{
	char text[16384];
	short in = 0, out = 0;
	ssize_t n;

	if (c->out.len > 0) {
		n = write_some(c, &out);
		if (n < 0)
			return lose(c, "connection lost");
		fr_buf_shift(&c->out, (size_t)n);
		if (n > 0 && c->out.len == 0)
			out = 0;
	}
	n = read_some(c, text, sizeof(text), &in);
	if (n < 0)
		return lose(c, "connection lost");
	if (n > 0) {
		if (redisReaderFeed(c->reader, text, (size_t)n) != REDIS_OK)
			return lose(c, c->reader->errstr);
		return FR_OK;
	}
	if (!wait_fd(c->fd, (short)(in | out), until_ms))
		return lose(c, "no answer within the time limit");
	return FR_OK;
}

static enum fr_rc
reply_by(struct fr_redis_conn *c, int64_t until_ms, redisReply **reply,
    struct fr_err *err)
{
	void *r = NULL;

	*reply = NULL;
	if (!fr_buf_ok(&c->out)) {
		(void)lose(c, "out of memory");
		return lost(c, err);
	}
	while (c->fd != -1) {
		if (redisReaderGetReply(c->reader, &r) != REDIS_OK) {
			(void)lose(c, c->reader->errstr);
			break;
		}
		if (r != NULL) {
			*reply = r;
			return FR_OK;
		}
		if (exchange(c, until_ms) != FR_OK)
			break;
	}
	return lost(c, err);
}

enum fr_rc
fr_redis_reply(struct fr_redis_conn *c, redisReply **reply, struct fr_err *err)
{
	const int64_t ms = c->answer_ms + (int64_t)(c->args / ARGS_PER_MS);
	enum fr_rc rc = reply_by(c, fr_time_mono_ms() + ms, reply, err);

	c->args = 0;
	if (rc != FR_OK)
		(void)fr_redis_dial(c);
	return rc;
}

static bool
starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* Whether any of the words stands in an error: Redis 6 tells what went wrong
 * in a script as a part of its text. */
static bool
says(const char *text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strstr(text, *words) != NULL)
			return true;
	return false;
}

enum fr_rc
fr_redis_refused(
    struct fr_redis_conn *c, const redisReply *r, struct fr_err *err)
{
	/* It is going, coming, or not the one to write to: look again. */
	static const char *const elsewhere[] = { "READONLY", "MASTERDOWN",
		"LOADING", "UNBLOCKED", "MISCONF", "NOREPLICAS", NULL };
	/* Nothing that passes by itself. */
	static const char *const closed[] = { "NOAUTH", "WRONGPASS", "NOPERM",
		"invalid password", "AUTH <password> called", "DB index",
		"no password is set", "SELECT is not allowed", "DENIED Redis",
		"DENIED Valkey", "unknown command", "Unknown Redis command",
		"can't run this command", "ACL failure", NULL };

	if (says(r->str, elsewhere)) {
		(void)lose(c, r->str);
		(void)fr_redis_dial(c);
		return lost(c, err);
	}
	if (starts(r->str, "MOVED ") || starts(r->str, "ASK "))
		return fr_fail(err, FR_DENIED,
		    "redis: a node of a cluster that does not have the keys "
		    "of this prefix (%.100s): name the node that does",
		    r->str);
	return fr_fail(err, says(r->str, closed) ? FR_DENIED : FR_AGAIN,
	    "redis: %.200s", r->str);
}

/* A reply that has to be there, and no error. */
static enum fr_rc
expect_ok(struct fr_redis_conn *c, int64_t until_ms, struct fr_err *err)
{
	redisReply *r;
	enum fr_rc rc = reply_by(c, until_ms, &r, err);

	if (rc == FR_OK && r->type == REDIS_REPLY_ERROR)
		rc = fr_redis_refused(c, r, err);
	freeReplyObject(r);
	return rc;
}

/* The value of a line of INFO; "" if it has none. */
static struct fr_span
info(const char *text, const char *name)
{
	const size_t len = strlen(name);
	const char *p = text;

	while ((p = strstr(p, name)) != NULL) {
		if ((p == text || p[-1] == '\n') && p[len] == ':')
			return (struct fr_span){ p + len + 1,
				strcspn(p + len + 1, "\r\n") };
		p += len;
	}
	return FR_SPAN("");
}

/* What the server says of itself, if it does. */
static enum fr_rc
take_info(struct fr_redis_conn *c, const redisReply *r, struct fr_err *err)
{
	struct fr_span v;

	(void)fr_str_copy(c->version, sizeof(c->version), FR_SPAN("?"));
	c->evicts[0] = '\0';
	if (r->type == REDIS_REPLY_ERROR &&
	    (starts(r->str, "NOAUTH") || starts(r->str, "DENIED")))
		return fr_redis_refused(c, r, err);
	if (r->type == REDIS_REPLY_ERROR && starts(r->str, "ERR max number"))
		return fr_redis_refused(c, r, err);
	if (r->type != REDIS_REPLY_STRING)
		return FR_OK; /* it need not be allowed */
	v = info(r->str, "valkey_version");
	c->valkey = v.len > 0;
	if (v.len == 0)
		v = info(r->str, "redis_version");
	if (v.len > 0)
		(void)fr_str_copy(c->version, sizeof(c->version), v);
	v = info(r->str, "maxmemory_policy");
	if (fr_span_starts(v, "allkeys-") &&
	    !fr_span_is(info(r->str, "maxmemory"), "0"))
		(void)fr_str_copy(c->evicts, sizeof(c->evicts), v);
	if (fr_span_is(info(r->str, "role"), "slave") &&
	    !fr_span_is(info(r->str, "slave_read_only"), "0"))
		return fr_fail(err, FR_AGAIN,
		    "redis: this is a replica, which takes no writes");
	return FR_OK;
}

static enum fr_rc
let_in(struct fr_redis_conn *c, int64_t until_ms, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;
	redisReply *r = NULL;

	if (c->password[0] != '\0') {
		fr_redis_command(c, c->user[0] != '\0' ? 3 : 2);
		fr_redis_argz(c, "AUTH");
		if (c->user[0] != '\0')
			fr_redis_argz(c, c->user);
		fr_redis_argz(c, c->password);
		rc = expect_ok(c, until_ms, err);
	}
	if (rc == FR_OK && c->db != 0) {
		fr_redis_command(c, 2);
		fr_redis_argz(c, "SELECT");
		fr_redis_argi(c, c->db);
		rc = expect_ok(c, until_ms, err);
	}
	if (rc != FR_OK)
		return rc;
	fr_redis_command(c, 1);
	fr_redis_argz(c, "INFO");
	rc = reply_by(c, until_ms, &r, err);
	if (rc == FR_OK)
		rc = take_info(c, r, err);
	freeReplyObject(r);
	return rc;
}

enum fr_rc
fr_redis_connect(struct fr_redis_conn *c, int64_t until_ms, struct fr_err *err)
{
	short events = 0;
	enum fr_rc rc;
	int done;

	if (open_socket(c, until_ms) != FR_OK)
		return lost(c, err);
	c->reader = redisReaderCreate();
	if (c->reader == NULL) {
		(void)lose(c, "out of memory");
		return lost(c, err);
	}
	if (c->tls) {
		rc = fr_tls_open(&c->ctx, &c->ssl, c->fd, c->host, c->cacert,
		    c->cert, c->key, err);
		if (rc != FR_OK)
			return rc;
		while ((done = fr_tls_handshake(c->ssl, &events)) == 0)
			if (!wait_fd(c->fd, events, until_ms))
				break;
		if (done <= 0)
			return fr_tls_why(c->ssl, c->host, err);
	}
	return let_in(c, until_ms, err);
}

/* An idle connection that the other side has closed, or spoke on unasked. */
static bool
was_closed(const struct fr_redis_conn *c)
{
	char byte;
	const ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR);
}

enum fr_rc
fr_redis_ready(struct fr_redis_conn *c, struct fr_err *err)
{
	int64_t wait_ms = c->generation == 0 && c->dial == NULL ? FIRST_MS : 0;

	if (c->fd != -1) {
		if (!was_closed(c))
			return FR_OK;
		(void)lose(c, "connection lost");
		wait_ms = CLOSED_MS;
	}
	if (c->dial == NULL && !fr_redis_dial(c))
		return fr_fail(err, FR_AGAIN, "redis: no thread");
	return fr_redis_dialled(c, wait_ms, err);
}
