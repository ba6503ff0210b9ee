/* SPDX-License-Identifier: MIT */
#include "base/rand.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/assert.h"

/* What has been handed out is wiped, so that no later leak shows it. */
static void
kernel_fill(struct fr_rand *r, void *dst, size_t len)
{
	unsigned char *out = dst, *from;
	size_t n;
	ssize_t got;

	while (len > 0) {
		if (r->left == 0) {
			got = getrandom(r->pool, sizeof(r->pool), 0);
			if (got == -1) {
				fr_assert(errno == EINTR);
				continue;
			}
			/* Filled from the end, so that left counts down. */
			r->left = (size_t)got;
		}
		n = (len < r->left ? len : r->left);
		r->left -= n;
		from = r->pool + r->left;
		memcpy(out, from, n);
		explicit_bzero(from, n);
		out += n;
		len -= n;
	}
}

void
fr_rand_init(struct fr_rand *r)
{
	*r = (struct fr_rand){ .fill = kernel_fill };
}

static uint64_t
rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

/* xoshiro256**, by Blackman and Vigna (public domain algorithm). */
static uint64_t
seeded_next(struct fr_rand *r)
{
	uint64_t *const s = r->s;
	const uint64_t out = rotl(s[1] * 5, 7) * 9;
	const uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

static void
seeded_fill(struct fr_rand *r, void *dst, size_t len)
{
	unsigned char *out = dst;
	uint64_t x;
	size_t i, n;

	while (len > 0) {
		x = seeded_next(r);
		n = (len < sizeof(x) ? len : sizeof(x));
		for (i = 0; i < n; i++)
			*out++ = (unsigned char)(x >> 8 * i);
		len -= n;
	}
}

void
fr_rand_seed(struct fr_rand *r, uint64_t seed)
{
	uint64_t z;
	int i;

	*r = (struct fr_rand){ .fill = seeded_fill };
	for (i = 0; i < 4; i++) { /* splitmix64 */
		z = (seed += 0x9e3779b97f4a7c15);
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		r->s[i] = z ^ z >> 31;
	}
}

void
fr_rand_fill(struct fr_rand *r, void *dst, size_t len)
{
	r->fill(r, dst, len);
}

uint64_t
fr_rand_u64(struct fr_rand *r)
{
	unsigned char b[8];
	uint64_t x = 0;
	size_t i;

	r->fill(r, b, sizeof(b));
	for (i = 0; i < sizeof(b); i++)
		x = x << 8 | b[i];
	return x;
}

uint64_t
fr_rand_below(struct fr_rand *r, uint64_t n)
{
	uint64_t x, least;

	fr_assert(n > 0);
	/* Numbers that would make the low results more likely are redrawn. */
	least = (0 - n) % n;
	do
		x = fr_rand_u64(r);
	while (x < least);
	return x % n;
}

double
fr_rand_unit(struct fr_rand *r)
{
	return (double)(fr_rand_u64(r) >> 11) * 0x1p-53;
}
