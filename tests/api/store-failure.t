#!/bin/sh
# SPDX-License-Identifier: MIT
# A store that fails: the manager says what it knows, and stops when nothing
# can be believed any more. Needs the store fault:, that is make FAULT=1.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

FAULT=${FR_BUILD:-$ROOT/build}/fault/bin
[ -x "$FAULT/fr-manager" ] || FAULT=$ROOT/build/fault/bin
[ -x "$FAULT/fr-manager" ] || plan skip 'built without FAULT=1'
PATH=$FAULT:$PATH

with() { # FAIL...
	rm -f "$T/db"*
	fr_manager --listen 127.0.0.1:0 --store "fault:sqlite:$T/db?fail=$1"
}
J='{"type":"a","id":"0190aaaa-0000-7000-8000-000000000001"}'

# Each manager makes a commit or two of its own when it starts.
with create:1:no-space
post /v1/jobs "$J" >/dev/null
is 'no space is 507' "$(http)" 507
post /v1/jobs "$J" >/dev/null
is 'and the next may be taken' "$(http)" 201
stop "$MANAGER"

with create:1:again
post /v1/jobs "$J" >/dev/null
is 'a store that is busy is 503, or waited for' \
	"$(case $(http) in 503 | 201) echo so ;; *) http ;; esac)" so
stop "$MANAGER"

for how in io unknown; do
	with "create:1:$how"
	post /v1/jobs "$J" >/dev/null
	is "$how: the client is told that it cannot be known, or nothing" \
		"$(case $(http) in 503 | 500 | 000) echo so ;; *) http ;; esac)" so
	wait "$MANAGER"
	is "$how: the manager stops with 74" "$?" 74
	like "$how: and says why" "$(cat "$T/log")" 'the store has failed: '
	fr_manager --listen 127.0.0.1:0 --store "sqlite:$T/db"
	post /v1/jobs "$J" >/dev/null
	is "$how: after a restart the same id is taken" "$(http)" 201
	stop "$MANAGER"
done

with commit:3:unknown:done
for _ in 1 2 3 4; do
	post /v1/jobs "$J" >/dev/null
	[ "$(http)" = 503 ] && break
done
is 'a commit that is denied after it was made is 503' "$(http)" 503
like 'with the advice to send it again' "$(cat "$T/body")" \
	'again with the id 0190aaaa-0000-7000-8000-000000000001 is safe'
wait "$MANAGER"
is 'the manager stops with 74' "$?" 74
fr_manager --listen 127.0.0.1:0 --store "sqlite:$T/db"
post /v1/jobs "$J" >/dev/null
is 'the same id again is the same job' "$(http)" 200
done_testing
