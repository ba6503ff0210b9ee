/* SPDX-License-Identifier: MIT */
/*
 * libcurl's multi interface on libevent: it says which sockets it wants to
 * know about and when it wants to be called, and is told what happened.
 */
#include "channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/str.h"
#include "base/time.h"

#define CONNECT_MS 5000L
#define MOMENT_MS 250L /* first, if there is another manager */

static void
collect(struct channels *cs)
{
	struct fr_err err;
	struct channel *ch;
	CURLMsg *m;
	CURLcode code;
	curl_off_t after = 0;
	char *priv = NULL;
	long status;
	int left;

	while ((m = curl_multi_info_read(cs->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		err = (struct fr_err)FR_ERR_INIT;
		status = 0;
		code = m->data.result;
		(void)curl_easy_getinfo(
		    m->easy_handle, CURLINFO_PRIVATE, &priv);
		ch = (struct channel *)(void *)priv;
		(void)curl_easy_getinfo(
		    m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		(void)curl_easy_getinfo(
		    m->easy_handle, CURLINFO_RETRY_AFTER, &after);
		ch->retry_after_ms = after > 0 ? (int64_t)after * 1000 : 0;
		(void)curl_multi_remove_handle(cs->multi, m->easy_handle);
		ch->busy = false;
		if (code != CURLE_OK || !fr_buf_ok(&ch->answer)) {
			status = 0;
			(void)fr_fail(&err, FR_UNREACHABLE, "%s: %s",
			    channels_url(cs), curl_easy_strerror(code));
		}
		if (status != 0)
			cs->passed = 0;
		cs->answered(cs->arg, ch, status, &err);
	}
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct channels *cs = arg;
	int running, mask = 0;

	if (what & EV_READ)
		mask |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		mask |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(cs->multi, fd, mask, &running);
	collect(cs);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct channels *cs = arg;
	int running;

	(void)fd;
	(void)what;
	(void)curl_multi_socket_action(
	    cs->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(cs);
}

static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socketp)
{
	struct channels *cs = arg;
	struct event *ev = socketp;
	short events = EV_PERSIST;

	(void)easy;
	if (ev != NULL)
		event_free(ev);
	ev = NULL;
	if (what != CURL_POLL_REMOVE) {
		if (what & CURL_POLL_IN)
			events |= EV_READ;
		if (what & CURL_POLL_OUT)
			events |= EV_WRITE;
		ev = event_new(cs->base, fd, events, on_socket, cs);
		if (ev == NULL || event_add(ev, NULL) == -1)
			return -1;
	}
	(void)curl_multi_assign(cs->multi, fd, ev);
	return 0;
}

static int
want_timer(CURLM *multi, long ms, void *arg)
{
	struct channels *cs = arg;
	const struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0)
		(void)event_del(cs->timer);
	else if (ms == 0)
		event_active(cs->timer, EV_TIMEOUT, 0);
	else
		(void)event_add(cs->timer, &tv);
	return 0;
}

static size_t
receive(char *p, size_t size, size_t n, void *arg)
{
	struct channel *ch = arg;

	fr_buf_add(&ch->answer, p, size * n);
	return fr_buf_ok(&ch->answer) ? size * n : 0;
}

static bool
split_urls(struct channels *cs, const char *list)
{
	const char *p, *end;

	cs->urls = calloc(strlen(list) + 1, sizeof(*cs->urls));
	if (cs->urls == NULL)
		return false;
	for (p = list; *p != '\0'; p = *end == '\0' ? end : end + 1) {
		end = strchrnul(p, ',');
		if (end == p)
			continue;
		cs->urls[cs->nurls] =
		    fr_str_dup((struct fr_span){ p, (size_t)(end - p) });
		if (cs->urls[cs->nurls++] == NULL)
			return false;
	}
	return cs->nurls > 0;
}

enum fr_rc
channels_init(struct channels *cs, struct event_base *base,
    const struct fr_client_conf *conf, struct fr_err *err)
{
	int i;

	memset(cs, 0, sizeof(*cs));
	cs->base = base;
	cs->conf = *conf;
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	cs->multi = curl_multi_init();
	cs->timer = event_new(base, -1, 0, on_timer, cs);
	if (cs->multi == NULL || cs->timer == NULL ||
	    !split_urls(cs, conf->manager))
		return fr_fail(err, FR_NOMEM, "out of memory");
	(void)curl_multi_setopt(
	    cs->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	(void)curl_multi_setopt(cs->multi, CURLMOPT_SOCKETDATA, cs);
	(void)curl_multi_setopt(cs->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	(void)curl_multi_setopt(cs->multi, CURLMOPT_TIMERDATA, cs);
	for (i = 0; i < CHANNELS; i++) {
		cs->v[i].of = cs;
		fr_buf_init(&cs->v[i].body, 0);
		fr_buf_init(&cs->v[i].answer, 0);
	}
	return FR_OK;
}

static void
close_channel(struct channel *ch)
{
	channel_abort(ch);
	curl_easy_cleanup(ch->easy);
	curl_slist_free_all(ch->headers);
	ch->easy = NULL;
	ch->headers = NULL;
}

void
channels_fini(struct channels *cs)
{
	size_t i;

	for (i = 0; i < CHANNELS; i++) {
		close_channel(&cs->v[i]);
		fr_buf_fini(&cs->v[i].body);
		fr_buf_fini(&cs->v[i].answer);
	}
	if (cs->multi != NULL)
		(void)curl_multi_cleanup(cs->multi);
	if (cs->timer != NULL)
		event_free(cs->timer);
	for (i = 0; i < cs->nurls; i++)
		free(cs->urls[i]);
	free(cs->urls);
}

/* A moment, and more each time that all managers were in vain. */
static long
connect_ms(const struct channels *cs)
{
	size_t rounds = cs->passed / cs->nurls;
	long ms = MOMENT_MS;

	if (cs->nurls == 1)
		return CONNECT_MS;
	for (; rounds > 0 && ms < CONNECT_MS; rounds--)
		ms *= 2;
	return ms < CONNECT_MS ? ms : CONNECT_MS;
}

static enum fr_rc
make_easy(struct channel *ch, struct fr_err *err)
{
	enum fr_rc rc;

	rc = fr_client_easy(channels_url(ch->of), "/v1/work", &ch->of->conf,
	    &ch->easy, &ch->headers, err);
	if (rc != FR_OK)
		return rc;
	(void)curl_easy_setopt(ch->easy, CURLOPT_HTTPHEADER, ch->headers);
	(void)curl_easy_setopt(ch->easy, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(ch->easy, CURLOPT_WRITEFUNCTION, receive);
	(void)curl_easy_setopt(ch->easy, CURLOPT_WRITEDATA, ch);
	(void)curl_easy_setopt(ch->easy, CURLOPT_PRIVATE, ch);
	(void)curl_easy_setopt(ch->easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(
	    ch->easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms(ch->of));
	return FR_OK;
}

enum fr_rc
channel_send(struct channel *ch, int64_t timeout_ms, struct fr_err *err)
{
	enum fr_rc rc;

	fr_assert(!ch->busy);
	if (ch->easy == NULL) {
		rc = make_easy(ch, err);
		if (rc != FR_OK)
			return rc;
	}
	fr_buf_reset(&ch->answer);
	(void)curl_easy_setopt(ch->easy, CURLOPT_POSTFIELDS, ch->body.p);
	(void)curl_easy_setopt(
	    ch->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ch->body.len);
	(void)curl_easy_setopt(ch->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	if (curl_multi_add_handle(ch->of->multi, ch->easy) != CURLM_OK)
		return fr_fail(err, FR_NOMEM, "out of memory");
	ch->busy = true;
	ch->sent_ms = fr_time_mono_ms();
	return FR_OK;
}

void
channel_abort(struct channel *ch)
{
	if (!ch->busy)
		return;
	(void)curl_multi_remove_handle(ch->of->multi, ch->easy);
	ch->busy = false;
}

void
channels_next(struct channels *cs)
{
	int i;

	cs->at = (cs->at + 1) % cs->nurls;
	cs->passed++;
	for (i = 0; cs->nurls > 1 && i < CHANNELS; i++)
		close_channel(&cs->v[i]);
}

const char *
channels_url(const struct channels *cs)
{
	return cs->urls[cs->at];
}
