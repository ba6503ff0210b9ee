/* SPDX-License-Identifier: MIT */
#include "store_unit.h"

#include <pthread.h>

#include "backends/memory/hash.h"
#include "backends/memory/tree.h"

/* What is the memory store's own: names, threads, and its two containers. */

static void
handles_on_one_name_share_the_jobs(void **state)
{
	struct fixture *f = *state, o = { 0 };

	create_n(f, 1, 1);
	assert_int_equal(fr_registry_store(&o.s, f->url, 0, &o.err), FR_OK);
	assert_non_null(get(&o, 1));
	rows_free(&o);
	o.s->ops->close(o.s);
	assert_int_equal(fr_registry_store(&o.s, "memory:", 0, &o.err), FR_OK);
	assert_null(get(&o, 1));
	o.s->ops->close(o.s);
	/* With the last handle all is gone. */
	store_reopen(f);
	assert_null(get(f, 1));
}

static void
one_thread_cannot_wait_for_itself(void **state)
{
	struct fixture *f = *state, o = { 0 };

	assert_int_equal(fr_registry_store(&o.s, f->url, 0, &o.err), FR_OK);
	begin(f);
	assert_int_equal(o.s->ops->begin(o.s, &o.err), FR_AGAIN);
	commit(f);
	begin(&o);
	/* Closing rolls back. */
	assert_int_equal(create_in(&o,
			     &(struct fr_job){ .id = id_of(1),
				 .type = FR_SPAN("t"),
				 .data = FR_SPAN("1"),
				 .state = FR_STATE_QUEUED },
			     NULL),
	    FR_OK);
	o.s->ops->close(o.s);
	assert_null(get(f, 1));
	create_n(f, 1, 1);
}

struct taker {
	pthread_t thread;
	char *url;
	unsigned n, got;
};

static enum fr_rc
count_row(void *arg, const struct fr_job *job)
{
	struct taker *t = arg;

	(void)job;
	t->got++;
	return FR_OK;
}

/* Tries to lease every job there is, one at a time. */
static void *
take_all(void *arg)
{
	struct taker *t = arg;
	struct fr_grant g = { .worker = FR_SPAN("w"), .until_ms = NOW };
	struct fr_store *s;
	unsigned i;

	if (fr_registry_store(&s, t->url, 0, NULL) != FR_OK)
		return NULL;
	for (i = 0; i < t->n; i++) {
		g.id = id_of(i);
		g.token = token_of(i);
		if (s->ops->begin(s, NULL) != FR_OK ||
		    s->ops->lease(s, &g, 1, count_row, t, NULL) != FR_OK ||
		    s->ops->commit(s, NULL) != FR_OK)
			abort();
	}
	s->ops->close(s);
	return NULL;
}

static void
two_threads_never_get_the_same_job(void **state)
{
	struct fixture *f = *state;
	struct taker t[2] = { { .url = f->url, .n = 2000 },
		{ .url = f->url, .n = 2000 } };
	int i;

	create_n(f, 0, 2000);
	for (i = 0; i < 2; i++)
		assert_int_equal(
		    pthread_create(&t[i].thread, NULL, take_all, &t[i]), 0);
	for (i = 0; i < 2; i++)
		pthread_join(t[i].thread, NULL);
	assert_int_equal(t[0].got + t[1].got, 2000);
	stats(f);
	assert_int_equal(f->n[FR_STATE_RUNNING], 2000);
}

#define NODES 500

static void
the_tree_keeps_its_order(void **state)
{
	static struct fr_mdb_node v[NODES];
	struct fr_mdb_node *root = NULL, *n;
	unsigned seed = 5, i, round, count;
	bool in[NODES] = { false };
	int64_t a, b;

	(void)state;
	for (round = 0; round < 4000; round++) {
		seed = seed * 1103515245U + 12345U;
		i = (seed >> 8) % NODES;
		if (in[i]) {
			fr_mdb_tree_del(&root, &v[i]);
		} else {
			v[i].a = (int64_t)(seed >> 28) - 8;
			v[i].b = i;
			fr_mdb_tree_add(&root, &v[i]);
		}
		in[i] = !in[i];
		if (round % 100 != 0)
			continue;
		a = b = INT64_MIN;
		for (count = 0; (n = fr_mdb_tree_after(root, a, b)) != NULL;
		     count++) {
			assert_true(n->a > a || (n->a == a && n->b > b));
			assert_true(in[n->b]);
			a = n->a;
			b = n->b;
		}
		for (i = 0; i < NODES; i++)
			count -= in[i];
		assert_int_equal(count, 0);
	}
}

static void
the_hash_finds_all_that_share_a_hash(void **state)
{
	static struct fr_mdb_link v[1000];
	struct fr_mdb_hash h = { 0 };
	struct fr_mdb_link *l;
	unsigned i, n;

	(void)state;
	assert_null(fr_mdb_hash_get(&h, 1));
	for (i = 0; i < 1000; i++) {
		v[i].hash = i % 300;
		v[i].owner = &v[i];
		assert_true(fr_mdb_hash_reserve(&h));
		fr_mdb_hash_add(&h, &v[i]);
	}
	for (i = 0; i < 1000; i += 2)
		fr_mdb_hash_del(&h, &v[i]);
	for (i = 0; i < 300; i++) {
		n = 0;
		for (l = fr_mdb_hash_get(&h, i); l != NULL;
		     l = fr_mdb_hash_next(l)) {
			assert_int_equal(l->hash, i);
			n++;
		}
		assert_int_equal(n, i % 2 == 0 ? 0 : i < 100 ? 4 : 3);
	}
	assert_int_not_equal(
	    fr_mdb_hash_of(0, "abc", 3), fr_mdb_hash_of(0, "abc\0", 4));
	free(h.slot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    handles_on_one_name_share_the_jobs, setup_memory, teardown),
		cmocka_unit_test_setup_teardown(
		    one_thread_cannot_wait_for_itself, setup_memory, teardown),
		cmocka_unit_test_setup_teardown(
		    two_threads_never_get_the_same_job, setup_memory, teardown),
		cmocka_unit_test(the_tree_keeps_its_order),
		cmocka_unit_test(the_hash_finds_all_that_share_a_hash),
	};

	return FR_UNIT_MAIN(tests);
}
