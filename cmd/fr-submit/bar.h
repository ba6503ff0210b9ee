/* SPDX-License-Identifier: MIT */
#ifndef FR_SUBMIT_BAR_H
#define FR_SUBMIT_BAR_H

#include <stdbool.h>
#include <stdint.h>

/* A progress bar on stderr, if that is a terminal; else all calls do nothing.
 */
struct bar {
	bool on;
	int64_t begun_ms;
	int64_t next_ms; /* when it is drawn again */
	int64_t total;   /* bytes of input; 0: not known */
};

void bar_begin(struct bar *bar, bool wanted, int fd_in);
void bar_draw(struct bar *bar, uint64_t jobs, uint64_t bytes);
/* Replaces it by one line with the sum. */
void bar_end(struct bar *bar, uint64_t jobs);

#endif
