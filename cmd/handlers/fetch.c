/* SPDX-License-Identifier: MIT */
/*
 * Downloads files, several at a time. A file appears under its name when all
 * of it is there. Addresses that are not public are refused when a socket is
 * about to be made for them: after the name was looked up, and again for each
 * redirect, so that no name can lead to one.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/io.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/map.h"
#include "base/root.h"
#include "base/str.h"
#include "cli/handler.h"
#include "cli/prog.h"

#define NAME_BYTES 200 /* of a file; file systems allow 255 */
#define STALL_SECONDS 60L
#define CONNECT_SECONDS 30L
#define MAX_REDIRECTS 10L

struct conf {
	bool allow_private;
	int64_t parallel;
	const char *root;
	size_t max_bytes;
	int64_t timeout_ms;
};

static const struct fr_opt opts[] = {
	{ 0, "allow-private", FR_OPT_FLAG, NULL,
	    offsetof(struct conf, allow_private),
	    "allow loopback, private and link-local addresses", 0, 0 },
	{ 0, "max-bytes", FR_OPT_SIZE, "SIZE", offsetof(struct conf, max_bytes),
	    "refuse larger files (default 1G)", 1, INT64_MAX },
	{ 0, "parallel", FR_OPT_INT, "N", offsetof(struct conf, parallel),
	    "transfers at a time (default 4)", 1, 64 },
	{ 0, "root", FR_OPT_STR, "DIR", offsetof(struct conf, root),
	    "write in this directory only", 0, 0 },
	{ 0, "timeout", FR_OPT_DURATION, "TIME",
	    offsetof(struct conf, timeout_ms),
	    "for one file (default none, but none may stall for 60s)", 1,
	    INT64_MAX },
	{ 0 },
};
static const struct fr_prog prog = {
	.name = "fetch",
	.args = "",
	.summary = "download files over HTTP",
	.more = "Data: {\"origin\":URL or [URL...],\"destination\":DIR}.\n"
		"Result: {\"location\":[PATH...]}, in the order of the URLs.\n"
		"DIR is made if it is missing.\n",
	.opts = opts,
};

/* One file on its way. */
struct transfer {
	const struct conf *conf;
	CURL *easy;
	const char *url;
	char *shown; /* the URL without user, password and query */
	char *name;  /* of the file */
	struct fr_aside file;
	size_t bytes;
	enum fr_rc rc; /* why it was ended by us */
	struct fr_err err;
};

struct fetch {
	const struct conf *conf;
	struct fr_input *in;
	struct fr_root root;
	const char *destination;
	int dir;
	struct transfer *t;
	size_t n;
	CURLM *multi;
};

/* ---- names ---- */

/* What of the URL may be shown: it may hold a password or a token. */
static char *
shown_url(CURLU *u, struct fr_arena *a)
{
	char *text = NULL, *copy;

	(void)curl_url_set(u, CURLUPART_USER, NULL, 0);
	(void)curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
	(void)curl_url_set(u, CURLUPART_QUERY, NULL, 0);
	(void)curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	(void)curl_url_get(u, CURLUPART_URL, &text, 0);
	copy = fr_arena_dupz(a, fr_span_of(text));
	curl_free(text);
	return copy;
}

/* Makes a plain file name of the end of a URL's path, in place. */
static void
plain_name(char *name)
{
	size_t i, valid;

	if (strlen(name) > NAME_BYTES) {
		name[NAME_BYTES] = '\0';
		name[fr_utf8_prefix(fr_span_of(name))] = '\0';
	}
	for (i = 0; name[i] != '\0'; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == '/' ||
		    name[i] == '\\' || name[i] == 0x7f)
			name[i] = '_';
	while ((valid = fr_utf8_prefix(fr_span_of(name))) < strlen(name))
		name[valid] = '_';
	/* Neither hidden nor taken for an option. */
	if (name[0] == '.' || name[0] == '-')
		name[0] = '_';
}

