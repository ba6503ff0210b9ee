/* SPDX-License-Identifier: MIT */
#include "cli/handler.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/prog.h"

/* Far more than a manager lets through. */
#define INPUT_MAX ((size_t)256 * 1024 * 1024)
#define INPUT_DEPTH 1024

enum fr_rc
fr_input_open(struct fr_input *in, struct fr_err *err)
{
	enum fr_rc rc;

	*in = (struct fr_input){ 0 };
	fr_buf_init(&in->text, INPUT_MAX);
	in->arena = fr_arena_new(0);
	if (in->arena == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	rc = fr_io_read_all(STDIN_FILENO, &in->text, "stdin", err);
	if (rc != FR_OK)
		return rc;
	return fr_json_check(
	    fr_buf_span(&in->text), INPUT_DEPTH, &in->value, err);
}

void
fr_input_close(struct fr_input *in)
{
	fr_buf_fini(&in->text);
	fr_arena_free(in->arena);
	*in = (struct fr_input){ 0 };
}

enum fr_rc
fr_input_object(const struct fr_input *in, struct fr_err *err)
{
	if (fr_json_type(in->value) == FR_JSON_OBJECT)
		return FR_OK;
	return fr_fail(err, FR_INVALID, "data: %s, not an object",
	    fr_json_type_name(in->value));
}

enum fr_rc
fr_input_string(struct fr_input *in, struct fr_span token, const char *what,
    const char **text, struct fr_err *err)
{
	char *dst;
	size_t len;

	if (fr_json_type(token) != FR_JSON_STRING)
		return fr_fail(err, FR_INVALID, "%s: %s, not a string", what,
		    fr_json_type_name(token));
	dst = fr_arena_alloc(in->arena, token.len + 1);
	if (dst == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	len = fr_json_unescape(dst, token);
	dst[len] = '\0';
	if (strlen(dst) != len)
		return fr_fail(err, FR_INVALID, "%s: has a NUL in it", what);
	*text = dst;
	return FR_OK;
}

enum fr_rc
fr_input_text(struct fr_input *in, const char *key, bool required,
    const char **text, struct fr_err *err)
{
	const struct fr_span token = fr_json_get(in->value, key);

	*text = NULL;
	if (token.p != NULL)
		return fr_input_string(in, token, key, text, err);
	if (!required)
		return FR_OK;
	return fr_fail(err, FR_INVALID, "data: `%s` is missing", key);
}

static int
handler_status(enum fr_rc rc)
{
	switch (rc) {
	case FR_OK:
		return EX_OK;
	case FR_AGAIN:
	case FR_TIMEOUT:
	case FR_UNREACHABLE:
	case FR_NOSPACE:
	case FR_IO:
	case FR_NOMEM:
	case FR_UNKNOWN:
		return EX_TEMPFAIL;
	case FR_NOTFOUND:
	case FR_EXISTS:
	case FR_CONFLICT:
	case FR_STALE:
	case FR_SYNTAX:
	case FR_INVALID:
	case FR_TOOBIG:
	case FR_DENIED:
	case FR_USAGE:
	case FR_JOBFAILED:
	case FR_BROKEN:
		break;
	}
	return EX_DATAERR;
}

int
fr_handler_end(enum fr_rc rc, struct fr_buf *result, const struct fr_err *err)
{
	if (rc != FR_OK) {
		fr_warn(err);
		return handler_status(rc);
	}
	fr_buf_addc(result, '\n');
	if (!fr_buf_ok(result)) {
		fr_warnf("out of memory");
		return EX_TEMPFAIL;
	}
	(void)fwrite(result->p, 1, result->len, stdout);
	return fr_finish(FR_OK) == 0 ? EX_OK : EX_TEMPFAIL;
}

int
fr_handler_run(fr_handler_fn *work, const void *conf)
{
	struct fr_input in = { 0 };
	struct fr_err err = FR_ERR_INIT;
	struct fr_buf result;
	enum fr_rc rc;
	int status;

	fr_buf_init(&result, 0);
	rc = fr_input_open(&in, &err);
	if (rc == FR_OK)
		rc = work(conf, &in, &result, &err);
	status = fr_handler_end(rc, &result, &err);
	fr_buf_fini(&result);
	fr_input_close(&in);
	return status;
}
