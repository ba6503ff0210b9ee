/* SPDX-License-Identifier: MIT */
#include "conn.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/time.h"
#include "base/url.h"

#define READ_STEP 65536
#define AGAIN_MOST_S 3600

enum fr_rc
target_init(
    struct target *t, const char *url, const char *token, struct fr_err *err)
{
	struct fr_url u;
	bool ok;

	t->url = url;
	fr_rand_init(&t->rand);
	if (fr_url_parse(url, &u, err) != FR_OK)
		return fr_fail(err, FR_USAGE, "%s: %s",
		    strchr(url, '@') == NULL ? url : "manager", err->msg);
	if (strcmp(u.scheme, "http") != 0 && strcmp(u.scheme, "unix") != 0)
		return fr_fail(err, FR_USAGE,
		    "%s: a measurement needs http:// or unix:", url);
	ok = fr_str_format(t->head, sizeof(t->head), "Host: %s\r\n%s%s%s",
	    u.host[0] != '\0' ? u.host : "localhost",
	    token != NULL ? "Authorization: Bearer " : "",
	    token != NULL ? token : "", token != NULL ? "\r\n" : "");
	return ok ? FR_OK : fr_fail(err, FR_USAGE, "%s: too long", url);
}

static int
dial_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (!fr_str_copy(a.sun_path, sizeof(a.sun_path), fr_span_of(path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 &&
	    connect(fd, (const struct sockaddr *)&a, sizeof(a)) == -1) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/* -1: errno says why, or *gai, which is for gai_strerror. */
static int
dial_tcp(const struct fr_url *u, int *gai)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL, *a;
	char port[16];
	int fd = -1, on = 1, why = 0;

	if (!fr_str_format(
		port, sizeof(port), "%d", u->port == -1 ? 80 : u->port)) {
		errno = EINVAL;
		return -1;
	}
	*gai = getaddrinfo(u->host, port, &hints, &list);
	if (*gai == EAI_SYSTEM)
		*gai = 0;
	else if (*gai != 0)
		return -1;
	why = errno;
	for (a = list; a != NULL && fd == -1; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		why = errno;
		if (fd != -1 && connect(fd, a->ai_addr, a->ai_addrlen) == -1) {
			why = errno;
			(void)close(fd);
			fd = -1;
		}
	}
	if (list != NULL)
		freeaddrinfo(list);
	errno = why;
	if (fd != -1)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void
broke(struct conn *c, const char *why)
{
	(void)event_del(c->readable);
	(void)event_del(c->writable);
	c->answer(c, 0, fr_span_of(why));
}

/* The number that a header line has in a head that ends before end; name is
 * as it stands there, from the line's beginning to the number. */
static bool
number(
    const char *p, const char *end, const char *name, int64_t most, int64_t *n)
{
	const size_t len = strlen(name);
	const char *at;

	at = memmem(p, (size_t)(end - p), name, len);
	if (at == NULL)
		return false;
	at += len;
	p = memchr(at, '\r', (size_t)(end - at) + 1);
	return p != NULL && fr_str_i64((struct fr_span){ at, (size_t)(p - at) },
				0, most, n) == FR_OK;
}

static void
disconnect(struct conn *c)
{
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	c->readable = c->writable = NULL;
	if (c->fd > 0)
		(void)close(c->fd);
	c->fd = -1;
	fr_buf_fini(&c->out);
	fr_buf_fini(&c->in);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	const int64_t since = c->sent_us;
	struct fr_err err = FR_ERR_INIT;

	(void)fd;
	(void)what;
	if (c->fd == -1 && conn_open(c, c->target, c->base, &err) != FR_OK) {
		c->answer(c, 0, fr_span_of(err.msg));
		return;
	}
	conn_send(c, c->request, c->request_len);
	c->sent_us = since; /* the wait is part of it */
}

/*
 * The manager has no room for the request now. It is sent again after the time
 * that the manager names, and up to a second more, so that not all come back at
 * once; on a new connection, if this one is closed.
 */
static void
come_again(struct conn *c, int64_t seconds, bool closed)
{
	const uint64_t ms =
	    (uint64_t)seconds * 1000 + fr_rand_below(&c->target->rand, 1000);
	const struct timeval tv = { (time_t)(ms / 1000),
		(suseconds_t)(ms % 1000 * 1000) };

	c->target->refused++;
	if (closed)
		disconnect(c);
	if (c->again == NULL)
		c->again = event_new(c->base, -1, 0, on_again, c);
	if (c->again == NULL || event_add(c->again, &tv) == -1)
		c->answer(c, 0, FR_SPAN("no memory"));
}

/* Hands out the first whole answer in the buffer; false if there is none. */
static bool
one_answer(struct conn *c)
{
	struct fr_buf *b = &c->in;
	const char *end;
	int64_t status, len = 0, seconds = 0;
	size_t whole;

	end = memmem(b->p, b->len, "\r\n\r\n", 4);
	if (end == NULL)
		return false;
	whole = (size_t)(end - b->p) + 4;
	if (whole < 16 || memcmp(b->p, "HTTP/1.", 7) != 0 ||
	    fr_str_i64((struct fr_span){ b->p + 9, 3 }, 100, 599, &status) !=
		FR_OK ||
	    !number(b->p, end, "\r\nContent-Length: ", INT32_MAX, &len)) {
		broke(c, "not an answer of a manager");
		return false;
	}
	if (b->len < whole + (size_t)len)
		return false;
	if ((status == 429 || status == 503) &&
	    number(b->p, end, "\r\nRetry-After: ", AGAIN_MOST_S, &seconds)) {
		const bool closed =
		    memmem(b->p, whole, "\r\nConnection: close\r\n", 21) !=
		    NULL;

		fr_buf_shift(b, whole + (size_t)len);
		come_again(c, seconds, closed);
		return c->fd != -1 && b->len > 0;
	}
	c->answer(
	    c, (int)status, (struct fr_span){ b->p + whole, (size_t)len });
	if (c->fd == -1)
		return false;
	fr_buf_shift(b, whole + (size_t)len);
	return b->len > 0;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	char *p = fr_buf_reserve(&c->in, READ_STEP);
	ssize_t n;

	(void)what;
	if (p == NULL) {
		broke(c, "no memory");
		return;
	}
	n = read(fd, p, READ_STEP);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		broke(c, n == 0 ? "the manager closed the connection"
				: strerror(errno));
		return;
	}
	fr_buf_commit(&c->in, (size_t)n);
	while (one_answer(c))
		;
}

static void
flush(struct conn *c)
{
	ssize_t n;

	while (c->out.len > 0) {
		n = send(c->fd, c->out.p, c->out.len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN) {
			(void)event_add(c->writable, NULL);
			return;
		}
		if (n == -1) {
			/* An answer may be there, or reading says why. */
			fr_buf_reset(&c->out);
			return;
		}
		fr_buf_shift(&c->out, (size_t)n);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	flush(arg);
}

enum fr_rc
conn_open(struct conn *c, struct target *t, struct event_base *base,
    struct fr_err *err)
{
	struct fr_url u;
	enum fr_rc rc;
	int gai = 0;

	c->fd = -1;
	c->target = t;
	c->base = base;
	rc = fr_url_parse(t->url, &u, err);
	if (rc != FR_OK)
		return rc;
	c->fd = strcmp(u.scheme, "unix") == 0 ? dial_unix(u.path)
					      : dial_tcp(&u, &gai);
	if (gai != 0)
		return fr_fail(err, FR_UNREACHABLE, "%s: %s", t->url,
		    gai == EAI_NONAME ? "there is no host with this name"
				      : gai_strerror(gai));
	if (c->fd == -1 || fr_io_nonblock(c->fd) == -1)
		return fr_failsys(err, FR_UNREACHABLE, "connect to %s", t->url);
	fr_buf_init(&c->out, 0);
	fr_buf_init(&c->in, 0);
	c->readable =
	    event_new(base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(base, c->fd, EV_WRITE, on_writable, c);
	if (c->readable == NULL || c->writable == NULL ||
	    event_add(c->readable, NULL) == -1)
		return fr_fail(err, FR_NOMEM, "no memory");
	return FR_OK;
}

void
conn_close(struct conn *c)
{
	disconnect(c);
	if (c->again != NULL)
		event_free(c->again);
	c->again = NULL;
}

void
conn_send(struct conn *c, const char *p, size_t len)
{
	ssize_t n = 0;

	c->request = p;
	c->request_len = len;
	c->sent_us = fr_time_mono_us();
	if (c->out.len == 0)
		n = send(c->fd, p, len, MSG_NOSIGNAL);
	if (n == (ssize_t)len)
		return;
	if (n < 0)
		n = 0; /* flush finds out why */
	fr_buf_add(&c->out, p + n, len - (size_t)n);
	flush(c);
}

void
conn_request(struct fr_buf *b, const struct target *t, const char *method,
    const char *path, const char *content_type, struct fr_span body)
{
	fr_buf_addf(b,
	    "%s %s HTTP/1.1\r\n%sContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "\r\n",
	    method, path, t->head, content_type, body.len);
	fr_buf_addspan(b, body);
}
