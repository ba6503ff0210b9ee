/* SPDX-License-Identifier: MIT */
#include "pg.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/str.h"
#include "base/time.h"

/*
 * One connection, in libpq's pipeline mode and non-blocking: statements are
 * added, a Sync ends the round trip, and every wait has a deadline, so that a
 * server that is stopped, or cut off, cannot hold the manager. A connection
 * that fails in any way is dropped, and a new one is tried in begin, after a
 * time that doubles up to half a second and is drawn at random, so that many
 * managers do not come back in one moment.
 */

#define ANSWER_MS 25000 /* the server's own limit is 20 s */
#define BACKOFF_MIN_MS 20
#define BACKOFF_MAX_MS 500
#define RESOLVE_MS 10000

/*
 * What libpq says, on one line. Its messages are of several: one for each
 * address that was tried, and hints, which begin with a tab.
 */
static void
one_line(char *dst, size_t size, const char *text)
{
	const char *end, *gap;
	size_t n = 0, len;

	dst[0] = '\0';
	while (*text != '\0') {
		end = strchrnul(text, '\n');
		len = (size_t)(end - text);
		while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
			len--;
		if (!fr_str_format(dst + n, size - n, "%.*s", (int)len, text))
			return;
		n += len;
		gap = *end == '\0' || end[1] != '\t' ? "; " : " ";
		text = end + strspn(end, "\n\r\t ");
		if (n > 0 && strchr(".?!:;", dst[n - 1]) != NULL)
			gap = " ";
		else if (*gap == ' ' && *text >= 'A' && *text <= 'Z')
			gap = ". ";
		if (*text == '\0' || n + strlen(gap) >= size)
			return;
		n = (size_t)(stpcpy(dst + n, gap) - dst);
	}
}

static enum fr_rc
lose(struct fr_pg *s, const char *why)
{
	char text[FR_ERR_MAX]; /* fr_fail cuts it where a character ends */

	one_line(text, sizeof(text), why);
	if (!s->lost)
		(void)fr_fail(&s->why, FR_AGAIN, "postgres: %s", text);
	s->lost = true;
	return FR_AGAIN;
}

static enum fr_rc
lost(struct fr_pg *s, struct fr_err *err)
{
	return fr_fail(err, FR_AGAIN, "%s", s->why.msg);
}

static void
sent_clear(struct fr_pg *s)
{
	size_t i;

	for (i = 0; i < s->nsent; i++) {
		PQclear(s->sent[i].res);
		s->sent[i].res = NULL;
	}
	s->nsent = 0;
}

void
fr_pg_disconnect(struct fr_pg *s)
{
	sent_clear(s);
	PQfinish(s->db);
	s->db = NULL;
	s->tx_open = false;
	memset(s->prepared, 0, sizeof(s->prepared));
}

/* Waits for the socket; false at the deadline. */
static bool
wait_socket(struct fr_pg *s, bool writing, int64_t until_ms)
{
	const int64_t left = until_ms - fr_time_mono_ms();
	struct pollfd p = { .fd = PQsocket(s->db), .events = POLLIN };

	if (left <= 0)
		return false;
	if (writing)
		p.events |= POLLOUT;
	(void)poll(&p, 1, left > 1000 ? 1000 : (int)left);
	return true;
}

/* Until a result can be read without waiting. */
static enum fr_rc
await_result(struct fr_pg *s, int64_t until_ms)
{
	int unsent;

	for (;;) {
		unsent = PQflush(s->db);
		if (unsent < 0)
			return lose(s, PQerrorMessage(s->db));
		if (!PQisBusy(s->db))
			return FR_OK;
		if (!wait_socket(s, unsent > 0, until_ms))
			return lose(s, "no answer within the time limit");
		if (!PQconsumeInput(s->db))
			return lose(s, PQerrorMessage(s->db));
	}
}

enum fr_rc
fr_pg_simple(struct fr_pg *s, const char *sql, int64_t timeout_ms,
    PGresult **out, struct fr_err *err)
{
	const int64_t until_ms = fr_time_mono_ms() + timeout_ms;
	PGresult *res, *last = NULL;
	enum fr_rc rc = FR_OK;

	if (!PQsendQuery(s->db, sql))
		rc = lose(s, PQerrorMessage(s->db));
	while (rc == FR_OK && (rc = await_result(s, until_ms)) == FR_OK &&
	       (res = PQgetResult(s->db)) != NULL) {
		PQclear(last);
		last = res;
		if (PQresultStatus(res) == PGRES_FATAL_ERROR)
			rc = fr_pg_failed(s, res, "set up", err);
	}
	if (rc != FR_OK || out == NULL) {
		PQclear(last);
		last = NULL;
	}
	if (out != NULL)
		*out = last;
	return s->lost ? lost(s, err) : rc;
}

