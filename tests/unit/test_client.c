/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/net.h"
#include "base/str.h"
#include "base/time.h"
#include "client/client.h"
#include "client/jobs.h"
#include "client/target.h"
#include "tests/unit/unit.h"

static void
refused(const char *url)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_target t;

	if (fr_target_parse(url, &t, &err) != FR_USAGE)
		fail_msg("\"%s\" is taken", url);
	assert_string_not_equal(err.msg, "");
	assert_null(strstr(err.msg, "secret"));
}

static void
is_base(const char *url, const char *base, const char *unix_path)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_target t;

	if (fr_target_parse(url, &t, &err) != FR_OK)
		fail_msg("\"%s\": %s", url, err.msg);
	assert_string_equal(t.base, base);
	assert_string_equal(t.unix_path, unix_path);
}

static void
a_manager_has_one_of_three_kinds_of_url(void **state)
{
	char long_path[200];

	(void)state;
	is_base("http://127.0.0.1:2718", "http://127.0.0.1:2718", "");
	is_base("https://h/", "https://h", "");
	is_base("http://[::1]:80/a/b//", "http://[::1]:80/a/b", "");
	is_base("unix:/run/x", "http://localhost", "/run/x");
	refused("");
	refused("h:2718");
	refused("ftp://h");
	refused("http://");
	refused("http://h:99999");
	refused("http://h/?a=b");
	refused("http://h/#a");
	refused("unix:");
	memset(long_path, 'a', sizeof(long_path));
	memcpy(long_path, "unix:/", 6);
	long_path[sizeof(long_path) - 1] = '\0';
	refused(long_path);
}

static void
no_secret_stands_in_a_url_or_in_its_message(void **state)
{
	(void)state;
	refused("http://user:secret@h");
	refused("http://secret@h");
	refused("htp://user:secret@h");
	refused("http://user:secret@h:bad");
}

static void
only_an_id_reaches_the_path(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	char path[100];

	(void)state;
	assert_int_equal(
	    fr_jobs_path(path, sizeof(path), "01a20ccc", "/cancel", &err),
	    FR_OK);
	assert_string_equal(path, "/v1/jobs/01a20ccc/cancel");
	assert_int_equal(fr_jobs_path(path, sizeof(path),
			     "01a20ccc-af22-72c0-a42e-e6e1580ed242", "", &err),
	    FR_OK);
	assert_int_equal(
	    fr_jobs_path(path, sizeof(path), "../types", "", &err), FR_INVALID);
	assert_int_equal(
	    fr_jobs_path(path, sizeof(path), "01a2%20", "", &err), FR_INVALID);
	assert_int_equal(
	    fr_jobs_path(path, sizeof(path), "", "", &err), FR_INVALID);
	assert_int_equal(
	    fr_jobs_path(path, sizeof(path), "01a", "", &err), FR_INVALID);
	assert_int_equal(
	    fr_types_path(path, sizeof(path), "a/b", "/pause", &err),
	    FR_INVALID);
	assert_int_equal(
	    fr_types_path(path, sizeof(path), "..", "/pause", &err),
	    FR_INVALID);
	assert_int_equal(
	    fr_types_path(path, sizeof(path), "a.b", "/pause", &err), FR_OK);
	assert_string_equal(path, "/v1/types/a.b/pause");
}

static void
a_token_that_would_break_the_header_is_refused(void **state)
{
	struct fr_client_conf conf = { .manager = "http://127.0.0.1:1",
		.token = "abc\r\nX-Evil: 1" };
	struct curl_slist *headers = NULL;
	struct fr_err err = FR_ERR_INIT;
	struct fr_client *cl = NULL;
	CURL *easy = NULL;

	(void)state;
	assert_int_equal(fr_client_open(&cl, &conf, &err), FR_USAGE);
	assert_null(strstr(err.msg, "abc"));
	assert_int_equal(
	    fr_client_easy(conf.manager, "/", &conf, &easy, &headers, &err),
	    FR_USAGE);
	assert_null(strstr(err.msg, "abc"));
}

