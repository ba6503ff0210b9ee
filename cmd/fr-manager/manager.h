/* SPDX-License-Identifier: MIT */
#ifndef FR_MANAGER_MANAGER_H
#define FR_MANAGER_MANAGER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <fr/err.h>
#include <fr/store.h>

#include "base/json.h"
#include "base/rand.h"
#include "base/uuid.h"
#include "conf.h"
#include "core/engine.h"
#include "http.h"
#include "wire/job.h"

/*
 * What the parts of the manager share. All of it belongs to the HTTP thread,
 * except where it says otherwise.
 */

struct fr_request;
typedef void fr_handler_fn(struct fr_request *q);
/* On the reader's thread: fills q->answer, or q->rc and q->err. */
typedef enum fr_rc fr_read_fn(struct fr_store *s, struct fr_request *q);

/* Who may; a token has a set of these. admin includes the others. */
#define FR_ROLE_SUBMIT (1U << 0)
#define FR_ROLE_WORK (1U << 1)
#define FR_ROLE_READ (1U << 2)
#define FR_ROLE_ADMIN (1U << 3)

/* What a route wants as its body. */
enum fr_body { FR_BODY_NONE, FR_BODY_JSON, FR_BODY_JOBS };

struct fr_route {
	const char *method;
	const char *path; /* with {id} or {type} as one segment */
	unsigned role;    /* 0: anybody */
	enum fr_body body;
	fr_handler_fn *handle;
};

struct fr_request {
	struct fr_req http; /* first */
	struct fr_op op;
	const struct fr_route *route;
	struct fr_span query;       /* in the arena */
	char type[FR_TYPE_MAX + 1]; /* of the path, or of the job */
	struct fr_uuid id;          /* of the path */
	char prefix[33];            /* the beginning of one; "": id is whole */
	bool ndjson;                /* the body, or the answer that is wanted */
	bool abandoned;
	int64_t wait_ms;
	int64_t started_us;
	fr_handler_fn *next; /* when the op or the read is back */
	fr_handler_fn *after_find;
	const char *allow; /* of a 405: its header line */

	/* reading */
	fr_read_fn *read;
	struct fr_request *read_next;
	enum fr_rc rc;
	struct fr_err err;
	struct fr_buf answer; /* freed with the request's reply */
	struct fr_list list;
	struct fr_uuid last_id;
	bool more;
	bool queued; /* the job that was read is waiting in the queue */
	bool paused;
	bool have_workers;
	int64_t ahead; /* -1: not known */
	size_t count;
	unsigned *lines; /* of a batch: where each job stood */

	/* the event stream */
	struct fr_request *stream_next, **stream_prev;
	int64_t last_event;
	bool by_job;
};

struct fr_reader;
struct fr_auth;
struct fr_hooks;
struct event;

struct fr_manager {
	const struct fr_conf *conf;
	struct event_base *base;
	struct fr_http *http;
	struct fr_engine *engine;
	struct fr_store *store; /* the engine's */
	struct fr_queue *queue; /* the engine's */
	struct fr_event_ring *ring;
	struct fr_reader *reader;
	struct fr_auth *auth;
	struct fr_hooks *hooks;
	struct fr_rand rand, engine_rand;
	struct fr_uuid_gen ids;
	struct fr_wire_limits limits;
	char url[300];                 /* of the first listener */
	char *store_text, *queue_text; /* what they say of themselves */
	bool durable, fifo, debug;
	int64_t started_ms;
	size_t max_connections;

	int wake_fd; /* any thread writes: answers are there */
	struct event *wake;
	struct event *more;           /* answers that the last round has left */
	struct fr_line urgent, usual; /* answers: not sent yet */
	struct event *tick; /* while stopping; and the streams' heartbeat */
	struct event *signals[4];
	struct event *beat;
	struct fr_request *streams;

	pthread_t engine_thread;
	bool engine_started;
	bool engine_done;     /* atomic */
	enum fr_rc engine_rc; /* valid once engine_done */
	struct fr_err engine_err;
	bool stopping, engine_stopping;
	bool behind;     /* a stream has more to be sent than it takes */
	int64_t stop_ms; /* when it began */
	enum fr_rc rc;   /* what to exit with */
};

static inline struct fr_manager *
fr_manager_of(const struct fr_request *q)
{
	return fr_http_arg(q->http.http);
}

/* ---- manager.c: the parts put together ---------------------------------- */

FR_MUSTCHECK enum fr_rc fr_manager_open(
    struct fr_manager *m, const struct fr_conf *conf, struct fr_err *err);
