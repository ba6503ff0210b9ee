#!/bin/sh
# SPDX-License-Identifier: MIT
# Events as they come; a lost connection is made again where it ended.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"
plan 8

one='sse:retry: 10\n: hello\n\nid: 5\nevent: created\ndata: {"n":1}\n\n'
two='sse:id: 6\ndata: {"n":2}\n\nid: 7\ndata: {"n":'
standin "$one" "$two" hang
start fr-status --follow
P=$PID
is 'it begins at once' "$(await request 1 path)" /v1/events
await request 3 path >/dev/null
is 'events are printed as lines' "$(grep -c '^{"n":[12]}$' "$T/log")" 2
is 'half an event is not' "$(grep -c '^{"n":$' "$T/log")" 0
is 'it comes back with the number of the last one' \
    "$(request 2 headers.last-event-id) $(request 3 headers.last-event-id)" \
    '5 6'
stop "$P"

id=01a20ccc-af22-72c0-a42e-e6e1580ed242
standin "json:{\"id\":\"$id\",\"type\":\"echo\",\"state\":\"queued\"}" "$one"
fr-status --follow --type echo 01a20ccc 2>>"$T/log" | head -n 1 >/dev/null
is 'it can be narrowed, and ids shortened' \
    "$(request 1 path) $(request 2 path)" \
    "/v1/jobs/01a20ccc /v1/events?type=echo&job=$id"
standin '403:{"detail":"not for you"}'
exits 'what it may not see ends it' 77 fr-status --follow
stop "$STANDIN"
STANDIN=
exits 'no manager at first is an error' 69 fr-status --follow
exits 'one job at most' 64 fr-status --follow 01a20ccc 01a20ccd