static void
an_easy_handle_has_the_token_in_its_headers(void **state)
{
	const struct fr_client_conf conf = { .token = "abc" };
	struct curl_slist *headers = NULL, *h;
	struct fr_err err = FR_ERR_INIT;
	CURL *easy = NULL;
	char *url = NULL;
	bool bearer = false, json = false;

	(void)state;
	assert_int_equal(fr_client_easy("http://127.0.0.1:9/x/", "/v1/work",
			     &conf, &easy, &headers, &err),
	    FR_OK);
	assert_int_equal(
	    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url), CURLE_OK);
	assert_string_equal(url, "http://127.0.0.1:9/x/v1/work");
	for (h = headers; h != NULL; h = h->next) {
		bearer |= strcmp(h->data, "Authorization: Bearer abc") == 0;
		json |= strcmp(h->data, "Content-Type: application/json") == 0;
	}
	assert_true(bearer && json);
	curl_slist_free_all(headers);
	curl_easy_cleanup(easy);
}

/* A URL where nobody listens: the port was just taken and given back. */
static void
dead_url(char *dst, size_t size)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_listen l;

	assert_int_equal(fr_net_listen("127.0.0.1:0", 1, &l, &err), FR_OK);
	assert_true(fr_str_copy(dst, size, fr_span_of(l.url)));
	(void)close(l.fd);
}

static void
a_manager_that_was_never_there_is_an_error_at_once(void **state)
{
	char url[300];
	struct fr_client_conf conf = { .manager = url, .retry_ms = 60000 };
	struct fr_call call = { .method = "GET", .path = "/" };
	const int64_t begin = fr_time_mono_ms();
	struct fr_err err = FR_ERR_INIT;
	struct fr_client *cl = NULL;

	(void)state;
	dead_url(url, sizeof(url));
	assert_int_equal(fr_client_open(&cl, &conf, &err), FR_OK);
	assert_int_equal(fr_client_call(cl, &call, &err), FR_UNREACHABLE);
	assert_non_null(strstr(err.msg, url));
	assert_non_null(strstr(err.msg, "connection refused"));
	assert_false(fr_client_reached(cl));
	assert_true(fr_time_mono_ms() - begin < 20000);
	fr_client_close(cl);
	fr_buf_fini(&call.answer);
}

static void
a_patient_client_waits_for_its_time(void **state)
{
	char url[300];
	struct fr_client_conf conf = {
		.manager = url, .retry_ms = 300, .patient = true
	};
	struct fr_call call = { .method = "POST", .path = "/" };
	const int64_t begin = fr_time_mono_ms();
	struct fr_err err = FR_ERR_INIT;
	struct fr_client *cl = NULL;

	(void)state;
	dead_url(url, sizeof(url));
	assert_int_equal(fr_client_open(&cl, &conf, &err), FR_OK);
	assert_int_equal(fr_client_call(cl, &call, &err), FR_UNREACHABLE);
	assert_true(fr_time_mono_ms() - begin >= 290);
	fr_client_close(cl);
	fr_buf_fini(&call.answer);
}

static void
all_managers_are_asked_and_all_urls_checked(void **state)
{
	char a[300], b[300], both[700];
	struct fr_client_conf conf = { .manager = both };
	struct fr_call call = { .method = "GET", .path = "/" };
	struct fr_err err = FR_ERR_INIT;
	struct fr_client *cl = NULL;

	(void)state;
	dead_url(a, sizeof(a));
	dead_url(b, sizeof(b));
	assert_true(fr_str_format(both, sizeof(both), "%s,%s", a, b));
	assert_int_equal(fr_client_open(&cl, &conf, &err), FR_OK);
	assert_int_equal(fr_client_call(cl, &call, &err), FR_UNREACHABLE);
	assert_non_null(strstr(err.msg, b));
	fr_client_close(cl);
	conf.manager = "http://h,ftp://h";
	assert_int_equal(fr_client_open(&cl, &conf, &err), FR_USAGE);
	conf.manager = "http://h,";
	assert_int_equal(fr_client_open(&cl, &conf, &err), FR_USAGE);
	fr_buf_fini(&call.answer);
}

/*
 * A URL that neither takes a connection nor refuses it, as of a machine that
 * is gone: the listener's backlog is full. fd[0] listens.
 */
static void
silent_url(char *dst, size_t size, int fd[8])
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sa);
	int i;

	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd[0], (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(fd[0], 0), 0);
	assert_int_equal(getsockname(fd[0], (struct sockaddr *)&sa, &len), 0);
	for (i = 1; i < 8; i++) {
		fd[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fd[i], (struct sockaddr *)&sa, len);
	}
	assert_true(fr_str_format(
	    dst, size, "http://127.0.0.1:%d", ntohs(sa.sin_port)));
}