/* Serves until a signal or a failure; what to exit with. */
FR_MUSTCHECK enum fr_rc fr_manager_run(struct fr_manager *m);
void fr_manager_close(struct fr_manager *m);
/* Any thread: something is there for the HTTP thread. */
void fr_manager_wake(void *manager);
/* Sees to the streams when they need it next. */
void fr_manager_beat(struct fr_manager *m);

/* listen.c: on all addresses of the configuration. */
FR_MUSTCHECK enum fr_rc fr_listen_all(struct fr_manager *m, struct fr_err *err);

/* ---- route.c ------------------------------------------------------------ */

bool fr_route_begin(struct fr_req *r, const struct fr_head *head);
void fr_route_handle(struct fr_req *r);
void fr_route_gone(struct fr_req *r);
bool fr_route_overlaps(const struct fr_head *head);
enum fr_rank fr_route_rank(const struct fr_head *head);
/* One line each: method, path, role. */
void fr_route_dump(struct fr_buf *b);

/* ---- ask.c: to the engine, to the reader, and answers ------------------- */

/* Hands q->op over; next is called when it is back. parked: it may wait for
 * long. If it cannot be taken now q is answered. */
void fr_ask_engine(struct fr_request *q, bool parked, fr_handler_fn *next);
/* Hands q to the reader's thread. */
void fr_ask_reader(struct fr_request *q, fr_read_fn *read, fr_handler_fn *next);
/* The same for what may take long: it waits for quick ones, and if too many
 * of its like do q is answered. */
void fr_ask_list(struct fr_request *q, fr_read_fn *read, fr_handler_fn *next);
/* As fr_ask_engine or fr_ask_reader, once the id of the path is whole. */
void fr_ask_whole(struct fr_request *q, fr_handler_fn *next);
/* Takes back what is there, answers and sends. Unless all are to be answered,
 * only for a while; true: there are more. */
bool fr_ask_answers(struct fr_manager *m, bool all);

/* Answers with JSON; a line feed is added. */
void fr_answer_json(struct fr_request *q, int status, struct fr_buf *json);
void fr_answer_as(struct fr_request *q, int status, const char *type,
    struct fr_buf *body, const char *more);
/* Answers with an error. */
void fr_answer_problem(struct fr_request *q, int status, const char *type,
    const char *fmt, ...) FR_PRINTF(4, 5);
/* The answer of a failure: the only table from enum fr_rc to a status. */
void fr_answer_failed(
    struct fr_request *q, enum fr_rc rc, const struct fr_err *err);
/* The body of a problem, for what could be no request. */
void fr_problem_body(struct fr_buf *body, int status, const char *detail);

/* A parameter of the query: FR_NOTFOUND if it is not there; others have been
 * answered. */
enum fr_rc fr_param(
    struct fr_request *q, const char *name, char *dst, size_t size);
/* Whether there are only these; else answers. names ends with NULL. */
bool fr_params_known(struct fr_request *q, const char *const *names);
/* A parameter that is a duration; FR_NOTFOUND, or answered. */
enum fr_rc fr_param_ms(struct fr_request *q, const char *name, int64_t *ms);
/* A parameter that is a number from 1 to max; FR_NOTFOUND, or answered. */
enum fr_rc fr_param_int(
    struct fr_request *q, const char *name, int64_t max, int64_t *n);

/* ---- the calls ---------------------------------------------------------- */

fr_handler_fn fr_jobs_post, fr_jobs_get, fr_jobs_list, fr_jobs_cancel,
    fr_jobs_retry, fr_jobs_remove;
fr_handler_fn fr_work_post;
fr_handler_fn fr_types_list, fr_types_pause, fr_types_resume, fr_workers_get,
    fr_purge_post;
fr_handler_fn fr_events_get, fr_metrics_get, fr_healthz_get, fr_readyz_get;

/* work.c: gives jobs back that nobody has got. */
void fr_work_give_back(struct fr_manager *m, struct fr_exchange *x);

/* events.c */
void fr_events_gone(struct fr_request *q);
void fr_events_stop(struct fr_manager *m);
void fr_events_news(struct fr_manager *m);
void fr_events_beat(struct fr_manager *m);

/* waiting.c: why a job is not running, from what q knows; "" if it is. */
void fr_waiting_text(const struct fr_request *q, const struct fr_job *job,
    char *dst, size_t size);
/* The types in the JSON of a worker at another manager; borrows json. */
struct fr_json_iter fr_worker_types(struct fr_span json);
bool fr_worker_has_type(const struct fr_worker_view *v, const char *type);
#endif
