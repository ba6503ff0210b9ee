/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "loop.h"
#include "wire/work.h"

#define ANSWER_MS 30000 /* what a manager may take beyond the wait */

/* Room for n elements; what was there may be lost. */
static bool
room(void *list, size_t *cap, size_t n, size_t each)
{
	void **v = list;

	if (n <= *cap)
		return true;
	free(*v);
	*cap = n + n / 2 + 16;
	*v = calloc(*cap, each);
	if (*v == NULL)
		*cap = 0;
	return *v != NULL;
}

size_t
loop_types(struct loop *l)
{
	const struct fr_handlers *hs = &l->conf->handling.handlers;
	const struct fr_handler *h;
	size_t i, n = 0;

	if (!room(&l->types, &l->types_cap, hs->n, sizeof(*l->types)))
		return 0;
	for (i = 0; i < hs->n; i++) {
		h = hs->v[i];
		if (!h->gone && !h->hidden && !h->withdrawn)
			l->types[n++] = h->type;
	}
	return n;
}

/* The ends that go with it: whole batches, oldest first, up to a size. */
static bool
take_ends(struct loop *l, struct fr_exchange *x)
{
	struct held *h = &l->held;
	struct fr_finished *f;
	struct batch *b;
	struct job *j;
	size_t n = 0, bytes = 0;

	for (b = h->batches; b != NULL; b = b->next) {
		fr_assert(!b->sent);
		if (n > 0 && bytes + b->bytes > l->max_bytes)
			break;
		n += b->n;
		bytes += b->bytes;
		b->sent = true;
	}
	if (!room(&l->finished, &l->finished_cap, n, sizeof(*l->finished)))
		return false;
	for (b = h->batches; b != NULL && b->sent; b = b->next) {
		h->unsent -= b->n;
		h->unsent_bytes -= b->bytes;
		for (j = b->first; j != NULL; j = j->bnext) {
			f = &l->finished[x->nfinished++];
			*f = (struct fr_finished){ .id = j->task.id,
				.token = j->token,
				.how = j->how,
				.value = j->value,
				.log = j->log };
		}
	}
	x->finished = l->finished;
	return true;
}

/* All whose end this exchange does not carry. */
static bool
name_held(struct loop *l, struct fr_exchange *x)
{
	const struct job *j;

	if (!room(&l->running, &l->running_cap, l->held.n, sizeof(*l->running)))
		return false;
	for (j = l->held.first; j != NULL; j = j->next) {
		if (j->orphan ||
		    (j->batch != NULL && j->batch->sent && x->nfinished > 0))
			continue;
		l->running[x->nrunning].id = j->task.id;
		l->running[x->nrunning++].token = j->token;
	}
	x->running = l->running;
	return true;
}

static bool
take_progress(struct loop *l, struct fr_exchange *x, int64_t now_ms)
{
	struct job *j;
	size_t n = 0;

	for (j = l->held.progressed; j != NULL; j = j->pnext)
		n++;
	if (n == 0)
		return true;
	if (!room(&l->progress, &l->progress_cap, n, sizeof(*l->progress)))
		return false;
	for (j = l->held.progressed; j != NULL; j = j->pnext) {
		j->progress_new = false;
		if (j->stopping || j->orphan)
			continue;
		l->progress[x->nprogress++] =
		    (struct fr_progressed){ .id = j->task.id,
			    .token = j->token,
			    .value = { j->progress, j->progress_len } };
	}
	l->held.progressed = NULL;
	l->progress_ms = now_ms;
	x->progress = l->progress;
	return true;
}

static struct channel *
free_channel(struct loop *l)
{
	int i;

	for (i = 0; i < CHANNELS; i++)
		if (!l->channels.v[i].busy)
			return &l->channels.v[i];
	return NULL;
}

static bool
under_way(const struct loop *l)
{
	int i;

	for (i = 0; i < CHANNELS; i++)
		if (l->channels.v[i].busy && l->sent[i].carries)
			return true;
	return false;
}

/* Everything of the request but what it is for. */
static bool
fill(
    struct loop *l, struct fr_exchange *x, enum purpose purpose, int64_t now_ms)
{
	const bool due = now_ms - l->named_ms >= l->lease_ms / 3;
	/* While many jobs wait, ends go beside the request for more of them:
	 * the manager does the one while the other is read and written. */
	const bool ends =
	    purpose == FOR_REPORT || (purpose == FOR_JOBS && !l->backlog);

	x->worker = fr_span_of(l->conf->id);
	x->host = fr_span_of(l->conf->host);
	x->pid = l->conf->pid;
	x->concurrency = (uint32_t)l->conf->handling.slots;
	x->leaving = l->phase != WORKING;
	x->ntypes = x->leaving ? 0 : loop_types(l);
	x->types = l->types;
	if (ends && !under_way(l) && !take_ends(l, x))
		return false;
	if ((purpose != FOR_REPORT || due || x->leaving) && !name_held(l, x))
		return false;
	return take_progress(l, x, now_ms);
}

bool
request_send(
    struct loop *l, enum purpose purpose, uint32_t slots, int64_t wait_ms)
{
	struct fr_exchange x = { .slots = slots, .wait_ms = wait_ms };
	struct channel *ch = free_channel(l);
	const int64_t now_ms = fr_time_mono_ms();
	struct fr_err err = FR_ERR_INIT;
	struct sent *s;
	int i;

	if (ch == NULL)
		return false;
	if (!fill(l, &x, purpose, now_ms)) {
		held_unsend(&l->held);
		return false;
	}
	fr_buf_reset(&ch->body);
	fr_wire_work_request(&ch->body, &x);
	if (!fr_buf_ok(&ch->body) ||
	    channel_send(ch, wait_ms + ANSWER_MS, &err) != FR_OK) {
		fr_log(FR_LOG_ERROR, "%s", err.msg);
		if (x.nfinished > 0)
			held_unsend(&l->held);
		return false;
	}
	for (i = 0; i < CHANNELS && purpose == FOR_JOBS; i++)
		l->sent[i].superseded =
		    l->channels.v[i].busy && l->sent[i].purpose == FOR_WATCH;
	s = &l->sent[ch - l->channels.v];
	*s = (struct sent){ .purpose = purpose,
		.slots = slots,
		.carries = x.nfinished > 0,
		.names = x.running != NULL,
		.serial = l->held.serial,
		.leaving = x.leaving };
	l->spoke_ms = now_ms;
	fr_log(FR_LOG_DEBUG,
	    "asks for %u jobs, reports %zu, names %zu, progress of %zu", slots,
	    x.nfinished, x.nrunning, x.nprogress);
	return true;
}
