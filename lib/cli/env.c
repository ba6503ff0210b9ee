/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "cli/prog.h"

#define TOKEN_MAX 4096

const char *
fr_env_manager(void)
{
	const char *url = getenv("FR_MANAGER");

	return url != NULL && url[0] != '\0' ? url : "http://127.0.0.1:2718";
}

/* Ends the text behind its first line, which must be fit for a header. */
static bool
first_line(char *z)
{
	char *p;

	z[strcspn(z, "\r\n")] = '\0';
	for (p = z; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return p != z;
}

const char *
fr_env_token(void)
{
	return fr_token(NULL);
}

const char *
fr_token(const char *path)
{
	/* Kept until the exit, like what getenv returns. */
	static struct fr_buf b;
	struct fr_err err = FR_ERR_INIT;

	if (path == NULL)
		path = getenv("FR_TOKEN_FILE");
	if (path == NULL || path[0] == '\0')
		return NULL;
	fr_buf_fini(&b);
	fr_buf_init(&b, TOKEN_MAX);
	if (fr_io_read_file(path, &b, &err) != FR_OK)
		fr_warn(&err);
	else if (fr_buf_cstr(&b)[0] == '\0' || !first_line(b.p))
		fr_warnf("%s: its first line is no token", path);
	else
		return b.p;
	exit(fr_exit_status(FR_DENIED));
}

const char *
fr_env_libexec(void)
{
	static char path[PATH_MAX];
	const char *env = getenv("FR_LIBEXEC");
	char exe[PATH_MAX], *slash, *name;
	ssize_t n;

	if (env != NULL && env[0] != '\0')
		return env;
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0)
		return FR_LIBEXEC;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (slash == NULL)
		return FR_LIBEXEC;
	*slash = '\0';
	name = strrchr(exe, '/');
	if (name == NULL || strcmp(name, "/bin") != 0)
		return FR_LIBEXEC;
	*name = '\0';
	if (!fr_str_format(
		path, sizeof(path), "%s/libexec/forerunner/handlers", exe) ||
	    access(path, X_OK) == -1)
		return FR_LIBEXEC;
	path[strlen(path) - strlen("/handlers")] = '\0';
	return path;
}
