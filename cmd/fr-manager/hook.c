/* SPDX-License-Identifier: MIT */
#include "hook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "hookdir.h"
#include "hookrun.h"

/*
 * The thread takes as many events from the outbox as it has room for, and
 * claims them for a short time, which it renews while their hooks run: so
 * when the manager dies another takes them soon. An event whose hooks all
 * exit 0 is forgotten; else it comes back after a while, twice as long each
 * time, and only the hooks that failed run again. After MAX_TRIES it is given
 * up, and the log says so.
 */

#define CLAIM_MS 6000
#define RENEW_MS 2000
#define ASK_MS 5000 /* also without being told of news */
#define MAX_TRIES 20
#define MAX_BACKOFF_MS ((int64_t)600 * 1000)
#define MAX_RUNS 1000
#define MAX_REMEMBERED 4096

/* Which hooks of an event that will come back have succeeded already. */
struct memory {
	int64_t number;
	unsigned done;
};

struct fr_hooks {
	struct fr_manager *m;
	struct fr_engine *engine;
	struct fr_hookdir dir;
	const char *url;
	int news_fd;
	pthread_t thread;
	bool started, joined;
	bool stop;            /* atomic */
	bool ready;           /* atomic: there are events */
	struct fr_op *answer; /* atomic */
	bool asked;           /* an op is on its way */
	struct fr_hookrun *runs;
	size_t nruns;
	struct memory *remembered;
	size_t nremembered;
	int64_t *done, *again, *again_ms; /* to go with the next op */
	size_t ndone, nagain;
	int64_t ask_at_ms, renew_at_ms;
};

/* ---- events ------------------------------------------------------------- */

static struct memory *
recall(struct fr_hooks *h, int64_t number)
{
	size_t i;

	for (i = 0; i < h->nremembered; i++)
		if (h->remembered[i].number == number)
			return &h->remembered[i];
	return NULL;
}

static void
forget(struct fr_hooks *h, int64_t number)
{
	struct memory *m = recall(h, number);

	if (m != NULL)
		*m = h->remembered[--h->nremembered];
}

static int64_t
backoff_ms(uint32_t tries)
{
	int64_t ms = 1000;

	while (tries-- > 1 && ms < MAX_BACKOFF_MS)
		ms *= 2;
	return ms < MAX_BACKOFF_MS ? ms : MAX_BACKOFF_MS;
}

static void
finish(struct fr_hooks *h, struct fr_hookrun *r)
{
	struct memory *m;
	int64_t wait;

	if (r->failed == 0 || r->tries >= MAX_TRIES) {
		if (r->failed != 0)
			fr_log(FR_LOG_ERROR,
			    "hook given up event=%s job=%s tries=%u",
			    fr_event_name(r->kind), r->id, r->tries);
		h->done[h->ndone++] = r->number;
		forget(h, r->number);
	} else {
		wait = backoff_ms(r->tries);
		h->again[h->nagain] = r->number;
		h->again_ms[h->nagain++] = wait;
		if (fr_time_mono_ms() + wait < h->ask_at_ms)
			h->ask_at_ms = fr_time_mono_ms() + wait + 1;
		m = recall(h, r->number);
		if (m == NULL && h->nremembered < MAX_REMEMBERED) {
			m = &h->remembered[h->nremembered++];
			m->number = r->number;
		}
		if (m != NULL)
			m->done = 3U & ~r->failed;
	}
	free(r->json);
	*r = (struct fr_hookrun){ .number = 0 };
}

/* Starts what is left of r, or finishes it. */
static void
next_hook(struct fr_hooks *h, struct fr_hookrun *r)
{
	while (r->left != 0) {
		r->now = r->left & 1U ? 1U : 2U;
		r->left &= ~r->now;
		if (fr_hookrun_start(
			r, h->dir.path, h->url, h->m->conf->hook_ms))
			return;
		r->failed |= r->now;
	}
	r->now = 0;
	finish(h, r);
}

