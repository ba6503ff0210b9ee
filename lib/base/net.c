/* SPDX-License-Identifier: MIT */
#include "base/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static bool
parse_port(struct fr_span s, in_port_t *port)
{
	int64_t v;

	if (s.len == 0 || s.p[0] == '-' ||
	    fr_str_i64(s, 0, UINT16_MAX, &v) != FR_OK)
		return false;
	*port = htons((uint16_t)v);
	return true;
}

/* "ADDR:PORT", "[V6]:PORT" or "PORT"; the length of *a, or 0. */
static socklen_t
parse_inet(const char *text, union address *a)
{
	const char *colon = strrchr(text, ':');
	struct fr_span name = FR_SPAN("127.0.0.1");
	char host[INET6_ADDRSTRLEN];
	in_port_t port;

	*a = (union address){ .sa = { 0 } };
	if (!parse_port(fr_span_of(colon == NULL ? text : colon + 1), &port))
		return 0;
	if (colon != NULL) {
		name = (struct fr_span){ text, (size_t)(colon - text) };
		if (text[0] == '[') {
			if (name.len < 2 || name.p[name.len - 1] != ']')
				return 0;
			name = (struct fr_span){ text + 1, name.len - 2 };
		}
		if (fr_span_is(name, "localhost"))
			name = FR_SPAN("127.0.0.1");
	}
	if (!fr_str_copy(host, sizeof(host), name))
		return 0;
	if (text[0] != '[' && inet_pton(AF_INET, host, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = port;
		return sizeof(a->in);
	}
	if (text[0] == '[' && inet_pton(AF_INET6, host, &a->in6.sin6_addr)) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = port;
		return sizeof(a->in6);
	}
	return 0;
}

/* Fills in url and loopback from what the socket is bound to. */
static enum fr_rc
describe(struct fr_listen *l, struct fr_err *err)
{
	union address a = { .sa = { 0 } };
	socklen_t len = sizeof(a);
	char host[INET6_ADDRSTRLEN] = "";
	const unsigned char *b;
	bool ok;

	if (getsockname(l->fd, &a.sa, &len) == -1)
		return fr_failsys(err, FR_IO, "name of the socket");
	switch (a.sa.sa_family) {
	case AF_INET:
		(void)inet_ntop(AF_INET, &a.in.sin_addr, host, sizeof(host));
		l->loopback = ntohl(a.in.sin_addr.s_addr) >> 24 == 127;
		ok = fr_str_format(l->url, sizeof(l->url), "http://%s:%u", host,
		    (unsigned)ntohs(a.in.sin_port));
		break;
	case AF_INET6:
		(void)inet_ntop(AF_INET6, &a.in6.sin6_addr, host, sizeof(host));
		b = a.in6.sin6_addr.s6_addr;
		l->loopback =
		    IN6_IS_ADDR_LOOPBACK(&a.in6.sin6_addr) ||
		    (IN6_IS_ADDR_V4MAPPED(&a.in6.sin6_addr) && b[12] == 127);
		ok = fr_str_format(l->url, sizeof(l->url), "http://[%s]:%u",
		    host, (unsigned)ntohs(a.in6.sin6_port));
		break;
	case AF_UNIX:
		l->loopback = true;
		ok = fr_str_format(l->url, sizeof(l->url), "unix:%s%s",
		    a.un.sun_path[0] == '\0' ? "@" : "",
		    a.un.sun_path[0] == '\0' ? a.un.sun_path + 1
					     : a.un.sun_path);
		break;
	default:
		return fr_fail(err, FR_INVALID, "socket: neither TCP nor unix");
	}
	if (!ok)
		return fr_fail(err, FR_TOOBIG, "socket: name too long");
	return FR_OK;
}

/* Why socket, bind or listen failed, in the words of the contract. */
static enum fr_rc
failed(const char *addr, struct fr_err *err)
{
	switch (errno) {
	case EADDRINUSE:
		return fr_failsys(err, FR_CONFLICT, "listen on %s", addr);
	default:
		return fr_failsys(err, FR_IO, "listen on %s", addr);
	}
}

