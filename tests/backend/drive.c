/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fr/queue.h>
#include <fr/store.h>

#include "backends/registry.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"

/*
 * Holds one store or queue open and does what the lines on its standard input
 * say, so that a test can strike the server in between. One line is answered
 * by one line.
 *
 *   store URL, queue URL       open it
 *   reader URL                 a store's second, read-only handle
 *   describe
 *   put N                      creates N jobs, once; repeat: the same again
 *   work N                     leases N of the jobs put last and ends them
 *   later N                    creates N that are due at once; promote N
 *   lease N                    of the jobs put last, for ever
 *   running, expired N, due, purge N, list STATES [TYPE]
 *                              what there is, or was, of that
 *   type N TYPE                of the jobs that are created from now on; they
 *                              have N priorities
 *   load                       both in turn, each batch tried until it is done,
 *                              until the next line is there to be read
 *   check                      all that load was told is done, is done
 *   begin, create N, commit, rollback   step by step
 *   now, stats, queued
 *   watch MS KIND              waits for that kind of news ("lost": any lost)
 *   push N, pop N, requeue, length, empty
 */

#define MOST 4000000
#define BATCH 200

static struct fr_store *store, *reader;
static struct fr_queue *queue;
static struct fr_rand rnd;
static struct fr_uuid_gen gen;
static struct fr_err err;
static struct fr_uuid *ids;      /* of all jobs that were put */
static size_t nids, last, nlast; /* the last batch */
static enum fr_state made = FR_STATE_QUEUED;
static char made_type[FR_TYPE_MAX + 1] = "t";
static size_t priorities = 1;
static size_t first, done; /* of ids: those that load has ended */
static unsigned long tries_again, tries_unknown;

static enum fr_rc
create(size_t n, size_t *fresh)
{
	struct fr_job *jobs = calloc(n, sizeof(*jobs));
	struct fr_created *out = calloc(n, sizeof(*out));
	enum fr_rc rc;
	size_t i;

	fr_assert(jobs != NULL && out != NULL && last + n <= MOST);
	for (i = 0; i < n; i++) {
		if (last + i >= nids) {
			ids[nids++] =
			    fr_uuid_new(&gen, fr_time_wall_ms(), &rnd);
		}
		jobs[i] = (struct fr_job){
			.id = ids[last + i],
			.type = fr_span_of(made_type),
			.data = FR_SPAN("{\"n\":1.0e400}"),
			.priority = (int32_t)(i % priorities),
			.state = made,
			.max_attempts = 3,
			.created_ms = 1,
			.run_at_ms = 1,
		};
	}
	rc = store->ops->create(store, jobs, n, out, &err);
	for (*fresh = i = 0; rc == FR_OK && i < n; i++) {
		*fresh += out[i].rc == FR_OK;
		if (out[i].rc != FR_OK && out[i].rc != FR_EXISTS)
			rc = fr_fail(&err, out[i].rc, "create: wrong result");
	}
	free(jobs);
	free(out);
	return rc;
}

/* In one transaction. */
static enum fr_rc
put(size_t n, size_t *fresh)
{
	enum fr_rc rc = store->ops->begin(store, &err);

	*fresh = 0;
	nlast = n;
	if (rc != FR_OK)
		return rc;
	rc = create(n, fresh);
	if (rc == FR_OK)
		return store->ops->commit(store, &err);
	store->ops->rollback(store);
	return rc;
}

static struct fr_report *reports;
static size_t nreports;

static enum fr_rc
leased(void *arg, const struct fr_job *job)
{
	(void)arg;
	reports[nreports++] = (struct fr_report){
		.id = job->id,
		.token = job->lease,
		.value = FR_SPAN("\"done\""),
		.now_ms = 3,
	};
	return fr_span_is(job->data, "{\"n\":1.0e400}") ? FR_OK : FR_BROKEN;
}

/* Leases those from `from` on. */
static enum fr_rc
lease(size_t from, size_t n)
{
	struct fr_grant *g = calloc(n, sizeof(*g));
	enum fr_rc rc;
	size_t i;

	fr_assert(g != NULL);
	for (i = 0; i < n; i++) {
		g[i] = (struct fr_grant){
			.id = ids[from + i],
			.worker = FR_SPAN("drive"),
			.now_ms = 2,
			.until_ms = INT64_C(1) << 50,
		};
		fr_rand_fill(&rnd, &g[i].token, sizeof(g[i].token));
	}
	nreports = 0;
	rc = store->ops->begin(store, &err);
	if (rc == FR_OK) {
		rc = store->ops->lease(store, g, n, leased, NULL, &err);
		if (rc == FR_OK)
			rc = store->ops->commit(store, &err);
		else
			store->ops->rollback(store);
	}
	free(g);
	return rc;
}

