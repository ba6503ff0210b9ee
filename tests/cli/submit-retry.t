#!/bin/sh
# SPDX-License-Identifier: MIT
# A manager that cannot be reached, or breaks off: one job comes of it.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"
plan 36

# one_id: whether all requests had the same job, id and all
one_id() {
	"$FR_PYTHON" -c 'import json, sys
print(len({json.loads(x)["body"] for x in open(sys.argv[1])}))' \
	    "$T/requests"
}

standin close half 503 429 ok
exits 'a broken connection and a busy manager are tried again' 0 \
    fr-submit echo a=1
is 'five times in all' "$(requests)" 5
is 'with the same id' "$(one_id)" 1
is 'which is printed' "$(cat "$T/out")" "$(request 5 body | json id)"

standin 503+1 ok
begin=$(date +%s%N)
run fr-submit echo
ms=$((($(date +%s%N) - begin) / 1000000))
is 'Retry-After is waited for' "$STATUS $((ms >= 1000))" '0 1'

standin close
exits 'it gives up in the end' 69 fr-submit --retry 1 echo
like 'and says what to do' "$(cat "$T/err")" \
    'safe with --id [0-9a-f]{8}-[0-9a-f-]+$'
is 'not after the first time' "$(($(requests) > 1))" 1
standin 503
exits 'a manager that stays busy is a timeout' 75 fr-submit --retry 0.3 echo
like 'and the reason is told' "$(cat "$T/err")" 'cannot take more now'
standin 503
exits '--retry 0 tries once' 75 fr-submit --retry 0 echo
is 'once indeed' "$(requests)" 1

# refusal STATUS EXIT: it is not tried again, and the detail is shown
refusal() {
	standin "$1:{\"title\":\"t\",\"detail\":\"the reason is $1\"}"
	exits "HTTP $1 is exit $2" "$2" fr-submit echo
	is "HTTP $1 is asked once, and its detail shown" \
	    "$(requests) $(cat "$T/err")" "1 fr-submit: the reason is $1"
}
refusal 400 65
refusal 403 77
refusal 409 1
refusal 413 65
refusal 422 65
refusal 500 74
refusal 507 74
standin 401
exits 'HTTP 401 is exit 77' 77 fr-submit echo
like 'and says where a token goes' "$(cat "$T/err")" FR_TOKEN_FILE

standin garbage
exits 'what does not speak HTTP is no manager' 69 fr-submit echo
standin 'json:[1]'
exits 'an answer without an id is not believed' 74 fr-submit echo
standin redirect
exits 'a redirect is not followed' 74 fr-submit echo
is 'it was asked once' "$(requests)" 1

stop "$STANDIN"
exits 'a manager that is not there is exit 69' 69 fr-submit echo
like 'and says what to do' "$(cat "$T/err")" \
    "^fr-submit: $FR_MANAGER: connection refused; is fr-manager running\\?"
exits 'a socket that is not there is exit 69' 69 \
    fr-submit -m "unix:$T/none" echo
dead=$FR_MANAGER
standin ok
exits 'of several managers the first that answers is used' 0 \
    fr-submit -m "$dead,$FR_MANAGER" echo
