/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"

/*
 * A client that means no good: flood ADDRESS PORT CONNECTIONS SECONDS KIND.
 * Every connection sends its next request as soon as it has an answer,
 * whatever that says, and one that was closed is opened again at once.
 * Prints, as JSON, how many answers had which status, how many that refused
 * named no time to come again, and how many connections were cut.
 */

#define STEP ((size_t)128 * 1024)

struct kind {
	const char *name;
	const char *what;
	bool deaf; /* reads no answers */
};

static const struct kind kinds[] = {
	{ "submit", "a small job", false },
	{ "many", "64 small jobs at a time, one request each", false },
	{ "big", "a job of nearly 1 MiB", false },
	{ "batch", "10,000 jobs in nearly 16 MiB", false },
	{ "list", "the newest 1,000 jobs", false },
	{ "deaf", "the same; the answers stay unread", true },
	{ "work", "a worker of its own for each request", false },
	{ "parked", "a worker that waits; its jobs stay unread", true },
	{ "wait", "the end of a job, which never comes", false },
	{ "silent", "nothing at all", true },
	{ "half", "half of a request", true },
	{ "heads", "a head of 15 KiB without its end", true },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct peer {
	int fd;
	size_t sent;
	bool dead; /* not before the next round */
	struct fr_buf in;
};

static struct flood {
	const struct kind *kind;
	struct sockaddr_in to;
	int ep;
	struct fr_buf request;
	struct peer *v;
	int64_t n;
	uint64_t serial;
	uint64_t status[600], no_time, cut, opened, failed;
} f;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
request(const char *method, const char *path, const char *type,
    const struct fr_buf *body)
{
	fr_buf_addf(&f.request,
	    "%s %s HTTP/1.1\r\nHost: flood\r\nContent-Type: %s\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    method, path, type, body->len);
	fr_buf_addspan(&f.request, fr_buf_span(body));
}

static void
pad(struct fr_buf *b, size_t n)
{
	char *p = fr_buf_reserve(b, n);

	if (p == NULL)
		die("memory");
	memset(p, 'x', n);
	fr_buf_commit(b, n);
}

static void
make_request(const char *wait_for)
{
	const char *k = f.kind->name;
	struct fr_buf b;
	int i;

	fr_buf_init(&b, 0);
	fr_buf_init(&f.request, 0);
	if (strcmp(k, "submit") == 0 || strcmp(k, "many") == 0) {
		fr_buf_adds(&b, "{\"type\":\"flood\",\"data\":{\"n\":12345}}");
		for (i = 0; i < (k[0] == 'm' ? 64 : 1); i++)
			request("POST", "/v1/jobs", "application/json", &b);
	} else if (strcmp(k, "big") == 0) {
		fr_buf_adds(&b, "{\"type\":\"flood\",\"data\":\"");
		pad(&b, 1000000);
		fr_buf_adds(&b, "\"}");
		request("POST", "/v1/jobs", "application/json", &b);
	} else if (strcmp(k, "batch") == 0) {
		for (i = 0; i < 10000; i++) {
			fr_buf_adds(&b, "{\"type\":\"flood\",\"data\":\"");
			pad(&b, 1600);
			fr_buf_adds(&b, "\"}\n");
		}
		request("POST", "/v1/jobs", "application/x-ndjson", &b);
	} else if (strcmp(k, "half") == 0) {
		pad(&b, 1000000);
		request("POST", "/v1/jobs", "application/json", &b);
		f.request.len -= 500000;
	} else if (strcmp(k, "heads") == 0) {
		fr_buf_adds(
		    &f.request, "GET /v1/jobs HTTP/1.1\r\nHost: flood\r\nX: ");
		pad(&f.request, 15000);
	} else if (strcmp(k, "list") == 0 || strcmp(k, "deaf") == 0) {
		request("GET", "/v1/jobs?limit=1000", "text/plain", &b);
	} else if (strcmp(k, "wait") == 0) {
		fr_buf_addf(&b, "/v1/jobs/%s?wait=60", wait_for);
		fr_buf_addf(&f.request,
		    "GET %s HTTP/1.1\r\nHost: flood\r\n\r\n", fr_buf_cstr(&b));
	}
	fr_buf_fini(&b);
}

/* Each of these names a worker that is not known yet. */
static void
make_work(struct fr_buf *b)
{
	const bool parked = f.kind->deaf;
	char body[200];

	(void)snprintf(body, sizeof(body),
	    "{\"worker\":\"flood-%d-%llu\",\"host\":\"h\",\"pid\":1,\"types\":"
	    "[\"%s\"],\"slots\":1000,\"wait\":%d}",
	    (int)getpid(), (unsigned long long)f.serial++,
	    parked ? "flood" : "nothing", parked ? 60 : 0);
	fr_buf_addf(b,
	    "POST /v1/work HTTP/1.1\r\nHost: flood\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(body), body);
}

static void
hang_up(struct peer *p)
{
	if (p->fd != -1)
		(void)close(p->fd);
	p->fd = -1;
	p->sent = 0;
	p->dead = true;
	fr_buf_fini(&p->in);
}

static void
feed(struct peer *p)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	struct fr_buf own, *b = &f.request;
	const size_t before = p->sent;
	ssize_t n = 0;

	fr_buf_init(&own, 0);
	if (strcmp(f.kind->name, "work") == 0 ||
	    strcmp(f.kind->name, "parked") == 0) {
		if (p->sent > 0)
			return;
		make_work(&own);
		b = &own;
	}
	while (p->sent < b->len) {
		/* Some, and the others have their turn, or an answer comes. */
		if (p->sent - before >= STEP)
			break;
		n = b->len - p->sent < STEP ? (ssize_t)(b->len - p->sent)
					    : (ssize_t)STEP;
		n = send(p->fd, b->p + p->sent, (size_t)n,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1)
			break; /* full, or cut, which reading tells */
		p->sent += (size_t)n;
	}
	e.data.ptr = p;
	if (p->sent < b->len && n != -1)
		(void)epoll_ctl(f.ep, EPOLL_CTL_MOD, p->fd, &e);
	fr_buf_fini(&own);
}

static void
dial(struct peer *p)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET };

	p->dead = false;
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	e.data.ptr = p;
	if (p->fd == -1 ||
	    connect(p->fd, (const struct sockaddr *)&f.to, sizeof(f.to)) ==
		-1 ||
	    epoll_ctl(f.ep, EPOLL_CTL_ADD, p->fd, &e) == -1) {
		f.failed++;
		hang_up(p);
		return;
	}
	f.opened++;
}