static void
reap(struct fr_hooks *h, struct fr_hookrun *r)
{
	int status = 0;

	while (waitpid(r->pid, &status, 0) == -1 && errno == EINTR)
		;
	(void)close(r->pidfd);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		r->failed |= r->now;
		fr_log(FR_LOG_WARN,
		    "hook failed event=%s%s%s job=%s %s=%d try=%u",
		    fr_event_name(r->kind), r->now == 2 ? "." : "",
		    r->now == 2 ? r->type : "", r->id,
		    WIFEXITED(status) ? "status" : "signal",
		    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
		    r->tries);
	}
	next_hook(h, r);
}

static void
take_event(
    struct fr_hooks *h, struct fr_hookrun *r, const struct fr_outbox_event *ev)
{
	const struct memory *m = recall(h, ev->number);
	struct fr_span id = fr_json_get(ev->json, "id");

	*r = (struct fr_hookrun){ .number = ev->number,
		.kind = ev->kind,
		.tries = ev->tries,
		.len = ev->json.len };
	(void)fr_str_copy(r->type, sizeof(r->type), ev->type);
	if (id.p != NULL && id.len > 2)
		(void)fr_str_copy(r->id, sizeof(r->id),
		    (struct fr_span){ id.p + 1, id.len - 2 });
	r->json = fr_str_dup(ev->json);
	r->left = fr_hookdir_find(&h->dir, ev->kind, ev->type);
	if (m != NULL)
		r->left &= ~m->done;
	if (r->json == NULL) {
		r->failed = r->left;
		r->left = 0;
	}
	next_hook(h, r);
}

static void
take_answer(struct fr_hooks *h, struct fr_op *op)
{
	size_t i, k = 0;

	h->asked = false;
	if (op->rc == FR_OK) {
		for (i = 0; i < op->u.outbox.n; i++) {
			while (h->runs[k].number != 0)
				k++;
			fr_assert(k < h->nruns);
			take_event(h, &h->runs[k], &op->u.outbox.events[i]);
		}
		if (op->u.outbox.n == op->u.outbox.limit)
			__atomic_store_n(&h->ready, true, __ATOMIC_RELAXED);
	} else
		h->ask_at_ms = fr_time_mono_ms() + 1000;
	fr_arena_free(op->arena);
}

/* ---- asking the engine -------------------------------------------------- */

static const int64_t *
copy(struct fr_arena *a, const int64_t *v, size_t n)
{
	int64_t *p = fr_arena_calloc(a, n, sizeof(*v));

	if (p != NULL && n > 0)
		memcpy(p, v, n * sizeof(*v));
	return p;
}

static void
ask(struct fr_hooks *h, size_t room)
{
	struct fr_arena *a = fr_arena_new(0);
	struct fr_op *op = a == NULL ? NULL : fr_arena_alloc(a, sizeof(*op));

	if (op == NULL) {
		fr_arena_free(a);
		return;
	}
	op->kind = FR_OP_OUTBOX;
	op->arena = a;
	op->u.outbox.done = copy(a, h->done, h->ndone);
	op->u.outbox.ndone = h->ndone;
	op->u.outbox.again = copy(a, h->again, h->nagain);
	op->u.outbox.again_ms = copy(a, h->again_ms, h->nagain);
	op->u.outbox.nagain = h->nagain;
	op->u.outbox.limit = room;
	op->u.outbox.claim_ms = CLAIM_MS;
	if (op->u.outbox.done == NULL || op->u.outbox.again == NULL ||
	    op->u.outbox.again_ms == NULL ||
	    fr_engine_submit(h->engine, op) != FR_OK) {
		/* What was to be said is said the next time. */
		fr_arena_free(a);
		h->ask_at_ms = fr_time_mono_ms() + 1000;
		return;
	}
	h->ndone = h->nagain = 0;
	h->asked = true;
}

