/* SPDX-License-Identifier: MIT */
/*
 * stats: how many numbers, their sum and their mean.
 *
 *	cc -o handlers/stats stats.c -ljansson
 *	fr-submit --wait stats '[1,2,6]'     {"n": 3, "sum": 9.0, "mean": 3.0}
 *
 * A handler reads one JSON value, prints one, and says by its exit status
 * what became of the job: 0 done, 65 failed for good, 75 try again.
 */
#include <jansson.h>
#include <stdio.h>
#include <sysexits.h>

int
main(void)
{
	json_error_t why;
	json_t *data = json_loadf(stdin, 0, &why);
	json_t *number;
	double sum = 0;
	size_t i, n = json_array_size(data);

	json_array_foreach(data, i, number)
	{
		if (!json_is_number(number))
			break;
		sum += json_number_value(number);
	}
	if (n == 0 || i < n) {
		fputs("stats: the data is not an array of numbers\n", stderr);
		return EX_DATAERR;
	}
	printf("{\"n\": %zu, \"sum\": %.1f, \"mean\": %.1f}\n", n, sum,
	    sum / (double)n);
	json_decref(data);
	return fflush(stdout) == 0 ? EX_OK : EX_TEMPFAIL;
}
