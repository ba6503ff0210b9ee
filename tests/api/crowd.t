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
# Whole turns of the engine are among them; and when this machine has others to
# run as well, a thread may come late for once, but not each time.
few() { # PROBE
	fr_seen=
	for _ in 1 2 3 4 5; do
		fr_percent=$(behind "$1")
		TRIES=$((TRIES + 1))
		[ "${fr_percent:-100}" -gt 75 ] || break
		fr_seen="$fr_seen ${fr_percent:-none}"
	done
	if [ "${fr_percent:-100}" -le 75 ]; then echo yes; else
		echo "no:$fr_seen %"
	fi
}

manager
TRIES=0
few work >"$T/work"
is 'a worker does not stand behind a crowd' "$(cat "$T/work")" yes
few signs >"$T/signs"
is 'nor does who is new and asks for signs of life' "$(cat "$T/signs")" yes
is 'and all of the crowd were served' \
	"$(api GET /v1/types | json crowd.queued)" $((26000 * TRIES))
done_testing
