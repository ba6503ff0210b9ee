/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <endian.h>
#include <string.h>

#include "base/assert.h"

/*
 * Parameters and results in Postgres's binary formats: numbers in network
 * order, text and bytea as they are, an array as a head of five words and
 * then each element's length and bytes. Nothing is quoted, escaped or turned
 * into text on the way.
 */

#define HEAD_BYTES 20

static void
put32(unsigned char *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

void
fr_pg_col_open(struct fr_pg *s, int i, uint32_t oid)
{
	unsigned char head[HEAD_BYTES];

	fr_assert(i >= 0 && i < FR_PG_COLS);
	put32(head, 1);     /* dimensions */
	put32(head + 4, 1); /* there may be NULLs */
	put32(head + 8, oid);
	put32(head + 12, 0); /* how many; see fr_pg_cols */
	put32(head + 16, 1); /* the first one's number */
	fr_buf_reset(&s->col[i].b);
	fr_buf_add(&s->col[i].b, head, sizeof(head));
	s->col[i].n = 0;
}

void
fr_pg_col_bytes(struct fr_pg *s, int i, const void *p, size_t len)
{
	struct fr_buf *b = &s->col[i].b;
	char *dst = fr_buf_reserve(b, len + 4);

	s->col[i].n++;
	if (dst == NULL)
		return;
	put32((unsigned char *)dst, (uint32_t)len);
	if (len > 0)
		memcpy(dst + 4, p, len);
	fr_buf_commit(b, len + 4);
}

void
fr_pg_col_span(struct fr_pg *s, int i, struct fr_span v)
{
	static const unsigned char null[4] = { 255, 255, 255, 255 };

	if (v.len > 0) {
		fr_pg_col_bytes(s, i, v.p, v.len);
		return;
	}
	s->col[i].n++;
	fr_buf_add(&s->col[i].b, null, sizeof(null));
}

void
fr_pg_col_i64(struct fr_pg *s, int i, int64_t v)
{
	const uint64_t be = htobe64((uint64_t)v);

	fr_pg_col_bytes(s, i, &be, sizeof(be));
}

void
fr_pg_col_i32(struct fr_pg *s, int i, int32_t v)
{
	const uint32_t be = htobe32((uint32_t)v);

	fr_pg_col_bytes(s, i, &be, sizeof(be));
}

void
fr_pg_col_i16(struct fr_pg *s, int i, int16_t v)
{
	const uint16_t be = htobe16((uint16_t)v);

	fr_pg_col_bytes(s, i, &be, sizeof(be));
}

bool
fr_pg_arg_col(struct fr_pg *s, int i, struct fr_pg_args *a)
{
	struct fr_pg_col *c;

	fr_assert(i >= 0 && i < FR_PG_COLS && a->n < FR_PG_COLS);
	c = &s->col[i];
	if (!fr_buf_ok(&c->b) || c->b.len > INT32_MAX)
		return false;
	put32((unsigned char *)c->b.p + 12, c->n);
	a->v[a->n] = c->b.p;
	a->len[a->n] = (int)c->b.len;
	a->n++;
	return true;
}

bool
fr_pg_cols(struct fr_pg *s, int n, struct fr_pg_args *a)
{
	int i;

	a->n = 0;
	for (i = 0; i < n; i++) {
		fr_assert(s->col[i].n == s->col[0].n);
		if (!fr_pg_arg_col(s, i, a))
			return false;
	}
	return true;
}

void
fr_pg_arg_i64(struct fr_pg_args *a, int64_t v)
{
	const uint64_t be = htobe64((uint64_t)v);

	fr_assert(a->n < FR_PG_COLS);
	memcpy(a->num[a->n], &be, sizeof(be));
	a->v[a->n] = (const char *)a->num[a->n];
	a->len[a->n] = sizeof(be);
	a->n++;
}

void
fr_pg_arg_bytes(struct fr_pg_args *a, const void *p, size_t len)
{
	fr_assert(a->n < FR_PG_COLS && len <= INT32_MAX);
	a->v[a->n] = p;
	a->len[a->n] = (int)len;
	a->n++;
}

void
fr_pg_arg_text(struct fr_pg_args *a, const char *z)
{
	fr_pg_arg_bytes(a, z, strlen(z));
}

int64_t
fr_pg_int(const PGresult *r, int row, int col)
{
	const char *p = PQgetvalue(r, row, col);
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	switch (PQgetlength(r, row, col)) {
	case 8:
		memcpy(&v64, p, sizeof(v64));
		return (int64_t)be64toh(v64);
	case 4:
		memcpy(&v32, p, sizeof(v32));
		return (int32_t)be32toh(v32);
	case 2:
		memcpy(&v16, p, sizeof(v16));
		return (int16_t)be16toh(v16);
	case 1:
		return *p != 0;
	default:
		return 0;
	}
}

struct fr_span
fr_pg_span(const PGresult *r, int row, int col)
{
	struct fr_span v = { NULL, (size_t)PQgetlength(r, row, col) };

	if (v.len > 0)
		v.p = PQgetvalue(r, row, col);
	return v;
}

void
fr_pg_bin16(const PGresult *r, int row, int col, unsigned char dst[16])
{
	if (PQgetlength(r, row, col) == 16)
		memcpy(dst, PQgetvalue(r, row, col), 16);
	else
		memset(dst, 0, 16);
}

void
fr_pg_job(const PGresult *r, int row, int col, struct fr_job *job)
{
	struct fr_span *text[] = { &job->type, &job->data, &job->key,
		&job->progress, &job->result, &job->error, &job->log,
		&job->worker };
	size_t i;

	fr_pg_bin16(r, row, col++, job->id.b);
	for (i = 0; i < sizeof(text) / sizeof(*text); i++)
		*text[i] = fr_pg_span(r, row, col++);
	job->state = (enum fr_state)fr_pg_int(r, row, col++);
	job->priority = (int32_t)fr_pg_int(r, row, col++);
	job->attempt = (uint32_t)fr_pg_int(r, row, col++);
	job->max_attempts = (uint32_t)fr_pg_int(r, row, col++);
	job->fail_count = (uint32_t)fr_pg_int(r, row, col++);
	job->timeout_ms = fr_pg_int(r, row, col++);
	job->created_ms = fr_pg_int(r, row, col++);
	job->run_at_ms = fr_pg_int(r, row, col++);
	job->started_ms = fr_pg_int(r, row, col++);
	job->finished_ms = fr_pg_int(r, row, col++);
	fr_pg_bin16(r, row, col++, job->lease.b);
	job->lease_until_ms = fr_pg_int(r, row, col);
}

enum fr_rc
fr_pg_emit(const PGresult *r, fr_job_emit_fn *emit, void *arg)
{
	struct fr_job job;
	enum fr_rc rc = FR_OK;
	int i;

	for (i = 0; i < PQntuples(r) && rc == FR_OK; i++) {
		fr_pg_job(r, i, 0, &job);
		rc = emit(arg, &job);
	}
	return rc;
}
