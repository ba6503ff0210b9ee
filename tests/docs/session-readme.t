#!/bin/sh
# SPDX-License-Identifier: MIT
# What README.md shows is what its commands print.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/docs/lib.sh
. "$ROOT/tests/docs/lib.sh"
session "$ROOT/README.md"
