/* SPDX-License-Identifier: MIT */
/*
 * Counts the words of a file. The text is read piece by piece, turned into
 * UTF-8, and cut at white space or at a token; only the distinct words are
 * kept. What is not valid in the encoding counts as U+FFFD.
 */
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/map.h"
#include "base/root.h"
#include "base/str.h"
#include "cli/handler.h"
#include "cli/prog.h"

#define BOM "\xef\xbb\xbf" /* a byte order mark, which is no text */
#define WORD_MAX ((size_t)1024 * 1024)

struct conf {
	const char *root;
};

static const struct fr_opt opts[] = {
	{ 0, "root", FR_OPT_STR, "DIR", offsetof(struct conf, root),
	    "read files in this directory only", 0, 0 },
	{ 0 },
};
static const struct fr_prog prog = {
	.name = "word_count",
	.args = "",
	.summary = "count the words of a file",
	.more = "Data: {\"location\":FILE or [FILE...],\"encoding\":NAME,"
		"\"token\":TEXT}.\n"
		"Encoding is utf-8 unless given; words are separated by white "
		"space,\nor by the token.\n"
		"Result: {\"count\":{WORD:N,...}}, the most frequent first.\n",
	.opts = opts,
};

struct word {
	struct fr_span text;
	int64_t n;
};

struct counter {
	struct fr_arena *arena;
	struct fr_map *words;
	const char *token; /* NULL: white space */
	size_t token_len;
	iconv_t cd;
	struct fr_buf text; /* UTF-8 that is not cut yet */
};

/* ---- words ---- */

static enum fr_rc
count_word(struct counter *c, struct fr_span text, struct fr_err *err)
{
	struct word *w;

	if (text.len == 0)
		return FR_OK;
	w = fr_map_get(c->words, text);
	if (w == NULL) {
		w = fr_arena_alloc(c->arena, sizeof(*w));
		if (w == NULL)
			return fr_fail(err, FR_NOMEM, "out of memory");
		w->text = fr_arena_dup(c->arena, text);
		if (w->text.p == NULL || !fr_map_put(c->words, text, w))
			return fr_fail(err, FR_NOMEM, "out of memory");
	}
	w->n++;
	return FR_OK;
}

/* The length of the white space character at p (Unicode's White_Space), or
 * 0. The text is valid UTF-8, and whole up to end. */
static size_t
space_len(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	const size_t left = (size_t)(end - p);

	if (u[0] == ' ' || (u[0] >= '\t' && u[0] <= '\r'))
		return 1;
	if (left >= 2 && u[0] == 0xc2 && (u[1] == 0x85 || u[1] == 0xa0))
		return 2;
	if (left < 3)
		return 0;
	if (u[0] == 0xe1 && u[1] == 0x9a && u[2] == 0x80)
		return 3; /* U+1680 */
	if (u[0] == 0xe2 && u[1] == 0x80 &&
	    (u[2] <= 0x8a || u[2] == 0xa8 || u[2] == 0xa9 || u[2] == 0xaf))
		return 3; /* U+2000..200A 2028 2029 202F */
	if (u[0] == 0xe2 && u[1] == 0x81 && u[2] == 0x9f)
		return 3; /* U+205F */
	if (u[0] == 0xe3 && u[1] == 0x80 && u[2] == 0x80)
		return 3; /* U+3000 */
	return 0;
}

/* The next separator in p..end: its place and length, or NULL. */
static const char *
find_separator(
    const struct counter *c, const char *p, const char *end, size_t *len)
{
	if (c->token != NULL) {
		*len = c->token_len;
		return memmem(p, (size_t)(end - p), c->token, c->token_len);
	}
	for (; p < end; p++) {
		*len = space_len(p, end);
		if (*len > 0)
			return p;
	}
	return NULL;
}

