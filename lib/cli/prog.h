/* SPDX-License-Identifier: MIT */
#ifndef FR_PROG_H
#define FR_PROG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fr/err.h>

#define FR_VERSION "0.4.0"

/*
 * The options of a program, as one table: it drives getopt_long, --help,
 * --dump-options (from which the manual's check and the completion are
 * made), and writes straight into the program's own struct.
 */
enum fr_opt_kind {
	FR_OPT_FLAG,     /* bool: becomes true */
	FR_OPT_STR,      /* const char *: borrowed from argv */
	FR_OPT_LIST,     /* struct fr_strs: may be given again */
	FR_OPT_INT,      /* int64_t within min..max */
	FR_OPT_DURATION, /* int64_t milliseconds within min..max (ms) */
	FR_OPT_SIZE,     /* size_t bytes within min..max */
	FR_OPT_MAYBE     /* struct fr_maybe: --wait or --wait=VALUE */
};

struct fr_strs {
	const char **v; /* never freed before exit */
	size_t n;
};

struct fr_maybe {
	bool given;
	const char *value; /* NULL: none */
};

struct fr_opt {
	char letter;      /* 0: none */
	const char *name; /* long name; the table is sorted by it */
	enum fr_opt_kind kind;
	const char *arg;  /* "URL", "N" ...; NULL for flags */
	size_t offset;    /* offsetof in the conf struct */
	const char *help; /* one line, lower case, no full stop */
	int64_t min, max; /* both 0: 0..INT64_MAX */
};

struct fr_prog {
	const char *name;
	const char *args;    /* behind the options in the usage; lines by \n */
	const char *summary; /* one line: what it is for */
	const char *more;    /* text behind the options in --help; or NULL */
	const struct fr_opt *opts; /* ends with an entry without a name */
};

/*
 * Parses argv into conf; -h/--help and -V/--version print and exit 0 (so
 * does the hidden --dump-options: "letter long kind arg TAB help" for each
 * option, "-" for what it has not), bad usage prints what is wrong and exits
 * 64. Options may stand between
 * arguments; "--" ends them. Returns the index of the first argument; argv
 * may be reordered. Resets SIGPIPE to ignored, holds the numbers of standard
 * descriptors that are closed, and remembers the name for fr_warn.
 */
int fr_args(const struct fr_prog *prog, int argc, char *argv[], void *conf);

/* Prints "NAME: message", then where to find help, and exits 64. */
_Noreturn void fr_usage(const struct fr_prog *prog, const char *fmt, ...)
    FR_PRINTF(2, 3);

/* FR_MANAGER, or "http://127.0.0.1:2718". */
const char *fr_env_manager(void);

/* The bearer token for the manager, from the file that FR_TOKEN_FILE names;
 * NULL if unset; a file that cannot be read exits 77. Never freed. */
const char *fr_env_token(void);

/* The same, from the file that --token-file names; NULL: fr_env_token. */
const char *fr_token(const char *path);

/* Where handlers/ with the built-in ones is: FR_LIBEXEC of the environment,
 * else beside a build tree's bin, else where it was installed. */
const char *fr_env_libexec(void);

/* "NAME: message" on stderr, control characters made visible. */
void fr_warn(const struct fr_err *err);
void fr_warnf(const char *fmt, ...) FR_PRINTF(1, 2);
/* The program's name, for what is too long for fr_warnf. */
const char *fr_prog_name(void);

/* The one with the larger exit status; a if they are the same. */
enum fr_rc fr_worse(enum fr_rc a, enum fr_rc b);

/*
 * The exit status of rc: the only table of it (lib/cli/exit.c).
 *   0  all done; FR_EXISTS too, since the same thing is there
 *   1  a job or a test failed; not found, in the wrong state, stale
 *  64  FR_USAGE
 *  65  bad data: FR_SYNTAX, FR_INVALID, FR_TOOBIG
 *  69  FR_UNREACHABLE
 *  74  FR_IO, FR_NOSPACE, FR_UNKNOWN, FR_NOMEM, FR_BROKEN
 *  75  not now: FR_TIMEOUT, FR_AGAIN
 *  77  FR_DENIED
 */
int fr_exit_status(enum fr_rc rc);

/*
 * Flushes stdout and checks that all of it was written (else says so, unless
 * the reader has closed the pipe; 74), and returns the exit status.
 */
FR_MUSTCHECK int fr_finish(enum fr_rc worst);

/*
 * Opens those of the descriptors 0 to last that are closed, so that nothing
 * else gets their numbers: what was meant for standard output must not end in
 * a database. Reading from 0 and writing to 1 and 2 fails as before. Without
 * /dev/null it exits. fr_args does it for 0 to 2.
 */
void fr_occupy_fds(int last);

/* Whether fd is a terminal on which colour is wanted (NO_COLOR, TERM). */
bool fr_tty_color(int fd);
bool fr_tty(int fd);
/* Columns of the terminal on fd, or 80. */
int fr_tty_width(int fd);

#endif
