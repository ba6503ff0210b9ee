#!/bin/sh
# SPDX-License-Identifier: MIT
# Every test can be run, and every script says with what.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
cd "$ROOT" || exit 99

is 'every .t file is executable' \
    "$(find tests -name '*.t' ! -perm -u+x)" ''
is 'every .t file begins with #!' \
    "$(find tests -name '*.t' -exec sh -c 'head -c 2 "$1" | grep -q "#!" ||
	echo "$1"' _ {} \;)" ''
done_testing
