/* SPDX-License-Identifier: MIT */
#include "bar.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "cli/prog.h"

#define EVERY_MS 100
#define WIDTH 24

void
bar_begin(struct bar *bar, bool wanted, int fd_in)
{
	struct stat st;

	memset(bar, 0, sizeof(*bar));
	/* Ids on the same terminal are progress enough. */
	bar->on =
	    wanted && fr_tty_color(STDERR_FILENO) && !fr_tty(STDOUT_FILENO);
	bar->begun_ms = fr_time_mono_ms();
	if (fstat(fd_in, &st) == 0 && S_ISREG(st.st_mode))
		bar->total = (int64_t)st.st_size;
}

static long long
per_second(const struct bar *bar, uint64_t jobs, int64_t now_ms)
{
	const int64_t ms = now_ms - bar->begun_ms;

	return (long long)jobs * 1000 / (ms > 0 ? ms : 1);
}

void
bar_draw(struct bar *bar, uint64_t jobs, uint64_t bytes)
{
	char cells[WIDTH + 1];
	int64_t now;
	int done;

	if (!bar->on)
		return;
	now = fr_time_mono_ms();
	if (now < bar->next_ms)
		return;
	bar->next_ms = now + EVERY_MS;
	(void)fprintf(stderr, "\r%llu jobs, %lld/s", (unsigned long long)jobs,
	    per_second(bar, jobs, now));
	if (bar->total > 0) {
		done = (int)((double)bytes / (double)bar->total * WIDTH);
		if (done > WIDTH)
			done = WIDTH;
		memset(cells, '.', WIDTH);
		memset(cells, '#', (size_t)done);
		cells[WIDTH] = '\0';
		(void)fprintf(stderr, " [%s] %d%%", cells,
		    (int)((double)bytes / (double)bar->total * 100));
	}
	(void)fputs("\033[K", stderr);
	(void)fflush(stderr);
}

void
bar_end(struct bar *bar, uint64_t jobs)
{
	int64_t now = fr_time_mono_ms();

	if (!bar->on)
		return;
	(void)fprintf(stderr, "\r%llu jobs in %.1f s, %lld/s\033[K\n",
	    (unsigned long long)jobs, (double)(now - bar->begun_ms) / 1000,
	    per_second(bar, jobs, now));
}
