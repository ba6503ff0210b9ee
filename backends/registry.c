/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "module.h"

/* The built-in backends: one line for each. */
static const struct fr_store_ops *const stores[] = {
	&fr_store_memory,
	&fr_store_postgres,
	&fr_store_exec,
	&fr_store_sqlite,
#ifdef FR_FAULT
	&fr_store_fault,
#endif
};
static const struct fr_queue_ops *const queues[] = {
	&fr_queue_memory,
	&fr_queue_redis,
	&fr_queue_rediss,
	&fr_queue_exec,
};

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

/* Other names for a scheme. */
static const char *const aliases[][2] = {
	{ "postgresql", "postgres" },
};

/* Each call that a table must have, by its name and where it stands. */
struct required {
	const char *name;
	size_t offset;
};
#define STORE(f)                                                               \
	{                                                                      \
#f, offsetof(struct fr_store_ops, f)                           \
	}
#define QUEUE(f)                                                               \
	{                                                                      \
#f, offsetof(struct fr_queue_ops, f)                           \
	}

static const struct required store_required[] = {
	STORE(scheme),
	STORE(open),
	STORE(close),
	STORE(describe),
	STORE(begin),
	STORE(commit),
	STORE(rollback),
	STORE(create),
	STORE(lease),
	STORE(renew),
	STORE(renew_all),
	STORE(progress),
	STORE(complete),
	STORE(count_failed),
	STORE(failed),
	STORE(release),
	STORE(cancel),
	STORE(retry),
	STORE(remove),
	STORE(promote),
	STORE(expired),
	STORE(next_due),
	STORE(get),
	STORE(find),
	STORE(list),
	STORE(get_queue),
	STORE(running),
	STORE(purge),
	STORE(stats),
	STORE(pause),
	STORE(outbox_put),
	STORE(outbox_take),
	STORE(outbox_done),
	STORE(outbox_retry),
};
static const struct required queue_required[] = {
	QUEUE(scheme),
	QUEUE(open),
	QUEUE(close),
	QUEUE(caps),
	QUEUE(describe),
	QUEUE(push),
	QUEUE(pop),
	QUEUE(requeue),
	QUEUE(remove),
	QUEUE(length),
	QUEUE(empty),
};

static enum fr_rc
check_ops(const void *ops, const char *what, uint32_t abi, uint32_t size,
    size_t want, const struct required *r, size_t n, struct fr_err *err)
{
	static const unsigned char none[sizeof(void *)];
	size_t i;

	if (abi != FR_BACKEND_ABI)
		return fr_fail(err, FR_BROKEN,
		    "%s: made for version %u of the interface, this is %u",
		    what, (unsigned)abi, FR_BACKEND_ABI);
	if (size != want)
		return fr_fail(err, FR_BROKEN,
		    "%s: its table has %u bytes, ours has %zu", what,
		    (unsigned)size, want);
	for (i = 0; i < n; i++)
		if (memcmp((const char *)ops + r[i].offset, none,
			sizeof(none)) == 0)
			return fr_fail(err, FR_BROKEN, "%s: its table lacks %s",
			    what, r[i].name);
	return FR_OK;
}

static enum fr_rc
check_store(
    const struct fr_store_ops *ops, const char *what, struct fr_err *err)
{
	return check_ops(ops, what, ops->abi, ops->size, sizeof(*ops),
	    store_required, COUNT(store_required), err);
}

static enum fr_rc
check_queue(
    const struct fr_queue_ops *ops, const char *what, struct fr_err *err)
{
	return check_ops(ops, what, ops->abi, ops->size, sizeof(*ops),
	    queue_required, COUNT(queue_required), err);
}

/* The scheme in front of the first ':', by its proper name. */
static struct fr_span
scheme_of(const char *url)
{
	struct fr_span s = { url, strcspn(url, ":") };
	size_t i;

	if (url[s.len] == '\0')
		s.len = 0;
	for (i = 0; i < COUNT(aliases); i++)
		if (fr_span_is(s, aliases[i][0]))
			return fr_span_of(aliases[i][1]);
	return s;
}

