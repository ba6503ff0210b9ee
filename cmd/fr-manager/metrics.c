/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "manager.h"

/* GET /metrics: the text format of Prometheus, version 0.0.4. */

static void
metric(struct fr_buf *b, const char *name, const char *kind, const char *help,
    uint64_t v)
{
	fr_buf_addf(b, "# HELP forerunner_%s %s\n# TYPE forerunner_%s %s\n",
	    name, help, name, kind);
	fr_buf_addf(b, "forerunner_%s %llu\n", name, (unsigned long long)v);
}

static enum fr_rc
emit_jobs(void *arg, const struct fr_type_stats *t)
{
	struct fr_request *q = arg;
	int s;

	for (s = 0; s < FR_STATES; s++)
		fr_buf_addf(&q->answer,
		    "forerunner_jobs{type=\"%s\",state=\"%s\"} %lld\n", t->type,
		    fr_state_name((enum fr_state)s), (long long)t->n[s]);
	return FR_OK;
}

static enum fr_rc
read_jobs(struct fr_store *s, struct fr_request *q)
{
	fr_buf_adds(&q->answer, "# HELP forerunner_jobs Jobs in the store.\n"
				"# TYPE forerunner_jobs gauge\n");
	return s->ops->stats(s, emit_jobs, q, &q->err);
}

static void
put_engine(struct fr_buf *b, const struct fr_manager *m)
{
	struct fr_engine_counters c;
	int k;

	fr_engine_counters(m->engine, &c);
	fr_buf_adds(b, "# HELP forerunner_events_total What happened to jobs.\n"
		       "# TYPE forerunner_events_total counter\n");
	for (k = 0; k < FR_EVENTS; k++)
		fr_buf_addf(b, "forerunner_events_total{event=\"%s\"} %llu\n",
		    fr_event_name((enum fr_event_kind)k),
		    (unsigned long long)c.events[k]);
	metric(b, "operations_total", "counter",
	    "Requests that the engine has taken.", c.ops);
	metric(b, "commits_total", "counter",
	    "Transactions that the store has committed.", c.commits);
	metric(b, "failed_commits_total", "counter",
	    "Transactions that the store has refused.", c.failed_commits);
	metric(b, "stale_reports_total", "counter",
	    "Reports without the current lease.", c.stale);
	metric(b, "expired_leases_total", "counter",
	    "Leases that ended without a word.", c.expired);
	metric(b, "purged_jobs_total", "counter",
	    "Jobs that were forgotten because of their age.", c.purged);
	metric(b, "engine_pending", "gauge",
	    "Requests that the engine has not looked at yet.", c.pending);
	metric(b, "engine_waiting", "gauge",
	    "Requests that wait for a job or its end.", c.waiting);
	metric(b, "loading", "gauge",
	    "1 while the queue is filled from the store.", c.loading);
	metric(b, "degraded", "gauge",
	    "1 while the queue fails and the store stands in.", c.degraded);
}

static void
put_http(struct fr_buf *b, const struct fr_manager *m)
{
	struct fr_http_stats s;

	fr_http_stats(m->http, &s);
	metric(b, "http_requests_total", "counter", "Requests.", s.requests);
	metric(b, "http_bad_requests_total", "counter",
	    "What could not be read as a request.", s.bad);
	metric(b, "http_shed_requests_total", "counter",
	    "Requests refused because there was too much to do.", s.shed);
	metric(b, "http_timeouts_total", "counter",
	    "Requests that took too long to come.", s.timeouts);
	metric(b, "http_accepted_connections_total", "counter", "Connections.",
	    s.accepted);
	metric(b, "http_refused_connections_total", "counter",
	    "Connections over the limit.", s.refused);
	metric(
	    b, "http_connections", "gauge", "Open connections.", s.connections);
	metric(b, "http_requests", "gauge", "Requests that are worked on.",
	    s.in_flight);
	metric(b, "http_waiting_requests", "gauge",
	    "Requests that wait for something to happen.", s.parked);
	metric(b, "http_memory_bytes", "gauge", "Held by requests.", s.bytes);
	metric(b, "http_answer_bytes", "gauge",
	    "Held by answers that are not sent yet.", s.answer_bytes);
	metric(b, "http_unread_bytes", "gauge",
	    "Held by requests whose turn has not come.", s.in_bytes);
}

static void
put_process(struct fr_buf *b, const struct fr_manager *m)
{
	char text[128] = "";
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f != NULL) {
		if (fgets(text, sizeof(text), f) != NULL) {
			struct fr_span s = { text, 0 };
			int64_t n;

			while (text[s.len] != '\0' && text[s.len] != ' ')
				s.len++;
			s.p += s.len + (text[s.len] == ' ');
			for (s.len = 0; s.p[s.len] >= '0' && s.p[s.len] <= '9';)
				s.len++;
			if (fr_str_i64(s, 0, INT64_MAX / 65536, &n) == FR_OK)
				pages = (long)n;
		}
		(void)fclose(f);
	}
	metric(b, "resident_memory_bytes", "gauge", "Resident set.",
	    (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE));
	metric(b, "uptime_seconds", "gauge", "Since the start.",
	    (uint64_t)(fr_time_mono_ms() - m->started_ms) / 1000);
}

static void
answer(struct fr_request *q)
{
	struct fr_manager *m = fr_manager_of(q);

	if (q->rc != FR_OK) {
		fr_answer_failed(q, q->rc, &q->err);
		return;
	}
	put_engine(&q->answer, m);
	put_http(&q->answer, m);
	put_process(&q->answer, m);
	fr_answer_as(q, 200, "text/plain; version=0.0.4; charset=utf-8",
	    &q->answer, NULL);
}

void
fr_metrics_get(struct fr_request *q)
{
	fr_ask_reader(q, read_jobs, answer);
}
