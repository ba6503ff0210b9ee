#!/bin/sh
# SPDX-License-Identifier: MIT
# Promise 3 with a store that fails: its first call, its second ... in each
# way, once and from then on for a while. Again alone:
# SIM_TRACE=1 build/tests/sim/sim nth N. SIM_CALLS: how many (80).
exec "${FR_BUILD:-build}/tests/sim/sim" nth "${SIM_FIRST:-1}" \
    "${SIM_CALLS:-$((80 / ${FR_TEST_SLOW:-1}))}"
