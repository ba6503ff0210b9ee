/* SPDX-License-Identifier: MIT */
#include "wire/head.h"

/* Chunked bodies: RFC 9112, section 7.1. */

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum {
	CHUNK_SIZE = 0, /* hex digits */
	CHUNK_EXT,      /* up to the end of the line */
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_CR,
	CHUNK_LF,
	CHUNK_TRAILER,
	CHUNK_TRAILER_LF
};

/* What is not data may not go on for ever. */
#define MAX_EXTRA 4096
#define MAX_DIGITS 15

static enum fr_rc
bad_chunk(struct fr_err *err)
{
	return fr_fail(err, FR_SYNTAX, "read body: no chunk");
}

/* One byte that is not data. */
static enum fr_rc
chunk_byte(struct fr_chunked *c, char b, struct fr_err *err)
{
	if (++c->extra > MAX_EXTRA)
		return fr_fail(
		    err, FR_SYNTAX, "read body: too much beside the data");
	switch (c->state) {
	case CHUNK_SIZE:
		if (hex(b) != -1) {
			if (++c->digits > MAX_DIGITS)
				return bad_chunk(err);
			c->left = c->left * 16 + (uint64_t)hex(b);
			return FR_AGAIN;
		}
		if (c->digits == 0)
			return bad_chunk(err);
		c->state = CHUNK_EXT;
		if (b != ';' && b != '\r')
			return bad_chunk(err);
		/* FALLTHROUGH */
	case CHUNK_EXT:
		if (b == '\r')
			c->state = CHUNK_SIZE_LF;
		else if ((unsigned char)b < ' ' && b != '\t')
			return bad_chunk(err);
		return FR_AGAIN;
	case CHUNK_SIZE_LF:
		if (b != '\n')
			return bad_chunk(err);
		c->state = c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
		c->blank = true;
		return FR_AGAIN;
	case CHUNK_CR:
		c->state = CHUNK_LF;
		return b == '\r' ? FR_AGAIN : bad_chunk(err);
	case CHUNK_LF:
		c->state = CHUNK_SIZE;
		c->digits = 0;
		return b == '\n' ? FR_AGAIN : bad_chunk(err);
	case CHUNK_TRAILER:
		if (b == '\r')
			c->state = CHUNK_TRAILER_LF;
		else if (((unsigned char)b < ' ' && b != '\t'))
			return bad_chunk(err);
		else
			c->blank = false;
		return FR_AGAIN;
	default:
		if (b != '\n')
			return bad_chunk(err);
		if (c->blank)
			return FR_OK;
		c->state = CHUNK_TRAILER;
		c->blank = true;
		return FR_AGAIN;
	}
}

enum fr_rc
fr_chunked_feed(struct fr_chunked *c, struct fr_span in, size_t *used,
    struct fr_buf *body, struct fr_err *err)
{
	enum fr_rc rc = FR_AGAIN;
	size_t n;

	*used = 0;
	while (*used < in.len && rc == FR_AGAIN) {
		if (c->state != CHUNK_DATA) {
			rc = chunk_byte(c, in.p[(*used)++], err);
			continue;
		}
		n = in.len - *used;
		if (n > c->left)
			n = (size_t)c->left;
		if (body->max_bytes > 0 && n > body->max_bytes - body->len)
			return fr_fail(err, FR_TOOBIG,
			    "read body: more than the limit of %zu bytes",
			    body->max_bytes);
		fr_buf_add(body, in.p + *used, n);
		if (!fr_buf_ok(body))
			return fr_fail(
			    err, FR_NOMEM, "read body: out of memory");
		*used += n;
		c->left -= n;
		c->extra = 0;
		if (c->left == 0)
			c->state = CHUNK_CR;
	}
	return rc;
}
