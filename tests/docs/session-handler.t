#!/bin/sh
# SPDX-License-Identifier: MIT
# What man/fr-handler.7 shows is what its commands print.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/docs/lib.sh
. "$ROOT/tests/docs/lib.sh"
session "$ROOT/man/fr-handler.7"
