/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fr/queue.h>
#include <fr/store.h>

#include "backends/registry.h"
#include "base/buf.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/uuid.h"

/*
 * stores URL URL [FIRST [COUNT]]: two empty stores get the same random calls,
 * in batches that name jobs more than once, with odd texts and numbers, some
 * of them rolled back; and all that they say must be the same. %llu in a URL
 * becomes the seed. What fr/store.h leaves open is not compared: the order
 * of equal times, which jobs a small purge takes, a report on a lease before
 * the last one that was reported on.
 */
#define JOBS 30
#define BATCH 40 /* the longest */
#define TOKENS 4
#define TURNS 60
#define EVENTS 4096
#define T0 INT64_C(1700000000000)
#define LINES 4096

struct side {
	struct fr_store *s;
	char url[512];
	struct fr_buf text; /* what it said */
	char *line[LINES];  /* to be sorted */
	size_t nlines;
	int64_t number[EVENTS]; /* of our events */
};

struct job {
	struct fr_uuid id;
	struct fr_token token[TOKENS]; /* the last ones, newest first */
	struct fr_token reported;      /* the last one that was */
	bool blurred;                  /* and one ended unsaid since */
};

struct both {
	uint64_t seed;
	struct fr_rand rand;
	struct side side[2];
	struct job job[JOBS], saved[JOBS];
	int64_t now_ms;
	unsigned nevents, made;
	const char *call;
	size_t n; /* in the batch */
	size_t pick[BATCH];
};

static _Noreturn void
give_up(const struct both *b, const char *why, const char *more)
{
	printf("not ok - seed %llu, %s of %zu: %s %s\n",
	    (unsigned long long)b->seed, b->call, b->n, why, more);
	exit(1);
}

static uint64_t
upto(struct both *b, uint64_t n)
{
	return fr_rand_below(&b->rand, n);
}

static bool
chance(struct both *b, unsigned percent)
{
	return upto(b, 100) < percent;
}

/* ------------------------------------------------------------------ */

static void
say_span(struct fr_buf *t, const char *name, struct fr_span s)
{
	if (s.len == 0)
		return;
	fr_buf_addf(t, " %s=", name);
	if (s.len > 200)
		fr_buf_addf(t, "(%zu)", s.len);
	fr_str_visible(t, s, false);
}

static void
say_id(struct fr_buf *t, const struct fr_uuid *id)
{
	char text[FR_UUID_TEXT];

	fr_uuid_format(text, id);
	fr_buf_adds(t, text);
}

static void
say_i64(struct fr_buf *t, const char *name, int64_t v)
{
	fr_buf_addf(t, " %s=%lld", name, (long long)v);
}

static enum fr_rc
say_job(void *arg, const struct fr_job *j)
{
	char token[FR_TOKEN_TEXT];
	struct fr_buf t;

	fr_buf_init(&t, 0);
	say_id(&t, &j->id);
	say_span(&t, "type", j->type);
	say_span(&t, "data", j->data);
	say_span(&t, "key", j->key);
	say_span(&t, "progress", j->progress);
	say_span(&t, "result", j->result);
	say_span(&t, "error", j->error);
	say_span(&t, "log", j->log);
	say_span(&t, "worker", j->worker);
	say_i64(&t, "state", (int64_t)j->state);
	say_i64(&t, "priority", j->priority);
	say_i64(&t, "attempt", j->attempt);
	say_i64(&t, "max", j->max_attempts);
	say_i64(&t, "fails", j->fail_count);
	say_i64(&t, "timeout", j->timeout_ms);
	say_i64(&t, "created", j->created_ms);
	say_i64(&t, "run_at", j->run_at_ms);
	say_i64(&t, "started", j->started_ms);
	say_i64(&t, "finished", j->finished_ms);
	fr_token_format(token, &j->lease);
	fr_buf_addf(&t, " lease=%s", token);
	if (j->state == FR_STATE_RUNNING)
		say_i64(&t, "until", j->lease_until_ms);
	fr_buf_addc(&t, '\n');
	fr_buf_addspan(arg, fr_buf_span(&t));
	fr_buf_fini(&t);
	return FR_OK;
}

