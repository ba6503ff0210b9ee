/* SPDX-License-Identifier: MIT */
#ifndef FR_EXEC_PEER_H
#define FR_EXEC_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <fr/err.h>
#include <fr/job.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rand.h"
#include "base/uuid.h"

/*
 * A child process that is a backend: it reads one JSON object a line and
 * answers each with one, as fr-backend(7) says. A child that dies, is too
 * slow or answers anything else is killed with all that it started, and the
 * next start, after a pause, makes a new one.
 */
struct fr_exec_peer {
	const char *kind; /* "store" or "queue" */
	char *command;    /* for sh -c */
	bool readonly;
	pid_t pid; /* 0: none */
	int to, from;
	struct fr_buf tx, rx;
	size_t answer_len; /* of the answer at the front of rx, with its \n */
	struct fr_arena *arena; /* decoded texts of the last answer */
	struct fr_err why;
	int64_t retry_ms; /* monotonic: not before this */
	int64_t backoff_ms;
	struct fr_rand rand;
	char handle[33]; /* names us to the child, over its restarts */

	bool greeted; /* one of them was, so that the next may be, too */

	/* what it said when it was greeted */
	char name[160];
	bool durable, shared, resolves, wants_data;
};

/* kind is borrowed, command is copied. Starts nothing. */
enum fr_rc fr_exec_init(struct fr_exec_peer *p, const char *kind,
    const char *command, bool readonly, struct fr_err *err);
void fr_exec_fini(struct fr_exec_peer *p); /* lets it end by itself first */

/* A running, greeted child; FR_AGAIN if there is none just now. FR_BROKEN: it
 * speaks another version, or is another kind of backend. */
enum fr_rc fr_exec_start(struct fr_exec_peer *p, struct fr_err *err);

/* Begins a request: the object is open, members may be added to p->tx. */
void fr_exec_request(struct fr_exec_peer *p, const char *call);
/*
 * Sends the request and waits for the answer, an object, which stays until
 * the next request. Errors: what the child said; FR_AGAIN if it failed.
 */
enum fr_rc fr_exec_answer(
    struct fr_exec_peer *p, struct fr_span *answer, struct fr_err *err);

/* The child broke the protocol: ends it. Returns FR_AGAIN, since whatever it
 * was at is void. what: "create: 3 items for 4 jobs". */
enum fr_rc fr_exec_broken(
    struct fr_exec_peer *p, struct fr_err *err, const char *what);

/* Members of an answer. false: not there, or not of that kind. */
bool fr_exec_i64(struct fr_span object, const char *key, int64_t *v);
bool fr_exec_bool(struct fr_span object, const char *key, bool *v);
/* A string, decoded; absent or null gives len 0. */
bool fr_exec_text(struct fr_exec_peer *p, struct fr_span object,
    const char *key, struct fr_span *v);
/* The same, with a NUL; z has size bytes. */
bool fr_exec_word(struct fr_span object, const char *key, char *z, size_t size);
bool fr_exec_id(struct fr_span object, const char *key, struct fr_uuid *id);
/* An array: how many elements. */
bool fr_exec_array(
    struct fr_span object, const char *key, struct fr_span *v, size_t *n);
/* The result with that name ("ok", "stale" ...). */
bool fr_exec_rc(struct fr_span token, enum fr_rc *rc);

#endif
