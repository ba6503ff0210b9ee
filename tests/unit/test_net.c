/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/net.h"
#include "tests/unit/unit.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static char dir[64], addr[128];

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/fr-net.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(addr, sizeof(addr), "unix:%s/sock", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	(void)unlink(addr + 5);
	return rmdir(dir);
}

static void
port_zero_takes_a_free_one_and_says_which(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_listen l, second;
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	char want[64];

	(void)state;
	assert_int_equal(fr_net_listen("127.0.0.1:0", 5, &l, &err), FR_OK);
	assert_int_equal(getsockname(l.fd, (struct sockaddr *)&in, &len), 0);
	snprintf(
	    want, sizeof(want), "http://127.0.0.1:%d", (int)ntohs(in.sin_port));
	assert_string_equal(l.url, want);
	assert_true(l.loopback);
	assert_true((fcntl(l.fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(l.fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(
	    fr_net_listen(l.url + 7, 5, &second, &err), FR_CONFLICT);
	assert_int_equal(second.fd, -1);
	assert_non_null(strstr(err.msg, l.url + 7));
	close(l.fd);
}

static void
addresses_are_numeric_or_localhost(void **state)
{
	static const char *const bad[] = { "", ":", "x", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
		"127.0.0.1:80x", "127.1:80", "example.org:80", "::1:80",
		"[::1:80", "[::1]", "[127.0.0.1]:80", "[]:80", ":80",
		"http://127.0.0.1:0", "unix:" };
	struct fr_err err = FR_ERR_INIT;
	struct fr_listen l;
	char lng[256];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++)
		if (fr_net_listen(bad[i], 5, &l, &err) != FR_USAGE)
			fail_msg("accepted: %s", bad[i]);
	memset(lng, 'x', sizeof(lng));
	memcpy(lng, "unix:/", 6);
	lng[sizeof(lng) - 1] = '\0';
	assert_int_equal(fr_net_listen(lng, 5, &l, &err), FR_USAGE);
	assert_int_equal(fr_net_listen("localhost:0", 5, &l, &err), FR_OK);
	assert_true(l.loopback);
	close(l.fd);
	assert_int_equal(fr_net_listen("0", 5, &l, &err), FR_OK);
	assert_true(l.loopback);
	close(l.fd);
	assert_int_equal(fr_net_listen("0.0.0.0:0", 5, &l, &err), FR_OK);
	assert_false(l.loopback);
	close(l.fd);
	if (fr_net_listen("[::1]:0", 5, &l, &err) == FR_OK) {
		assert_true(l.loopback);
		assert_memory_equal(l.url, "http://[::1]:", 13);
		close(l.fd);
	}
}

static void
a_unix_socket_is_private_and_replaces_a_dead_one(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_listen l, second;
	struct stat st;
	const mode_t mask = umask(0);

	(void)state;
	assert_int_equal(fr_net_listen(addr, 5, &l, &err), FR_OK);
	umask(mask);
	assert_string_equal(l.url, addr);
	assert_true(l.loopback);
	assert_int_equal(stat(addr + 5, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Alive: nobody may take its place. */
	assert_int_equal(fr_net_listen(addr, 5, &second, &err), FR_CONFLICT);
	assert_int_equal(stat(addr + 5, &st), 0);
	close(l.fd);
	assert_int_equal(fr_net_listen(addr, 5, &l, &err), FR_OK);
	close(l.fd);
}

static void
a_file_is_not_taken_for_a_socket(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_listen l;
	struct stat st;

	(void)state;
	assert_int_equal(fr_io_replace(addr + 5, "x", 1, &err), FR_OK);
	assert_int_equal(fr_net_listen(addr, 5, &l, &err), FR_CONFLICT);
	assert_int_equal(stat(addr + 5, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(
	    fr_net_listen("unix:/nowhere/x", 5, &l, &err), FR_NOTFOUND);
}

static void
a_listening_socket_is_taken_over(void **state)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_listen l, again;
	int p[2], fd;

	(void)state;
	assert_int_equal(fr_net_listen("127.0.0.1:0", 5, &l, &err), FR_OK);
	fd = dup(l.fd);
	assert_int_equal(fr_net_adopt(fd, &again, &err), FR_OK);
	assert_string_equal(again.url, l.url);
	assert_true(again.loopback);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
	close(l.fd);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fr_net_adopt(p[0], &again, &err), FR_INVALID);
	close(p[0]);
	close(p[1]);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(fr_net_adopt(fd, &again, &err), FR_INVALID);
	close(fd);
	assert_int_equal(fr_net_adopt(fd, &again, &err), FR_INVALID);
}

static void
the_service_manager_is_told(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char got[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	(void)state;
	strcpy(un.sun_path, addr + 5);
	assert_int_equal(bind(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	fr_net_notify(un.sun_path, "READY=1");
	assert_int_equal(recv(fd, got, sizeof(got), 0), 7);
	assert_string_equal(got, "READY=1");
	/* None of these can do more than nothing. */
	fr_net_notify(NULL, "READY=1");
	fr_net_notify("", "READY=1");
	fr_net_notify("/nowhere/sock", "READY=1");
	fr_net_notify("@forerunner-nobody", "READY=1");
	close(fd);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		T(port_zero_takes_a_free_one_and_says_which),
		T(addresses_are_numeric_or_localhost),
		T(a_unix_socket_is_private_and_replaces_a_dead_one),
		T(a_file_is_not_taken_for_a_socket),
		T(a_listening_socket_is_taken_over),
		T(the_service_manager_is_told),
	};

	return FR_UNIT_MAIN(tests);
}