/* The claims of those that run get longer, or end when we do. */
static void
renew(struct fr_hooks *h, int64_t ms)
{
	size_t i;

	/* While nothing can be said it need not be said twice. */
	if (h->nagain > h->nruns * 2)
		return;
	for (i = 0; i < h->nruns; i++)
		if (h->runs[i].number != 0) {
			h->again[h->nagain] = h->runs[i].number;
			h->again_ms[h->nagain++] = ms;
		}
}

static void
maybe_ask(struct fr_hooks *h, int64_t now)
{
	size_t i, room = 0;
	bool want;

	if (h->asked)
		return;
	for (i = 0; i < h->nruns; i++)
		room += h->runs[i].number == 0;
	want = room > 0 &&
	       (now >= h->ask_at_ms ||
		   __atomic_exchange_n(&h->ready, false, __ATOMIC_RELAXED));
	if (want && now >= h->ask_at_ms)
		h->ask_at_ms = now + ASK_MS;
	if (now >= h->renew_at_ms) {
		h->renew_at_ms = now + RENEW_MS;
		renew(h, CLAIM_MS);
	}
	if (want || h->ndone > 0 || h->nagain > 0)
		ask(h, want ? room : 0);
}

/* ---- the thread --------------------------------------------------------- */

static int
wait_ms(const struct fr_hooks *h, int64_t now)
{
	int64_t at = h->ask_at_ms;
	size_t i;

	for (i = 0; i < h->nruns; i++)
		if (h->runs[i].now != 0) {
			if (h->runs[i].deadline_ms < at)
				at = h->runs[i].deadline_ms;
			if (h->renew_at_ms < at)
				at = h->renew_at_ms;
		}
	return at <= now ? 0 : at - now > 60000 ? 60000 : (int)(at - now);
}

static void
kill_late(struct fr_hooks *h, int64_t now)
{
	size_t i;

	for (i = 0; i < h->nruns; i++)
		if (h->runs[i].now != 0 && now >= h->runs[i].deadline_ms) {
			(void)kill(-h->runs[i].pid, SIGKILL);
			h->runs[i].deadline_ms = INT64_MAX;
		}
}

static void
turn(struct fr_hooks *h, struct pollfd *pfd)
{
	struct fr_op *op;
	uint64_t n;
	nfds_t k = 1;
	size_t i;

	pfd[0] = (struct pollfd){ .fd = h->news_fd, .events = POLLIN };
	for (i = 0; i < h->nruns; i++)
		if (h->runs[i].now != 0)
			pfd[k++] = (struct pollfd){ .fd = h->runs[i].pidfd,
				.events = POLLIN };
	(void)poll(pfd, k, wait_ms(h, fr_time_mono_ms()));
	if ((pfd[0].revents & POLLIN) != 0)
		(void)!read(h->news_fd, &n, sizeof(n));
	kill_late(h, fr_time_mono_ms());
	k = 1;
	/* In the same order as above: a run that has ended starts its next
	 * hook in the same place. */
	for (i = 0; i < h->nruns; i++)
		if (h->runs[i].now != 0 && (pfd[k++].revents & POLLIN) != 0)
			reap(h, &h->runs[i]);
	op = __atomic_exchange_n(&h->answer, NULL, __ATOMIC_ACQ_REL);
	if (op != NULL)
		take_answer(h, op);
	maybe_ask(h, fr_time_mono_ms());
}

static void *
run(void *arg)
{
	struct fr_hooks *h = arg;
	struct pollfd *pfd = calloc(h->nruns + 1, sizeof(*pfd));
	size_t i;

	if (pfd == NULL)
		return NULL;
	h->renew_at_ms = fr_time_mono_ms() + RENEW_MS;
	while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE))
		turn(h, pfd);
	for (i = 0; i < h->nruns; i++)
		if (h->runs[i].now != 0) {
			(void)kill(-h->runs[i].pid, SIGKILL);
			(void)waitpid(h->runs[i].pid, NULL, 0);
			(void)close(h->runs[i].pidfd);
		}
	renew(h, 0);
	if (h->ndone > 0 || h->nagain > 0)
		ask(h, 0);
	free(pfd);
	return NULL;
}

