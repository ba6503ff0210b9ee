/* SPDX-License-Identifier: MIT */
#include <libgearman/gearman.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/lib/load.h"

/*
 * The load that fr-bench puts on a manager, put on gearmand: background jobs;
 * the arguments are in lib/load.h. A window submits its jobs as tasks that are
 * run at once; a worker always has one job at a time.
 */

#define HOST "127.0.0.1"
#define FUNCTION "bench"

/* Either may be used; libgearman connects when it is first needed. */
struct line {
	gearman_client_st *client;
	gearman_worker_st *worker;
};

_Noreturn static void
failed(const char *what)
{
	fprintf(stderr, "gearman: %s\n", what);
	exit(1);
}

static void *
job(gearman_job_st *j, void *arg, size_t *len, gearman_return_t *rc)
{
	(void)j;
	(void)arg;
	load_started();
	*len = 0;
	*rc = GEARMAN_SUCCESS;
	return NULL;
}

static void *
dial(void)
{
	struct line *l = calloc(1, sizeof(*l));

	if (l == NULL)
		load_die("calloc");
	l->client = gearman_client_create(NULL);
	l->worker = gearman_worker_create(NULL);
	if (l->client == NULL || l->worker == NULL)
		load_die("gearman");
	if (gearman_failed(
		gearman_client_add_server(l->client, HOST, load_port)))
		failed(gearman_client_error(l->client));
	if (gearman_failed(
		gearman_worker_add_server(l->worker, HOST, load_port)))
		failed(gearman_worker_error(l->worker));
	return l;
}

static void
hang_up(void *line)
{
	struct line *l = line;

	gearman_client_free(l->client);
	gearman_worker_free(l->worker);
	free(l);
}

static void
submit_one(gearman_client_st *c)
{
	char handle[GEARMAN_JOB_HANDLE_SIZE];

	if (gearman_failed(gearman_client_do_background(
		c, FUNCTION, NULL, load_data, sizeof(load_data) - 1, handle)))
		failed(gearman_client_error(c));
}

static void
submit_many(gearman_client_st *c, int64_t n)
{
	gearman_return_t rc;

	for (; n > 0; n--) {
		(void)gearman_client_add_task_background(c, NULL, NULL,
		    FUNCTION, NULL, load_data, sizeof(load_data) - 1, &rc);
		if (gearman_failed(rc))
			failed(gearman_client_error(c));
	}
	if (gearman_failed(gearman_client_run_tasks(c)))
		failed(gearman_client_error(c));
	gearman_client_task_free_all(c);
}

static void
submit(struct part *p)
{
	const struct line *l = p->line;
	int64_t n;

	for (; p->jobs > 0; p->jobs -= n) {
		n = p->jobs < p->window ? p->jobs : p->window;
		if (p->window == 1)
			submit_one(l->client);
		else
			submit_many(l->client, n);
	}
}

static void
drain(struct part *p)
{
	const struct line *l = p->line;

	if (gearman_failed(
		gearman_worker_add_function(l->worker, FUNCTION, 0, job, NULL)))
		failed(gearman_worker_error(l->worker));
	for (; p->jobs > 0; p->jobs--)
		if (gearman_failed(gearman_worker_work(l->worker)))
			failed(gearman_worker_error(l->worker));
}

int
main(int argc, char *argv[])
{
	static const struct peer gearman = { "gearman", dial, hang_up, submit,
		drain };

	return load_main(argc, argv, &gearman);
}
