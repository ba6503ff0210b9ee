/* SPDX-License-Identifier: MIT */
#include "manager.h"

#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "auth.h"
#include "backends/registry.h"
#include "base/assert.h"
#include "base/io.h"
#include "base/log.h"
#include "base/net.h"
#include "base/str.h"
#include "base/time.h"
#include "hook.h"
#include "reader.h"

/*
 * The parts put together, in this order: store, queue, engine and its thread,
 * reader, hooks, server. They end in the other order.
 */

/* What is in flight is answered within this when the manager stops. */
#define STOP_MS 2000
#define TICK_MS 20
/* Until streams that are behind get more. */
#define BEHIND_MS 50

void
fr_manager_wake(void *manager)
{
	const struct fr_manager *m = manager;
	const uint64_t one = 1;

	while (write(m->wake_fd, &one, sizeof(one)) == -1)
		;
}

/* ---- backends ----------------------------------------------------------- */

/* Behind it is a name that only tests have a use for: whoever gives one here
 * may think that it is a file. */
static enum fr_rc
check_memory(const char *url, struct fr_err *err)
{
	static const char scheme[] = "memory:";
	const size_t n = sizeof(scheme) - 1;

	if (strncmp(url, scheme, n) != 0 || url[n] == '\0')
		return FR_OK;
	return fr_fail(err, FR_USAGE, "--store `%s`: nothing comes behind %s",
	    url, scheme);
}

static enum fr_rc
open_backends(struct fr_manager *m, struct fr_err *err)
{
	struct fr_store *rs = NULL;
	enum fr_rc rc;

	rc = check_memory(m->conf->store, err);
	if (rc == FR_OK)
		rc = fr_registry_store(&m->store, m->conf->store, 0, err);
	if (rc == FR_OK)
		rc = fr_registry_queue(&m->queue, m->conf->queue, err);
	if (rc == FR_OK)
		rc = fr_registry_store(
		    &rs, m->conf->store, FR_STORE_READONLY, err);
	if (rc != FR_OK)
		return rc;
	m->durable = (m->store->ops->caps & FR_STORE_DURABLE) != 0;
	m->store_text =
	    fr_str_dup(fr_span_of(m->store->ops->describe(m->store)));
	m->queue_text =
	    fr_str_dup(fr_span_of(m->queue->ops->describe(m->queue)));
	m->fifo = strstr(m->conf->queue, "random") == NULL &&
		  strstr(m->conf->queue, "weigh") == NULL;
	m->reader = fr_reader_new(rs, fr_manager_wake, m, err);
	if (m->reader == NULL)
		return err->rc;
	if (m->store_text == NULL || m->queue_text == NULL)
		return fr_fail(err, FR_NOMEM, "start: out of memory");
	if (!m->durable)
		fr_log_line("fr-manager: the store keeps jobs in memory only: "
			    "they are lost when this program ends");
	return FR_OK;
}

/* ---- the engine's thread ------------------------------------------------ */

static void *
run_engine(void *arg)
{
	struct fr_manager *m = arg;

	m->engine_rc = fr_engine_run(m->engine, &m->engine_err);
	__atomic_store_n(&m->engine_done, true, __ATOMIC_RELEASE);
	fr_manager_wake(m);
	return NULL;
}

static enum fr_rc
start_engine(struct fr_manager *m, struct fr_err *err)
{
	const struct fr_conf *c = m->conf;
	const struct fr_engine_conf ec = {
		.store = m->store,
		.queue = m->queue,
		.clock = &fr_clock_real,
		.rand = &m->engine_rand,
		.ring = m->ring,
		.lease_ms = c->lease_ms,
		.retain_ms = c->retain_ms,
		.sweep_ms = c->sweep_ms,
		.retry_base_ms = c->retry_base_ms,
		.retry_max_ms = c->retry_max_ms,
		/* What comes in over HTTP is bounded there. */
		.max_pending = SIZE_MAX,
		.max_pending_bytes = SIZE_MAX,
		.hook_wanted = c->hooks == NULL ? NULL : fr_hooks_wanted,
		.hook_arg = m->hooks,
		.outbox_ready = c->hooks == NULL ? NULL : fr_hooks_ready,
		.outbox_arg = m->hooks,
		.wake = fr_manager_wake,
		.wake_arg = m,
	};

	fr_rand_init(&m->engine_rand);
	m->engine = fr_engine_new(&ec, err);
	if (m->engine == NULL)
		return err->rc;
	if (pthread_create(&m->engine_thread, NULL, run_engine, m) != 0)
		return fr_fail(err, FR_NOMEM, "start engine: no thread");
	m->engine_started = true;
	return FR_OK;
}

