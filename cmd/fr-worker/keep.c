/* SPDX-License-Identifier: MIT */
#include "keep.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "client/client.h"
#include "run/workdir.h"
#include "wire/work.h"

#define BATCH 5000 /* leases in one request */

/* Fills x with up to BATCH leases from *at on. */
static void
collect(struct shared *s, size_t *at, struct fr_exchange *x)
{
	struct fr_finished *f;
	uint32_t state;

	x->nfinished = 0;
	for (; *at < s->n && x->nfinished < BATCH; (*at)++) {
		state = atomic_load(&s->v[*at].state);
		if (state == HELD_NOTHING)
			continue;
		f = &x->finished[x->nfinished++];
		memset(f, 0, sizeof(*f));
		f->id = s->v[*at].id;
		f->token = s->v[*at].token;
		f->how =
		    state == HELD_RUNNING ? FR_FINISH_LOST : FR_FINISH_RELEASED;
	}
}

static void
send_leases(struct keep *k, struct fr_client *cl, struct fr_exchange *x)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_call call = { .method = "POST",
		.path = "/v1/work",
		.repeatable = true,
		.timeout_ms = 5000 };
	struct fr_buf body;
	size_t at = 0, n = 0;
	enum fr_rc rc;

	fr_buf_init(&body, 0);
	do {
		collect(k->shared, &at, x);
		n += x->nfinished;
		x->leaving = at >= k->shared->n;
		fr_buf_reset(&body);
		fr_wire_work_request(&body, x);
		call.body = fr_buf_span(&body);
		rc = fr_client_call(cl, &call, &err);
	} while (rc == FR_OK && at < k->shared->n);
	if (rc != FR_OK)
		fr_log(FR_LOG_ERROR, "leases could not be given back: %s",
		    err.msg);
	else
		fr_log(FR_LOG_WARN, "gave %zu leases back", n);
	fr_buf_fini(&body);
	fr_buf_fini(&call.answer);
}

void
keep_give_back(struct keep *k)
{
	const struct conf *c = k->conf;
	const struct fr_client_conf cc = { .manager = c->manager,
		.token = c->token,
		.ca_file = c->ca_file,
		.connect_ms = 2000,
		.retry_ms = 10000,
		.patient = true };
	struct fr_exchange x = { .worker = fr_span_of(c->id),
		.host = fr_span_of(c->host),
		.pid = c->pid };
	struct fr_client *cl = NULL;

	fr_workdir_remove(k->shared->workdir);
	if (k->shared->n == 0)
		return;
	x.finished = calloc(BATCH, sizeof(*x.finished));
	if (x.finished != NULL && fr_client_open(&cl, &cc, NULL) == FR_OK)
		send_leases(k, cl, &x);
	fr_client_close(cl);
	free(x.finished);
}

static bool
holds_any(struct shared *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (atomic_load(&s->v[i].state) != HELD_NOTHING)
			return true;
	return false;
}

/* The worker has ended: as it should, or not. */
static void
end(void *arg, int status, int last)
{
	struct keep *k = arg;
	const bool crashed = !WIFEXITED(status);

	(void)last;
	if (crashed)
		fr_log(FR_LOG_ERROR,
		    "the worker was killed by signal %d: ending its handlers",
		    WTERMSIG(status));
	guard_reap();
	if (crashed || holds_any(k->shared))
		keep_give_back(k);
	exit(crashed ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

void
keep_start(struct keep *k, struct conf *c, size_t leases)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGQUIT };
	size_t i;

	k->conf = c;
	k->shared = guard_memory(
	    sizeof(struct shared) + leases * sizeof(struct held_lease));
	k->shared->n = leases;
	/* Inherited as ignored from a shell's "&": ours to decide. */
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		(void)signal(ours[i], SIG_DFL);
	k->orders = guard_start(end, k);
	/* A name of its own, so that one signal by name is not two. */
	(void)prctl(PR_SET_NAME, "fr-work", 0, 0, 0);
}
