#!/bin/sh
# SPDX-License-Identifier: MIT
# A report that is refused after the worker has asked for more is told again.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

# shellcheck disable=SC2016 # for that shell
start sh -c 'exec "$@" >"$0"' "$T/url" \
    "$FR_PYTHON" "$ROOT/tests/worker/late.py" "$T/told"
FR_MANAGER=$(await cat "$T/url") || bail 'no stand-in'
export FR_MANAGER
worker -v -c 2 h=cat
ok 'an end that a busy manager did not take is told again' \
    until_ok test -e "$T/told"
is 'and the worker goes on' "$(alive "$WORKER")" yes
done_testing
