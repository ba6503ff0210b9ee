#!/bin/sh
# SPDX-License-Identifier: MIT
# A worker that lacks what a handler needs - descriptors, its directory -
# gives the job back, and goes on as soon as it can.
# shellcheck disable=SC2016 # much of this is for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

mkdir "$T/w"
manager
cannot() { [ "$(grep -c 'cannot start a handler' "$T/log")" -ge "$1" ]; }
files() { prlimit --pid "$(pgrep -P "$WORKER")" --nofile="$1" 2>>"$T/log"; }

# Nothing else happens that would wake it up: it must do so by itself.
worker --workdir "$T/w" h=cat 'k.lines=sed -u "s/.*/{\"result\":7}/"'
is 'a job is done' "$(fr-submit --wait=60 h 1)" 1
files 8:1024
id=$(fr-submit h 2)
until_ok cannot 1
ok 'without descriptors it cannot, and says so' cannot 1
files 1024:1024
fr-status --wait=60 "$id" >/dev/null
is 'later it can' "$(field "$id" result)" 2
is 'what it gave back was not counted' "$(field "$id" fail_count)" 0

: >"$T/log"
files 8:1024
id=$(fr-submit --max-attempts 1 k 3)
until_ok cannot 1
queued() { [ "$(field "$id" state)" = queued ]; }
ok 'a job for a handler to be kept is given back as well' until_ok queued
files 1024:1024
fr-status --wait=60 "$id" >/dev/null
is 'and done later' "$(field "$id" result)" 7

# Old things in /tmp are cleared away, by others.
rm -rf "$T/w"/fr-worker.*
is 'its directory is made again' "$(fr-submit --wait=60 h 4)" 4
is 'for one that is kept, too' "$(fr-submit --wait=60 k 5)" 7
stop "$WORKER"
is 'and removed at the end' "$(ls -A "$T/w")" ''
done_testing