static enum fr_rc
keep_job(void *arg, const struct fr_job *j)
{
	struct side *s = arg;
	struct fr_buf t;

	fr_buf_init(&t, 0);
	(void)say_job(&t, j);
	if (s->nlines < LINES)
		s->line[s->nlines++] = fr_str_dup(fr_buf_span(&t));
	fr_buf_fini(&t);
	return FR_OK;
}

static enum fr_rc
say_ticket(void *arg, const struct fr_ticket *k)
{
	struct fr_buf *t = arg;

	say_id(t, &k->id);
	say_span(t, "type", fr_span_of(k->type));
	say_i64(t, "priority", k->priority);
	say_span(t, "data", k->data);
	fr_buf_addc(t, '\n');
	return FR_OK;
}

static enum fr_rc
say_event(void *arg, const struct fr_outbox_event *ev)
{
	struct fr_buf *t = arg;

	fr_buf_addf(t, "%d %u", (int)ev->kind, ev->tries);
	say_span(t, "type", ev->type);
	say_span(t, "json", ev->json);
	fr_buf_addc(t, '\n');
	return FR_OK;
}

static enum fr_rc
keep_stats(void *arg, const struct fr_type_stats *st)
{
	struct side *s = arg;
	char line[256];
	int n;

	n = snprintf(line, sizeof(line),
	    "%s %lld %lld %lld %lld %lld %lld %d\n", st->type,
	    (long long)st->n[0], (long long)st->n[1], (long long)st->n[2],
	    (long long)st->n[3], (long long)st->n[4], (long long)st->n[5],
	    st->paused);
	if (n > 0 && s->nlines < LINES)
		s->line[s->nlines++] = fr_str_dup(fr_span_of(line));
	return FR_OK;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In an order of their own, where the store's is open. */
static void
say_lines(struct side *s)
{
	size_t i;

	qsort(s->line, s->nlines, sizeof(*s->line), by_text);
	for (i = 0; i < s->nlines; i++) {
		fr_buf_adds(&s->text, s->line[i]);
		free(s->line[i]);
	}
	s->nlines = 0;
}

static void
must(const struct both *b, const struct side *s, enum fr_rc rc,
    const struct fr_err *err)
{
	if (rc == FR_OK)
		return;
	printf("# %s\n", fr_rc_name(rc));
	give_up(b,
	    s == b->side ? "the first fails:" : "the second fails:", err->msg);
}

/* Both have said the same. */
static void
same(struct both *b)
{
	struct fr_buf *x = &b->side[0].text, *y = &b->side[1].text;

	if (!fr_span_eq(fr_buf_span(x), fr_buf_span(y))) {
		printf("--- first\n%s--- second\n%s", fr_buf_cstr(x),
		    fr_buf_cstr(y));
		give_up(b, "they differ", "");
	}
	fr_buf_reset(x);
	fr_buf_reset(y);
}

/* ------------------------------------------------------------------ */

static const struct fr_span *
odd_text(struct both *b)
{
	static char huge[5000], mid[513], edge[512];
	static struct fr_span v[] = {
		FR_SPAN("null"),
		FR_SPAN("9007199254740993"),
		FR_SPAN("-1e400"),
		FR_SPAN("{\"a\":1,\"a\":2,\"\":[]}"),
		FR_SPAN("\"\\u0000\\ud800 \xc3\xa4 \xf0\x9f\x98\x80\""),
		FR_SPAN("\"'; DROP TABLE jobs; --\""),
		FR_SPAN("\"\\\\x00 $1 ?1 {1,2} NULL\""),
		{ huge, sizeof(huge) },
		{ mid, sizeof(mid) },
		{ edge, sizeof(edge) },
		FR_SPAN("0.1"),
	};

	memset(huge, '7', sizeof(huge));
	memset(mid, '8', sizeof(mid));
	memset(edge, '9', sizeof(edge));
	return &v[upto(b, sizeof(v) / sizeof(*v))];
}

static const char *
some_type(struct both *b)
{
	static const char *const v[] = { "a", "b", "Z-._0",
		"0123456789012345678901234567890123456789012345678901234567890"
		"123" };

	return v[upto(b, sizeof(v) / sizeof(*v))];
}

static struct fr_span
some_key(struct both *b)
{
	static const struct fr_span v[] = { FR_SPAN("k"), FR_SPAN("K"),
		FR_SPAN("k\0"), FR_SPAN("k\0x"), FR_SPAN("k "),
		FR_SPAN("\n\t'\"\\"), FR_SPAN("\xc3\xa4") };

	if (chance(b, 60))
		return (struct fr_span){ NULL, 0 };
	return v[upto(b, sizeof(v) / sizeof(*v))];
}

static int64_t
some_number(struct both *b, int64_t most)
{
	switch (upto(b, 6)) {
	case 0:
		return most;
	case 1:
		return 0;
	case 2:
		return INT64_C(9007199254740993) % most;
	default:
		return (int64_t)upto(b, 5) + 1;
	}
}

/* Which jobs the batch names; mostly each once. */
static void
choose(struct both *b, size_t most)
{
	const bool often = chance(b, 30);
	size_t i, k;

	b->n = chance(b, 5) ? 0 : 1 + upto(b, chance(b, 20) ? most : 6);
	for (i = 0; i < b->n; i++) {
		b->pick[i] = upto(b, JOBS);
		for (k = 0; k < i && !often; k++)
			if (b->pick[k] == b->pick[i]) {
				b->n = i;
				return;
			}
	}
}

static struct fr_token
some_token(struct both *b, const struct job *j)
{
	struct fr_token t;

	if (chance(b, 70))
		return j->token[0];
	if (chance(b, 30))
		return j->reported;
	if (chance(b, 70))
		return j->token[upto(b, TOKENS)];
	fr_rand_fill(&b->rand, t.b, sizeof(t.b));
	if (chance(b, 10))
		memset(&t, 0, sizeof(t));
	return t;
}

/* ------------------------------------------------------------------ */

static void
do_create(struct both *b)
{
	struct fr_job v[BATCH], *j;
	struct fr_created out[BATCH];
	struct fr_err err = FR_ERR_INIT;
	const bool plain = chance(b, 30);
	struct side *s;
	size_t i, k;

	b->call = "create";
	choose(b, BATCH);
	for (i = 0; i < b->n; i++) {
		j = &v[i];
		*j = (struct fr_job){ .id = b->job[b->pick[i]].id,
			.type = fr_span_of(some_type(b)),
			.data = *odd_text(b),
			.state = FR_STATE_QUEUED,
			.priority = (int32_t)upto(b, 3),
			.max_attempts = 1 + (uint32_t)upto(b, 3),
			.created_ms = b->now_ms,
			.run_at_ms = b->now_ms };
		if (plain)
			continue;
		j->key = some_key(b);
		if (chance(b, 10))
			j->priority = chance(b, 50) ? INT32_MIN : INT32_MAX;
		if (chance(b, 10))
			j->max_attempts = UINT32_MAX;
		j->timeout_ms = some_number(b, INT64_MAX);
		if (chance(b, 30)) {
			j->state = FR_STATE_SCHEDULED;
			j->run_at_ms += some_number(b, INT64_MAX / 2);
		}
		for (k = 0; k < i; k++)
			if (b->pick[k] == b->pick[i]) {
				if (chance(b, 50))
					*j = v[k];
				/* Or the order of creation is open. */
				j->key.len = v[k].key.len = 0;
			}
	}
	for (s = b->side; s < b->side + 2; s++) {
		must(b, s, s->s->ops->create(s->s, v, b->n, out, &err), &err);
		for (i = 0; i < b->n; i++) {
			say_id(&s->text, &out[i].id);
			fr_buf_addf(&s->text, " %s\n", fr_rc_name(out[i].rc));
		}
	}
}

static void
do_lease(struct both *b)
{
	struct fr_grant g[BATCH];
	struct fr_err err = FR_ERR_INIT;
	char worker[BATCH][24];
	struct side *s;
	struct job *j;
	size_t i, k;

	b->call = "lease";
	choose(b, BATCH);
	for (i = 0; i < b->n; i++) {
		j = &b->job[b->pick[i]];
		(void)snprintf(worker[i], sizeof(worker[i]), "w'%u\"\n",
		    (unsigned)upto(b, 3));
		g[i] = (struct fr_grant){ .id = j->id,
			.worker = fr_span_of(worker[i]),
			.now_ms = b->now_ms,
			.until_ms = b->now_ms + (int64_t)upto(b, 40) };
		fr_rand_fill(&b->rand, g[i].token.b, sizeof(g[i].token.b));
	}
	for (s = b->side; s < b->side + 2; s++)
		must(b, s,
		    s->s->ops->lease(s->s, g, b->n, say_job, &s->text, &err),
		    &err);
	/* The first grant of a job is what counts, if any does. */
	for (i = 0; i < b->n; i++) {
		char token[FR_TOKEN_TEXT];

		fr_token_format(token, &g[i].token);
		j = &b->job[b->pick[i]];
		if (strstr(fr_buf_cstr(&b->side[0].text), token) == NULL)
			continue;
		for (k = TOKENS - 1; k > 0; k--)
			j->token[k] = j->token[k - 1];
		j->token[0] = g[i].token;
	}
}

static void
do_renew(struct both *b)
{
	struct fr_renewal r[BATCH];
	struct fr_err err = FR_ERR_INIT;
	struct side *s;
	size_t i;

	b->call = "renew";
	choose(b, BATCH);
	for (i = 0; i < b->n; i++)
		r[i] = (struct fr_renewal){ .id = b->job[b->pick[i]].id,
			.token = some_token(b, &b->job[b->pick[i]]),
			.until_ms = b->now_ms + (int64_t)upto(b, 60) };
	for (s = b->side; s < b->side + 2; s++) {
		for (i = 0; i < b->n; i++)
			r[i].rc = FR_BROKEN;
		must(b, s, s->s->ops->renew(s->s, r, b->n, &err), &err);
		for (i = 0; i < b->n; i++)
			fr_buf_addf(&s->text, "%s\n", fr_rc_name(r[i].rc));
	}
}

static void
do_report(struct both *b)
{
	struct fr_report r[BATCH], r2[BATCH];
	struct fr_err err = FR_ERR_INIT;
	const int kind = (int)upto(b, 5);
	struct side *s;
	struct job *j;
	size_t i;

	static const char *const names[] = { "progress", "complete",
		"count_failed", "failed", "release" };
	b->call = names[kind];
	choose(b, BATCH);
	for (i = 0; i < b->n; i++) {
		r[i] = (struct fr_report){ .id = b->job[b->pick[i]].id,
			.token = some_token(b, &b->job[b->pick[i]]),
			.value = *odd_text(b),
			.now_ms = b->now_ms + (int64_t)upto(b, 2) };
		r[i].run_at_ms = r[i].now_ms + (int64_t)upto(b, 2) * 20;
		if (kind > 0 && chance(b, 50))
			r[i].log =
			    chance(b, 20) ? *odd_text(b) : FR_SPAN("\"log\"");
		r[i].unsaid = kind > 1 && chance(b, 30);
	}
	for (s = b->side; s < b->side + 2; s++) {
		const struct fr_store_ops *o = s->s->ops;
		fr_store_report_fn *const fn[] = { o->progress, o->complete,
			o->count_failed, o->failed, o->release };

		for (i = 0; i < b->n; i++)
			r[i].rc = FR_BROKEN;
		must(b, s, fn[kind](s->s, r, b->n, &err), &err);
		if (s == b->side)
			memcpy(r2, r, sizeof(r));
	}
	for (i = 0; i < b->n; i++) {
		j = &b->job[b->pick[i]];
		const bool last = kind != 0 && !fr_token_zero(&r[i].token) &&
				  fr_token_eq(&r[i].token, &j->reported) &&
				  !j->blurred;
		const bool open =
		    !last && r[i].rc != FR_OK && r2[i].rc != FR_OK;

		fr_buf_addf(&b->side[0].text, "%s\n",
		    open ? "stale or told" : fr_rc_name(r2[i].rc));
		fr_buf_addf(&b->side[1].text, "%s\n",
		    open ? "stale or told" : fr_rc_name(r[i].rc));
		if (r[i].rc != FR_OK || kind == 0)
			continue;
		j->blurred = r[i].unsaid;
		if (!r[i].unsaid)
			j->reported = r[i].token;
	}
}

static void
do_edit(struct both *b)
{
	struct fr_edit e[BATCH];
	struct fr_err err = FR_ERR_INIT;
	const int kind = (int)upto(b, 3);
	static const char *const names[] = { "cancel", "retry", "remove" };
	struct side *s;
	size_t i;

	b->call = names[kind];
	choose(b, BATCH);
	for (s = b->side; s < b->side + 2; s++) {
		const struct fr_store_ops *o = s->s->ops;
		fr_store_edit_fn *const fn[] = { o->cancel, o->retry,
			o->remove };

		for (i = 0; i < b->n; i++)
			e[i] = (struct fr_edit){ .id = b->job[b->pick[i]].id,
				.now_ms = b->now_ms,
				.rc = FR_BROKEN };
		must(b, s, fn[kind](s->s, e, b->n, &err), &err);
		for (i = 0; i < b->n; i++) {
			fr_buf_addf(&s->text, "%s", fr_rc_name(e[i].rc));
			if (e[i].rc != FR_NOTFOUND)
				fr_buf_addf(&s->text, " %d %d %u %s",
				    (int)e[i].before, (int)e[i].priority,
				    e[i].attempt, e[i].type);
			fr_buf_addc(&s->text, '\n');
		}
		if (kind != 2)
			continue;
		/* One that is made anew knows no lease. */
		for (i = 0; i < b->n; i++)
			if (e[i].rc == FR_OK)
				memset(&b->job[b->pick[i]].reported, 0, 16);
	}
}

static void
do_promote(struct both *b)
{
	const size_t limit = chance(b, 30) ? upto(b, 3) : 1000;
	struct fr_err err = FR_ERR_INIT;
	struct side *s;

	b->call = "promote";
	for (s = b->side; s < b->side + 2; s++)
		must(b, s,
		    s->s->ops->promote(
			s->s, b->now_ms, limit, say_ticket, &s->text, &err),
		    &err);
}

static void
do_renew_all(struct both *b)
{
	struct fr_err err = FR_ERR_INIT;
	const int64_t until = b->now_ms + (int64_t)upto(b, 30);
	struct side *s;

	b->call = "renew_all";
	for (s = b->side; s < b->side + 2; s++)
		must(b, s, s->s->ops->renew_all(s->s, until, &err), &err);
}

static void
do_purge(struct both *b)
{
	const unsigned states = (unsigned)upto(b, FR_STATE_ALL + 1);
	const int64_t before = b->now_ms - (int64_t)upto(b, 40);
	struct fr_err err = FR_ERR_INIT;
	struct side *s;
	size_t n;

	b->call = "purge";
	for (s = b->side; s < b->side + 2; s++) {
		n = b->n = 1000;
		must(b, s, s->s->ops->purge(s->s, states, before, &n, &err),
		    &err);
		fr_buf_addf(&s->text, "%zu\n", n);
	}
}

static void
do_pause(struct both *b)
{
	const char *type = some_type(b);
	const bool paused = chance(b, 50);
	struct fr_err err = FR_ERR_INIT;
	struct side *s;

	b->call = "pause";
	for (s = b->side; s < b->side + 2; s++)
		must(b, s, s->s->ops->pause(s->s, type, paused, &err), &err);
}

static void
do_outbox(struct both *b)
{
	struct fr_outbox_event ev[8];
	struct fr_err err = FR_ERR_INIT;
	const unsigned n = (unsigned)upto(b, 8), what = (unsigned)upto(b, 4);
	const size_t limit = chance(b, 50) ? upto(b, 4) : 1000;
	const int64_t ms = b->now_ms + (int64_t)upto(b, 30);
	int64_t numbers[8];
	unsigned which[8], i;
	char json[8][32];
	struct side *s;

	b->call = "outbox";
	if (b->nevents + n > EVENTS)
		return;
	for (i = 0; i < n; i++) {
		which[i] = b->nevents == 0 ? 0 : (unsigned)upto(b, b->nevents);
		(void)snprintf(
		    json[i], sizeof(json[i]), "{\"n\":%u}", b->nevents + i);
		ev[i] = (struct fr_outbox_event){
			.kind = (enum fr_event_kind)upto(b, FR_EVENTS),
			.type = fr_span_of(some_type(b)),
			.json = fr_span_of(json[i]),
		};
	}
	for (s = b->side; s < b->side + 2; s++) {
		const struct fr_store_ops *o = s->s->ops;

		for (i = 0; i < n; i++)
			numbers[i] = s->number[which[i]];
		if (what == 0) {
			must(b, s, o->outbox_put(s->s, ev, n, &err), &err);
			for (i = 0; i < n; i++)
				s->number[b->nevents + i] = ev[i].number;
		} else if (what == 1) {
			must(b, s,
			    o->outbox_take(s->s, b->now_ms, ms, limit,
				say_event, &s->text, &err),
			    &err);
		} else if (what == 2) {
			must(
			    b, s, o->outbox_done(s->s, numbers, n, &err), &err);
		} else if (n > 0) {
			must(b, s, o->outbox_retry(s->s, numbers[0], ms, &err),
			    &err);
		}
	}
	if (what == 0)
		b->nevents += n;
}

/* ------------------------------------------------------------------ */

static void
read_all(struct both *b)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_uuid ids[JOBS];
	struct side *s;
	size_t i;

	b->call = "get";
	for (i = 0; i < JOBS; i++)
		ids[i] = b->job[i].id;
	for (s = b->side; s < b->side + 2; s++) {
		must(b, s, s->s->ops->get(s->s, ids, JOBS, keep_job, s, &err),
		    &err);
		say_lines(s);
	}
	same(b);
	b->call = "stats";
	for (s = b->side; s < b->side + 2; s++) {
		must(b, s, s->s->ops->stats(s->s, keep_stats, s, &err), &err);
		say_lines(s);
	}
	same(b);
}