/* Counts the words that are whole; last: all that is left is one. */
static enum fr_rc
cut(struct counter *c, bool last, struct fr_err *err)
{
	const char *p = c->text.p, *at;
	const char *end = c->text.p + c->text.len;
	enum fr_rc rc = FR_OK;
	size_t len = 0;

	while (rc == FR_OK && p < end &&
	       (at = find_separator(c, p, end, &len)) != NULL) {
		rc =
		    count_word(c, (struct fr_span){ p, (size_t)(at - p) }, err);
		p = at + len;
	}
	if (rc == FR_OK && last && p < end) {
		rc = count_word(
		    c, (struct fr_span){ p, (size_t)(end - p) }, err);
		p = end;
	}
	if (c->text.len > 0)
		fr_buf_shift(&c->text, (size_t)(p - c->text.p));
	if (rc == FR_OK && c->text.len > WORD_MAX)
		rc = fr_fail(err, FR_TOOBIG, "a word of more than 1 MiB");
	return rc;
}

/* ---- text ---- */

/* Names that node.js knew, and what iconv calls them. */
static const char *
encoding_name(const char *name)
{
	static const char *const names[][2] = {
		{ "utf8", "UTF-8" },
		{ "binary", "ISO-8859-1" },
		{ "latin1", "ISO-8859-1" },
		{ "ucs2", "UTF-16LE" },
		{ "ucs-2", "UTF-16LE" },
		{ "utf16le", "UTF-16LE" },
	};
	size_t i;

	if (name == NULL)
		return "UTF-8";
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i][0]) == 0)
			return names[i][1];
	return name;
}

/* Adds what iconv makes of *in to the text; what is invalid becomes U+FFFD,
 * what is not whole yet stays in *in unless this is the end. */
static enum fr_rc
convert(
    struct counter *c, char **in, size_t *left, bool last, struct fr_err *err)
{
	char *out, *start;
	size_t room;

	while (*left > 0) {
		room = *left * 4 + 16;
		start = out = fr_buf_reserve(&c->text, room);
		if (out == NULL)
			return fr_fail(err, FR_NOMEM, "out of memory");
		errno = 0;
		(void)iconv(c->cd, in, left, &out, &room);
		fr_buf_commit(&c->text, (size_t)(out - start));
		if (*left == 0 || errno == E2BIG)
			continue;
		if (errno == EINVAL && !last)
			return FR_OK;
		fr_buf_adds(&c->text, "\xef\xbf\xbd");
		(*in)++;
		(*left)--;
	}
	return FR_OK;
}

static enum fr_rc
count_file(struct counter *c, int fd, const char *name, struct fr_err *err)
{
	char raw[65536], *in = raw;
	size_t left = 0;
	enum fr_rc rc = FR_OK;
	bool first = true;
	ssize_t n;

	(void)iconv(c->cd, NULL, NULL, NULL, NULL);
	do {
		memmove(raw, in, left);
		in = raw;
		n = read(fd, raw + left, sizeof(raw) - left);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return fr_failsys(err, FR_IO, "read %s", name);
		left += (size_t)n;
		rc = convert(c, &in, &left, n == 0, err);
		if (first && fr_span_starts(fr_buf_span(&c->text), BOM))
			fr_buf_shift(&c->text, sizeof(BOM) - 1);
		first = false;
		if (rc == FR_OK)
			rc = cut(c, n == 0, err);
	} while (rc == FR_OK && n != 0);
	return rc;
}

/* ---- the result ---- */

static int
by_count(const void *a, const void *b)
{
	const struct word *x = *(struct word *const *)a;
	const struct word *y = *(struct word *const *)b;
	const size_t len =
	    x->text.len < y->text.len ? x->text.len : y->text.len;
	int order;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	order = memcmp(x->text.p, y->text.p, len);
	if (order != 0)
		return order;
	return (x->text.len > y->text.len) - (x->text.len < y->text.len);
}

