#!/bin/sh
# SPDX-License-Identifier: MIT
# Who comes last is not served last: workers and those who ask for signs of
# life have their own part of the time, whatever crowd waits.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

behind() { # PROBE: percent of the crowd that was served before it
	"$FR_PYTHON" -I -S "$ROOT/tests/api/crowd.py" "$FR_MANAGER" "$MANAGER" \
		400 "$1" 2>>"$T/log"
}
# Whole turns of the engine are among them.
few() { # PERCENT
	if [ "${1:-100}" -le 75 ]; then echo yes; else echo "no: ${1:-none} %"; fi
}

manager
is 'a worker does not stand behind a crowd' "$(few "$(behind work)")" yes
is 'nor does who is new and asks for signs of life' \
	"$(few "$(behind signs)")" yes
is 'and all of the crowd were served' \
	"$(api GET /v1/types | json crowd.queued)" 52000
done_testing