/* The file name that a URL asks for; "index.html" if it names none. */
static char *
name_of(CURLU *u, struct fr_arena *a)
{
	char *path = NULL, *last = NULL, *name;
	int len = 0;

	if (curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK) {
		char *slash = strrchr(path, '/');

		last = curl_easy_unescape(
		    NULL, slash == NULL ? path : slash + 1, 0, &len);
	}
	/* A %00 ends the name; that is as good as any other. */
	if (last == NULL || last[0] == '\0')
		name = fr_arena_dupz(a, FR_SPAN("index.html"));
	else
		name = fr_arena_dupz(a, fr_span_of(last));
	curl_free(last);
	curl_free(path);
	if (name != NULL)
		plain_name(name);
	return name;
}

/* name, or "name-2.ext" ... if it is taken by another file of this job. */
static char *
distinct(struct fr_map *taken, char *name, struct fr_arena *a)
{
	const char *dot = strrchr(name, '.');
	const size_t stem =
	    dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
	char other[NAME_BYTES + 32];
	unsigned k;

	for (k = 2; fr_map_get(taken, fr_span_of(name)) != NULL; k++) {
		if (!fr_str_format(other, sizeof(other), "%.*s-%u%s", (int)stem,
			name, k, name + stem))
			return NULL;
		if (fr_map_get(taken, fr_span_of(other)) == NULL)
			name = fr_arena_dupz(a, fr_span_of(other));
		if (name == NULL)
			return NULL;
	}
	return fr_map_put(taken, fr_span_of(name), name) ? name : NULL;
}

static enum fr_rc
name_transfer(struct fetch *f, struct transfer *t, struct fr_map *taken,
    struct fr_err *err)
{
	CURLU *u = curl_url();
	enum fr_rc rc = FR_OK;
	char *scheme = NULL;

	if (u == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	if (curl_url_set(u, CURLUPART_URL, t->url, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
		rc = fr_fail(err, FR_INVALID, "origin: not a URL");
		goto out;
	}
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
		rc = fr_fail(err, FR_DENIED,
		    "origin: scheme %s, not http or https", scheme);
		goto out;
	}
	t->name = name_of(u, f->in->arena);
	if (t->name != NULL)
		t->name = distinct(taken, t->name, f->in->arena);
	t->shown = shown_url(u, f->in->arena);
	if (t->name == NULL || t->shown == NULL)
		rc = fr_fail(err, FR_NOMEM, "out of memory");
out:
	curl_free(scheme);
	curl_url_cleanup(u);
	return rc;
}

/* ---- one transfer ---- */

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = arg;
	char text[FR_IP_TEXT];

	(void)purpose;
	if (!t->conf->allow_private && !fr_ip_public(&a->addr)) {
		fr_ip_text(text, &a->addr);
		t->rc = fr_fail(&t->err, FR_DENIED,
		    "fetch %s: address %s is not public", t->shown, text);
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t
write_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	const size_t len = size * n;

	if (len > t->conf->max_bytes - t->bytes) {
		t->rc =
		    fr_fail(&t->err, FR_TOOBIG, "fetch %s: more than %zu bytes",
			t->shown, t->conf->max_bytes);
		return CURL_WRITEFUNC_ERROR;
	}
	if (fr_io_write_all(t->file.fd, p, len) == -1) {
		t->rc = fr_failsys(&t->err, FR_IO, "write %s", t->name);
		return CURL_WRITEFUNC_ERROR;
	}
	t->bytes += len;
	return len;
}

/* All options at once; the first that fails is told. */
#define SET(opt, value)                                                        \
	do {                                                                   \
		if (code == CURLE_OK)                                          \
			code = curl_easy_setopt(t->easy, opt, value);          \
	} while (0)

static enum fr_rc
start_transfer(struct fetch *f, struct transfer *t, struct fr_err *err)
{
	CURLcode code = CURLE_OK;
	enum fr_rc rc;

	rc = fr_aside_open(&t->file, f->dir, err);
	if (rc != FR_OK)
		return rc;
	t->easy = curl_easy_init();
	if (t->easy == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	SET(CURLOPT_URL, t->url);
	SET(CURLOPT_PRIVATE, t);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, MAX_REDIRECTS);
	SET(CURLOPT_PROXY, ""); /* a proxy would look the name up for us */
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, t);
	SET(CURLOPT_WRITEFUNCTION, write_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "forerunner/" FR_VERSION);
	SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	SET(CURLOPT_TIMEOUT_MS, (long)f->conf->timeout_ms);
	if (code != CURLE_OK)
		return fr_fail(err, FR_INVALID, "fetch %s: %s", t->shown,
		    curl_easy_strerror(code));
	if (curl_multi_add_handle(f->multi, t->easy) != CURLM_OK)
		return fr_fail(err, FR_NOMEM, "out of memory");
	return FR_OK;
}

