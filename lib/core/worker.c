/* SPDX-License-Identifier: MIT */
#include "core/worker.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/str.h"
#include "base/uuid.h"

#define SPARE_MAX 16384 /* leases kept for the next ones */

bool
fr_workers_init(struct fr_workers *ws)
{
	memset(ws, 0, sizeof(*ws));
	TAILQ_INIT(&ws->seen);
	ws->by_id = fr_map_new();
	ws->leases = fr_map_new();
	return ws->by_id != NULL && ws->leases != NULL;
}

static void
free_types(struct fr_worker *w)
{
	size_t i;

	for (i = 0; i < w->ntypes; i++)
		free(w->types[i]);
	free(w->types);
	w->types = NULL;
	w->ntypes = 0;
}

void
fr_workers_fini(struct fr_workers *ws)
{
	struct fr_lease *l;
	void *w;
	size_t pos;

	for (pos = 0;
	     ws->by_id != NULL && fr_map_next(ws->by_id, &pos, NULL, &w);)
		fr_workers_forget(ws, w);
	while ((l = ws->spare) != NULL) {
		ws->spare = l->next;
		free(l);
	}
	fr_map_free(ws->by_id);
	fr_map_free(ws->leases);
}

struct fr_worker *
fr_workers_find(const struct fr_workers *ws, struct fr_span id)
{
	return fr_map_get(ws->by_id, id);
}

static bool
same_types(const struct fr_worker *w, const struct fr_exchange *x)
{
	size_t i;

	if (w->ntypes != x->ntypes)
		return false;
	for (i = 0; i < x->ntypes; i++)
		if (strcmp(w->types[i], x->types[i]) != 0)
			return false;
	return true;
}

static bool
set_types(struct fr_worker *w, const struct fr_exchange *x)
{
	size_t i;

	free_types(w);
	w->types = calloc(x->ntypes + 1, sizeof(*w->types));
	if (w->types == NULL)
		return false;
	for (i = 0; i < x->ntypes; i++) {
		w->types[i] = fr_str_dup(fr_span_of(x->types[i]));
		if (w->types[i] == NULL)
			return false;
		w->ntypes++;
	}
	return true;
}

struct fr_worker *
fr_workers_note(struct fr_workers *ws, const struct fr_exchange *x,
    bool unsure_if_new, int64_t mono_ms, int64_t wall_ms)
{
	struct fr_worker *w;

	w = fr_map_get(ws->by_id, x->worker);
	if (w == NULL) {
		w = calloc(1, sizeof(*w));
		if (w == NULL)
			return NULL;
		if (!fr_str_copy(w->id, sizeof(w->id), x->worker) ||
		    !fr_map_put(ws->by_id, x->worker, w)) {
			free(w);
			return NULL;
		}
		w->unsure = unsure_if_new;
		ws->n++;
	} else {
		TAILQ_REMOVE(&ws->seen, w, link);
	}
	TAILQ_INSERT_TAIL(&ws->seen, w, link);
	/* A host name that does not fit is shown cut. */
	if (!fr_str_copy(w->host, sizeof(w->host), x->host))
		(void)fr_str_copy(w->host, sizeof(w->host),
		    (struct fr_span){ x->host.p, sizeof(w->host) - 1 });
	w->pid = x->pid;
	w->seen_ms = mono_ms;
	w->seen_wall_ms = wall_ms;
	w->leaving = x->leaving;
	if (x->concurrency > 0)
		w->concurrency = x->concurrency;
	/* A report beside the main exchange says nothing of slots. */
	if (x->slots > 0) {
		w->slots = x->slots;
		if (!same_types(w, x)) {
			if (!set_types(w, x))
				free_types(w);
			w->told_ms = 0;
		}
	}
	return w;
}

void
fr_workers_forget(struct fr_workers *ws, struct fr_worker *w)
{
	fr_assert(w->open == NULL);
	while (w->leases != NULL)
		fr_lease_drop(ws, w->leases);
	while (w->ended != NULL)
		fr_lease_drop(ws, w->ended);
	(void)fr_map_del(ws->by_id, fr_span_of(w->id));
	TAILQ_REMOVE(&ws->seen, w, link);
	ws->n--;
	free_types(w);
	free(w);
}

