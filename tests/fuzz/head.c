/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tests/fuzz/lib/fuzz.h"
#include "wire/head.h"

/*
 * The head of an HTTP request and a chunked body behind it. However the bytes
 * are cut into pieces, the end is found in the same place, and what was
 * accepted has one length.
 */

#define MAX_HEAD 1024

static enum fr_rc
find_in_pieces(struct fr_span in, size_t step, size_t *len)
{
	size_t scan = 0, n = 0;
	enum fr_rc rc = FR_AGAIN;

	*len = 0;
	while (rc == FR_AGAIN && n < in.len) {
		n = in.len - n < step ? in.len : n + step;
		rc = fr_head_find(
		    (struct fr_span){ in.p, n }, MAX_HEAD, &scan, len, NULL);
	}
	return rc;
}

static void
body(struct fr_span in)
{
	struct fr_chunked whole = { 0 }, cut = { 0 };
	struct fr_buf a, b;
	size_t used, n = 0;
	enum fr_rc rc, rc2 = FR_AGAIN;

	fr_buf_init(&a, 256);
	fr_buf_init(&b, 256);
	rc = fr_chunked_feed(&whole, in, &used, &a, NULL);
	must(used <= in.len);
	must(a.len <= 256);
	for (n = 0; rc2 == FR_AGAIN && n < in.len; n++) {
		size_t one;

		rc2 = fr_chunked_feed(
		    &cut, (struct fr_span){ in.p + n, 1 }, &one, &b, NULL);
	}
	must(rc == rc2 || in.len == 0);
	if (rc == FR_OK) {
		must(n == used);
		must(a.len == b.len);
		must(a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
	}
	fr_buf_fini(&a);
	fr_buf_fini(&b);
}

static void
check(const struct fr_head *h, struct fr_span text)
{
	must(h->method.len > 0);
	must(h->path.len > 0);
	must(!(h->chunked && h->has_length));
	must(!h->chunked || h->minor == 1);
	must(h->minor == 0 || h->host.p != NULL);
	must(h->has_length || h->length == 0);
	must(memmem(h->path.p, h->path.len, "%00", 3) == NULL);
	must(text.len >= 4);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fr_span in = { (const char *)data, size };
	struct fr_err err = FR_ERR_INIT;
	struct fr_head h;
	size_t len, len2, step;
	enum fr_rc rc;
	int status;

	rc = find_in_pieces(in, size + 1, &len);
	if (rc == FR_OK) {
		const struct fr_span text = { in.p, len };

		must(len <= MAX_HEAD && len <= size);
		must(memcmp(in.p + len - 4, "\r\n\r\n", 4) == 0);
		for (step = 1; step < 8; step++) {
			must(find_in_pieces(in, step, &len2) == FR_OK);
			must(len2 == len);
		}
		if (fr_head_parse(text, &h, &status, &err) == FR_OK) {
			check(&h, text);
			if (h.chunked)
				body(
				    (struct fr_span){ in.p + len, size - len });
		} else {
			must(status >= 400 && status < 600);
			must(err.msg[0] != '\0');
		}
	}
	body(in);
	return 0;
}