static void
read_lists(struct both *b)
{
	struct fr_list l = {
		.states = (unsigned)upto(b, FR_STATE_ALL + 1),
		.limit = chance(b, 50) ? upto(b, 5) : 1000,
	};
	struct fr_err err = FR_ERR_INIT;
	char hex[33];
	struct side *s;

	b->call = "list";
	if (chance(b, 30))
		l.states = FR_STATE_ALL;
	if (chance(b, 50))
		l.type = fr_span_of(some_type(b));
	for (s = b->side; s < b->side + 2; s++)
		must(b, s, s->s->ops->list(s->s, &l, say_job, &s->text, &err),
		    &err);
	same(b);
	b->call = "find";
	fr_hex_encode(hex, b->job[upto(b, JOBS)].id.b, 16);
	hex[chance(b, 50) ? 12 + upto(b, 5) : 32] = '\0';
	for (s = b->side; s < b->side + 2; s++) {
		must(b, s, s->s->ops->find(s->s, hex, 1000, keep_job, s, &err),
		    &err);
		say_lines(s);
	}
	same(b);
}

static void
read_queue(struct both *b)
{
	const char *type = chance(b, 50) ? some_type(b) : NULL;
	const bool data = chance(b, 50);
	const size_t page = 1 + upto(b, 8);
	struct fr_err err = FR_ERR_INIT;
	struct side *s;
	int64_t cursor;
	size_t n;

	b->call = "get_queue";
	for (s = b->side; s < b->side + 2; s++) {
		cursor = 0;
		do {
			n = page;
			must(b, s,
			    s->s->ops->get_queue(s->s, type, data, &cursor, &n,
				say_ticket, &s->text, &err),
			    &err);
			fr_buf_addf(&s->text, "%zu\n", n);
		} while (n == page && type == NULL);
	}
	same(b);
}

