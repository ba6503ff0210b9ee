/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/net.h"
#include "base/str.h"
#include "manager.h"

/* Where the manager listens. */

/* The library's default makes thousands of connections wait for seconds. */
#define BACKLOG 4096

static enum fr_rc
listen_one(struct fr_manager *m, const struct fr_listen *l, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;

	if (!l->loopback && m->conf->token_file == NULL)
		rc = fr_fail(err, FR_USAGE,
		    "listen on %s: beyond loopback a --token-file is needed",
		    l->url);
	if (rc == FR_OK)
		rc = fr_http_listen(m->http, l->fd, err);
	if (rc != FR_OK) {
		(void)close(l->fd);
		return rc;
	}
	if (m->url[0] == '\0')
		(void)fr_str_copy(m->url, sizeof(m->url), fr_span_of(l->url));
	else
		fr_log(FR_LOG_INFO, "listening url=%s", l->url);
	return FR_OK;
}

/* Sockets from the service manager: sd_listen_fds(3). */
static int
inherited(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int64_t n = 0, p = 0;

	if (pid == NULL || fds == NULL ||
	    fr_str_i64(fr_span_of(pid), 1, INT32_MAX, &p) != FR_OK ||
	    p != getpid() || fr_str_i64(fr_span_of(fds), 0, 1000, &n) != FR_OK)
		n = 0;
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return (int)n;
}

enum fr_rc
fr_listen_all(struct fr_manager *m, struct fr_err *err)
{
	static const char *fallback[] = { "127.0.0.1:2718" };
	struct fr_strs on = m->conf->listen;
	const int n = inherited();
	struct fr_listen l;
	enum fr_rc rc = FR_OK;
	size_t k;
	int i;

	for (i = 0; rc == FR_OK && i < n; i++) {
		rc = fr_net_adopt(3 + i, &l, err);
		if (rc == FR_OK)
			rc = listen_one(m, &l, err);
	}
	if (n == 0 && on.n == 0)
		on = (struct fr_strs){ fallback, 1 };
	for (k = 0; rc == FR_OK && k < on.n; k++) {
		rc = fr_net_listen(on.v[k], BACKLOG, &l, err);
		if (rc == FR_OK)
			rc = listen_one(m, &l, err);
	}
	return rc;
}
