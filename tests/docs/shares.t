#!/bin/sh
# SPDX-License-Identifier: MIT
# The examples do what they say, and the demonstration works.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 15

examples=$ROOT/share/examples
cp -r "$examples/handlers" "$T/handlers"
# shellcheck disable=SC2046 # words are wanted
cc -o "$T/handlers/stats" "$examples/stats.c" \
    $(pkg-config --cflags --libs jansson) >>"$T/log" 2>&1
cp -r "$examples/hooks" "$T/hooks"
manager --hooks "$T/hooks"
worker -H "$T/handlers" ping key_map targz 'fetch=fetch --allow-private'

like 'shell: disk' "$(fr-submit --wait=60 disk '"root"')" \
    '^\{"kb":[0-9]+,"free_kb":[0-9]+\}$'
exits 'disk: what is not in the list fails' 1 \
    fr-submit --wait=60 disk '"floppy"'
is 'and is not tried again' "$(fr-status --list --type disk --state failed \
	--json | json attempt)" 1
is 'Python: primes' "$(fr-submit --wait=60 primes below:=20)" \
    '{"primes":[2,3,5,7,11,13,17,19]}'
id=$(fr-submit primes below:=100000)
fr-status --wait "$id" >>"$T/log" 2>&1
is 'primes tells its progress' "$(field "$id" progress)" '90000 of 100000'
is 'Python, kept running: lookup' "$(fr-submit --wait=60 --raw lookup '"é"')" \
    'LATIN SMALL LETTER E WITH ACUTE'
exits 'lookup: what is no character fails' 1 fr-submit --wait=60 lookup 1
is 'C: stats' "$(fr-submit --wait=60 stats '[1,2,6]')" \
    '{"n":3,"sum":9.0,"mean":3.0}'
exits 'stats: what are no numbers fails' 1 fr-submit --wait=60 stats '[1,"2"]'

"$FR_PYTHON" -I "$ROOT/tests/handlers/server.py" >"$T/asked" 2>>"$T/log" &
PIDS="$PIDS $!"
url=$(await head -n 1 "$T/asked")
is 'a chain: download_and_archive' "$(fr-submit --wait=60 \
	download_and_archive origin:="[\"$url/a.txt\",\"$url/b.txt\"]" \
	destination="$T/files" archive="$T/files.tar.gz")" \
    "{\"archive\":\"$T/files.tar.gz\",\
\"holds\":[\"files\",\"files/a.txt\",\"files/b.txt\"]}"
is 'the archive is there' "$(tar -xOzf "$T/files.tar.gz" files/b.txt)" 'file b'
is 'the chain told its progress' "$(fr-status --list --json \
	--type download_and_archive | json progress)" packed

fr-submit ping >/dev/null
pings() {
	fr-status --list --json --type ping --state complete | sed -n 2p | json id
}
ok 'a hook on ping gives the next ping' await pings
is 'of which one at most waits' "$(fr-status --list --json --type ping \
	--state scheduled | sed -n 2p | json id)" ''
stop

ok 'the demonstration works' env -u FR_MANAGER "$ROOT/share/demo"