/* Whole answers; false if the connection is to be opened again. */
static bool
answers(struct peer *p)
{
	const char *end, *at;
	size_t head, len;
	int64_t status;

	while ((end = memmem(p->in.p, p->in.len, "\r\n\r\n", 4)) != NULL) {
		head = (size_t)(end - p->in.p) + 4;
		at = memmem(p->in.p, head, "Content-Length: ", 16);
		len = at == NULL ? 0 : strtoull(at + 16, NULL, 10);
		if (p->in.len < head + len)
			return true;
		if (fr_str_i64((struct fr_span){ p->in.p + 9, 3 }, 100, 599,
			&status) != FR_OK)
			return false;
		f.status[status]++;
		if (status == 429 || status == 503)
			f.no_time +=
			    memmem(p->in.p, head, "Retry-After: ", 13) == NULL;
		if (memmem(p->in.p, head, "Connection: close", 17) != NULL)
			return false;
		fr_buf_shift(&p->in, head + len);
		if (p->in.len == 0) {
			p->sent = 0;
			feed(p);
		}
	}
	return true;
}

static void
hear(struct peer *p)
{
	ssize_t n;
	char *to;

	for (;;) {
		to = fr_buf_reserve(&p->in, 16384);
		if (to == NULL)
			die("memory");
		n = recv(p->fd, to, 16384, MSG_DONTWAIT);
		if (n == -1 && errno == EAGAIN)
			return;
		if (n <= 0) {
			f.cut++;
			hang_up(p);
			return;
		}
		fr_buf_commit(&p->in, (size_t)n);
		if (!answers(p)) {
			hang_up(p);
			return;
		}
	}
}

static void
run(int64_t seconds)
{
	const int64_t end = fr_time_mono_ms() + seconds * 1000;
	struct epoll_event ev[256];
	int64_t i;
	int k, n;

	while (fr_time_mono_ms() < end) {
		for (i = 0; i < f.n; i++)
			if (f.v[i].fd == -1)
				dial(&f.v[i]);
		n = epoll_wait(f.ep, ev, 256, 10);
		for (k = 0; k < n; k++) {
			struct peer *p = ev[k].data.ptr;

			if (p->fd == -1)
				continue;
			if (!f.kind->deaf &&
			    (ev[k].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
				hear(p);
			else if (ev[k].events & (EPOLLHUP | EPOLLERR)) {
				f.cut++;
				hang_up(p);
			}
			if (p->fd != -1 && (ev[k].events & EPOLLOUT))
				feed(p);
		}
	}
}

static void
report(void)
{
	int i;

	printf("{");
	for (i = 0; i < 600; i++)
		if (f.status[i] > 0)
			printf(
			    "\"%d\":%llu,", i, (unsigned long long)f.status[i]);
	printf("\"without_time\":%llu,\"cut\":%llu,\"opened\":%llu,"
	       "\"not_opened\":%llu}\n",
	    (unsigned long long)f.no_time, (unsigned long long)f.cut,
	    (unsigned long long)f.opened, (unsigned long long)f.failed);
}

int
main(int argc, char *argv[])
{
	int64_t port, seconds, i;
	size_t k;

	for (k = 0; argc > 5 && k < KINDS; k++)
		if (strcmp(argv[5], kinds[k].name) == 0)
			f.kind = &kinds[k];
	f.to.sin_family = AF_INET;
	if (f.kind == NULL ||
	    inet_pton(AF_INET, argv[1], &f.to.sin_addr) != 1 ||
	    fr_str_i64(fr_span_of(argv[2]), 1, 65535, &port) != FR_OK ||
	    fr_str_i64(fr_span_of(argv[3]), 1, 100000, &f.n) != FR_OK ||
	    fr_str_i64(fr_span_of(argv[4]), 1, 3600, &seconds) != FR_OK ||
	    (strcmp(f.kind->name, "wait") == 0 && argc < 7)) {
		fprintf(stderr, "usage: flood ADDRESS PORT CONNECTIONS "
				"SECONDS KIND [ID]\n");
		for (k = 0; k < KINDS; k++)
			fprintf(stderr, "  %-8s %s\n", kinds[k].name,
			    kinds[k].what);
		return 64;
	}
	f.to.sin_port = htons((uint16_t)port);
	f.ep = epoll_create1(EPOLL_CLOEXEC);
	f.v = calloc((size_t)f.n, sizeof(*f.v));
	if (f.ep == -1 || f.v == NULL)
		die("start");
	for (i = 0; i < f.n; i++)
		f.v[i].fd = -1;
	make_request(argc > 6 ? argv[6] : "");
	run(seconds);
	report();
	for (i = 0; i < f.n; i++)
		hang_up(&f.v[i]);
	free(f.v);
	fr_buf_fini(&f.request);
	return 0;
}