static void
later(struct fr_pg *s)
{
	s->backoff_ms = s->backoff_ms == 0 ? BACKOFF_MIN_MS : s->backoff_ms * 2;
	if (s->backoff_ms > BACKOFF_MAX_MS)
		s->backoff_ms = BACKOFF_MAX_MS;
	s->retry_ms =
	    fr_time_mono_ms() + s->backoff_ms / 2 +
	    (int64_t)fr_rand_below(&s->rand, (uint64_t)s->backoff_ms / 2 + 1);
}

static enum fr_rc
connect_now(struct fr_pg *s, bool migrate, struct fr_err *err)
{
	enum fr_rc rc;

	s->db = PQconnectdbParams(
	    (const char *const *)s->keys, (const char *const *)s->values, 0);
	if (s->db == NULL)
		return fr_fail(err, FR_NOMEM, "postgres: out of memory");
	if (PQstatus(s->db) != CONNECTION_OK) {
		(void)lose(s, PQerrorMessage(s->db));
		return lost(s, err);
	}
	rc = migrate ? fr_pg_unshared(s, err) : FR_OK;
	if (rc == FR_OK)
		rc = fr_pg_session(s, err);
	if (rc == FR_OK && migrate)
		rc = fr_pg_migrate(s, err);
	if (rc != FR_OK)
		return rc;
	if (PQsetnonblocking(s->db, 1) != 0 || !PQenterPipelineMode(s->db))
		return fr_fail(err, FR_BROKEN, "postgres: no pipeline mode");
	return FR_OK;
}

enum fr_rc
fr_pg_connect(struct fr_pg *s, bool migrate, struct fr_err *err)
{
	enum fr_rc rc;

	fr_pg_disconnect(s);
	s->lost = false;
	later(s); /* taken back by the first round trip that works */
	rc = connect_now(s, migrate, err);
	if (rc == FR_OK)
		return FR_OK;
	fr_pg_disconnect(s);
	if (!s->lost)
		(void)fr_fail(&s->why, rc, "%s",
		    err != NULL ? err->msg : "postgres: not usable");
	s->lost = true;
	return rc;
}

/* The server closes idle connections when it goes, and may have said why:
 * seen before use. */
static void
look_alive(struct fr_pg *s)
{
	struct pollfd p = { .fd = PQsocket(s->db), .events = POLLIN };
	PGresult *res;

	while (!s->lost && poll(&p, 1, 0) > 0) {
		if (!PQconsumeInput(s->db) ||
		    PQstatus(s->db) != CONNECTION_OK) {
			(void)lose(s, PQerrorMessage(s->db));
			break;
		}
		while (!PQisBusy(s->db) && (res = PQgetResult(s->db)) != NULL) {
			(void)fr_pg_failed(s, res, "idle", NULL);
			PQclear(res);
		}
	}
}

enum fr_rc
fr_pg_ready(struct fr_pg *s, struct fr_err *err)
{
	int64_t left;

	if (s->db != NULL && !s->lost)
		look_alive(s);
	if (s->db != NULL && !s->lost)
		return FR_OK;
	left = s->retry_ms - fr_time_mono_ms();
	if (left > 0) {
		/* So that a caller who tries at once does not spin. */
		(void)poll(NULL, 0, left > 50 ? 50 : (int)left);
		if (left > 50)
			return lost(s, err);
	}
	if (fr_pg_connect(s, false, err) == FR_OK)
		return FR_OK;
	return lost(s, err); /* whatever it was may be mended there */
}

static void
send_one(struct fr_pg *s, enum fr_pg_stmt stmt, const struct fr_pg_args *a)
{
	static const int binary[FR_PG_COLS] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1 };
	const struct fr_pg_text *t = &fr_pg_text[stmt];
	int ok;

	fr_assert(s->nsent < FR_PG_RESULTS - 1);
	if (s->lost || s->db == NULL) {
		s->lost = true;
		return;
	}
	if (!s->prepared[stmt]) {
		s->sent[s->nsent++] = (struct fr_pg_sent){ stmt, true, NULL };
		/* Believed for this round trip; a failure takes it back. */
		s->prepared[stmt] = true;
		if (!PQsendPrepare(s->db, t->name, t->sql, 0, NULL)) {
			(void)lose(s, PQerrorMessage(s->db));
			return;
		}
	}
	s->sent[s->nsent++] = (struct fr_pg_sent){ stmt, false, NULL };
	ok = a == NULL
		 ? PQsendQueryPrepared(s->db, t->name, 0, NULL, NULL, NULL, 1)
		 : PQsendQueryPrepared(
		       s->db, t->name, a->n, a->v, a->len, binary, 1);
	if (!ok || PQflush(s->db) < 0)
		(void)lose(s, PQerrorMessage(s->db));
}

