/* SPDX-License-Identifier: MIT */
#include "cli/prog.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/str.h"
#include "cli/help.h"

/*
 * getopt_long does the splitting; what it returns is LONG plus the option's
 * number (fr_help_option), or a letter.
 */

#define LONG 256
#define DUMP 255

static const char *prog_name = "forerunner";

static void
say(const char *fmt, va_list ap)
{
	struct fr_buf b;
	char text[1024];

	/* Text from elsewhere must not steer the terminal. */
	fr_buf_init(&b, 0);
	if (vsnprintf(text, sizeof(text), fmt, ap) >= 0)
		fr_str_visible(&b, fr_span_of(text), true);
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: %s\n", prog_name, fr_buf_cstr(&b));
	fr_buf_fini(&b);
}

const char *
fr_prog_name(void)
{
	return prog_name;
}

void
fr_warnf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void
fr_warn(const struct fr_err *err)
{
	fr_warnf("%s", err->msg[0] != '\0' ? err->msg : fr_rc_name(err->rc));
}

void
fr_usage(const struct fr_prog *prog, const char *fmt, ...)
{
	va_list ap;

	prog_name = prog->name;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "Try `%s --help`.\n", prog->name);
	exit(fr_exit_status(FR_USAGE));
}

/* "--delay"; good until the next call. */
static const char *
shown(const struct fr_opt *o)
{
	static char text[64];

	(void)snprintf(text, sizeof(text), "--%s", o->name);
	return text;
}

static void *
target(const struct fr_opt *o, void *conf)
{
	return (char *)conf + o->offset;
}

/*
 * Lists live as long as the program; that they are known here keeps leak
 * checkers quiet when main has returned.
 */
static const char **lists[16];

static void
add_to_list(struct fr_strs *list, const char *value)
{
	const char **v;
	size_t i;

	for (i = 0; i + 1 < sizeof(lists) / sizeof(lists[0]) &&
		    lists[i] != NULL && lists[i] != list->v;
	     i++)
		continue;
	v = reallocarray(list->v, list->n + 1, sizeof(*v));
	if (v == NULL) {
		fr_warnf("out of memory");
		exit(fr_exit_status(FR_NOMEM));
	}
	list->v = lists[i] = v;
	v[list->n++] = value;
}

