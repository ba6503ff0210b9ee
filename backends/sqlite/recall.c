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

#define BUCKETS 4096 /* a power of two */
#define EACH 4       /* the newest first */

static struct fr_sq_recall *
bucket_of(const struct fr_sq *q, const struct fr_token *token)
{
	uint32_t n;

	memcpy(&n, token->b, sizeof(n));
	return &q->recall[(size_t)(n % BUCKETS) * EACH];
}

void
fr_sq_recall_put(struct fr_sq *q, const struct fr_sq_recall *r)
{
	struct fr_sq_recall *b;

	if (q->recall == NULL)
		q->recall = calloc((size_t)BUCKETS * EACH, sizeof(*q->recall));
	if (q->recall == NULL)
		return;
	b = bucket_of(q, &r->token);
	memmove(b + 1, b, (EACH - 1) * sizeof(*b));
	*b = *r;
}

const struct fr_sq_recall *
fr_sq_recall_get(const struct fr_sq *q, const struct fr_uuid *id,
    const struct fr_token *token)
{
	const struct fr_sq_recall *b;
	int i;

	if (q->recall == NULL || fr_token_zero(token))
		return NULL;
	b = bucket_of(q, token);
	for (i = 0; i < EACH; i++)
		if (fr_token_eq(&b[i].token, token))
			return fr_uuid_eq(&b[i].id, id) ? &b[i] : NULL;
	return NULL;
}
