/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "base/time.h"

void
fr_check_fail(
    struct fr_check *c, const char *file, int line, const char *fmt, ...)
{
	const char *name = strrchr(file, '/');
	size_t n;
	va_list ap;
	int k;

	k = snprintf(c->why, sizeof(c->why),
	    "%s:%d: ", name != NULL ? name + 1 : file, line);
	n = k > 0 ? (size_t)k : 0;
	va_start(ap, fmt);
	(void)vsnprintf(c->why + n, sizeof(c->why) - n, fmt, ap);
	va_end(ap);
	longjmp(c->leave, 1);
}

void
fr_check_skip(struct fr_check *c, const char *why)
{
	(void)fr_str_copy(c->why, sizeof(c->why), fr_span_of(why));
	longjmp(c->leave, 2);
}

void
fr_check_int(struct fr_check *c, const char *file, int line, const char *what,
    int64_t got, int64_t want)
{
	if (got != want)
		fr_check_fail(c, file, line,
		    "%s is %" PRId64 ", wanted %" PRId64, what, got, want);
}

void
fr_check_rc(struct fr_check *c, const char *file, int line, const char *what,
    enum fr_rc got, enum fr_rc want)
{
	const bool told = got != FR_OK && got == c->err.rc;

	if (got != want)
		fr_check_fail(c, file, line, "%s is %s, wanted %s%s%s", what,
		    fr_rc_name(got), fr_rc_name(want), told ? "\n" : "",
		    told ? c->err.msg : "");
}

/* The beginning of what was got or wanted. */
static int
shown(struct fr_span s)
{
	return s.len > 60 ? 60 : (int)s.len;
}

void
fr_check_span(struct fr_check *c, const char *file, int line, const char *what,
    struct fr_span got, struct fr_span want)
{
	size_t i = 0;

	if (fr_span_eq(got, want))
		return;
	while (i < got.len && i < want.len && got.p[i] == want.p[i])
		i++;
	fr_check_fail(c, file, line,
	    "%s differs at byte %zu: %zu bytes `%.*s`, wanted %zu `%.*s`", what,
	    i, got.len, shown(got), got.len > 0 ? got.p : "", want.len,
	    shown(want), want.len > 0 ? want.p : "");
}

static void *
need_memory(struct fr_check *c, void *p)
{
	if (p == NULL)
		fr_check_fail(c, __FILE__, __LINE__, "out of memory");
	return p;
}

void *
fr_check_alloc(struct fr_check *c, size_t n, size_t each)
{
	return need_memory(c, fr_arena_calloc(c->arena, n, each));
}

struct fr_span
fr_check_dup(struct fr_check *c, struct fr_span s)
{
	const char *p = need_memory(c, fr_arena_dupz(c->arena, s));

	return (struct fr_span){ p, s.len };
}

struct fr_span
fr_check_text(struct fr_check *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return fr_check_dup(c, fr_span_of(text));
}

struct fr_uuid
fr_check_id(struct fr_check *c)
{
	return fr_uuid_new(&c->gen, fr_time_wall_ms(), &c->fresh);
}

struct fr_token
fr_check_token(struct fr_check *c)
{
	struct fr_token t;

	fr_rand_fill(&c->fresh, t.b, sizeof(t.b));
	return t;
}

static void
name_type(struct fr_check *c, char *dst, size_t size)
{
	(void)snprintf(dst, size, "t-%016" PRIx64, fr_rand_u64(&c->fresh));
}

const char *
fr_check_type(struct fr_check *c)
{
	char *p = fr_check_alloc(c, sizeof(c->type), 1);

	name_type(c, p, sizeof(c->type));
	return p;
}

/* Runs one check in a clean state. */
static bool
run_one(
    struct fr_check *c, const struct fr_case *k, const struct fr_suite *suite)
{
	const char *lacks = suite->lacks(c, k->need);
	bool clean;
	int left;

	if (lacks != NULL) {
		fr_tap_skip(&c->tap, k->name, lacks);
		return true;
	}
	name_type(c, c->type, sizeof(c->type));
	name_type(c, c->type2, sizeof(c->type2));
	c->t0 = 1000000 + (int64_t)fr_rand_below(&c->fresh, 1000000000);
	c->why[0] = '\0';
	c->err = (struct fr_err)FR_ERR_INIT;
	c->arena = fr_arena_new(65536);
	if (c->arena == NULL)
		return false;
	left = setjmp(c->leave);
	if (left == 0)
		k->run(c);
	clean = suite->reset(c);
	if (left == 2)
		fr_tap_skip(&c->tap, k->name, c->why);
	else
		fr_tap_ok(&c->tap, left == 0, k->name);
	if (left == 1)
		fr_tap_diag(&c->tap, "%s", c->why);
	fr_arena_free(c->arena);
	c->arena = NULL;
	return clean;
}

static bool
wanted(const struct fr_conform *conf, const struct fr_case *k)
{
	return conf->only == NULL || strstr(k->name, conf->only) != NULL;
}

static enum fr_rc
run_all(struct fr_check *c, const struct fr_suite *suite, struct fr_err *err)
{
	const struct fr_case *const *t;
	const struct fr_case *k;

	for (t = suite->tables; *t != NULL; t++) {
		for (k = *t; k->name != NULL; k++) {
			if (!wanted(c->conf, k))
				continue;
			if (!run_one(c, k, suite)) {
				fr_tap_bail(&c->tap, c->err.msg);
				c->conf->flush(c->tap.out);
				*err = c->err;
				return FR_JOBFAILED;
			}
			c->conf->flush(c->tap.out);
		}
	}
	fr_tap_done(&c->tap);
	if (c->tap.n == 0)
		return fr_fail(err, FR_USAGE, "no check has `%s` in its name",
		    c->conf->only);
	if (c->tap.failed == 0)
		return FR_OK;
	return fr_fail(err, FR_JOBFAILED, "%u of %u checks failed",
	    c->tap.failed, c->tap.n);
}

enum fr_rc
fr_check_run(const struct fr_conform *conf, const struct fr_suite *suite,
    struct fr_err *err)
{
	struct fr_check *c = calloc(1, sizeof(*c));
	struct fr_buf out;
	enum fr_rc rc;

	if (c == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	fr_buf_init(&out, 0);
	c->conf = conf;
	fr_rand_init(&c->fresh);
	fr_rand_seed(&c->rand, conf->seed);
	rc = suite->open(c);
	if (rc == FR_OK) {
		fr_tap_init(&c->tap, &out);
		rc = run_all(c, suite, err);
		conf->flush(&out);
	} else {
		*err = c->err;
	}
	suite->close(c);
	fr_buf_fini(&out);
	free(c->ids);
	free(c->tickets);
	free(c);
	return rc;
}

void
fr_check_list(const struct fr_case *const *tables, struct fr_buf *out)
{
	const struct fr_case *k;

	for (; *tables != NULL; tables++) {
		for (k = *tables; k->name != NULL; k++) {
			fr_buf_adds(out, k->name);
			fr_buf_addc(out, '\n');
		}
	}
}
