/* SPDX-License-Identifier: MIT */
#ifndef FR_IP_H
#define FR_IP_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * Whether an address is one of the public internet: not this machine, not a
 * private or shared network, not link-local, multicast, reserved or for
 * documentation (RFC 6890), and not one of those dressed up as IPv6 (mapped,
 * compatible, NAT64, 6to4). Families other than IP are not public.
 */
bool fr_ip_public(const struct sockaddr *sa);

/* The address as text ("10.0.0.1", "fe80::1") into dst; "?" for another
 * family. */
#define FR_IP_TEXT 64
void fr_ip_text(char dst[FR_IP_TEXT], const struct sockaddr *sa);

#endif