/* Whether an HTTP status may be another one next time. */
static enum fr_rc
status_rc(long status)
{
	return status >= 500 || status == 408 || status == 425 || status == 429
		   ? FR_AGAIN
		   : FR_INVALID;
}

static enum fr_rc
curl_rc(CURLcode code)
{
	if (code == CURLE_OPERATION_TIMEDOUT)
		return FR_TIMEOUT;
	if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
	    code == CURLE_TOO_MANY_REDIRECTS ||
	    code == CURLE_PEER_FAILED_VERIFICATION ||
	    code == CURLE_WEIRD_SERVER_REPLY)
		return FR_INVALID;
	return FR_AGAIN;
}

/* A transfer has ended: with a file, or with an error. */
static enum fr_rc
end_transfer(struct transfer *t, CURLcode code, struct fr_err *err)
{
	enum fr_rc rc;
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK && status >= 200 && status < 300) {
		rc = fr_aside_commit(&t->file, t->name, err);
		fr_aside_fini(&t->file);
		return rc;
	}
	/* A refused address matters only if no other was there. */
	if (t->rc != FR_OK &&
	    (t->rc != FR_DENIED || code == CURLE_COULDNT_CONNECT))
		return fr_fail(err, t->rc, "%s", t->err.msg);
	if (code == CURLE_OK || code == CURLE_HTTP_RETURNED_ERROR)
		return fr_fail(err, status_rc(status),
		    "fetch %s: HTTP status %ld", t->shown, status);
	return fr_fail(err, curl_rc(code), "fetch %s: %s", t->shown,
	    curl_easy_strerror(code));
}

/* ---- all of them ---- */

static void
drop_easy(struct fetch *f, struct transfer *t)
{
	if (t->easy == NULL)
		return;
	(void)curl_multi_remove_handle(f->multi, t->easy);
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
}

