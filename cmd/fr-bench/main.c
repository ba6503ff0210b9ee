/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "base/time.h"
#include "bench.h"

#define AT(field) offsetof(struct bench, field)

static const struct fr_opt opts[] = {
	{ 'b', "batch", FR_OPT_INT, "N", AT(batch), "jobs in one request (1)",
	    1, 10000 },
	{ 'c', "connections", FR_OPT_INT, "N", AT(connections),
	    "connections that submit (1)", 1, 20000 },
	{ 'n', "jobs", FR_OPT_INT, "N", AT(jobs),
	    "how many jobs (10000; 1000 for latency and idle)", 1,
	    INT64_C(1000000000) },
	{ 0, "json", FR_OPT_FLAG, NULL, AT(json), "print JSON", 0, 0 },
	{ 'm', "manager", FR_OPT_STR, "URL", AT(manager), "the manager", 0, 0 },
	{ 's', "size", FR_OPT_SIZE, "SIZE", AT(size),
	    "bytes of each job's data (100)", 2, 1 << 20 },
	{ 0, "slots", FR_OPT_INT, "N", AT(slots),
	    "jobs that a worker takes at a time (1)", 1, 10000 },
	{ 0, "token-file", FR_OPT_STR, "FILE", AT(token_file),
	    "file with the token for the manager", 0, 0 },
	{ 0, "type", FR_OPT_STR, "TYPE", AT(type), "their type (bench)", 0, 0 },
	{ 'w', "workers", FR_OPT_INT, "N", AT(workers),
	    "connections that take jobs (1)", 1, 20000 },
	{ 0 },
};

static const struct fr_prog prog = {
	.name = "fr-bench",
	.args = "submit|drain|both|latency|idle|backlog",
	.summary = "measure a manager",
	.more =
	    "submit   submits jobs, each acknowledged when it is durable\n"
	    "drain    submits jobs in bulk, then takes and finishes them\n"
	    "both     submits and drains at once\n"
	    "latency  how soon an idle worker has a job that was submitted\n"
	    "idle     the same beside many idle workers (-w: 1000)\n"
	    "backlog  the rates when empty and with jobs waiting\n"
	    "\n"
	    "The jobs stay in the store until they are purged; measure a\n"
	    "manager that nobody uses.\n",
	.opts = opts,
};

static const struct mode {
	const char *name;
	enum fr_rc (*run)(struct bench *b);
} modes[] = {
	{ "submit", bench_submit },
	{ "drain", bench_drain },
	{ "both", bench_both },
	{ "latency", bench_latency },
	{ "idle", bench_idle },
	{ "backlog", bench_backlog },
};

void
figure_add(struct bench *b, const char *name, double value, const char *unit)
{
	struct figure *f = fr_vec_add(&b->rows);

	if (f == NULL)
		return;
	(void)fr_str_copy(f->name, sizeof(f->name), fr_span_of(name));
	f->value = value;
	f->unit = unit;
}

static int
cmp(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void
figure_times(struct bench *b, const char *name, struct fr_vec *times_us)
{
	const int64_t *v = times_us->p;
	const size_t n = times_us->n;
	const struct {
		const char *name;
		size_t at;
	} of[] = { { "p50", n / 2 }, { "p99", n * 99 / 100 },
		{ "max", n - 1 } };
	char text[48];
	size_t i;

	if (n == 0)
		return;
	qsort(times_us->p, n, times_us->each, cmp);
	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		if (fr_str_format(
			text, sizeof(text), "%s, %s", name, of[i].name))
			figure_add(b, text, (double)v[of[i].at] / 1000, "ms");
}

double
bench_seconds(int64_t t_us)
{
	return (double)(fr_time_mono_us() - t_us) / 1e6;
}

void
bench_fail(struct bench *b, const char *what, int status, struct fr_span body)
{
	if (body.len > 300)
		body.len = 300;
	if (status == 0)
		(void)fr_fail(&b->err, FR_UNREACHABLE, "%s: %.*s", what,
		    (int)body.len, body.p);
	else
		(void)fr_fail(&b->err,
		    status == 401 || status == 403 ? FR_DENIED : FR_IO,
		    "%s: the manager answers %d: %.*s", what, status,
		    (int)body.len, body.p);
	bench_done(b);
}

void
bench_done(struct bench *b)
{
	(void)event_base_loopbreak(b->base);
}

/* Data as jobs have it: an object of about that many bytes. */
static void
make_data(struct bench *b)
{
	static const char fixed[] = "{\"n\":12345,\"note\":\"\"}";
	size_t i;

	fr_buf_init(&b->data, 0);
	if (b->size < sizeof(fixed)) {
		fr_buf_adds(&b->data, "{}");
		return;
	}
	fr_buf_adds(&b->data, "{\"n\":12345,\"note\":\"");
	for (i = sizeof(fixed) - 1; i < b->size; i++)
		fr_buf_addc(&b->data, (char)('a' + i % 26));
	fr_buf_adds(&b->data, "\"}");
}

static void
print(struct bench *b)
{
	const struct figure *f;
	struct fr_buf out;
	size_t i;

	fr_buf_init(&out, 0);
	if (b->json)
		fr_jsonw_open(&out, '{');
	for (i = 0; i < b->rows.n; i++) {
		f = fr_vec_at(&b->rows, i);
		if (b->json) {
			fr_jsonw_key(&out, f->name);
			fr_buf_addf(&out, "%.3f", f->value);
		} else {
			fr_buf_addf(&out,
			    f->value < 100 ? "%-28s %12.3f %s\n"
					   : "%-28s %12.0f %s\n",
			    f->name, f->value, f->unit);
		}
	}
	if (b->json) {
		fr_jsonw_close(&out, '}');
		fr_buf_addc(&out, '\n');
	}
	(void)fwrite(out.p, 1, out.len, stdout);
	fr_buf_fini(&out);
}

static void
raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

int
main(int argc, char *argv[])
{
	struct bench b = { .manager = fr_env_manager(),
		.type = "bench",
		.jobs = 0,
		.connections = 1,
		.batch = 1,
		.slots = 1,
		.size = 100,
		.rows = FR_VEC_OF(struct figure) };
	const struct mode *m = NULL;
	enum fr_rc rc;
	size_t i;
	int at;

	at = fr_args(&prog, argc, argv, &b);
	if (at + 1 != argc)
		fr_usage(&prog, "name one thing to measure");
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(argv[at], modes[i].name) == 0)
			m = &modes[i];
	if (m == NULL)
		fr_usage(&prog, "%s: there is no such measurement", argv[at]);
	if (!fr_type_valid(fr_span_of(b.type)))
		fr_usage(&prog, "%s: not the name of a type", b.type);
	if (b.workers == 0)
		b.workers = m->run == bench_idle ? 1000 : 1;
	if (b.jobs == 0)
		b.jobs = m->run == bench_latency || m->run == bench_idle
			     ? 1000
			     : 10000;
	raise_limit();
	make_data(&b);
	rc = target_init(&b.target, b.manager, fr_token(b.token_file), &b.err);
	if (rc == FR_OK) {
		b.base = event_base_new();
		rc = b.base == NULL ? fr_fail(&b.err, FR_NOMEM, "no memory")
				    : m->run(&b);
	}
	if (rc != FR_OK)
		fr_warn(&b.err);
	else {
		if (b.target.refused > 0)
			figure_add(&b, "told to come again",
			    (double)b.target.refused, "requests");
		print(&b);
	}
	if (b.base != NULL)
		event_base_free(b.base);
	fr_buf_fini(&b.data);
	fr_vec_fini(&b.rows);
	return fr_finish(rc);
}
