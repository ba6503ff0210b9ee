#!/bin/sh
# SPDX-License-Identifier: MIT
# Days of the engine's life on seeds, with all that can go wrong. A failing
# seed can be run again alone: SIM_TRACE=1 build/tests/sim/sim SEED.
# SIM_DAYS: how many (200; fewer where everything is slow).
exec "${FR_BUILD:-build}/tests/sim/sim" "${SIM_FIRST:-1}" \
    "${SIM_DAYS:-$((200 / ${FR_TEST_SLOW:-1}))}"