/* ---- stopping ----------------------------------------------------------- */

static void
begin_stop(struct fr_manager *m)
{
	const struct timeval tv = { 0, TICK_MS * 1000 };

	if (m->stopping)
		return;
	m->stopping = true;
	m->stop_ms = fr_time_mono_ms();
	fr_net_notify(getenv("NOTIFY_SOCKET"), "STOPPING=1");
	fr_hooks_stop(m->hooks);
	fr_http_drain(m->http);
	(void)event_add(m->tick, &tv);
}

/* The engine has failed: nothing that it says can be believed any more. */
static void
engine_failed(struct fr_manager *m)
{
	m->rc = FR_IO;
	fr_log(FR_LOG_ERROR, "stopped: %s", m->engine_err.msg);
	fr_warnf("the store has failed: %s", m->engine_err.msg);
	begin_stop(m);
}

static void
stop_step(struct fr_manager *m)
{
	const int64_t ms = fr_time_mono_ms() - m->stop_ms;
	struct fr_http_stats s;
	bool done;

	fr_http_stats(m->http, &s);
	/* First what can be finished, then all that waits. */
	if (!m->engine_stopping && (s.in_flight == 0 || ms > STOP_MS / 2)) {
		m->engine_stopping = true;
		fr_engine_stop(m->engine);
	}
	done = __atomic_load_n(&m->engine_done, __ATOMIC_ACQUIRE);
	/* There are no more events than these. */
	if (m->streams != NULL && (done || ms > STOP_MS)) {
		fr_events_news(m);
		if (!m->behind || ms > STOP_MS)
			fr_events_stop(m);
		fr_http_settle(m->http);
		fr_http_stats(m->http, &s);
	}
	if (ms > STOP_MS || (done && s.in_flight == 0 && s.parked == 0 &&
				fr_http_drained(m->http)))
		(void)event_base_loopbreak(m->base);
}

/* ---- what the loop calls ------------------------------------------------ */

void
fr_manager_beat(struct fr_manager *m)
{
	const int64_t ms = m->behind ? BEHIND_MS : m->conf->beat_ms;
	const struct timeval tv = { (time_t)(ms / 1000),
		(suseconds_t)(ms % 1000 * 1000) };

	if (m->streams != NULL)
		(void)event_add(m->beat, &tv);
}

static void
take_answers(struct fr_manager *m)
{
	static const struct timeval now;

	/* First those who ask have their turn. */
	if (fr_ask_answers(m, false))
		(void)event_add(m->more, &now);
	if (m->streams != NULL) {
		const bool behind = m->behind;

		fr_events_news(m);
		if (m->behind && !behind)
			fr_manager_beat(m);
	}
	fr_http_settle(m->http);
	if (!m->stopping && __atomic_load_n(&m->engine_done, __ATOMIC_ACQUIRE))
		engine_failed(m);
	if (m->stopping)
		stop_step(m);
}

/* Edge-triggered: to read it would only cost. */
static void
on_wake(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	take_answers(arg);
}

static void
on_beat(int fd, short what, void *arg)
{
	struct fr_manager *m = arg;

	(void)fd;
	(void)what;
	if (m->behind)
		fr_events_news(m);
	else
		fr_events_beat(m);
	fr_http_settle(m->http);
	fr_manager_beat(m);
}