/* A duration in the largest unit that leaves no rest. */
static void
show_ms(char *dst, size_t size, int64_t ms)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" },
		{ 1000, "s" }, { 1, "ms" } };
	size_t i = 0;

	while (ms % units[i].ms != 0 || (ms == 0 && units[i].ms != 1000))
		i++;
	(void)snprintf(
	    dst, size, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

static _Noreturn void
out_of_range(const struct fr_prog *prog, const struct fr_opt *o,
    const char *value, bool too_large, int64_t min, int64_t max)
{
	char from[32], to[32];

	if (o->kind == FR_OPT_DURATION) {
		show_ms(from, sizeof(from), min);
		show_ms(to, sizeof(to), max);
	} else {
		(void)snprintf(from, sizeof(from), "%lld", (long long)min);
		(void)snprintf(to, sizeof(to), "%lld", (long long)max);
	}
	if (max == INT64_MAX && too_large)
		fr_usage(prog, "%s: %s is too large", shown(o), value);
	if (max == INT64_MAX)
		fr_usage(prog, "%s: %s is not allowed: at least %s", shown(o),
		    value, from);
	fr_usage(prog, "%s: %s is not allowed: from %s to %s", shown(o), value,
	    from, to);
}

static void
set_number(const struct fr_prog *prog, const struct fr_opt *o,
    const char *value, void *conf)
{
	const int64_t max = (o->min == 0 && o->max == 0 ? INT64_MAX : o->max);
	const struct fr_span s = fr_span_of(value);
	const char *what = "a whole number";
	enum fr_rc rc = FR_OK;
	int64_t v = 0;
	size_t bytes;

	if (o->kind == FR_OPT_INT)
		rc = fr_str_i64(s, o->min, max, &v);
	else if (o->kind == FR_OPT_DURATION) {
		what = "a duration (90, 1.5s, 15m, 2h, 7d)";
		rc = fr_str_duration(s, &v);
	} else {
		what = "a size (4096, 64k, 16M, 1G)";
		rc = fr_str_size(s, &bytes);
		if (rc == FR_OK && bytes > INT64_MAX)
			rc = FR_INVALID;
		if (rc == FR_OK)
			v = (int64_t)bytes;
	}
	if (rc == FR_SYNTAX)
		fr_usage(prog, "%s: `%s` is not %s", shown(o), value, what);
	if (rc != FR_OK || v < o->min || v > max)
		out_of_range(prog, o, value, rc != FR_OK && value[0] != '-',
		    o->min, max);
	if (o->kind == FR_OPT_SIZE)
		*(size_t *)target(o, conf) = (size_t)v;
	else
		*(int64_t *)target(o, conf) = v;
}

static void
set_option(const struct fr_prog *prog, const struct fr_opt *o,
    const char *value, void *conf)
{
	struct fr_maybe *maybe;

	switch (o->kind) {
	case FR_OPT_FLAG:
		*(bool *)target(o, conf) = true;
		return;
	case FR_OPT_STR:
		*(const char **)target(o, conf) = value;
		return;
	case FR_OPT_LIST:
		add_to_list(target(o, conf), value);
		return;
	case FR_OPT_MAYBE:
		maybe = target(o, conf);
		maybe->given = true;
		maybe->value = value;
		return;
	case FR_OPT_INT:
	case FR_OPT_DURATION:
	case FR_OPT_SIZE:
		set_number(prog, o, value, conf);
		return;
	}
}

static _Noreturn void
unknown(const struct fr_prog *prog, char *argv[])
{
	const char *word = argv[optind - 1], *near;
	char name[64];

	if (optopt >= LONG)
		fr_usage(prog, "%s: takes no value",
		    shown(fr_help_option(prog, (size_t)(optopt - LONG))));
	if (optopt >= '0' && optopt <= '9')
		fr_usage(prog,
		    "-%c: no such option; a negative number goes behind --",
		    optopt);
	if (optopt != 0 && optopt != DUMP)
		fr_usage(prog, "-%c: no such option", optopt);
	(void)fr_str_copy(
	    name, sizeof(name), (struct fr_span){ word, strcspn(word, "=") });
	near = (name[0] == '-' ? fr_help_nearest(prog, name + 2) : NULL);
	if (near != NULL)
		fr_usage(
		    prog, "%s: no such option; did you mean --%s?", name, near);
	fr_usage(prog, "%s: no such option", name[0] != '\0' ? name : word);
}

static _Noreturn void
stop(void)
{
	exit(fr_finish(FR_OK));
}

/* The option that getopt_long means by r. */
static const struct fr_opt *
found(const struct fr_prog *prog, int r)
{
	const struct fr_opt *o;
	size_t i;

	if (r >= LONG)
		return fr_help_option(prog, (size_t)(r - LONG));
	for (i = 0; (o = fr_help_option(prog, i)) != NULL; i++)
		if (o->letter == r)
			break;
	fr_assert(o != NULL);
	return o;
}

static void
act(const struct fr_prog *prog, int r, char *argv[], void *conf)
{
	const struct fr_opt *o;

	switch (r) {
	case '?':
		unknown(prog, argv);
	case ':':
		fr_usage(prog, "%s: needs a value", shown(found(prog, optopt)));
	case DUMP:
		fr_help_dump(prog);
		stop();
	default:
		break;
	}
	o = found(prog, r);
	if (strcmp(o->name, "help") == 0) {
		fr_help_print(prog);
		stop();
	}
	if (strcmp(o->name, "version") == 0) {
		printf("%s (Forerunner) %s\n", prog->name, FR_VERSION);
		stop();
	}
	set_option(prog, o, optarg, conf);
}

static int
has_arg(enum fr_opt_kind kind)
{
	if (kind == FR_OPT_FLAG)
		return no_argument;
	return kind == FR_OPT_MAYBE ? optional_argument : required_argument;
}

int
fr_args(const struct fr_prog *prog, int argc, char *argv[], void *conf)
{
	static const char *const colons[] = { "", ":", "::" };
	/* Not lost when bad usage exits from within. */
	static struct option *longs;
	const struct fr_opt *o;
	struct fr_buf letters;
	size_t i;
	int r;

	prog_name = prog->name;
	fr_occupy_fds(2);
	(void)signal(SIGPIPE, SIG_IGN);
	longs = calloc(
	    fr_help_count(prog->opts) + fr_help_count(fr_help_common) + 2,
	    sizeof(*longs));
	fr_buf_init(&letters, 0);
	fr_buf_addc(&letters, ':'); /* a missing value is told apart */
	for (i = 0; longs != NULL && (o = fr_help_option(prog, i)) != NULL;
	     i++) {
		fr_assert(i == 0 || strcmp(longs[i - 1].name, o->name) < 0);
		longs[i] = (struct option){ o->name, has_arg(o->kind), NULL,
			LONG + (int)i };
		if (o->letter != 0)
			fr_buf_addf(&letters, "%c%s", o->letter,
			    colons[has_arg(o->kind)]);
	}
	if (longs == NULL || !fr_buf_ok(&letters)) {
		fr_warnf("out of memory");
		exit(fr_exit_status(FR_NOMEM));
	}
	longs[i] = (struct option){ "dump-options", no_argument, NULL, DUMP };
	opterr = 0;
	while ((r = getopt_long(
		    argc, argv, fr_buf_cstr(&letters), longs, NULL)) != -1)
		act(prog, r, argv, conf);
	free(longs);
	longs = NULL;
	fr_buf_fini(&letters);
	return optind;
}
