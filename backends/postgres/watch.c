/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/str.h"

/*
 * News from other managers come over a connection of their own, which only
 * listens. It is made, and made again, without ever waiting: an epoll
 * descriptor holds its socket and a timer, and is what the engine watches,
 * so that it stays the same while connections come and go. Whenever the
 * connection is back, some news may have been missed, and that is news.
 */

#define SETUP_S 5
#define RETRY_MS 300
#define SENDER 16 /* hex digits of the handle that sent it */

enum phase { DOWN, CONNECTING, ASKING, UP };

struct fr_pg_watch {
	int epoll, timer;
	int sock; /* in the epoll set; -1: none */
	enum phase phase;
	PGconn *db;
};

static void
set_timer(struct fr_pg_watch *w, int64_t ms)
{
	const struct itimerspec at = {
		.it_value = { ms / 1000, (ms % 1000) * 1000000 },
	};

	(void)timerfd_settime(w->timer, 0, &at, NULL);
}

static void
watch_socket(struct fr_pg_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events };

	/* A try at the next host has another socket. */
	if (w->sock != -1)
		(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->sock, NULL);
	w->sock = w->db != NULL ? PQsocket(w->db) : -1;
	if (w->sock != -1)
		(void)epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->sock, &ev);
}

static void
go_down(struct fr_pg_watch *w)
{
	if (w->sock != -1)
		(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->sock, NULL);
	w->sock = -1;
	PQfinish(w->db);
	w->db = NULL;
	w->phase = DOWN;
	set_timer(w, RETRY_MS);
}

static void
start(struct fr_pg *s, struct fr_pg_watch *w)
{
	w->db = PQconnectStartParams(
	    (const char *const *)s->keys, (const char *const *)s->values, 0);
	w->phase = CONNECTING;
	set_timer(w, SETUP_S * 1000);
	if (w->db == NULL || PQstatus(w->db) == CONNECTION_BAD)
		go_down(w);
	else
		watch_socket(w, EPOLLOUT);
}

static void
connecting(struct fr_pg *s, struct fr_pg_watch *w)
{
	char sql[128];

	switch (PQconnectPoll(w->db)) {
	case PGRES_POLLING_READING:
		watch_socket(w, EPOLLIN);
		return;
	case PGRES_POLLING_WRITING:
		watch_socket(w, EPOLLOUT);
		return;
	case PGRES_POLLING_OK:
		break;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		go_down(w);
		return;
	}
	if (!fr_str_format(sql, sizeof(sql), "LISTEN %s", s->channel) ||
	    PQsetnonblocking(w->db, 1) != 0 || !PQsendQuery(w->db, sql) ||
	    PQflush(w->db) != 0) {
		go_down(w);
		return;
	}
	w->phase = ASKING;
	watch_socket(w, EPOLLIN);
}

/* true once the server listens for us. */
static bool
asking(struct fr_pg_watch *w)
{
	PGresult *res;
	bool ok = true;

	if (!PQconsumeInput(w->db)) {
		go_down(w);
		return false;
	}
	while (!PQisBusy(w->db)) {
		res = PQgetResult(w->db);
		if (res == NULL) {
			if (ok)
				w->phase = UP;
			else
				go_down(w);
			set_timer(w, ok ? 0 : RETRY_MS);
			return ok;
		}
		ok = ok && PQresultStatus(res) == PGRES_COMMAND_OK;
		PQclear(res);
	}
	return false;
}

/* One entry "KIND TYPE [ID]", or "!". false: it is none. */
static bool
parse(struct fr_span e, char type[FR_TYPE_MAX + 1], struct fr_news *n)
{
	const char *space;

	memset(n, 0, sizeof(*n));
	n->type = type;
	type[0] = '\0';
	if (fr_span_is(e, "!"))
		return true;
	if (e.len < 4 || e.p[0] < '0' || e.p[0] > '0' + FR_NEWS_PAUSE ||
	    e.p[1] != ' ')
		return false;
	n->kind = (enum fr_event_kind)(e.p[0] - '0');
	e.p += 2;
	e.len -= 2;
	space = memchr(e.p, ' ', e.len);
	if (space == NULL ||
	    !fr_str_copy(type, FR_TYPE_MAX + 1,
		(struct fr_span){ e.p, (size_t)(space - e.p) }) ||
	    !fr_type_valid(fr_span_of(type)))
		return false;
	e.len -= (size_t)(space + 1 - e.p);
	e.p = space + 1;
	return e.len == 0 || fr_hex_decode(n->id.b, sizeof(n->id.b), e);
}

static enum fr_rc
read_news(
    const struct fr_pg *s, const char *text, fr_news_emit_fn *emit, void *arg)
{
	char own[SENDER + 1], type[FR_TYPE_MAX + 1];
	struct fr_news news;
	enum fr_rc rc = FR_OK;
	struct fr_span e;

	if (!fr_str_format(
		own, sizeof(own), "%016llx", (unsigned long long)s->handle) ||
	    strlen(text) < SENDER || strncmp(text, own, SENDER) == 0)
		return FR_OK;
	for (text += SENDER; *text == ';' && rc == FR_OK; text += e.len) {
		text++;
		e = (struct fr_span){ text, strcspn(text, ";") };
		if (parse(e, type, &news))
			rc = emit(arg, &news);
	}
	return rc;
}

static enum fr_rc
listening(
    struct fr_pg *s, struct fr_pg_watch *w, fr_news_emit_fn *emit, void *arg)
{
	enum fr_rc rc = FR_OK;
	PGnotify *n;

	if (!PQconsumeInput(w->db)) {
		go_down(w);
		return FR_OK;
	}
	while (rc == FR_OK && (n = PQnotifies(w->db)) != NULL) {
		rc = read_news(s, n->extra, emit, arg);
		PQfreemem(n);
	}
	return rc;
}

int
fr_pg_watch_fd(struct fr_store *store)
{
	struct fr_pg *s = fr_pg_of(store);
	struct epoll_event ev = { .events = EPOLLIN };
	struct fr_pg_watch *w = s->watch;

	if (w != NULL)
		return w->epoll;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return -1;
	s->watch = w;
	w->sock = -1;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->epoll == -1 || w->timer == -1 ||
	    epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->timer, &ev) == -1) {
		fr_pg_watch_free(s);
		return -1;
	}
	start(s, w);
	return w->epoll;
}

enum fr_rc
fr_pg_watch(struct fr_store *store, fr_news_emit_fn *emit, void *arg,
    struct fr_err *err)
{
	static const struct fr_news missed = { .type = "" };
	struct fr_pg *s = fr_pg_of(store);
	struct fr_pg_watch *w = s->watch;
	uint64_t expired = 0;
	enum fr_rc rc = FR_OK;

	(void)err;
	if (w == NULL)
		return FR_OK;
	if (read(w->timer, &expired, sizeof(expired)) > 0) {
		if (w->phase == DOWN)
			start(s, w);
		else if (w->phase != UP)
			go_down(w);
		return FR_OK;
	}
	if (w->phase == CONNECTING)
		connecting(s, w);
	else if (w->phase == ASKING && asking(w))
		rc = emit(arg, &missed);
	if (rc == FR_OK && w->phase == UP)
		rc = listening(s, w, emit, arg);
	return rc;
}

void
fr_pg_watch_free(struct fr_pg *s)
{
	struct fr_pg_watch *w = s->watch;

	if (w == NULL)
		return;
	PQfinish(w->db);
	if (w->epoll != -1)
		(void)close(w->epoll);
	if (w->timer != -1)
		(void)close(w->timer);
	free(w);
	s->watch = NULL;
}
