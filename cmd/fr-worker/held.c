/* SPDX-License-Identifier: MIT */
#include "held.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "base/uuid.h"

#define LARGE ((size_t)1024) /* bytes of an end that may be too many */
/* Bytes of a batch, at first; and when the manager takes less. */
#define MOST ((size_t)1 << 20)
#define LEAST ((size_t)4096)

bool
held_init(struct held *h, struct shared *s)
{
	size_t i;

	memset(h, 0, sizeof(*h));
	h->shared = s;
	h->spare = calloc(s->n, sizeof(*h->spare));
	if (h->spare == NULL)
		return false;
	for (i = 0; i < s->n; i++)
		h->spare[i] = (uint32_t)(s->n - 1 - i);
	h->nspare = s->n;
	h->most_bytes = MOST;
	return true;
}

void
intake_free(struct intake *in)
{
	if (in == NULL)
		return;
	fr_arena_free(in->arena);
	fr_buf_fini(&in->body);
	free(in);
}

/* The random bits at an id's end are hash enough. */
static struct job **
bucket(struct held *h, const struct fr_uuid *id)
{
	return &h->hash[((size_t)id->b[15] << 8 | id->b[14]) % HELD_HASH];
}

struct job *
held_find(struct held *h, const struct fr_uuid *id)
{
	struct job *j;

	for (j = *bucket(h, id); j != NULL; j = j->chain)
		if (fr_uuid_eq(&j->task.id, id) && !j->orphan)
			return j;
	return NULL;
}

static void
mark(struct held *h, const struct job *j, enum held_state state)
{
	atomic_store_explicit(
	    &h->shared->v[j->index].state, state, memory_order_release);
}

struct job *
held_take(struct held *h, struct intake *in, const struct fr_job *from,
    int64_t since_ms)
{
	struct job *j = fr_arena_alloc(in->arena, sizeof(*j)), **b;

	if (j == NULL || h->nspare == 0)
		return NULL;
	j->task.id = from->id;
	j->task.type = from->type;
	j->task.data = from->data;
	j->task.attempt = from->attempt;
	j->task.max_attempts = from->max_attempts;
	j->task.timeout_ms = from->timeout_ms;
	j->task.user = j;
	j->token = from->lease;
	j->in = in;
	in->refs++;
	j->renewed_ms = since_ms;
	j->serial = ++h->serial;
	j->with_runner = true;
	j->next = h->first;
	if (h->first != NULL)
		h->first->prev = j;
	h->first = j;
	b = bucket(h, &j->task.id);
	j->chain = *b;
	*b = j;
	h->n++;
	h->working++;
	j->index = h->spare[--h->nspare];
	h->shared->v[j->index].id = j->task.id;
	h->shared->v[j->index].token = j->token;
	mark(h, j, HELD_WAITING);
	return j;
}

void
held_running(struct held *h, struct job *j)
{
	mark(h, j, HELD_RUNNING);
}

static void
forget_progress(struct held *h, struct job *j)
{
	struct job **at;

	if (j->progress_new) {
		for (at = &h->progressed; *at != j; at = &(*at)->pnext)
			;
		*at = j->pnext;
	}
	free(j->progress);
	j->progress = NULL;
	j->progress_new = false;
}

/* Takes it off every list but its batch, and lets its answer go. */
static void
drop(struct held *h, struct job *j)
{
	struct intake *in = j->in;
	struct job **b;

	mark(h, j, HELD_NOTHING);
	h->spare[h->nspare++] = (uint32_t)j->index;
	if (j->with_runner)
		h->working--;
	forget_progress(h, j);
	for (b = bucket(h, &j->task.id); *b != j; b = &(*b)->chain)
		;
	*b = j->chain;
	if (j->prev != NULL)
		j->prev->next = j->next;
	else
		h->first = j->next;
	if (j->next != NULL)
		j->next->prev = j->prev;
	h->n--;
	if (--in->refs == 0)
		intake_free(in);
}

void
held_drop(struct held *h, struct job *j)
{
	fr_assert(j->batch == NULL);
	drop(h, j);
}

/* In an exchange, with what stands around it. */
static size_t
end_bytes(struct fr_span value, struct fr_span log)
{
	return value.len + log.len + 160;
}

/* The batch that takes the next end. */
static struct batch *
open_batch(struct held *h)
{
	struct batch *b = h->last;

	if (b != NULL && !b->sent && b->n < 4096 && b->bytes < h->most_bytes)
		return b;
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return NULL;
	b->arena = fr_arena_new(16384);
	if (b->arena == NULL) {
		free(b);
		return NULL;
	}
	b->since_ms = fr_time_mono_ms();
	if (h->last != NULL)
		h->last->next = b;
	else
		h->batches = b;
	h->last = b;
	return b;
}

void
held_finish(struct held *h, struct job *j, enum fr_finish how,
    struct fr_span value, struct fr_span log)
{
	struct batch *b;

