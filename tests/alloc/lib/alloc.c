/* SPDX-License-Identifier: MIT */
#include "tests/alloc/lib/alloc.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The linker's --wrap gives our objects __wrap_X for X. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t each);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t each);
char *__real_strdup(const char *s);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t each);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t each);
char *__wrap_strdup(const char *s);
void __wrap_free(void *p);

#define MOST 20000 /* allocations in a case; more means that it never ends */

static size_t count;     /* allocations since the beginning of the case */
static size_t fail_at;   /* which of them fails; 0: none */
static bool fail_on;     /* all that follow, too */
static bool failed;      /* one has */
static long live;        /* allocated and not freed */
static const char *what; /* case and number, for must() */
static int tests, bad;

static bool
fails(void)
{
	if (fail_at == 0)
		return false;
	count++;
	if (count != fail_at && !(fail_on && count > fail_at))
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

static void *
counted(void *p)
{
	live += p != NULL;
	return p;
}

void *
__wrap_malloc(size_t n)
{
	return fails() ? NULL : counted(__real_malloc(n));
}

void *
__wrap_calloc(size_t n, size_t each)
{
	return fails() ? NULL : counted(__real_calloc(n, each));
}

void *
__wrap_realloc(void *p, size_t n)
{
	if (fails())
		return NULL;
	return p == NULL ? counted(__real_realloc(p, n)) : __real_realloc(p, n);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t each)
{
	if (fails())
		return NULL;
	return p == NULL ? counted(__real_reallocarray(p, n, each))
			 : __real_reallocarray(p, n, each);
}

char *
__wrap_strdup(const char *s)
{
	return fails() ? NULL : counted(__real_strdup(s));
}

void
__wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

bool
alloc_stop(void)
{
	fail_at = 0;
	return failed;
}

static size_t wanted;

void
alloc_begin(void)
{
	count = 0;
	fail_at = wanted;
}

/* Runs f with allocation n failing; false once none did. */
static bool
once(const char *name, alloc_case_fn *f, size_t n, bool on, char *why)
{
	static char text[128];
	const long before = live;
	enum fr_rc rc;

	snprintf(text, sizeof(text), "%s, allocation %zu%s", name, n,
	    on ? " and all behind it" : "");
	what = text;
	wanted = n;
	fail_on = on;
	failed = false;
	alloc_begin();
	rc = f();
	fail_at = 0;
	if (rc != FR_OK && (rc != FR_NOMEM || !failed))
		snprintf(why, 256, "%s: %s", text, fr_rc_name(rc));
	else if (live != before)
		snprintf(why, 256, "%s: %ld not freed", text, live - before);
	return failed && why[0] == '\0';
}

void
alloc_try(const char *name, alloc_case_fn *f)
{
	alloc_try_some(name, f, 1);
}

void
alloc_try_some(const char *name, alloc_case_fn *f, size_t step)
{
	char why[256] = "";
	size_t n = 0;
	int on;

	for (on = 0; on < 2 && why[0] == '\0'; on++)
		for (n = 1; once(name, f, n, on != 0, why); n += step)
			if (n >= MOST)
				snprintf(why, sizeof(why), "it never ends");
	printf("%sok %d - %s (%zu allocations)\n", why[0] != '\0' ? "not " : "",
	    ++tests, name, n - 1);
	if (why[0] != '\0') {
		fprintf(stderr, "# %s\n", why);
		bad = 1;
	}
	(void)fflush(stdout);
}

int
alloc_done(void)
{
	printf("1..%d\n", tests);
	return bad;
}

void
alloc_failed(const char *text, const char *file, int line)
{
	fprintf(stderr, "# %s\n# %s:%d: must be true: %s\n", what, file, line,
	    text);
	abort();
}