/* Removes a socket that nobody listens on any more. */
static enum fr_rc
remove_dead(const struct sockaddr_un *un, struct fr_err *err)
{
	struct stat st;
	int fd, r, e;

	if (lstat(un->sun_path, &st) == -1)
		return FR_OK; /* bind says what is wrong with the path */
	if (!S_ISSOCK(st.st_mode))
		return fr_fail(err, FR_CONFLICT,
		    "listen on unix:%s: there is something else", un->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return fr_failsys(err, FR_IO, "socket");
	r = connect(fd, (const struct sockaddr *)un, sizeof(*un));
	e = errno;
	(void)close(fd);
	/* EAGAIN: alive, but its backlog is full. */
	if (r == 0 || e == EAGAIN)
		return fr_fail(err, FR_CONFLICT,
		    "listen on unix:%s: another process answers there",
		    un->sun_path);
	if (e == ECONNREFUSED && unlink(un->sun_path) == -1 && errno != ENOENT)
		return fr_failsys(err, FR_IO, "remove %s", un->sun_path);
	return FR_OK;
}

static enum fr_rc
parse(const char *addr, union address *a, socklen_t *len, struct fr_err *err)
{
	const struct fr_span s = fr_span_of(addr);

	if (!fr_span_starts(s, "unix:")) {
		*len = parse_inet(addr, a);
		if (*len == 0)
			return fr_fail(err, FR_USAGE,
			    "listen on %s: not ADDR:PORT, [V6]:PORT, PORT or "
			    "unix:PATH",
			    addr);
		return FR_OK;
	}
	*a = (union address){ .un = { .sun_family = AF_UNIX } };
	*len = sizeof(a->un);
	if (s.len == 5 || !fr_str_copy(a->un.sun_path, sizeof(a->un.sun_path),
			      (struct fr_span){ s.p + 5, s.len - 5 }))
		return fr_fail(err, FR_USAGE,
		    "listen on %s: path empty or too long", addr);
	return remove_dead(&a->un, err);
}

enum fr_rc
fr_net_listen(
    const char *addr, int backlog, struct fr_listen *l, struct fr_err *err)
{
	const int on = 1;
	union address a;
	socklen_t len;
	enum fr_rc rc;
	bool bound = false;

	*l = (struct fr_listen){ .fd = -1 };
	rc = parse(addr, &a, &len, err);
	if (rc != FR_OK)
		return rc;
	l->fd = socket(
	    a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd == -1)
		return failed(addr, err);
	/* Linux makes the socket's file with the mode of the descriptor, so
	 * that it is never open to others, not even for a moment. */
	if (a.sa.sa_family == AF_UNIX
		? fchmod(l->fd, 0600) == -1
		: setsockopt(
		      l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
		goto fail;
	if (a.sa.sa_family == AF_INET6 &&
	    setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == -1)
		goto fail;
	if (bind(l->fd, &a.sa, len) == -1)
		goto fail;
	bound = true;
	if (listen(l->fd, backlog) == -1)
		goto fail;
	rc = describe(l, err);
	if (rc == FR_OK)
		return FR_OK;
	goto out;
fail:
	rc = failed(addr, err);
out:
	if (bound && a.sa.sa_family == AF_UNIX)
		(void)unlink(a.un.sun_path);
	(void)close(l->fd);
	l->fd = -1;
	return rc;
}

enum fr_rc
fr_net_adopt(int fd, struct fr_listen *l, struct fr_err *err)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	*l = (struct fr_listen){ .fd = fd };
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == -1)
		return fr_failsys(err, FR_INVALID, "descriptor %d", fd);
	if (!listening)
		return fr_fail(err, FR_INVALID,
		    "descriptor %d: not a listening socket", fd);
	if (fr_io_nonblock(fd) == -1 || fr_io_cloexec(fd) == -1)
		return fr_failsys(err, FR_IO, "descriptor %d", fd);
	return describe(l, err);
}

void
fr_net_notify(const char *path, const char *state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    !fr_str_copy(un.sun_path, sizeof(un.sun_path), fr_span_of(path)))
		return;
	len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		un.sun_path[0] = '\0';
	else
		len++;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	/* Nobody can be told of a failure: a service manager that listens
	 * notices that nothing came. */
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (const struct sockaddr *)&un, len);
	(void)close(fd);
}
