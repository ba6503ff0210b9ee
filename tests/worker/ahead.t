#!/bin/sh
# SPDX-License-Identifier: MIT
# Jobs that are fetched ahead: none waits behind a slow one while another
# worker is idle, and none is lost or done twice.
# shellcheck disable=SC2016 # much of this is for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

manager
n=0
lines() { # lines TYPE COUNT
	i=0
	while [ "$i" -lt "$2" ]; do
		i=$((i + 1)) n=$((n + 1))
		echo "{\"type\":\"$1\",\"data\":$n}"
	done
}
{ lines q 200; lines slow 1; lines q 20; } | fr-submit --bulk >"$T/ids"
slow=$(sed -n 201p "$T/ids")
Q="q=read -r n; echo \$n >>$T/ran; echo \$n"
S="slow=echo x >$T/slow; while [ ! -e $T/go ]; do sleep 0.02; done"
worker -c 1 "$Q" "$S"
await cat "$T/slow" >/dev/null
worker -c 1 "$Q"
left() { [ "$(api GET /v1/types | json q.complete)" = 220 ]; }
until_ok left
ok 'quick jobs behind a slow one are done by others' left
is 'while it still runs' "$(field "$slow" state)" running
is 'each once' "$(sort -n "$T/ran" | uniq -d | wc -l) $(wc -l <"$T/ran")" '0 220'
is 'and none counts as failed' \
    "$(api GET '/v1/jobs?type=q&limit=1000' | grep -o '"fail_count":[1-9]' | wc -l)" 0
touch "$T/go"
fr-status --wait "$slow" >/dev/null
is 'the slow one ends well' "$(field "$slow" state)" complete
done_testing