/* Answered, or nothing sent: the next statement begins a new round trip. */
static bool
answered(const struct fr_pg *s)
{
	return s->nsent == 0 || s->sent[s->nsent - 1].res != NULL;
}

size_t
fr_pg_send(struct fr_pg *s, enum fr_pg_stmt stmt, const struct fr_pg_args *a)
{
	struct fr_pg_args mark = { .n = 0 };

	if (answered(s))
		sent_clear(s);
	if (s->in_tx && !s->tx_open) {
		s->tx_open = true;
		fr_pg_arg_i64(&mark, s->handle);
		fr_pg_arg_i64(&mark, ++s->number);
		send_one(s, FR_PG_BEGIN, NULL);
		send_one(s, FR_PG_MARK, &mark);
	}
	send_one(s, stmt, a);
	return s->nsent - 1;
}

/* The result of sent[i], and the end behind it. */
static enum fr_rc
take_result(struct fr_pg *s, struct fr_pg_sent *x, int64_t until_ms)
{
	PGresult *end;

	if (await_result(s, until_ms) != FR_OK)
		return FR_AGAIN;
	x->res = PQgetResult(s->db);
	if (x->res == NULL)
		return lose(s, "answers out of step");
	if (PQresultStatus(x->res) == PGRES_FATAL_ERROR)
		(void)fr_pg_failed(s, x->res, fr_pg_text[x->stmt].what, NULL);
	if (s->lost)
		return FR_AGAIN;
	if (await_result(s, until_ms) != FR_OK)
		return FR_AGAIN;
	end = PQgetResult(s->db);
	if (end != NULL) {
		PQclear(end);
		return lose(s, "answers out of step");
	}
	return FR_OK;
}

static enum fr_rc
take_sync(struct fr_pg *s, int64_t until_ms)
{
	PGresult *res;
	bool ok;

	if (await_result(s, until_ms) != FR_OK)
		return FR_AGAIN;
	res = PQgetResult(s->db);
	ok = PQresultStatus(res) == PGRES_PIPELINE_SYNC;
	PQclear(res);
	return ok ? FR_OK : lose(s, "answers out of step");
}

/* Looks at one result; the first failure stays in rc and err. */
static enum fr_rc
judge(struct fr_pg *s, struct fr_pg_sent *x, enum fr_rc rc, struct fr_err *err)
{
	enum fr_rc r = FR_OK;

	switch (PQresultStatus(x->res)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		if (x->stmt == FR_PG_MARK && !x->prepares)
			fr_pg_clock(s, fr_pg_int(x->res, 0, 0));
		return rc;
	case PGRES_PIPELINE_ABORTED:
		r = FR_AGAIN;
		break;
	case PGRES_FATAL_ERROR:
		r = fr_pg_failed(s, x->res, fr_pg_text[x->stmt].what,
		    rc == FR_OK ? err : NULL);
		break;
	case PGRES_EMPTY_QUERY:
	case PGRES_COPY_OUT:
	case PGRES_COPY_IN:
	case PGRES_BAD_RESPONSE:
	case PGRES_NONFATAL_ERROR:
	case PGRES_COPY_BOTH:
	case PGRES_SINGLE_TUPLE:
	case PGRES_PIPELINE_SYNC:
		r = lose(s, "answers out of step");
		break;
	}
	if (x->prepares)
		s->prepared[x->stmt] = false;
	return rc == FR_OK ? r : rc;
}

void
fr_pg_go(struct fr_pg *s)
{
	fr_assert(!answered(s) || s->lost);
	s->ntaken = 0;
	s->rc = FR_OK;
	s->until_ms = fr_time_mono_ms() + ANSWER_MS;
	if (!s->lost && (!PQpipelineSync(s->db) || PQflush(s->db) < 0))
		(void)lose(s, PQerrorMessage(s->db));
}

enum fr_rc
fr_pg_take(struct fr_pg *s, size_t n, struct fr_err *err)
{
	struct fr_pg_sent *x;

	for (; s->ntaken < n && !s->lost; s->ntaken++) {
		x = &s->sent[s->ntaken];
		if (take_result(s, x, s->until_ms) == FR_OK)
			s->rc = judge(s, x, s->rc, err);
	}
	return s->lost ? lost(s, err) : s->rc;
}

enum fr_rc
fr_pg_end_run(struct fr_pg *s, struct fr_err *err)
{
	(void)fr_pg_take(s, s->nsent, err);
	if (!s->lost)
		(void)take_sync(s, s->until_ms);
	if (s->lost) {
		sent_clear(s);
		return lost(s, err);
	}
	if (s->rc == FR_OK)
		s->backoff_ms = s->retry_ms = 0;
	return s->rc;
}

