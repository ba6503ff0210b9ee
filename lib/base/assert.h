/* SPDX-License-Identifier: MIT */
#ifndef FR_ASSERT_H
#define FR_ASSERT_H

/*
 * For bugs only: never for input, memory, disk or network. Always compiled
 * in; a false one is reported on descriptor 2 and aborts.
 */
#define fr_assert(x)                                                           \
	((x) ? (void)0 : fr_assert_failed(#x, __FILE__, __LINE__, __func__))

_Noreturn void fr_assert_failed(
    const char *what, const char *file, int line, const char *func);

#endif
