/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "base/ip.h"

static bool public(const char *text)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_storage sa;

	memset(&sa, 0, sizeof(sa));
	if (inet_pton(AF_INET, text, &in4.sin_addr) == 1)
		memcpy(&sa, &in4, sizeof(in4));
	else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
		memcpy(&sa, &in6, sizeof(in6));
	else
		fail_msg("%s is no address", text);
	return fr_ip_public((const struct sockaddr *)&sa);
}

static void
addresses_of_the_internet_are_public(void **state)
{
	static const char *const list[] = { "1.1.1.1", "8.8.8.8",
		"9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
		"126.255.255.255", "128.0.0.1", "169.253.255.255",
		"169.255.0.0", "172.15.255.255", "172.32.0.0",
		"192.167.255.255", "192.169.0.0", "198.17.255.255",
		"198.20.0.0", "223.255.255.255", "2000::1", "2600::1",
		"2a00:1450::1", "2001:200::1", "2001:db7::1", "2001:db9::1",
		"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (!public(list[i]))
			fail_msg("%s is public", list[i]);
}

static void
addresses_of_this_machine_and_private_networks_are_not(void **state)
{
	static const char *const list[] = { "0.0.0.0", "0.1.2.3", "10.0.0.0",
		"10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
		"127.255.255.255", "169.254.0.0", "169.254.169.254",
		"172.16.0.0", "172.31.255.255", "192.0.0.1", "192.0.2.1",
		"192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0",
		"198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
		"239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1",
		"::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.1.2.3",
		"64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "100::1", "2001::1",
		"2001:1ff::1", "2001:db8::1", "2002:a00:1::", "3fff::1",
		"4000::1", "fc00::1", "fd12:3456::1", "fe80::1", "febf::1",
		"fec0::1", "ff02::1" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (public(list[i]))
			fail_msg("%s is not public", list[i]);
}

static void
what_is_no_ip_address_is_not_public(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char text[FR_IP_TEXT];

	(void)state;
	assert_false(fr_ip_public((const struct sockaddr *)&un));
	fr_ip_text(text, (const struct sockaddr *)&un);
	assert_string_equal(text, "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_the_internet_are_public),
		cmocka_unit_test(
		    addresses_of_this_machine_and_private_networks_are_not),
		cmocka_unit_test(what_is_no_ip_address_is_not_public),
	};

	return FR_UNIT_MAIN(tests);
}
