/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "backends/registry.h"
#include "base/rand.h"
#include "base/time.h"

/* The queue against a plain array that is searched from end to end. */
#define JOBS 400
#define TYPES 5
#define STEPS 20000
#define BATCH 12

/* Sanitizers have memory of their own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PLAIN
#endif

struct model {
	bool there;
	int type;
	int32_t priority;
	int64_t seq;
};

static const char *const names[TYPES] = { "a", "b", "c.d", "E", "f-1" };

static struct fr_queue *
open_queue(const char *url)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_queue *q = NULL;

	if (fr_registry_queue(&q, url, &err) != FR_OK)
		fail_msg("%s", err.msg);
	return q;
}

static struct fr_uuid
id_of(unsigned i)
{
	struct fr_uuid id = { { 0 } };

	memcpy(id.b, &i, sizeof(i));
	return id;
}

static unsigned
number_of(const struct fr_uuid *id)
{
	unsigned i;

	memcpy(&i, id->b, sizeof(i));
	return i;
}

static struct fr_ticket
ticket_of(const struct model *m, unsigned i)
{
	return (struct fr_ticket){ .id = id_of(i),
		.type = names[m[i].type],
		.priority = m[i].priority };
}

static int
best(const struct model *m, unsigned types)
{
	int b = -1, i;

	for (i = 0; i < JOBS; i++) {
		if (!m[i].there || !(types >> m[i].type & 1))
			continue;
		if (b == -1 || m[i].priority > m[b].priority ||
		    (m[i].priority == m[b].priority && m[i].seq < m[b].seq))
			b = i;
	}
	return b;
}

static int64_t
place_of(const struct model *m, unsigned j)
{
	int64_t n = 0;
	int i;

	for (i = 0; i < JOBS; i++)
		n += m[i].there && m[i].type == m[j].type &&
		     (m[i].priority > m[j].priority ||
			 (m[i].priority == m[j].priority &&
			     m[i].seq < m[j].seq));
	return n;
}

static size_t
pick_batch(struct model *m, struct fr_rand *r, struct fr_ticket *t,
    unsigned *which, bool fresh)
{
	size_t n = fr_rand_below(r, BATCH), i, k;

	for (i = 0; i < n; i++) {
		which[i] = (unsigned)fr_rand_below(r, JOBS);
		for (k = 0; which[k] != which[i]; k++)
			;
		if (fresh && k == i && !m[which[i]].there) {
			m[which[i]].type = (int)fr_rand_below(r, TYPES);
			m[which[i]].priority = (int32_t)fr_rand_below(r, 9) - 4;
		}
		t[i] = ticket_of(m, which[i]);
	}
	return n;
}

static void
check_pop(struct fr_queue *q, struct model *m, struct fr_rand *r, bool ordered)
{
	unsigned mask = (unsigned)fr_rand_below(r, 1 << TYPES);
	struct fr_ticket t[BATCH];
	const char *asked[TYPES + 1];
	size_t n = fr_rand_below(r, BATCH), got = n, k = 0, i;
	unsigned j;

	for (i = 0; i < TYPES; i++)
		if (mask >> i & 1)
			asked[k++] = names[i];
	if (k > 0)
		asked[k++] = asked[0]; /* twice is as good as once */
	assert_int_equal(q->ops->pop(q, asked, k, t, &got, NULL), FR_OK);
	for (i = 0; i < got; i++) {
		j = number_of(&t[i].id);
		if (ordered)
			assert_int_equal(j, best(m, mask));
		assert_true(j < JOBS && m[j].there && mask >> m[j].type & 1);
		assert_string_equal(t[i].type, names[m[j].type]);
		assert_int_equal(t[i].priority, m[j].priority);
		m[j].there = false;
	}
	if (got < n)
		assert_int_equal(best(m, mask), -1);
}

static void
check_counts(struct fr_queue *q, const struct model *m, bool ordered)
{
	int64_t want[TYPES] = { 0 }, all = 0, n;
	struct fr_ticket t;
	unsigned i;

	for (i = 0; i < JOBS; i++)
		if (m[i].there)
			want[m[i].type]++, all++;
	assert_int_equal(q->ops->length(q, NULL, &n, NULL), FR_OK);
	assert_int_equal(n, all);
	for (i = 0; i < TYPES; i++) {
		assert_int_equal(q->ops->length(q, names[i], &n, NULL), FR_OK);
		assert_int_equal(n, want[i]);
	}
	for (i = 0; ordered && i < JOBS; i += 13) {
		t = ticket_of(m, i);
		if (!m[i].there) {
			assert_int_equal(
			    q->ops->place(q, &t, &n, NULL), FR_NOTFOUND);
			continue;
		}
		assert_int_equal(q->ops->place(q, &t, &n, NULL), FR_OK);
		assert_int_equal(n, place_of(m, i));
	}
}