static void
read_running(struct both *b)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_span worker = { NULL, 0 };
	int64_t run_at, until;
	struct side *s;

	b->call = "running";
	if (chance(b, 50))
		worker = FR_SPAN("w'1\"\n");
	for (s = b->side; s < b->side + 2; s++) {
		must(b, s, s->s->ops->running(s->s, worker, keep_job, s, &err),
		    &err);
		say_lines(s);
	}
	same(b);
	b->call = "expired";
	for (s = b->side; s < b->side + 2; s++) {
		must(b, s,
		    s->s->ops->expired(
			s->s, b->now_ms, 1000, keep_job, s, &err),
		    &err);
		say_lines(s);
	}
	same(b);
	b->call = "next_due";
	for (s = b->side; s < b->side + 2; s++) {
		must(b, s, s->s->ops->next_due(s->s, &run_at, &until, &err),
		    &err);
		fr_buf_addf(&s->text, "%lld\n", (long long)run_at);
		/* The end of a lease may be told too early. */
		fr_buf_addf(&s->text, "%d\n", until == INT64_MAX);
	}
	same(b);
}

static void
some_read(struct both *b)
{
	switch (upto(b, 4)) {
	case 0:
		read_all(b);
		break;
	case 1:
		read_lists(b);
		break;
	case 2:
		read_queue(b);
		break;
	default:
		read_running(b);
		break;
	}
}