enum fr_rc
fr_pg_run(struct fr_pg *s, struct fr_err *err)
{
	fr_pg_go(s);
	return fr_pg_end_run(s, err);
}

const PGresult *
fr_pg_result(const struct fr_pg *s, size_t i)
{
	fr_assert(i < s->nsent && s->sent[i].res != NULL);
	return s->sent[i].res;
}

enum fr_rc
fr_pg_ask(struct fr_pg *s, enum fr_pg_stmt stmt, const struct fr_pg_args *a,
    const PGresult **out, struct fr_err *err)
{
	const bool alone = !s->in_tx;
	enum fr_rc rc = FR_OK;
	size_t i;

	if (alone)
		rc = fr_pg_ready(s, err);
	if (rc != FR_OK)
		return rc;
	i = fr_pg_send(s, stmt, a);
	rc = fr_pg_run(s, err);
	/* What stands alone may be asked again over a new connection. */
	if (alone && s->lost && fr_pg_ready(s, err) == FR_OK) {
		i = fr_pg_send(s, stmt, a);
		rc = fr_pg_run(s, err);
	}
	if (rc == FR_OK && out != NULL)
		*out = fr_pg_result(s, i);
	return rc;
}

static bool
state_in(const char *state, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strncmp(state, *list, strlen(*list)) == 0)
			return true;
	return false;
}

enum fr_rc
fr_pg_failed(
    struct fr_pg *s, const PGresult *res, const char *what, struct fr_err *err)
{
	/* The connection or its server is going, or is not the primary. */
	static const char *const gone[] = { "08", "57P", "25006", "25P03",
		"53300", NULL };
	/* Nothing happened, and it may well work the next time: deadlocks,
	 * locks, time limits, memory, connections. */
	static const char *const again[] = { "40", "55", "57014", "53200",
		"53300", "53400", "23505", NULL };
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *said = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	enum fr_rc rc = FR_IO;
	char text[FR_ERR_MAX]; /* fr_fail cuts it where a character ends */

	one_line(text, sizeof(text), said == NULL ? "connection lost" : said);
	if (state == NULL || state_in(state, gone)) {
		(void)lose(s, text);
		rc = FR_AGAIN;
	} else if (state_in(state, again)) {
		rc = FR_AGAIN;
	} else if (strcmp(state, "53100") == 0) {
		rc = FR_NOSPACE;
	} else if (strncmp(state, "42501", 5) == 0 ||
		   strncmp(state, "28", 2) == 0) {
		rc = FR_DENIED;
	}
	return fr_fail(err, rc, "postgres: %s: %s", what, text);
}

void
fr_pg_clock(struct fr_pg *s, int64_t wall_us)
{
	s->clock_at_ms = fr_time_mono_ms();
	s->clock_off_ms = wall_us / 1000 - s->clock_at_ms;
	s->clock_known = true;
}

/* One look: FR_OK committed, FR_AGAIN not; anything else: look again. */
static enum fr_rc
resolve_once(struct fr_pg *s, bool *known, struct fr_err *err)
{
	struct fr_pg_args a = { .n = 0 };
	const PGresult *res;
	enum fr_rc rc;

	rc = fr_pg_connect(s, false, err);
	if (rc != FR_OK)
		return rc;
	fr_pg_arg_i64(&a, s->handle);
	rc = fr_pg_ask(s, FR_PG_RESOLVE, &a, &res, err);
	if (rc != FR_OK)
		return rc;
	*known = PQntuples(res) == 1;
	if (*known && fr_pg_int(res, 0, 0) == s->number)
		return FR_OK;
	return fr_fail(err, *known ? FR_AGAIN : FR_UNKNOWN,
	    "postgres: commit: %s",
	    *known ? "the connection was lost before it"
		   : "the connection was lost and its mark is gone");
}

/*
 * The transaction wrote its number into our row of `handles` first, and held
 * the lock on it. So locking the row waits until the old session has ended,
 * one way or the other, and the number then tells. The server ends a session
 * that is idle in a transaction by itself.
 */
enum fr_rc
fr_pg_resolve(struct fr_pg *s, struct fr_err *err)
{
	const int64_t until_ms = fr_time_mono_ms() + RESOLVE_MS;
	bool known = false;
	enum fr_rc rc;

	fr_assert(!s->in_tx);
	do {
		rc = resolve_once(s, &known, err);
		if (known || rc == FR_UNKNOWN)
			return rc;
		(void)poll(NULL, 0, 20 + (int)fr_rand_below(&s->rand, 200));
	} while (fr_time_mono_ms() < until_ms);
	return fr_fail(err, FR_UNKNOWN,
	    "postgres: commit: may or may not have happened: %s",
	    s->lost ? s->why.msg : "its session has not ended");
}
