/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/str.h"
#include "tests/fuzz/lib/fuzz.h"
#include "wire/head.h"

/* A chunked body holds the same however its bytes come in. */

static enum fr_rc
feed(struct fr_span s, size_t piece, struct fr_buf *body, size_t *taken)
{
	struct fr_chunked c;
	struct fr_err err = FR_ERR_INIT;
	size_t used, n;
	enum fr_rc rc = FR_AGAIN;

	memset(&c, 0, sizeof(c));
	*taken = 0;
	while (rc == FR_AGAIN && s.len > 0) {
		n = (s.len < piece ? s.len : piece);
		rc = fr_chunked_feed(
		    &c, (struct fr_span){ s.p, n }, &used, body, &err);
		must(used <= n);
		must(rc != FR_AGAIN || used == n);
		s = (struct fr_span){ s.p + used, s.len - used };
		*taken += used;
	}
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fr_span s = { (const char *)data, size };
	struct fr_buf whole, pieces;
	size_t piece, taken, again;
	enum fr_rc rc;

	fr_buf_init(&whole, 2048);
	rc = feed(s, size + 1, &whole, &taken);
	for (piece = 1; piece < 4; piece++) {
		fr_buf_init(&pieces, 2048);
		must(feed(s, piece, &pieces, &again) == rc);
		if (rc == FR_OK || rc == FR_AGAIN)
			must(fr_span_eq(
			    fr_buf_span(&whole), fr_buf_span(&pieces)));
		if (rc == FR_OK)
			must(again == taken);
		fr_buf_fini(&pieces);
	}
	fr_buf_fini(&whole);
	return 0;
}