static void
some_call(struct both *b)
{
	static void (*const rare[])(
	    struct both *) = { do_renew_all, do_purge, do_pause, do_outbox };

	b->now_ms += (int64_t)upto(b, 8);
	switch (upto(b, 12)) {
	case 0:
	case 1:
		do_create(b);
		break;
	case 2:
	case 3:
	case 4:
		do_lease(b);
		break;
	case 5:
	case 6:
	case 7:
		do_report(b);
		break;
	case 8:
		do_edit(b);
		break;
	case 9:
		do_promote(b);
		break;
	case 10:
		do_renew(b);
		break;
	default:
		rare[upto(b, 4)](b);
		break;
	}
	same(b);
}

static void
turn(struct both *b)
{
	const bool undo = chance(b, 25);
	struct fr_err err = FR_ERR_INIT;
	const unsigned events = b->nevents;
	uint64_t i, n = upto(b, 8);
	struct side *s;

	memcpy(b->saved, b->job, sizeof(b->job));
	b->call = "begin";
	for (s = b->side; s < b->side + 2; s++)
		must(b, s, s->s->ops->begin(s->s, &err), &err);
	for (i = 0; i < n; i++) {
		some_call(b);
		if (chance(b, 30))
			some_read(b);
	}
	b->call = "commit";
	for (s = b->side; s < b->side + 2; s++) {
		if (undo)
			s->s->ops->rollback(s->s);
		else
			must(b, s, s->s->ops->commit(s->s, &err), &err);
	}
	if (undo) {
		memcpy(b->job, b->saved, sizeof(b->job));
		b->nevents = events;
	}
	read_all(b);
	some_read(b);
}

