/* SPDX-License-Identifier: MIT */
#ifndef FR_JOB_H
#define FR_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes; not NUL-terminated. p may be NULL only if len is 0. */
struct fr_span {
	const char *p;
	size_t len;
};

/* A span over a string literal. */
#define FR_SPAN(lit) ((struct fr_span){ (lit), sizeof(lit) - 1 })

/* 16 bytes, most significant first (RFC 9562). Ids are compared as bytes. */
struct fr_uuid {
	unsigned char b[16];
};
#define FR_UUID_TEXT 37 /* as text, with its NUL */

/* 128 random bits that prove a lease. All zero: no lease. */
struct fr_token {
	unsigned char b[16];
};
#define FR_TOKEN_TEXT 33 /* as hex, with its NUL */

/* The numbers are stored by backends and never change their meaning. */
enum fr_state {
	FR_STATE_SCHEDULED = 0, /* its time has not come */
	FR_STATE_QUEUED = 1,
	FR_STATE_RUNNING = 2,
	FR_STATE_COMPLETE = 3, /* this one and all above have ended */
	FR_STATE_FAILED = 4,
	FR_STATE_CANCELLED = 5
};
#define FR_STATES 6
#define FR_STATE_BIT(s) (1U << (unsigned)(s))
#define FR_STATE_ALL ((1U << FR_STATES) - 1)
#define FR_STATE_ENDED                                                         \
	(FR_STATE_BIT(FR_STATE_COMPLETE) | FR_STATE_BIT(FR_STATE_FAILED) |     \
	    FR_STATE_BIT(FR_STATE_CANCELLED))

#define FR_TYPE_MAX 64   /* bytes in the name of a type */
#define FR_KEY_MAX 256   /* bytes in a key */
#define FR_WORKER_MAX 64 /* bytes in a worker's id */

/*
 * One job. Spans are borrowed. data, result, error, log and progress are one
 * JSON value each, token for token as they came, without white space between
 * tokens; error and log are JSON strings. An absent one has len 0. Times are
 * wall-clock milliseconds since 1970 UTC; 0 means "none".
 */
struct fr_job {
	struct fr_uuid id;
	struct fr_span type; /* [A-Za-z0-9_.-]{1,64} */
	struct fr_span data;
	struct fr_span key; /* UTF-8 text; len 0: none */
	struct fr_span progress;
	struct fr_span result;
	struct fr_span error;
	struct fr_span log;
	struct fr_span worker; /* who has or last had it */
	enum fr_state state;
	int32_t priority; /* higher first */
	uint32_t attempt; /* how many leases were given; only grows */
	uint32_t max_attempts;
	uint32_t fail_count;
	int64_t timeout_ms; /* of one attempt; 0: none */
	int64_t created_ms;
	int64_t run_at_ms;  /* when it becomes, or became, runnable */
	int64_t started_ms; /* of the last attempt */
	int64_t finished_ms;
	struct fr_token lease;  /* the current or last one */
	int64_t lease_until_ms; /* meaningful while running */
};

static inline bool
fr_state_ended(enum fr_state s)
{
	return (FR_STATE_BIT(s) & FR_STATE_ENDED) != 0;
}

/* "scheduled", "queued" ...; static text. */
const char *fr_state_name(enum fr_state s);

/* The state with that name into *s; false if there is none. */
bool fr_state_parse(struct fr_span name, enum fr_state *s);

/* Whether name is a valid type: [A-Za-z0-9_.-]{1,64}, not "." or "..". */
bool fr_type_valid(struct fr_span name);

/* What happens to jobs, in the original's words and `cancelled`. */
enum fr_event_kind {
	FR_EVENT_CREATED,
	FR_EVENT_STAGED, /* leased to a worker */
	FR_EVENT_PROGRESS,
	FR_EVENT_COMPLETE,
	FR_EVENT_COUNT_FAILED, /* an attempt failed; there will be another */
	FR_EVENT_FAILED,
	FR_EVENT_CANCELLED
};
#define FR_EVENTS 7

/* "created", "staged" ...; static text. */
const char *fr_event_name(enum fr_event_kind k);

/* The kind with that name into *k; false if there is none. */
bool fr_event_parse(struct fr_span name, enum fr_event_kind *k);

#endif