	fr_assert(j->with_runner && j->batch == NULL);
	/* Its last progress, if not told yet, goes with its end. */
	if (j->stopping || j->orphan) {
		drop(h, j);
		return;
	}
	j->with_runner = false;
	h->working--;
	b = open_batch(h);
	if (b != NULL && value.len + log.len > 0) {
		j->value = fr_arena_dup(b->arena, value);
		j->log = fr_arena_dup(b->arena, log);
	}
	if (b == NULL || (j->value.p == NULL && value.len > 0)) {
		/* Without memory for its end it is as good as lost; its lease
		 * will run out, as it is not named any more. */
		j->with_runner = true;
		h->working++;
		drop(h, j);
		return;
	}
	j->how = how;
	j->batch = b;
	if (b->last != NULL)
		b->last->bnext = j;
	else
		b->first = j;
	b->last = j;
	b->n++;
	b->bytes += end_bytes(j->value, j->log);
	h->unsent++;
	h->unsent_bytes += end_bytes(j->value, j->log);
}

void
held_progress(struct held *h, struct job *j, struct fr_span json)
{
	char *p = realloc(j->progress, json.len + 1);

	if (p == NULL)
		return;
	memcpy(p, json.p, json.len);
	j->progress = p;
	j->progress_len = json.len;
	if (!j->progress_new) {
		j->progress_new = true;
		j->pnext = h->progressed;
		h->progressed = j;
	}
}

void
held_acknowledge(struct held *h)
{
	struct batch **at = &h->batches, *b;
	struct job *j, *next;

	h->last = NULL;
	while ((b = *at) != NULL) {
		if (!b->sent) {
			h->last = b;
			at = &b->next;
			continue;
		}
		*at = b->next;
		for (j = b->first; j != NULL; j = next) {
			next = j->bnext;
			drop(h, j);
		}
		fr_arena_free(b->arena);
		free(b);
	}
}

void
held_unsend(struct held *h)
{
	struct batch *b;

	for (b = h->batches; b != NULL; b = b->next) {
		if (!b->sent)
			continue;
		b->sent = false;
		h->unsent += b->n;
		h->unsent_bytes += b->bytes;
	}
}

/* The only batch that is on its way; NULL: none, or more. */
static struct batch *
only_sent(const struct held *h)
{
	struct batch *b, *only = NULL;

	for (b = h->batches; b != NULL; b = b->next) {
		if (!b->sent)
			continue;
		if (only != NULL)
			return NULL;
		only = b;
	}
	return only;
}

/*
 * The later half becomes a batch of its own. That one has the arena: it is
 * acknowledged after the other, or with it.
 */
static bool
divide(struct held *h, struct batch *b)
{
	struct batch *rest = calloc(1, sizeof(*rest));
	struct job *j, *last = NULL;
	size_t n = 0, bytes = 0;

	if (rest == NULL)
		return false;
	*rest = *b;
	for (j = b->first; last == NULL || bytes < b->bytes / 2; j = j->bnext) {
		if (j == b->last)
			break;
		n++;
		bytes += end_bytes(j->value, j->log);
		last = j;
	}
	rest->first = last->bnext;
	rest->n -= n;
	rest->bytes -= bytes;
	for (j = rest->first; j != NULL; j = j->bnext)
		j->batch = rest;
	last->bnext = NULL;
	b->last = last;
	b->next = rest;
	b->n = n;
	b->bytes = bytes;
	b->arena = NULL;
	if (h->last == b)
		h->last = rest;
	h->most_bytes = bytes > LEAST ? bytes : LEAST;
	return true;
}

const struct job *
held_shorten(struct held *h, struct fr_span error)
{
	struct batch *b = only_sent(h);
	struct job *j;

	if (b == NULL || (b->n > 1 && divide(h, b)))
		return NULL;
	j = b->first;
	if (j->value.len + j->log.len <= LARGE)
		return NULL;
	b->bytes -= end_bytes(j->value, j->log);
	j->how = FR_FINISH_FINAL;
	j->value = error;
	j->log = FR_SPAN("");
	b->bytes += end_bytes(j->value, j->log);
	h->most_bytes = MOST;
	return j;
}

int64_t
held_since(const struct held *h)
{
	const struct batch *b;

	for (b = h->batches; b != NULL; b = b->next)
		if (!b->sent)
			return b->since_ms;
	return 0;
}

void
held_fini(struct held *h)
{
	struct batch *b;
	struct job *j, *next;

	for (j = h->first; j != NULL; j = next) {
		next = j->next;
		free(j->progress);
		if (--j->in->refs == 0)
			intake_free(j->in);
	}
	while ((b = h->batches) != NULL) {
		h->batches = b->next;
		fr_arena_free(b->arena);
		free(b);
	}
	free(h->spare);
	memset(h, 0, sizeof(*h));
}
