/* SPDX-License-Identifier: MIT */
#ifndef FR_BAR_H
#define FR_BAR_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How far a command is with many jobs, on one line of stderr, if that is a
 * terminal; else all calls do nothing.
 */
struct fr_bar {
	bool on;
	bool drawn; /* the line is on the screen */
	int64_t begun_ms;
	int64_t next_ms; /* when it is drawn again */
	int64_t total;   /* bytes of input; 0: not known */
};

/* total: as above; without it there is a count, but no bar. */
void fr_bar_begin(struct fr_bar *bar, bool wanted, int64_t total);
/* Draws it, but not more often than one can read; bytes: of the total. */
void fr_bar_draw(struct fr_bar *bar, uint64_t jobs, uint64_t bytes);
/* Takes the line away: before anything else is said, and at the end. */
void fr_bar_clear(struct fr_bar *bar);
/* Replaces it by one line with the sum. */
void fr_bar_end(struct fr_bar *bar, uint64_t jobs);

#endif
