/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/map.h"
#include "run/chain.h"

struct member {
	struct fr_span key; /* the token as it first came */
	struct fr_span value;
};

struct merging {
	struct member *v;
	size_t n;
	size_t cap;
	struct fr_map *places; /* decoded key -> its place, counted from 1 */
	struct fr_buf key;
};

/* A key that is there already keeps its place and gets the new value. */
static bool
lay(struct merging *m, struct fr_span key, struct fr_span value)
{
	struct member *grown;
	uintptr_t place;
	char *room;

	fr_buf_reset(&m->key);
	room = fr_buf_reserve(&m->key, key.len);
	if (room == NULL)
		return false;
	fr_buf_commit(&m->key, fr_json_unescape_exact(room, key));
	place = (uintptr_t)fr_map_get(m->places, fr_buf_span(&m->key));
	if (place != 0) {
		m->v[place - 1].value = value;
		return true;
	}
	if (m->n == m->cap) {
		m->cap = m->cap == 0 ? 16 : m->cap * 2;
		grown = reallocarray(m->v, m->cap, sizeof(*grown));
		if (grown == NULL)
			return false;
		m->v = grown;
	}
	m->v[m->n].key = key;
	m->v[m->n++].value = value;
	return fr_map_put(
	    m->places, fr_buf_span(&m->key), (void *)(uintptr_t)m->n);
}

static bool
lay_all(struct merging *m, struct fr_span object)
{
	struct fr_json_iter it = fr_json_iter(object);
	struct fr_span key, value;

	while (fr_json_member(&it, &key, &value))
		if (!lay(m, key, value))
			return false;
	return true;
}

bool
fr_chain_merge(struct fr_buf *out, struct fr_span data, struct fr_span result)
{
	struct merging m = { .places = fr_map_new() };
	bool ok = m.places != NULL;
	size_t i;

	fr_buf_init(&m.key, 0);
	if (ok && fr_json_type(data) == FR_JSON_OBJECT)
		ok = lay_all(&m, data);
	if (ok && fr_json_type(result) == FR_JSON_OBJECT)
		ok = lay_all(&m, result);
	else if (ok)
		ok = lay(&m, FR_SPAN("\"result\""), result);
	fr_buf_addc(out, '{');
	for (i = 0; ok && i < m.n; i++) {
		if (i > 0)
			fr_buf_addc(out, ',');
		fr_buf_addspan(out, m.v[i].key);
		fr_buf_addc(out, ':');
		fr_buf_addspan(out, m.v[i].value);
	}
	fr_buf_addc(out, '}');
	fr_map_free(m.places);
	fr_buf_fini(&m.key);
	free(m.v);
	return ok && fr_buf_ok(out);
}
