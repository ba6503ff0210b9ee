/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/str.h"
#include "base/url.h"
#include "tests/fuzz/lib/fuzz.h"

/* No URL overruns its fields, and no message shows the password. */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fr_err err = FR_ERR_INIT;
	struct fr_span k, v, query;
	struct fr_url url;
	char value[64],
	    *text = fr_str_dup((struct fr_span){ (const char *)data, size });
	enum fr_rc rc;

	must(text != NULL);
	rc = fr_url_parse(text, &url, &err);
	must(rc == FR_OK || rc == FR_INVALID);
	if (rc != FR_OK)
		must(err.rc == FR_INVALID && err.msg[0] != '\0');
	if (rc != FR_OK && strlen(url.password) > 8)
		must(strstr(err.msg, url.password) == NULL);
	must(memchr(url.scheme, '\0', sizeof(url.scheme)) != NULL);
	must(memchr(url.host, '\0', sizeof(url.host)) != NULL);
	must(memchr(url.path, '\0', sizeof(url.path)) != NULL);
	if (rc == FR_OK) {
		must(url.scheme[0] != '\0');
		must(url.port >= -1 && url.port <= 65535);
		for (query = url.query; fr_url_next_param(&query, &k, &v);)
			must(v.p >= k.p && v.p + v.len <= text + strlen(text));
		rc = fr_url_param(url.query, "a", value, sizeof(value));
		if (rc == FR_OK)
			must(strlen(value) < sizeof(value));
	}
	free(text);
	return 0;
}
