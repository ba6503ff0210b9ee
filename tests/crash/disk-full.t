#!/bin/sh
# SPDX-License-Identifier: MIT
# Promise 3 on a full disk: what cannot be stored is refused, what was accepted
# stays, and work goes on as soon as there is room.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/crash/disk.sh
. "${0%/*}/disk.sh"

small_disk 2m
full 127.0.0.1:0
"$FR_PYTHON" -c 'print("{\"x\":\"" + "x" * 20000 + "\"}")' >"$T/big"
accepted=0
while [ $accepted -lt 200 ]; do
	run fr-submit t "@$T/big"
	[ $STATUS = 0 ] || break
	cat "$T/out" >>"$T/acked"
	accepted=$((accepted + 1))
done
diag "$accepted jobs of 20 kB fit"
is 'a job that cannot be stored is refused as an I/O error' $STATUS 74
like 'and it is said why' "$(cat "$T/err")" '[Ff]ull|[Ss]pace'
api POST /v1/jobs -H 'Content-Type: application/json' -d "{\"type\":\"t\",\"data\":$(cat "$T/big")}" >/dev/null
is 'the API says 507' "$(cat "$T/http")" 507
like 'the log has been told' "$(cat "$T/log")" 'new jobs are refused: .*full'
is 'the manager goes on' "$(alive "$MANAGER")" yes
is 'what was accepted can be read' "$(field "$(head -n 1 "$T/acked")" state)" queued
kill -KILL "$MANAGER"
full "${FR_MANAGER#http://}"
pass 'it starts again on the full disk'
is 'what was accepted is still there' \
    "$(fr-status --json --list --limit 1000 | wc -l)" "$accepted"
mount -o remount,size=32m "$T/disk"
worker 't=cat >/dev/null; echo 1' -c 2
some_left() { [ "$(fr-status --json --list --state complete --limit 1000 | wc -l)" = "$accepted" ]; }
ok 'with room again all of it is done' until_ok some_left
ok 'and new jobs are accepted' fr-submit --wait t 1
done_testing
