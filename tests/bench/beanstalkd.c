/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/str.h"
#include "tests/bench/lib/load.h"

/*
 * The load that fr-bench puts on a manager, put on beanstalkd; the arguments
 * are in lib/load.h. A worker says in one write that it has done a job and
 * that it wants the next.
 */

struct line {
	int fd;
	char buf[65536];
	size_t len, at;
};

static void *
dial(void)
{
	const struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(load_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct line *l = calloc(1, sizeof(*l));
	int on = 1;

	if (l == NULL)
		load_die("calloc");
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd == -1 ||
	    connect(l->fd, (const struct sockaddr *)&a, sizeof(a)) == -1)
		load_die("connect");
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return l;
}

static void
hang_up(void *line)
{
	struct line *l = line;

	(void)close(l->fd);
	free(l);
}

static void
say(struct line *l, const char *p, size_t len)
{
	if (fr_io_write_all(l->fd, p, len) == -1)
		load_die("write");
}

static void
fill(struct line *l)
{
	ssize_t n;

	if (l->at > 0) {
		memmove(l->buf, l->buf + l->at, l->len - l->at);
		l->len -= l->at;
		l->at = 0;
	}
	n = read(l->fd, l->buf + l->len, sizeof(l->buf) - l->len);
	if (n <= 0)
		load_die("read");
	l->len += (size_t)n;
}

/* Whether a whole line is there already. */
static bool
heard(const struct line *l)
{
	return memchr(l->buf + l->at, '\n', l->len - l->at) != NULL;
}

/* The next line, without its end; borrowed until the next call. */
static struct fr_span
hear(struct line *l)
{
	struct fr_span s;
	char *end;

	while ((end = memchr(l->buf + l->at, '\n', l->len - l->at)) == NULL)
		fill(l);
	s = (struct fr_span){ l->buf + l->at,
		(size_t)(end - (l->buf + l->at)) };
	l->at += s.len + 1;
	return s;
}

static void
skip(struct line *l, size_t n)
{
	while (l->len - l->at < n)
		fill(l);
	l->at += n;
}

_Noreturn static void
unexpected(struct fr_span s)
{
	fprintf(stderr, "beanstalkd says: %.*s\n", (int)s.len, s.p);
	exit(1);
}

static void
submit(struct part *p)
{
	struct fr_buf many;
	struct fr_span s;
	size_t one;
	int64_t i, n;

	fr_buf_init(&many, 0);
	for (i = 0; i < p->window; i++)
		fr_buf_addf(&many, "put 0 0 60 %zu\r\n%s\r\n",
		    sizeof(load_data) - 1, load_data);
	if (!fr_buf_ok(&many))
		load_die("malloc");
	one = many.len / (size_t)p->window;
	for (; p->jobs > 0; p->jobs -= n) {
		n = p->jobs < p->window ? p->jobs : p->window;
		say(p->line, many.p, one * (size_t)n);
		for (i = 0; i < n; i++) {
			s = hear(p->line);
			if (!fr_span_starts(s, "INSERTED"))
				unexpected(s);
		}
	}
	fr_buf_fini(&many);
}

/* A job has come: says that it is done and, with more, asks for another. */
static void
take(struct line *l, struct fr_span reserved, bool more, struct fr_buf *reply)
{
	const char *id = reserved.p + 9;
	const char *sp = memchr(id, ' ', reserved.len - 9);

	if (sp == NULL)
		unexpected(reserved);
	load_started();
	fr_buf_addf(reply, "delete %.*s\r\n%s", (int)(sp - id), id,
	    more ? "reserve\r\n" : "");
	skip(l, sizeof(load_data) - 1 + 2);
}

/* What is to be said is said when all that has come is read, at once. */
static void
drain(struct part *p)
{
	struct line *l = p->line;
	int64_t asked, deleted = 0;
	struct fr_buf reply;
	struct fr_span s;

	fr_buf_init(&reply, 0);
	for (asked = 0; asked < p->window && asked < p->jobs; asked++)
		fr_buf_adds(&reply, "reserve\r\n");
	while (deleted < p->jobs) {
		if (reply.len > 0 && !heard(l)) {
			say(l, reply.p, reply.len);
			fr_buf_reset(&reply);
		}
		s = hear(l);
		if (fr_span_starts(s, "DELETED")) {
			deleted++;
		} else if (fr_span_starts(s, "RESERVED ")) {
			take(l, s, asked < p->jobs, &reply);
			asked++;
		} else {
			unexpected(s);
		}
	}
	fr_buf_fini(&reply);
}

int
main(int argc, char *argv[])
{
	static const struct peer beanstalkd = { "beanstalkd", dial, hang_up,
		submit, drain };

	return load_main(argc, argv, &beanstalkd);
}
