/* SPDX-License-Identifier: MIT */
/*
 * When to speak to the manager, and what for. An exchange costs the manager a
 * commit, so that ends of quick jobs wait some milliseconds for others, but
 * only while there is other work to do; and quick jobs are fetched ahead, as
 * many as are done in the time of an exchange or two, so that no slot stands
 * empty meanwhile. A job that was fetched ahead and then has to wait is given
 * back: see stale() in loop.c.
 */
#include "base/time.h"
#include "loop.h"

#define FLUSH_MS 3    /* quick jobs' ends wait that long */
#define BACKLOG_MS 20 /* or that long, if many more jobs wait */
#define FLUSH_JOBS 1024
#define FLUSH_BYTES ((size_t)256 << 10)
#define PROGRESS_MS 50 /* between two reports of progress */
#define WATCH_MS 100   /* of silence, before an exchange only watches */
#define UNSURE_MS 500  /* a short wait */
#define DRAIN_MS 100   /* a shorter one: the end waits for its answer */
#define QUICK_US 20000 /* longer jobs are not fetched ahead */
#define AHEAD_US 40000 /* of work at most */
#define QUICK_JOBS 16  /* in a row, before any are fetched ahead */

static bool
asking(const struct loop *l)
{
	int i;

	for (i = 0; i < CHANNELS; i++)
		if (l->channels.v[i].busy && l->sent[i].purpose == FOR_JOBS)
			return true;
	return false;
}

static bool
reporting(const struct loop *l)
{
	int i;

	for (i = 0; i < CHANNELS; i++)
		if (l->channels.v[i].busy &&
		    (l->sent[i].carries || l->sent[i].purpose == FOR_REPORT))
			return true;
	return false;
}

static bool
silent(const struct loop *l)
{
	int i;

	for (i = 0; i < CHANNELS; i++)
		if (l->channels.v[i].busy)
			return false;
	return true;
}

/* How many jobs it is worth to have beyond those that run. */
static unsigned
ahead(const struct loop *l, const struct fr_runner_load *load)
{
	int64_t time_us = 2 * l->rtt_us + BACKLOG_MS * 1500;
	uint64_t n;

	if (load->job_us == 0 || load->job_us > QUICK_US ||
	    l->quick < QUICK_JOBS)
		return 0;
	if (time_us > AHEAD_US)
		time_us = AHEAD_US;
	n = (uint64_t)time_us * load->brisk / (uint64_t)load->job_us;
	return n < l->ramp ? (unsigned)n : l->ramp;
}

/* How many jobs to ask for. Not for a few while there is enough to do, unless
 * an exchange is due anyway. */
static uint32_t
wanted(struct loop *l, bool anyway)
{
	struct fr_runner_load load;
	size_t extra, target;

	fr_runner_load(l->runner, &load);
	if (load.held || l->phase != WORKING || loop_types(l) == 0)
		return 0;
	extra = ahead(l, &load);
	target = (size_t)l->conf->handling.slots + extra;
	if (target > l->held.shared->n)
		target = l->held.shared->n;
	if (target <= l->held.working)
		return 0;
	target -= l->held.working;
	if (target > l->held.nspare)
		target = l->held.nspare;
	if (!anyway && load.idle <= load.waiting && target < (extra + 1) / 2)
		return 0;
	return (uint32_t)target;
}

static int64_t
flush_ms(const struct loop *l)
{
	const struct held *h = &l->held;

	if (h->unsent == 0)
		return -1;
	if (h->working == 0 || l->quick == 0 || h->unsent >= FLUSH_JOBS ||
	    h->unsent_bytes >= FLUSH_BYTES || l->phase != WORKING)
		return 0;
	return held_since(h) + (l->backlog ? BACKLOG_MS : FLUSH_MS);
}

static int64_t
renew_ms(const struct loop *l)
{
	return l->held.n == 0 ? -1 : l->named_ms + l->lease_ms / 3;
}

static int64_t
progress_ms(const struct loop *l)
{
	return l->held.progressed == NULL ? -1 : l->progress_ms + PROGRESS_MS;
}

static bool
due(int64_t at_ms, int64_t now_ms)
{
	return at_ms != -1 && at_ms <= now_ms;
}

static int64_t
wait_ms(const struct loop *l)
{
	int64_t most = l->conf->wait_ms;

	/* The first answer comes at once: whoever looks wants to know. */
	if (!l->connected)
		return 0;
	/* A lease may be as old as the question, and --exclusive must not
	 * think it younger than it is. */
	if (l->conf->exclusive && most > l->lease_ms / 3)
		most = l->lease_ms / 3;
	if (l->conf->exclusive && !l->lease_known && most > UNSURE_MS)
		most = UNSURE_MS;
	/* With nothing to do, an empty answer is the end. */
	if (l->conf->drain && most > DRAIN_MS)
		most = DRAIN_MS;
	return l->conf->drain && l->held.n == 0 ? 0 : most;
}

void
exchange_decide(struct loop *l, int64_t now_ms)
{
	const bool flush = due(flush_ms(l), now_ms);
	uint32_t slots;

	if (now_ms < l->retry_ms)
		return;
	if (l->held.n == 0)
		l->named_ms = now_ms;
	slots = asking(l) ? 0 : wanted(l, flush);
	/* If ends go with it, it waits for the report that is under way. */
	if (slots > 0 && (l->backlog || l->held.unsent == 0 || !reporting(l)) &&
	    request_send(l, FOR_JOBS, slots, wait_ms(l)))
		return;
	if (!reporting(l) &&
	    (flush || due(renew_ms(l), now_ms) || due(progress_ms(l), now_ms) ||
		(l->phase != WORKING && !l->told)) &&
	    request_send(l, FOR_REPORT, 0, 0))
		return;
	if (silent(l) && l->held.working > 0 &&
	    now_ms >= l->spoke_ms + WATCH_MS)
		(void)request_send(l, FOR_WATCH, 0, l->lease_ms / 3);
}

static void
sooner(int64_t *next, int64_t at_ms)
{
	if (at_ms != -1 && (*next == -1 || at_ms < *next))
		*next = at_ms;
}

int64_t
exchange_next_ms(struct loop *l, int64_t now_ms)
{
	int64_t next = -1;

	if (now_ms < l->retry_ms)
		return l->retry_ms;
	if (!reporting(l)) {
		sooner(&next, flush_ms(l));
		sooner(&next, renew_ms(l));
		sooner(&next, progress_ms(l));
	}
	if (silent(l) && l->held.working > 0)
		sooner(&next, l->spoke_ms + WATCH_MS);
	return next;
}

void
exchange_stop_asking(struct loop *l)
{
	int i;

	for (i = 0; i < CHANNELS; i++)
		if (l->channels.v[i].busy && !l->sent[i].carries) {
			channel_abort(&l->channels.v[i]);
			l->sent[i] = (struct sent){ .purpose = FOR_NOTHING };
		}
}
