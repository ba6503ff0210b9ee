/* SPDX-License-Identifier: MIT */
#ifndef FR_CHECK_H
#define FR_CHECK_H

#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/rand.h"
#include "base/tap.h"
#include "base/uuid.h"
#include "conform.h"

/*
 * What every check works with. A check that fails leaves by longjmp, so all
 * that it holds is kept here: memory in the arena, handles in the table.
 */
#define FR_CHECK_HANDLES 4

struct fr_check {
	const struct fr_conform *conf;
	struct fr_tap tap;
	struct fr_arena *arena;
	struct fr_rand rand;  /* seeded: what to do */
	struct fr_rand fresh; /* ids and tokens */
	struct fr_uuid_gen gen;
	struct fr_err err;
	char type[24]; /* this check's own types */
	char type2[24];
	int64_t t0; /* a time in 1970 */
	struct fr_store *s;
	struct fr_store *also[FR_CHECK_HANDLES];
	struct fr_queue *q;
	struct fr_queue *also_q[FR_CHECK_HANDLES];
	struct fr_uuid *ids; /* to be removed at the end */
	size_t nids;
	size_t cap;
	struct fr_ticket *tickets; /* the same for a queue */
	size_t ntickets;
	size_t cap_tickets;
	jmp_buf leave; /* 1: failed, 2: skipped */
	char why[1024];
};

enum fr_need {
	FR_NEED_NOTHING = 0,
	FR_NEED_DURABLE = 1,
	FR_NEED_SHARED = 2,
	FR_NEED_PROCESSES = 4, /* durable or shared */
	FR_NEED_FIFO = 8,
	FR_NEED_RANDOM = 16,
	FR_NEED_WEIGHTED = 32
};

struct fr_case {
	const char *name; /* NULL ends a table */
	void (*run)(struct fr_check *c);
	unsigned need;
};

extern const struct fr_case fr_cases_create[], fr_cases_payload[],
    fr_cases_transaction[], fr_cases_lease[], fr_cases_report[], fr_cases_due[],
    fr_cases_edit[], fr_cases_list[], fr_cases_walk[], fr_cases_outbox[],
    fr_cases_model[], fr_cases_two[], fr_cases_crash[], fr_cases_shared[];
extern const struct fr_case fr_cases_queue[], fr_cases_fifo[],
    fr_cases_chance[], fr_cases_sharing[];

_Noreturn void fr_check_fail(struct fr_check *c, const char *file, int line,
    const char *fmt, ...) FR_PRINTF(4, 5);
_Noreturn void fr_check_skip(struct fr_check *c, const char *why);

/* The check fails unless ... */
#define WANT(c, x)                                                             \
	((x) ? (void)0 : fr_check_fail((c), __FILE__, __LINE__, "%s", #x))
#define WANT_INT(c, got, want)                                                 \
	fr_check_int(                                                          \
	    (c), __FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(want))
#define WANT_RC(c, got, want)                                                  \
	fr_check_rc((c), __FILE__, __LINE__, #got, (got), (want))
#define WANT_SPAN(c, got, want)                                                \
	fr_check_span((c), __FILE__, __LINE__, #got, (got), (want))
#define MUST(c, call) WANT_RC((c), (call), FR_OK)

/* Behind the macros; what is the text of the expression. */
/* What the macros above call; got and want are written into the report. */
void fr_check_int(struct fr_check *c, const char *file, int line,
    const char *what, int64_t got, int64_t want);
void fr_check_rc(struct fr_check *c, const char *file, int line,
    const char *what, enum fr_rc got, enum fr_rc want);
void fr_check_span(struct fr_check *c, const char *file, int line,
    const char *what, struct fr_span got, struct fr_span want);

/* Memory of this check, gone at its end; never NULL. */
void *fr_check_alloc(struct fr_check *c, size_t n, size_t each);
struct fr_span fr_check_dup(struct fr_check *c, struct fr_span s);
struct fr_span fr_check_text(struct fr_check *c, const char *fmt, ...)
    FR_PRINTF(2, 3);
struct fr_uuid fr_check_id(struct fr_check *c);
struct fr_token fr_check_token(struct fr_check *c);
/* Another name of a type that nobody uses. */
const char *fr_check_type(struct fr_check *c);

/* Runs the tables; part of it is one of the two below. */
struct fr_suite {
	const struct fr_case *const *tables; /* ends with NULL */
	enum fr_rc (*open)(struct fr_check *c);
	void (*close)(struct fr_check *c);
	bool (*reset)(struct fr_check *c); /* after each; false: give up */
	const char *(*lacks)(struct fr_check *c, unsigned need);
};
enum fr_rc fr_check_run(const struct fr_conform *conf,
    const struct fr_suite *suite, struct fr_err *err);
void fr_check_list(const struct fr_case *const *tables, struct fr_buf *out);

#endif