static enum fr_rc
complete(size_t *counted)
{
	enum fr_rc rc = store->ops->begin(store, &err);
	size_t i;

	*counted = 0;
	if (rc != FR_OK)
		return rc;
	rc = store->ops->complete(store, reports, nreports, &err);
	if (rc != FR_OK) {
		store->ops->rollback(store);
		return rc;
	}
	rc = store->ops->commit(store, &err);
	for (i = 0; rc == FR_OK && i < nreports; i++)
		*counted +=
		    reports[i].rc == FR_OK || reports[i].rc == FR_EXISTS;
	return rc;
}

/* Whether to try again; counts what was met. */
static bool
passing(enum fr_rc rc)
{
	if (rc == FR_AGAIN)
		tries_again++;
	else if (rc == FR_UNKNOWN)
		tries_unknown++;
	else
		return false;
	return true;
}

static enum fr_rc
running(void *arg, const struct fr_job *job)
{
	(void)arg;
	if (nreports < MOST)
		return leased(NULL, job);
	return FR_OK;
}

static bool
told_more(void)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };

	return poll(&p, 1, 0) != 0;
}

/*
 * Puts and ends batches until there is another line to read. A lease whose
 * commit is unknown is found again by what the store says is running.
 */
static enum fr_rc
load(void)
{
	const int64_t hard_ms = fr_time_mono_ms() + 200000;
	size_t fresh, counted, from;
	enum fr_rc rc = FR_OK;

	first = done = nids;
	while (rc == FR_OK && !told_more()) {
		if (fr_time_mono_ms() > hard_ms)
			return fr_fail(&err, FR_AGAIN, "still loaded");
		last = nids;
		while (passing(rc = put(BATCH, &fresh)) &&
		       fr_time_mono_ms() < hard_ms)
			;
		for (from = last; rc == FR_OK && done < from + BATCH;) {
			while (passing(rc = lease(from, BATCH)) &&
			       fr_time_mono_ms() < hard_ms)
				;
			if (rc != FR_OK)
				break;
			if (nreports < BATCH) {
				nreports = 0;
				while (passing(rc = store->ops->running(store,
						   FR_SPAN("drive"), running,
						   NULL, &err)) &&
				       fr_time_mono_ms() < hard_ms)
					nreports = 0;
			}
			if (rc != FR_OK)
				break;
			while (passing(rc = complete(&counted)) &&
			       fr_time_mono_ms() < hard_ms)
				;
			if (rc != FR_OK)
				break;
			if (counted != BATCH)
				return fr_fail(&err, FR_BROKEN,
				    "%zu of %d reports counted", counted,
				    BATCH);
			done = from + BATCH;
		}
	}
	return rc;
}

static size_t found, ended;

static enum fr_rc
checked(void *arg, const struct fr_job *job)
{
	(void)arg;
	found++;
	ended += job->state == FR_STATE_COMPLETE && job->attempt == 1 &&
		 fr_span_is(job->result, "\"done\"");
	return FR_OK;
}

static enum fr_rc
check(void)
{
	struct fr_store *s = reader != NULL ? reader : store;
	enum fr_rc rc;

	found = ended = 0;
	do {
		found = ended = 0;
		rc = s->ops->get(
		    s, ids + first, done - first, checked, NULL, &err);
	} while (passing(rc));
	return rc;
}

static int64_t sums[FR_STATES];

static enum fr_rc
add_stats(void *arg, const struct fr_type_stats *t)
{
	int i;

	(void)arg;
	for (i = 0; i < FR_STATES; i++)
		sums[i] += t->n[i];
	return FR_OK;
}

static enum fr_rc
skip(void *arg, const struct fr_ticket *t)
{
	(void)arg;
	(void)t;
	return FR_OK;
}

static enum fr_rc
queued(size_t *count)
{
	struct fr_store *s = reader != NULL ? reader : store;
	int64_t cursor = 0;
	enum fr_rc rc;
	size_t n;

	*count = 0;
	do {
		n = 1000;
		rc = s->ops->get_queue(
		    s, NULL, false, &cursor, &n, skip, NULL, &err);
		*count += n;
	} while (rc == FR_OK && n == 1000);
	return rc;
}

struct watching {
	const char *kind;
	size_t hits;
};

static enum fr_rc
heard(void *arg, const struct fr_news *n)
{
	struct watching *w = arg;

	if (strcmp(w->kind, "lost") == 0)
		w->hits += n->type[0] == '\0';
	else
		w->hits += n->type[0] != '\0' &&
			   strcmp(w->kind, fr_event_name(n->kind)) == 0;
	return FR_OK;
}