static void
open_side(struct both *b, struct side *s, const char *url)
{
	const char *mark = strstr(url, "%llu");
	struct fr_err err = FR_ERR_INIT;
	int n;

	if (mark == NULL)
		n = snprintf(s->url, sizeof(s->url), "%s", url);
	else
		n = snprintf(s->url, sizeof(s->url), "%.*s%llu%s",
		    (int)(mark - url), url, (unsigned long long)b->seed,
		    mark + 4);
	if (n < 0 || (size_t)n >= sizeof(s->url))
		give_up(b, "too long:", url);
	must(b, s, fr_registry_store(&s->s, s->url, 0, &err), &err);
	fr_buf_init(&s->text, 0);
}

/* As when a manager starts again; nothing may change. */
static void
reopen(struct both *b)
{
	struct fr_err err = FR_ERR_INIT;
	struct side *s;

	b->call = "reopen";
	for (s = b->side; s < b->side + 2; s++) {
		if (strncmp(s->url, "memory:", 7) == 0)
			continue;
		s->s->ops->close(s->s);
		must(b, s, fr_registry_store(&s->s, s->url, 0, &err), &err);
	}
	read_all(b);
}

static void
day(uint64_t seed, char *const *url)
{
	struct both *b = calloc(1, sizeof(*b));
	struct fr_uuid_gen gen = { 0 };
	unsigned i;

	if (b == NULL)
		exit(99);
	b->seed = seed;
	b->call = "open";
	b->now_ms = T0;
	fr_rand_seed(&b->rand, seed);
	for (i = 0; i < JOBS; i++)
		b->job[i].id = fr_uuid_new(&gen, T0 + i / 4, &b->rand);
	for (i = 0; i < 2; i++)
		open_side(b, &b->side[i], url[i]);
	for (i = 0; i < TURNS; i++) {
		turn(b);
		if (chance(b, 5))
			reopen(b);
	}
	for (i = 0; i < 2; i++) {
		b->side[i].s->ops->close(b->side[i].s);
		fr_buf_fini(&b->side[i].text);
	}
	free(b);
}

int
main(int argc, char **argv)
{
	const uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	const uint64_t n = argc > 4 ? strtoull(argv[4], NULL, 10) : 20;
	uint64_t i;

	if (argc < 3)
		return 64;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < n; i++)
		day(first + i, argv + 1);
	printf("ok 1 - the calls of seeds %llu to %llu say the same of both\n",
	    (unsigned long long)first, (unsigned long long)(first + n - 1));
	printf("1..1\n");
	return 0;
}
