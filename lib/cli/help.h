/* SPDX-License-Identifier: MIT */
#ifndef FR_HELP_H
#define FR_HELP_H

#include <stddef.h>

#include "cli/prog.h"

/* What is told about a program's options; for lib/cli/prog.c. */

/* The options that every program has, as a table of the same kind. */
extern const struct fr_opt fr_help_common[];

/* How many options stand in a table. */
size_t fr_help_count(const struct fr_opt *opts);

/* The i-th of the program's and the common options together, by name; NULL
 * behind the last. */
const struct fr_opt *fr_help_option(const struct fr_prog *prog, size_t i);

/* Prints what people read to stdout, at most 80 columns wide. */
void fr_help_print(const struct fr_prog *prog);

/* Prints "letter long kind arg TAB help" for each option; "-" for none. */
void fr_help_dump(const struct fr_prog *prog);

/* The long name nearest to a mistyped one, or NULL if none is near. */
const char *fr_help_nearest(const struct fr_prog *prog, const char *name);

#endif