/* Takes note of those that have ended; *running becomes one less for each. */
static enum fr_rc
reap(struct fetch *f, size_t *running, struct fr_err *err)
{
	struct transfer *t;
	CURLMsg *msg;
	enum fr_rc rc = FR_OK;
	char *private = NULL;
	int left;

	while (rc == FR_OK &&
	       (msg = curl_multi_info_read(f->multi, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(
		    msg->easy_handle, CURLINFO_PRIVATE, &private);
		t = (struct transfer *)(void *)private;
		rc = end_transfer(t, msg->data.result, err);
		drop_easy(f, t);
		(*running)--;
	}
	return rc;
}

static enum fr_rc
run_transfers(struct fetch *f, struct fr_err *err)
{
	size_t started = 0, running = 0;
	enum fr_rc rc = FR_OK;
	int still;

	while (rc == FR_OK && (running > 0 || started < f->n)) {
		while (rc == FR_OK && started < f->n &&
		       running < (size_t)f->conf->parallel) {
			rc = start_transfer(f, &f->t[started++], err);
			running++;
		}
		if (rc == FR_OK &&
		    (curl_multi_perform(f->multi, &still) != CURLM_OK ||
			curl_multi_poll(f->multi, NULL, 0, still > 0 ? 1000 : 0,
			    NULL) != CURLM_OK))
			rc = fr_fail(err, FR_AGAIN, "libcurl failed");
		if (rc == FR_OK)
			rc = reap(f, &running, err);
	}
	return rc;
}

/* The URLs of `origin` into f->t. */
static enum fr_rc
read_origin(struct fetch *f, struct fr_err *err)
{
	const struct fr_span origin = fr_json_get(f->in->value, "origin");
	const bool many =
	    origin.p != NULL && fr_json_type(origin) == FR_JSON_ARRAY;
	struct fr_json_iter it;
	struct fr_span url;
	enum fr_rc rc = FR_OK;
	size_t n = 0;

	if (origin.p == NULL)
		return fr_fail(err, FR_INVALID, "data: `origin` is missing");
	if (many)
		for (it = fr_json_iter(origin); fr_json_element(&it, &url);)
			n++;
	else
		n = 1;
	f->t = fr_arena_calloc(f->in->arena, n, sizeof(*f->t));
	if (f->t == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	for (f->n = 0; f->n < n; f->n++)
		f->t[f->n] = (struct transfer){
			.conf = f->conf,
			.file = FR_ASIDE_INIT,
		};
	if (!many)
		return fr_input_string(
		    f->in, origin, "origin", &f->t[0].url, err);
	it = fr_json_iter(origin);
	for (n = 0; rc == FR_OK && fr_json_element(&it, &url); n++)
		rc = fr_input_string(f->in, url, "origin", &f->t[n].url, err);
	return rc;
}

static enum fr_rc
name_transfers(struct fetch *f, struct fr_err *err)
{
	struct fr_map *taken = fr_map_new();
	enum fr_rc rc = FR_OK;
	size_t i;

	if (taken == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	for (i = 0; rc == FR_OK && i < f->n; i++)
		rc = name_transfer(f, &f->t[i], taken, err);
	fr_map_free(taken);
	return rc;
}

static void
write_result(const struct fetch *f, struct fr_buf *b)
{
	const size_t len = strlen(f->destination);
	const bool slash = len > 0 && f->destination[len - 1] == '/';
	struct fr_buf path;
	size_t i;

	fr_buf_init(&path, 0);
	fr_buf_adds(b, "{\"location\":[");
	for (i = 0; i < f->n; i++) {
		fr_buf_reset(&path);
		fr_buf_adds(&path, f->destination);
		if (!slash)
			fr_buf_addc(&path, '/');
		fr_buf_adds(&path, f->t[i].name);
		fr_jsonw_str(b, fr_buf_span(&path));
	}
	fr_buf_adds(b, "]}");
	fr_buf_fini(&path);
}

static enum fr_rc
fetch(
    const void *arg, struct fr_input *in, struct fr_buf *b, struct fr_err *err)
{
	const struct conf *conf = arg;
	struct fetch f = { .conf = conf, .in = in, .dir = -1 };
	enum fr_rc rc;
	size_t i;

	f.root.fd = -1;
	rc = fr_input_object(in, err);
	if (rc == FR_OK)
		rc =
		    fr_input_text(in, "destination", true, &f.destination, err);
	if (rc == FR_OK)
		rc = read_origin(&f, err);
	if (rc == FR_OK)
		rc = name_transfers(&f, err);
	if (rc == FR_OK)
		rc = fr_root_open(&f.root, conf->root, err);
	if (rc == FR_OK)
		rc = fr_root_dir(&f.root, f.destination, &f.dir, err);
	if (rc != FR_OK)
		goto out;
	f.multi = curl_multi_init();
	if (f.multi == NULL) {
		rc = fr_fail(err, FR_NOMEM, "out of memory");
		goto out;
	}
	rc = run_transfers(&f, err);
	if (rc == FR_OK && fsync(f.dir) == -1)
		rc = fr_failsys(err, FR_IO, "sync %s", f.destination);
	if (rc == FR_OK)
		write_result(&f, b);
out:
	for (i = 0; i < f.n; i++) {
		drop_easy(&f, &f.t[i]);
		fr_aside_fini(&f.t[i].file);
	}
	(void)curl_multi_cleanup(f.multi);
	if (f.dir != -1)
		(void)close(f.dir);
	fr_root_close(&f.root);
	return rc;
}

int
main(int argc, char *argv[])
{
	struct conf conf = {
		.parallel = 4,
		.max_bytes = (size_t)1024 * 1024 * 1024,
	};
	int status;

	if (fr_args(&prog, argc, argv, &conf) < argc)
		fr_usage(&prog, "too many arguments");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		fr_warnf("libcurl did not start");
		return EX_TEMPFAIL;
	}
	status = fr_handler_run(fetch, &conf);
	curl_global_cleanup();
	return status;
}