static void
poke(struct fr_hooks *h)
{
	const uint64_t one = 1;

	(void)!write(h->news_fd, &one, sizeof(one));
}

/* ---- from other threads ------------------------------------------------- */

bool
fr_hooks_wanted(void *hooks, enum fr_event_kind kind, struct fr_span type)
{
	struct fr_hooks *h = hooks;

	return fr_hookdir_find(&h->dir, kind, type) != 0;
}

void
fr_hooks_ready(void *hooks)
{
	struct fr_hooks *h = hooks;

	if (!__atomic_exchange_n(&h->ready, true, __ATOMIC_RELAXED))
		poke(h);
}

void
fr_hooks_answered(struct fr_hooks *h, struct fr_op *op)
{
	if (h->joined) {
		fr_arena_free(op->arena);
		return;
	}
	op = __atomic_exchange_n(&h->answer, op, __ATOMIC_ACQ_REL);
	fr_assert(op == NULL);
	poke(h);
}

enum fr_rc
fr_hooks_reload(struct fr_hooks *h, struct fr_err *err)
{
	return fr_hookdir_read(&h->dir, err);
}

struct fr_hooks *
fr_hooks_open(struct fr_manager *m, struct fr_err *err)
{
	struct fr_hooks *h = calloc(1, sizeof(*h));
	const size_t n = (size_t)m->conf->max_hooks;

	if (h == NULL) {
		(void)fr_fail(err, FR_NOMEM, "read hooks: out of memory");
		return NULL;
	}
	h->m = m;
	h->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->nruns = n;
	h->runs = calloc(n, sizeof(*h->runs));
	h->done = calloc(n * 4, sizeof(*h->done));
	h->again = calloc(n * 4, sizeof(*h->again));
	h->again_ms = calloc(n * 4, sizeof(*h->again_ms));
	h->remembered = calloc(MAX_REMEMBERED, sizeof(*h->remembered));
	if (fr_hookdir_init(&h->dir, m->conf->hooks, err) != FR_OK) {
		fr_hooks_close(h);
		return NULL;
	}
	if (h->news_fd == -1 || h->runs == NULL || h->done == NULL ||
	    h->again == NULL || h->again_ms == NULL || h->remembered == NULL) {
		fr_hooks_close(h);
		(void)fr_fail(err, FR_NOMEM, "read hooks: out of memory");
		return NULL;
	}
	return h;
}

enum fr_rc
fr_hooks_start(struct fr_hooks *h, struct fr_engine *e, const char *url,
    struct fr_err *err)
{
	h->engine = e;
	h->url = url;
	if (h->dir.path == NULL)
		return FR_OK;
	if (pthread_create(&h->thread, NULL, run, h) != 0)
		return fr_fail(err, FR_NOMEM, "start hooks: no thread");
	h->started = true;
	return FR_OK;
}

void
fr_hooks_stop(struct fr_hooks *h)
{
	if (h == NULL || !h->started || h->joined)
		return;
	__atomic_store_n(&h->stop, true, __ATOMIC_RELEASE);
	poke(h);
	pthread_join(h->thread, NULL);
	h->joined = true;
	if (h->answer != NULL)
		fr_arena_free(h->answer->arena);
	h->answer = NULL;
}

void
fr_hooks_close(struct fr_hooks *h)
{
	size_t i;

	if (h == NULL)
		return;
	for (i = 0; h->runs != NULL && i < h->nruns; i++)
		free(h->runs[i].json);
	if (h->news_fd != -1)
		(void)close(h->news_fd);
	fr_hookdir_fini(&h->dir);
	free(h->runs);
	free(h->done);
	free(h->again);
	free(h->again_ms);
	free(h->remembered);
	free(h);
}