static enum fr_rc
write_counts(const struct counter *c, struct fr_buf *b, struct fr_err *err)
{
	const size_t n = fr_map_count(c->words);
	struct word **sorted;
	size_t i = 0, pos = 0;
	void *value;

	sorted = fr_arena_calloc(c->arena, n, sizeof(struct word *));
	if (sorted == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	while (fr_map_next(c->words, &pos, NULL, &value))
		sorted[i++] = value;
	qsort(sorted, n, sizeof(struct word *), by_count);
	fr_buf_adds(b, "{\"count\":{");
	for (i = 0; i < n; i++) {
		fr_jsonw_str(b, sorted[i]->text);
		fr_buf_addc(b, ':');
		fr_jsonw_i64(b, sorted[i]->n);
	}
	fr_buf_adds(b, "}}");
	return FR_OK;
}

/* ---- the data ---- */

static enum fr_rc
open_counter(struct counter *c, struct fr_input *in, struct fr_err *err)
{
	const char *encoding;
	enum fr_rc rc;

	*c = (struct counter){ .arena = in->arena, .cd = (iconv_t)-1 };
	fr_buf_init(&c->text, 0);
	rc = fr_input_object(in, err);
	if (rc == FR_OK)
		rc = fr_input_text(in, "encoding", false, &encoding, err);
	if (rc == FR_OK)
		rc = fr_input_text(in, "token", false, &c->token, err);
	if (rc != FR_OK)
		return rc;
	if (c->token != NULL && c->token[0] == '\0')
		return fr_fail(err, FR_INVALID, "data: `token` is empty");
	c->token_len = c->token == NULL ? 0 : strlen(c->token);
	c->cd = iconv_open("UTF-8", encoding_name(encoding));
	if (c->cd == (iconv_t)-1)
		return fr_fail(
		    err, FR_INVALID, "data: no encoding `%s`", encoding);
	c->words = fr_map_new();
	if (c->words == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	return FR_OK;
}

static void
close_counter(struct counter *c)
{
	fr_map_free(c->words);
	fr_buf_fini(&c->text);
	if (c->cd != (iconv_t)-1)
		(void)iconv_close(c->cd);
}

/* One file, named by a string token. */
static enum fr_rc
count_location(struct counter *c, const struct fr_root *root,
    struct fr_input *in, struct fr_span token, struct fr_err *err)
{
	const char *path;
	struct stat st;
	enum fr_rc rc;
	int fd = -1;

	rc = fr_input_string(in, token, "location", &path, err);
	if (rc == FR_OK)
		rc = fr_root_read(root, path, O_NONBLOCK, &fd, err);
	if (rc != FR_OK)
		return rc;
	if (fstat(fd, &st) == -1)
		rc = fr_failsys(err, FR_IO, "read %s", path);
	else if (!S_ISREG(st.st_mode))
		rc = fr_fail(err, FR_INVALID, "read %s: not a file", path);
	else
		rc = count_file(c, fd, path, err);
	(void)close(fd);
	return rc;
}

static enum fr_rc
word_count(
    const void *arg, struct fr_input *in, struct fr_buf *b, struct fr_err *err)
{
	const struct conf *conf = arg;
	struct counter c;
	struct fr_root root = { .fd = -1 };
	struct fr_json_iter it;
	struct fr_span location, one;
	enum fr_rc rc;

	rc = open_counter(&c, in, err);
	if (rc == FR_OK)
		rc = fr_root_open(&root, conf->root, err);
	if (rc != FR_OK)
		goto out;
	location = fr_json_get(in->value, "location");
	if (location.p == NULL) {
		rc = fr_fail(err, FR_INVALID, "data: `location` is missing");
	} else if (fr_json_type(location) != FR_JSON_ARRAY) {
		rc = count_location(&c, &root, in, location, err);
	} else {
		it = fr_json_iter(location);
		while (rc == FR_OK && fr_json_element(&it, &one))
			rc = count_location(&c, &root, in, one, err);
	}
	if (rc == FR_OK)
		rc = write_counts(&c, b, err);
out:
	fr_root_close(&root);
	close_counter(&c);
	return rc;
}

int
main(int argc, char *argv[])
{
	struct conf conf = { NULL };

	if (fr_args(&prog, argc, argv, &conf) < argc)
		fr_usage(&prog, "too many arguments");
	return fr_handler_run(word_count, &conf);
}
