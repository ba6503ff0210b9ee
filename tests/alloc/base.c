/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/heap.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "tests/alloc/lib/alloc.h"

static enum fr_rc
a_buffer(void)
{
	struct fr_buf b;
	bool ok;
	int i;

	fr_buf_init(&b, 0);
	for (i = 0; i < 3000; i++) {
		fr_buf_adds(&b, "abc");
		fr_buf_addf(&b, "%d", i % 10);
	}
	fr_jsonw_escape(&b, FR_SPAN("x\n"));
	ok = fr_buf_ok(&b);
	must(!ok || (b.len == 12005 && strlen(fr_buf_cstr(&b)) == b.len));
	must(ok || fr_buf_cstr(&b)[0] == '\0');
	fr_buf_fini(&b);
	return ok ? FR_OK : FR_NOMEM;
}

static enum fr_rc
an_arena(void)
{
	struct fr_arena *a = fr_arena_new(64);
	enum fr_rc rc = FR_NOMEM;
	int i;

	if (a == NULL)
		return FR_NOMEM;
	for (i = 0; i < 100; i++)
		if (fr_arena_alloc(a, 50) == NULL ||
		    fr_arena_dup(a, FR_SPAN("text")).p == NULL ||
		    fr_arena_dupz(a, FR_SPAN("text")) == NULL)
			goto out;
	if (fr_arena_calloc(a, 100, 1000) != NULL)
		rc = FR_OK;
out:
	fr_arena_free(a);
	return rc;
}

/* A map that could not take a key has all those that it took. */
static enum fr_rc
a_map(void)
{
	struct fr_map *m = fr_map_new();
	static const char keys[] = "the beginnings of this text are the keys";
	static int value;
	struct fr_span k = { keys, 0 };
	size_t had = 0;
	enum fr_rc rc = FR_OK;

	if (m == NULL)
		return FR_NOMEM;
	for (k.len = 1; k.len < sizeof(keys); k.len++) {
		if (fr_map_put(m, k, &value))
			had++;
		else {
			rc = FR_NOMEM;
			must(fr_map_get(m, k) == NULL);
		}
		must(fr_map_count(m) == had);
	}
	for (k.len = 1; k.len < sizeof(keys); k.len++)
		had -= fr_map_del(m, k) != NULL;
	must(had == 0 && fr_map_count(m) == 0);
	fr_map_free(m);
	return rc;
}

static enum fr_rc
a_heap(void)
{
	static struct fr_heap_node n[300];
	struct fr_heap h;
	enum fr_rc rc = FR_OK;
	size_t i, had = 0;

	memset(n, 0, sizeof(n));
	fr_heap_init(&h);
	for (i = 0; i < 300; i++) {
		if (fr_heap_set(&h, &n[i], (int64_t)(i * 7 % 300)))
			had++;
		else {
			rc = FR_NOMEM;
			must(n[i].pos == 0);
		}
	}
	for (; fr_heap_first(&h) != NULL; had--)
		fr_heap_remove(&h, fr_heap_first(&h));
	must(had == 0);
	fr_heap_fini(&h);
	return rc;
}

static enum fr_rc
a_vector(void)
{
	struct fr_vec v = FR_VEC_OF(int);
	enum fr_rc rc = FR_OK;
	size_t i, had = 0;

	for (i = 0; i < 300; i++)
		had += fr_vec_add(&v) != NULL;
	must(v.n == had);
	if (had < 300 || !fr_vec_reserve(&v, 1000))
		rc = FR_NOMEM;
	fr_vec_fini(&v);
	return rc;
}

static enum fr_rc
a_file(void)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_buf b;
	enum fr_rc rc;

	fr_buf_init(&b, 0);
	rc = fr_io_read_file("/proc/self/exe", &b, &err);
	must(rc == FR_OK || err.rc == rc);
	fr_buf_fini(&b);
	return rc;
}

static enum fr_rc
a_copy(void)
{
	char *p = fr_str_dup(FR_SPAN("text"));

	if (p == NULL)
		return FR_NOMEM;
	free(p);
	return FR_OK;
}

int
main(void)
{
	alloc_try("a buffer fails for good and frees", a_buffer);
	alloc_try("an arena gives NULL and frees all", an_arena);
	alloc_try("a map keeps what it has", a_map);
	alloc_try("a heap keeps what it has", a_heap);
	alloc_try("a vector keeps what it has", a_vector);
	alloc_try("a file is read whole or not", a_file);
	alloc_try("a copy is NULL", a_copy);
	return alloc_done();
}
