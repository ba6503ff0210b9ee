/* SPDX-License-Identifier: MIT */
#include "cmd/shared/handling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "run/chain.h"

#define LOG_BYTES 65536 /* of stderr that are kept */
#define OTHER_FILES 48  /* that are no handler's */

void
handling_defaults(struct handling *h)
{
	h->slots = 1;
	h->kill_ms = 5000;
	h->max_result = (size_t)1 << 20;
	h->workdir = getenv("TMPDIR");
	if (h->workdir == NULL || h->workdir[0] == '\0')
		h->workdir = "/tmp";
}

static _Noreturn void
no_memory(void)
{
	fr_warnf("out of memory");
	exit(fr_exit_status(FR_NOMEM));
}

static void
add_env(struct handling *h, size_t *n, const char *name, const char *value)
{
	char *text;
	size_t len;

	if (value == NULL)
		return;
	len = strlen(name) + strlen(value) + 2;
	text = malloc(len);
	if (text == NULL)
		no_memory();
	(void)snprintf(text, len, "%s=%s", name, value);
	h->child_env[(*n)++] = text;
}

/* What handlers see of our environment; PATH is the runner's part. */
static void
make_env(struct handling *h, const struct fr_prog *prog, const char *manager)
{
	static const char *const usual[] = { "HOME", "LANG", "TZ" };
	const size_t nusual = sizeof(usual) / sizeof(usual[0]);
	const char *name;
	size_t i, n = 0;

	h->child_env = calloc(nusual + h->env.n + 2, sizeof(*h->child_env));
	if (h->child_env == NULL)
		no_memory();
	for (i = 0; i < nusual; i++)
		add_env(h, &n, usual[i], getenv(usual[i]));
	add_env(h, &n, "FR_MANAGER", manager);
	for (i = 0; i < h->env.n; i++) {
		name = h->env.v[i];
		if (name[0] == '\0' || strchr(name, '=') != NULL)
			fr_usage(prog, "--env %s: only the name of a variable",
			    name);
		if (strcmp(name, "PATH") == 0 ||
		    strncmp(name, "FR_JOB_", 7) == 0)
			fr_usage(prog, "--env %s: is set for each job", name);
		add_env(h, &n, name, getenv(name));
	}
}

/* A chain that cannot be read is better refused now than at its first job. */
static enum fr_rc
check_chains(struct fr_handlers *hs, struct fr_err *err)
{
	struct fr_chain *chain;
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; rc == FR_OK && i < hs->n; i++) {
		if (hs->v[i]->kind != FR_HANDLER_CHAIN)
			continue;
		rc = fr_chain_load(hs, hs->v[i], &chain, err);
		fr_chain_unref(chain);
	}
	return rc;
}

static enum fr_rc
find_handlers(
    struct handling *h, char *const names[], int n, struct fr_err *err)
{
	struct fr_handlers *hs = &h->handlers;
	enum fr_rc rc;
	int i;

	rc = fr_handlers_init(hs, fr_env_libexec(), getenv("PATH"), err);
	for (i = 0; rc == FR_OK && i < n; i++)
		rc = fr_handlers_add(hs, names[i], err);
	if (rc == FR_OK && h->dir != NULL)
		rc = fr_handlers_scan(hs, h->dir, err);
	return rc == FR_OK ? check_chains(hs, err) : rc;
}

/*
 * Each handler takes four pipes and a descriptor for its end, and each slot has
 * one for every .lines. Where that is more than the soft limit it is raised,
 * for ourselves.
 */
static void
raise_files(struct handling *h)
{
	rlim_t each = 5, need;
	struct rlimit rl;
	size_t i;

	h->soft_files = -1;
	for (i = 0; i < h->handlers.n; i++)
		each += h->handlers.v[i]->kind == FR_HANDLER_LINES ? 5 : 0;
	need = OTHER_FILES + (rlim_t)h->slots * each;
	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 || rl.rlim_cur >= need)
		return;
	h->soft_files = (int64_t)rl.rlim_cur;
	rl.rlim_cur = need < rl.rlim_max ? need : rl.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
	if (rl.rlim_cur < need)
		fr_warnf("%lld jobs at a time may need %llu open files, and "
			 "the limit is %llu",
		    (long long)h->slots, (unsigned long long)need,
		    (unsigned long long)rl.rlim_cur);
}

/* That such a file is no handler is easily overlooked. */
void
handling_warn(const struct handling *h)
{
	if (h->handlers.ignored != NULL)
		fr_warnf("%s/%s: not taken: a type is 1 to %d of A-Z a-z 0-9 "
			 "_ . -",
		    h->handlers.dir, h->handlers.ignored, FR_TYPE_MAX);
}

void
handling_load(struct handling *h, const struct fr_prog *prog,
    char *const names[], int n, const char *manager)
{
	struct fr_err err = FR_ERR_INIT;
	const enum fr_rc rc = find_handlers(h, names, n, &err);

	if (rc == FR_USAGE || rc == FR_NOTFOUND)
		fr_usage(prog, "%s", err.msg);
	if (rc != FR_OK) {
		fr_warn(&err);
		exit(fr_exit_status(rc));
	}
	if (access(h->workdir, W_OK | X_OK) == -1) {
		fr_warnf("%s: cannot make directories there", h->workdir);
		exit(fr_exit_status(FR_IO));
	}
	make_env(h, prog, manager);
	raise_files(h);
	handling_warn(h);
}

static void
on_withdrawn(void *arg, const struct fr_handler *h)
{
	(void)arg;
	fr_warnf("%s cannot be run here: %s", h->type, h->reason);
}

static void
on_note(void *arg, const char *text)
{
	(void)arg;
	fr_warnf("%s", text);
}

void
handling_runner(
    struct handling *h, struct fr_workdir *w, struct fr_runner_conf *r)
{
	memset(r, 0, sizeof(*r));
	r->slots = (unsigned)h->slots;
	r->strict = h->strict;
	r->max_result = h->max_result;
	r->max_log = LOG_BYTES;
	r->kill_ms = h->kill_ms;
	r->limits = (struct fr_limits)FR_LIMITS_NONE;
	r->limits.soft_files = h->soft_files;
	r->handlers = &h->handlers;
	r->workdir = w;
	r->env = h->child_env;
	r->withdrawn = on_withdrawn;
	r->note = on_note;
}
