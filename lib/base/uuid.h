/* SPDX-License-Identifier: MIT */
#ifndef FR_UUID_H
#define FR_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include <fr/job.h>

#include "base/rand.h"

/* Makes version 7 UUIDs (RFC 9562) that only grow, also within one ms. */
struct fr_uuid_gen {
	int64_t last_ms;
	uint64_t counter; /* of the 74 random bits, the upper 42 */
};

/* The next id at this time; larger than all that g has made before. */
struct fr_uuid fr_uuid_new(
    struct fr_uuid_gen *g, int64_t wall_ms, struct fr_rand *r);

/* 8-4-4-4-12 hex digits of either case; false otherwise. */
bool fr_uuid_parse(struct fr_span text, struct fr_uuid *id);
void fr_uuid_format(char dst[FR_UUID_TEXT], const struct fr_uuid *id);
/* -1, 0, 1 as bytes. */
int fr_uuid_cmp(const struct fr_uuid *a, const struct fr_uuid *b);
static inline bool
fr_uuid_eq(const struct fr_uuid *a, const struct fr_uuid *b)
{
	return fr_uuid_cmp(a, b) == 0;
}

/*
 * The beginning of an id as people type it (4 to 36 characters, hyphens
 * where they belong or nowhere) as lower-case hex without hyphens; false if
 * it cannot be one.
 */
bool fr_uuid_prefix(struct fr_span text, char hex[33]);

/* 32 hex digits; false otherwise. */
bool fr_token_parse(struct fr_span text, struct fr_token *t);
void fr_token_format(char dst[FR_TOKEN_TEXT], const struct fr_token *t);
bool fr_token_eq(const struct fr_token *a, const struct fr_token *b);
bool fr_token_zero(const struct fr_token *t);

#endif