static void
on_tick(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stop_step(arg);
}

static void
on_signal(int sig, short what, void *arg)
{
	struct fr_manager *m = arg;
	struct fr_err err = FR_ERR_INIT;

	(void)what;
	if (sig != SIGHUP) {
		fr_log(FR_LOG_INFO, "stopping signal=%d", sig);
		begin_stop(m);
		return;
	}
	if (fr_auth_reload(m->auth, &err) != FR_OK)
		fr_log(FR_LOG_ERROR, "tokens stay as they were: %s", err.msg);
	if (fr_hooks_reload(m->hooks, &err) != FR_OK)
		fr_log(FR_LOG_ERROR, "hooks stay as they were: %s", err.msg);
	fr_log(FR_LOG_INFO, "read again: tokens and hooks");
}

static enum fr_rc
add_events(struct fr_manager *m, struct fr_err *err)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP };
	bool ok;
	size_t i;

	m->wake = event_new(
	    m->base, m->wake_fd, EV_READ | EV_ET | EV_PERSIST, on_wake, m);
	m->more = event_new(m->base, -1, 0, on_wake, m);
	m->tick = event_new(m->base, -1, EV_PERSIST, on_tick, m);
	m->beat = event_new(m->base, -1, 0, on_beat, m);
	ok = m->wake != NULL && m->more != NULL && m->tick != NULL &&
	     m->beat != NULL && event_add(m->wake, NULL) == 0;
	for (i = 0; ok && i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		m->signals[i] = evsignal_new(m->base, sigs[i], on_signal, m);
		ok = m->signals[i] != NULL &&
		     event_add(m->signals[i], NULL) == 0;
	}
	return ok ? FR_OK : fr_fail(err, FR_NOMEM, "start: no event");
}

/* ---- the server ---------------------------------------------------------- */

static enum fr_rc
open_server(struct fr_manager *m, struct fr_err *err)
{
	const struct fr_conf *c = m->conf;
	const struct fr_http_conf hc = {
		.base = m->base,
		.max_header = c->max_header,
		.max_body = c->max_body,
		.max_connections = m->max_connections,
		.max_requests = (size_t)c->max_requests,
		.max_memory = c->max_memory,
		.header_ms = c->header_ms,
		.body_ms = c->body_ms,
		.idle_ms = c->idle_ms,
		.write_ms = c->write_ms,
		.req_size = sizeof(struct fr_request),
		.overlaps = fr_route_overlaps,
		.rank = fr_route_rank,
		.begin = fr_route_begin,
		.handle = fr_route_handle,
		.gone = fr_route_gone,
		.problem = fr_problem_body,
		.arg = m,
	};

	m->http = fr_http_new(&hc, err);
	return m->http == NULL ? err->rc : fr_listen_all(m, err);
}

/* ---- the whole ---------------------------------------------------------- */

/* As many descriptors as there may be; few of them are not connections. */
static void
raise_limits(struct fr_manager *m)
{
	const size_t others = 64;
	struct rlimit rl;

	m->max_connections = (size_t)m->conf->max_connections;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 &&
	    m->max_connections + others > rl.rlim_cur)
		m->max_connections = rl.rlim_cur > 2 * others
					 ? rl.rlim_cur - others
					 : (rl.rlim_cur + 1) / 2;
	/* Few threads, so few arenas: memory that one frees another uses. */
	(void)mallopt(M_ARENA_MAX, 2);
	/* Large bodies go back to the system, however many there were. */
	(void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
}

/* Only the HTTP thread takes signals. */
static void
block_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(how, &set, NULL);
}

