/* SPDX-License-Identifier: MIT */
#include "ops.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static struct fr_mdb *
enter(struct fr_store *s)
{
	struct fr_mdb *db = fr_mem_enter_write(s);

	db->events_dirty = true;
	return db;
}

static struct fr_mdb_event *
event_new(const struct fr_outbox_event *ev)
{
	struct fr_mdb_event *e;

	e = calloc(1, sizeof(*e) + ev->type.len + ev->json.len);
	if (e == NULL)
		return NULL;
	e->kind = ev->kind;
	e->fresh = true;
	e->claimed_ms = INT64_MIN;
	e->type = (struct fr_span){ e->bytes, ev->type.len };
	e->json = (struct fr_span){ e->bytes + ev->type.len, ev->json.len };
	if (ev->type.len > 0)
		memcpy(e->bytes, ev->type.p, ev->type.len);
	if (ev->json.len > 0)
		memcpy(e->bytes + ev->type.len, ev->json.p, ev->json.len);
	return e;
}

enum fr_rc
fr_mem_outbox_put(struct fr_store *s, struct fr_outbox_event *ev, size_t n,
    struct fr_err *err)
{
	struct fr_mdb *db = enter(s);
	struct fr_mdb_event *e;
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < n; i++) {
		e = event_new(&ev[i]);
		if (e == NULL) {
			rc = FR_NOMEM;
			break;
		}
		e->number = ev[i].number = ++db->last_event;
		*db->events_end = e;
		db->events_end = &e->next;
	}
	return fr_mem_leave(db, rc, err);
}

enum fr_rc
fr_mem_outbox_take(struct fr_store *s, int64_t now_ms, int64_t until_ms,
    size_t limit, fr_outbox_emit_fn *emit, void *arg, struct fr_err *err)
{
	struct fr_mdb *db = enter(s);
	struct fr_outbox_event ev;
	struct fr_mdb_event *e;
	enum fr_rc rc = FR_OK;

	for (e = db->events; e != NULL && limit > 0 && rc == FR_OK;
	     e = e->next) {
		if (e->gone || e->claimed_ms > now_ms)
			continue;
		limit--;
		e->claimed_ms = until_ms;
		e->tries++;
		ev = (struct fr_outbox_event){
			.number = e->number,
			.kind = e->kind,
			.type = e->type,
			.json = e->json,
			.tries = e->tries,
		};
		rc = emit(arg, &ev);
	}
	return fr_mem_leave(db, rc, err);
}

static struct fr_mdb_event *
event_find(struct fr_mdb *db, int64_t number)
{
	struct fr_mdb_event *e;

	for (e = db->events; e != NULL && e->number < number;)
		e = e->next;
	return e != NULL && e->number == number && !e->gone ? e : NULL;
}

enum fr_rc
fr_mem_outbox_done(
    struct fr_store *s, const int64_t *numbers, size_t n, struct fr_err *err)
{
	struct fr_mdb *db = enter(s);
	struct fr_mdb_event *e;
	size_t i;

	for (i = 0; i < n; i++) {
		e = event_find(db, numbers[i]);
		if (e != NULL)
			e->gone = true;
	}
	return fr_mem_leave(db, FR_OK, err);
}

enum fr_rc
fr_mem_outbox_retry(
    struct fr_store *s, int64_t number, int64_t at_ms, struct fr_err *err)
{
	struct fr_mdb *db = enter(s);
	struct fr_mdb_event *e = event_find(db, number);

	if (e != NULL)
		e->claimed_ms = at_ms;
	return fr_mem_leave(db, FR_OK, err);
}
