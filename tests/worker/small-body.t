#!/bin/sh
# SPDX-License-Identifier: MIT
# A manager that takes less at once than a worker has to say gets it in parts.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

manager --max-body 20000 --lease 60
cat >"$T/h" <<'END'
echo x >>"$T/begun"
until [ -e "$T/go" ]; do sleep 0.05; done
head -c 500 /dev/zero | tr '\0' x
echo x >>"$T/ended"
END
worker --env T -c 100 "h=. $T/h" "big=head -c 50000 /dev/zero | tr '\\0' y"
for _ in $(seq 100); do echo 1; done | fr-submit --bulk h >"$T/ids"
begun() { [ "$(wc -l <"$T/begun")" = 100 ]; }
until_ok begun
# All of them end while the manager does not listen.
kill -STOP "$MANAGER"
touch "$T/go"
over() { [ "$(wc -l <"$T/ended")" = 100 ]; }
until_ok over
kill -CONT "$MANAGER"
complete() {
	[ "$(fr-status --json --list --state complete --limit 1000 | wc -l)" = 100 ]
}
ok 'a hundred results are told in parts' until_ok complete
is 'each as it was' "$(field "$(tail -n 1 "$T/ids")" result | wc -c)" 501

id=$(fr-submit big 1)
fr-status --wait "$id" >/dev/null
is 'one that is too large by itself is the end of its job' \
    "$(field "$id" state) $(field "$id" fail_count)" 'failed 1'
like 'and the worker says of which' "$(cat "$T/log")" \
    "too large .*job $id of type big"
is 'it is in nobody'"'"'s way' "$(fr-submit --wait=60 h 1 | wc -c)" 503
done_testing
