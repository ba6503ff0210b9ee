/* SPDX-License-Identifier: MIT */
#include "run/command.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"

/* What a shell takes as it stands, in a word; '=' only behind the first. */
static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz0123456789_./+:@%,-=";

/* Words that some shell does itself, or reads as grammar. */
static const char own_words[] =
    " . : alias bg bind break builtin caller case cd command compgen complete "
    "continue coproc declare dirs disown do done echo elif else enable esac "
    "eval exec exit export false fc fg fi for function getopts hash help "
    "history if in jobs kill let local logout mapfile popd print printf pushd "
    "pwd read readarray readonly return select set shift shopt source suspend "
    "test then time times trap true type typeset ulimit umask unalias unset "
    "until wait whence while ";

void
fr_command_free(char **list)
{
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

/* Adds a copy of s, or takes the whole list away. */
static bool
push(char ***list, struct fr_span s)
{
	char **grown;
	size_t n = 0;

	while (*list != NULL && (*list)[n] != NULL)
		n++;
	grown = realloc(*list, (n + 2) * sizeof(*grown));
	if (grown == NULL)
		return false;
	*list = grown;
	grown[n] = fr_str_dup(s);
	grown[n + 1] = NULL;
	return grown[n] != NULL;
}

static struct fr_span
next_word(struct fr_span *s)
{
	struct fr_span w;
	size_t skip = 0;

	while (skip < s->len && (s->p[skip] == ' ' || s->p[skip] == '\t'))
		skip++;
	w.p = s->p + skip;
	w.len = 0;
	while (skip + w.len < s->len && w.p[w.len] != ' ' && w.p[w.len] != '\t')
		w.len++;
	s->p += skip + w.len;
	s->len -= skip + w.len;
	return w;
}

static bool
is_plain(struct fr_span word)
{
	size_t i;

	for (i = 0; i < word.len; i++)
		if (word.p[i] == '\0' || strchr(plain, word.p[i]) == NULL)
			return false;
	return word.len > 0;
}

/* Whether the shell would only look the first word up and execute it. */
static bool
is_simple(const char *text)
{
	struct fr_span rest = fr_span_of(text), word = next_word(&rest);
	char first[80];

	if (!is_plain(word) || memchr(word.p, '=', word.len) != NULL)
		return false;
	if (fr_str_format(
		first, sizeof(first), " %.*s ", (int)word.len, word.p) &&
	    strstr(own_words, first) != NULL)
		return false;
	for (word = next_word(&rest); word.len > 0; word = next_word(&rest))
		if (!is_plain(word))
			return false;
	return true;
}

/* The text with a relative path at its front made absolute; NULL: no memory. */
static char *
anchored(const char *text)
{
	struct fr_span word, rest;
	char rel[PATH_MAX], dir[PATH_MAX];
	struct fr_buf b;
	char *whole;

	text += strspn(text, " \t");
	word.p = text;
	word.len = strspn(text, plain);
	rest = fr_span_of(text + word.len);
	if (word.len == 0 || word.p[0] == '/' ||
	    memchr(word.p, '/', word.len) == NULL ||
	    memchr(word.p, '=', word.len) != NULL ||
	    (rest.len > 0 && strchr(" \t\n;|&<>", rest.p[0]) == NULL) ||
	    !fr_str_copy(rel, sizeof(rel), word) || access(rel, F_OK) == -1 ||
	    getcwd(dir, sizeof(dir)) == NULL || !is_plain(fr_span_of(dir)))
		return fr_str_dup(fr_span_of(text));
	fr_buf_init(&b, 0);
	fr_buf_adds(&b, dir);
	fr_buf_addc(&b, '/');
	fr_buf_addspan(&b, word);
	fr_buf_addspan(&b, rest);
	whole = fr_buf_ok(&b) ? fr_str_dup(fr_buf_span(&b)) : NULL;
	fr_buf_fini(&b);
	return whole;
}

/* dir/name for each directory of PATH that is absolute. */
static bool
candidates(char ***paths, struct fr_span name, const char *path)
{
	struct fr_buf b;
	const char *p, *end;
	bool ok = true;

	if (memchr(name.p, '/', name.len) != NULL)
		return push(paths, name);
	fr_buf_init(&b, 0);
	for (p = path; ok && *p != '\0'; p = *end == '\0' ? end : end + 1) {
		end = strchrnul(p, ':');
		if (*p != '/')
			continue;
		fr_buf_reset(&b);
		fr_buf_add(&b, p, (size_t)(end - p));
		fr_buf_addc(&b, '/');
		fr_buf_addspan(&b, name);
		ok = fr_buf_ok(&b) && push(paths, fr_buf_span(&b));
	}
	fr_buf_fini(&b);
	return ok && *paths != NULL;
}

static bool
parse(struct fr_command *c, const char *text, const char *path)
{
	struct fr_span rest = fr_span_of(text), word;

	if (!is_simple(text))
		return push(&c->paths, FR_SPAN("/bin/sh")) &&
		       push(&c->argv, FR_SPAN("sh")) &&
		       push(&c->argv, FR_SPAN("-c")) &&
		       push(&c->argv, fr_span_of(text));
	word = next_word(&rest);
	if (!candidates(&c->paths, word, path))
		return false;
	for (; word.len > 0; word = next_word(&rest))
		if (!push(&c->argv, word))
			return false;
	return true;
}

static enum fr_rc
no_memory(struct fr_command *c, struct fr_err *err)
{
	fr_command_free(c->paths);
	fr_command_free(c->argv);
	c->paths = c->argv = NULL;
	return fr_fail(err, FR_NOMEM, "out of memory");
}

enum fr_rc
fr_command_parse(struct fr_command *c, const char *text, const char *path,
    struct fr_err *err)
{
	char *whole = anchored(text);
	bool ok;

	c->paths = NULL;
	c->argv = NULL;
	ok = whole != NULL && parse(c, whole, path);
	free(whole);
	return ok ? FR_OK : no_memory(c, err);
}

enum fr_rc
fr_command_file(struct fr_command *c, const char *file, struct fr_err *err)
{
	c->paths = NULL;
	c->argv = NULL;
	if (push(&c->paths, fr_span_of(file)) &&
	    push(&c->argv, fr_span_of(file)))
		return FR_OK;
	return no_memory(c, err);
}