static void
step(struct fr_queue *q, struct model *m, struct fr_rand *r, bool ordered,
    int64_t *last, int64_t *first)
{
	struct fr_ticket t[BATCH];
	unsigned which[BATCH];
	size_t n, i;

	switch (fr_rand_below(r, 6)) {
	case 0:
	case 1:
		n = pick_batch(m, r, t, which, true);
		assert_int_equal(q->ops->push(q, t, n, NULL), FR_OK);
		for (i = 0; i < n; i++) {
			if (!m[which[i]].there)
				m[which[i]].seq = ++*last;
			m[which[i]].there = true;
		}
		break;
	case 2:
		n = pick_batch(m, r, t, which, true);
		assert_int_equal(q->ops->requeue(q, t, n, NULL), FR_OK);
		for (i = n; i-- > 0;) {
			m[which[i]].there = true;
			m[which[i]].seq = --*first;
		}
		break;
	case 3:
		n = pick_batch(m, r, t, which, false);
		assert_int_equal(q->ops->remove(q, t, n, NULL), FR_OK);
		for (i = 0; i < n; i++)
			m[which[i]].there = false;
		break;
	default:
		check_pop(q, m, r, ordered);
		break;
	}
	if (fr_rand_below(r, 2000) == 0) {
		assert_int_equal(q->ops->empty(q, NULL), FR_OK);
		for (i = 0; i < JOBS; i++)
			m[i].there = false;
	}
}

static void
walk(const char *url, bool ordered)
{
	struct model m[JOBS] = { { 0 } };
	struct fr_queue *q = open_queue(url);
	int64_t last = 0, first = 0;
	struct fr_rand r;
	int i;

	fr_rand_seed(&r, 20261124);
	for (i = 0; i < STEPS; i++) {
		step(q, m, &r, ordered, &last, &first);
		if (i % 50 == 0)
			check_counts(q, m, ordered);
	}
	q->ops->close(q);
}

static void
fifo_does_what_a_plain_array_does(void **state)
{
	(void)state;
	walk("memory:fifo", true);
}

static void
random_hands_out_each_job_once(void **state)
{
	(void)state;
	walk("memory:random", false);
}

static void
weighted_hands_out_each_job_once(void **state)
{
	(void)state;
	walk("memory:weighted", false);
}

static void
memory_kib(long *all, long *resident)
{
	FILE *f = fopen("/proc/self/statm", "r");
	const long page = sysconf(_SC_PAGESIZE) / 1024;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", all, resident), 2);
	(void)fclose(f);
	*all *= page;
	*resident *= page;
}

static long
resident_kib(void)
{
	long all, resident;

	memory_kib(&all, &resident);
	return resident;
}

#define MANY 400000U

static void
fill_and_drain(struct fr_queue *q, unsigned n, long *full_kib)
{
	const char *type = "a";
	struct fr_ticket t[100];
	struct model m = { .type = 0 };
	unsigned i, k;
	size_t got;

	for (i = 0; i < n; i += 100) {
		for (k = 0; k < 100; k++) {
			t[k] = ticket_of(&m, 0);
			t[k].id = id_of(i + k);
			t[k].priority = (int32_t)k % 3;
		}
		assert_int_equal(q->ops->push(q, t, 100, NULL), FR_OK);
	}
	*full_kib = resident_kib();
	for (i = 0; i < n; i += 100) {
		got = 100;
		assert_int_equal(
		    q->ops->pop(q, &type, 1, t, &got, NULL), FR_OK);
		assert_int_equal(got, 100);
	}
}

static void
takes_little_memory_and_gives_it_back(const char *url)
{
	struct fr_queue *q = open_queue(url);
	long before = resident_kib(), full, after;

	fill_and_drain(q, MANY, &full);
	after = resident_kib();
	print_message("# %s: %.1f bytes a job, %ld KiB left\n", url,
	    (double)(full - before) * 1024 / MANY, after - before);
#ifdef PLAIN
	assert_true((full - before) * 1024 <= (long)MANY * 48);
	assert_true(after - before < 4096);
#endif
	q->ops->close(q);
}

static void
fifo_takes_little_memory_and_gives_it_back(void **state)
{
	(void)state;
	takes_little_memory_and_gives_it_back("memory:fifo");
}

static void
weighted_takes_little_memory_and_gives_it_back(void **state)
{
	(void)state;
	takes_little_memory_and_gives_it_back("memory:weighted");
}

