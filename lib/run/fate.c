/* SPDX-License-Identifier: MIT */
#include "run/fate.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"

#define ERROR_BYTES 4096 /* of the log in an error */
#define SHOWN_BYTES 60   /* of what is not UTF-8 */

static enum fr_rc
not_utf8(struct fr_span text, size_t valid, struct fr_err *err)
{
	struct fr_buf shown;

	fr_buf_init(&shown, 0);
	if (text.len > SHOWN_BYTES)
		text.len = SHOWN_BYTES;
	fr_str_visible(&shown, text, false);
	(void)fr_fail(err, FR_SYNTAX,
	    "the result is not UTF-8: byte %zu; it begins with %s", valid + 1,
	    fr_buf_cstr(&shown));
	fr_buf_fini(&shown);
	return FR_SYNTAX;
}

static enum fr_rc
check_size(const struct fr_buf *json, size_t from, size_t max_bytes,
    struct fr_err *err)
{
	if (!fr_buf_ok(json))
		return fr_fail(err, FR_NOMEM, "out of memory");
	if (max_bytes != 0 && json->len - from > max_bytes)
		return fr_fail(err, FR_TOOBIG,
		    "the result is longer than %zu bytes", max_bytes);
	return FR_OK;
}

enum fr_rc
fr_fate_result(struct fr_buf *out, bool strict, size_t max_bytes,
    struct fr_buf *json, struct fr_err *err)
{
	struct fr_span text = fr_buf_span(out), value;
	const size_t from = json->len;
	struct fr_err why = FR_ERR_INIT;
	enum fr_rc rc;
	size_t valid;
	char *room;

	if (text.len == 0) {
		fr_buf_adds(json, "null");
		return check_size(json, from, max_bytes, err);
	}
	rc = fr_json_check(text, FR_JSON_DEPTH, &value, &why);
	if (rc == FR_TOOBIG)
		return fr_fail(err, FR_TOOBIG, "the result: %s", why.msg);
	if (rc == FR_OK) {
		room = fr_buf_reserve(json, value.len);
		if (room != NULL)
			fr_buf_commit(json, fr_json_compact(room, value));
		return check_size(json, from, max_bytes, err);
	}
	valid = fr_utf8_prefix(text);
	if (valid < text.len)
		return not_utf8(text, valid, err);
	if (strict)
		return fr_fail(
		    err, FR_SYNTAX, "the result is not JSON: %s", why.msg);
	if (text.p[text.len - 1] == '\n')
		text.len--;
	fr_jsonw_escape(json, text);
	return check_size(json, from, max_bytes, err);
}

void
fr_fate_progress(struct fr_span line, struct fr_buf *json)
{
	struct fr_span value;
	char *room;

	if (fr_json_check(line, FR_JSON_DEPTH, &value, NULL) != FR_OK) {
		fr_jsonw_escape(json, line);
		return;
	}
	room = fr_buf_reserve(json, value.len);
	if (room != NULL)
		fr_buf_commit(json, fr_json_compact(room, value));
}

void
fr_fate_status(int status, char *dst, size_t size)
{
	const char *name;
	bool fits;

	if (!WIFSIGNALED(status)) {
		fits = fr_str_format(
		    dst, size, "exit status %d", WEXITSTATUS(status));
	} else {
		name = sigabbrev_np(WTERMSIG(status));
		fits = fr_str_format(dst, size, "killed by signal %d (%s)",
		    WTERMSIG(status), name == NULL ? "?" : name);
	}
	(void)fits;
}

enum fr_fate
fr_fate_of(int status)
{
	if (!WIFEXITED(status))
		return FR_FATE_FAILED;
	switch (WEXITSTATUS(status)) {
	case 0:
		return FR_FATE_COMPLETE;
	case 65:
		return FR_FATE_FINAL;
	case 126:
	case 127:
		return FR_FATE_RELEASED;
	default:
		return FR_FATE_FAILED;
	}
}

static bool
blank(char c)
{
	return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

/* The last lines, without empty ones at either end. */
static struct fr_span
last_lines(struct fr_span log)
{
	const char *nl;
	size_t cut;

	while (log.len > 0 && blank(log.p[log.len - 1]))
		log.len--;
	if (log.len > ERROR_BYTES) {
		cut = log.len - ERROR_BYTES;
		nl = memchr(log.p + cut, '\n', ERROR_BYTES);
		if (nl != NULL)
			cut = (size_t)(nl + 1 - log.p);
		while (nl == NULL && cut < log.len &&
		       ((unsigned char)log.p[cut] & 0xc0) == 0x80)
			cut++;
		log.p += cut;
		log.len -= cut;
	}
	while (log.len > 0 && (log.p[0] == '\n' || log.p[0] == '\r')) {
		log.p++;
		log.len--;
	}
	return log;
}

void
fr_fate_error(
    struct fr_buf *text, const char *what, bool both, struct fr_span log)
{
	const struct fr_span end = last_lines(log);

	if (both || end.len == 0)
		fr_buf_adds(text, what);
	if (both && end.len > 0)
		fr_buf_adds(text, ": ");
	fr_buf_addspan(text, end);
}

void
fr_tail_init(struct fr_tail *t, size_t max_bytes)
{
	fr_buf_init(&t->b, 0);
	t->max = max_bytes;
	t->total = 0;
}

void
fr_tail_fini(struct fr_tail *t)
{
	fr_buf_fini(&t->b);
}

void
fr_tail_reset(struct fr_tail *t)
{
	fr_buf_reset(&t->b);
	t->total = 0;
}

char *
fr_tail_reserve(struct fr_tail *t, size_t n)
{
	return fr_buf_reserve(&t->b, n);
}

void
fr_tail_commit(struct fr_tail *t, size_t n)
{
	fr_buf_commit(&t->b, n);
	t->total += n;
	/* Seldom, so that each byte is moved about once. */
	if (t->b.len > 2 * t->max)
		fr_buf_shift(&t->b, t->b.len - t->max);
}

struct fr_span
fr_tail_since(const struct fr_tail *t, uint64_t from)
{
	struct fr_span s = fr_buf_span(&t->b);
	uint64_t want = t->total > from ? t->total - from : 0;
	size_t cut;

	if (want > t->max)
		want = t->max;
	if (want >= s.len)
		return s;
	cut = s.len - (size_t)want;
	/* Not in the middle of a character. */
	while (cut < s.len && want == t->max &&
	       ((unsigned char)s.p[cut] & 0xc0) == 0x80)
		cut++;
	s.p += cut;
	s.len -= cut;
	return s;
}
