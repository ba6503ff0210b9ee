/* SPDX-License-Identifier: MIT */
#ifndef FR_WORKER_LOOP_H
#define FR_WORKER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "base/rand.h"
#include "channel.h"
#include "conf.h"
#include "held.h"
#include "keep.h"
#include "run/runner.h"
#include "run/workdir.h"

/* What an exchange under way is for. */
enum purpose {
	FOR_NOTHING,
	FOR_JOBS,   /* slots > 0; may wait */
	FOR_REPORT, /* slots 0, answered at once */
	FOR_WATCH   /* slots 0, waits to be told to stop something */
};

struct sent {
	enum purpose purpose;
	uint32_t slots;
	bool carries; /* ends of jobs */
	bool names;   /* all that is held, up to this serial: */
	uint64_t serial;
	bool leaving;
	bool superseded; /* another one was sent after it */
};

enum phase {
	WORKING,
	LEAVING, /* takes no more, lets handlers finish */
	QUITTING /* ends handlers, gives everything back */
};

/* One worker: the exchange with the manager, around a runner. */
struct loop {
	struct conf *conf;
	struct keep *keep;
	struct event_base *base;
	struct event *runner_event, *orders_event, *timer;
	struct fr_workdir workdir;
	struct fr_runner *runner;
	struct held held;
	struct channels channels;
	struct sent sent[CHANNELS]; /* by channel */
	struct fr_rand rand;

	enum phase phase;
	enum fr_finish stopped_as; /* what a handler that we end has come to */
	int64_t grace_end_ms, quit_end_ms; /* 0: no */
	bool told;                         /* the manager knows that we leave */
	bool dry;     /* the last answer had nothing for us */
	bool backlog; /* it had all that we asked for */
	bool ended;
	bool turning;
	int status;

	int64_t lease_ms;
	bool lease_known;    /* the manager has said it */
	int64_t named_ms;    /* when all that is held was last named */
	int64_t progress_ms; /* when progress was last sent */
	int64_t spoke_ms;    /* when anything was last sent */
	int64_t rtt_us;      /* of an exchange that did not wait */
	unsigned quick;      /* jobs in a row that did not take long */
	unsigned ramp;       /* jobs that may be fetched ahead */
	size_t max_bytes;    /* of ends in one exchange */

	bool connected, ever_connected;
	unsigned failures;
	int64_t retry_ms; /* nothing is sent before */
	int64_t away_ms;  /* since when nobody answers; 0: somebody does */

	/* for the request that is being made */
	const char **types;
	size_t types_cap;
	struct fr_held *running;
	size_t running_cap;
	struct fr_finished *finished;
	size_t finished_cap;
	struct fr_progressed *progress;
	size_t progress_cap;
};

/* Works until told to stop. Returns the exit status. */
int loop_run(struct conf *c, struct keep *k);

/* loop.c: looks at everything and does what is due. */
void loop_turn(struct loop *l);

/* exchange.c */
void exchange_decide(struct loop *l, int64_t now_ms);
/* When there will be something to send; -1: not by itself. */
int64_t exchange_next_ms(struct loop *l, int64_t now_ms);
/* Gives up a request for jobs that is waiting. */
void exchange_stop_asking(struct loop *l);
/* request.c */
bool request_send(
    struct loop *l, enum purpose purpose, uint32_t slots, int64_t wait_ms);
/* answer.c */
void answer_take(
    void *arg, struct channel *ch, long status, const struct fr_err *err);
size_t loop_types(struct loop *l);

#endif