#ifdef PLAIN
/* A batch for which there is no memory leaves nothing behind. */
static void
without_memory_a_batch_is_refused_whole(const char *url)
{
	struct fr_queue *q = open_queue(url);
	struct rlimit was, now;
	const char *type = "a";
	struct fr_ticket t[100];
	struct model m = { .type = 0 };
	int64_t there = 0, n;
	long all, resident;
	enum fr_rc rc;
	unsigned i;
	size_t got;

	assert_int_equal(getrlimit(RLIMIT_AS, &was), 0);
	now = was;
	memory_kib(&all, &resident);
	now.rlim_cur = (rlim_t)(all + 20 * 1024) * 1024;
	assert_int_equal(setrlimit(RLIMIT_AS, &now), 0);
	do {
		for (i = 0; i < 100; i++) {
			t[i] = ticket_of(&m, 0);
			t[i].id = id_of((unsigned)there + i);
			t[i].priority = (int32_t)i % 3;
		}
		rc = q->ops->push(q, t, 100, NULL);
		there += rc == FR_OK ? 100 : 0;
	} while (rc == FR_OK && there < 10000000);
	assert_int_equal(setrlimit(RLIMIT_AS, &was), 0);
	assert_int_equal(rc, FR_NOMEM);
	assert_int_equal(q->ops->length(q, NULL, &n, NULL), FR_OK);
	assert_int_equal(n, there);
	assert_true(there > 100000);
	for (; n > 0; n -= 100) {
		got = 100;
		assert_int_equal(
		    q->ops->pop(q, &type, 1, t, &got, NULL), FR_OK);
		assert_int_equal(got, 100);
		for (i = 0; i < 100; i++)
			assert_true(number_of(&t[i].id) < (unsigned)there);
	}
	assert_int_equal(q->ops->length(q, NULL, &n, NULL), FR_OK);
	assert_int_equal(n, 0);
	q->ops->close(q);
}

static void
without_memory_fifo_refuses_a_batch_whole(void **state)
{
	(void)state;
	without_memory_a_batch_is_refused_whole("memory:fifo");
}

static void
without_memory_weighted_refuses_a_batch_whole(void **state)
{
	(void)state;
	without_memory_a_batch_is_refused_whole("memory:weighted");
}
#define MEMORY_TESTS                                                           \
	cmocka_unit_test(without_memory_fifo_refuses_a_batch_whole),           \
	    cmocka_unit_test(without_memory_weighted_refuses_a_batch_whole),
#else
#define MEMORY_TESTS
#endif

/* Names that come and go must not stay. */
static void
many_types_can_come_and_go(void **state)
{
	struct fr_queue *q = open_queue("memory:weighted");
	struct fr_ticket t = { .priority = 1 };
	char name[16];
	const char *type = name;
	size_t n;
	int i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		(void)snprintf(name, sizeof(name), "t%d", i);
		t.id = id_of((unsigned)i);
		t.type = name;
		assert_int_equal(q->ops->push(q, &t, 1, NULL), FR_OK);
		n = 1;
		assert_int_equal(q->ops->pop(q, &type, 1, &t, &n, NULL), FR_OK);
		assert_int_equal(n, 1);
	}
	q->ops->close(q);
}

static void
place_says_when_it_is_too_far_back(void **state)
{
	struct fr_queue *q = open_queue("memory:fifo");
	struct fr_ticket t = { .type = "a" };
	int64_t ahead = -1;
	unsigned i;

	(void)state;
	for (i = 0; i < 10002; i++) {
		t.id = id_of(i);
		assert_int_equal(q->ops->push(q, &t, 1, NULL), FR_OK);
	}
	assert_int_equal(q->ops->place(q, &t, &ahead, NULL), FR_TOOBIG);
	assert_int_equal(ahead, 10000);
	t.id = id_of(9999);
	assert_int_equal(q->ops->place(q, &t, &ahead, NULL), FR_OK);
	assert_int_equal(ahead, 9999);
	q->ops->close(q);
}

static void
unknown_orders_and_options_are_refused(void **state)
{
	static const char *const bad[] = { "memory:lifo", "memory:fifo?weigh=x",
		"memory:random?x=1",
		"memory:weighted?weigh=", "memory:weighted?weigh=%zz",
		"memory:weighted?", "memory:?" };
	struct fr_err err = FR_ERR_INIT;
	struct fr_queue *q = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]) - 2; i++) {
		assert_int_equal(fr_registry_queue(&q, bad[i], &err), FR_USAGE);
		assert_null(q);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fifo_does_what_a_plain_array_does),
		cmocka_unit_test(random_hands_out_each_job_once),
		cmocka_unit_test(weighted_hands_out_each_job_once),
		cmocka_unit_test(fifo_takes_little_memory_and_gives_it_back),
		cmocka_unit_test(
		    weighted_takes_little_memory_and_gives_it_back),
		MEMORY_TESTS cmocka_unit_test(many_types_can_come_and_go),
		cmocka_unit_test(place_says_when_it_is_too_far_back),
		cmocka_unit_test(unknown_orders_and_options_are_refused),
	};

	return FR_UNIT_MAIN(tests);
}
