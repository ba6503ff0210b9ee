/* SPDX-License-Identifier: MIT */
#include "cli/bar.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/prog.h"

#define EVERY_MS 100
#define CELLS 24
#define ROOM 72 /* columns that a count, a rate and the cells may need */

void
fr_bar_begin(struct fr_bar *bar, bool wanted, int64_t total)
{
	*bar = (struct fr_bar){ .on = wanted && fr_tty_color(STDERR_FILENO),
		.begun_ms = fr_time_mono_ms(),
		.total = total };
}

static long long
per_second(const struct fr_bar *bar, uint64_t jobs, int64_t now_ms)
{
	const int64_t ms = now_ms - bar->begun_ms;

	return (long long)jobs * 1000 / (ms > 0 ? ms : 1);
}

void
fr_bar_draw(struct fr_bar *bar, uint64_t jobs, uint64_t bytes)
{
	const int64_t now = fr_time_mono_ms();
	char cells[CELLS + 1];
	double part;

	if (!bar->on || now < bar->next_ms)
		return;
	bar->next_ms = now + EVERY_MS;
	bar->drawn = true;
	(void)fprintf(stderr, "\r%llu jobs, %lld/s", (unsigned long long)jobs,
	    per_second(bar, jobs, now));
	if (bar->total > 0 && fr_tty_width(STDERR_FILENO) >= ROOM) {
		part = (double)bytes / (double)bar->total;
		if (part > 1)
			part = 1;
		memset(cells, '.', CELLS);
		memset(cells, '#', (size_t)(part * CELLS));
		cells[CELLS] = '\0';
		(void)fprintf(stderr, " [%s] %d%%", cells, (int)(part * 100));
	}
	(void)fputs("\033[K", stderr);
	(void)fflush(stderr);
}

void
fr_bar_clear(struct fr_bar *bar)
{
	if (!bar->drawn)
		return;
	(void)fputs("\r\033[K", stderr);
	bar->drawn = false;
}

void
fr_bar_end(struct fr_bar *bar, uint64_t jobs)
{
	const int64_t now = fr_time_mono_ms();

	if (!bar->on)
		return;
	(void)fprintf(stderr, "\r%llu jobs in %.1f s, %lld/s\033[K\n",
	    (unsigned long long)jobs, (double)(now - bar->begun_ms) / 1000,
	    per_second(bar, jobs, now));
}