static enum fr_rc
watch(int64_t ms, const char *kind, size_t *hits)
{
	const int64_t until_ms = fr_time_mono_ms() + ms;
	struct watching w = { kind, 0 };
	struct pollfd p = { .events = POLLIN };
	enum fr_rc rc = FR_OK;
	int64_t left;

	p.fd = store->ops->watch_fd(store);
	while (rc == FR_OK && w.hits == 0 &&
	       (left = until_ms - fr_time_mono_ms()) > 0)
		if (poll(&p, 1, (int)left) > 0)
			rc = store->ops->watch(store, heard, &w, &err);
	*hits = w.hits;
	return rc;
}

static struct fr_ticket tickets[20000];

static enum fr_rc
push(size_t n)
{
	size_t i;

	fr_assert(n <= sizeof(tickets) / sizeof(*tickets));
	for (i = 0; i < n; i++) {
		ids[nids] = fr_uuid_new(&gen, fr_time_wall_ms(), &rnd);
		tickets[i] =
		    (struct fr_ticket){ .id = ids[nids++], .type = "t" };
	}
	return queue->ops->push(queue, tickets, n, &err);
}

static enum fr_rc
count(void *arg, const struct fr_job *job)
{
	(void)job;
	++*(size_t *)arg;
	return FR_OK;
}

static enum fr_rc
count_ticket(void *arg, const struct fr_ticket *t)
{
	(void)t;
	++*(size_t *)arg;
	return FR_OK;
}

/* One call of the sweep's; *x is of how many jobs it told. false: none. */
static bool
sweep(const char *call, size_t n, const char *arg, size_t *x, enum fr_rc *rc)
{
	const struct fr_store_ops *ops = store->ops;
	struct fr_list l = {
		.states = (unsigned)n, .type = fr_span_of(arg), .limit = 100
	};
	int64_t run_at_ms, until_ms;

	*rc = ops->begin(store, &err);
	if (*rc != FR_OK)
		return true;
	if (strcmp(call, "running") == 0) {
		*rc = ops->running(store, FR_SPAN(""), count, x, &err);
	} else if (strcmp(call, "expired") == 0) {
		*rc = ops->expired(store, INT64_MAX, n, count, x, &err);
	} else if (strcmp(call, "due") == 0) {
		run_at_ms = until_ms = INT64_MAX;
		*rc = ops->next_due(store, &run_at_ms, &until_ms, &err);
		*x += run_at_ms != INT64_MAX;
		*x += until_ms != INT64_MAX;
	} else if (strcmp(call, "promote") == 0) {
		*rc = ops->promote(store, 1, n, count_ticket, x, &err);
	} else if (strcmp(call, "purge") == 0) {
		*x = n;
		*rc = ops->purge(store, FR_STATE_ENDED, INT64_MAX, x, &err);
	} else if (strcmp(call, "list") == 0) {
		*rc = ops->list(store, &l, count, x, &err);
	} else {
		ops->rollback(store);
		return false;
	}
	if (*rc == FR_OK)
		*rc = ops->commit(store, &err);
	else
		ops->rollback(store);
	return true;
}

static void
say(enum fr_rc rc, const char *text)
{
	if (rc != FR_OK)
		(void)printf("%s: %s\n", fr_rc_name(rc), err.msg);
	else
		(void)printf("ok%s\n", text);
	(void)fflush(stdout);
}

static enum fr_rc
open_one(const char *what, const char *url)
{
	if (strcmp(what, "queue") == 0)
		return fr_registry_queue(&queue, url, &err);
	if (strcmp(what, "reader") == 0)
		return fr_registry_store(&reader, url, FR_STORE_READONLY, &err);
	return fr_registry_store(&store, url, 0, &err);
}

