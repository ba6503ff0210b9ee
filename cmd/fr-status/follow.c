/* SPDX-License-Identifier: MIT */
/*
 * Events as they come. A connection that ends or breaks is made again, and
 * the last event's number goes with it, so that those in between come too as
 * long as the manager remembers them.
 */
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "client/sse.h"

#define EVENT_MOST ((size_t)64 << 20)
#define PAUSE_MS 500

struct follower {
	struct fr_sse sse;
	struct fr_err err;
	bool tty;
	bool any; /* an event came on this connection */
};

static bool
on_event(
    void *arg, struct fr_span event, struct fr_span id, struct fr_span data)
{
	struct follower *f = arg;
	struct fr_buf b;

	(void)event;
	(void)id;
	f->any = true;
	fr_buf_init(&b, 0);
	if (f->tty)
		fr_str_visible(&b, data, false);
	else
		fr_buf_addspan(&b, data);
	fr_buf_addc(&b, '\n');
	if (fr_buf_ok(&b))
		(void)fwrite(b.p, 1, b.len, stdout);
	fr_buf_fini(&b);
	/* Whoever reads wants them now. A closed pipe ends it, quietly. */
	if (fflush(stdout) == 0)
		return true;
	if (errno == EPIPE)
		clearerr(stdout);
	return false;
}

static bool
on_piece(void *arg, struct fr_span piece)
{
	struct follower *f = arg;

	return fr_sse_feed(&f->sse, piece, on_event, f, &f->err) == FR_OK;
}

static void
pause_before(const struct follower *f)
{
	const int64_t ms = f->sse.retry_ms > 0 ? f->sse.retry_ms : PAUSE_MS;
	const struct timespec ts = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000L };

	(void)nanosleep(&ts, NULL);
}

/* "/v1/events?type=…&job=…"; the stream wants the whole id. */
static enum fr_rc
make_path(char *dst, size_t size, struct fr_client *cl, const struct conf *conf,
    const char *id, struct fr_err *err)
{
	const char *type = conf->type != NULL ? conf->type : "";
	struct fr_jobview told = { .arena = NULL };
	struct fr_err why = FR_ERR_INIT;
	enum fr_rc rc = FR_OK;

	if (id != NULL)
		rc = fr_jobs_get(cl, id, &told, &why);
	if (rc != FR_OK)
		(void)fr_fail(err, rc, "%s: %s", id, why.msg);
	if (rc == FR_OK && !fr_str_format(dst, size, "/v1/events%s%s%s%s",
			       *type != '\0' ? "?type=" : "", type,
			       id == NULL      ? ""
			       : *type != '\0' ? "&job="
					       : "?job=",
			       told.id))
		rc = fr_fail(err, FR_USAGE, "too long");
	fr_jobview_fini(&told);
	return rc;
}

/* Whether it is worth another try after rc. */
static bool
goes_on(const struct fr_client *cl, enum fr_rc rc)
{
	return rc == FR_OK || rc == FR_AGAIN ||
	       (rc == FR_UNREACHABLE && fr_client_reached(cl));
}

enum fr_rc
follow(struct fr_client *cl, const struct conf *conf, const char *id)
{
	struct follower f = { .tty = fr_tty(STDOUT_FILENO) };
	struct fr_call call = { .method = "GET",
		.accept = "text/event-stream",
		.piece = on_piece,
		.arg = &f };
	struct fr_err err = FR_ERR_INIT;
	char path[256];
	enum fr_rc rc;

	fr_sse_init(&f.sse, EVENT_MOST);
	rc = make_path(path, sizeof(path), cl, conf, id, &err);
	call.path = path;
	while (rc == FR_OK) {
		call.last_event_id =
		    f.sse.last_id.len > 0 ? fr_buf_cstr(&f.sse.last_id) : NULL;
		f.any = false;
		rc = fr_client_call(cl, &call, &err);
		if (f.err.rc == FR_TIMEOUT) /* stdout is closed */
			break;
		if (f.err.rc != FR_OK) {
			err = f.err;
			rc = f.err.rc;
			break;
		}
		if (!goes_on(cl, rc))
			break;
		if (rc != FR_OK && f.any)
			fr_warnf("%s; connecting again", err.msg);
		rc = FR_OK;
		fr_sse_restart(&f.sse);
		pause_before(&f);
	}
	if (f.err.rc == FR_TIMEOUT)
		rc = FR_OK; /* fr_finish looks at stdout */
	else
		fr_warn(&err);
	fr_sse_fini(&f.sse);
	fr_buf_fini(&call.answer);
	return rc;
}
