/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/str.h"
#include "base/time.h"
#include "on_store.h"

static const struct fr_case *const tables[] = {
	fr_cases_create,
	fr_cases_payload,
	fr_cases_transaction,
	fr_cases_lease,
	fr_cases_report,
	fr_cases_due,
	fr_cases_edit,
	fr_cases_list,
	fr_cases_walk,
	fr_cases_outbox,
	fr_cases_model,
	fr_cases_two,
	fr_cases_crash,
	fr_cases_shared,
	NULL,
};

static enum fr_rc
open_store(struct fr_check *c)
{
	return c->conf->open_store(&c->s, c->conf->url, 0, &c->err);
}

static const char *
lacks(struct fr_check *c, unsigned need)
{
	const uint32_t caps = c->s->ops->caps;

	if ((need & FR_NEED_DURABLE) != 0 && (caps & FR_STORE_DURABLE) == 0)
		return "the store is not durable";
	if ((need & FR_NEED_SHARED) != 0 && (caps & FR_STORE_SHARED) == 0)
		return "the store is not shared";
	if ((need & FR_NEED_PROCESSES) != 0 &&
	    (caps & (FR_STORE_DURABLE | FR_STORE_SHARED)) == 0)
		return "the store is of one process";
	return NULL;
}

/* Ends and removes what the check has made, in batches. */
static enum fr_rc
sweep(struct fr_check *c)
{
	const struct fr_store_ops *ops = c->s->ops;
	struct fr_edit e[100];
	enum fr_rc rc = FR_OK;
	size_t i, n;

	while (c->nids > 0 && rc == FR_OK) {
		n = c->nids < 100 ? c->nids : 100;
		for (i = 0; i < n; i++)
			e[i] = (struct fr_edit){ .id = c->ids[c->nids - n + i],
				.now_ms = c->t0 };
		rc = ops->begin(c->s, &c->err);
		if (rc != FR_OK)
			break;
		rc = ops->cancel(c->s, e, n, &c->err);
		if (rc == FR_OK)
			rc = ops->remove(c->s, e, n, &c->err);
		if (rc == FR_OK)
			rc = ops->commit(c->s, &c->err);
		else
			ops->rollback(c->s);
		c->nids -= n;
	}
	return rc;
}

static bool
reset(struct fr_check *c)
{
	enum fr_rc rc = FR_OK;
	size_t i;

	for (i = 0; i < FR_CHECK_HANDLES; i++) {
		if (c->also[i] != NULL)
			c->also[i]->ops->close(c->also[i]);
		c->also[i] = NULL;
	}
	/* A check that failed may have left its transaction open. */
	if (c->s != NULL && c->why[0] != '\0') {
		c->s->ops->close(c->s);
		c->s = NULL;
	}
	if (c->s == NULL)
		rc = open_store(c);
	if (rc == FR_OK)
		rc = sweep(c);
	c->nids = 0;
	return c->s != NULL && (rc == FR_OK || c->why[0] != '\0');
}

static void
close_store(struct fr_check *c)
{
	fr_st_close_all(c);
}

static const struct fr_suite suite = {
	.tables = tables,
	.open = open_store,
	.close = close_store,
	.reset = reset,
	.lacks = lacks,
};

enum fr_rc
fr_conform_store(const struct fr_conform *conf, struct fr_err *err)
{
	return fr_check_run(conf, &suite, err);
}

void
fr_conform_store_list(struct fr_buf *out)
{
	fr_check_list(tables, out);
}
