/* SPDX-License-Identifier: MIT */
#ifndef FR_FUZZ_H
#define FR_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * A fuzz target is a file tests/fuzz/NAME.c with this function, which stops
 * with must() when something is wrong; its corpus is tests/fuzz/corpus/NAME.
 * With clang it is linked to libFuzzer (make fuzz), else to replay.c, which
 * only runs the corpus and what comes of cutting it short (make check).
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(x) ((x) ? (void)0 : fuzz_failed(#x, __FILE__, __LINE__))

_Noreturn void fuzz_failed(const char *what, const char *file, int line);

#endif