void
fr_workers_trim(struct fr_workers *ws, size_t most)
{
	struct fr_worker *w;
	size_t steps;

	if (ws->n <= most)
		return;
	/* Those that stay are not looked at again at once. */
	for (steps = 2 * (ws->n - most); steps > 0 && ws->n > most; steps--) {
		w = TAILQ_FIRST(&ws->seen);
		if (w->open == NULL && w->leases == NULL) {
			fr_workers_forget(ws, w);
			continue;
		}
		TAILQ_REMOVE(&ws->seen, w, link);
		TAILQ_INSERT_TAIL(&ws->seen, w, link);
	}
}

static struct fr_span
key(const struct fr_uuid *id)
{
	return (struct fr_span){ (const char *)id->b, sizeof(id->b) };
}

static struct fr_lease *
newest(const struct fr_workers *ws, const struct fr_uuid *id)
{
	return fr_map_get(ws->leases, key(id));
}

struct fr_lease *
fr_lease_find(const struct fr_workers *ws, const struct fr_uuid *id)
{
	struct fr_lease *l = newest(ws, id);

	return l != NULL && !l->ended ? l : NULL;
}

static void
link_lease(struct fr_lease **list, struct fr_lease *l)
{
	l->prev = NULL;
	l->next = *list;
	if (l->next != NULL)
		l->next->prev = l;
	*list = l;
}

static void
unlink_lease(struct fr_lease *l)
{
	struct fr_worker *w = l->worker;

	if (l->prev != NULL)
		l->prev->next = l->next;
	else if (l->ended)
		w->ended = l->next;
	else
		w->leases = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	if (l->ended)
		return;
	fr_assert(w->nleases > 0 && l->type->held > 0);
	w->nleases--;
	l->type->held--;
}

static void
forget_lease(struct fr_workers *ws, struct fr_lease *l)
{
	unlink_lease(l);
	if (ws->nspare >= SPARE_MAX) {
		free(l);
		return;
	}
	l->next = ws->spare;
	ws->spare = l;
	ws->nspare++;
}

bool
fr_lease_add(struct fr_workers *ws, struct fr_worker *w, struct fr_type *type,
    const struct fr_job *job)
{
	struct fr_lease *l, *old;

	old = newest(ws, &job->id);
	if (old != NULL && old->ended) {
		fr_lease_drop(ws, old);
		old = NULL;
	}
	if (old != NULL && old->worker == w &&
	    fr_token_eq(&old->token, &job->lease)) {
		old->until_ms = job->lease_until_ms;
		return true;
	}
	l = ws->spare;
	if (l != NULL) {
		ws->spare = l->next;
		ws->nspare--;
	} else {
		l = malloc(sizeof(*l));
	}
	if (l == NULL || !fr_map_put(ws->leases, key(&job->id), l)) {
		free(l);
		w->unsure = true;
		return false;
	}
	/* A worker that gets a job again is not told to stop it: it knows the
	 * new lease by its token. */
	if (old != NULL && old->worker == w)
		forget_lease(ws, old);
	else if (old != NULL)
		old->gone = true;
	*l = (struct fr_lease){ .id = job->id,
		.token = job->lease,
		.until_ms = job->lease_until_ms,
		.worker = w,
		.type = type,
		.attempt = job->attempt,
		.round = w->round };
	link_lease(&w->leases, l);
	w->nleases++;
	type->held++;
	return true;
}

void
fr_lease_drop(struct fr_workers *ws, struct fr_lease *l)
{
	if (newest(ws, &l->id) == l)
		(void)fr_map_del(ws->leases, key(&l->id));
	forget_lease(ws, l);
}

void
fr_lease_end(struct fr_lease *l)
{
	fr_assert(!l->ended);
	unlink_lease(l);
	l->ended = true;
	l->type = NULL;
	link_lease(&l->worker->ended, l);
}

bool
fr_lease_has_ended(const struct fr_workers *ws, const struct fr_worker *w,
    const struct fr_uuid *id, const struct fr_token *token)
{
	struct fr_lease *l = newest(ws, id);

	if (l == NULL || !l->ended || l->worker != w ||
	    !fr_token_eq(&l->token, token))
		return false;
	l->round = w->round;
	return true;
}

void
fr_leases_named(struct fr_workers *ws, struct fr_worker *w)
{
	struct fr_lease *l, *next;

	for (l = w->ended; l != NULL; l = next) {
		next = l->next;
		if (l->round != w->round)
			fr_lease_drop(ws, l);
	}
}
