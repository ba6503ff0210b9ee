/* SPDX-License-Identifier: MIT */
#include "client/target.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "client/client.h"

static void
global_init(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static enum fr_rc
parse_unix(const char *path, struct fr_target *t, struct fr_err *err)
{
	if (*path == '\0')
		return fr_fail(
		    err, FR_USAGE, "manager URL `unix:`: no path behind it");
	if (!fr_str_copy(
		t->unix_path, sizeof(t->unix_path), fr_span_of(path)) ||
	    !fr_str_format(t->shown, sizeof(t->shown), "unix:%s", path))
		return fr_fail(err, FR_USAGE,
		    "manager URL `unix:%s`: the path is too long for a socket",
		    path);
	(void)fr_str_copy(
	    t->base, sizeof(t->base), FR_SPAN("http://localhost"));
	return FR_OK;
}

/* Takes part of a parsed URL; "" if it has none. Never frees *u. */
static bool
has_part(CURLU *u, CURLUPart part)
{
	char *text = NULL;
	bool there;

	there = curl_url_get(u, part, &text, 0) == CURLUE_OK && *text != '\0';
	curl_free(text);
	return there;
}

static enum fr_rc
parse_http(const char *url, struct fr_target *t, struct fr_err *err)
{
	CURLU *u = curl_url();
	enum fr_rc rc = FR_OK;
	size_t len;

	if (u == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK) {
		rc = fr_fail(err, FR_USAGE,
		    "manager URL `%s`: no host, or a port that is none",
		    strchr(url, '@') == NULL ? url : "(not shown)");
		goto out;
	}
	if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD)) {
		rc = fr_fail(err, FR_USAGE,
		    "manager URL: no user or password here; a token goes into "
		    "a file (FR_TOKEN_FILE)");
		goto out;
	}
	if (has_part(u, CURLUPART_QUERY) || has_part(u, CURLUPART_FRAGMENT)) {
		rc = fr_fail(err, FR_USAGE,
		    "manager URL `%s`: nothing may follow the path", url);
		goto out;
	}
	for (len = strlen(url); len > 0 && url[len - 1] == '/';)
		len--;
	if (!fr_str_copy(
		t->base, sizeof(t->base), (struct fr_span){ url, len }))
		rc = fr_fail(err, FR_USAGE, "manager URL: too long");
	memcpy(t->shown, t->base, sizeof(t->shown));
out:
	curl_url_cleanup(u);
	return rc;
}

enum fr_rc
fr_target_parse(const char *url, struct fr_target *t, struct fr_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct fr_span s = fr_span_of(url);

	(void)pthread_once(&once, global_init);
	memset(t, 0, sizeof(*t));
	if (fr_span_starts(s, "unix:"))
		return parse_unix(url + sizeof("unix:") - 1, t, err);
	if (fr_span_starts(s, "http://") || fr_span_starts(s, "https://"))
		return parse_http(url, t, err);
	return fr_fail(err, FR_USAGE,
	    "manager URL `%s`: begins with none of http://, https://, unix:",
	    strchr(url, '@') == NULL ? url : "(not shown)");
}

/*
 * A machine that is cut off answers nothing, not even that it got something:
 * then the connection ends within this, and a manager that only takes its
 * time is not mistaken for one that is gone.
 */
#define SILENCE_MS 3000U
#define PROBE_SECONDS 3L /* of silence on an idle connection */

static int
set_silence(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	const unsigned ms = SILENCE_MS;

	(void)arg;
	(void)purpose;
	/* Not on a Unix socket, where nothing gets lost. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	return CURL_SOCKOPT_OK;
}

enum fr_rc
fr_target_apply(const struct fr_target *t, CURL *easy, const char *path,
    const char *ca_file, struct fr_err *err)
{
	char url[4096];
	CURLcode c;

	if (!fr_str_format(url, sizeof(url), "%s%s", t->base, path))
		return fr_fail(
		    err, FR_USAGE, "%s: the path is too long", t->shown);
	c = curl_easy_setopt(easy, CURLOPT_URL, url);
	if (c == CURLE_OK && t->unix_path[0] != '\0')
		c = curl_easy_setopt(
		    easy, CURLOPT_UNIX_SOCKET_PATH, t->unix_path);
	if (c == CURLE_OK && ca_file != NULL)
		c = curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	if (c == CURLE_OK)
		c = curl_easy_setopt(
		    easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, PROBE_SECONDS);
	if (c == CURLE_OK)
		c = curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 1L);
	if (c == CURLE_OK)
		c = curl_easy_setopt(
		    easy, CURLOPT_SOCKOPTFUNCTION, set_silence);
	if (c == CURLE_OK)
		c = curl_easy_setopt(
		    easy, CURLOPT_USERAGENT, "forerunner/0.4.0");
	if (c != CURLE_OK)
		return fr_fail(err, c == CURLE_OUT_OF_MEMORY ? FR_NOMEM : FR_IO,
		    "%s: %s", t->shown, curl_easy_strerror(c));
	return FR_OK;
}

enum fr_rc
fr_target_header(struct curl_slist **list, const char *name, const char *value,
    struct fr_err *err)
{
	struct curl_slist *more;
	char line[1100];
	const unsigned char *p;

	for (p = (const unsigned char *)value; *p >= 0x20 && *p < 0x7f; p++)
		continue;
	/* "NAME:" alone takes away a header that libcurl would send. */
	if (*p != '\0' || !fr_str_format(line, sizeof(line),
			      *value ? "%s: %s" : "%s:%s", name, value))
		return fr_fail(err, FR_USAGE,
		    "%s: too long, or characters that no header may carry",
		    name);
	more = curl_slist_append(*list, line);
	if (more == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	*list = more;
	return FR_OK;
}

enum fr_rc
fr_client_easy(const char *url, const char *path,
    const struct fr_client_conf *conf, CURL **easy, struct curl_slist **headers,
    struct fr_err *err)
{
	struct fr_target t;
	struct curl_slist *list = NULL;
	char bearer[1050];
	CURL *e = NULL;
	enum fr_rc rc;

	rc = fr_target_parse(url, &t, err);
	if (rc == FR_OK && conf->token != NULL &&
	    !fr_str_format(bearer, sizeof(bearer), "Bearer %s", conf->token))
		rc = fr_fail(err, FR_USAGE, "token: too long");
	if (rc == FR_OK && conf->token != NULL)
		rc = fr_target_header(&list, "Authorization", bearer, err);
	if (rc == FR_OK)
		rc = fr_target_header(
		    &list, "Content-Type", "application/json", err);
	if (rc == FR_OK)
		rc = fr_target_header(&list, "Expect", "", err);
	if (rc != FR_OK)
		goto out;
	e = curl_easy_init();
	if (e == NULL) {
		rc = fr_fail(err, FR_NOMEM, "out of memory");
		goto out;
	}
	rc = fr_target_apply(&t, e, path, conf->ca_file, err);
	if (rc != FR_OK)
		goto out;
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, list);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(conf->connect_ms > 0 ? conf->connect_ms : 5000));
	*easy = e;
	*headers = list;
	return FR_OK;
out:
	curl_slist_free_all(list);
	curl_easy_cleanup(e);
	return rc;
}
