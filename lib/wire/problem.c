/* SPDX-License-Identifier: MIT */
#include "wire/problem.h"

#include <string.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "wire/put.h"

/* RFC 9110, section 15, and RFC 6585. */
const char *
fr_wire_problem_title(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 406:
		return "Not Acceptable";
	case 408:
		return "Request Timeout";
	case 409:
		return "Conflict";
	case 411:
		return "Length Required";
	case 413:
		return "Content Too Large";
	case 415:
		return "Unsupported Media Type";
	case 417:
		return "Expectation Failed";
	case 422:
		return "Unprocessable Content";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	case 507:
		return "Insufficient Storage";
	default:
		return "Internal Server Error";
	}
}

void
fr_wire_problem_write(
    struct fr_buf *b, int status, const char *type, const char *detail)
{
	fr_jsonw_open(b, '{');
	fr_jsonw_key(b, "type");
	fr_jsonw_strz(b, type);
	fr_jsonw_key(b, "title");
	fr_jsonw_strz(b, fr_wire_problem_title(status));
	fr_put_i64(b, "status", status);
	if (detail != NULL && detail[0] != '\0') {
		fr_jsonw_key(b, "detail");
		fr_jsonw_strz(b, detail);
	}
	fr_jsonw_close(b, '}');
}

void
fr_wire_problem_detail(struct fr_span json, char *dst, size_t size)
{
	struct fr_buf text;
	struct fr_span v;
	char *p;
	size_t len;

	dst[0] = '\0';
	if (fr_json_check(json, FR_JSON_DEPTH, &v, NULL) != FR_OK ||
	    fr_json_type(v) != FR_JSON_OBJECT)
		return;
	json = v;
	v = fr_json_get(json, "detail");
	if (v.p == NULL || fr_json_type(v) != FR_JSON_STRING)
		v = fr_json_get(json, "title");
	if (v.p == NULL || fr_json_type(v) != FR_JSON_STRING)
		return;
	fr_buf_init(&text, 0);
	p = fr_buf_reserve(&text, v.len);
	if (p != NULL) {
		len = fr_json_unescape(p, v);
		if (len > size - 1)
			len = size - 1;
		memcpy(dst, p, len);
		dst[len] = '\0';
	}
	fr_buf_fini(&text);
}
