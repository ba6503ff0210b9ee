/* SPDX-License-Identifier: MIT */
/*
 * Renames keys of an object, so that one step's result fits the next one's
 * input. Renamed keys stay where they are, all others are kept, and values
 * are copied token for token. All renamings happen at once, so that two keys
 * can be swapped; a renamed key takes the place of one that has its new name
 * and is not renamed itself.
 */
#include <string.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "cli/handler.h"
#include "cli/prog.h"

struct pair {
	const char *from;
	const char *to;
	bool used; /* the source has such a key */
};

struct map {
	struct pair *v;
	size_t n;
};

static const struct fr_opt opts[] = { { 0 } };
static const struct fr_prog prog = {
	.name = "key_map",
	.args = "[FROM=TO...]",
	.summary = "rename the keys of an object",
	.more =
	    "Data: {\"source\":{...},\"map\":{\"FROM\":\"TO\",...}}, or with "
	    "arguments only the\nobject. Result: the object with its keys "
	    "renamed; all others stay.\n",
	.opts = opts,
};

/* The pair that names this key token as FROM, or NULL. */
static struct pair *
renamed(const struct map *m, struct fr_span key)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (fr_json_string_is(key, m->v[i].from))
			return &m->v[i];
	return NULL;
}

/* Whether a key that keeps its name must give way to a renamed one. */
static bool
displaced(const struct map *m, struct fr_span key)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->v[i].used && fr_json_string_is(key, m->v[i].to))
			return true;
	return false;
}

static enum fr_rc
map_from_args(struct map *m, struct fr_arena *a, char *const argv[], int n,
    struct fr_err *err)
{
	char *eq;

	m->v = fr_arena_calloc(a, (size_t)n, sizeof(*m->v));
	if (m->v == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	for (; n > 0; n--, argv++) {
		eq = strchr(*argv, '=');
		if (eq == NULL)
			fr_usage(&prog, "%s: not FROM=TO", *argv);
		*eq = '\0';
		m->v[m->n++] = (struct pair){ .from = *argv, .to = eq + 1 };
	}
	return FR_OK;
}

static enum fr_rc
map_from_data(struct map *m, struct fr_input *in, struct fr_err *err)
{
	const struct fr_span map = fr_json_get(in->value, "map");
	struct fr_json_iter it;
	struct fr_span key, value;
	enum fr_rc rc = FR_OK;
	size_t n = 0;

	if (map.p == NULL || fr_json_type(map) != FR_JSON_OBJECT)
		return fr_fail(err, FR_INVALID, "data: `map` is no object");
	for (it = fr_json_iter(map); fr_json_member(&it, &key, &value);)
		n++;
	m->v = fr_arena_calloc(in->arena, n, sizeof(*m->v));
	if (m->v == NULL)
		return fr_fail(err, FR_NOMEM, "out of memory");
	it = fr_json_iter(map);
	while (rc == FR_OK && fr_json_member(&it, &key, &value)) {
		struct pair *p = &m->v[m->n++];

		rc = fr_input_string(in, key, "map", &p->from, err);
		if (rc == FR_OK)
			rc = fr_input_string(in, value, p->from, &p->to, err);
	}
	return rc;
}

/* Two keys of the source may not become one. */
static enum fr_rc
check_map(struct map *m, struct fr_span source, struct fr_err *err)
{
	struct fr_json_iter it = fr_json_iter(source);
	struct fr_span key, value;
	struct pair *p;
	size_t i, k;

	while (fr_json_member(&it, &key, &value)) {
		p = renamed(m, key);
		if (p != NULL)
			p->used = true;
	}
	for (i = 0; i < m->n; i++)
		for (k = 0; m->v[i].used && k < i; k++)
			if (m->v[k].used && strcmp(m->v[i].to, m->v[k].to) == 0)
				return fr_fail(err, FR_INVALID,
				    "map: `%s` and `%s` would both become `%s`",
				    m->v[k].from, m->v[i].from, m->v[i].to);
	return FR_OK;
}

static void
write_mapped(struct fr_buf *b, const struct map *m, struct fr_span source)
{
	struct fr_json_iter it = fr_json_iter(source);
	struct fr_span key, value;
	const struct pair *p;

	fr_jsonw_open(b, '{');
	while (fr_json_member(&it, &key, &value)) {
		p = renamed(m, key);
		if (p == NULL && displaced(m, key))
			continue;
		if (p == NULL)
			fr_jsonw_raw(b, key);
		else
			fr_jsonw_strz(b, p->to);
		fr_buf_addc(b, ':');
		fr_jsonw_raw(b, value);
	}
	fr_jsonw_close(b, '}');
}

/* FROM=TO... of the command line. */
struct conf {
	char *const *args;
	int nargs;
};

static enum fr_rc
key_map(
    const void *arg, struct fr_input *in, struct fr_buf *b, struct fr_err *err)
{
	const struct conf *conf = arg;
	const bool whole = conf->nargs > 0;
	struct fr_span source = in->value;
	struct map map = { NULL, 0 }, *m = &map;
	enum fr_rc rc = FR_OK;

	if (whole)
		rc = map_from_args(m, in->arena, conf->args, conf->nargs, err);
	if (rc == FR_OK)
		rc = fr_input_object(in, err);
	if (rc == FR_OK && !whole) {
		source = fr_json_get(in->value, "source");
		if (source.p == NULL || fr_json_type(source) != FR_JSON_OBJECT)
			return fr_fail(
			    err, FR_INVALID, "data: `source` is no object");
		rc = map_from_data(m, in, err);
	}
	if (rc == FR_OK)
		rc = check_map(m, source, err);
	if (rc == FR_OK)
		write_mapped(b, m, source);
	return rc;
}

int
main(int argc, char *argv[])
{
	struct conf conf;
	const int i = fr_args(&prog, argc, argv, &conf);

	conf.args = argv + i;
	conf.nargs = argc - i;
	return fr_handler_run(key_map, &conf);
}
