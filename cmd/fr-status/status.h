/* SPDX-License-Identifier: MIT */
#ifndef FR_STATUS_H
#define FR_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include <fr/err.h>

#include "cli/prog.h"
#include "client/client.h"
#include "client/jobs.h"
#include "text.h"

/* What the command line says. */
struct conf {
	const char *manager;
	const char *token_file;
	const char *ca_file;
	int64_t retry_ms;
	bool json;
	bool list;
	bool log;
	bool result;
	bool raw;
	bool workers;
	bool follow;
	bool watch;
	struct fr_maybe wait;
	int64_t until_ms; /* monotonic; -1: for ever */
	const char *state;
	const char *type;
	const char *after;
	int64_t limit;
};

/* GETs path; *json becomes the answer, checked, borrowed from call. */
FR_MUSTCHECK enum fr_rc get_json(struct fr_client *cl, const char *path,
    struct fr_call *call, struct fr_span *json, struct fr_err *err);

/* Prints JSON as the manager sent it, on one line. */
void print_json(struct fr_span json);

/*
 * Adds the types with their counts, then the workers. before: the numbers of
 * ended jobs an interval ago, for the rate; NULL: none.
 */
struct pace {
	int64_t at_ms; /* 0: never */
	int64_t ended;
	int64_t per_second; /* out; -1: not known yet */
};
FR_MUSTCHECK enum fr_rc overview_text(struct fr_client *cl, struct text *t,
    struct pace *pace, struct fr_err *err);
enum fr_rc overview(struct fr_client *cl, const struct conf *conf);

/* --workers */
FR_MUSTCHECK enum fr_rc workers_text(
    struct fr_span json, struct text *t, struct fr_err *err);
enum fr_rc workers(struct fr_client *cl, const struct conf *conf);

/* One job after the other: all about it, or its log, or its result. */
enum fr_rc jobs(
    struct fr_client *cl, const struct conf *conf, char *const ids[], int n);

/* --list. The page after id (NULL: the newest) as rows of a table. */
FR_MUSTCHECK enum fr_rc list_text(struct fr_client *cl, const struct conf *conf,
    int64_t limit, struct text *t, struct fr_err *err);
enum fr_rc list(struct fr_client *cl, const struct conf *conf);

/* --follow; id may be NULL. */
enum fr_rc follow(
    struct fr_client *cl, const struct conf *conf, const char *id);

/* --watch */
enum fr_rc watch(struct fr_client *cl, const struct conf *conf);

#endif
