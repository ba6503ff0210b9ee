/* SPDX-License-Identifier: MIT */
#include "run/runner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "run/inner.h"

#define EVENTS 64
#define TIDY_MS 1000
#define BRISK_MS 20 /* a slot that is at a job longer than this is slow */

/* A timer's node knows what it belongs to by its place in the struct. */
#define OF(ptr, type, member)                                                  \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

void
fr_run_note(struct fr_runner *r, const char *fmt, ...)
{
	char text[FR_ERR_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r->conf.note != NULL)
		r->conf.note(r->conf.arg, text);
}

void
fr_run_seconds(char *dst, size_t size, int64_t ms)
{
	if (ms % 1000 == 0)
		(void)snprintf(dst, size, "%lld s", (long long)ms / 1000);
	else
		(void)snprintf(dst, size, "%g s", (double)ms / 1000.0);
}

void
fr_run_took(struct fr_runner *r, double us, unsigned jobs)
{
	const double weight = jobs >= 16 ? 1.0 : (double)jobs / 16.0;

	if (us < 1)
		us = 1;
	r->job_us = r->job_us == 0 ? us : r->job_us + (us - r->job_us) * weight;
}

void
fr_run_done(struct fr_runner *r, struct fr_task *t, enum fr_fate fate,
    struct fr_span value, struct fr_span log)
{
	const struct fr_ending o = { fate, value, log };

	t->at = NULL;
	r->conf.done(r->conf.arg, t, &o);
}

static void
give_back(struct fr_runner *r, struct fr_task *t)
{
	fr_run_done(r, t, FR_FATE_RELEASED, FR_SPAN("null"), FR_SPAN(""));
}

static struct fr_lane *
lane_of(struct fr_runner *r, struct fr_handler *h)
{
	struct fr_lane *l = h->user;

	if (l != NULL)
		return l;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	l->h = h;
	l->next = r->lanes;
	r->lanes = l;
	h->user = l;
	return l;
}

static struct fr_task *
lane_shift(struct fr_runner *r, struct fr_lane *l, struct fr_task *t)
{
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		l->first = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	else
		l->last = t->prev;
	t->prev = t->next = NULL;
	l->n--;
	r->waiting--;
	return t;
}

void
fr_run_withdraw(struct fr_runner *r, struct fr_handler *h, const char *reason)
{
	struct fr_lane *l = h->user;

	if (!h->withdrawn) {
		h->withdrawn = true;
		(void)snprintf(h->reason, sizeof(h->reason), "%s", reason);
		if (r->conf.withdrawn != NULL)
			r->conf.withdrawn(r->conf.arg, h);
	}
	while (l != NULL && l->first != NULL)
		give_back(r, lane_shift(r, l, l->first));
}

/* A node's type: a slot's timers are in the array of slots. */
static void
fire(struct fr_runner *r, struct fr_heap_node *n, int64_t now_ms)
{
	const char *p = (const char *)n, *v = (const char *)r->slots;

	if (p >= v && p < v + r->conf.slots * sizeof(*r->slots))
		fr_attempt_timer(OF(n, struct fr_slot, a.timer), now_ms);
	else
		fr_kept_timer(OF(n, struct fr_kept, timer), now_ms);
}

void
fr_run_timer(struct fr_runner *r, struct fr_heap_node *n, int64_t at_ms)
{
	if (at_ms == 0)
		fr_heap_remove(&r->timers, n);
	else if (n->pos == 0 || n->at_ms != at_ms)
		fr_assert(fr_heap_set(&r->timers, n, at_ms));
}

static bool
make_env(struct fr_runner *r, const char *const *env)
{
	size_t n = 0;
	struct fr_buf b;

	while (env != NULL && env[n] != NULL)
		n++;
	r->env = calloc(n + FR_ENV_JOB + 2, sizeof(*r->env));
	if (r->env == NULL)
		return false;
	fr_buf_init(&b, 0);
	fr_buf_addf(&b, "PATH=%s", r->conf.handlers->path);
	r->path_env = fr_buf_ok(&b) ? fr_str_dup(fr_buf_span(&b)) : NULL;
	fr_buf_fini(&b);
	r->env[0] = r->path_env;
	for (r->nenv = 1; r->nenv <= n; r->nenv++)
		r->env[r->nenv] = (char *)(uintptr_t)env[r->nenv - 1];
	return r->path_env != NULL;
}

