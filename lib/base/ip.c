/* SPDX-License-Identifier: MIT */
/*
 * Two tables of networks. IPv4: all is public that is not in the table. IPv6:
 * nothing is public but 2000::/3 without the table's parts; an address that
 * carries an IPv4 one is as public as that one.
 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct net4 {
	uint32_t net;
	unsigned bits;
};
static const struct net4 special4[] = {
	{ 0x00000000, 8 },  /* 0.0.0.0/8 this network */
	{ 0x0a000000, 8 },  /* 10.0.0.0/8 private */
	{ 0x64400000, 10 }, /* 100.64.0.0/10 shared, behind carriers' NAT */
	{ 0x7f000000, 8 },  /* 127.0.0.0/8 loopback */
	{ 0xa9fe0000, 16 }, /* 169.254.0.0/16 link-local, cloud metadata */
	{ 0xac100000, 12 }, /* 172.16.0.0/12 private */
	{ 0xc0000000, 24 }, /* 192.0.0.0/24 protocol assignments */
	{ 0xc0000200, 24 }, /* 192.0.2.0/24 documentation */
	{ 0xc0586300, 24 }, /* 192.88.99.0/24 6to4 relays */
	{ 0xc0a80000, 16 }, /* 192.168.0.0/16 private */
	{ 0xc6120000, 15 }, /* 198.18.0.0/15 benchmarks */
	{ 0xc6336400, 24 }, /* 198.51.100.0/24 documentation */
	{ 0xcb007100, 24 }, /* 203.0.113.0/24 documentation */
	{ 0xe0000000, 4 },  /* 224.0.0.0/4 multicast */
	{ 0xf0000000, 4 },  /* 240.0.0.0/4 reserved, broadcast */
};

struct net6 {
	unsigned char net[16];
	unsigned bits;
};
static const struct net6 special6[] = {
	{ { 0x20, 0x01, 0x00 }, 23 },       /* 2001::/23 Teredo, ORCHID ... */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* 2001:db8::/32 documentation */
	{ { 0x3f, 0xff, 0x00 }, 20 },       /* 3fff::/20 documentation */
};

/* IPv6 networks whose addresses carry an IPv4 one, and at which byte. */
struct carrier {
	struct net6 net;
	size_t at;
};
static const struct carrier carriers[] = {
	{ { { 0 }, 96 }, 12 }, /* ::a.b.c.d, :: and ::1 too */
	{ { { [10] = 0xff, [11] = 0xff }, 96 }, 12 }, /* mapped */
	{ { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 },   /* NAT64 */
	{ { { 0x20, 0x02 }, 16 }, 2 },                /* 6to4 */
};

static bool
public4(uint32_t addr)
{
	size_t i;

	for (i = 0; i < sizeof(special4) / sizeof(special4[0]); i++)
		if ((addr ^ special4[i].net) >> (32 - special4[i].bits) == 0)
			return false;
	return true;
}

static bool
in6(const unsigned char addr[16], const struct net6 *n)
{
	const size_t whole = n->bits / 8;
	const unsigned rest = n->bits % 8;

	if (memcmp(addr, n->net, whole) != 0)
		return false;
	return rest == 0 || (addr[whole] ^ n->net[whole]) >> (8 - rest) == 0;
}

static bool
public6(const unsigned char addr[16])
{
	uint32_t v4;
	size_t i;

	for (i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++) {
		if (!in6(addr, &carriers[i].net))
			continue;
		memcpy(&v4, addr + carriers[i].at, sizeof(v4));
		return public4(ntohl(v4));
	}
	for (i = 0; i < sizeof(special6) / sizeof(special6[0]); i++)
		if (in6(addr, &special6[i]))
			return false;
	return addr[0] >> 5 == 1;
}

bool
fr_ip_public(const struct sockaddr *sa)
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;

	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&in4, sa, sizeof(in4));
		return public4(ntohl(in4.sin_addr.s_addr));
	case AF_INET6:
		memcpy(&in6, sa, sizeof(in6));
		return public6(in6.sin6_addr.s6_addr);
	default:
		return false;
	}
}

void
fr_ip_text(char dst[FR_IP_TEXT], const struct sockaddr *sa)
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
	const char *text = NULL;

	if (sa->sa_family == AF_INET) {
		memcpy(&in4, sa, sizeof(in4));
		text = inet_ntop(AF_INET, &in4.sin_addr, dst, FR_IP_TEXT);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		text = inet_ntop(AF_INET6, &in6.sin6_addr, dst, FR_IP_TEXT);
	}
	if (text == NULL)
		memcpy(dst, "?", 2);
}
