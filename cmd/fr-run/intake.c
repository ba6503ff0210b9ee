/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "base/time.h"
#include "run.h"
#include "wire/job.h"

#define LINE_MOST ((size_t)16 << 20)
#define BATCH 1000  /* jobs in one op */
#define AHEAD 10000 /* jobs that are there and have not ended */
#define DEPTH_MOST 1024

bool
intake_wanted(const struct run *r)
{
	return !r->read_all && r->taken - r->ended < AHEAD && !print_full(r);
}

/* The first bad line ends the reading; the jobs before it run. */
static void
bad_line(struct run *r, uint64_t line, enum fr_rc rc, const char *why)
{
	fr_warnf("line %llu: %s", (unsigned long long)line, why);
	r->worst = fr_worse(r->worst, rc);
	r->read_all = true;
}

/* The same id again will be the same job: it is not forgotten when it ends. */
static bool
remember(struct run *r, const struct fr_uuid *id)
{
	const struct fr_span key = { (const char *)id->b, sizeof(id->b) };
	const struct fr_err err = { FR_NOMEM, "out of memory" };

	if (r->chosen == NULL)
		r->chosen = fr_map_new();
	if (r->chosen != NULL && fr_map_put(r->chosen, key, r))
		return true;
	give_up(r, &err);
	return false;
}

/* Reads one job; false: it is bad, and that was said. */
static bool
take_line(struct run *r, struct fr_span text, struct fr_arena *arena,
    struct fr_job *job)
{
	const struct fr_wire_limits limits = { LINE_MOST, DEPTH_MOST };
	static const struct fr_uuid none;
	struct fr_err why = FR_ERR_INIT;
	char name[FR_TYPE_MAX + 1] = "";
	enum fr_rc rc;

	rc = fr_wire_job_parse(
	    text, &limits, fr_time_wall_ms(), arena, job, &why);
	if (rc == FR_OK &&
	    fr_handlers_find(&r->conf->handling.handlers, job->type) == NULL) {
		(void)fr_str_copy(name, sizeof(name), job->type);
		rc = fr_fail(
		    &why, FR_INVALID, "type `%s`: there is no handler", name);
	}
	if (rc != FR_OK) {
		bad_line(r, r->in.line, rc, why.msg);
		return false;
	}
	if (fr_uuid_eq(&job->id, &none)) {
		job->id = fr_uuid_new(&r->gen, fr_time_wall_ms(), &r->rand);
		return true;
	}
	return remember(r, &job->id);
}

/* Gives the engine n jobs, all of which it takes, or none. */
static void
create(struct run *r, struct fr_arena *arena, struct fr_job *jobs, size_t n,
    const uint64_t *lines)
{
	struct fr_op op = { .kind = FR_OP_CREATE, .arena = arena };
	size_t i;

	op.u.create.jobs = jobs;
	op.u.create.n = n;
	op.u.create.out = fr_arena_calloc(arena, n, sizeof(struct fr_created));
	if (op.u.create.out == NULL) {
		(void)fr_fail(&op.err, FR_NOMEM, "out of memory");
		give_up(r, &op.err);
		return;
	}
	if (!engine_do(r, &op))
		return;
	if (op.rc == FR_CONFLICT && op.u.create.bad < n) {
		n = op.u.create.bad;
		bad_line(r, lines[n], FR_INVALID,
		    "there is another job with this id");
		if (n > 0)
			create(r, arena, jobs, n, lines);
		return;
	}
	if (op.rc != FR_OK) {
		give_up(r, &op.err);
		return;
	}
	/* One that was there already is no other job. */
	for (i = 0; i < n; i++)
		r->taken += op.u.create.out[i].rc == FR_OK;
}

void
intake_read(struct run *r)
{
	struct fr_err err = FR_ERR_INIT;
	uint64_t lines[BATCH];
	struct fr_arena *arena;
	struct fr_span text;
	struct fr_job *jobs;
	size_t n;

	if (fr_lines_read(&r->in, STDIN_FILENO, "stdin", &err) != FR_OK) {
		fr_warn(&err);
		r->worst = fr_worse(r->worst, err.rc);
		r->read_all = true;
		return;
	}
	do {
		arena = fr_arena_new((size_t)64 << 10);
		jobs = arena == NULL
			   ? NULL
			   : fr_arena_calloc(arena, BATCH, sizeof(*jobs));
		if (jobs == NULL) {
			(void)fr_fail(&err, FR_NOMEM, "out of memory");
			give_up(r, &err);
			fr_arena_free(arena);
			return;
		}
		for (n = 0; n < BATCH && !r->read_all &&
			    fr_lines_next(&r->in, &text);) {
			if (fr_lines_blank(text))
				continue;
			lines[n] = r->in.line;
			n += take_line(r, text, arena, &jobs[n]);
		}
		if (n > 0)
			create(r, arena, jobs, n, lines);
		fr_arena_free(arena);
	} while (n == BATCH);
	r->read_all = r->read_all || r->in.end;
}
