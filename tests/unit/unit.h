/* SPDX-License-Identifier: MIT */
#ifndef FR_UNIT_H
#define FR_UNIT_H

/* What every cmocka file needs, in the order that cmocka wants. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

/*
 * Runs the tests and prints TAP, which prove reads. Test names are sentences
 * with underscores.
 */
#define FR_UNIT_MAIN(tests)                                                    \
	(cmocka_set_message_output(CM_OUTPUT_TAP),                             \
	    cmocka_run_group_tests(tests, NULL, NULL) != 0)

#endif