static struct event_base *
new_base(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	if (cfg == NULL)
		return NULL;
	(void)event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

enum fr_rc
fr_manager_open(
    struct fr_manager *m, const struct fr_conf *conf, struct fr_err *err)
{
	enum fr_rc rc;

	*m = (struct fr_manager){ .conf = conf, .wake_fd = -1 };
	m->started_ms = fr_time_mono_ms();
	m->limits.max_value_bytes = conf->max_data;
	m->limits.max_depth = (unsigned)conf->max_depth;
	m->debug = strcmp(conf->log_level, "debug") == 0;
	raise_limits(m);
	fr_rand_init(&m->rand);
	m->base = new_base();
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	m->ring = fr_event_ring_new(conf->max_events);
	if (m->base == NULL || m->wake_fd == -1 || m->ring == NULL)
		return fr_fail(err, FR_NOMEM, "start: out of memory");
	m->auth = fr_auth_open(conf->token_file, err);
	if (m->auth == NULL)
		return err->rc;
	block_signals(SIG_BLOCK);
	m->hooks = fr_hooks_open(m, err);
	rc = m->hooks == NULL ? err->rc : open_backends(m, err);
	if (rc == FR_OK)
		rc = open_server(m, err);
	if (rc == FR_OK)
		rc = start_engine(m, err);
	if (rc == FR_OK)
		rc = fr_hooks_start(m->hooks, m->engine, m->url, err);
	block_signals(SIG_UNBLOCK);
	return rc == FR_OK ? add_events(m, err) : rc;
}

static void
announce(struct fr_manager *m)
{
	const int fd = (int)m->conf->ready_fd;
	char ready[sizeof(m->url) + 32];
	struct fr_buf line;

	fr_log(FR_LOG_INFO, "store=%s queue=%s", m->store_text, m->queue_text);
	(void)snprintf(ready, sizeof(ready), "fr-manager: ready on %s", m->url);
	fr_log_line(ready);
	fr_net_notify(getenv("NOTIFY_SOCKET"), "READY=1");
	if (fd < 0)
		return;
	fr_buf_init(&line, 0);
	fr_buf_adds(&line, m->url);
	fr_buf_addc(&line, '\n');
	if (fr_io_write_all(fd, line.p, line.len) == -1)
		fr_log(FR_LOG_WARN, "write to descriptor %d failed", fd);
	fr_buf_fini(&line);
	if (fd > 2)
		(void)close(fd);
}

enum fr_rc
fr_manager_run(struct fr_manager *m)
{
	bool more = false;
	int rc;

	announce(m);
	/* What one round has brought is done together. Its answers may have let
	 * in more, which must not wait for the next event. */
	do {
		rc = event_base_loop(m->base,
		    more ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE);
		more = fr_engine_go(m->engine);
		if (more)
			take_answers(m);
	} while (rc == 0 && !event_base_got_break(m->base));
	if (rc == -1)
		m->rc = FR_IO;
	return m->rc;
}

void
fr_manager_close(struct fr_manager *m)
{
	size_t i;

	fr_hooks_stop(m->hooks);
	if (m->engine_started) {
		fr_engine_stop(m->engine);
		pthread_join(m->engine_thread, NULL);
	}
	fr_reader_stop(m->reader);
	/* Neither takes anything new: these are the last answers. */
	if (m->engine_started) {
		(void)fr_ask_answers(m, true);
	}
	fr_reader_free(m->reader);
	fr_http_free(m->http);
	fr_engine_free(m->engine);
	fr_hooks_close(m->hooks);
	if (m->queue != NULL)
		m->queue->ops->close(m->queue);
	if (m->store != NULL)
		m->store->ops->close(m->store);
	fr_event_ring_free(m->ring);
	fr_auth_close(m->auth);
	for (i = 0; i < sizeof(m->signals) / sizeof(m->signals[0]); i++)
		if (m->signals[i] != NULL)
			event_free(m->signals[i]);
	if (m->wake != NULL)
		event_free(m->wake);
	if (m->more != NULL)
		event_free(m->more);
	if (m->tick != NULL)
		event_free(m->tick);
	if (m->beat != NULL)
		event_free(m->beat);
	if (m->base != NULL)
		event_base_free(m->base);
	if (m->wake_fd != -1)
		(void)close(m->wake_fd);
	free(m->store_text);
	free(m->queue_text);
}
