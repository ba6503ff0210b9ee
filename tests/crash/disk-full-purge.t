#!/bin/sh
# SPDX-License-Identifier: MIT
# Whose disk is full wants to forget jobs, and needs no room elsewhere for it:
# jobs can be purged on a full disk, and then new ones are accepted again.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/crash/disk.sh
. "${0%/*}/disk.sh"

small_disk 5m
"$FR_PYTHON" -c 'print("{\"x\":\"" + "x" * 20000 + "\"}")' >"$T/big"
fill() { # submits until there is no room; how many were accepted
	accepted=0
	while [ $accepted -lt 400 ]; do
		run fr-submit "$1" "@$T/big"
		[ $STATUS = 0 ] || break
		accepted=$((accepted + 1))
	done
	echo $accepted
}
count() { # jobs of a type in a state
	fr-status --json | json "types.$1.$2"
}
ended() { [ "$(count t complete)" = "$1" ]; }
submit() { # so many jobs of type t, which end
	for _ in $(seq "$1"); do
		fr-submit t "@$T/big" || bail 'no room for jobs that end'
	done >"$T/ids"
	until_ok ended "$1"
}
purge() { fr-ctl purge --state complete --older 0s; }

full 127.0.0.1:0
worker 't=cat >/dev/null'
submit 50
n=$(fill u)
diag "$n jobs of 20 kB fit beside 50 that have ended"
exits 'the disk is full' 74 fr-submit u "@$T/big"
# What is left somebody else takes.
cat /dev/zero >"$T/disk/other" 2>/dev/null
exits 'an ended job can be deleted all the same' 0 \
    fr-ctl delete "$(head -n 1 "$T/ids")"
exits 'and all of them can be purged' 0 purge
is 'which says how many' "$(cat "$T/out")" 49
is 'and they are gone' "$(count t complete)" 0
is 'the others are not' "$(count u queued)" "$n"
cat /dev/zero >>"$T/disk/other" 2>/dev/null
submit 40
pass 'in their place others are accepted, and end'

# The same after a restart, while workers want room and do not get it.
fill u >/dev/null
kill -KILL "$MANAGER"
full "${FR_MANAGER#http://}"
worker "u=cat >/dev/null; exec head -c 20000 $T/big" -c 3
refused() { grep -q 'answers 507' "$T/log"; }
until_ok refused
exits 'a purge succeeds while workers report more than fits' 0 purge
none_left() {
	purge >/dev/null || fail 'another purge succeeds'
	[ "$(count u queued) $(count u running)" = '0 0' ]
}
ok 'purge by purge all of their jobs end' until_ok none_left
done_testing
