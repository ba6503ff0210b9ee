/* SPDX-License-Identifier: MIT */
#include "base/uuid.h"

#include <string.h>

#include "base/str.h"

/*
 * RFC 9562, section 6.2, method 1: of the 74 bits that follow the time, the
 * upper 42 are a counter that starts at a random number below half of its
 * range in each millisecond, and the lower 32 are random. A clock that goes
 * back, and a counter that overflows, count on from the last time.
 */

#define COUNTER_BITS 42

struct fr_uuid
fr_uuid_new(struct fr_uuid_gen *g, int64_t wall_ms, struct fr_rand *r)
{
	const uint64_t x = fr_rand_u64(r);
	struct fr_uuid id;
	uint64_t ms;
	bool fresh = wall_ms > g->last_ms;
	int i;

	if (!fresh && ++g->counter >> COUNTER_BITS != 0) {
		fresh = true;
		wall_ms = g->last_ms + 1;
	}
	if (fresh) {
		g->last_ms = wall_ms;
		g->counter = fr_rand_u64(r) >> (64 - COUNTER_BITS + 1);
	}
	ms = (uint64_t)g->last_ms;
	for (i = 0; i < 6; i++)
		id.b[i] = (unsigned char)(ms >> (40 - 8 * i));
	id.b[6] = (unsigned char)(0x70 | g->counter >> 38);
	id.b[7] = (unsigned char)(g->counter >> 30);
	id.b[8] = (unsigned char)(0x80 | (g->counter >> 24 & 0x3f));
	id.b[9] = (unsigned char)(g->counter >> 16);
	id.b[10] = (unsigned char)(g->counter >> 8);
	id.b[11] = (unsigned char)g->counter;
	for (i = 0; i < 4; i++)
		id.b[12 + i] = (unsigned char)(x >> 8 * i);
	return id;
}

static bool
hyphen_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool
fr_uuid_parse(struct fr_span text, struct fr_uuid *id)
{
	char hex[33];
	struct fr_uuid u;

	if (text.len != FR_UUID_TEXT - 1 || !fr_uuid_prefix(text, hex) ||
	    !fr_hex_decode(u.b, sizeof(u.b), (struct fr_span){ hex, 32 }))
		return false;
	*id = u;
	return true;
}

void
fr_uuid_format(char dst[FR_UUID_TEXT], const struct fr_uuid *id)
{
	char hex[32];
	size_t i, n = 0;

	fr_hex_encode(hex, id->b, sizeof(id->b));
	for (i = 0; i < sizeof(hex); i++) {
		if (hyphen_at(n))
			dst[n++] = '-';
		dst[n++] = hex[i];
	}
	dst[n] = '\0';
}

int
fr_uuid_cmp(const struct fr_uuid *a, const struct fr_uuid *b)
{
	const int c = memcmp(a->b, b->b, sizeof(a->b));

	return (c > 0) - (c < 0);
}

bool
fr_uuid_prefix(struct fr_span text, char hex[33])
{
	const bool hyphens =
	    text.len > 8 && memchr(text.p, '-', text.len) != NULL;
	size_t i, n = 0;
	char c;

	if (text.len < 4 || text.len > (hyphens ? FR_UUID_TEXT - 1U : 32U))
		return false;
	for (i = 0; i < text.len; i++) {
		c = text.p[i];
		if (hyphens && hyphen_at(i)) {
			if (c != '-')
				return false;
			continue;
		}
		if (c >= 'A' && c <= 'F')
			c = (char)(c | 0x20);
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		hex[n++] = c;
	}
	hex[n] = '\0';
	return true;
}

bool
fr_token_parse(struct fr_span text, struct fr_token *t)
{
	return fr_hex_decode(t->b, sizeof(t->b), text);
}

void
fr_token_format(char dst[FR_TOKEN_TEXT], const struct fr_token *t)
{
	fr_hex_encode(dst, t->b, sizeof(t->b));
	dst[FR_TOKEN_TEXT - 1] = '\0';
}

bool
fr_token_eq(const struct fr_token *a, const struct fr_token *b)
{
	return fr_const_eq(a->b, b->b, sizeof(a->b));
}

bool
fr_token_zero(const struct fr_token *t)
{
	static const struct fr_token none;

	return memcmp(t->b, none.b, sizeof(t->b)) == 0;
}
