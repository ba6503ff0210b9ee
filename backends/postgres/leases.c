/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <stdlib.h>

/*
 * The running jobs are found by the table leases, which has a row for each
 * batch: jobs that were leased together, for one worker. The jobs' own rows
 * say what is true; a row of leases only says where to look, and from when on:
 *
 * - A running job is among the ids of the row that its batch names. The row is
 *   written by the transaction that makes the job running, so that who sees
 *   the one sees the other; and no job comes to a batch later.
 * - until_ms of the row is not after the end of the lease of a running job of
 *   it. A renewal moves the job's end only, and until_ms if that is later.
 *
 * So a row can go once none of its jobs runs, whoever sees it. The handle that
 * gave the leases counts the ends that it hears of, and takes the row away
 * with the last one; it counts nothing that was rolled back, or of which it
 * does not know whether it was committed. Then, and where jobs are cancelled,
 * or end through another manager, the row stays until it is due: it then is
 * removed, or moved to the earliest end of what still runs (LEASES_TIDY).
 *
 * Nobody waits for a row of leases: what is locked is being moved or removed,
 * and is left alone. A renewal that shortens a lease could so be missed by
 * whoever moves the row at that moment; therefore a row is moved by 5 s at
 * most, and then looked at again.
 */

#define BATCHES_KEPT 65536 /* more than one handle has under way */

struct fr_pg_batch {
	struct fr_pg_batch *next; /* touched */
	int64_t number;
	uint32_t left;   /* run, by what is committed */
	uint32_t came;   /* in this transaction */
	uint32_t ending; /* in this transaction */
	bool listed;     /* touched */
	bool fresh;      /* its row is of this transaction */
};

static struct fr_span
key_of(const int64_t *number)
{
	return (struct fr_span){ (const char *)number, sizeof(*number) };
}

static void
touch(struct fr_pg *s, struct fr_pg_batch *b)
{
	if (b->listed)
		return;
	b->listed = true;
	b->next = s->touched;
	s->touched = b;
}

static struct fr_pg_batch *
find(struct fr_pg *s, int64_t number)
{
	if (s->batch == NULL || s->batch->number != number)
		s->batch = fr_map_get(s->batches, key_of(&number));
	return s->batch;
}

static void
forget(struct fr_pg *s, struct fr_pg_batch *b)
{
	if (s->batch == b)
		s->batch = NULL;
	(void)fr_map_del(s->batches, key_of(&b->number));
	free(b);
}

/* Without memory the row is not counted, and stays until it is due. */
void
fr_pg_batch_leased(struct fr_pg *s, int64_t number)
{
	struct fr_pg_batch *b = find(s, number);

	if (b == NULL) {
		b = calloc(1, sizeof(*b));
		if (b == NULL)
			return;
		b->number = number;
		b->fresh = true;
		if (!fr_map_put(s->batches, key_of(&number), b)) {
			free(b);
			return;
		}
		s->batch = b;
	}
	b->came++;
	touch(s, b);
}

void
fr_pg_batch_ended(struct fr_pg *s, int64_t number)
{
	struct fr_pg_batch *b = find(s, number);

	if (b == NULL)
		return;
	b->ending++;
	touch(s, b);
}

void
fr_pg_batch_send(struct fr_pg *s)
{
	const struct fr_pg_batch *b;
	struct fr_pg_args a;

	fr_pg_col_open(s, 0, FR_PG_INT8);
	for (b = s->touched; b != NULL; b = b->next)
		if (b->left + b->came == b->ending)
			fr_pg_col_i64(s, 0, b->number);
	if (s->col[0].n > 0 && fr_pg_cols(s, 1, &a))
		(void)fr_pg_send(s, FR_PG_LEASES_END, &a);
}

void
fr_pg_batch_settle(struct fr_pg *s, bool committed)
{
	struct fr_pg_batch *b, *next;

	for (b = s->touched; b != NULL; b = next) {
		next = b->next;
		if (committed)
			b->left += b->came - b->ending;
		if (b->fresh ? !committed || b->left == 0 : b->left == 0) {
			forget(s, b);
			continue;
		}
		b->next = NULL;
		b->came = b->ending = 0;
		b->listed = b->fresh = false;
	}
	s->touched = NULL;
	if (fr_map_count(s->batches) > BATCHES_KEPT)
		fr_pg_batch_fini(s);
}

void
fr_pg_batch_fini(struct fr_pg *s)
{
	struct fr_span key;
	size_t pos = 0;
	void *b;

	while (s->batches != NULL && fr_map_next(s->batches, &pos, &key, &b)) {
		(void)fr_map_del(s->batches, key);
		free(b);
	}
	s->touched = s->batch = NULL;
}
