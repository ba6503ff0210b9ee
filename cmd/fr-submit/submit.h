/* SPDX-License-Identifier: MIT */
#ifndef FR_SUBMIT_H
#define FR_SUBMIT_H

#include <stdbool.h>
#include <stdint.h>

#include <fr/err.h>

#include "base/buf.h"
#include "cli/prog.h"
#include "client/client.h"

/* What the command line says. */
struct conf {
	const char *manager;
	const char *token_file;
	const char *ca_file;
	int64_t retry_ms;
	bool bulk;
	bool raw;
	bool quiet;
	struct fr_maybe wait;
	int64_t until_ms; /* monotonic; -1: for ever */
	/* of the job */
	const char *id;
	const char *key;
	const char *at;
	int64_t priority; /* INT64_MIN: not given, as below -1 */
	int64_t delay_ms;
	int64_t max_attempts;
	int64_t timeout_ms;
};

/* How a connection to the manager is opened: the same for all of them. */
struct fr_client_conf connection(const struct conf *conf);

/*
 * The options of the job as JSON members, each with a comma in front:
 * `,"priority":5`. FR_USAGE for a bad --at.
 */
FR_MUSTCHECK enum fr_rc data_options(
    const struct conf *conf, struct fr_buf *b, struct fr_err *err);

/*
 * Adds the job's data, one JSON value, made of the arguments behind TYPE:
 * none (null), one JSON text, @FILE, - for stdin, or key=value and key:=json.
 * FR_SYNTAX, FR_TOOBIG, FR_USAGE; FR_IO, FR_NOTFOUND for a file.
 */
FR_MUSTCHECK enum fr_rc data_value(
    char *const argv[], int argc, struct fr_buf *b, struct fr_err *err);

/* One job; prints its id or, with --wait, its result. */
enum fr_rc single(
    const struct conf *conf, const char *type, char *const argv[], int argc);

/* --bulk: NDJSON from stdin; whole jobs, or data if type is not NULL. */
enum fr_rc bulk(const struct conf *conf, const char *type);

#endif
