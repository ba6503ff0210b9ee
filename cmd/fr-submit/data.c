/* SPDX-License-Identifier: MIT */
#include "submit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/lines.h"
#include "base/str.h"
#include "base/time.h"

/* Deeper and longer than a manager may allow: it has the last word. */
#define DEPTH_MOST 1024
#define DATA_MOST ((size_t)64 << 20)

enum fr_rc
data_options(const struct conf *conf, struct fr_buf *b, struct fr_err *err)
{
	int64_t at_ms;

	if (conf->priority != INT64_MIN)
		fr_buf_addf(b, ",\"priority\":%lld", (long long)conf->priority);
	if (conf->max_attempts >= 0)
		fr_buf_addf(
		    b, ",\"max_attempts\":%lld", (long long)conf->max_attempts);
	if (conf->delay_ms >= 0) {
		fr_buf_adds(b, ",\"delay\":");
		fr_jsonw_seconds(b, conf->delay_ms);
	}
	if (conf->timeout_ms >= 0) {
		fr_buf_adds(b, ",\"timeout\":");
		fr_jsonw_seconds(b, conf->timeout_ms);
	}
	if (conf->at != NULL) {
		if (fr_time_parse(fr_span_of(conf->at), &at_ms) != FR_OK)
			return fr_fail(err, FR_USAGE,
			    "--at `%s`: not a time like 2026-11-24T08:30:00Z",
			    conf->at);
		fr_buf_adds(b, ",\"run_at\":");
		fr_jsonw_time(b, at_ms);
	}
	if (conf->key != NULL) {
		if (!fr_utf8_valid(fr_span_of(conf->key)))
			return fr_fail(err, FR_SYNTAX, "--key: not UTF-8");
		fr_buf_adds(b, ",\"key\":");
		fr_jsonw_strz(b, conf->key);
	}
	return FR_OK;
}

/* Adds text, if it is JSON; name says where it is from. */
static enum fr_rc
add_json(
    struct fr_buf *b, struct fr_span text, const char *name, struct fr_err *err)
{
	struct fr_err why = FR_ERR_INIT;
	struct fr_span value;
	enum fr_rc rc = fr_json_check(text, DEPTH_MOST, &value, &why);

	if (fr_lines_blank(text))
		return fr_fail(err, rc, "%s: empty, which is not JSON", name);
	if (rc != FR_OK)
		return fr_fail(err, rc, "%s: not JSON: %s", name, why.msg);
	fr_buf_addspan(b, value);
	return FR_OK;
}

static enum fr_rc
add_file(struct fr_buf *b, const char *path, struct fr_err *err)
{
	struct fr_buf text;
	enum fr_rc rc;

	fr_buf_init(&text, DATA_MOST);
	rc = path == NULL ? fr_io_read_all(STDIN_FILENO, &text, "stdin", err)
			  : fr_io_read_file(path, &text, err);
	/* 1 would say that the job failed. */
	if (rc == FR_NOTFOUND)
		rc = FR_IO;
	if (rc == FR_OK)
		rc = add_json(
		    b, fr_buf_span(&text), path == NULL ? "stdin" : path, err);
	fr_buf_fini(&text);
	return rc;
}

/*
 * Whether arg is KEY=TEXT or KEY:=JSON: something stands before the '=', and
 * it does not begin as JSON does.
 */
static bool
is_pair(const char *arg)
{
	return strchr("{[\"=", *arg) == NULL && strchr(arg, '=') != NULL;
}

/* Adds a comma and "KEY":value. */
static enum fr_rc
add_pair(struct fr_buf *b, const char *arg, struct fr_err *err)
{
	const char *eq = strchr(arg, '=');
	struct fr_span key = { arg, (size_t)(eq - arg) };
	struct fr_span value = fr_span_of(eq + 1);
	const bool json = key.len > 1 && key.p[key.len - 1] == ':';
	char name[80];

	key.len -= json;
	if (!fr_utf8_valid(key))
		return fr_fail(err, FR_SYNTAX, "a key is not UTF-8");
	if (!fr_str_copy(name, sizeof(name), key))
		memcpy(name, "(a long key)", sizeof("(a long key)"));
	if (b->p[b->len - 1] != '{')
		fr_buf_addc(b, ',');
	fr_jsonw_escape(b, key);
	fr_buf_addc(b, ':');
	if (json)
		return add_json(b, value, name, err);
	if (!fr_utf8_valid(value))
		return fr_fail(err, FR_SYNTAX, "%s: byte %zu: not UTF-8", name,
		    fr_utf8_prefix(value) + 1);
	fr_jsonw_escape(b, value);
	return FR_OK;
}

static enum fr_rc
add_pairs(char *const argv[], int argc, struct fr_buf *b, struct fr_err *err)
{
	enum fr_rc rc = FR_OK;
	int i;

	fr_buf_addc(b, '{');
	for (i = 0; rc == FR_OK && i < argc; i++) {
		if (!is_pair(argv[i]))
			return fr_fail(err, FR_USAGE,
			    "`%s`: neither KEY=TEXT nor KEY:=JSON", argv[i]);
		rc = add_pair(b, argv[i], err);
	}
	fr_buf_addc(b, '}');
	return rc;
}

/* To have forgotten the quotes of a string is the usual mistake. */
static enum fr_rc
add_data(struct fr_buf *b, const char *text, struct fr_err *err)
{
	struct fr_err why = FR_ERR_INIT;
	const enum fr_rc rc = add_json(b, fr_span_of(text), "DATA", &why);

	if (rc == FR_OK)
		return FR_OK;
	return fr_fail(err, rc, "%s%s", why.msg,
	    text[0] != '\0' && strchr("{[\"", text[0]) == NULL
		? "; a text is in quotes: '\"text\"'"
		: "");
}

enum fr_rc
data_value(char *const argv[], int argc, struct fr_buf *b, struct fr_err *err)
{
	struct fr_span value;

	if (argc == 0) {
		fr_buf_adds(b, "null");
		return FR_OK;
	}
	if (argc == 1 && strcmp(argv[0], "-") == 0)
		return add_file(b, NULL, err);
	if (argc == 1 && strcmp(argv[0], "@") == 0)
		return fr_fail(err, FR_USAGE, "`@`: no file behind it");
	if (argc == 1 && argv[0][0] == '@')
		return add_file(b, argv[0] + 1, err);
	/* JSON first: "a=b" in its quotes is a string. */
	if (argc == 1 &&
	    (!is_pair(argv[0]) || fr_json_check(fr_span_of(argv[0]), DEPTH_MOST,
				      &value, NULL) == FR_OK))
		return add_data(b, argv[0], err);
	return add_pairs(argv, argc, b, err);
}