/* Answers requests, one a connection, until it is closed. */
static void *
answer_all(void *arg)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
				   "Connection: close\r\n\r\n";
	const int *listener = arg;
	char in[1000];
	int fd;

	while ((fd = accept(*listener, NULL, NULL)) != -1) {
		if (recv(fd, in, sizeof(in), 0) > 0)
			(void)send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
		(void)close(fd);
	}
	return NULL;
}

static void
a_machine_that_is_gone_is_passed_over_in_a_moment(void **state)
{
	char gone[300], good[300], both[700];
	struct fr_client_conf conf = { .manager = both, .connect_ms = 60000 };
	struct fr_call call = { .method = "POST", .path = "/" };
	int64_t begin = fr_time_mono_ms();
	struct fr_err err = FR_ERR_INIT;
	struct fr_client *cl = NULL;
	struct fr_listen l;
	pthread_t server;
	int fd[8], i;

	(void)state;
	silent_url(gone, sizeof(gone), fd);
	assert_int_equal(fr_net_listen("127.0.0.1:0", 1, &l, &err), FR_OK);
	assert_true(fr_str_copy(good, sizeof(good), fr_span_of(l.url)));
	i = fcntl(l.fd, F_GETFL);
	(void)fcntl(l.fd, F_SETFL, i & ~O_NONBLOCK);
	assert_int_equal(pthread_create(&server, NULL, answer_all, &l.fd), 0);
	assert_true(fr_str_format(both, sizeof(both), "%s,%s", gone, good));
	assert_int_equal(fr_client_open(&cl, &conf, &err), FR_OK);
	assert_int_equal(fr_client_call(cl, &call, &err), FR_OK);
	assert_true(fr_time_mono_ms() - begin < 30000);
	assert_string_equal(fr_client_url(cl), good);
	begin = fr_time_mono_ms();
	for (i = 0; i < 200; i++)
		assert_int_equal(fr_client_call(cl, &call, &err), FR_OK);
	assert_true(fr_time_mono_ms() - begin < 40000); /* not 200 moments */
	fr_client_close(cl);

	/* One alone gets all the time, and so do several, in the end; libcurl
	 * counts by another clock, and may be early by a millisecond. */
	conf.manager = gone;
	conf.connect_ms = 300;
	begin = fr_time_mono_ms();
	assert_int_equal(fr_client_open(&cl, &conf, &err), FR_OK);
	assert_int_equal(fr_client_call(cl, &call, &err), FR_UNREACHABLE);
	assert_true(fr_time_mono_ms() - begin >= 290);
	assert_non_null(strstr(err.msg, "300 ms"));
	fr_client_close(cl);
	assert_true(fr_str_format(both, sizeof(both), "%s,%s", gone, gone));
	conf.manager = both;
	begin = fr_time_mono_ms();
	assert_int_equal(fr_client_open(&cl, &conf, &err), FR_OK);
	assert_int_equal(fr_client_call(cl, &call, &err), FR_UNREACHABLE);
	assert_true(fr_time_mono_ms() - begin >= 2 * (240 + 290));
	assert_non_null(strstr(err.msg, "300 ms"));
	fr_client_close(cl);

	(void)shutdown(l.fd, SHUT_RDWR);
	(void)pthread_join(server, NULL);
	(void)close(l.fd);
	for (i = 0; i < 8; i++)
		(void)close(fd[i]);
	fr_buf_fini(&call.answer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manager_has_one_of_three_kinds_of_url),
		cmocka_unit_test(no_secret_stands_in_a_url_or_in_its_message),
		cmocka_unit_test(only_an_id_reaches_the_path),
		cmocka_unit_test(
		    a_token_that_would_break_the_header_is_refused),
		cmocka_unit_test(an_easy_handle_has_the_token_in_its_headers),
		cmocka_unit_test(
		    a_manager_that_was_never_there_is_an_error_at_once),
		cmocka_unit_test(a_patient_client_waits_for_its_time),
		cmocka_unit_test(all_managers_are_asked_and_all_urls_checked),
		cmocka_unit_test(
		    a_machine_that_is_gone_is_passed_over_in_a_moment),
	};

	return FR_UNIT_MAIN(tests);
}