char *const *
fr_run_env(struct fr_runner *r, struct fr_env *e, const char *type,
    const struct fr_task *t)
{
	char id[FR_UUID_TEXT];
	size_t n = 0, i;

	(void)snprintf(
	    e->text[n++], sizeof(e->text[0]), "FR_JOB_TYPE=%s", type);
	if (t != NULL) {
		fr_uuid_format(id, &t->id);
		(void)snprintf(
		    e->text[n++], sizeof(e->text[0]), "FR_JOB_ID=%s", id);
		(void)snprintf(e->text[n++], sizeof(e->text[0]),
		    "FR_JOB_ATTEMPT=%u", t->attempt);
		(void)snprintf(e->text[n++], sizeof(e->text[0]),
		    "FR_JOB_MAX_ATTEMPTS=%u", t->max_attempts);
	}
	for (i = 0; i < n; i++)
		r->env[r->nenv + i] = e->text[i];
	r->env[r->nenv + n] = NULL;
	return r->env;
}

enum fr_rc
fr_runner_open(struct fr_runner **out, const struct fr_runner_conf *conf,
    struct fr_err *err)
{
	struct fr_runner *r = calloc(1, sizeof(*r));
	unsigned i;

	fr_assert(conf->slots > 0 && conf->done != NULL);
	*out = NULL;
	if (r == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	r->conf = *conf;
	fr_heap_init(&r->timers);
	fr_reaper_init(&r->reaper);
	r->ep = epoll_create1(EPOLL_CLOEXEC);
	r->slots = calloc(conf->slots, sizeof(*r->slots));
	if (r->ep == -1 || r->slots == NULL || !make_env(r, conf->env) ||
	    !fr_heap_reserve(&r->timers, conf->slots)) {
		fr_runner_close(r);
		return fr_fail(err, FR_NOMEM, "out of memory");
	}
	for (i = 0; i < conf->slots; i++) {
		r->slots[i].r = r;
		r->slots[i].number = i;
		(void)snprintf(r->slots[i].name, sizeof(r->slots[i].name),
		    "slot-%u", i + 1);
		fr_attempt_init(&r->slots[i]);
	}
	*out = r;
	return FR_OK;
}

static void
free_dead(struct fr_runner *r)
{
	struct fr_kept *k;

	while ((k = r->dead) != NULL) {
		r->dead = k->next;
		fr_kept_free(k);
	}
}

void
fr_runner_close(struct fr_runner *r)
{
	struct fr_lane *l;
	struct fr_kept *k;
	unsigned i;

	if (r == NULL)
		return;
	if (r->slots != NULL)
		(void)fr_reap_all(5000, NULL, 0);
	for (i = 0; r->slots != NULL && i < r->conf.slots; i++) {
		if (r->slots[i].r == NULL)
			continue;
		fr_attempt_fini(&r->slots[i]);
		while ((k = r->slots[i].kept) != NULL) {
			r->slots[i].kept = k->next;
			fr_kept_free(k);
		}
	}
	free_dead(r);
	while ((l = r->lanes) != NULL) {
		r->lanes = l->next;
		l->h->user = NULL;
		free(l);
	}
	if (r->ep != -1)
		(void)close(r->ep);
	fr_heap_fini(&r->timers);
	fr_reaper_fini(&r->reaper);
	free(r->slots);
	free(r->env);
	free(r->path_env);
	free(r);
}

int
fr_runner_fd(const struct fr_runner *r)
{
	return r->ep;
}

int64_t
fr_runner_next_ms(const struct fr_runner *r)
{
	const struct fr_heap_node *n = fr_heap_first(&r->timers);
	int64_t at = n == NULL ? -1 : n->at_ms;

	if (r->reaper.first != NULL && (at == -1 || r->tidy_ms < at))
		at = r->tidy_ms;
	/* Also with nothing to start: more may be asked for then. */
	if (r->hold_ms != 0 && (at == -1 || r->hold_ms < at))
		at = r->hold_ms;
	return at;
}

void
fr_runner_add(struct fr_runner *r, struct fr_task *t)
{
	struct fr_lane *l = NULL;

	t->handler = fr_handlers_find(r->conf.handlers, t->type);
	if (t->handler != NULL)
		l = lane_of(r, t->handler);
	t->prev = t->next = NULL;
	t->at = NULL;
	t->stopping = false;
	t->state = FR_TASK_WAITING;
	t->since_ms = fr_time_mono_ms();
	t->seq = ++r->seq;
	if (l == NULL) {
		give_back(r, t);
		return;
	}
	t->prev = l->last;
	if (l->last != NULL)
		l->last->next = t;
	else
		l->first = t;
	l->last = t;
	l->n++;
	r->waiting++;
}

/* A slot for one task of the lane, the emptiest; NULL: none now. */
static struct fr_slot *
slot_for(struct fr_runner *r, const struct fr_lane *l)
{
	const bool lines = l->h->kind == FR_HANDLER_LINES;
	struct fr_slot *s, *best = NULL;
	const struct fr_kept *k;
	unsigned i, least = UINT_MAX;

	for (i = 0; i < r->conf.slots && least > 0; i++) {
		s = &r->slots[i];
		if (s->a.task != NULL || (s->bound != NULL && !lines))
			continue;
		if (!lines)
			return s;
		if (s->bound != NULL) {
			if (s->bound->lane == l && fr_kept_room(s->bound) &&
			    s->bound->pending < least) {
				best = s;
				least = s->bound->pending;
			}
			continue;
		}
		for (k = s->kept; k != NULL && k->lane != l; k = k->next)
			;
		if (k == NULL || fr_kept_room(k)) {
			best = s;
			least = 0;
		}
	}
	return best;
}

/* With a handler that is kept; if it cannot be started now, the job is better
 * off elsewhere. */
static void
place_kept(struct fr_runner *r, struct fr_lane *l, struct fr_slot *s)
{
	struct fr_task *t = l->first;
	struct fr_kept *k = fr_kept_get(s, l);

	if (l->first == NULL)
		return; /* it was withdrawn: all were given back */
	(void)lane_shift(r, l, t);
	if (k == NULL) {
		give_back(r, t);
		return;
	}
	fr_kept_push(k, t);
	if (t->state == FR_TASK_RUNNING && r->conf.started != NULL)
		r->conf.started(r->conf.arg, t);
}

static void
place(struct fr_runner *r, struct fr_lane *l, struct fr_slot *s)
{
	struct fr_task *t = l->first;

	if (l->h->kind == FR_HANDLER_LINES) {
		place_kept(r, l, s);
		return;
	}
	(void)lane_shift(r, l, t);
	t->state = FR_TASK_RUNNING;
	t->since_ms = fr_time_mono_ms();
	if (r->conf.started != NULL)
		r->conf.started(r->conf.arg, t);
	fr_attempt_start(s, t);
}

/* The lane whose first task came first, of those that can be placed. */
static struct fr_lane *
next_lane(struct fr_runner *r, struct fr_slot **slot)
{
	struct fr_lane *l, *best = NULL;
	struct fr_slot *s;

	for (l = r->lanes; l != NULL; l = l->next) {
		if (l->first == NULL ||
		    (best != NULL && best->first->seq < l->first->seq))
			continue;
		s = slot_for(r, l);
		if (s != NULL) {
			best = l;
			*slot = s;
		}
	}
	return best;
}

void
fr_runner_kick(struct fr_runner *r)
{
	struct fr_slot *s = NULL;
	struct fr_lane *l;
	unsigned i;

	if (r->hold_ms != 0) {
		if (fr_time_mono_ms() < r->hold_ms)
			return;
		r->hold_ms = 0;
	}
	while (
	    r->waiting > 0 && r->hold_ms == 0 && (l = next_lane(r, &s)) != NULL)
		place(r, l, s);
	for (i = 0; i < r->conf.slots; i++)
		if (r->slots[i].bound != NULL && r->slots[i].bound->in.len > 0)
			fr_kept_flush(r->slots[i].bound);
}

static void
run_timers(struct fr_runner *r)
{
	const int64_t now_ms = fr_time_mono_ms();
	struct fr_heap_node *n;

	while ((n = fr_heap_first(&r->timers)) != NULL && n->at_ms <= now_ms) {
		fr_heap_remove(&r->timers, n);
		fire(r, n, now_ms);
	}
	if (r->reaper.first != NULL && now_ms >= r->tidy_ms) {
		fr_reaper_tidy(&r->reaper);
		r->tidy_ms = now_ms + TIDY_MS;
	}
}

void
fr_runner_step(struct fr_runner *r)
{
	struct epoll_event ev[EVENTS];
	struct fr_watch *w;
	int i, n;

	free_dead(r);
	r->batch++;
	n = epoll_wait(r->ep, ev, EVENTS, 0);
	for (i = 0; i < n; i++) {
		w = ev[i].data.ptr;
		/* What began in this batch cannot have an event from it: that
		 * one is of its predecessor. */
		if (w->proc->batch != r->batch && w->proc->fd[w->pipe] != -1)
			w->proc->on_event(w->proc, w->pipe);
	}
	run_timers(r);
	fr_runner_kick(r);
}

bool
fr_runner_take(struct fr_runner *r, struct fr_task *t)
{
	if (t->state != FR_TASK_WAITING)
		return false;
	(void)lane_shift(r, t->handler->user, t);
	return true;
}

static bool
is_slot(const struct fr_runner *r, const void *at)
{
	const char *p = at, *v = (const char *)r->slots;

	return p >= v && p < v + r->conf.slots * sizeof(*r->slots);
}

void
fr_runner_stop(struct fr_runner *r, struct fr_task *t, bool now)
{
	if (t->state == FR_TASK_WAITING) {
		(void)lane_shift(r, t->handler->user, t);
		fr_run_done(
		    r, t, FR_FATE_STOPPED, FR_SPAN("null"), FR_SPAN(""));
		return;
	}
	t->stopping = true;
	if (is_slot(r, t->at))
		fr_attempt_stop(t->at, FR_FATE_STOPPED, "stopped", now);
	else
		fr_kept_stop(t->at, t, now);
}

void
fr_runner_rest(struct fr_runner *r)
{
	struct fr_kept *k;
	unsigned i;

	for (i = 0; i < r->conf.slots; i++)
		for (k = r->slots[i].kept; k != NULL; k = k->next)
			fr_kept_rest(k);
}

void
fr_runner_load(const struct fr_runner *r, struct fr_runner_load *load)
{
	const int64_t now_ms = fr_time_mono_ms();
	const struct fr_slot *s;
	const struct fr_lane *l;
	int64_t since;
	unsigned i;

	memset(load, 0, sizeof(*load));
	load->waiting = r->waiting;
	load->job_us = (int64_t)r->job_us;
	load->held = r->hold_ms > now_ms;
	for (l = r->lanes; l != NULL; l = l->next)
		if (l->first != NULL &&
		    now_ms - l->first->since_ms > load->oldest_ms)
			load->oldest_ms = now_ms - l->first->since_ms;
	for (i = 0; i < r->conf.slots; i++) {
		s = &r->slots[i];
		since = s->bound != NULL ? s->bound->head_ms : s->a.started_ms;
		if (s->a.task == NULL && s->bound == NULL)
			load->idle++;
		else if (now_ms - since > BRISK_MS)
			continue;
		load->brisk++;
	}
}