/* PATH.so or PATH.so:ARGS: the length of the path; 0 if it is neither. */
static size_t
module_path(const char *url)
{
	const char *so = url;

	while ((so = strstr(so, ".so")) != NULL) {
		so += strlen(".so");
		if (*so == ':' || *so == '\0')
			return (size_t)(so - url);
	}
	return 0;
}

/* The part of a URL behind its first n bytes and ':'. */
static const char *
args_of(const char *url, size_t n)
{
	return url[n] == ':' ? url + n + 1 : "";
}

static enum fr_rc
load(const struct fr_module **m, const char *url, struct fr_err *err)
{
	char path[4096];

	if (!fr_str_copy(
		path, sizeof(path), (struct fr_span){ url, module_path(url) }))
		return fr_fail(err, FR_USAGE, "load: the path is too long");
	return fr_module_load(m, path, err);
}

/* A URL may hold a password behind its scheme, so only that is shown; without
 * a scheme it is something else. */
static enum fr_rc
unknown(
    const char *what, const char *url, struct fr_buf *known, struct fr_err *err)
{
	const struct fr_span s = scheme_of(url);

	fr_buf_adds(known, "PATH.so:");
	if (s.len == 0)
		(void)fr_fail(err, FR_USAGE,
		    "%s `%.40s`: begins with none of %s", what, url,
		    fr_buf_cstr(known));
	else
		(void)fr_fail(err, FR_USAGE,
		    "%s `%.*s:`: not known; known are %s", what,
		    s.len > 40 ? 40 : (int)s.len, s.p, fr_buf_cstr(known));
	fr_buf_fini(known);
	return FR_USAGE;
}

enum fr_rc
fr_registry_store(
    struct fr_store **out, const char *url, unsigned flags, struct fr_err *err)
{
	const struct fr_span scheme = scheme_of(url);
	const struct fr_store_ops *ops = NULL;
	size_t n = strcspn(url, ":"), i;
	const struct fr_module *m;
	struct fr_buf known;
	enum fr_rc rc;

	for (i = 0; i < COUNT(stores) && ops == NULL; i++)
		if (fr_span_is(scheme, stores[i]->scheme))
			ops = stores[i];
	if (ops == NULL && module_path(url) > 0) {
		n = module_path(url);
		rc = load(&m, url, err);
		if (rc != FR_OK)
			return rc;
		ops = m->store;
		if (ops == NULL)
			return fr_fail(err, FR_USAGE,
			    "load %.*s: it has no store", (int)n, url);
	}
	if (ops == NULL) {
		fr_buf_init(&known, 0);
		for (i = 0; i < COUNT(stores); i++)
			fr_buf_addf(&known, "%s: ", stores[i]->scheme);
		return unknown("store", url, &known, err);
	}
	rc = check_store(ops, ops->scheme != NULL ? ops->scheme : url, err);
	if (rc == FR_OK)
		rc = ops->open(out, args_of(url, n), flags, err);
	return rc;
}

enum fr_rc
fr_registry_queue(struct fr_queue **out, const char *url, struct fr_err *err)
{
	const struct fr_span scheme = scheme_of(url);
	const struct fr_queue_ops *ops = NULL;
	size_t n = strcspn(url, ":"), i;
	const struct fr_module *m;
	struct fr_buf known;
	enum fr_rc rc;

	for (i = 0; i < COUNT(queues) && ops == NULL; i++)
		if (fr_span_is(scheme, queues[i]->scheme))
			ops = queues[i];
	if (ops == NULL && module_path(url) > 0) {
		n = module_path(url);
		rc = load(&m, url, err);
		if (rc != FR_OK)
			return rc;
		ops = m->queue;
		if (ops == NULL)
			return fr_fail(err, FR_USAGE,
			    "load %.*s: it has no queue", (int)n, url);
	}
	if (ops == NULL) {
		fr_buf_init(&known, 0);
		for (i = 0; i < COUNT(queues); i++)
			fr_buf_addf(&known, "%s: ", queues[i]->scheme);
		return unknown("queue", url, &known, err);
	}
	rc = check_queue(ops, ops->scheme != NULL ? ops->scheme : url, err);
	if (rc == FR_OK)
		rc = ops->open(out, args_of(url, n), err);
	return rc;
}
