/* SPDX-License-Identifier: MIT */
#include "on_queue.h"

static const struct fr_case *const tables[] = {
	fr_cases_queue,
	fr_cases_fifo,
	fr_cases_chance,
	fr_cases_sharing,
	NULL,
};

static enum fr_rc
open_queue(struct fr_check *c)
{
	enum fr_rc rc = c->conf->open_queue(&c->q, c->conf->url, &c->err);
	int64_t n;

	/* One on a server opens while that is away: it says nothing of the
	 * backend, and is told instead of failures. */
	if (rc == FR_OK && (c->q->ops->caps(c->q) & FR_QUEUE_SHARED) != 0 &&
	    c->q->ops->length(c->q, NULL, &n, &c->err) == FR_AGAIN)
		rc = c->err.rc;
	return rc;
}

static const char *
lacks(struct fr_check *c, unsigned need)
{
	const enum fr_order order = c->conf->order;

	if ((need & FR_NEED_SHARED) != 0 &&
	    (c->q->ops->caps(c->q) & FR_QUEUE_SHARED) == 0)
		return "the queue is not shared";
	if ((need & FR_NEED_FIFO) != 0 && order != FR_ORDER_FIFO)
		return "the queue is drawn by chance";
	if ((need & FR_NEED_RANDOM) != 0 && order != FR_ORDER_RANDOM)
		return "the queue is not random";
	if ((need & FR_NEED_WEIGHTED) != 0 && order != FR_ORDER_WEIGHTED)
		return "the queue is not weighted";
	if ((need & FR_NEED_WEIGHTED) != 0 &&
	    (c->q->ops->caps(c->q) & FR_QUEUE_WANTS_DATA) != 0)
		return "a command says what jobs weigh";
	return NULL;
}

static bool
reset(struct fr_check *c)
{
	const size_t most = 1000;
	enum fr_rc rc = FR_OK;
	size_t i, n;

	for (i = 0; i < FR_CHECK_HANDLES; i++) {
		if (c->also_q[i] != NULL)
			c->also_q[i]->ops->close(c->also_q[i]);
		c->also_q[i] = NULL;
	}
	if (c->q == NULL)
		rc = open_queue(c);
	while (c->ntickets > 0 && rc == FR_OK) {
		n = c->ntickets < most ? c->ntickets : most;
		c->ntickets -= n;
		rc = c->q->ops->remove(
		    c->q, c->tickets + c->ntickets, n, &c->err);
	}
	c->ntickets = 0;
	return c->q != NULL && (rc == FR_OK || c->why[0] != '\0');
}

static void
close_queue(struct fr_check *c)
{
	fr_qu_close_all(c);
}

static const struct fr_suite suite = {
	.tables = tables,
	.open = open_queue,
	.close = close_queue,
	.reset = reset,
	.lacks = lacks,
};

enum fr_rc
fr_conform_queue(const struct fr_conform *conf, struct fr_err *err)
{
	return fr_check_run(conf, &suite, err);
}

void
fr_conform_queue_list(struct fr_buf *out)
{
	fr_check_list(tables, out);
}
