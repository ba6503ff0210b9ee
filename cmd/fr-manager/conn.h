/* SPDX-License-Identifier: MIT */
#ifndef FR_MANAGER_CONN_H
#define FR_MANAGER_CONN_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/queue.h>

#include "base/heap.h"
#include "http.h"

/* What http.c and conn.c share: the server and its connections. */

#define FR_CONN_SCRATCH ((size_t)64 * 1024)
#define FR_CONN_OVERLAP 256 /* requests at a time on one connection */

enum fr_conn_state {
	FR_CONN_HEAD,    /* between requests, or in a head */
	FR_CONN_BODY,    /* of known length */
	FR_CONN_CHUNKS,  /* of unknown length */
	FR_CONN_CLOSING, /* reads no more requests; closed when all is sent */
	FR_CONN_LINGER   /* all is sent; swallows what still comes */
};

/* Who shares what time there is: lane.c. */
enum fr_lane_no {
	FR_LANE_WORK,  /* workers */
	FR_LANE_LIGHT, /* signs of life, and who has not asked yet */
	FR_LANE_USUAL,
	FR_LANES
};
#define FR_LANE_EVENTS 64 /* of one that are looked at together */

struct fr_lane {
	enum fr_lane_no which;
	int ep;
	struct event *ready;
	int at, n; /* of v; what is before `at` is done */
	struct epoll_event v[FR_LANE_EVENTS];
};

TAILQ_HEAD(fr_conns, fr_conn);

struct fr_conn {
	TAILQ_ENTRY(fr_conn) all;
	TAILQ_ENTRY(fr_conn) idle_link; /* or of lingering ones */
	struct fr_conn *dirty_next;
	struct fr_http *http;
	int fd;
	enum fr_conn_state state;
	bool idle;        /* on the list of idle ones */
	bool dirty;       /* on the list of those to be settled */
	bool reading;     /* is polled for reading */
	bool writing;     /* is polled for writing */
	bool eof;         /* the client has closed its side */
	bool blocked;     /* a request waits for those before it */
	bool broken;      /* to be closed at once */
	bool progress;    /* bytes were sent since the deadline was set */
	bool overlapping; /* all requests on it may overlap */
	bool guest;       /* one too many: hears why, and is closed */
	bool deaf;        /* what it still sends is not read any more */
	struct fr_lane *lane;
	uint32_t polled; /* what for, as the lane knows it */
	struct fr_heap_node timer;
	bool timed_head;   /* the deadline is that of a head */
	struct fr_buf in;  /* what has come and is no whole request yet */
	struct fr_buf out; /* what is to be sent */
	size_t sent;       /* of out */
	size_t out_bytes;  /* of it, as counted in the server's */
	size_t in_bytes;   /* of `in`, the same */
	size_t scan;       /* how far the head in `in` was looked through */
	struct fr_req *first, *last;
	size_t nreqs;
	struct fr_req *now; /* whose body is being read; also on the list */
	size_t need;        /* bytes of it that are missing */
	struct fr_chunked chunks;
	size_t swallowed;
};

struct fr_http {
	struct fr_http_conf conf;
	struct fr_http_stats n;
	struct fr_conns conns;
	struct fr_conns idle;      /* longest idle first */
	struct fr_conns lingering; /* the same, of those that are over */
	size_t nlingering;
	struct fr_conn *dirty, **dirty_end;
	struct fr_req *dead;
	struct fr_heap deadlines;
	struct fr_lane lanes[FR_LANES];
	struct event *timer;
	int64_t timer_at_ms;  /* INT64_MAX: not set */
	struct event **doors; /* each of a listening descriptor */
	size_t ndoors;
	struct event *resume; /* accepts again after EMFILE */
	int spare;            /* a descriptor for the time without; -1: none */
	size_t guests, max_guests;
	size_t most;        /* connections, when there are descriptors */
	int64_t short_ms;   /* monotonic: when there were not */
	time_t swallowed_s; /* the second in which so many bytes */
	size_t swallowed;   /* were read for nothing */
	bool draining;
	bool settling;
	int64_t date_s;
	char date[64];
	char scratch[FR_CONN_SCRATCH];
};

/* conn.c */
struct fr_conn *fr_conn_new(struct fr_http *h, int fd);
void fr_conn_close(struct fr_conn *c);
void fr_conn_settle(struct fr_conn *c); /* may close it */
void fr_conn_dirty(struct fr_conn *c);
/* Counts what is to be sent; whenever its buffer has changed. */
void fr_conn_count_out(struct fr_conn *c);
void fr_conn_expired(struct fr_conn *c);
/* What the lane has seen; either may close it. */
void fr_conn_readable(struct fr_conn *c);
void fr_conn_writable(struct fr_conn *c);

/* lane.c */
FR_MUSTCHECK bool fr_lanes_open(struct fr_http *h);
void fr_lanes_close(struct fr_http *h);
void fr_lane_enter(struct fr_conn *c, enum fr_lane_no which);
void fr_lane_leave(struct fr_conn *c); /* before its descriptor is closed */
/* As c->reading and c->writing say. */
void fr_lane_poll(struct fr_conn *c);

/* feed.c: reads requests out of in; returns how many bytes it took. */
size_t fr_conn_feed(struct fr_conn *c, struct fr_span in);
/* The body that was awaited is there. */
void fr_conn_body_done(struct fr_conn *c);
/* A request that cannot be read: answers it and closes. */
void fr_conn_bad(struct fr_conn *c, int status, const char *detail);

/* http.c */
void fr_http_deadline(struct fr_conn *c, int64_t ms); /* 0: none */
/* Bytes of requests that it holds. */
static inline size_t
fr_http_memory(const struct fr_http *h)
{
	return (size_t)(h->n.bytes + h->n.in_bytes);
}
/* Whether much has come already that is no whole request, or not its turn. */
static inline bool
fr_http_crowded(const struct fr_http *h)
{
	return h->n.in_bytes > h->conf.max_memory / 8;
}
const char *fr_http_date(struct fr_http *h);
void fr_http_free_req(struct fr_req *r);
/* Whether it only waits, and so is no load. */
void fr_http_park(struct fr_req *r, bool parked);
/* One without a connection: freed by the next fr_http_settle. */
void fr_http_bury(struct fr_req *r);

#endif