static enum fr_rc
on_store(const char *call, size_t n, const char *arg, char *text, size_t size)
{
	enum fr_rc rc = FR_OK;
	size_t x = 0;
	int64_t ms;

	if (strcmp(call, "put") == 0 || strcmp(call, "repeat") == 0) {
		if (strcmp(call, "put") == 0)
			last = nids;
		rc = put(strcmp(call, "put") == 0 ? n : nlast, &x);
		(void)snprintf(text, size, " %zu new", x);
	} else if (strcmp(call, "later") == 0) {
		made = FR_STATE_SCHEDULED;
		last = nids;
		rc = put(n, &x);
		made = FR_STATE_QUEUED;
		(void)snprintf(text, size, " %zu new", x);
	} else if (strcmp(call, "lease") == 0) {
		rc = lease(last, n);
		(void)snprintf(text, size, " %zu leased", nreports);
	} else if (strcmp(call, "work") == 0) {
		rc = lease(last, n);
		if (rc == FR_OK)
			rc = complete(&x);
		(void)snprintf(text, size, " %zu ended", x);
	} else if (strcmp(call, "load") == 0) {
		rc = load();
		(void)snprintf(text, size, " again=%s unknown=%lu",
		    tries_again > 0 ? "some" : "0", tries_unknown);
	} else if (strcmp(call, "type") == 0) {
		priorities = n > 0 ? n : 1;
		if (!fr_str_copy(made_type, sizeof(made_type), fr_span_of(arg)))
			rc = fr_fail(&err, FR_USAGE, "too long a type");
	} else if (strcmp(call, "check") == 0) {
		rc = check();
		(void)snprintf(text, size, " missing=%zu unfinished=%zu",
		    done - first - found, done - first - ended);
	} else if (strcmp(call, "begin") == 0) {
		rc = store->ops->begin(store, &err);
	} else if (strcmp(call, "create") == 0) {
		last = nids;
		rc = create(n, &x);
		(void)snprintf(text, size, " %zu new", x);
	} else if (strcmp(call, "commit") == 0) {
		rc = store->ops->commit(store, &err);
	} else if (strcmp(call, "rollback") == 0) {
		store->ops->rollback(store);
	} else if (strcmp(call, "now") == 0) {
		rc = store->ops->now(store, &ms, &err);
		(void)snprintf(text, size, " %lld",
		    (long long)(ms - fr_time_wall_ms()) / 1000);
	} else if (strcmp(call, "stats") == 0) {
		memset(sums, 0, sizeof(sums));
		rc = store->ops->stats(store, add_stats, NULL, &err);
		(void)snprintf(text, size, " %lld %lld %lld %lld %lld %lld",
		    (long long)sums[0], (long long)sums[1], (long long)sums[2],
		    (long long)sums[3], (long long)sums[4], (long long)sums[5]);
	} else if (strcmp(call, "queued") == 0) {
		rc = queued(&x);
		(void)snprintf(text, size, " %zu", x);
	} else if (strcmp(call, "watch") == 0) {
		rc = watch((int64_t)n, arg, &x);
		(void)snprintf(text, size, " %s", x > 0 ? "heard" : "nothing");
	} else if (sweep(call, n, arg, &x, &rc)) {
		(void)snprintf(text, size, " %zu", x);
	} else {
		rc = fr_fail(&err, FR_USAGE, "no such call: %s", call);
	}
	return rc;
}

static enum fr_rc
on_queue(const char *call, size_t n, char *text, size_t size)
{
	static const char *const type[] = { "t" };
	enum fr_rc rc = FR_OK;
	int64_t length = 0;

	if (strcmp(call, "push") == 0) {
		rc = push(n);
	} else if (strcmp(call, "pop") == 0) {
		rc = queue->ops->pop(queue, type, 1, tickets, &n, &err);
		(void)snprintf(text, size, " %zu", n);
	} else if (strcmp(call, "requeue") == 0) {
		rc = queue->ops->requeue(queue, tickets, n, &err);
	} else if (strcmp(call, "length") == 0) {
		rc = queue->ops->length(queue, NULL, &length, &err);
		(void)snprintf(text, size, " %lld", (long long)length);
	} else if (strcmp(call, "empty") == 0) {
		rc = queue->ops->empty(queue, &err);
	} else {
		rc = fr_fail(&err, FR_USAGE, "no such call: %s", call);
	}
	return rc;
}

int
main(void)
{
	char *line = NULL, *call, *arg, *more, text[256];
	size_t cap = 0, n;
	ssize_t len;

	(void)signal(SIGPIPE, SIG_IGN);
	fr_log_to(2, "drive", FR_LOG_INFO);
	fr_rand_init(&rnd);
	ids = calloc(MOST, sizeof(*ids));
	reports = calloc(MOST / 100, sizeof(*reports));
	fr_assert(ids != NULL && reports != NULL);
	while ((len = getline(&line, &cap, stdin)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		call = line;
		arg = strchr(line, ' ');
		if (arg != NULL)
			*arg++ = '\0';
		else
			arg = line + strlen(line);
		text[0] = '\0';
		if (strcmp(call, "store") == 0 || strcmp(call, "queue") == 0 ||
		    strcmp(call, "reader") == 0) {
			say(open_one(call, arg), text);
			continue;
		}
		n = (size_t)strtoul(arg, &more, 10);
		if (strcmp(call, "describe") == 0) {
			(void)snprintf(text, sizeof(text), " %s",
			    store != NULL ? store->ops->describe(store)
					  : queue->ops->describe(queue));
			say(FR_OK, text);
		} else if (store == NULL && queue == NULL) {
			say(fr_fail(&err, FR_USAGE, "nothing is open"), text);
		} else if (store != NULL) {
			say(on_store(call, n, more + (*more == ' '), text,
				sizeof(text)),
			    text);
		} else {
			say(on_queue(call, n, text, sizeof(text)), text);
		}
	}
	if (reader != NULL)
		reader->ops->close(reader);
	if (store != NULL)
		store->ops->close(store);
	if (queue != NULL)
		queue->ops->close(queue);
	free(line);
	free(ids);
	free(reports);
	return 0;
}
