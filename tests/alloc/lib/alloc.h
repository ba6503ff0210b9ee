/* SPDX-License-Identifier: MIT */
#ifndef FR_ALLOC_H
#define FR_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

#include <fr/err.h>

/*
 * What happens without memory. Programs here are linked so that our own calls
 * of malloc and its like go through alloc.c, which can let one of them fail.
 */

/* What a case is, or does with its second argument, is its own. */
typedef enum fr_rc alloc_case_fn(void);

/*
 * Runs f with the first allocation failing, then with the second, and so on,
 * until it comes through without; and the same with all from there on failing
 * (as when there really is none). Each time f must return FR_NOMEM, or FR_OK
 * if it could do without, and must have freed all. Prints a line of TAP.
 */
void alloc_try(const char *name, alloc_case_fn *f);
/* The same with each step-th allocation only, where there are thousands. */
void alloc_try_some(const char *name, alloc_case_fn *f, size_t step);

/* Within a case: from here on none fails (any more); whether one did. */
bool alloc_stop(void);
/* Within a case: only from here on may one fail. */
void alloc_begin(void);

/* The plan; the program's exit status. */
int alloc_done(void);

#define must(x) ((x) ? (void)0 : alloc_failed(#x, __FILE__, __LINE__))
_Noreturn void alloc_failed(const char *what, const char *file, int line);

#endif
