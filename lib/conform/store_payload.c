/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "on_store.h"

/* Data, progress, result, error and log come back byte for byte. */
static void
round_trip(struct fr_check *c, struct fr_span value)
{
	const struct fr_store_ops *ops = c->s->ops;
	const struct fr_job *got;
	struct fr_job j = fr_st_job(c);
	struct fr_report r = { .now_ms = c->t0 };
	struct fr_uuid id;

	j.data = value;
	fr_st_create(c, &j, 1);
	r.id = j.id;
	r.token = fr_st_lease(c, j.id);
	r.value = value;
	MUST(c, fr_st_report_with(c, ops->progress, r));
	got = fr_st_in(c, j.id, FR_STATE_RUNNING);
	WANT_SPAN(c, got->data, value);
	WANT_SPAN(c, got->progress, value);
	MUST(c, fr_st_report_with(c, ops->complete, r));
	WANT_SPAN(c, fr_st_get(c, j.id)->result, value);
	WANT_RC(c, fr_st_try(c, &j, &id), FR_EXISTS);
}

static void
round_trips(struct fr_check *c, const char *const *values, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		round_trip(c, fr_span_of(values[i]));
}

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static void
numbers(struct fr_check *c)
{
	static const char *const v[] = { "1e400", "-1e-400", "0.1", "-0",
		"-0.0", "1E+2", "100", "1.0", "1.50",
		"123456789012345678901234567890", "9007199254740993",
		"-9223372036854775809", "18446744073709551616",
		"3.14159265358979323846264338327950288", "[0,-0,0.0,0e0]" };

	round_trips(c, v, COUNT(v));
}

static void
objects(struct fr_check *c)
{
	static const char *const v[] = { "{\"a\":1,\"a\":2}",
		"{\"b\":1,\"a\":2}", "{\"\":{}}", "{\"__proto__\":null}",
		"{\"a\":{\"z\":[],\"a\":[{}]},\"A\":1}" };

	round_trips(c, v, COUNT(v));
}

static void
escapes(struct fr_check *c)
{
	static const char *const v[] = { "\"\\u0041\"", "\"A\"", "\"\\/\"",
		"\"/\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"\\ud800\"",
		"\"\\u0000\"", "\"a\\u0000b\"", "\"\\n\\t\\r\\b\\f\\\\\\\"\"",
		"\"\\u000A\"", "\"'; DROP TABLE jobs; --\"", "\"%s%n$1 ? :a\"",
		"\"\\\\x41\"" };

	round_trips(c, v, COUNT(v));
}

static void
utf8(struct fr_check *c)
{
	static const char *const v[] = { "\"\xc3\xa9\"", "\"e\xcc\x81\"",
		"\"\xe2\x82\xac\"", "\"\xf0\x9f\x98\x80\"",
		"\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\"", "\"\x7f\xc2\x80\"",
		"\"\xe2\x80\xa8\xe2\x80\xae\"", "\"\xef\xbb\xbf\"" };

	round_trips(c, v, COUNT(v));
}

static void
small(struct fr_check *c)
{
	static const char *const v[] = { "null", "false", "true", "0", "\"\"",
		"\" \"", "[]", "{}", "\"null\"" };

	round_trips(c, v, COUNT(v));
}

static void
large(struct fr_check *c)
{
	const size_t len = 1048576;
	char *p = fr_check_alloc(c, len, 1);
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (char)('a' + i * 7 % 26);
	p[0] = p[len - 1] = '"';
	round_trip(c, (struct fr_span){ p, len });
}

static void
deep(struct fr_check *c)
{
	char p[2 * FR_JSON_DEPTH];

	memset(p, '[', FR_JSON_DEPTH);
	memset(p + FR_JSON_DEPTH, ']', FR_JSON_DEPTH);
	round_trip(c, (struct fr_span){ p, sizeof(p) });
}

static void
errors(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	fr_store_report_fn *const fn[] = { ops->count_failed, ops->failed };
	struct fr_report r = { .now_ms = c->t0 };
	const struct fr_job *got;
	size_t i;

	for (i = 0; i < 2; i++) {
		r.id = fr_st_new(c);
		r.token = fr_st_lease(c, r.id);
		r.value = FR_SPAN("\"\\u001b[31m\xe2\x82\xac\\ud800\\/\"");
		r.log = FR_SPAN("\"line 1\\nline 2\\u0000\"");
		MUST(c, fr_st_report_with(c, fn[i], r));
		got = fr_st_get(c, r.id);
		WANT_SPAN(c, got->error, r.value);
		WANT_SPAN(c, got->log, r.log);
	}
}

static void
names(struct fr_check *c)
{
	struct fr_job j = fr_st_job(c);
	struct fr_grant g = { .now_ms = c->t0, .until_ms = c->t0 + 100 };
	char worker[FR_WORKER_MAX];

	j.key = FR_SPAN("';%_\\ \xf0\x9f\x98\x80\"\n");
	fr_st_create(c, &j, 1);
	memset(worker, 'w', sizeof(worker));
	memcpy(worker, "h%_'\\", 5);
	g.id = j.id;
	g.token = fr_check_token(c);
	g.worker = (struct fr_span){ worker, sizeof(worker) };
	WANT_INT(c, fr_st_try_lease(c, &g, 1), 1);
	WANT_SPAN(c, fr_st_get(c, j.id)->key, j.key);
	WANT_SPAN(c, fr_st_get(c, j.id)->worker, g.worker);
}

const struct fr_case fr_cases_payload[] = {
	{ "numbers beyond any machine's come back digit for digit", numbers,
	    0 },
	{ "duplicate keys and the order of keys come back as they were",
	    objects, 0 },
	{ "escapes come back as they were written", escapes, 0 },
	{ "UTF-8 of every length comes back byte for byte", utf8, 0 },
	{ "null, false, zero and what is empty are told apart", small, 0 },
	{ "a mebibyte comes back whole", large, 0 },
	{ "sixty-four levels of nesting come back", deep, 0 },
	{ "errors and logs come back token for token", errors, 0 },
	{ "keys and workers may hold any character", names, 0 },
	{ NULL, NULL, 0 },
};
