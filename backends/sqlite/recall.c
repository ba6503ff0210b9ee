/* SPDX-License-Identifier: MIT */
#include "sq.h"

#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"

/*
 * What was leased last is what is reported next: where it stands is
 * remembered, so that its end is one statement that looks for nothing. It is
 * a hint only: whoever follows it asks for the lease in the row, and a token
 * is never given twice. So nothing is forgotten when a transaction is lost.
 */

#define PLACES 16384 /* a power of two */

static struct fr_sq_recall *
place_of(const struct fr_sq *q, const struct fr_token *token)
{
	uint32_t n;

	memcpy(&n, token->b, sizeof(n));
	return &q->recall[n % PLACES];
}

void
fr_sq_recall_put(struct fr_sq *q, const struct fr_sq_recall *r)
{
	if (q->recall == NULL)
		q->recall = calloc(PLACES, sizeof(*q->recall));
	if (q->recall != NULL)
		*place_of(q, &r->token) = *r;
}

const struct fr_sq_recall *
fr_sq_recall_get(const struct fr_sq *q, const struct fr_uuid *id,
    const struct fr_token *token)
{
	const struct fr_sq_recall *r;

	if (q->recall == NULL || fr_token_zero(token))
		return NULL;
	r = place_of(q, token);
	return fr_token_eq(&r->token, token) &&
		       memcmp(&r->id, id, sizeof(*id)) == 0
		   ? r
		   : NULL;
}
